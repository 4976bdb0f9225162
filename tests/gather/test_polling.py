from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.domain.articles import DateOrigin
from digest.domain.errors import Gone, Unavailable
from digest.domain.sources import Asked, Source, SourceKind, SourceState, Standing
from digest.gather.fetching.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched
from digest.gather.polled import Polled
from digest.gather.steps import Patience
from digest.store.articles import articles_in
from digest.store.database import reading, writing
from digest.store.polls import record_standing
from digest.store.sources import change_source, get_source, remove_source
from tests.gather.gathering import (
    DAY,
    FEED,
    OTHER_FEED,
    URL,
    FakeFetcher,
    Gathering,
    answer,
    dated,
    entry,
    feed,
    page,
)
from tests.stored import NOW, WINDOW


def test_a_feed_is_asked_for_as_a_feed_and_a_page_as_a_page(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL)})
    gathering.run_one(fetcher)
    assert [(asked.url, asked.accept) for asked in fetcher.asked] == [(FEED, ACCEPT_FEED), (URL, ACCEPT_ANY)]


def test_a_page_without_a_feed_is_read_for_its_links(gathering: Gathering) -> None:
    gathering.source(kind=SourceKind.PAGE, url="https://meridian.example.org/", link_pattern="/news/")
    home = answer(
        "https://meridian.example.org/", '<main><a href="/news/tides">T</a> <a href="/about">About</a></main>'
    )
    news = "https://meridian.example.org/news/tides"
    dated = page(news, head='<meta property="article:published_time" content="2026-11-18T09:00:00Z">')
    polled = gathering.run_one(FakeFetcher({home.url: home, news: dated}))
    assert polled == Polled("Meridian", listed=1, new=1)
    (article,) = gathering.articles
    assert (article.url, article.published_at, article.published_by) == (news, DAY, DateOrigin.PAGE)


def test_a_source_that_is_no_feed_says_so_and_is_well_again_when_it_is(gathering: Gathering) -> None:
    source = gathering.source()
    polled = gathering.run_one(FakeFetcher({FEED: page(FEED)}))
    assert "is not a feed" in polled.error
    gathering.run_one(FakeFetcher({FEED: feed(FEED)}))
    assert gathering.now_stored(source).standing.last_error == ""


def test_a_link_that_leads_nowhere_is_a_problem_of_its_own(gathering: Gathering) -> None:
    gathering.source()
    polled = gathering.run_one(
        FakeFetcher({FEED: feed(FEED, entry("javascript:alert(1)"), entry(URL)), URL: page(URL)})
    )
    assert (polled.new, polled.error) == (1, "")


def test_a_feed_that_reserves_itself_reserves_all_its_articles(gathering: Gathering) -> None:
    source = gathering.source()
    reserved = "its header says 'X-Robots-Tag: noai'"
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL), reservation=reserved), URL: page(URL)}))
    assert [article.reservation for article in gathering.articles] == [reserved]
    assert gathering.now_stored(source).reservation == reserved


def test_what_a_source_had_no_time_for_is_left_for_the_next_poll(gathering: Gathering) -> None:
    source = gathering.source()
    slow = f"{URL}-slow"
    listed = feed(FEED, entry(URL), entry(slow), etag='"v1"')
    fetcher = FakeFetcher({FEED: listed, URL: page(URL), slow: page(slow, "currents")})
    fetcher.delays[slow] = 60
    polled = gathering.run_one(fetcher, patience=Patience(source=2.0))
    assert (polled.new, polled.later, polled.error) == (1, 1, "")
    assert "the next poll goes on with them" in polled.problems[-1]
    assert gathering.now_stored(source).standing.etag is None
    fetcher.delays.clear()
    assert gathering.run_one(fetcher).new == 1


# --- asking only whether something changed


def with_validators(gathering: Gathering, source: Source, since: datetime | None) -> None:
    with writing(gathering.engine) as session:
        standing = Standing(etag='"v1"', last_modified="then", complete_since=since, succeeded_at=NOW)
        record_standing(session, source, standing, reservation="")


