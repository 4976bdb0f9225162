"""What came back, as mail or from a provider: each report once, what it was taken for, what it changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, exists, literal_column, select, true, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.store.base import Base, BigId, storable
from digest.store.database import insert_or_ignore
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow

_DETAIL_MAX = 1_000


class Effect(StrEnum):
    """What a report changed."""

    SUPPRESSED = "suppressed"
    KNOWN = "known"
    """The address was suppressed before, or the issue had been counted."""
    COUNTED = "counted"
    PAUSED = "paused"
    """It was counted, and the third in a row: the subscription rests."""
    TOLD = "told"
    """Ops are told that the domain refuses us."""
    UNSUBSCRIBED = "unsubscribed"
    SETTLED = "settled"
    """It was evidence of a delivery whose outcome was open."""
    NONE = "none"

    @property
    def in_words(self) -> str:
        """The effect as ops read it."""
        return _EFFECT_WORDS[self]


_EFFECT_WORDS = {
    Effect.SUPPRESSED: "address suppressed",
    Effect.KNOWN: "was known already",
    Effect.COUNTED: "counted as a soft bounce",
    Effect.PAUSED: "third in a row: subscription paused",
    Effect.TOLD: "ops told",
    Effect.UNSUBSCRIBED: "unsubscribed",
    Effect.SETTLED: "unknown outcome settled: accepted",
    Effect.NONE: "nothing changed",
}


class ReturnedRow(Base):
    """One report. `key` is what copies of it share, so that each counts once."""

    __tablename__ = "returned_mails"
    __table_args__ = (
        Index("ix_returned_mails_domain_received_at", "domain", "received_at"),
        Index("ix_returned_mails_meaning_received_at", "meaning", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    received_at: Mapped[datetime]
    via: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    meaning: Mapped[str] = mapped_column(String(16))
    effect: Mapped[str] = mapped_column(String(16))
    delivery_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), index=True)
    domain: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class NewReturned:
    """A report before it is stored. `email` is the reader it is about, '' when that cannot be told."""

    key: str
    received_at: datetime
    via: str
    kind: str
    meaning: Meaning
    delivery_id: DeliveryId | None
    email: str
    status: str
    detail: str

    @property
    def domain(self) -> str:
        """The domain of the reader's address, in lower case."""
        return self.email.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Returned:
    """A report as it was recorded. `issue_id` is the issue whose mail came back, None when nobody's."""

    id: int
    received_at: datetime
    via: str
    kind: str
    meaning: Meaning
    effect: Effect
    email: str
    issue_id: IssueId | None
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReturnedDelivery:
    """What a report is weighed against: whom the delivery went to, as what, and when a server took it."""

    id: DeliveryId
    email: str
    message_id: str
    issue_id: IssueId
    sent_at: datetime


def find_returned_delivery(session: Session, delivery_id: DeliveryId) -> ReturnedDelivery | None:
    """Return the delivery that a return path names.

    None when it was removed or never was, or when its reader was erased.
    """
    row = session.execute(
        select(
            DeliveryRow.email,
            DeliveryRow.message_id,
            DeliveryRow.issue_id,
            DeliveryRow.settled_at,
            DeliveryRow.created_at,
        ).where(DeliveryRow.id == delivery_id, DeliveryRow.email != "")
    ).one_or_none()
    if row is None:
        return None
    sent_at = row.settled_at or row.created_at
    return ReturnedDelivery(delivery_id, row.email, row.message_id, IssueId(row.issue_id), sent_at)


