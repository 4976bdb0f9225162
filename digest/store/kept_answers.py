"""Answers of the API by the key of their request, so that a request sent twice is done once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, Text, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.api_tokens import TokenId
from digest.store.base import Base, Json
from digest.store.database import insert_or_ignore

KEPT_FOR = timedelta(hours=24)


class KeptAnswerRow(Base):
    """A request with a key, and its answer. Without a status it is under way, or ended without an answer."""

    __tablename__ = "kept_answers"

    token_id: Mapped[int] = mapped_column(ForeignKey("api_tokens.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    begun_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str]] = mapped_column(Json)
    body: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What is known of a request with a key.

    `request` is the SHA-256 of all that it asked for. `status` is None while it is under way, and for ever
    where its process ended before the answer was kept.
    """

    request: str
    begun_at: datetime
    status: int | None
    headers: Mapping[str, str]
    body: str


def begin_answer(
    session: Session, token_id: TokenId, key: str, request: str, *, now: datetime
) -> KeptAnswer | None:
    """Take a key for a request: None when the caller has it now, else what is known of who had it first.

    Keys whose day is over are free again.
    """
    session.execute(delete(KeptAnswerRow).where(KeptAnswerRow.begun_at <= now - KEPT_FOR))
    row = {
        "token_id": token_id,
        "key": key,
        "request": request,
        "begun_at": now,
        "headers": {},
        "body": "",
    }
    taken = insert_or_ignore(session, KeptAnswerRow, [row]).returning(KeptAnswerRow.key)
    if session.scalar(taken) is not None:
        return None
    found = session.get_one(KeptAnswerRow, (token_id, key), populate_existing=True)
    return KeptAnswer(found.request, found.begun_at, found.status, found.headers, found.body)


def keep_answer(
    session: Session, token_id: TokenId, key: str, *, status: int, headers: Mapping[str, str], body: str
) -> None:
    """Keep what was answered to the request that has this key."""
    session.execute(
        update(KeptAnswerRow)
        .where(KeptAnswerRow.token_id == token_id, KeptAnswerRow.key == key)
        .values(status=status, headers=dict(headers), body=body)
    )


def give_key_back(session: Session, token_id: TokenId, key: str) -> None:
    """Let a key be taken again: its request changed nothing."""
    session.execute(delete(KeptAnswerRow).where(KeptAnswerRow.token_id == token_id, KeptAnswerRow.key == key))