def test_validators_are_kept_and_given_back(gathering: Gathering) -> None:
    source = gathering.source()
    listed = feed(FEED, entry(URL), etag='"v1"', last_modified="Wed, 18 Nov 2026 09:00:00 GMT")
    fetcher = FakeFetcher({FEED: listed, URL: page(URL)})
    gathering.run_one(fetcher)
    stored = gathering.now_stored(source).standing
    assert (stored.etag, stored.last_modified) == (listed.etag, listed.last_modified)
    gathering.run_one(fetcher)
    assert (fetcher.asked[-1].etag, fetcher.asked[-1].last_modified) == (listed.etag, listed.last_modified)


def test_an_unchanged_source_is_left_alone_and_keeps_its_validators(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    fetcher = FakeFetcher({FEED: answer(FEED, status=304)})
    assert gathering.run_one(fetcher) == Polled("Meridian", unchanged=True)
    assert fetcher.urls == [FEED]
    stored = gathering.now_stored(source).standing
    assert (stored.etag, stored.last_modified, stored.complete_since) == ('"v1"', "then", WINDOW.start)


def test_a_304_may_bring_a_newer_validator(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: answer(FEED, status=304, etag='"v2"')}))
    assert gathering.now_stored(source).standing.etag == '"v2"'


def test_a_list_without_validators_forgets_those_of_an_older_one(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: feed(FEED)}))
    assert (
        gathering.now_stored(source).standing.etag,
        gathering.now_stored(source).standing.last_modified,
    ) == (None, None)


def test_validators_are_not_kept_when_an_article_failed(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL), etag='"v1"')}))
    assert gathering.now_stored(source).standing.etag is None


def test_a_window_that_begins_earlier_reads_the_whole_list_again(gathering: Gathering) -> None:
    """A daily issue came first; the weekly one must not take 'nothing changed' for 'nothing there'."""
    source = gathering.source()
    last_day = WINDOW.end - timedelta(days=1)
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL), etag='"v1"'), URL: page(URL)})
    assert gathering.run_one(fetcher, last_day).outside == 1
    assert gathering.now_stored(source).standing.etag == '"v1"'
    assert gathering.run_one(fetcher).new == 1
    assert fetcher.asked[1].etag is None
    gathering.run_one(fetcher, last_day)
    assert fetcher.asked[-1].etag == '"v1"'


def test_what_was_published_after_the_window_is_gathered_for_the_next(gathering: Gathering) -> None:
    """At seven in the morning a feed lists today's first article: it need not be asked for it again."""
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, day=WINDOW.end), etag='"v1"'), URL: page(URL)})
    assert gathering.run_one(fetcher).new == 1
    with reading(gathering.engine) as session:
        assert articles_in(session, gathering.newsletter.id, WINDOW) == ()
    gathering.run_one(fetcher, WINDOW.end)
    assert fetcher.asked[-1].etag == '"v1"'


def test_a_correction_soon_after_is_not_forgotten_when_the_feed_rests(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, title="Tides"), etag='"1"'), URL: page(URL)})
    gathering.run_one(fetcher)
    corrected = feed(FEED, entry(URL, title="Tides, corrected"), etag='"2"')
    fetcher.answers |= {FEED: corrected, URL: page(URL, "currents")}
    gathering.run_one(fetcher, now=NOW + timedelta(hours=1))
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=7)).updated == 1
    assert fetcher.asked[-2].etag is None


def test_a_failed_poll_leaves_the_validators_of_the_last_good_one(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")}))
    assert gathering.now_stored(source).standing.etag == '"v1"'


# --- leaving a server alone


def test_a_source_that_asked_for_quiet_gets_it_and_the_run_says_so(gathering: Gathering) -> None:
    source = gathering.source()
    busy = Unavailable(f"{FEED} answers 429", retry_after=timedelta(hours=2))
    assert gathering.run_one(FakeFetcher({FEED: busy})).error
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL)})
    polled = gathering.run_one(fetcher, now=NOW + timedelta(hours=1))
    assert (polled.waits_until, fetcher.urls) == (NOW + timedelta(hours=2), [])
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=2)).new == 1
    assert gathering.now_stored(source).standing.wait_until is None


def test_what_a_server_calls_fresh_is_not_asked_for_again(gathering: Gathering) -> None:
    gathering.source()
    listed = feed(FEED, entry(URL), fresh_for=timedelta(hours=3))
    fetcher = FakeFetcher({FEED: listed, URL: page(URL)})
    gathering.run_one(fetcher)
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=2)) == Polled("Meridian", unchanged=True)
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=4)).known == 1
    assert fetcher.urls == [FEED, URL, FEED]


