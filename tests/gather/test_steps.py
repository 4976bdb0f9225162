import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Engine, select

from digest.domain.articles import Article, DateOrigin, TextOrigin
from digest.domain.errors import Gone, Refused, Unavailable
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source, SourceKind, SourceState, Standing
from digest.domain.times import Window
from digest.gather.fetching.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched
from digest.gather.polling import TRIES, UNDATED_AT_FIRST, Polled
from digest.gather.steps import DEFAULT_PATIENCE, Patience, gather, tie_stories
from digest.store.articles import SightingRow, StoredArticle, articles_in
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading, writing
from digest.store.sources import (
    SourceRow,
    change_source,
    get_source,
    list_sources,
    record_move,
    record_standing,
)
from tests.stored import NOW, WINDOW, stored_article, stored_newsletter, stored_source

FEED, OTHER_FEED = "https://meridian.example.org/feed", "https://northlight.example.org/feed"
DAY = datetime(2026, 11, 18, 9, tzinfo=UTC)
T = TypeVar("T")

ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Asked:
    url: str
    etag: str | None
    last_modified: str | None
    accept: str


class FakeFetcher:
    """Answers with what it was given, or raises it; keeps what it was asked. Unknown URLs are refused.

    `delays` holds back the answer for a URL, so that others overtake it.
    """

    def __init__(self, answers: Mapping[str, Fetched | Exception]) -> None:
        self.answers = dict(answers)
        self.asked: list[Asked] = []
        self.delays: dict[str, float] = {}

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        self.asked.append(Asked(url, etag, last_modified, accept))
        await asyncio.sleep(self.delays.get(url, 0))
        answer = self.answers.get(url, Refused(f"{url} answers 404 Not Found"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def urls(self) -> list[str]:
        return [asked.url for asked in self.asked]


def answer(url: str, body: str = "", **overrides: object) -> Fetched:
    fetched = Fetched(url, 200, "text/html", "utf-8", body.encode())
    return replace(fetched, **overrides)  # type: ignore[arg-type]


def feed(url: str, *entries: str, **overrides: object) -> Fetched:
    body = f'<rss version="2.0"><channel><title>F</title>{"".join(entries)}</channel></rss>'
    return answer(url, body, **{"content_type": "application/rss+xml"} | overrides)


def entry(
    url: str, *, title: str = "", day: datetime | None = DAY, text: str = "", categories: tuple[str, ...] = ()
) -> str:
    date = f"<pubDate>{day:%a, %d %b %Y %H:%M:%S} +0000</pubDate>" if day else ""
    labels = "".join(f"<category>{label}</category>" for label in categories)
    description = f"<description><![CDATA[{text}]]></description>" if text else ""
    return f"<item><title>{title or url}</title><link>{url}</link>{date}{labels}{description}</item>"


def prose(subject: str) -> str:
    return "".join(
        f"<p>What was found about {subject} in the {nth} part of the study is told here, at some length, so "
        f"that it reads as a paragraph of an article about {subject} and not as a caption.</p>"
        for nth in ("first", "second", "third")
    )


def page(url: str, subject: str = "tides", *, head: str = "") -> Fetched:
    title = f"<title>All about {subject}</title>"
    return answer(
        url,
        f"<html lang=en><head>{title}{head}</head><body><article>{prose(subject)}</article></body></html>",
    )


async def parse_here(function: Callable[..., T], /, *args: object, **kwargs: object) -> T:
    """Read a document in this process."""
    return await asyncio.to_thread(function, *args, **kwargs)


class Gathering:
    """A newsletter with sources, gathered through a fake fetcher."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)

    def source(self, name: str = "Meridian", **overrides: object) -> Source:
        return stored_source(self.engine, self.newsletter, name, **overrides)

    def run(
        self,
        fetcher: FakeFetcher,
        since: datetime = WINDOW.start,
        *,
        now: datetime = NOW,
        patience: Patience = DEFAULT_PATIENCE,
        on_polled: Callable[[Polled], None] = lambda _: None,
    ) -> dict[str, Polled]:
        with reading(self.engine) as session:
            sources = list_sources(session, self.newsletter.id)
        polls = asyncio.run(
            gather(
                self.engine,
                sources,
                since={self.newsletter.id: since},
                fetcher=fetcher,
                parse=parse_here,
                now=now,
                patience=patience,
                on_polled=on_polled,
            )
        )
        tie_stories(self.engine, self.newsletter.id, since, now)
        return {polled.source: polled for polled in polls}

    def run_one(
        self,
        fetcher: FakeFetcher,
        since: datetime = WINDOW.start,
        *,
        now: datetime = NOW,
        patience: Patience = DEFAULT_PATIENCE,
    ) -> Polled:
        (polled,) = self.run(fetcher, since, now=now, patience=patience).values()
        return polled

    @property
    def stored(self) -> list[StoredArticle]:
        with reading(self.engine) as session:
            return sorted(
                articles_in(session, self.newsletter.id, ALWAYS), key=lambda stored: stored.article.url
            )

    @property
    def articles(self) -> list[Article]:
        return [stored.article for stored in self.stored]

    def now_stored(self, source: Source) -> Source:
        with reading(self.engine) as session:
            return get_source(session, self.newsletter.id, source.name)


@pytest.fixture
def gathering(engine: Engine) -> Gathering:
    return Gathering(engine)


URL = "https://meridian.example.org/tides"


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


def test_entries_outside_the_window_are_not_opened(gathering: Gathering) -> None:
    gathering.source()
    old, edge = entry(URL, day=WINDOW.start - timedelta(seconds=1)), entry(f"{URL}-3", day=WINDOW.start)
    fetcher = FakeFetcher({FEED: feed(FEED, old, edge), f"{URL}-3": page(f"{URL}-3")})
    assert gathering.run_one(fetcher) == Polled("Meridian", listed=2, new=1, outside=1)
    assert fetcher.urls == [FEED, f"{URL}-3"]


def test_what_was_published_after_the_window_is_gathered_for_the_next(gathering: Gathering) -> None:
    """At seven in the morning a feed lists today's first article: it need not be asked for it again."""
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, day=WINDOW.end), etag='"v1"'), URL: page(URL)})
    assert gathering.run_one(fetcher).new == 1
    with reading(gathering.engine) as session:
        assert articles_in(session, gathering.newsletter.id, WINDOW) == ()
    gathering.run_one(fetcher, WINDOW.end)
    assert fetcher.asked[-1].etag == '"v1"'


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


