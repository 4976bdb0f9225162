"""A newsletter as editors and admins keep it: added, changed and removed by the same rules everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy.orm import Session

from digest.domain import newsletters as limits
from digest.domain.approvals import require_eyes
from digest.domain.articles import Style
from digest.domain.cadences import Cadence, in_order
from digest.domain.clicks import Clicks
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import IssueState
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Approval, Newsletter, NewsletterId
from digest.domain.quiet import QuietHours
from digest.domain.times import zone
from digest.domain.topics import slug as as_slug
from digest.intake.addresses import parse_sender
from digest.pipeline.managing.given import (
    Given,
    Reader,
    flag,
    on_a_line,
    one_of,
    read_given,
    required,
    spoken_language,
    whole,
    within,
)
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import writing
from digest.store.issues import has_issues, issues_in
from digest.store.newsletters import add_newsletter, change_newsletter, get_newsletter, remove_newsletter

Propose = Callable[[Newsletter], Given]
"""Says what is to change of the newsletter as it stands, in the transaction that changes it."""

IDENTITY = frozenset({"name", "sender_email", "sender_name", "reply_to", "postal_address"})
"""What mail says of whom it comes from."""

NEEDED = ("slug", "name", "sender_email", "postal_address")
"""What a newsletter cannot be without."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A newsletter as it is now, and the fields that were given another value."""

    newsletter: Newsletter
    fields: frozenset[str]


def add(runtime: Runtime, given: Given, *, by: str, called: Callable[[str], str] = str) -> Newsletter:
    """Add a newsletter; what is not given is as it is for most. Raises `Unfit` and `Conflict`."""
    wanted = dict.fromkeys(NEEDED, "") | dict(given)
    if not str(wanted.get("sender_name", "")).strip():
        wanted["sender_name"] = wanted["name"]
    values = read_given(wanted, READERS, called)
    newsletter = Newsletter(id=NewsletterId(0), **values)  # type: ignore[arg-type]
    require_eyes(newsletter.approval, second_eyes=newsletter.second_eyes)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = add_newsletter(session, newsletter, now=now)
        record(session, by=by, what="newsletter.added", about=newsletter.slug, now=now)
    return newsletter


def change(
    runtime: Runtime, slug: str, propose: Propose, *, by: str, called: Callable[[str], str] = str
) -> Changed:
    """Change what `propose` names of a newsletter; what is as it was is no change.

    Raises `Unfit`, and `Conflict` while an issue goes out where mail would change whom it is from, or where
    issues were counted in days of another zone.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        stands = get_newsletter(session, slug, to_change=True)
        values = read_given(propose(stands), READERS, called)
        wanted = {field: value for field, value in values.items() if value != getattr(stands, field)}
        if not wanted:
            return Changed(stands, frozenset())
        _refuse(session, stands, wanted)
        columns = {**_columns(wanted), **_begun(wanted, now)}
        newsletter = change_newsletter(session, stands.id, **columns)
        require_eyes(newsletter.approval, second_eyes=newsletter.second_eyes)
        detail = differences(texts_of(stands), texts_of(newsletter))
        record(session, by=by, what="newsletter.changed", about=slug, detail=detail, now=now)
    return Changed(newsletter, frozenset(wanted))


def _begun(wanted: Mapping[str, object], now: datetime) -> dict[str, datetime]:
    """Return since when it measures readers and counts clicks, where it begins to: none was seen before."""
    begins = {
        "measuring_since": wanted.get("measuring") is Measuring.ASKED,
        "counting_since": wanted.get("clicks") is Clicks.COUNTED,
    }
    return {column: now for column, is_so in begins.items() if is_so}


def _refuse(session: Session, newsletter: Newsletter, wanted: Mapping[str, object]) -> None:
    if "slug" in wanted:
        raise InvalidInput("a newsletter's short name stands in addresses and stays as it is")
    if IDENTITY.intersection(wanted):
        _refuse_while_sending(
            session, newsletter, "nothing was changed: all of an issue comes from one sender"
        )
    if "timezone" in wanted and has_issues(session, newsletter.id):
        raise Conflict(
            f"{newsletter.name} has issues, whose days were counted in {newsletter.timezone}: its zone stays "
            "as it is"
        )


def remove(runtime: Runtime, slug: str, *, by: str) -> Newsletter:
    """Remove a newsletter with all it has. Raises `NotFound`, and `Conflict` while an issue goes out."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        _refuse_while_sending(session, newsletter, "nothing was removed")
        remove_newsletter(session, newsletter.id)
        record(session, by=by, what="newsletter.removed", about=slug, now=now)
    return newsletter


