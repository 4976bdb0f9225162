"""What is kept for a term and is over it goes, a page at a time; docs/retention.md tells of every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from digest.domain import departures
from digest.domain.counting import counted
from digest.domain.deliveries import UNFINISHED
from digest.domain.endpoints import CallState
from digest.domain.letters import CONFIRM_WITHIN, UNDO_WITHIN
from digest.runtime import Runtime
from digest.store import announcements, kept_answers, reader_lists, terms
from digest.store.address_changes import AddressChangeRow
from digest.store.announcements import CallRow
from digest.store.asks import AskRow
from digest.store.attempts import AttemptRow
from digest.store.audit import AuditRow
from digest.store.clicks import HitRow
from digest.store.database import reading, writing
from digest.store.departures import DepartureRow
from digest.store.entry_links import EntryLinkRow
from digest.store.erasing import leave_no_trace
from digest.store.feedback import FeedbackRow
from digest.store.kept_answers import KeptAnswerRow
from digest.store.less import MutedTopicRow
from digest.store.letters import LetterRow
from digest.store.measured import shorten_agreements
from digest.store.measures import FollowedLinkRow, OpenRow
from digest.store.preview_links import PreviewLinkRow
from digest.store.purges import add_purged, ended_kinds
from digest.store.put_off_sign_ups import PutOffRow
from digest.store.reader_lists import ReaderListRow
from digest.store.sign_ins import SignInRow
from digest.store.sign_ups import SignUpRow, SignUpTallyRow
from digest.store.suppressions import RemovalRow
from digest.store.terms import Old, Page
from digest.store.webhooks import WebhookEventRow
from digest.track.events import REMEMBERED_FOR

log = structlog.get_logger(__name__)

SECONDS = 40.0
"""A task lasts a minute at most; what is left goes when the next one comes."""

AT_ONCE = 1_000
"""Rows that go in one transaction: others that write wait some hundredths of a second for it."""

AGAIN_AFTER = timedelta(hours=20)
"""Each kind is done to its end once a day, whenever the hourly task finds it."""

_DAY = timedelta(days=1)
_LINKS_KEPT = timedelta(days=30)
_TALLIES_KEPT = timedelta(days=90)


class _Remove(Protocol):
    def __call__(self, session: Session, before: datetime, after: int, most: int) -> Page: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is kept for a term: `what` of it goes, as people read it.

    `kept` is None for what is kept for good, as a setting of 0 days wants it; `setting` is '' where the term
    is no choice.
    """

    name: str
    what: str
    kept: timedelta | None
    setting: str
    count: Callable[[Session, datetime], int]
    remove: _Remove


def kinds(runtime: Runtime) -> tuple[Kind, ...]:
    """Return all that goes, in the order in which it does."""
    settings, now = runtime.settings, runtime.clock()
    mail, record = _term(settings.keep_mail_days), _term(settings.keep_record_days)
    left = _term(settings.keep_left_days) if runtime.erasure_keys.keys else None
    forget_left = partial(terms.forget_left, keys=runtime.erasure_keys, now=now)
    settled = LetterRow.state.not_in([state.value for state in UNFINISHED])
    made = CallRow.state != CallState.WAITING.value
    return (
        Kind(
            "addresses",
            "addresses and servers' words in mails of issues that ended",
            mail,
            "keep_mail_days",
            terms.count_addressed,
            partial(terms.forget_addresses, now=now),
        ),
        Kind(
            "reports",
            "readers and words in bounces and complaints",
            mail,
            "keep_mail_days",
            terms.count_reports,
            terms.forget_reports,
        ),
        _old(
            "letters",
            "letters that were sent",
            mail,
            "keep_mail_days",
            Old(LetterRow, LetterRow.created_at, (settled,)),
        ),
        Kind(
            "unconfirmed",
            "sign-ups that nobody confirmed",
            _term(settings.keep_unconfirmed_days),
            "keep_unconfirmed_days",
            terms.count_unconfirmed,
            lambda session, before, _after, most: terms.forget_unconfirmed(session, before, most),
        ),
        _old(
            "asks",
            "wishes that nobody confirmed",
            _term(settings.keep_unconfirmed_days),
            "keep_unconfirmed_days",
            Old(AskRow, AskRow.at),
        ),
        _old(
            "sign_ups",
            "sign-ups that no worker took in",
            _term(settings.keep_unconfirmed_days),
            "keep_unconfirmed_days",
            Old(SignUpRow, SignUpRow.at),
        ),
        _old(
            "put_off_sign_ups",
            "sign-ups that waited for a cap",
            _term(settings.keep_unconfirmed_days),
            "keep_unconfirmed_days",
            Old(PutOffRow, PutOffRow.since),
        ),
        _old(
            "sign_up_tallies",
            "counts of sign-ups by the hour",
            _TALLIES_KEPT,
            "",
            Old(SignUpTallyRow, SignUpTallyRow.hour),
        ),
        _old(
            "feedback",
            "what readers said of articles",
            mail,
            "keep_mail_days",
            Old(FeedbackRow, FeedbackRow.at),
        ),
        _old(
            "mutes",
            "mutes of topics that ended",
            mail,
            "keep_mail_days",
            Old(MutedTopicRow, MutedTopicRow.until),
        ),
        _old(
            "departures",
            "unsubscriptions and why",
            # Before, an undo needs them.
            record and max(record, departures.UNDO_WITHIN),
            "keep_record_days",
            Old(DepartureRow, DepartureRow.at),
        ),
        Kind("left", "people who left everything", left, "keep_left_days", terms.count_left, forget_left),
        _measured(
            "opens",
            "which readers who agreed opened what",
            settings.keep_measured_days,
            Old(OpenRow, OpenRow.at, ended=OpenRow.until < now),
        ),
        _measured(
            "followed_links",
            "which readers who agreed followed what",
            settings.keep_measured_days,
            Old(FollowedLinkRow, FollowedLinkRow.at, ended=FollowedLinkRow.until < now),
        ),
        _old("record", "entries of the record", record, "keep_record_days", Old(AuditRow, AuditRow.at)),
        _old(
            "removals",
            "removals from the suppression list",
            record,
            "keep_record_days",
            Old(RemovalRow, RemovalRow.removed_at),
        ),
        _old(
            "address_changes",
            "changes of readers' addresses",
            CONFIRM_WITHIN + UNDO_WITHIN,
            "",
            Old(AddressChangeRow, AddressChangeRow.asked_at),
        ),
        _old("sessions", "sessions that ended", timedelta(0), "", Old(SignInRow, SignInRow.ends_at)),
        _old(
            "entry_links",
            "links to sign in that ran out",
            _DAY,
            "",
            Old(EntryLinkRow, EntryLinkRow.expires_at),
        ),
        _old(
            "reader_lists",
            "lists of readers that were uploaded",
            reader_lists.KEPT,
            "",
            Old(ReaderListRow, ReaderListRow.asked_at),
        ),
        _old("attempts", "tries to sign in", timedelta(0), "", Old(AttemptRow, AttemptRow.until)),
        _old(
            "preview_links",
            "links to previews that ran out",
            _LINKS_KEPT,
            "",
            Old(PreviewLinkRow, PreviewLinkRow.expires_at),
        ),
        _old(
            "answers",
            "answers the API keeps",
            kept_answers.KEPT_FOR,
            "",
            Old(KeptAnswerRow, KeptAnswerRow.begun_at),
        ),
        _old(
            "calls", "calls to endpoints", announcements.KEPT_FOR, "", Old(CallRow, CallRow.made_at, (made,))
        ),
        _old(
            "webhook_events",
            "events of providers",
            REMEMBERED_FOR,
            "",
            Old(WebhookEventRow, WebhookEventRow.received_at),
        ),
        _old("hits", "opened links that nobody judged", _DAY, "", Old(HitRow, HitRow.at)),
    )


