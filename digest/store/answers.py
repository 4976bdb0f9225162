"""What language models answered, and who is asking one: so that an article is paid for once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, Text, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base, storable

_NAME_MAX = 200


class LlmAnswerRow(Base):
    """One valid answer, by the SHA-256 of everything it depends on."""

    __tablename__ = "llm_answers"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(_NAME_MAX))
    prompt: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost: Mapped[int] = mapped_column(BigInteger)
    answered_at: Mapped[datetime] = mapped_column(index=True)


class LlmClaimRow(Base):
    """A question that somebody is asking, and until when that is believed."""

    __tablename__ = "llm_claims"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32), index=True)
    until: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as the model wrote it, and what it came to: tokens, and millionths of a US dollar.

    `model` and `prompt` (the version of what was asked) are for people who look at the table.
    """

    text: str
    input_tokens: int
    output_tokens: int
    cost: int
    model: str
    prompt: str


def find_answer(session: Session, key: str) -> KeptAnswer | None:
    """Return the answer kept under `key`."""
    row = session.get(LlmAnswerRow, key)
    if row is None:
        return None
    return KeptAnswer(row.text, row.input_tokens, row.output_tokens, row.cost, row.model, row.prompt)


def record_answer(session: Session, key: str, answer: KeptAnswer, *, now: datetime) -> None:
    """Keep `answer` under `key`; of two that were asked at the same time, the first is kept."""
    words = {"text": storable(answer.text), "model": answer.model[:_NAME_MAX]}
    columns = asdict(answer) | words | {"key": key, "answered_at": now}
    session.execute(_insert(session)(LlmAnswerRow).values(columns).on_conflict_do_nothing())


def claim_question(session: Session, key: str, owner: str, *, now: datetime, until: datetime) -> bool:
    """Let `owner` alone ask this until then; False when somebody else does, and was heard of lately.

    Whether there is an answer is to be looked up after that: who asked before kept it and then let go.
    """
    claim = _insert(session)(LlmClaimRow).values(key=key, owner=owner, until=until)
    free = (LlmClaimRow.until <= now) | (LlmClaimRow.owner == owner)
    claimed = claim.on_conflict_do_update(
        index_elements=["key"], set_={"owner": owner, "until": until}, where=free
    ).returning(LlmClaimRow.key)
    return session.scalar(claimed) is not None


def renew_claims(session: Session, owner: str, *, until: datetime) -> None:
    """Say that `owner` is still asking."""
    session.execute(update(LlmClaimRow).where(LlmClaimRow.owner == owner).values(until=until))


def release_claim(session: Session, key: str, owner: str) -> None:
    """Let others ask, unless somebody took it over already."""
    session.execute(delete(LlmClaimRow).where(LlmClaimRow.key == key, LlmClaimRow.owner == owner))


def forget_claims(session: Session, *, before: datetime) -> None:
    """Remove what processes that were killed before then held."""
    session.execute(delete(LlmClaimRow).where(LlmClaimRow.until < before))


def forget_answers(session: Session, *, before: datetime) -> int:
    """Remove the answers given before then, and return how many: those articles would be paid for again."""
    old = delete(LlmAnswerRow).where(LlmAnswerRow.answered_at < before).returning(LlmAnswerRow.key)
    return len(session.scalars(old).all())


def _insert(session: Session) -> Callable[[type[Base]], postgresql.Insert | sqlite.Insert]:
    """Return the INSERT of this database: the two that know ON CONFLICT have it each by themselves."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
