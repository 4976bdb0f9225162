"""A gatherer as it is often written: feedparser, then trafilatura on each link, one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import feedparser
import trafilatura

from benchmarks.farm_sites import Format, Site


def naive_seconds(sites: Sequence[Site]) -> float:
    """Read all that `sites`, good ones, publish, and return seconds a site."""
    start = time.perf_counter()
    for site in sites:
        for url in _links(site):
            trafilatura.extract(_fetched(url), with_metadata=True)
    return (time.perf_counter() - start) / max(1, len(sites))


def _links(site: Site) -> list[str]:
    if site.format not in (Format.RSS, Format.ATOM):
        return site.urls  # feedparser reads nothing else
    feed = feedparser.parse(_fetched(site.origin + site.path))
    return [str(entry.link) for entry in feed.entries]


def _fetched(url: str) -> bytes:
    named = urlsplit(url)
    request = Request(f"http://127.0.0.1:{named.port}{named.path}", headers={"Host": named.netloc})
    try:
        with urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return b""
