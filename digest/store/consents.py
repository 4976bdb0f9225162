"""Consents: when, where and to what each reader agreed. Rows are added, and never changed.

They go with their reader and newsletter: what proves a consent is of no use without the one it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base, BigId, storable
from digest.store.bulk import as_stored, insert_rows
from digest.store.subscribers import SubscriberRow

WORDING_MAX, NETWORK_MAX = 1_000, 45


class ConsentRow(Base):
    """One act by which somebody came to be a reader of a newsletter."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_subscriber_id", "subscriber_id", "newsletter_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    act: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    wording: Mapped[str] = mapped_column(Text)
    network: Mapped[str] = mapped_column(String(NETWORK_MAX))
    by: Mapped[str] = mapped_column(String(200))


def add_consent(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, consent: Consent
) -> None:
    """Record an act, in the transaction of what it led to."""
    session.add(
        ConsentRow(
            newsletter_id=newsletter_id,
            subscriber_id=subscriber_id,
            act=consent.act,
            source=consent.source,
            at=consent.at,
            recorded_at=consent.recorded_at,
            wording=storable(consent.wording)[:WORDING_MAX],
            network=consent.network[:NETWORK_MAX],
            by=storable(consent.by)[:200],
        )
    )
    session.flush()


def add_consents(
    session: Session, newsletter_id: NewsletterId, consents: Iterable[tuple[str, Consent]]
) -> None:
    """Record what a page of mailboxes, each by its key, agreed to. Mailboxes nobody has are left out."""
    told = dict(consents)
    rows = session.execute(
        select(SubscriberRow.email_key, SubscriberRow.id).where(SubscriberRow.email_key.in_(list(told)))
    )
    columns = (
        "newsletter_id",
        "subscriber_id",
        "act",
        "source",
        "at",
        "recorded_at",
        "wording",
        "network",
        "by",
    )
    insert_rows(
        session,
        ConsentRow,
        columns,
        [
            (
                newsletter_id,
                number,
                one.act.value,
                one.source.value,
                as_stored(session, one.at),
                as_stored(session, one.recorded_at),
                storable(one.wording)[:WORDING_MAX],
                storable(one.network)[:NETWORK_MAX],
                storable(one.by)[:200],
            )
            for key, number in rows
            for one in (told[key],)
        ],
    )


def consents_of(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> tuple[Consent, ...]:
    """Return what a reader agreed to, the first first; () for who came before this was recorded."""
    rows = session.scalars(
        select(ConsentRow)
        .where(ConsentRow.newsletter_id == newsletter_id, ConsentRow.subscriber_id == subscriber_id)
        .order_by(ConsentRow.id)
    )
    return tuple(
        Consent(
            ConsentAct(row.act),
            ConsentSource(row.source),
            row.at,
            row.recorded_at,
            row.wording,
            row.network,
            row.by,
        )
        for row in rows
    )
