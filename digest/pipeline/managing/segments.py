"""Segments as editors keep them: added, changed, removed; asked before they are saved; counted later."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, DigestError
from digest.domain.issues import IssueState
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Newsletter
from digest.domain.query_tokens import QUERY_MAX
from digest.domain.segments import Segment, asks_who_reads, read_question
from digest.domain.subscribers import Subscription
from digest.domain.topics import slug as as_slug
from digest.pipeline.managing.given import Given, Reader, on_a_line, read_given, within
from digest.pipeline.managing.newsletters import differences
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.edits import LIMITS
from digest.store.issue_segments import Named, issues_that_name, why_not
from digest.store.newsletters import get_newsletter, list_newsletters, topic_ids
from digest.store.segment_conditions import Asked
from digest.store.segment_counts import Answer, answer, count_exactly
from digest.store.segments import (
    add_segment,
    change_segment,
    get_segment,
    list_segments,
    note_count,
    remove_segment,
)
from digest.store.subscription_pages import subscriptions_among

log = structlog.get_logger(__name__)

Propose = Callable[[Segment], Given]
"""Says what is to change of the segment as it stands, in the transaction that changes it."""

SLUG_MAX, NAME_MAX = 64, 200

STALE_AFTER = timedelta(minutes=15)
"""Readers come and go: a count is taken anew then."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Whom a question fits: how many, and a few of them by address.

    With `is_measuring` their newsletter asks readers whether they may be measured.
    """

    answer: Answer
    examples: tuple[Subscription, ...]
    is_measuring: bool


def add(runtime: Runtime, slug: str, given: Given, *, by: str, called: Callable[[str], str] = str) -> Segment:
    """Add a segment. Raises `Unfit`, and `Conflict` for a name that is taken."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        topics = topic_ids(session, newsletter.id)
        values = read_given({"slug": "", "query": "", **given}, _readers(topics), called)
        short = str(values["slug"])
        segment = add_segment(
            session,
            newsletter.id,
            slug=short,
            name=str(values.get("name") or short.replace("-", " ").capitalize()),
            query=str(values["query"]),
        )
        about = f"{slug}: {segment.slug}"
        record(session, by=by, what="segment.added", about=about, detail=segment.query, now=now)
    return segment


def change(
    runtime: Runtime,
    slug: str,
    segment: str,
    propose: Propose,
    *,
    by: str,
    called: Callable[[str], str] = str,
) -> bool:
    """Change what `propose` names of a segment; return whether anything was another then.

    Raises `NotFound`, `Unfit`, and `Conflict` for the question of a segment that an approved issue is for.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        known = get_segment(session, newsletter.id, segment, to_change=True)
        values = read_given(propose(known), _readers(topic_ids(session, newsletter.id)), called)
        before = texts_of(known)
        after = before | {field: str(value) for field, value in values.items() if field != "slug"}
        after["name"] = after["name"] or known.name
        if after == before:
            return False
        if after["query"] != before["query"]:
            _refuse_named(session, newsletter, segment, IssueState.APPROVED)
            _refuse_limits(session, newsletter, Named(segment, after["name"], after["query"]))
        change_segment(session, known.id, name=after["name"], query=after["query"])
        detail = differences(before, after)
        record(session, by=by, what="segment.changed", about=f"{slug}: {segment}", detail=detail, now=now)
    return True


def remove(runtime: Runtime, slug: str, segment: str, *, by: str) -> None:
    """Remove a segment; nobody's subscription changes.

    Raises `NotFound`, and `Conflict` while a draft or an approved issue names it.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        known = get_segment(session, newsletter.id, segment, to_change=True)
        _refuse_named(session, newsletter, segment, IssueState.DRAFT, IssueState.APPROVED)
        remove_segment(session, known.id)
        about = f"{slug}: {segment}"
        record(session, by=by, what="segment.removed", about=about, detail=known.query, now=now)


def _refuse_named(session: Session, newsletter: Newsletter, segment: str, *states: IssueState) -> None:
    """Raise `Conflict` where an issue in these states names a segment: whom that is for stays as it was."""
    named = issues_that_name(session, newsletter.id, segment, *states)
    if named:
        raise Conflict(
            f"issue {named[0]} names the segment '{segment}': 'digest issue edit {named[0]} --only' and "
            "'--without' name another one or none; nothing was changed"
        )