def _refuse_while_sending(session: Session, newsletter: Newsletter, so: str) -> None:
    for issue in issues_in(session, IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED):
        if issue.newsletter_id == newsletter.id:
            raise Conflict(
                f"issue {issue.id} of {newsletter.name} is {issue.state}: let it end or cancel it first "
                f"('digest issue cancel {issue.id}'); {so}"
            )


def texts_of(newsletter: Newsletter) -> dict[str, str]:
    """Return each field as a person would type it, and `add` and `change` would read it."""
    return {field: _typed(getattr(newsletter, field)) for field in _FIELDS}


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return what changed between two sets of typed fields, a line each."""
    return "\n".join(
        f"{field.replace('_', ' ')}: {_on_a_line(before.get(field, ''))} → {_on_a_line(after.get(field, ''))}"
        for field in dict.fromkeys((*after, *before))
        if before.get(field, "") != after.get(field, "")
    )


def _on_a_line(text: str) -> str:
    return ", ".join(text.split("\n")) or "–"


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, tuple):
        return "\n".join(value)
    return "" if value is None else str(value)


def _columns(values: Mapping[str, object]) -> dict[str, object]:
    columns = dict(values)
    if "cadences" in columns:
        columns["cadences"] = ",".join(values["cadences"])  # type: ignore[arg-type]
    if "quiet_hours" in columns:
        columns["quiet_hours"] = str(values["quiet_hours"] or "")
    if "sign_up_origins" in columns:
        columns["sign_up_origins"] = "\n".join(values["sign_up_origins"])  # type: ignore[arg-type]
    return columns


def _line(limit: int) -> Reader:
    return lambda value, called: required(on_a_line(str(value), called), called, limit=limit)


def _number(bounds: tuple[int, int]) -> Reader:
    return lambda value, called: whole(value, called, bounds)


def _slug(value: object, called: str) -> str:
    return within(as_slug(str(value).strip()), called, limit=limits.SLUG_MAX)


def _zone(value: object, _called: str) -> str:
    return zone(str(value).strip()).key


def _cadences(value: object, called: str) -> tuple[Cadence, ...]:
    named: Iterable[object] = re.split("[,\n]", value) if isinstance(value, str) else value  # type: ignore[assignment]
    read = one_of(Cadence)
    chosen = [read(str(one).strip(), called) for one in named if str(one).strip()]
    if not chosen:
        raise InvalidInput(f"{called} is empty: a newsletter offers one cadence at least")
    return in_order(chosen)


def _origins(value: object, called: str) -> tuple[str, ...]:
    given: Iterable[object] = value.split() if isinstance(value, str) else value  # type: ignore[assignment]
    origins = tuple(dict.fromkeys(str(one).strip().lower().rstrip("/") for one in given))
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise InvalidInput(
                f"{called}: '{origin}' is no site; write it like https://www.example.org, without a path, or "
                "* for every one"
            )
    within("\n".join(origins), called, limit=limits.ORIGINS_MAX)
    return origins


_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")

READERS: Mapping[str, Reader] = {
    "slug": _slug,
    "name": _line(limits.NAME_MAX),
    "sender_name": _line(limits.NAME_MAX),
    "sender_email": lambda value, _called: parse_sender(str(value)),
    "reply_to": lambda value, _called: parse_sender(str(value)) if str(value).strip() else "",
    "postal_address": lambda value, called: required(str(value), called, limit=limits.POSTAL_ADDRESS_MAX),
    "language": lambda value, called: spoken_language(str(value).strip(), called),
    "timezone": _zone,
    "window_days": _number(limits.WINDOW_DAYS),
    "max_items": _number(limits.MAX_ITEMS),
    "takeaways": _number(limits.TAKEAWAYS),
    "takeaway_words": _number(limits.TAKEAWAY_WORDS),
    "takeaway_style": one_of(Style),
    "llm": flag,
    "approval": one_of(Approval),
    "second_eyes": flag,
    "clicks": one_of(Clicks),
    "measuring": one_of(Measuring),
    "welcome": flag,
    "goodbye": flag,
    "archive": flag,
    "sign_up": flag,
    "sign_up_origins": _origins,
    "local_time": flag,
    "cadences": _cadences,
    "quiet_hours": lambda value, _called: QuietHours.parse(str(value or "").strip()),
}
"""How each field is read."""

_FIELDS = tuple(field.name for field in fields(Newsletter) if field.name in READERS)
