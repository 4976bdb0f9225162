import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from digest.domain.articles import DateOrigin, TextOrigin
from digest.domain.errors import Gone, Unavailable
from digest.domain.sources import SourceKind
from digest.gather.articles import TRIES, UNDATED_AT_FIRST
from digest.gather.polled import Polled
from digest.gather.steps import Patience
from digest.store.articles import SightingRow
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading, writing
from digest.store.sources import (
    SourceRow,
    change_source,
    list_sources,
)
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
    front,
    page,
    prose,
)
from tests.stored import NOW, WINDOW


def test_a_feeds_articles_are_read_from_their_pages(gathering: Gathering) -> None:
    gathering.source()
    told = entry(URL, title="Tides &amp; Co", categories=("Sea",))
    polled = gathering.run_one(FakeFetcher({FEED: feed(FEED, told), URL: page(URL)}))
    assert polled == Polled("Meridian", listed=1, new=1)
    (article,) = gathering.articles
    assert (article.url, article.title, article.published_at) == (URL, "Tides & Co", DAY)
    assert (article.published_by, article.text_origin) == (DateOrigin.FEED, TextOrigin.PAGE)
    assert article.categories == ("Sea",)
    assert "first part of the study" in article.text


def test_entries_outside_the_window_are_not_opened(gathering: Gathering) -> None:
    gathering.source()
    old, edge = entry(URL, day=WINDOW.start - timedelta(seconds=1)), entry(f"{URL}-3", day=WINDOW.start)
    fetcher = FakeFetcher({FEED: feed(FEED, old, edge), f"{URL}-3": page(f"{URL}-3")})
    assert gathering.run_one(fetcher) == Polled("Meridian", listed=2, new=1, outside=1)
    assert fetcher.urls == [FEED, f"{URL}-3"]


def test_what_is_stored_is_not_fetched_again(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL)})
    gathering.run_one(fetcher)
    assert gathering.run_one(fetcher) == Polled("Meridian", listed=1, known=1)
    assert fetcher.urls == [FEED, URL, FEED]
    assert len(gathering.articles) == 1


def test_the_same_article_under_two_addresses_of_one_feed_is_one(gathering: Gathering) -> None:
    gathering.source()
    twice = feed(FEED, entry(f"{URL}?utm_source=rss"), entry(URL))
    assert gathering.run_one(FakeFetcher({FEED: twice, URL: page(URL)})) == Polled(
        "Meridian", listed=1, new=1
    )


def test_an_article_met_under_its_feeds_link_is_known_by_it_and_not_opened_again(
    gathering: Gathering,
) -> None:
    gathering.source()
    link, canonical = "https://meridian.example.org/?p=12", URL
    head = f'<link rel="canonical" href="{canonical}">'
    fetcher = FakeFetcher({FEED: feed(FEED, entry(link)), link: page(link, head=head)})
    gathering.run_one(fetcher)
    assert [article.url for article in gathering.articles] == [canonical]
    assert gathering.run_one(fetcher).known == 1
    assert fetcher.urls.count(link) == 1


def test_what_a_database_cannot_hold_is_left_out_of_a_strangers_words(gathering: Gathering) -> None:
    url = "https://meridian.example.org/feed.json"
    gathering.source(url=url)
    long = f"https://meridian.example.org/{'a' * 2010}"
    items = [
        {
            "url": URL,
            "title": "Ti\x00des\ud800",
            "content_html": prose("ti\x00des\udfff"),
            "tags": ["a\x00b"],
        },
        {"url": long, "title": "Long", "content_html": prose("length")},
    ]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items})
    listed = answer(url, body, content_type="application/feed+json", etag="x" * 700, last_modified="y" * 200)
    polled = gathering.run_one(FakeFetcher({url: listed}))
    assert (polled.error, polled.new) == ("", 2)
    assert [article.title for article in gathering.articles] == ["Long", "Tides"]


