"""Topics that are removed and were followed by many: their follows are forgotten by and by.

Nobody waits for a quarter of a million rows, and no other transaction waits for all of them at once.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from digest.store.newsletters import TopicRow
from digest.store.subscribers import FollowRow


def removed_topics(session: Session) -> tuple[int, ...]:
    """Return the row ids of topics that are removed and have follows left, or just lost the last ones."""
    return tuple(session.scalars(select(TopicRow.id).where(TopicRow.is_removed).order_by(TopicRow.id)))


def forget_follows(session: Session, topic_id: int, *, most: int) -> int:
    """Forget up to `most` follows of a removed topic, and the topic itself with the last; return how many."""
    of_it = FollowRow.topic_id == topic_id
    some = session.scalars(select(FollowRow.subscriber_id).where(of_it).limit(most)).all()
    session.execute(
        delete(FollowRow)
        .where(of_it, FollowRow.subscriber_id.in_(some))
        .execution_options(synchronize_session=False)
    )
    if len(some) < most:
        session.execute(delete(TopicRow).where(TopicRow.id == topic_id, TopicRow.is_removed))
    return len(some)
