"""A reader's rights over what is stored of them: to see all of it, to take it along, to have it erased."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from digest.compose.phrases import Phrases
from digest.compose.untrusted import plain
from digest.domain.errors import NotFound
from digest.domain.issues import Edition
from digest.domain.subscribers import SubscriberId
from digest.pipeline.erasing import erase_subscriber, subscriber_data
from digest.pipeline.reader_pauses import zone_of_reader
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import newsletter_by_id, topic_names
from digest.store.reader_data import IN_ALL
from digest.store.subscribers import subscribed_ever
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.links import PreferencesLink
from digest.web.readers import reader_view
from digest.web.stored_words import FIELDS, IN_THE_FILE_ALONE, NO, PARTS, SHARED_BY_ROWS, VALUES, YES

router = APIRouter(tags=[FOR_READERS])

SHOWN = 20
"""Rows of a part that the page shows, the newest; the file has more of them."""


@dataclass(frozen=True, slots=True)
class Names:
    """What newsletters are called by their short names, and topics by theirs in each of them and by number.

    `slugs` are the short names by the newsletters' numbers.
    """

    slugs: Mapping[object, str]
    newsletters: Mapping[str, str]
    topics: Mapping[str, Mapping[str, str]]
    numbers: Mapping[int, str]

    def topic(self, slug: str, newsletter: object) -> str:
        """Return what a topic is called in a newsletter; where that is not said, in any that has it."""
        own = self.topics.get(str(newsletter))
        places = self.topics.values() if own is None else (own,)
        return next((names[slug] for names in places if slug in names), slug)


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of what is stored: rows of fields with their names; `more` is how many are in the file alone.

    `older` are not even there.
    """

    name: str
    rows: tuple[tuple[tuple[str, str], ...], ...]
    more: int
    older: int


@router.api_route("/preferences/{token}/stored", methods=READ)
def show_stored(runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str) -> HTMLResponse:
    """Show all that is stored of a reader."""
    reader = reader_view(runtime, link)
    spoken = pages.phrases(*reader.languages)
    data = subscriber_data(runtime, link.subscriber_id)
    tz = zone_of_reader(runtime.engine, link.newsletter_id, link.subscriber_id)
    names = _names(runtime, link.subscriber_id)
    return pages.reader(
        "stored.html", spoken, reader=reader, token=token, parts=_parts(data, names, spoken, tz)
    )


@router.api_route("/preferences/{token}/stored.json", methods=READ)
def save_stored(runtime: TheRuntime, link: PreferencesLink) -> Response:
    """Return all that is stored of a reader as a file for programs."""
    data = subscriber_data(runtime, link.subscriber_id)
    return Response(
        json.dumps(data, indent=2, ensure_ascii=False),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="stored.json"', "Cache-Control": "no-store"},
    )


@router.api_route("/preferences/{token}/erase", methods=READ)
def show_erase(runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str) -> HTMLResponse:
    """Say what erasing does, and ask."""
    reader = reader_view(runtime, link)
    return pages.reader("erase.html", pages.phrases(*reader.languages), reader=reader, token=token, told="")


@router.post("/preferences/{token}/erase")
def erase(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    sure: Annotated[str, Form(max_length=16)] = "",
) -> HTMLResponse:
    """Erase all that is stored of a reader, once they said that they are sure.

    What goes on in a worker is told as that, with 202: it is kept, whatever happens here.
    """
    reader = reader_view(runtime, link)
    spoken = pages.phrases(*reader.languages)
    if not sure:
        return pages.reader("erase.html", spoken, status=422, reader=reader, token=token, told="unsure")
    try:
        goes_on = erase_subscriber(runtime, link.subscriber_id).goes_on
    except NotFound:
        # They were there a moment ago: what they pressed first has erased them meanwhile.
        goes_on = False
    if goes_on:
        status = HTTPStatus.ACCEPTED
        return pages.reader("erase.html", spoken, status=status, reader=reader, token=token, told="begun")
    return pages.reader("erase.html", spoken, reader=reader, token=token, told="erased")


