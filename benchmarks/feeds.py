"""How fast a feed is read, beside feedparser alone: once as it comes, once without its sanitiser.

    python -m benchmarks.feeds [--entries 300] [--rounds 9] [--json]

The same feed, whole and cut in the middle, goes to each reader in turn; the figures are medians of CPU
milliseconds.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import feedparser

from digest.gather.feeds.formats import read_feed

URL = "https://example.org/feed.xml"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARAGRAPH = (
    '<p>The ferry left <a href="/pier">the pier</a> &amp; met <em>fog</em> at once; nobody had asked it to. '
    '<img src="/fog.jpg" alt="Fog"> It came back by noon with its passengers, who spoke of gulls.</p>\n'
)


def example_feed(entries: int) -> bytes:
    """Return an RSS 2.0 feed with whole articles of about 2 kB, labels, authors and pictures."""
    items = "".join(
        f"<item><title>Report {n} &amp;amp; more</title><link>https://example.org/{n}?utm_source=rss</link>"
        f"<guid isPermaLink='false'>report-{n}</guid><dc:creator>Ada Quill</dc:creator>"
        "<category>Sea</category>"
        f"<pubDate>{(NOW - timedelta(hours=n)).strftime('%a, %d %b %Y %H:%M:%S +0000')}</pubDate>"
        f'<media:content url="https://example.org/{n}.jpg" medium="image" width="800"/>'
        f"<content:encoded><![CDATA[{PARAGRAPH * 8}]]></content:encoded></item>\n"
        for n in range(entries)
    )
    spaces = (
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    )
    head = "<title>Harbour Watch</title><link>https://example.org/</link>"
    return f'<?xml version="1.0"?><rss version="2.0" {spaces}><channel>{head}{items}</channel></rss>'.encode()


def _ours(body: bytes) -> int:
    return len(read_feed(body, url=URL, now=NOW).entries)


def _feedparser(body: bytes) -> int:
    return len(feedparser.parse(io.BytesIO(body)).entries)


def _feedparser_bare(body: bytes) -> int:
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    return len(parsed.entries)


READERS: Mapping[str, Callable[[bytes], int]] = {
    "digest": _ours,
    "feedparser": _feedparser,
    "feedparser without its sanitiser": _feedparser_bare,
}


def measure(body: bytes, rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each reader, the entries it found and its median CPU milliseconds, rounds interleaved."""
    spent: dict[str, list[float]] = {name: [] for name in READERS}
    found: dict[str, int] = {}
    for _ in range(rounds):
        for name, read in READERS.items():
            began = time.process_time()
            found[name] = read(body)
            spent[name].append((time.process_time() - began) * 1000)
    return {
        name: {"entries": found[name], "ms": round(statistics.median(times), 1)}
        for name, times in spent.items()
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description="How fast a feed is read, beside feedparser.")
    parser.add_argument("--entries", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    whole = example_feed(given.entries)
    bodies = {"whole": whole, "cut in the middle": whole[: len(whole) // 2]}
    figures = {name: measure(body, given.rounds) for name, body in bodies.items()}
    if given.json:
        print(json.dumps(figures, indent=2))
        return
    for name, readers in figures.items():
        print(f"{name}: {len(bodies[name]) / 1024:.0f} KiB")
        for reader, told in readers.items():
            print(f"  {reader:34} {told['entries']:5.0f} entries {told['ms']:8.1f} ms")


if __name__ == "__main__":
    main()