def find_what_came_back(
    session: Session, delivery_id: DeliveryId, meanings: Collection[Meaning]
) -> tuple[Meaning, str] | None:
    """Return as which of `meanings` a mail came back at last, and with what words; None when it did not."""
    row = session.execute(
        select(ReturnedRow.meaning, ReturnedRow.detail)
        .where(
            ReturnedRow.delivery_id == delivery_id, ReturnedRow.meaning.in_([one.value for one in meanings])
        )
        .order_by(ReturnedRow.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (Meaning(row[0]), row[1])


@dataclass(frozen=True, slots=True)
class NamedDelivery:
    """A delivery as an event is weighed against it, and whose subscription to what it belongs to."""

    delivery: ReturnedDelivery
    newsletter_id: NewsletterId
    subscriber_id: SubscriberId


_NAMES = (
    (DeliveryRow.message_id, true()),
    # The partial index holds just these, and both databases want to read so.
    (DeliveryRow.smtp_text, DeliveryRow.smtp_code < literal_column("220")),
)
"""What a delivery may be known by, and what says that there is an index of it."""


def find_named_deliveries(session: Session, names: Collection[str]) -> dict[str, NamedDelivery]:
    """Return deliveries by those of `names` that are theirs: a Message-ID, or as accepted, `ses:0100…`."""
    found: dict[str, NamedDelivery] = {}
    for column, is_indexed in _NAMES:
        rows = session.execute(
            select(column, DeliveryRow, IssueRow.newsletter_id)
            .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
            .where(column.in_(sorted({storable(name) for name in names})), is_indexed)
        )
        found |= {name: _named(row, newsletter_id) for name, row, newsletter_id in rows if name}
    return found


def readers_of_named(session: Session, names: Collection[str]) -> frozenset[SubscriberId]:
    """Return whose mails are known by any of `names`, as in `find_named_deliveries`."""
    sought = sorted({storable(name) for name in names})
    return frozenset(
        SubscriberId(number)
        for column, is_indexed in _NAMES
        for number in session.scalars(select(DeliveryRow.subscriber_id).where(column.in_(sought), is_indexed))
    )


def _named(row: DeliveryRow, newsletter_id: int) -> NamedDelivery:
    sent_at = row.settled_at or row.created_at
    delivery = ReturnedDelivery(DeliveryId(row.id), row.email, row.message_id, IssueId(row.issue_id), sent_at)
    return NamedDelivery(delivery, NewsletterId(newsletter_id), SubscriberId(row.subscriber_id))


def record_returned(session: Session, new: NewReturned) -> int | None:
    """Store a report; return its number, or None when a copy of it was stored before."""
    return record_all_returned(session, [new]).get(new.key)


def record_all_returned(session: Session, news: Sequence[NewReturned]) -> dict[str, int]:
    """Store a page of reports; return the numbers of those that are new, by their keys."""
    if not news:
        return {}
    added = insert_or_ignore(session, ReturnedRow, [_row(new) for new in news])
    return dict(session.execute(added.returning(ReturnedRow.key, ReturnedRow.id)).all())


def _row(new: NewReturned) -> dict[str, object]:
    email = storable(new.email)[:320]
    return {
        "key": new.key,
        "received_at": new.received_at,
        "via": new.via,
        "kind": new.kind,
        "meaning": new.meaning.value,
        "effect": Effect.NONE.value,
        "delivery_id": new.delivery_id,
        "email": email,
        "email_key": email_key(email),
        "domain": storable(new.domain)[:255],
        "status": storable(new.status)[:16],
        "detail": storable(new.detail)[:_DETAIL_MAX],
    }


def set_effect(session: Session, numbers: Collection[int], effect: Effect) -> None:
    """Say what reports changed."""
    session.execute(update(ReturnedRow).where(ReturnedRow.id.in_(list(numbers))).values(effect=effect))


def was_told(session: Session, domain: str, *, since: datetime) -> bool:
    """Return whether ops were told since then that a domain refuses us."""
    told = exists().where(
        ReturnedRow.domain == domain, ReturnedRow.received_at > since, ReturnedRow.effect == Effect.TOLD
    )
    return bool(session.scalar(select(told)))


def list_returned(
    session: Session,
    *,
    limit: int,
    before: int | None = None,
    email: str = "",
    meaning: Meaning | None = None,
) -> tuple[Returned, ...]:
    """Return up to `limit` reports, newest first: those older than number `before`, about `email`."""
    query = select(ReturnedRow, DeliveryRow.issue_id).outerjoin(
        DeliveryRow, DeliveryRow.id == ReturnedRow.delivery_id
    )
    if before is not None:
        query = query.where(ReturnedRow.id < before)
    if email:
        query = query.where(ReturnedRow.email_key == email_key(email))
    if meaning is not None:
        query = query.where(ReturnedRow.meaning == meaning)
    rows = session.execute(query.order_by(ReturnedRow.id.desc()).limit(limit))
    return tuple(_returned(row, issue_id) for row, issue_id in rows)


def _returned(row: ReturnedRow, issue_id: int | None) -> Returned:
    return Returned(
        id=row.id,
        received_at=row.received_at,
        via=row.via,
        kind=row.kind,
        meaning=Meaning(row.meaning),
        effect=Effect(row.effect),
        email=row.email,
        issue_id=None if issue_id is None else IssueId(issue_id),
        status=row.status,
        detail=row.detail,
    )
