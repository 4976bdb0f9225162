"""All that is stored of a reader, as plain values for themselves: numbers, words, ISO moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, FromClause, Table, or_, select
from sqlalchemy.orm import Session

from digest.domain.consents import ConsentAct
from digest.domain.letters import LetterKind
from digest.domain.subscribers import email_key
from digest.store.address_changes import AddressChangeRow
from digest.store.attributes import AttributeRow
from digest.store.audiences import EditionRow, SkipRow
from digest.store.audit import AuditRow
from digest.store.base import Base
from digest.store.bounces import SoftBounceRow
from digest.store.consents import ConsentRow
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.letters import LetterRow
from digest.store.mentions import Mentions
from digest.store.newsletters import NewsletterRow, TopicRow
from digest.store.preview_links import PreviewLinkRow
from digest.store.put_off_sign_ups import PutOffRow
from digest.store.returned import ReturnedRow
from digest.store.sign_ups import SignUpRow, numbers_of
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow
from digest.store.suppressions import RemovalRow, SuppressionRow

Plain = dict[str, object]

FORMS_TOLD = 100
"""Anyone can send a form with an address, any number of times."""

IN_ALL = "_in_all"
"""After the name of a part: how many there are of what is not told in full."""


def data_of(session: Session, email: str, *, is_by_link: bool = False) -> dict[str, object]:
    """Return all that is stored of an address, each part a list of rows; empty ones are left out.

    `is_by_link`: for whoever holds a link to their settings. Of the record it then has what is about them, by
    an index; where their address stands elsewhere in an entry is only found by reading all of it. And where
    forms with their address came from is left out: anybody can send one.

    Of forms that wait the newest hundred are told, and where there are more how many: `sign_ups_in_all`.

    What a mail held is told by its issue and edition, as the archive and the mail itself have the words.
    Nothing stored: an empty dict. What names somebody as staff, such as an account, is no part of it.
    """
    key = email_key(email)
    found = session.scalar(select(SubscriberRow.id).where(SubscriberRow.email_key == key))
    parts: dict[str, list[Plain]] = {}
    in_all: dict[str, int] = {}
    if found is not None:
        parts |= _of_subscriber(session, found, key)
    mails = select(DeliveryRow.id).where(DeliveryRow.subscriber_id == (found or 0))
    parts["came_back"] = _rows(
        session,
        ReturnedRow.__table__,
        or_(ReturnedRow.email_key == key, ReturnedRow.delivery_id.in_(mails)),
    )
    parts["did_not_arrive"] = _rows(session, SoftBounceRow.__table__, SoftBounceRow.delivery_id.in_(mails))
    for row in (SignUpRow, PutOffRow):
        theirs = numbers_of(session, row, key)
        parts[row.__tablename__] = _named(session, row, row.id.in_(theirs[-FORMS_TOLD:]))
        in_all[f"{row.__tablename__}{IN_ALL}"] = len(theirs) if len(theirs) > FORMS_TOLD else 0
    parts["never_mailed"] = _rows(session, SuppressionRow.__table__, SuppressionRow.email_key == key)
    parts["mailed_again"] = _rows(session, RemovalRow.__table__, RemovalRow.email_key == key)
    parts["record"] = _record_about(session, found, email) if is_by_link else _record(session, key)
    if is_by_link:
        parts |= {name: _without_senders(name, parts[name]) for name in _SENT_BY_ANYBODY if name in parts}
    return {name: told for name, told in {**parts, **in_all}.items() if told}


def _without_senders(part: str, rows: Sequence[Plain]) -> list[Plain]:
    """Return rows without what tells who sent a form: it may be a stranger who typed this address in.

    Of consents, those that were asked for alone: what was confirmed, whoever reads this address did.
    """
    is_consents = part == ConsentRow.__tablename__
    return [
        row
        if is_consents and row["act"] != ConsentAct.ASKED
        else {name: value for name, value in row.items() if name not in OF_SENDERS}
        for row in rows
    ]


OF_SENDERS = frozenset({"network", "is_trapped"})
"""What is stored of whoever sent a form, beside what stood in it."""

_SENT_BY_ANYBODY = (SignUpRow.__tablename__, PutOffRow.__tablename__, ConsentRow.__tablename__)


def _of_subscriber(session: Session, subscriber_id: int, key: str) -> dict[str, list[Plain]]:
    told: dict[str, list[Plain]] = {
        "reader": _rows(session, SubscriberRow.__table__, SubscriberRow.id == subscriber_id),
        "subscriptions": _named(session, SubscriptionRow, SubscriptionRow.subscriber_id == subscriber_id),
        "follows": [
            {"newsletter": slug, "topic": topic}
            for slug, topic in session.execute(
                select(NewsletterRow.slug, TopicRow.slug)
                .join(TopicRow, TopicRow.newsletter_id == NewsletterRow.id)
                .join(FollowRow, FollowRow.topic_id == TopicRow.id)
                .where(FollowRow.subscriber_id == subscriber_id)
                .order_by(NewsletterRow.slug, TopicRow.slug)
            )
        ],
        "attributes": [
            {"newsletter": slug, "attribute": key, "value": value}
            for slug, key, value in session.execute(
                select(NewsletterRow.slug, AttributeRow.key, AttributeRow.value)
                .join(AttributeRow, AttributeRow.newsletter_id == NewsletterRow.id)
                .where(AttributeRow.subscriber_id == subscriber_id)
                .order_by(NewsletterRow.slug, AttributeRow.key)
            )
        ],
        "mails": _mails(session, subscriber_id),
        # Whether an address that they asked for was written to would tell who else reads here: what they
        # asked for stands in `address_changes`.
        "letters": _named(
            session,
            LetterRow,
            LetterRow.subscriber_id == subscriber_id,
            or_(LetterRow.kind != LetterKind.NEW_ADDRESS, LetterRow.email_key == key),
        ),
        # By issue, as the table is kept: it has millions of rows, and no index of readers.
        "no_mail_of": _rows(
            session,
            SkipRow.__table__,
            SkipRow.issue_id.in_(select(IssueRow.id)),
            SkipRow.subscriber_id == subscriber_id,
        ),
        "shown_to_others": _rows(
            session, PreviewLinkRow.__table__, PreviewLinkRow.subscriber_id == subscriber_id
        ),
        **{
            table.name: _rows(session, table, table.c[column] == subscriber_id)
            for table, column in tables_of_readers()
        },
    }
    changes = AddressChangeRow.__tablename__
    return told | {changes: [_change(one) for one in told[changes]]}


def _change(row: Plain) -> Plain:
    """Return a change of address without what the new mailbox said until the old one agreed.

    Whoever holds a link to somebody's settings reads this, and the new mailbox need not be theirs.
    """
    return row if row["old_agreed_at"] else {**row, "new_agreed_at": None}


def tables_of_readers() -> Sequence[tuple[Table, str]]:
    """Return what else refers to subscribers, each table with its column: a new one is told, too."""
    told = {row.__tablename__ for row in (SubscriptionRow, FollowRow, AttributeRow, LetterRow)}
    return [
        (table, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if table.name not in told and any(key.column is _SUBSCRIBER for key in column.foreign_keys)
    ]


_SUBSCRIBER = SubscriberRow.__table__.c.id
LEFT_OUT = frozenset(
    {
        *("owner", "fence", "lease_until", "key", "email_key", "mailbox"),
        *("by", "suppressed_by", "made_by", "revoked_by"),
    }
)
"""How processes share the work, and keys: nothing of a person that is not told beside it.

