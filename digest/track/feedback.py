"""What a reader says of an article they were sent: useful or not, or nothing any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from digest.domain.errors import NotFound
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.database import writing
from digest.store.feedback import record_feedback, withdraw_feedback
from digest.store.subscribers import subscription_of


def say_useful(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    issue_id: IssueId,
    position: int,
    source: str,
    is_useful: bool | None,
    now: datetime,
) -> None:
    """Keep whether an article was useful to a reader, in place of what they said before.

    None forgets that. Raises `NotFound` where the reader was removed.
    """
    with writing(engine) as session:
        if subscription_of(session, newsletter_id, subscriber_id) is None:
            raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
        if is_useful is None:
            withdraw_feedback(session, subscriber_id, issue_id=issue_id, position=position)
            return
        record_feedback(
            session,
            newsletter_id,
            subscriber_id,
            issue_id=issue_id,
            position=position,
            source=source,
            is_useful=is_useful,
            now=now,
        )
