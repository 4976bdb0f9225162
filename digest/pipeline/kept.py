"""All that is kept for a term: what it is called, how long it is kept, and how it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.counting import counted
from digest.domain.deliveries import UNFINISHED
from digest.domain.departures import UNDO_WITHIN
from digest.domain.endpoints import CallState
from digest.domain.erasing import ErasureKeys
from digest.domain.letters import CONFIRM_WITHIN
from digest.domain.letters import UNDO_WITHIN as ADDRESS_UNDO_WITHIN
from digest.runtime import Runtime
from digest.store import announcements, kept_answers, reader_lists, terms
from digest.store.address_changes import AddressChangeRow
from digest.store.agreed_terms import count_longer, shorten_agreements
from digest.store.announcements import CallRow
from digest.store.asks import AskRow
from digest.store.attempts import AttemptRow
from digest.store.audit import AuditRow
from digest.store.base import Base
from digest.store.clicks import HitRow
from digest.store.departures import DepartureRow
from digest.store.entry_links import EntryLinkRow
from digest.store.feedback import FeedbackRow
from digest.store.kept_answers import KeptAnswerRow
from digest.store.left_out import count_left_out, forget_old_left_out
from digest.store.less import MutedTopicRow
from digest.store.letters import LetterRow
from digest.store.measures import FollowedLinkRow, OpenRow
from digest.store.preview_links import PreviewLinkRow
from digest.store.put_off_sign_ups import PutOffRow
from digest.store.reader_lists import ReaderListRow
from digest.store.sign_ins import SignInRow
from digest.store.sign_ups import SignUpRow, SignUpTallyRow
from digest.store.suppressions import RemovalRow
from digest.store.terms import Old, Page
from digest.store.webhooks import WebhookEventRow
from digest.track.events import REMEMBERED_FOR

_NONE, _DAY = timedelta(0), timedelta(days=1)
_MAIL, _UNCONFIRMED, _LEFT = "keep_mail_days", "keep_unconfirmed_days", "keep_left_days"
_RECORD, _MEASURED = "keep_record_days", "keep_measured_days"


@dataclass(frozen=True, slots=True)
class Turn:
    """A page that is to go: what is older than `before`, after the number `after`, `most` rows of it."""

    before: datetime
    after: int
    most: int
    now: datetime
    keys: ErasureKeys

    @property
    def days(self) -> int:
        """The days of the term."""
        return (self.now - self.before).days


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is kept for a term: `what` of it goes, as people read it.

    `setting` names the days; '' where the term is no choice. `least` is the term then, and else below what no
    setting goes. What `leaves_marks` only goes where there is a key to make them with.
    """

    name: str
    what: str
    setting: str
    least: timedelta
    count: Callable[[Session, Turn], int]
    remove: Callable[[Session, Turn], Page]
    leaves_marks: bool = False

    def term(self, runtime: Runtime) -> timedelta | None:
        """Return how long it is kept, None for good, as a setting of 0 days wants it."""
        if self.leaves_marks and not runtime.erasure_keys.keys:
            return None
        if not self.setting:
            return self.least
        days = getattr(runtime.settings, self.setting)
        return max(timedelta(days=days), self.least) if days else None

    def term_in_words(self, runtime: Runtime) -> str:
        """Return how long it is kept, as people read it."""
        term = self.term(runtime)
        if term is None:
            return "for good"
        if not term:
            return "until it is over"
        years, days = divmod(term.days, 365)
        return counted(term.days, "day") if days else counted(years, "year")


def _old(
    name: str,
    what: str,
    moment: InstrumentedAttribute[datetime],
    *which: ColumnElement[bool],
    setting: str = "",
    least: timedelta = _NONE,
) -> Kind:
    """Return the rows of a table that go by a moment of theirs, where all of `which` is true."""
    table: type[Base] = moment.property.parent.class_
    old = Old(table, moment, which)

    def remove(session: Session, turn: Turn) -> Page:
        return old.remove(session, turn.before, turn.most)

    return Kind(name, what, setting, least, _by_age(old.count), remove)


def _measured(
    name: str,
    what: str,
    moment: InstrumentedAttribute[datetime],
    until: InstrumentedAttribute[datetime],
) -> Kind:
    """Return what is kept for the days that a reader agreed to, or fewer by now: never for more again."""

    def old(turn: Turn) -> Old:
        return Old(moment.property.parent.class_, moment, ended=until < turn.now)

    def remove(session: Session, turn: Turn) -> Page:
        return old(turn).remove(session, turn.before, turn.most)

    def count(session: Session, turn: Turn) -> int:
        return old(turn).count(session, turn.before)

    return Kind(name, what, _MEASURED, _NONE, count, remove)


def _by_age(count: Callable[[Session, datetime], int]) -> Callable[[Session, Turn], int]:
    return lambda session, turn: count(session, turn.before)