def test_a_database_that_goes_away_at_one_article_leaves_no_other_being_read(
    gathering: Gathering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("the database is away")

    links = [f"https://meridian.example.org/{n}" for n in range(6)]
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, *map(entry, links)), **{link: page(link) for link in links}})
    fetcher.delays = dict.fromkeys(links[1:], 0.05)
    gathering.source("Northlight", url=OTHER_FEED)
    fetcher.answers[OTHER_FEED], fetcher.delays[OTHER_FEED] = feed(OTHER_FEED), 1.0
    monkeypatch.setattr("digest.gather.articles.record_article", away)
    polls = gathering.run(fetcher)
    assert "the database is away" in polls["Meridian"].error
    assert polls["Northlight"].error == ""
    assert len([url for url in fetcher.urls if url in links]) < len(links)


def test_an_article_that_tells_no_language_has_its_sources(gathering: Gathering) -> None:
    gathering.source(language="nl")
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL)), URL: answer(URL, "<title>Eb</title>")}))
    assert [article.language for article in gathering.articles] == ["nl"]


def test_who_reserves_an_article_is_kept_with_it(gathering: Gathering) -> None:
    source = gathering.source()
    listed = feed(FEED, entry(URL), entry(f"{URL}-2"))
    fetcher = FakeFetcher(
        {
            FEED: listed,
            URL: replace(page(URL), reservation="its header says 'tdm-reservation: 1'"),
            f"{URL}-2": page(f"{URL}-2", "currents"),
        }
    )
    gathering.run_one(fetcher)
    assert [bool(article.reservation) for article in gathering.articles] == [True, False]
    assert gathering.now_stored(source).reservation == ""


# --- days


def test_an_undated_entry_is_opened_for_its_date(gathering: Gathering) -> None:
    gathering.source()
    old = page(URL, head='<meta property="article:published_time" content="2025-01-05T10:00:00Z">')
    polled = gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL, day=None)), URL: old}))
    assert polled == Polled("Meridian", listed=1, outside=1)
    assert gathering.articles == []


def test_an_article_without_any_date_counts_from_when_it_was_first_seen(gathering: Gathering) -> None:
    gathering.source()
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL, day=None)), URL: page(URL)}))
    (article,) = gathering.articles
    assert (article.published_at, article.published_by) == (NOW, DateOrigin.FIRST_SEEN)


def test_a_date_in_the_future_is_no_date(gathering: Gathering) -> None:
    gathering.source()
    far = entry(URL, day=NOW + timedelta(days=2))
    gathering.run_one(FakeFetcher({FEED: feed(FEED, far), URL: page(URL)}))
    assert [article.published_by for article in gathering.articles] == [DateOrigin.FIRST_SEEN]


def test_a_link_that_led_outside_the_window_is_not_opened_again(gathering: Gathering) -> None:
    gathering.source(kind=SourceKind.PAGE, url="https://meridian.example.org/", link_pattern="/tides")
    fetcher = FakeFetcher({"https://meridian.example.org/": front(URL), URL: dated(URL, "2026-10-01")})
    assert gathering.run_one(fetcher).outside == 1
    assert gathering.run_one(fetcher).outside == 1
    assert fetcher.urls.count(URL) == 1
    assert gathering.run_one(fetcher, datetime(2026, 9, 1, tzinfo=UTC)).new == 1


def test_the_first_poll_takes_only_a_few_articles_that_have_no_date(gathering: Gathering) -> None:
    gathering.source(kind=SourceKind.PAGE, url="https://meridian.example.org/", link_pattern="/tides")
    urls = [f"{URL}-{number}" for number in range(15)]
    pages = {url: page(url, f"tide number {url[-2:]}") for url in urls}
    fetcher = FakeFetcher({"https://meridian.example.org/": front(*urls), **pages})
    polled = gathering.run_one(fetcher)
    assert (polled.new, polled.outside) == (UNDATED_AT_FIRST, 15 - UNDATED_AT_FIRST)
    later = f"{URL}-later"
    fetcher.answers |= {
        "https://meridian.example.org/": front(later, *urls),
        later: page(later, "spring tides"),
    }
    again = gathering.run_one(fetcher)
    assert (again.new, again.known, again.outside) == (1, UNDATED_AT_FIRST, 15 - UNDATED_AT_FIRST)
    assert fetcher.urls.count(urls[-1]) == 1


HOME = "https://meridian.example.org/"


