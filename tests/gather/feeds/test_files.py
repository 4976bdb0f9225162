"""Every file under data/feeds/ against what NAME.json beside it names; what that does not name is free."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.gather.feeds.entries import Entry, Feed, NotAFeed
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.sitemap import Sitemap, read_sitemap

FILES = Path(__file__).parent.parent / "data" / "feeds"
EXPECTED = sorted(FILES.glob("*.*.json"))
NAMES = [
    path.name.removesuffix(".json") for path in EXPECTED if (FILES / path.name.removesuffix(".json")).exists()
]
FEED = ("title", "site", "language", "ttl_minutes", "skip_hours", "skip_days", "moved_to", "is_finished")
URL = "https://example.org/feed.xml"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def expectation(name: str) -> dict[str, Any]:
    return json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))


def read(name: str, expected: dict[str, Any]) -> Feed | Sitemap:
    body, encoding = (FILES / name).read_bytes(), expected.get("transport")
    if expected.get("reader") == "sitemap":
        return read_sitemap(body, url=URL, encoding=encoding, now=NOW)
    return read_feed(body, url=URL, encoding=encoding, now=NOW)


def as_told(entry: Entry, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return of an entry what `wanted` names; of its HTML the beginning."""
    told = {
        "url": entry.url,
        "title": entry.title,
        "published": entry.published_at and entry.published_at.isoformat(),
        "updated": entry.updated_at and entry.updated_at.isoformat(),
        "author": entry.author,
        "categories": list(entry.categories),
        "guid": entry.guid,
        "language": entry.language,
        "image": entry.image and [entry.image.url, entry.image.alt],
        "html": entry.html,
    }
    if wanted.get("html") and entry.html.startswith(wanted["html"]):
        told["html"] = wanted["html"]
    return {name: told[name] for name in wanted}


def feed_as_told(feed: Feed, wanted: dict[str, Any]) -> dict[str, Any]:
    told = {
        "title": feed.title,
        "site": feed.url,
        "language": feed.language,
        "ttl_minutes": feed.ttl and feed.ttl / timedelta(minutes=1),
        "skip_hours": sorted(feed.skip_hours),
        "skip_days": sorted(feed.skip_days),
        "moved_to": feed.moved_to,
        "is_finished": feed.is_finished,
    }
    return {name: value for name, value in told.items() if name in wanted}


def test_there_are_enough_files_and_each_has_an_expectation() -> None:
    assert len(NAMES) >= 60
    others = {path.name for path in FILES.iterdir()} - {path.name for path in EXPECTED}
    assert others - set(NAMES) == set()


@pytest.mark.parametrize("name", [name for name in NAMES if "refused" not in expectation(name)])
def test_a_feed_file_is_read_as_expected(name: str) -> None:
    expected = expectation(name)
    found = read(name, expected)
    assert found.format == expected["format"]
    wanted = expected["entries"]
    assert [as_told(entry, want) for entry, want in zip(found.entries, wanted, strict=True)] == wanted
    assert len(found.problems) == len(expected["problems"]), found.problems
    assert all(want in told for told, want in zip(found.problems, expected["problems"], strict=True))
    if isinstance(found, Feed):
        assert feed_as_told(found, expected) == {name: expected[name] for name in FEED if name in expected}
    else:
        told = [[child.url, child.changed_at and child.changed_at.isoformat()] for child in found.children]
        assert told == expected["children"]


@pytest.mark.parametrize("name", [name for name in NAMES if "refused" in expectation(name)])
def test_a_file_that_is_no_safe_feed_is_refused_in_words(name: str) -> None:
    expected = expectation(name)
    with pytest.raises(NotAFeed) as caught:
        read(name, expected)
    assert str(caught.value).startswith(URL)
    assert expected["refused"] in str(caught.value)
