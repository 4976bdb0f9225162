"""An address in texts about something else, as an answer, a note or the record: found and taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, inspect, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.domains import unicode_domain
from digest.domain.subscribers import email_key
from digest.store.announcements import CallRow
from digest.store.approvals import ApprovalRequestRow
from digest.store.asks import AskRow
from digest.store.attributes import AttributeRow
from digest.store.audit import AuditRow
from digest.store.base import Base
from digest.store.bounces import SoftBounceRow
from digest.store.deliveries import IS_UNSENT, DeliveryRow
from digest.store.departures import DepartureRow
from digest.store.dry_runs import DryRunRow
from digest.store.edits import EditRow
from digest.store.endpoints import EndpointRow
from digest.store.holds import HoldRow
from digest.store.issue_segments import IssueSegmentRow
from digest.store.issues import IssueRow
from digest.store.letters import LetterRow
from digest.store.outages import OutageRow
from digest.store.pauses import PauseRow
from digest.store.put_off_sign_ups import PutOffRow
from digest.store.receivers import ReceiverRow
from digest.store.returned import ReturnedRow
from digest.store.schedules import OccurrenceRow
from digest.store.segments import SegmentRow
from digest.store.sign_ups import SignUpRow
from digest.store.sources import SourceRow
from digest.store.stage_runs import StageRunRow
from digest.store.subscribers import SubscriberRow
from digest.store.suppressions import RemovalRow, SuppressionRow

IN_PLACE = "(erased)"
"""What stands where an address was."""

Texts = tuple[InstrumentedAttribute[str] | InstrumentedAttribute[str | None], ...]

TEXTS: Sequence[tuple[type[Base], Texts]] = (
    (ApprovalRequestRow, (ApprovalRequestRow.note,)),
    (AskRow, (AskRow.name,)),
    (AttributeRow, (AttributeRow.value, AttributeRow.folded)),
    (AuditRow, (AuditRow.about, AuditRow.detail)),
    (CallRow, (CallRow.body, CallRow.answer)),
    (DepartureRow, (DepartureRow.words,)),
    (DryRunRow, (DryRunRow.told, DryRunRow.problem)),
    (EndpointRow, (EndpointRow.about, EndpointRow.why_off)),
    (EditRow, (EditRow.before, EditRow.after)),
    (HoldRow, (HoldRow.why,)),
    (IssueRow, (IssueRow.note,)),
    (LetterRow, (LetterRow.smtp_text,)),
    (OccurrenceRow, (OccurrenceRow.note,)),
    (OutageRow, (OutageRow.reason,)),
    (PauseRow, (PauseRow.why, PauseRow.note_before)),
    (PutOffRow, (PutOffRow.name,)),
    (ReceiverRow, (ReceiverRow.halved_why, ReceiverRow.paused_why)),
    (RemovalRow, (RemovalRow.detail, RemovalRow.why)),
    (ReturnedRow, (ReturnedRow.detail,)),
    (IssueSegmentRow, (IssueSegmentRow.name, IssueSegmentRow.query)),
    (SegmentRow, (SegmentRow.name, SegmentRow.query)),
    (SignUpRow, (SignUpRow.name,)),
    (SoftBounceRow, (SoftBounceRow.detail,)),
    (SourceRow, (SourceRow.last_error,)),
    (StageRunRow, (StageRunRow.told,)),
    (SubscriberRow, (SubscriberRow.name,)),
    (SuppressionRow, (SuppressionRow.detail,)),
)
"""Where somebody's words are kept that may name a reader. Lists are read by lines, mails by issues."""


class Mentions:
    """The ways an address is written: as it is, with signs escaped, in a return path, in either IDN form."""

    def __init__(self, email: str) -> None:
        local, _, domain = email_key(email).rpartition("@")
        domains = sorted({domain, unicode_domain(domain)})
        self._likes = [_like(f"{local}@{one}") for one in domains]
        mailbox, ends = _escaped(local), "|".join(map(_escaped, domains))
        # Of this many letters and digits in a row, no form is but as they are: far cheaper to look for.
        self._always = max(re.findall("[a-z0-9]+", local), key=len, default="")
        # A longer domain is another one; but a file may be called by an address, and no domain ends so.
        after = r"(?![a-z0-9-]|\.(?!(?:csv|tsv|txt|xlsx)\b)[a-z0-9])"
        self._pattern = re.compile(
            rf"(?<![\w.+-]){mailbox}(?:@|[%=+]40|&#64;)(?:{ends}){after}"
            # As RFC 5321 leaves it to senders: bounces-ada=example.org@… is where her bounces go.
            rf"|(?<![a-z0-9]){mailbox}=(?:{ends}){after}",
            re.IGNORECASE,
        )

    def held_by(self, columns: Texts) -> ColumnElement[bool]:
        """Return the condition that one of these columns may name the address: it finds a few too many."""
        return or_(*(func.lower(column).like(like) for column in columns for like in self._likes))

    def are_in(self, text: str) -> bool:
        """Tell whether a text names the address."""
        return self._always in text.lower() and self._pattern.search(text) is not None

    def without(self, text: str) -> str:
        """Return a text without the address."""
        return self._pattern.sub(IN_PLACE, text)


def take_out(session: Session, email: str) -> int:
    """Take an address out of everybody's words; return how many rows named it.

    Every row of these tables is read: a second for some millions.
    """
    mentions = Mentions(email)
    return sum(_take_out_of(session, table, texts, mentions) for table, texts in TEXTS) + _take_out_of_mails(
        session, mentions
    )


def _take_out_of_mails(session: Session, mentions: Mentions) -> int:
    """Take an address out of what servers said of mails to others: where one forwards, they name it.

    A server that took a mail names nobody, so of an issue only those are read that it did not take.
    """
    said = (DeliveryRow.smtp_text,)
    issues = session.scalars(select(IssueRow.id).order_by(IssueRow.id)).all()
    return sum(
        _take_out_of(session, DeliveryRow, said, mentions, DeliveryRow.issue_id == issue, IS_UNSENT)
        for issue in issues
    )


def _take_out_of(
    session: Session, table: type[Base], texts: Texts, mentions: Mentions, *which: ColumnElement[bool]
) -> int:
    key = inspect(table).primary_key
    count = 0
    for row in session.execute(select(*key, *texts).where(mentions.held_by(texts), *which)).all():
        values = dict(zip((column.key for column in texts), row[len(key) :], strict=True))
        changed = {name: mentions.without(text) for name, text in values.items() if text}
        changed = {name: text for name, text in changed.items() if text != values[name]}
        if changed:
            this = and_(*(column == value for column, value in zip(key, row, strict=False)))
            session.execute(
                update(table).where(this).values(changed).execution_options(synchronize_session=False)
            )
            count += 1
    return count


def _escaped(text: str) -> str:
    return "".join(map(_sign, text))


def _sign(sign: str) -> str:
    """Return a pattern for one sign, also where it is percent-, quoted-printable- or xtext-encoded."""
    if sign.isascii() and sign.isalnum():
        return sign
    encoded = "".join(f"[%=+]{byte:02x}" for byte in sign.encode())
    return f"(?:{re.escape(sign)}|{encoded})"


def _like(address: str) -> str:
    """Return what SQL finds: the letters and digits of an address in their order, whatever is between."""
    return f"%{'%'.join(re.findall('[a-z0-9]+', address))}%"
