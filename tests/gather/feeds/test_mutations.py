"""Feed files cut, flipped, doubled and in another encoding: a feed, or our own refusal, and soon."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.gather.encoding import decode
from digest.gather.feeds.entries import NotAFeed
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.mending import balanced, repaired
from digest.gather.feeds.sitemap import read_sitemap

FILES = sorted(
    path
    for path in (Path(__file__).parent.parent / "data" / "feeds").iterdir()
    if path.suffix in (".xml", ".rdf", ".gz", ".txt") or path.name.endswith((".0.json", ".1.json"))
)
BODIES = [path.read_bytes() for path in FILES]
URL = "https://example.org/feed.xml"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "shift_jis", "utf-7"]


def check(body: bytes) -> None:
    began = time.process_time()
    for read in (read_feed, read_sitemap):
        with suppress(NotAFeed):
            found = read(body, url=URL, now=NOW)
            assert all(entry.url.startswith("http") for entry in found.entries)
            assert all(entry.published_at is None or entry.published_at <= NOW for entry in found.entries)
            assert len({entry.url for entry in found.entries}) == len(found.entries)
    assert time.process_time() - began < 5


@given(st.sampled_from(BODIES), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_a_feed_that_is_cut_anywhere_is_read_or_refused(body: bytes, at: float, to: float) -> None:
    first, last = sorted((int(len(body) * at), int(len(body) * to)))
    check(body[:last])
    check(body[:first] + body[last:])


@given(st.sampled_from(BODIES), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12))
@settings(deadline=None)
def test_a_feed_with_bytes_flipped_is_read_or_refused(body: bytes, flips: list[tuple[float, int]]) -> None:
    flipped = bytearray(body)
    for place, byte in flips:
        flipped[int(len(flipped) * place)] = byte
    check(bytes(flipped))


@given(st.sampled_from(BODIES), st.sampled_from(BODIES), st.floats(0, 1), st.integers(1, 20))
@settings(deadline=None)
def test_feeds_run_into_each_other_are_read_or_refused(
    one: bytes, other: bytes, at: float, times: int
) -> None:
    place = int(len(one) * at)
    check(one[:place] + other * times + one[place:])


@given(st.sampled_from(BODIES), st.sampled_from(ENCODINGS), st.sampled_from(["", *ENCODINGS]))
@settings(deadline=None)
def test_a_feed_in_another_encoding_than_it_says_is_read_or_refused(body: bytes, to: str, said: str) -> None:
    text = decode(body).text
    recoded = text.encode(to, "replace")
    check(recoded)
    with suppress(NotAFeed):
        read_feed(recoded, url=URL, encoding=said or None, now=NOW)


MARKUP = st.text("<>/!-[]?&;=\"' abipltem:#xCDAT\n", max_size=200)


@given(MARKUP | st.text(max_size=100))
@example("<![CDATA[x")
@example("<a><!--")
def test_mended_markup_opens_and_closes_alike(text: str) -> None:
    mended = balanced(repaired(text))
    check(f"<rss><channel>{mended}</channel></rss>".encode("utf-8", "replace"))
    assert balanced(repaired(mended)).count("<") == mended.count("<")


def test_of_a_backlog_the_newest_are_read_whatever_its_order() -> None:
    items = "".join(
        f"<item><title>{n}</title><link>/{n}</link><pubDate>{1_700_000_000 + n}</pubDate></item>"
        for n in range(6_000)
    )
    feed = read_feed(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), url=URL, now=NOW)
    assert [entry.title for entry in feed.entries] == [str(n) for n in range(1_000, 6_000)]
    assert "1000 entries are too many: the oldest, left out" in feed.problems


def test_a_long_feed_cut_in_the_middle_keeps_what_came_before_and_the_half_text() -> None:
    text = "word " * 400
    items = "".join(f"<item><link>/{n}</link><description>{text}</description></item>" for n in range(500))
    body = f"<rss version='2.0'><channel>{items}".encode()
    feed = read_feed(body[: len(body) // 2], url=URL, now=NOW)
    assert len(feed.entries) == 251
    assert feed.problems[0].startswith("it is not well-formed XML (line 1)")
