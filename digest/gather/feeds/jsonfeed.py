"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser does not read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from digest.domain.articles import Image
from digest.gather.encoding import decode
from digest.gather.feeds.entries import Entry, Feed, NotAFeed, labels, title_or_beginning, unique_entries
from digest.gather.feeds.faults import Faults
from digest.gather.feeds.fields import as_paragraphs
from digest.gather.feeds.newest import newest
from digest.gather.language import iso_639_1
from digest.gather.plain import plain_from_text
from digest.gather.urls import canonical_or_none, joined

_ITEMS = re.compile(r'"items"\s*:\s*\[')
_OBJECT = re.compile(r"[\s,]*\{")
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1(\.\d+)?")


def read_json_feed(body: bytes, *, url: str, now: datetime) -> Feed:
    """Return the feed in `body`. Raises `NotAFeed` when it is not JSON, or not a JSON Feed.

    An item without a usable link is left out, as the format allows a reader to do. So are the oldest when
    there are more than are ever read.
    """
    read = decode(body, "utf-8")
    raw, damage = _loaded(read.text.strip("\ufeff \t\r\n\0"), url)
    version = _VERSION.fullmatch(_text(raw, "version")) if isinstance(raw, dict) else None
    items = raw.get("items") if version else None
    if version is None or not isinstance(items, list):
        raise NotAFeed(f"{url} is not a feed: it is a JSON document without a JSON Feed's version and items")
    faults = Faults()
    named = [item for item in items if isinstance(item, dict)]
    kept = newest(named, lambda item: _text(item, "date_published"))
    faults.beyond(len(named) - len(kept))
    entries = [entry for item in kept if (entry := _entry(item, url, now, faults))]
    unique = unique_entries(entries)
    faults.repeated(len(entries) - len(unique))
    misnamed = (
        () if read.encoding == "utf-8" else (f"it is not UTF-8, as JSON has to be: read as {read.encoding}",)
    )
    return Feed(
        title=plain_from_text(_text(raw, "title")),
        url=joined(url, _text(raw, "home_page_url") or url) or canonical_or_none(url) or url,
        language=iso_639_1(_text(raw, "language")),
        entries=unique,
        format=f"JSON Feed 1{version[1] or '.0'}",
        is_finished=raw.get("expired") is True,
        problems=(*misnamed, *damage, *faults.told()),
    )


def _loaded(text: str, url: str) -> tuple[Any, list[str]]:
    """Return the document and what was wrong with it. Of one that is damaged, the items before the damage."""
    try:
        return json.loads(text, strict=False), []
    except RecursionError as exc:
        raise NotAFeed(f"{url} is not a feed: it is damaged JSON, nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raw = _salvaged(text)
        if not raw:
            place = f"from line {exc.lineno}, column {exc.colno} on"
            raise NotAFeed(f"{url} is not a feed: it is damaged JSON, {place}") from exc
        return raw, [f"it is not well-formed JSON (line {exc.lineno}): read up to there"]
    except ValueError as exc:
        raise NotAFeed(f"{url} is not a feed: it is damaged JSON, with a number too long to read") from exc


def _salvaged(text: str) -> dict[str, Any]:
    """Return what stands before the damage, {} when there is no whole item."""
    beginning = _ITEMS.search(text)
    if beginning is None:
        return {}
    decoder, items, at = json.JSONDecoder(strict=False), [], beginning.end()
    try:
        raw = json.loads(text[: beginning.start()].rstrip(", \t\r\n") + "}", strict=False)
        while start := _OBJECT.match(text, at):
            item, at = decoder.raw_decode(text, start.end() - 1)
            items.append(item)
    except (ValueError, RecursionError):
        pass
    return {**raw, "items": items} if items else {}


def _entry(item: Mapping[str, Any], feed_url: str, now: datetime, faults: Faults) -> Entry | None:
    links = (_text(item, name) for name in ("url", "external_url", "id"))
    url = next((found for link in links if link and (found := _absolute(feed_url, link))), None)
    if url is None:
        faults.unlinked()
        return None
    markup = max(_text(item, "content_html"), _paragraphs(item), key=len)
    changed = [written] if (written := _text(item, "date_modified")) else []
    return Entry(
        url=url,
        title=title_or_beginning(plain_from_text(_text(item, "title")), markup, url),
        published_at=faults.date([_text(item, "date_published"), *changed], now),
        html=markup,
        categories=labels([html.escape(tag) for tag in _list(item, "tags") if isinstance(tag, str)]),
        author=_author(item),
        guid=_text(item, "id") or None,
        language=iso_639_1(_text(item, "language")),
        updated_at=Faults().date(changed, now),
        image=_image(item, feed_url),
    )


def _image(item: Mapping[str, Any], feed_url: str) -> Image | None:
    """Return the item's picture: its own, its banner, or one that is attached."""
    attached = [
        _text(attachment, "url")
        for attachment in _list(item, "attachments")
        if isinstance(attachment, dict) and _text(attachment, "mime_type").startswith("image/")
    ]
    written = [_text(item, "image"), _text(item, "banner_image"), *attached]
    url = next((found for link in written if link and (found := joined(feed_url, link))), None)
    return Image(url) if url else None


def _absolute(feed_url: str, link: str) -> str | None:
    """Return where a link leads. An `id` that is no URL must not become one by joining."""
    return joined(feed_url, link) if link.startswith(("/", "./", "http:", "https:")) else None


def _paragraphs(item: Mapping[str, Any]) -> str:
    """Return the longer of the item's plain texts as HTML."""
    return as_paragraphs(max(_text(item, "content_text"), _text(item, "summary"), key=len))


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