# --- two sources


def test_an_article_that_two_sources_list_is_one_article_seen_twice(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    lists = {FEED: feed(FEED, entry(URL)), OTHER_FEED: feed(OTHER_FEED, entry(f"{URL}?utm_source=n"))}
    polls = gathering.run(FakeFetcher({**lists, URL: page(URL)}))
    assert sorted((polled.new, polled.known) for polled in polls.values()) == [(0, 1), (1, 0)]
    (stored,) = gathering.stored
    assert set(stored.sources) == {"Meridian", "Northlight"}


def test_many_sources_that_list_the_same_at_once_disturb_nobody(gathering: Gathering) -> None:
    names = [f"S{number}" for number in range(6)]
    urls = [f"{URL}-{number}" for number in range(5)]
    answers: dict[str, Fetched | Exception] = {url: page(url, url[-1]) for url in urls}
    for name in names:
        source = gathering.source(name)
        answers[source.url] = feed(source.url, *map(entry, urls))
    polls = gathering.run(FakeFetcher(answers))
    assert sum(polled.new for polled in polls.values()) == 5
    assert sum(polled.known for polled in polls.values()) == 25
    assert [polled.error for polled in polls.values()] == [""] * 6
    assert all(set(stored.sources) == set(names) for stored in gathering.stored)


def test_an_article_that_another_source_lists_later_is_condensed_anew(gathering: Gathering) -> None:
    """All articles of that source may belong to a topic."""
    first = gathering.source()
    article = Article(URL, "Tides", published_at=DAY)
    stored_article(gathering.engine, gathering.newsletter, first, article)
    with reading(gathering.engine) as session:
        assert uncondensed_articles(session, gathering.newsletter.id) == ()
    gathering.source("Northlight")
    gathering.run(FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED, entry(URL))}))
    with reading(gathering.engine) as session:
        assert len(uncondensed_articles(session, gathering.newsletter.id)) == 1