def test_a_source_that_fails_waits_longer_each_time_and_remembers_since_when(gathering: Gathering) -> None:
    source = gathering.source()
    fetcher = FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")})
    gathering.run_one(fetcher)
    gathering.run_one(fetcher, now=NOW + timedelta(hours=1))
    standing = gathering.now_stored(source).standing
    assert (standing.failures, standing.failing_since) == (2, NOW)


def test_a_source_that_failed_gets_little_time_and_is_told_how_little(
    gathering: Gathering, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")})
    gathering.run_one(fetcher)
    monkeypatch.setattr("digest.gather.polling.FAILING_SECONDS", 0.2)
    fetcher.delays[FEED] = 60
    assert "did not answer within 0.2 s" in gathering.run_one(fetcher).error


def wishful(tags: str, **overrides: object) -> Fetched:
    """A feed that says when it wants to be read, with a validator."""
    body = f'<rss version="2.0"><channel><title>F</title>{tags}</channel></rss>'
    return answer(FEED, body, **{"content_type": "application/rss+xml", "etag": '"v1"'} | overrides)


def next_poll_of(gathering: Gathering, source: Source) -> datetime:
    due = gathering.now_stored(source).standing.next_poll_at
    assert due is not None
    return due


UNCHANGED = answer(FEED, status=304)


def test_what_a_feed_asks_for_holds_while_it_is_unchanged(gathering: Gathering) -> None:
    source = gathering.source()
    wishes = "<ttl>600</ttl><skipHours><hour>17</hour><hour>18</hour></skipHours>"
    gathering.run_one(FakeFetcher({FEED: wishful(wishes)}))
    assert next_poll_of(gathering, source) == NOW.replace(hour=19)  # in ten hours and a little it is 17:xx
    for day in range(1, 4):
        now = NOW + timedelta(days=day)
        assert gathering.run_one(FakeFetcher({FEED: UNCHANGED}), now=now).unchanged
        assert next_poll_of(gathering, source) == now.replace(hour=19)
    asked = gathering.now_stored(source).standing.asked
    assert asked == Asked(timedelta(hours=10), None, frozenset({17, 18}), frozenset())


def test_how_long_an_answer_is_fresh_holds_until_the_server_says_otherwise(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.run_one(FakeFetcher({FEED: wishful("", fresh_for=timedelta(hours=20))}))
    times = [NOW + timedelta(days=day) for day in range(1, 4)]
    gathering.run_one(FakeFetcher({FEED: UNCHANGED}), now=times[0])
    assert gathering.now_stored(source).standing.fresh_until == times[0] + timedelta(hours=20)
    for now, fresh_for in ((times[1], timedelta(hours=15)), (times[2], timedelta(0))):
        gathering.run_one(FakeFetcher({FEED: replace(UNCHANGED, fresh_for=fresh_for)}), now=now)
        standing = gathering.now_stored(source).standing
        assert standing.asked.fresh_for == fresh_for
        assert (standing.fresh_until or now) == now + fresh_for


def test_a_list_that_asks_for_nothing_any_more_is_believed(gathering: Gathering) -> None:
    source = gathering.source()
    wishes = "<ttl>600</ttl><skipDays><day>Monday</day></skipDays>"
    gathering.run_one(FakeFetcher({FEED: wishful(wishes, fresh_for=timedelta(hours=20))}))
    gathering.run_one(FakeFetcher({FEED: wishful("")}), now=NOW + timedelta(days=1))
    assert gathering.now_stored(source).standing.asked == Asked()


def test_a_feed_that_fails_keeps_the_hours_it_wants_to_be_spared(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.run_one(FakeFetcher({FEED: wishful("<skipHours><hour>7</hour></skipHours>")}))
    gathering.run_one(FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")}))
    assert next_poll_of(gathering, source) == NOW.replace(hour=8)


def test_what_the_old_address_asked_for_does_not_hold_for_the_new_one(gathering: Gathering) -> None:
    source = gathering.source()
    wishes = "<ttl>600</ttl><skipDays><day>Monday</day></skipDays>"
    gathering.run_one(FakeFetcher({FEED: wishful(wishes, fresh_for=timedelta(hours=20))}))
    with writing(gathering.engine) as session:
        change_source(session, source.id, url=OTHER_FEED)
    assert gathering.now_stored(source).standing.asked == Asked()


# --- a source that is elsewhere now


def test_a_source_that_moved_for_good_is_polled_at_its_new_address(gathering: Gathering) -> None:
    gathering.source()
    new = "https://meridian.example.org/new-feed"
    moved = feed(FEED, entry(URL), moved_to=new)
    polled = gathering.run_one(FakeFetcher({FEED: moved, URL: page(URL)}))
    assert "moved it for good" in polled.notice
    fetcher = FakeFetcher({new: feed(new)})
    assert gathering.run_one(fetcher).error == ""
    assert fetcher.urls == [new]


def test_a_source_that_moved_to_another_of_ours_stays_and_says_so(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    moved = feed(FEED, moved_to=OTHER_FEED)
    polls = gathering.run(FakeFetcher({FEED: moved, OTHER_FEED: feed(OTHER_FEED)}))
    assert "is a source already: remove one" in polls["Meridian"].notice


def test_a_source_that_moved_to_another_spelling_of_anothers_address_stays_too(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.source("Northlight")
    spelt = OTHER_FEED.replace("https://", "http://www.") + "/"
    polls = gathering.run(FakeFetcher({FEED: feed(FEED, moved_to=spelt), OTHER_FEED: feed(OTHER_FEED)}))
    assert "is a source already: remove one" in polls["Meridian"].notice
    assert (gathering.now_stored(source).url, gathering.now_stored(source).moved_to) == (FEED, spelt)


def test_a_source_that_moved_to_an_address_too_long_to_keep_is_read_where_it_was(
    gathering: Gathering,
) -> None:
    source = gathering.source()
    moved = feed(FEED, entry(URL), moved_to=f"{NEW}?utm_source={'x' * 3000}")
    polled = gathering.run_one(FakeFetcher({FEED: moved, URL: page(URL)}))
    assert polled == Polled("Meridian", listed=1, new=1)
    assert gathering.now_stored(source).url == FEED


def test_a_source_that_is_gone_for_good_is_retired(gathering: Gathering) -> None:
    source = gathering.source()
    polled = gathering.run_one(FakeFetcher({FEED: Gone(f"{FEED} answers 410 Gone")}))
    assert "gone for good" in polled.notice
    assert gathering.now_stored(source).state is SourceState.RETIRED


def test_a_list_that_moved_and_is_unchanged_is_polled_at_its_new_address_too(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    polled = gathering.run_one(FakeFetcher({FEED: replace(UNCHANGED, moved_to=OTHER_FEED)}))
    assert "moved it for good" in polled.notice
    stored = gathering.now_stored(source)
    assert (stored.url, stored.moved_from) == (OTHER_FEED, FEED)


def test_that_two_sources_are_one_by_now_is_told_once_and_shown(gathering: Gathering) -> None:
    source, other = gathering.source(), gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED, moved_to=OTHER_FEED), OTHER_FEED: feed(OTHER_FEED)})
    notices = [
        gathering.run(fetcher, now=NOW + timedelta(hours=hour))["Meridian"].notice for hour in range(3)
    ]
    assert [bool(notice) for notice in notices] == [True, False, False]
    assert gathering.now_stored(source).moved_to == OTHER_FEED
    with writing(gathering.engine) as session:
        remove_source(session, other.id)
    assert "is polled at" in gathering.run_one(fetcher).notice
    moved = gathering.now_stored(source)
    assert (moved.url, moved.moved_to) == (OTHER_FEED, "")


def test_a_source_that_is_moved_no_more_stands_alone_again(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED, moved_to=OTHER_FEED), OTHER_FEED: feed(OTHER_FEED)})
    gathering.run(fetcher)
    fetcher.answers[FEED] = feed(FEED)
    gathering.run(fetcher)
    assert gathering.now_stored(source).moved_to == ""


# --- a source that its editor changes while a poll of it is under way


class Meddling(FakeFetcher):
    """Changes the source when its list is asked for."""

    def __init__(self, gathering: Gathering, answers: dict[str, Fetched | Exception], **change: str) -> None:
        super().__init__(answers)
        self._engine = gathering.engine
        self._source = gathering.source()
        self._change = change

    async def fetch(self, url: str, **options: Any) -> Fetched:
        if url == FEED:
            with writing(self._engine) as session:
                change_source(session, self._source.id, **self._change)
        return await super().fetch(url, **options)


NEW = "https://meridian.example.org/new-feed"


@pytest.mark.parametrize("to", [NEW, OTHER_FEED])
def test_a_move_from_an_address_that_is_the_sources_no_more_is_neither_recorded_nor_told(
    gathering: Gathering, to: str
) -> None:
    gathering.source("Northlight", url=OTHER_FEED)
    fetcher = Meddling(gathering, {FEED: feed(FEED, etag='"old"', moved_to=to)}, url=f"{FEED}-by-hand")
    assert gathering.run(fetcher)["Meridian"].notice == ""
    with reading(gathering.engine) as session:
        stored = get_source(session, gathering.newsletter.id, "Meridian")
    assert (stored.url, stored.moved_from, stored.moved_to) == (f"{FEED}-by-hand", "", "")
    assert stored.standing == Standing()


def test_a_410_of_an_address_that_is_the_sources_no_more_retires_nothing(gathering: Gathering) -> None:
    fetcher = Meddling(gathering, {FEED: Gone(f"{FEED} answers 410 Gone")}, url=NEW)
    polled = gathering.run_one(fetcher)
    assert (polled.notice, "410" in polled.error) == ("", True)
    with reading(gathering.engine) as session:
        stored = get_source(session, gathering.newsletter.id, "Meridian")
    assert (stored.state, stored.standing.last_error) == (SourceState.ACTIVE, "")


def test_a_poll_with_a_link_pattern_that_was_changed_leaves_the_list_to_be_read_again(
    gathering: Gathering,
) -> None:
    fetcher = Meddling(gathering, {FEED: feed(FEED, etag='"old"')}, link_pattern="/news/")
    gathering.run_one(fetcher)
    with reading(gathering.engine) as session:
        standing = get_source(session, gathering.newsletter.id, "Meridian").standing
    assert (standing.etag, standing.complete_since, standing.next_poll_at) == (None, None, None)


# --- sitemaps


def test_a_sitemap_is_read_with_the_children_that_changed(gathering: Gathering) -> None:
    index, child = "https://meridian.example.org/sitemap.xml", "https://meridian.example.org/news.xml"
    old = "https://meridian.example.org/2019.xml"
    gathering.source(kind=SourceKind.SITEMAP, url=index)
    xmlns = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    children = (
        f"<sitemap><loc>{child}</loc><lastmod>2026-11-18</lastmod></sitemap>"
        f"<sitemap><loc>{old}</loc><lastmod>2019-11-18</lastmod></sitemap>"
    )
    urls = (
        f"<url><loc>{URL}</loc><lastmod>2026-11-18T08:00:00Z</lastmod></url>"
        f"<url><loc>{URL}-old</loc><lastmod>2026-01-18T08:00:00Z</lastmod></url>"
    )
    fetcher = FakeFetcher(
        {
            index: answer(index, f"<sitemapindex {xmlns}>{children}</sitemapindex>"),
            child: answer(child, f"<urlset {xmlns}>{urls}</urlset>"),
            URL: dated(URL, "2026-11-18T08:00:00Z"),
        }
    )
    polled = gathering.run_one(fetcher)
    assert (polled.new, polled.outside, polled.error) == (1, 1, "")
    assert fetcher.urls == [index, child, URL]


def test_a_sitemap_whose_child_failed_is_read_whole_again(gathering: Gathering) -> None:
    index, child = "https://meridian.example.org/sitemap.xml", "https://meridian.example.org/news.xml"
    gathering.source(kind=SourceKind.SITEMAP, url=index)
    body = f"<sitemapindex><sitemap><loc>{child}</loc></sitemap></sitemapindex>"
    fetcher = FakeFetcher(
        {index: answer(index, body, etag='"i"'), child: Unavailable(f"{child} answers 503"), URL: page(URL)}
    )
    assert "answers 503" in gathering.run_one(fetcher).problems[0]
    urls = f"<urlset><url><loc>{URL}</loc></url></urlset>"
    fetcher.answers[child] = answer(child, urls)
    assert gathering.run_one(fetcher).new == 1
    assert {asked.etag for asked in fetcher.asked} == {None}