def _names(runtime: Runtime, subscriber_id: SubscriberId) -> Names:
    """Return what the newsletters of a reader and their topics are called."""
    with reading(runtime.engine) as session:
        newsletters = [newsletter_by_id(session, one) for one in subscribed_ever(session, subscriber_id)]
        topics = {one.slug: topic_names(session, one.id) for one in newsletters}
    return Names(
        {one.id: one.slug for one in newsletters},
        {one.slug: one.name for one in newsletters},
        {slug: {topic: name for topic, _, name in of_one} for slug, of_one in topics.items()},
        {number: name for of_one in topics.values() for _, number, name in of_one},
    )


def _parts(data: Mapping[str, Any], names: Names, spoken: Phrases, tz: ZoneInfo) -> tuple[PartView, ...]:
    known = {name: data[name] for name in PARTS if name in data}
    rest = {name: rows for name, rows in data.items() if name not in PARTS and isinstance(rows, list)}
    return tuple(
        PartView(
            spoken.said(PARTS[name]) if name in PARTS else name.replace("_", " "),
            tuple(_row(name, row, names, spoken, tz) for row in rows[-SHOWN:][::-1]),
            max(0, len(rows) - SHOWN),
            max(0, int(data.get(f"{name}{IN_ALL}", 0)) - len(rows)),
        )
        for name, rows in {**known, **rest, **_by_newsletter(data)}.items()
        if isinstance(rows, Sequence)
    )


def _by_newsletter(data: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the topics that somebody follows with one row for each newsletter."""
    topics: dict[str, list[str]] = {}
    for row in data.get("follows", ()):
        topics.setdefault(row["newsletter"], []).append(row["topic"])
    followed = [{"newsletter": slug, "topics": slugs} for slug, slugs in topics.items()]
    return {"follows": followed} if followed else {}


def _row(
    part: str, row: Mapping[str, object], names: Names, spoken: Phrases, tz: ZoneInfo
) -> tuple[tuple[str, str], ...]:
    """Return the fields of a row that say something, its newsletter's name first."""
    if "newsletter" not in row and (slug := names.slugs.get(row.get("newsletter_id"))):
        row = {"newsletter": slug, **row}
    return tuple(
        (
            spoken.said(FIELDS[name]) if name in FIELDS else name.replace("_", " "),
            _called(part, name, row, names, spoken) or _in_words(value, spoken, tz),
        )
        for name, value in row.items()
        if value is not None
        and value != ""
        and name not in IN_THE_FILE_ALONE
        and (part, name) != SHARED_BY_ROWS
    )


def _called(part: str, field: str, row: Mapping[str, object], names: Names, spoken: Phrases) -> str:
    """Return what a code, topic or newsletter is called, '' for all else."""
    value, newsletter = row[field], row.get("newsletter")
    words, code = VALUES.get((part, field), {}), str(value)
    if phrase := words.get(code) or words.get(code.partition(".")[0]):
        return spoken.said(phrase)
    called = ""
    if field == "newsletter":
        called = names.newsletters.get(code, "")
    elif (part, field) == ("record", "about") and "@" not in code:
        # It names its newsletter and their number: `saturday: subscriber 7`.
        called = names.newsletters.get(code.partition(" ")[0].rstrip(":"), "")
    elif field == "topic":
        called = names.topic(code, newsletter)
    elif field == "topic_id" and isinstance(value, int):
        called = names.numbers.get(value, "")
    elif field == "topics":
        slugs = value if isinstance(value, list) else code.split(",")
        called = ", ".join(names.topic(str(slug), newsletter) for slug in slugs)
    elif field == "edition":
        called = "; ".join(
            f"{names.topic(section.topic, newsletter)}: "
            + ", ".join(str(position + 1) for position in section.positions)
            for section in Edition.from_key(code).sections
        )
    return plain(called)


def _in_words(value: object, spoken: Phrases, tz: ZoneInfo) -> str:
    if isinstance(value, bool):
        return spoken.said(YES if value else NO)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    try:
        moment = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        return plain(text)
    return format_datetime(moment.astimezone(tz), format="long", locale=spoken.locale)