def _refuse_limits(session: Session, newsletter: Newsletter, named: Named) -> None:
    """Raise `Conflict` where a draft names a segment that, asking this, no issue can name so."""
    for field in LIMITS:
        why = why_not(field, named)
        drafts = issues_that_name(session, newsletter.id, named.slug, IssueState.DRAFT, fields=(field,))
        if why and drafts:
            raise Conflict(
                f"issue {drafts[0]} names it: {why}; 'digest issue edit {drafts[0]} --{field}' names another "
                "or none; nothing was changed"
            )


def texts_of(segment: Segment) -> dict[str, str]:
    """Return each field as a person would type it, and `change` would read it."""
    return {"name": segment.name, "query": segment.query}


def ask(runtime: Runtime, slug: str, query: str, *, called: Callable[[str], str] = str) -> Readers:
    """Return whom a question fits, saved or not; of many readers from a look at some. Raises `Unfit`."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        readers = _readers(topic_ids(session, newsletter.id))
        told = str(read_given({"query": query}, readers, called)["query"])
        found = answer(session, Asked.of(session, newsletter, told, now=runtime.clock()))
        shown = subscriptions_among(session, newsletter.id, found.examples)
    return Readers(found, shown, newsletter.measuring is Measuring.ASKED)


def count(runtime: Runtime, slug: str, segment: str) -> tuple[int, int]:
    """Count whom a segment fits, one and all, keep that, and return it with how many of them are active."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        found = get_segment(session, newsletter.id, segment)
    return _counted(runtime, newsletter, found)


def fits(session: Session, runtime: Runtime, newsletter: Newsletter, segment: str) -> ColumnElement[bool]:
    """Return the condition that a segment makes, for who names those whom it fits.

    Raises `NotFound`, and `Conflict` for one that asks who reads: nobody is shown who opened what.
    """
    found = get_segment(session, newsletter.id, segment)
    if asks_who_reads(found.query):
        raise Conflict(
            f"the segment '{segment}' asks who reads, so it names nobody: it can be counted, and an issue "
            "can leave out who reads no more"
        )
    return Asked.of(session, newsletter, found.query, now=runtime.clock()).fits


def count_what_is_due(runtime: Runtime, *, seconds: float = 20.0) -> int:
    """Count the segments that nobody counted lately, for so long at most; return how many were."""
    until = monotonic() + seconds
    done = 0
    for newsletter, segment in _stale(runtime):
        if monotonic() > until:
            break
        try:
            _counted(runtime, newsletter, segment)
            done += 1
        except DigestError as exc:
            log.warning("segment.not_counted", segment=segment.slug, reason=str(exc))
    return done


def _stale(runtime: Runtime) -> tuple[tuple[Newsletter, Segment], ...]:
    since = runtime.clock() - STALE_AFTER
    with reading(runtime.engine) as session:
        return tuple(
            (newsletter, segment)
            for newsletter in list_newsletters(session)
            for segment in list_segments(session, newsletter.id)
            if segment.counted_at is None or segment.counted_at < since
        )


def _counted(runtime: Runtime, newsletter: Newsletter, segment: Segment) -> tuple[int, int]:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        found = count_exactly(session, Asked.of(session, newsletter, segment.query, now=now))
    with writing(runtime.engine) as session:
        note_count(session, segment, found[0], now=now)
    return found


def _readers(topics: Collection[str]) -> dict[str, Reader]:
    """Return how each field is read, in a newsletter with these topics."""

    def query(value: object, called: str) -> str:
        told = within(str(value).strip(), called, limit=QUERY_MAX)
        read_question(told, topics)
        return told

    return {"slug": _slug, "name": _name, "query": query}


def _slug(value: object, _called: str) -> str:
    return within(as_slug(str(value).strip()), "the short name", limit=SLUG_MAX)


def _name(value: object, called: str) -> str:
    return within(on_a_line(str(value), called), called, limit=NAME_MAX)