def _term(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None


def _old(name: str, what: str, kept: timedelta | None, setting: str, old: Old) -> Kind:
    def remove(session: Session, before: datetime, after: int, most: int) -> Page:  # noqa: ARG001
        return old.remove(session, before, most)

    return Kind(name, what, kept, setting, old.count, remove)


def _measured(name: str, what: str, days: int, old: Old) -> Kind:
    """Return what is kept for the days that a reader agreed to, or fewer by now: never for more again."""

    def remove(session: Session, before: datetime, after: int, most: int) -> Page:  # noqa: ARG001
        shorten_agreements(session, days)
        return old.remove(session, before, most)

    return Kind(name, what, timedelta(days=days), "keep_measured_days", old.count, remove)


@dataclass(frozen=True, slots=True)
class Purgeable:
    """How much of a kind is over its term now; None for what is kept for good."""

    kind: Kind
    count: int | None


def term_in_words(kind: Kind) -> str:
    """Return how long a kind is kept, as people read it."""
    if kind.kept is None:
        return "for good"
    if not kind.kept:
        return "until it is over"
    years, days = divmod(kind.kept.days, 365)
    return counted(kind.kept.days, "day") if days else counted(years, "year")


def look(runtime: Runtime) -> tuple[Purgeable, ...]:
    """Return what a purge would remove now. It reads every table that has a term."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        return tuple(
            Purgeable(kind, None if kind.kept is None else kind.count(session, now - kind.kept))
            for kind in kinds(runtime)
        )


def purge(
    runtime: Runtime,
    *,
    seconds: float = SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    again: bool = False,
) -> Mapping[str, int]:
    """Remove what is over its term, for so long at most; return how much of each kind went.

    Stopped at any moment it goes on where it was. A kind that was done to its end within a day rests, unless
    it is wanted `again`. Several at once do no harm: each takes rows of its own.
    """
    ends, now = monotonic() + seconds, runtime.clock()
    with reading(runtime.engine) as session:
        rests = frozenset() if again else ended_kinds(session, since=now - AGAIN_AFTER)
    removed: dict[str, int] = {}
    for kind in kinds(runtime):
        if kind.kept is None or kind.name in rests:
            continue
        removed[kind.name] = 0
        after: int | None = 0
        while after is not None:
            if monotonic() > ends or should_stop():
                return _told(runtime, removed)
            with writing(runtime.engine) as session:
                page = kind.remove(session, now - kind.kept, after, AT_ONCE)
                add_purged(session, kind.name, page.removed, now=now, is_ended=page.last is None)
            removed[kind.name] += page.removed
            after = page.last
    return _told(runtime, removed)


def _told(runtime: Runtime, removed: Mapping[str, int]) -> Mapping[str, int]:
    gone = {name: count for name, count in removed.items() if count}
    if gone:
        leave_no_trace(runtime.engine)
        log.info("purge.done", **gone)
    return gone