class Site:
    """A page without a feed that links to articles; none of them has a date, but for those in `days`."""

    def __init__(self, gathering: Gathering, articles: int) -> None:
        gathering.source(kind=SourceKind.PAGE, url=HOME, link_pattern="/tides")
        self.gathering = gathering
        self.urls = [f"{URL}-{number}" for number in range(articles)]
        self.fetcher = FakeFetcher({url: page(url, f"tide number {url[-2:]}") for url in self.urls})
        self.link_to(*self.urls)

    def link_to(self, *urls: str) -> None:
        self.fetcher.answers[HOME] = front(*urls)

    def poll(self, **circumstances: object) -> Polled:
        return self.gathering.run_one(self.fetcher, **circumstances)  # type: ignore[arg-type]

    def poll_until_all_is_read(self) -> None:
        for hour in (1, 2, 4, 8, 16, 32):
            self.poll(now=NOW + timedelta(hours=hour))

    @property
    def stored(self) -> list[str]:
        return [article.url for article in self.gathering.articles]


def test_a_first_poll_without_enough_time_leaves_the_backlog_out_all_the_same(gathering: Gathering) -> None:
    site = Site(gathering, 15)
    site.fetcher.delays = dict.fromkeys(site.urls[4:], 60)
    assert site.poll(patience=Patience(source=2.0)).later == 11
    site.fetcher.delays.clear()
    later = f"{URL}-later"
    site.link_to(later, *site.urls)
    site.fetcher.answers[later] = page(later, "spring tides")
    site.poll_until_all_is_read()
    assert site.stored == sorted([*site.urls[:UNDATED_AT_FIRST], later])


def test_a_first_poll_that_is_killed_leaves_the_backlog_out_all_the_same(gathering: Gathering) -> None:
    """The run's own time is up: the poll is cancelled, and records nothing of how it went."""
    site = Site(gathering, 15)
    site.fetcher.delays = dict.fromkeys(site.urls[4:], 60)
    assert gathering.run(site.fetcher, patience=Patience(run=1.5)) == {}
    site.fetcher.delays.clear()
    site.link_to(*reversed(site.urls))
    site.poll_until_all_is_read()
    assert site.stored == sorted(site.urls[:UNDATED_AT_FIRST])


def test_a_page_of_the_backlog_that_fails_at_first_is_backlog_still(gathering: Gathering) -> None:
    site = Site(gathering, 15)
    pages = {url: site.fetcher.answers[url] for url in site.urls[8:]}
    site.fetcher.answers |= {url: Unavailable(f"{url} answers 503") for url in pages}
    site.poll()
    site.fetcher.answers |= pages
    site.poll_until_all_is_read()
    assert site.stored == sorted(site.urls[:UNDATED_AT_FIRST])


def test_what_of_the_backlog_turns_out_to_be_new_comes_in_whenever_it_is_read(gathering: Gathering) -> None:
    site = Site(gathering, 15)
    last = site.urls[-1]
    site.fetcher.answers[last] = Unavailable(f"{last} answers 503")
    site.poll()
    site.fetcher.answers[last] = dated(last, "2026-11-18T08:00:00Z")
    site.poll_until_all_is_read()
    assert site.stored == sorted([*site.urls[:UNDATED_AT_FIRST], last])


def test_a_list_that_was_empty_at_first_has_its_backlog_when_it_is_filled(gathering: Gathering) -> None:
    gathering.source()
    urls = [f"{URL}-{number}" for number in range(12)]
    fetcher = FakeFetcher({FEED: feed(FEED), **{url: page(url, f"tide {url[-2:]}") for url in urls}})
    gathering.run_one(fetcher)
    fetcher.answers[FEED] = feed(FEED, *(entry(url, day=None) for url in urls))
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=1)).new == UNDATED_AT_FIRST


def test_a_feeds_own_text_does_not_make_news_of_the_backlog(gathering: Gathering) -> None:
    gathering.source()
    urls = [f"{URL}-{number}" for number in range(12)]
    items = [entry(url, day=None, text=prose(f"tide {url[-2:]}")) for url in urls]
    fetcher = FakeFetcher({FEED: feed(FEED, *items)})
    for hour in (0, 1, 2, 4, 8, 16, 32):
        gathering.run_one(fetcher, now=NOW + timedelta(hours=hour))
    assert [article.url for article in gathering.articles] == sorted(urls[:UNDATED_AT_FIRST])


