"""The farm that gathering is measured on, in a small form, and gathering from it."""

from __future__ import annotations

import asyncio
from itertools import combinations
from urllib.request import Request, urlopen

import pytest

from benchmarks.farm import Farm, Size, running_farm
from benchmarks.farm_faults import FAULTS, expected
from benchmarks.farm_sites import NOW, Site
from benchmarks.farm_texts import Text
from benchmarks.gather import measure
from digest.domain.articles import Article
from digest.domain.errors import Refused, Unavailable
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.listing import article_links
from digest.gather.fetching.fetch import Limits
from digest.gather.fetching.http import HttpFetcher
from digest.gather.pages.extract import read_page

QUICK = (
    *("gzip bomb", "redirects in a loop", "redirects inward", "pages redirect inward", "entity bomb"),
    *("calls its feed a picture", "republishes with new dates", "answers 429", "resets connections"),
    "pages answer 500",
)
_HANGING = ("hangs on connect", "hangs before headers")
SITES = Size(20, 3, hostile=0, sitemaps=True).sites(port=8000)


def test_everything_good_comes_in_and_nothing_else_from_forty_sources() -> None:
    figures = measure(Size(40, 2, hostile=0.25, faults=QUICK))
    assert (figures.missed, figures.wrong, figures.inward, figures.sockets_left) == (0, 0, 0, 0)
    assert (figures.hostile, figures.articles) == (10, 30 * 2 + 2 * 2 + 2 * 1)
    assert figures.second_poll_new == 0
    assert 0 < figures.peak_mb < 1000
    assert figures.naive_seconds > 0


@pytest.fixture(scope="module")
def hostile() -> object:
    size = Size(len(FAULTS), 2, hostile=1)
    with running_farm(size) as farm:
        yield farm


def fetch(farm: Farm, url: str) -> bytes:
    async def main() -> bytes:
        limits = Limits(seconds=0.4, silence=0.3, body_bytes=4 << 20)
        options = {"allow": farm.allow, "resolver": farm.resolve, "limits": limits}
        async with HttpFetcher(contact="http://localhost/", **options) as fetcher:  # type: ignore[arg-type]
            return (await fetcher.fetch(url)).body

    return asyncio.run(main())


def test_a_host_whose_connections_hang_is_no_host_that_refuses_them(hostile: Farm) -> None:
    said = {}
    for site in hostile.sites[:4]:
        with pytest.raises(Unavailable) as caught:
            fetch(hostile, site.origin + site.path)
        said[site.fault] = str(caught.value)
    assert all("silent" in said[name] or "did not answer" in said[name] for name in _HANGING)
    assert "attempts failed" in said["refuses connections"]
    assert "has no address" in said["has no address"]


@pytest.mark.parametrize(
    "fault",
    [
        *(
            "gzip bomb",
            "endless body",
            "endless headers",
            "redirects in a loop",
            "drips",
            "is no HTTP server",
        ),
        *("promises more than it sends", "says gzip and is not", "answers 500", "redirects inward"),
    ],
)
def test_a_hostile_list_is_not_read(hostile: Farm, fault: str) -> None:
    (site,) = (site for site in hostile.sites if site.fault == fault)
    with pytest.raises((Refused, Unavailable)):
        fetch(hostile, site.origin + site.path)
    assert expected(site) == []


def test_a_host_with_hostile_pages_serves_every_second_one_well(hostile: Farm) -> None:
    (site,) = (site for site in hostile.sites if site.fault == "pages answer 500")
    good, bad = site.urls
    assert fetch(hostile, good)
    with pytest.raises(Unavailable):
        fetch(hostile, bad)
    assert expected(site) == [good]


def test_a_list_that_did_not_change_is_not_sent_again() -> None:
    with running_farm(Size(1, 1, hostile=0)) as farm:
        (site,) = farm.sites
        request = Request(
            f"http://127.0.0.1:{farm.port}{site.path}",
            headers={"Host": f"{site.host}:{farm.port}", "If-None-Match": '"first"'},
        )
        with pytest.raises(OSError, match="304"), urlopen(request, timeout=5):
            pass
        assert farm.stats()["unchanged"] == 1
        farm.next_poll()
        assert farm.stats()["requests"] == 0


def read(site: Site, path: str) -> Article:
    return read_page(site.page(path), url=site.origin + path, now=NOW)


def test_articles_are_the_same_every_time_and_none_resembles_another() -> None:
    texts = [(text, _shingles(text)) for site in SITES for text in site.texts.values()]
    assert [list(site.texts.values()) for site in SITES] == [
        list(site.texts.values()) for site in Size(20, 3, hostile=0, sitemaps=True).sites(port=8000)
    ]
    assert all(300 <= sum(len(part.split()) for part in text.paragraphs) < 1100 for text, _ in texts)
    assert all(len(one & other) < len(one) / 4 for (_, one), (_, other) in combinations(texts, 2))


def _shingles(text: Text) -> set[str]:
    words = " ".join(text.paragraphs).split()
    return {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}


def test_pages_are_of_the_size_of_pages_and_read_as_what_was_written() -> None:
    for site in SITES[:3]:
        for path, text in site.texts.items():
            article = read(site, path)
            assert 15_000 < len(site.page(path)) < 70_000
            assert (article.title, article.published_at) == (text.title, text.published_at)
            assert text.paragraphs[-1] in article.text
            assert "newsletter" not in article.text


def test_lists_of_every_format_name_all_articles() -> None:
    for site in SITES[:8]:
        if site.path == "/news/":
            links = article_links(site.listing(), url=site.origin + site.path)
        else:
            feed = read_feed(site.listing(), url=site.origin + site.path, now=NOW)
            links = tuple(entry.url for entry in feed.entries)
        assert {link.partition("?")[0] for link in links} - {
            site.origin + "/private/what-may-not-be-read"
        } == set(site.urls)
    assert SITES[9].listing().count(b"<loc>") == 3