def test_a_source_that_fails_is_told_of_and_the_others_go_on(gathering: Gathering) -> None:
    broken = gathering.source()
    gathering.source("Northlight")
    url = "https://northlight.example.org/a"
    failing: list[Exception] = [
        Unavailable(f"{FEED} answers 503"),
        Refused(f"{FEED} answers 404"),
        ZeroDivisionError("a fault of a parser"),
    ]
    for failure in failing:
        fetcher = FakeFetcher({FEED: failure, OTHER_FEED: feed(OTHER_FEED, entry(url)), url: page(url)})
        polls = gathering.run(fetcher)
        assert FEED in polls["Meridian"].error
        assert polls["Northlight"].error == ""
        assert gathering.now_stored(broken).standing.last_error == polls["Meridian"].error
    assert [article.url for article in gathering.articles] == [url]


def test_a_source_that_is_no_feed_says_so_and_is_well_again_when_it_is(gathering: Gathering) -> None:
    source = gathering.source()
    polled = gathering.run_one(FakeFetcher({FEED: page(FEED)}))
    assert "is not a feed" in polled.error
    gathering.run_one(FakeFetcher({FEED: feed(FEED)}))
    assert gathering.now_stored(source).standing.last_error == ""


def test_reports_of_one_event_are_tied_together(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    other = "https://northlight.example.org/tides-too"
    lists = {FEED: feed(FEED, entry(URL)), OTHER_FEED: feed(OTHER_FEED, entry(other, title="Sea power"))}
    gathering.run(FakeFetcher({**lists, URL: page(URL), other: page(other)}))
    stories = {stored.story_id for stored in gathering.stored}
    assert len(stories) == 1
    assert None not in stories


# --- an article that cannot be read


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


def test_a_link_that_leads_nowhere_is_a_problem_of_its_own(gathering: Gathering) -> None:
    gathering.source()
    polled = gathering.run_one(
        FakeFetcher({FEED: feed(FEED, entry("javascript:alert(1)"), entry(URL)), URL: page(URL)})
    )
    assert (polled.new, polled.error) == (1, "")


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


def test_a_failed_poll_leaves_the_validators_of_the_last_good_one(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")}))
    assert gathering.now_stored(source).standing.etag == '"v1"'


# --- the rest


def test_polls_are_told_of_as_they_end(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED)})
    fetcher.delays[FEED] = 0.1
    told: list[str] = []
    gathering.run(fetcher, on_polled=lambda polled: told.append(polled.source))
    assert told == ["Northlight", "Meridian"]


def test_a_newsletter_without_sources_gathers_nothing(gathering: Gathering) -> None:
    assert gathering.run(FakeFetcher({})) == {}


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


def test_a_source_that_is_gone_for_good_is_retired(gathering: Gathering) -> None:
    source = gathering.source()
    polled = gathering.run_one(FakeFetcher({FEED: Gone(f"{FEED} answers 410 Gone")}))
    assert "gone for good" in polled.notice
    assert gathering.now_stored(source).state is SourceState.RETIRED


def test_a_source_that_fails_waits_longer_each_time_and_remembers_since_when(gathering: Gathering) -> None:
    source = gathering.source()
    fetcher = FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")})
    gathering.run_one(fetcher)
    gathering.run_one(fetcher, now=NOW + timedelta(hours=1))
    standing = gathering.now_stored(source).standing
    assert (standing.failures, standing.failing_since) == (2, NOW)


# --- pages that are not opened twice for nothing


def front(*links: str, **overrides: object) -> Fetched:
    home = "https://meridian.example.org/"
    return answer(home, "".join(f'<p><a href="{link}">An article about tides</a></p>' for link in links))


