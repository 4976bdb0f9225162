from __future__ import annotations

import gzip
import time
import zlib
from datetime import UTC, datetime

import pytest

from digest.gather.feeds.entries import NotAFeed
from digest.gather.feeds.sitemap import MAX_BYTES, MAX_CHILDREN, Child, read_sitemap

URL = "https://example.org/sitemap.xml"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(300))
OPEN = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'


def urls(count: int) -> str:
    """The oldest first, a minute apart, as archives are often written."""
    return "".join(
        f"<url><loc>https://example.org/{n}</loc><lastmod>{1_700_000_000 + n * 60}</lastmod></url>"
        for n in range(count)
    )


def bomb() -> bytes:
    """320 MB of blanks, packed a megabyte at a time: packing all takes longer than most files of tests."""
    packer = zlib.compressobj(wbits=31)
    first, next_ = (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in "12")
    return first + next_ * (MAX_BYTES * 20 // (1 << 20) - 1)


def test_of_fifty_thousand_addresses_the_newest_are_read_in_seconds() -> None:
    began = time.process_time()
    sitemap = read_sitemap(f"{OPEN}{urls(50_000)}</urlset>".encode(), url=URL, now=NOW)
    assert time.process_time() - began < 8
    assert (sitemap.entries[0].url, sitemap.entries[-1].url) == (
        "https://example.org/45000",
        "https://example.org/49999",
    )
    assert "45000 entries are too many" in sitemap.problems[0]


def test_an_index_gives_its_last_changed_sitemaps_first_and_no_more_than_a_hundred() -> None:
    many = "".join(
        f"<sitemap><loc>/s{n}.xml</loc><lastmod>{1_700_000_000 + n}</lastmod></sitemap>" for n in range(300)
    )
    sitemap = read_sitemap(f"<sitemapindex>{many}</sitemapindex>".encode(), url=URL, now=NOW)
    assert sitemap.children[0] == Child(
        "https://example.org/s299.xml", datetime.fromtimestamp(1_700_000_299, UTC)
    )
    assert len(sitemap.children) == MAX_CHILDREN
    assert sitemap.entries == ()


def test_an_address_listed_twice_is_one_entry() -> None:
    body = f"{OPEN}<url><loc>/a</loc></url><url><loc>/a?utm_source=x</loc></url></urlset>"
    assert [entry.url for entry in read_sitemap(body.encode(), url=URL, now=NOW).entries] == [
        "https://example.org/a"
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (bomb(), "is larger than 16 MiB"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 40, "is a damaged gzip archive"),
        (gzip.compress(gzip.compress(b"x")), "it is a gzip archive"),
        (f"{OPEN}{'<url/>' * 1_300_000}</urlset>".encode(), "it has over 600000 tags"),
        (f"<urlset><url {ATTRIBUTES}/></urlset>".encode(), "a tag has over 200 attributes"),
        (f"<!DOCTYPE urlset [<!ENTITY a 'b'>]>{OPEN}</urlset>".encode(), "declares a DTD or entities"),
        (b"Some words.\nhttps://example.org/", "is not a sitemap: it is plain text"),
        (b"", "it is empty"),
    ],
    ids=["bomb", "rubbish", "twice packed", "tags", "attributes", "entities", "prose", "empty"],
)
def test_what_is_no_safe_sitemap_is_refused_soon_and_in_words(body: bytes, said: str) -> None:
    began = time.process_time()
    with pytest.raises(NotAFeed, match=said) as caught:
        read_sitemap(body, url=URL, now=NOW)
    assert str(caught.value).startswith(URL)
    assert time.process_time() - began < 5