def _addresses(session: Session, turn: Turn) -> Page:
    return terms.forget_addresses(session, turn.before, turn.after, turn.most, now=turn.now)


def _reports(session: Session, turn: Turn) -> Page:
    return terms.forget_reports(session, turn.before, turn.after, turn.most)


def _unconfirmed(session: Session, turn: Turn) -> Page:
    return terms.forget_unconfirmed(session, turn.before, turn.most)


def _longer(session: Session, turn: Turn) -> int:
    return count_longer(session, turn.days)


def _shorter(session: Session, turn: Turn) -> Page:
    return shorten_agreements(session, turn.days, turn.after, turn.most)


def _left_out(session: Session, turn: Turn) -> Page:
    removed = forget_old_left_out(session, turn.before, turn.most)
    return Page(0, None) if removed is None else Page(removed, 0)


def _left(session: Session, turn: Turn) -> Page:
    return terms.forget_left(session, turn.before, turn.after, turn.most, keys=turn.keys, now=turn.now)


_IS_SETTLED = LetterRow.state.not_in([state.value for state in UNFINISHED])
_WAS_MADE = CallRow.state != CallState.WAITING.value

KINDS = (
    Kind(
        "addresses",
        "addresses and servers' words in mails of issues that ended",
        _MAIL,
        _NONE,
        _by_age(terms.count_addressed),
        _addresses,
    ),
    Kind(
        "reports",
        "readers and words in bounces and complaints",
        _MAIL,
        _NONE,
        _by_age(terms.count_reports),
        _reports,
    ),
    _old("letters", "letters that were sent", LetterRow.created_at, _IS_SETTLED, setting=_MAIL),
    Kind(
        "unconfirmed",
        "sign-ups that nobody confirmed",
        _UNCONFIRMED,
        _NONE,
        _by_age(terms.count_unconfirmed),
        _unconfirmed,
    ),
    _old("asks", "wishes that nobody confirmed", AskRow.at, setting=_UNCONFIRMED),
    _old("sign_ups", "sign-ups that no worker took in", SignUpRow.at, setting=_UNCONFIRMED),
    _old("put_off_sign_ups", "sign-ups that waited for a cap", PutOffRow.since, setting=_UNCONFIRMED),
    _old(
        "sign_up_tallies",
        "counts of sign-ups by the hour",
        SignUpTallyRow.hour,
        least=timedelta(days=90),
    ),
    _old("feedback", "what readers said of articles", FeedbackRow.at, setting=_MAIL),
    _old("mutes", "mutes of topics that ended", MutedTopicRow.until, setting=_MAIL),
    # An undo needs them.
    _old("departures", "unsubscriptions and why", DepartureRow.at, setting=_RECORD, least=UNDO_WITHIN),
    Kind(
        "left",
        "people who left everything",
        _LEFT,
        _NONE,
        _by_age(terms.count_left),
        _left,
        leaves_marks=True,
    ),
    Kind("agreed_terms", "longer terms that readers agreed to", _MEASURED, _NONE, _longer, _shorter),
    Kind(
        "left_out",
        "who was left out of issues as they read no more",
        _MEASURED,
        _NONE,
        _by_age(count_left_out),
        _left_out,
    ),
    _measured("opens", "which readers who agreed opened what", OpenRow.at, OpenRow.until),
    _measured(
        "followed_links",
        "which readers who agreed followed what",
        FollowedLinkRow.at,
        FollowedLinkRow.until,
    ),
    _old("record", "entries of the record", AuditRow.at, setting=_RECORD),
    _old("removals", "removals from the suppression list", RemovalRow.removed_at, setting=_RECORD),
    _old(
        "address_changes",
        "changes of readers' addresses",
        AddressChangeRow.asked_at,
        least=CONFIRM_WITHIN + ADDRESS_UNDO_WITHIN,
    ),
    _old("sessions", "sessions that ended", SignInRow.ends_at),
    _old("entry_links", "links to sign in that ran out", EntryLinkRow.expires_at, least=_DAY),
    _old(
        "reader_lists",
        "lists of readers that were uploaded",
        ReaderListRow.asked_at,
        least=reader_lists.KEPT,
    ),
    _old("attempts", "tries to sign in", AttemptRow.until),
    _old(
        "preview_links",
        "links to previews that ran out",
        PreviewLinkRow.expires_at,
        least=timedelta(days=30),
    ),
    _old("answers", "answers the API keeps", KeptAnswerRow.begun_at, least=kept_answers.KEPT_FOR),
    _old("calls", "calls to endpoints", CallRow.made_at, _WAS_MADE, least=announcements.KEPT_FOR),
    _old("webhook_events", "events of providers", WebhookEventRow.received_at, least=REMEMBERED_FOR),
    _old("hits", "opened links that nobody judged", HitRow.at, least=_DAY),
)
"""In the order in which it goes."""
