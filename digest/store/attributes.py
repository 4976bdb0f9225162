"""What is known of a newsletter's readers beyond name and address: short values under keys of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set

from sqlalchemy import ForeignKey, Index, String, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.domain.segments import ATTRIBUTES_MAX, KEY_MAX, VALUE_MAX, parse_key
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base
from digest.store.database import insert_or_ignore
from digest.store.newsletters import NewsletterRow

Attributes = Mapping[str, str]
"""Values by their keys."""


class AttributeRow(Base):
    """One value of one reader; `folded` is what it is compared by, as databases fold each in its own way."""

    __tablename__ = "attributes"
    __table_args__ = (
        # What values there are, and who has one, without reading every reader.
        Index("ix_attributes_values", "newsletter_id", "key", "folded"),
    )

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(KEY_MAX), primary_key=True)
    value: Mapped[str] = mapped_column(String(VALUE_MAX))
    folded: Mapped[str] = mapped_column(String(3 * VALUE_MAX))


def checked_attributes(given: Attributes) -> dict[str, str]:
    """Return attributes with their keys in small letters. Raises `InvalidInput` for what cannot be kept."""
    found: dict[str, str] = {}
    for name, value in given.items():
        told = " ".join(value.split())
        key = parse_key(name)
        if len(told) > VALUE_MAX:
            raise InvalidInput(
                f"attribute {key} is {len(told)} characters long; there is room for {VALUE_MAX}"
            )
        found[key] = told
    if len(found) > ATTRIBUTES_MAX:
        raise InvalidInput(
            f"{len(found)} attributes are too many: the readers of a newsletter may have {ATTRIBUTES_MAX}"
        )
    return found


def attributes_among(
    session: Session, newsletter_id: NewsletterId, ids: Collection[SubscriberId]
) -> dict[SubscriberId, dict[str, str]]:
    """Return the attributes of a page of readers, by key in the order of keys; of others there is nothing."""
    rows = session.execute(
        select(AttributeRow.subscriber_id, AttributeRow.key, AttributeRow.value)
        .where(AttributeRow.subscriber_id.in_(ids), AttributeRow.newsletter_id == newsletter_id)
        .order_by(AttributeRow.subscriber_id, AttributeRow.key)
    )
    found: dict[SubscriberId, dict[str, str]] = defaultdict(dict)
    for subscriber_id, key, value in rows:
        found[SubscriberId(subscriber_id)][key] = value
    return dict(found)


def put_attributes(
    session: Session,
    newsletter_id: NewsletterId,
    told: Mapping[SubscriberId, Attributes],
    *,
    only_fills: bool = False,
) -> None:
    """Give a page of readers these attributes; others of theirs stay. A value of '' takes one away.

    With `only_fills` what is known of somebody stays. Raises `InvalidInput` for more keys than a newsletter's
    readers may have.
    """
    named = [
        {"b_id": subscriber_id, "b_key": key, "value": value}
        for subscriber_id, attributes in told.items()
        for key, value in attributes.items()
    ]
    rows = [
        {
            "subscriber_id": one["b_id"],
            "newsletter_id": newsletter_id,
            "key": one["b_key"],
            "value": one["value"],
            "folded": folded(str(one["value"])),
        }
        for one in named
        if one["value"]
    ]
    if named and not only_fills:
        session.connection().execute(
            delete(AttributeRow).where(
                AttributeRow.subscriber_id == bindparam("b_id"),
                AttributeRow.newsletter_id == newsletter_id,
                AttributeRow.key == bindparam("b_key"),
            ),
            [{"b_id": one["b_id"], "b_key": one["b_key"]} for one in named],
        )
    if rows:
        _require_room(session, newsletter_id, {str(row["key"]) for row in rows})
        session.connection().execute(insert_or_ignore(session, AttributeRow), rows)


def require_keys_fit(known: Collection[str], new: Collection[str]) -> None:
    """Raise `InvalidInput` where keys beside those `known` are more than a newsletter's readers may have."""
    more = sorted(set(new) - set(known))
    if more and len(known) + len(more) > ATTRIBUTES_MAX:
        there = f"has {len(known)} already" if known else "has none yet"
        raise InvalidInput(
            f"{counted(len(more), 'new attribute')} ({_some(more)}) is too many: the readers of a "
            f"newsletter may have {ATTRIBUTES_MAX} different ones, and this one {there}. Leave some out, or "
            "take old ones away"
        )


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", …" if len(keys) > 3 else "")


def _require_room(session: Session, newsletter_id: NewsletterId, keys: Set[str]) -> None:
    if keys <= set(attribute_keys(session, newsletter_id)):
        return
    # Of two that bring new keys at once, the later one sees those of the earlier.
    session.execute(
        select(NewsletterRow.id).where(NewsletterRow.id == newsletter_id).with_for_update(key_share=True)
    )
    require_keys_fit(attribute_keys(session, newsletter_id), keys)


def attribute_keys(session: Session, newsletter_id: NewsletterId) -> tuple[str, ...]:
    """Return the keys that a newsletter's readers have attributes under, in order.

    One look into the index for each, however many readers have it.
    """
    keys: list[str] = []
    of_newsletter = select(func.min(AttributeRow.key)).where(AttributeRow.newsletter_id == newsletter_id)
    found = session.scalar(of_newsletter)
    while found is not None:
        keys.append(found)
        found = session.scalar(of_newsletter.where(AttributeRow.key > found))
    return tuple(keys)


def folded(value: str) -> str:
    """Return what two spellings of a value share: it in small letters, of any script."""
    return value.casefold()
