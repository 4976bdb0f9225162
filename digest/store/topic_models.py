"""What was learned of a newsletter's topics, kept as JSON so that only numbers ever come out of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.store.base import Base, Json
from digest.store.database import insert_or_replace


class TopicModelRow(Base):
    """What was learned of a newsletter's topics, and from which labels."""

    __tablename__ = "topic_models"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    learned_from: Mapped[list[str]] = mapped_column(Json)
    told: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model as text, and the labels it was learned from."""

    learned_from: tuple[str, ...]
    told: str


def find_model(session: Session, newsletter_id: NewsletterId) -> StoredModel | None:
    """Return what was learned of a newsletter's topics, or None."""
    row = session.get(TopicModelRow, newsletter_id)
    return None if row is None else StoredModel(tuple(row.learned_from), row.told)


def keep_model(session: Session, newsletter_id: NewsletterId, model: StoredModel) -> None:
    """Let `model` be what is known of a newsletter's topics."""
    columns = {"newsletter_id": newsletter_id, "learned_from": list(model.learned_from), "told": model.told}
    insert_or_replace(session, TopicModelRow, columns)