def dated(url: str, day: str) -> Fetched:
    return page(url, head=f'<meta property="article:published_time" content="{day}">')


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


# --- one article, whatever its address


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


def test_the_same_words_under_another_address_are_the_same_article(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    copy = "https://northlight.example.org/copied"
    lists = {
        FEED: feed(FEED, entry(URL, title="Tides")),
        OTHER_FEED: feed(OTHER_FEED, entry(copy, title="Tides")),
    }
    gathering.run(FakeFetcher({**lists, URL: page(URL), copy: page(copy)}))
    (stored,) = gathering.stored
    assert set(stored.sources) == {"Meridian", "Northlight"}


# --- what may be done with it


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


def test_a_feed_that_reserves_itself_reserves_all_its_articles(gathering: Gathering) -> None:
    source = gathering.source()
    reserved = "its header says 'X-Robots-Tag: noai'"
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL), reservation=reserved), URL: page(URL)}))
    assert [article.reservation for article in gathering.articles] == [reserved]
    assert gathering.now_stored(source).reservation == reserved


def test_an_article_that_tells_no_language_has_its_sources(gathering: Gathering) -> None:
    gathering.source(language="nl")
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL)), URL: answer(URL, "<title>Eb</title>")}))
    assert [article.language for article in gathering.articles] == ["nl"]


# --- deadlines


def test_a_source_that_hangs_holds_up_nobody(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    url = "https://northlight.example.org/a"
    fetcher = FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED, entry(url)), url: page(url)})
    fetcher.delays[FEED] = 60
    polls = gathering.run(fetcher, patience=Patience(source=1.0))
    assert polls["Northlight"].new == 1
    assert "did not answer within 1 s" in polls["Meridian"].error


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


def test_a_run_ends_when_its_time_is_up_and_what_it_did_not_reach_stays_due(gathering: Gathering) -> None:
    gathering.source()
    northlight = gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL), OTHER_FEED: feed(OTHER_FEED)})
    fetcher.delays[OTHER_FEED] = 60
    polls = gathering.run(fetcher, patience=Patience(run=2.0))
    assert list(polls) == ["Meridian"]
    assert gathering.now_stored(northlight).standing.polled_at is None


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


# --- what the review of a whole week found


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


def test_a_host_that_asks_for_quiet_over_its_pages_gets_it(gathering: Gathering) -> None:
    gathering.source()
    urls = [f"{URL}-{number}" for number in range(8)]
    busy = Unavailable("429", retry_after=timedelta(hours=24))
    fetcher = FakeFetcher({FEED: feed(FEED, *map(entry, urls)), **dict.fromkeys(urls, busy)})
    gathering.run_one(fetcher)
    gathering.run_one(fetcher, now=NOW + timedelta(hours=20))
    assert sum(asked.startswith(URL) for asked in fetcher.urls) == 1


def test_a_correction_soon_after_is_not_forgotten_when_the_feed_rests(gathering: Gathering) -> None:
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, title="Tides"), etag='"1"'), URL: page(URL)})
    gathering.run_one(fetcher)
    corrected = feed(FEED, entry(URL, title="Tides, corrected"), etag='"2"')
    fetcher.answers |= {FEED: corrected, URL: page(URL, "currents")}
    gathering.run_one(fetcher, now=NOW + timedelta(hours=1))
    assert gathering.run_one(fetcher, now=NOW + timedelta(hours=7)).updated == 1
    assert fetcher.asked[-2].etag is None


def test_a_poll_under_way_writes_nothing_over_an_address_that_was_changed(gathering: Gathering) -> None:
    source = gathering.source()
    new = "https://meridian.example.org/new-feed"
    with writing(gathering.engine) as session:
        change_source(session, source.id, url=new)
        record_standing(session, source, Standing(etag='"old"', complete_since=NOW), reservation="")
        assert record_move(session, source, "https://meridian.example.org/moved")
    stored = gathering.now_stored(source)
    assert (stored.url, stored.moved_from, stored.standing.etag) == (new, "", None)
