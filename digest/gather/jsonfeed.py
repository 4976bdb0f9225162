"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser does not read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from digest.gather.dates import parsed_date
from digest.gather.encoding import decoded
from digest.gather.entries import Entry, Feed, NotAFeed, labels, title_or_beginning, unique_entries
from digest.gather.language import iso_639_1
from digest.gather.plain import plain_from_text
from digest.gather.urls import canonical_or_none, joined

MAX_ITEMS = 5_000

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1(?:\.\d+)?")


def read_json_feed(body: bytes, *, url: str, now: datetime) -> Feed:
    """Return the feed in `body`. Raises `NotAFeed` when it is not JSON, or not a JSON Feed.

    An item without a usable link is left out, as the format allows a reader to do.
    """
    try:
        raw = json.loads(decoded(body, "utf-8"))
    except json.JSONDecodeError as exc:
        place = f"from line {exc.lineno}, column {exc.colno} on"
        raise NotAFeed(f"{url} is not a feed: it is damaged JSON, {place}") from exc
    except (ValueError, RecursionError) as exc:
        why = "nested too deeply" if isinstance(exc, RecursionError) else "with a number too long to read"
        raise NotAFeed(f"{url} is not a feed: it is damaged JSON, {why}") from exc
    items = raw.get("items") if isinstance(raw, dict) and _VERSION.fullmatch(_text(raw, "version")) else None
    if not isinstance(items, list):
        raise NotAFeed(f"{url} is not a feed: it is a JSON document without a JSON Feed's version and items")
    if len(items) > MAX_ITEMS:
        raise NotAFeed(f"{url} is not read as a feed: it has over {MAX_ITEMS} items")
    entries = [entry for item in items if isinstance(item, dict) and (entry := _entry(item, url, now))]
    return Feed(
        title=plain_from_text(_text(raw, "title")),
        url=joined(url, _text(raw, "home_page_url") or url) or canonical_or_none(url) or url,
        language=iso_639_1(_text(raw, "language")),
        entries=unique_entries(entries),
    )


def _entry(item: Mapping[str, Any], feed_url: str, now: datetime) -> Entry | None:
    links = (_text(item, name) for name in ("url", "external_url", "id"))
    url = next((found for link in links if link and (found := _absolute(feed_url, link))), None)
    if url is None:
        return None
    markup = max(_text(item, "content_html"), _paragraphs(item), key=len)
    return Entry(
        url=url,
        title=title_or_beginning(plain_from_text(_text(item, "title")), markup, url),
        published_at=parsed_date(_text(item, "date_published") or _text(item, "date_modified"), now),
        html=markup,
        categories=labels([html.escape(tag) for tag in _list(item, "tags") if isinstance(tag, str)]),
        author=_author(item),
        guid=_text(item, "id") or None,
        language=iso_639_1(_text(item, "language")),
    )


def _absolute(feed_url: str, link: str) -> str | None:
    """Return where a link leads. An `id` that is no URL must not become one by joining."""
    return joined(feed_url, link) if link.startswith(("/", "./", "http:", "https:")) else None


def _paragraphs(item: Mapping[str, Any]) -> str:
    """Return the longer of the item's plain texts as HTML."""
    text = max(_text(item, "content_text"), _text(item, "summary"), key=len)
    return "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())


def _author(item: Mapping[str, Any]) -> str | None:
    people = [person for person in [*_list(item, "authors"), item.get("author")] if isinstance(person, dict)]
    names = [plain_from_text(_text(person, "name")) for person in people]
    return ", ".join(dict.fromkeys(name for name in names if name))[:200] or None


def _text(raw: Mapping[str, Any], name: str) -> str:
    """Return a string or a number as text, '' for anything else: items break the format in every way."""
    value = raw.get(name)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _list(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    return value if isinstance(value, list) else []
