from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from digest.domain.errors import InvalidInput, Refused, Unavailable
from digest.gather.feeds.discovery import (
    MAX_REQUESTS,
    Candidate,
    CandidateKind,
    FoundBy,
    NothingFound,
    find_feeds,
)
from digest.gather.fetching.fetch import ACCEPT_ANY, Fetched
from digest.gather.parsing.pool import Parsers
from tests.gather.gathering import parse_here
from tests.gather.parsing import faults

T = TypeVar("T")

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SITE = "https://example.org/"


class Site:
    """A site by its addresses; what it has not is 404. Keeps what was asked for."""

    def __init__(self, pages: Mapping[str, str | Exception]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        self.asked.append(url)
        answer = self.pages.get(
            url.removeprefix("https://example.org"), Refused(f"{url} answers 404 Not Found")
        )
        if isinstance(answer, Exception):
            raise answer
        return Fetched(url, 200, "text/html", None, answer.encode())


def rss(title: str, *links: str, text: str = "Short.") -> str:
    items = "".join(
        f"<item><title>t</title><link>{link}</link><description>{text}</description>"
        "<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item>"
        for link in links
    )
    return f"<rss version='2.0'><channel><title>{title}</title><link>/</link>{items}</channel></rss>"


ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour Watch</title>'
    "<entry><title>One</title><id>1</id>"
    '<link href="/1"/><updated>2026-11-20T10:00:00Z</updated></entry></feed>'
)
SITEMAP = "<urlset><url><loc>/1</loc><lastmod>2026-11-21</lastmod></url></urlset>"
HOSTILE = b"<b>" * 1000
PAGE = """<!doctype html><title>Harbour Watch</title>
<link rel="alternate" type="application/rss+xml" href="/comments/feed" title="Comments">
<link rel="alternate" type="application/rss+xml" href="/category/sea/feed">
<link rel="alternate" type="application/rss+xml" href="/summaries.xml">
<link rel="alternate" type="application/rss+xml" href="/feed">
<link rel="alternate" type="application/atom+xml" href="/atom.xml">
<link rel="alternate" type="application/json" href="/wp-json/posts/1">
<link rel="alternate" type="application/rss+xml" href="/gone.xml">
<p>Hello"""


def find(site: Site, url: str = SITE) -> tuple[Candidate, ...]:
    return asyncio.run(find_feeds(url, site, parse=parse_here, now=NOW))


def test_the_feeds_a_page_names_come_best_first_and_comments_last() -> None:
    site = Site(
        {
            "/": PAGE,
            "/comments/feed": rss("Comments on Harbour Watch", "/1#c1"),
            "/category/sea/feed": rss("Sea", "/1", text="word " * 500),
            "/summaries.xml": rss("Harbour Watch in short", "/1", "/2"),
            "/feed": rss("Harbour Watch", "/1", "/2", text="word " * 500),
            "/atom.xml": ATOM,
            "/gone.xml": Unavailable("https://example.org/gone.xml answers 503"),
            "/sitemap.xml": SITEMAP,
        }
    )
    found = find(site)
    assert [candidate.url.removeprefix("https://example.org") for candidate in found] == [
        "/feed",
        "/summaries.xml",
        "/atom.xml",
        "/category/sea/feed",
        "/sitemap.xml",
        "/comments/feed",
    ]
    assert found[0] == Candidate(
        "https://example.org/feed",
        CandidateKind.FEED,
        "RSS 2.0",
        "Harbour Watch",
        2,
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        has_full_text=True,
        found_by=FoundBy.NAMED,
    )
    assert found[-1].is_comments
    assert found[-2].newest == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert "https://example.org/wp-json/posts/1" not in site.asked
    assert "https://example.org/rss.xml" not in site.asked  # nothing is guessed when the page names a feed
    assert len(site.asked) <= MAX_REQUESTS


def test_an_address_that_is_a_feed_itself_is_the_answer() -> None:
    site = Site({"/feed": rss("Harbour Watch", "/1")})
    (found,) = find(site, "https://example.org/feed")
    assert (found.title, found.found_by) == ("Harbour Watch", FoundBy.GIVEN)
    assert site.asked == ["https://example.org/feed"]


def test_links_that_look_like_feeds_are_tried() -> None:
    site = Site({"/": "<a href='/abo/nachrichten.rss'>Abo</a><a href='/x'>RSS</a>", "/x": rss("X", "/1")})
    assert [candidate.found_by for candidate in find(site)] == [FoundBy.LINKED]
    assert "https://example.org/abo/nachrichten.rss" in site.asked


