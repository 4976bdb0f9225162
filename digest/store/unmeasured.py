"""Mails that were addressed as measured and are not any more: those that wait, and what issues count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, Text, func, insert, or_, select, update
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import MEASURED, IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.audiences import EditionRow
from digest.store.deliveries import DeliveryRow
from digest.store.given import Columns, given, values_given
from digest.store.issues import IssueRow
from digest.store.measured import measurable_among
from digest.store.measures import (
    TEXT_MEASURED,
    FollowedLinkRow,
    IssueMeasureRow,
    OpenRow,
    add_to_measures,
)

_MOVED: Columns = {"id": BigInteger(), "edition_id": Integer()}
_KEYS: Columns = {"key": Text()}


class MeasuredMail(NamedTuple):
    """A delivery whose edition is measured, by its row's id, and that edition."""

    id: int
    issue_id: int
    subscriber_id: int
    edition_id: int
    key: str


def unmeasured_now(session: Session, mails: Sequence[MeasuredMail]) -> Mapping[int, str]:
    """Make those of these claimed mails plain that may not be measured now; return their new keys by id.

    Whoever calls has locked the deliveries. Nobody is asked about where there are no `mails`.
    """
    if not mails:
        return {}
    named = {(IssueId(mail.issue_id), SubscriberId(mail.subscriber_id)): mail for mail in mails}
    may = measurable_among(session, named)
    not_any_more = [mail for who, mail in named.items() if who not in may]
    if not_any_more:
        _make_plain(session, not_any_more)
        add_to_measures(session, _less(_out(not_any_more)))
    return {mail.id: _plain(mail.key) for mail in not_any_more}


def take_reader_back(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    since: datetime,
    after: datetime,
) -> None:
    """Have no mail measured that a reader who agreed `since` then is still to get, nor count them any more.

    Of mails that were delivered those count on whose issue was addressed until `after`: what became of them
    is kept by name no more, so nobody knows what to take off. A mail that a worker holds and has not begun is
    taken from it, and written anew.
    """
    found = session.execute(
        select(
            DeliveryRow.id,
            DeliveryRow.issue_id,
            DeliveryRow.subscriber_id,
            DeliveryRow.edition_id,
            EditionRow.key,
            DeliveryRow.state,
        )
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        .where(
            DeliveryRow.subscriber_id == subscriber_id,
            IssueRow.newsletter_id == newsletter_id,
            IssueRow.sending_at >= since,
            EditionRow.key.endswith(MEASURED),
            or_(DeliveryRow.state != DeliveryState.ACCEPTED.value, IssueRow.sending_at > after),
        )
        .order_by(DeliveryRow.id)
        .with_for_update(of=DeliveryRow)
    ).all()
    mails = [MeasuredMail(*row[:-1]) for row in found]
    waiting = [
        mail for mail, row in zip(mails, found, strict=True) if row.state != DeliveryState.ACCEPTED.value
    ]
    if waiting:
        _make_plain(session, waiting)
        _take_from_workers(session, waiting)
    did = _did(session, subscriber_id, {mail.issue_id for mail in mails})
    add_to_measures(session, _less(_out(mails) + did))


def _plain(key: str) -> str:
    return key.removesuffix(MEASURED)


def _make_plain(session: Session, mails: Sequence[MeasuredMail]) -> None:
    """Move deliveries to the editions that readers have who did not agree, which are made where missing.

    As few statements for hundreds of editions as for one: a worker claims so many at once.
    """
    # One after the other for each edition: two at once would make the same plain one twice.
    edition_ids = sorted({mail.edition_id for mail in mails})
    locked = select(EditionRow.id).where(EditionRow.id.in_(edition_ids)).order_by(EditionRow.id)
    session.execute(locked.with_for_update()).all()
    wanted = {(mail.issue_id, _plain(mail.key)) for mail in mails}
    plain = _edition_ids(session, wanted)
    if missing := sorted(wanted - plain.keys()):
        rows = [{"issue_id": issue_id, "key": key} for issue_id, key in missing]
        made = insert(EditionRow).returning(EditionRow.issue_id, EditionRow.key, EditionRow.id)
        plain |= {(issue_id, key): number for issue_id, key, number in session.execute(made, rows)}
    connection = session.connection()
    moves = [(mail.id, plain[mail.issue_id, _plain(mail.key)]) for mail in mails]
    moved = given(connection.dialect.name, _MOVED)
    connection.execute(
        update(DeliveryRow).where(DeliveryRow.id == moved.c.id).values(edition_id=moved.c.edition_id),
        values_given(connection, _MOVED, moves),
    )


def _edition_ids(session: Session, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the row ids of editions by issue and key, of those that there are.

    Keys have no index: the editions of these issues are read once, however many are looked for.
    """
    connection = session.connection()
    keys = given(connection.dialect.name, _KEYS)
    query = (
        select(EditionRow.issue_id, EditionRow.key, func.min(EditionRow.id))
        .where(
            EditionRow.issue_id.in_({issue_id for issue_id, _ in wanted}),
            EditionRow.key.in_(select(keys.c.key)),
        )
        .group_by(EditionRow.issue_id, EditionRow.key)
    )
    told = values_given(connection, _KEYS, sorted({(key,) for _, key in wanted}))
    return {(issue_id, key): number for issue_id, key, number in connection.execute(query, told)}


def _take_from_workers(session: Session, mails: Sequence[MeasuredMail]) -> None:
    """Make claimed deliveries pending again, so that nobody arms the mail that was written before."""
    session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.id.in_([mail.id for mail in mails]),
            DeliveryRow.state == DeliveryState.CLAIMED.value,
        )
        .values(state=DeliveryState.PENDING.value, owner=None, lease_until=None, fence=DeliveryRow.fence + 1)
        .execution_options(synchronize_session=False)
    )


def _out(mails: Sequence[MeasuredMail]) -> Counter[tuple[int, str]]:
    """Return what these mails add to the numbers of their issues: each is measured no more."""
    text, html = IssueMeasureRow.text.key, IssueMeasureRow.html.key
    return Counter((mail.issue_id, text if mail.key.endswith(TEXT_MEASURED) else html) for mail in mails)


def _did(
    session: Session, subscriber_id: SubscriberId, issue_ids: Collection[int]
) -> Counter[tuple[int, str]]:
    """Return in which numbers of these issues a reader is: that they opened it, or followed a link of it."""
    found: Counter[tuple[int, str]] = Counter()
    for row, column in ((OpenRow, IssueMeasureRow.opened), (FollowedLinkRow, IssueMeasureRow.followed)):
        did = select(row.issue_id).where(row.subscriber_id == subscriber_id, row.issue_id.in_(issue_ids))
        found.update((issue_id, column.key) for issue_id in session.scalars(did.distinct()))
    return found


def _less(counts: Counter[tuple[int, str]]) -> dict[tuple[int, str], int]:
    return {which: -count for which, count in counts.items()}
