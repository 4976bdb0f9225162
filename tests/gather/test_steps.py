import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from digest.domain.articles import Article, DateOrigin, TextOrigin
from digest.domain.errors import Refused, Unavailable
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source, SourceKind
from digest.domain.times import Window
from digest.gather.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched
from digest.gather.steps import Polled, gather
from digest.store.articles import SightingRow, StoredArticle, articles_in
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading, writing
from digest.store.sources import SourceRow, get_source, record_success
from tests.stored import NOW, WINDOW, stored_article, stored_newsletter, stored_source

FEED, OTHER_FEED = "https://meridian.example.org/feed", "https://northlight.example.org/feed"
DAY = datetime(2026, 11, 18, 9, tzinfo=UTC)
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


class Gathering:
    """A newsletter with sources, gathered through a fake fetcher."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)

    def source(self, name: str = "Meridian", **overrides: object) -> Source:
        return stored_source(self.engine, self.newsletter, name, **overrides)

    def run(self, fetcher: FakeFetcher, window: Window = WINDOW, *, now: datetime = NOW) -> dict[str, Polled]:
        polls = asyncio.run(gather(self.engine, self.newsletter.id, window, fetcher=fetcher, now=now))
        return {polled.source: polled for polled in polls}

    def run_one(self, fetcher: FakeFetcher, window: Window = WINDOW, *, now: datetime = NOW) -> Polled:
        (polled,) = self.run(fetcher, window, now=now).values()
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
    old, new = entry(URL, day=WINDOW.start - timedelta(seconds=1)), entry(f"{URL}-2", day=WINDOW.end)
    edge = entry(f"{URL}-3", day=WINDOW.start)
    fetcher = FakeFetcher({FEED: feed(FEED, old, new, edge), f"{URL}-3": page(f"{URL}-3")})
    assert gathering.run_one(fetcher) == Polled("Meridian", listed=3, new=1, outside=2)
    assert fetcher.urls == [FEED, f"{URL}-3"]


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
        Refused(f"{FEED} answers 410"),
        ZeroDivisionError("a fault of a parser"),
    ]
    for failure in failing:
        fetcher = FakeFetcher({FEED: failure, OTHER_FEED: feed(OTHER_FEED, entry(url)), url: page(url)})
        polls = gathering.run(fetcher)
        assert FEED in polls["Meridian"].error
        assert polls["Northlight"].error == ""
        assert gathering.now_stored(broken).last_error == polls["Meridian"].error
    assert [article.url for article in gathering.articles] == [url]


def test_a_source_that_is_no_feed_says_so_and_is_well_again_when_it_is(gathering: Gathering) -> None:
    source = gathering.source()
    polled = gathering.run_one(FakeFetcher({FEED: page(FEED)}))
    assert "is not a feed" in polled.error
    gathering.run_one(FakeFetcher({FEED: feed(FEED)}))
    assert gathering.now_stored(source).last_error == ""


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
        record_success(session, source.id, etag='"v1"', last_modified="then", complete_since=since, now=NOW)


def test_validators_are_kept_and_given_back(gathering: Gathering) -> None:
    source = gathering.source()
    listed = feed(FEED, entry(URL), etag='"v1"', last_modified="Wed, 18 Nov 2026 09:00:00 GMT")
    fetcher = FakeFetcher({FEED: listed, URL: page(URL)})
    gathering.run_one(fetcher)
    stored = gathering.now_stored(source)
    assert (stored.etag, stored.last_modified) == (listed.etag, listed.last_modified)
    gathering.run_one(fetcher)
    assert (fetcher.asked[-1].etag, fetcher.asked[-1].last_modified) == (listed.etag, listed.last_modified)


def test_an_unchanged_source_is_left_alone_and_keeps_its_validators(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    fetcher = FakeFetcher({FEED: answer(FEED, status=304)})
    assert gathering.run_one(fetcher) == Polled("Meridian", unchanged=True)
    assert fetcher.urls == [FEED]
    stored = gathering.now_stored(source)
    assert (stored.etag, stored.last_modified, stored.complete_since) == ('"v1"', "then", WINDOW.start)


def test_a_304_may_bring_a_newer_validator(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: answer(FEED, status=304, etag='"v2"')}))
    assert gathering.now_stored(source).etag == '"v2"'


def test_a_list_without_validators_forgets_those_of_an_older_one(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: feed(FEED)}))
    assert (gathering.now_stored(source).etag, gathering.now_stored(source).last_modified) == (None, None)


def test_validators_are_not_kept_when_an_article_failed(gathering: Gathering) -> None:
    source = gathering.source()
    gathering.run_one(FakeFetcher({FEED: feed(FEED, entry(URL), etag='"v1"')}))
    assert gathering.now_stored(source).etag is None


def test_what_was_too_new_for_one_window_is_found_by_the_next_though_nothing_changed(
    gathering: Gathering,
) -> None:
    """At seven in the morning a feed lists today's first article, which belongs to tomorrow's issue."""
    gathering.source()
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL, day=WINDOW.end), etag='"v1"'), URL: page(URL)})
    assert gathering.run_one(fetcher).new == 0
    tomorrow = Window(WINDOW.end, WINDOW.end + timedelta(days=1))
    assert gathering.run_one(fetcher, tomorrow).new == 1
    assert fetcher.asked[1].etag is None


def test_a_window_that_begins_earlier_reads_the_whole_list_again(gathering: Gathering) -> None:
    """A daily issue came first; the weekly one must not take 'nothing changed' for 'nothing there'."""
    source = gathering.source()
    last_day = Window(WINDOW.end - timedelta(days=1), WINDOW.end)
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL), etag='"v1"'), URL: page(URL)})
    assert gathering.run_one(fetcher, last_day).outside == 1
    assert gathering.now_stored(source).etag == '"v1"'
    assert gathering.run_one(fetcher).new == 1
    assert fetcher.asked[1].etag is None
    gathering.run_one(fetcher, last_day)
    assert fetcher.asked[-1].etag == '"v1"'


def test_a_failed_poll_leaves_the_validators_of_the_last_good_one(gathering: Gathering) -> None:
    source = gathering.source()
    with_validators(gathering, source, WINDOW.start)
    gathering.run_one(FakeFetcher({FEED: Unavailable(f"{FEED} answers 503")}))
    assert gathering.now_stored(source).etag == '"v1"'


# --- the rest


def test_polls_are_told_of_as_they_end(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED)})
    fetcher.delays[FEED] = 0.1
    told: list[str] = []
    asyncio.run(
        gather(
            gathering.engine,
            gathering.newsletter.id,
            WINDOW,
            fetcher=fetcher,
            now=NOW,
            on_polled=lambda polled: told.append(polled.source),
        )
    )
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
    assert polled == Polled("Meridian", listed=1, known=1)
    (article,) = gathering.articles
    assert "ebb and flood" in article.text
    assert article.published_at == DAY
    with reading(gathering.engine) as session:
        assert len(session.scalars(select(SightingRow)).all()) == 1
        assert session.scalars(select(SourceRow.id)).one() == source.id
