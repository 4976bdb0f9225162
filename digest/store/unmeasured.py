"""Mails that were addressed as measured and are not any more: those that wait, and what issues count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import MEASURED, IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.audiences import EditionRow
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.measured import measurable_among
from digest.store.measures import (
    TEXT_MEASURED,
    FollowedLinkRow,
    IssueMeasureRow,
    OpenRow,
    add_to_measures,
)


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
        _count_out(session, not_any_more)
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
    _count_out(session, mails)
    _uncount(session, subscriber_id, [mail.issue_id for mail in mails])


def _plain(key: str) -> str:
    return key.removesuffix(MEASURED)


def _make_plain(session: Session, mails: Sequence[MeasuredMail]) -> None:
    """Move deliveries to the editions that readers have who did not agree, which are made where missing."""
    by_edition: dict[tuple[int, int], list[MeasuredMail]] = {}
    for mail in mails:
        by_edition.setdefault((mail.edition_id, mail.issue_id), []).append(mail)
    # One after the other for each edition: two at once would make the same plain one twice.
    edition_ids = sorted(edition_id for edition_id, _ in by_edition)
    locked = select(EditionRow.id).where(EditionRow.id.in_(edition_ids)).order_by(EditionRow.id)
    session.execute(locked.with_for_update()).all()
    for (_, issue_id), moved in sorted(by_edition.items()):
        session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id.in_([mail.id for mail in moved]))
            .values(edition_id=_edition_id(session, issue_id, _plain(moved[0].key)))
            .execution_options(synchronize_session=False)
        )


def _edition_id(session: Session, issue_id: int, key: str) -> int:
    there = select(EditionRow.id).where(EditionRow.issue_id == issue_id, EditionRow.key == key)
    found = session.scalar(there.order_by(EditionRow.id).limit(1))
    if found is not None:
        return found
    new = EditionRow(issue_id=issue_id, key=key)
    session.add(new)
    session.flush()
    return new.id


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


def _count_out(session: Session, mails: Sequence[MeasuredMail]) -> None:
    """Count these mails no more among those of their issues that are measured."""
    text = Counter(mail.issue_id for mail in mails if mail.key.endswith(TEXT_MEASURED))
    html = Counter(mail.issue_id for mail in mails if not mail.key.endswith(TEXT_MEASURED))
    add_to_measures(session, IssueMeasureRow.text.key, _less(text))
    add_to_measures(session, IssueMeasureRow.html.key, _less(html))


def _uncount(session: Session, subscriber_id: SubscriberId, issue_ids: Sequence[int]) -> None:
    """Count a reader no more among those who opened these issues or followed a link of them."""
    for row, column in ((OpenRow, IssueMeasureRow.opened), (FollowedLinkRow, IssueMeasureRow.followed)):
        did = select(row.issue_id).where(row.subscriber_id == subscriber_id, row.issue_id.in_(issue_ids))
        add_to_measures(session, column.key, _less(Counter(session.scalars(did.distinct()))))


def _less(counts: Counter[int]) -> dict[int, int]:
    return {issue_id: -count for issue_id, count in counts.items()}