@pytest.mark.parametrize("change", [{"url": f"{HOME}news"}, {"link_pattern": "/currents"}])
def test_a_source_that_lists_others_by_now_has_a_backlog_again(
    gathering: Gathering, change: dict[str, str]
) -> None:
    site = Site(gathering, 3)
    site.poll()
    with writing(gathering.engine) as session:
        (source,) = list_sources(session, gathering.newsletter.id)
        change_source(session, source.id, **({"link_pattern": "/currents"} | change))
    others = [f"https://meridian.example.org/currents-{number}" for number in range(15)]
    site.fetcher.answers |= {url: page(url, f"current {url[-2:]}") for url in others}
    site.fetcher.answers[change.get("url", HOME)] = front(*others)
    site.poll_until_all_is_read()
    assert site.stored == sorted([*site.urls, *others[:UNDATED_AT_FIRST]])


def test_a_feed_that_republishes_everything_with_new_dates_brings_nothing_back(gathering: Gathering) -> None:
    gathering.source()
    fresh = entry(URL, day=DAY)
    fetcher = FakeFetcher({FEED: feed(FEED, fresh), URL: page(URL)})
    gathering.run_one(fetcher)
    old = f"{URL}-old"
    fetcher.answers |= {
        FEED: feed(FEED, entry(URL, day=DAY + timedelta(days=4)), entry(old, day=DAY + timedelta(days=4))),
        old: dated(old, "2026-03-01T10:00:00Z"),
    }
    polled = gathering.run_one(fetcher)
    assert (polled.known, polled.outside, polled.new) == (1, 1, 0)
    (article,) = gathering.articles
    assert article.published_at == DAY


# --- a page that cannot be read


def test_an_article_whose_page_fails_is_taken_from_the_feed(gathering: Gathering) -> None:
    gathering.source()
    told = entry(URL, title="Tides", text=prose("tides"))
    polled = gathering.run_one(FakeFetcher({FEED: feed(FEED, told)}))
    assert polled.new == 1
    assert polled.problems == [f"{URL} answers 404 Not Found; the feed's own text is used"]
    (article,) = gathering.articles
    assert (article.title, article.text_origin) == ("Tides", TextOrigin.FEED)
    assert "first part of the study" in article.text


@pytest.mark.parametrize("failure", [Unavailable(f"{URL} answers 503"), RecursionError("nested 5,000 times")])
def test_one_bad_article_leaves_the_others(gathering: Gathering, failure: Exception) -> None:
    gathering.source()
    good = f"{URL}-2"
    polled = gathering.run_one(
        FakeFetcher({FEED: feed(FEED, entry(URL), entry(good)), URL: failure, good: page(good)})
    )
    assert (polled.listed, polled.new, len(polled.problems)) == (2, 1, 1)
    assert URL in polled.problems[0]
    assert [article.url for article in gathering.articles] == [good]


def test_a_page_that_failed_is_tried_again_later_and_not_for_ever(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL), etag='"v1"'), URL: Unavailable(f"{URL} answers 503")})
    for hour in range(48):
        gathering.run_one(fetcher, now=NOW + timedelta(hours=hour))
    assert fetcher.urls.count(URL) == TRIES
    assert fetcher.asked[-1].etag == '"v1"'


def test_an_article_from_the_feed_gets_its_pages_text_when_that_can_be_read(gathering: Gathering) -> None:
    gathering.source()
    told = feed(FEED, entry(URL, title="Tides", text=prose("ebb")))
    fetcher = FakeFetcher({FEED: told, URL: Unavailable(f"{URL} answers 503")})
    gathering.run_one(fetcher)
    (article,) = gathering.articles
    assert "answers 503; the feed's own text is used" in article.note
    fetcher.answers[URL] = page(URL)
    polled = gathering.run_one(fetcher, now=NOW + timedelta(hours=2))
    assert (polled.updated, polled.new) == (1, 0)
    (article,) = gathering.articles
    assert (article.text_origin, article.note) == (TextOrigin.PAGE, "")
    (stored,) = gathering.stored
    assert stored.revision == 2