And who of the staff did something: that is about them.
"""


def _rows(session: Session, table: FromClause, *which: ColumnElement[bool]) -> list[Plain]:
    columns = [column for column in table.columns if column.name not in LEFT_OUT]
    rows = session.execute(select(*columns).select_from(table).where(*which).order_by(*table.primary_key))
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]


def _named(
    session: Session,
    row: type[SubscriptionRow | LetterRow | SignUpRow | PutOffRow],
    *which: ColumnElement[bool],
) -> list[Plain]:
    """Return rows that belong to newsletters, each with the name of its newsletter."""
    names = dict(session.execute(select(NewsletterRow.id, NewsletterRow.slug)).all())
    found = _rows(session, row.__table__, *which)
    return [{"newsletter": names.get(one["newsletter_id"]), **one} for one in found]  # type: ignore[call-overload]


def _mails(session: Session, subscriber_id: int) -> list[Plain]:
    rows = session.execute(
        select(
            NewsletterRow.slug.label("newsletter"),
            IssueRow.id.label("issue"),
            IssueRow.subject,
            EditionRow.key.label("edition"),
            DeliveryRow.email,
            DeliveryRow.message_id,
            DeliveryRow.state,
            DeliveryRow.smtp_code,
            DeliveryRow.smtp_text,
            DeliveryRow.created_at,
            DeliveryRow.settled_at,
        )
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .join(NewsletterRow, NewsletterRow.id == IssueRow.newsletter_id)
        .outerjoin(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        .where(DeliveryRow.subscriber_id == subscriber_id)
        .order_by(DeliveryRow.id)
    )
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]


def _record_about(session: Session, subscriber_id: int | None, email: str) -> list[Plain]:
    """Return the entries that are about somebody by their address or number."""
    slugs = session.scalars(
        select(NewsletterRow.slug)
        .join(SubscriptionRow, SubscriptionRow.newsletter_id == NewsletterRow.id)
        .where(SubscriptionRow.subscriber_id == (subscriber_id or 0))
    ).all()
    numbers = [f"{slug}{between}{subscriber_id}" for slug in slugs for between in (" ", ": subscriber ")]
    rows = session.scalars(
        select(AuditRow).where(AuditRow.about.in_([email, email_key(email), *numbers])).order_by(AuditRow.id)
    )
    return [_entry(row) for row in rows]


def _entry(row: AuditRow) -> Plain:
    return {"at": _plain(row.at), "what": row.what, "about": row.about, "detail": row.detail}


def _record(session: Session, key: str) -> list[Plain]:
    """Return what people did about this address, without who did it: that is about them."""
    mentions = Mentions(key)
    rows = session.scalars(
        select(AuditRow).where(mentions.held_by((AuditRow.about, AuditRow.detail))).order_by(AuditRow.id)
    )
    return [_entry(row) for row in rows if mentions.are_in(row.about) or mentions.are_in(row.detail)]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else value