def test_usual_places_are_tried_beside_the_page_and_at_the_root() -> None:
    site = Site({"/blog/": "<p>Hi", "/blog/feed": rss("Blog", "/1"), "/index.xml": rss("All", "/2")})
    found = find(site, "https://example.org/blog/")
    assert {candidate.title for candidate in found} == {"Blog", "All"}
    assert {candidate.found_by for candidate in found} == {FoundBy.GUESSED}


def test_the_same_list_in_two_places_is_one_candidate_and_in_two_formats_two() -> None:
    site = Site({"/": "<p>Hi", "/feed": rss("A", "/1"), "/rss.xml": rss("A", "/1"), "/atom.xml": ATOM})
    assert [(c.url, c.format) for c in find(site)] == [
        ("https://example.org/feed", "RSS 2.0"),
        ("https://example.org/atom.xml", "Atom 1.0"),
    ]


def test_sitemaps_are_found_by_robots_txt_and_news_comes_first() -> None:
    robots = "User-agent: *\nDisallow:\nSitemap: https://example.org/all.xml\nsitemap: /news.xml\n"
    index = "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>"
    news = (
        '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>/1</loc><news:news>'
        "<news:publication_date>2026-11-20</news:publication_date></news:news></url></urlset>"
    )
    site = Site({"/": "<p>Hi", "/robots.txt": robots, "/all.xml": index, "/news.xml": news})
    assert [(c.format, c.entries, c.found_by) for c in find(site)] == [
        ("news sitemap", 1, FoundBy.ROBOTS),
        ("sitemap index", 1, FoundBy.ROBOTS),
    ]
    assert "https://example.org/sitemap.xml" not in site.asked


def test_a_front_page_that_fails_does_not_hide_the_feed() -> None:
    site = Site({"/": Unavailable("https://example.org/ answers 503"), "/feed": rss("A", "/1")})
    assert [candidate.title for candidate in find(site)] == ["A"]


def test_nothing_found_says_what_was_tried_and_what_to_do() -> None:
    site = Site({"/": "<p>Hi"})
    with pytest.raises(NothingFound) as caught:
        find(site)
    said = str(caught.value)
    assert said.startswith(
        "https://example.org/ gives no feed or sitemap; looked at https://example.org/robots.txt, "
    )
    assert "https://example.org/feed.json" in said
    assert said.endswith("If its page lists the articles, add it with --kind page")
    assert len(site.asked) <= MAX_REQUESTS


def test_a_site_that_does_not_answer_is_named_with_the_reason() -> None:
    with pytest.raises(NothingFound, match=r"\(https://example.org/ answers 404 Not Found\)"):
        find(Site({}))


def test_a_page_that_names_many_feeds_costs_no_more_than_fifteen_requests() -> None:
    links = "".join(f"<link rel=alternate type=application/rss+xml href=/{n}.xml>" for n in range(100))
    site = Site({"/": f"{links}<a href=/rss/{'>RSS</a><a href=/rss/'.join(map(str, range(50)))}>RSS</a>"})
    with pytest.raises(NothingFound):
        find(site)
    assert len(site.asked) == MAX_REQUESTS
    assert len(set(site.asked)) == MAX_REQUESTS


def test_what_is_no_address_is_refused_before_anything_is_asked() -> None:
    site = Site({})
    with pytest.raises(InvalidInput, match="is not an http"):
        find(site, "example.org")
    assert site.asked == []


def test_what_strangers_wrote_is_read_in_a_process_of_its_own() -> None:
    pages = {"/": PAGE, "/feed": rss("Harbour Watch", "/1"), "/atom.xml": ATOM, "/sitemap.xml": SITEMAP}

    async def search() -> tuple[Candidate, ...]:
        async with Parsers(processes=1, prepare=faults.pid) as parsers:
            return await find_feeds(SITE, Site(pages), parse=parsers.call, now=NOW)

    assert asyncio.run(search()) == find(Site(pages)), "and told as if it were read here"


@pytest.mark.parametrize("pages", [{"/feed": rss("A", "/1")}, {}], ids=["a feed besides", "nothing else"])
def test_a_page_that_brings_its_reader_down_ends_no_search(pages: dict[str, str]) -> None:
    """As a parser process that was ended at its limit says it."""

    async def parse(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        if HOSTILE in (args[0], getattr(args[0], "body", b"")):
            raise Refused(f"{SITE} took longer than 20 s to read")
        return await parse_here(function, *args, **kwargs)

    async def search() -> tuple[Candidate, ...]:
        site = Site({"/": HOSTILE.decode(), **pages})
        return await find_feeds(SITE, site, parse=parse, now=NOW)

    if pages:
        assert [candidate.title for candidate in asyncio.run(search())] == ["A"]
    else:
        with pytest.raises(NothingFound, match=r"\(https://example.org/ took longer than 20 s to read\)"):
            asyncio.run(search())