def test_a_host_that_asks_for_quiet_over_its_pages_gets_it(gathering: Gathering) -> None:
    gathering.source()
    urls = [f"{URL}-{number}" for number in range(8)]
    busy = Unavailable("429", retry_after=timedelta(hours=24))
    fetcher = FakeFetcher({FEED: feed(FEED, *map(entry, urls)), **dict.fromkeys(urls, busy)})
    gathering.run_one(fetcher)
    gathering.run_one(fetcher, now=NOW + timedelta(hours=20))
    assert sum(asked.startswith(URL) for asked in fetcher.urls) == 1


# --- another look


def test_a_changed_article_is_taken_in_with_its_first_date(gathering: Gathering) -> None:
    source = gathering.source()
    canonical = f'<link rel="canonical" href="{URL}">'
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL)}))
    again = f"{URL}?page=all"
    later = entry(again, day=DAY + timedelta(days=1))
    polled = gathering.run_one(
        FakeFetcher({FEED: feed(FEED, later), again: page(again, "ebb and flood", head=canonical)})
    )
    assert polled == Polled("Meridian", listed=1, updated=1)
    (article,) = gathering.articles
    assert "ebb and flood" in article.text
    assert article.published_at == DAY
    with reading(gathering.engine) as session:
        assert len(session.scalars(select(SightingRow)).all()) == 1
        assert session.scalars(select(SourceRow.id)).one() == source.id


def test_an_article_that_its_publisher_changed_is_read_again_as_a_revision(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, title="Tides")), URL: page(URL)})
    gathering.run_one(fetcher)
    fetcher.answers |= {FEED: feed(FEED, entry(URL, title="Tides, corrected")), URL: page(URL, "currents")}
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=1)).updated == 0
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=7)).updated == 1
    (stored,) = gathering.stored
    assert (stored.article.title, stored.revision) == ("Tides, corrected", 2)
    assert "currents" in stored.article.text
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=20)).known == 1
    assert fetcher.urls.count(URL) == 2


def test_a_page_that_reserves_itself_later_is_obeyed_from_then_on(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL)})
    gathering.run_one(fetcher)
    noai = page(URL, head='<meta name="robots" content="noai">')
    fetcher.answers |= {FEED: feed(FEED, entry(URL, text="More of it.")), URL: noai}
    gathering.run_one(fetcher, now=NOW + timedelta(hours=7))
    (article,) = gathering.articles
    assert "noai" in article.reservation
    with reading(gathering.engine) as session:
        assert len(uncondensed_articles(session, gathering.newsletter.id)) == 1


def corrected(gathering: Gathering, failure: Exception, *, text: str = "") -> FakeFetcher:
    """Gather an article whose feed corrects it then, and whose page fails."""
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, title="Tides")), URL: page(URL)})
    gathering.run_one(fetcher)
    correction = entry(URL, title="Tides, corrected", text=text)
    fetcher.answers |= {FEED: feed(FEED, correction, etag='"v2"'), URL: failure}
    return fetcher


@pytest.mark.parametrize("text", ["", prose("currents")])
def test_a_correction_whose_page_fails_is_read_when_that_is_back(gathering: Gathering, text: str) -> None:
    fetcher = corrected(gathering, Unavailable(f"{URL} answers 503"), text=text)
    gathering.run_one(fetcher, now=NOW + timedelta(hours=7))
    fetcher.answers[URL] = page(URL, "currents")
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=9)).updated == 1
    assert "currents" in gathering.articles[0].text


@pytest.mark.parametrize("failure", [Gone(f"{URL} answers 410"), Unavailable(f"{URL} answers 503")])
def test_a_correction_whose_page_keeps_failing_is_given_up(gathering: Gathering, failure: Exception) -> None:
    fetcher = corrected(gathering, failure)
    for hour in range(7, 47, 2):
        gathering.run_one(fetcher, now=NOW + timedelta(hours=hour))
    assert fetcher.urls.count(URL) <= 1 + TRIES
    assert fetcher.asked[-1].etag == '"v2"'
