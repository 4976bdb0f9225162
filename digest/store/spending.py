"""What calls to language models cost: written down before each is made, so that no death forgets money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import BigInteger, ForeignKey, Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Usage
from digest.domain.newsletters import NewsletterId
from digest.store.articles import ArticleId
from digest.store.base import Base, BigId

LlmCallId = NewType("LlmCallId", int)


class LlmCallRow(Base):
    """One call. `cost`, in millionths of a US dollar, is the most it may come to until that is known.

    `is_known` tells that it is: not of a call under way, one that broke off or one whose process was killed.
    A call that a server refused is known to have cost nothing.
    """

    __tablename__ = "llm_calls"
    __table_args__ = (Index(None, "newsletter_id", "began_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    article_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"), index=True)
    began_at: Mapped[datetime]
    cost: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    is_known: Mapped[bool]


def begin_call(
    session: Session,
    newsletter_id: NewsletterId,
    article_id: ArticleId | None,
    *,
    most: int,
    now: datetime,
) -> LlmCallId:
    """Write down a call that is about to be made, at the most it may cost."""
    row = LlmCallRow(
        newsletter_id=newsletter_id,
        article_id=article_id,
        began_at=now,
        cost=most,
        input_tokens=0,
        output_tokens=0,
        is_known=False,
    )
    session.add(row)
    session.flush()
    return LlmCallId(row.id)


def settle_call(session: Session, call_id: LlmCallId, usage: Usage) -> None:
    """Write down what a call came to."""
    session.execute(
        update(LlmCallRow)
        .where(LlmCallRow.id == call_id)
        .values(
            cost=usage.cost,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            is_known=True,
        )
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What models cost a newsletter: millionths of a US dollar, and when one was first asked."""

    cost: int = 0
    began_at: datetime | None = None


def spent_since(session: Session, newsletter_id: NewsletterId, since: datetime) -> Spent:
    """Return what a newsletter's calls that began from then on cost, those of unknown cost at their most."""
    cost, began_at = session.execute(
        select(func.sum(LlmCallRow.cost), func.min(LlmCallRow.began_at)).where(
            LlmCallRow.newsletter_id == newsletter_id, LlmCallRow.began_at >= since
        )
    ).one()
    return Spent(int(cost or 0), began_at)


@dataclass(frozen=True, slots=True)
class ArticleAccount:
    """What an article's calls came to, ever: tokens, millionths of a US dollar, and `unknown` of the calls.

    These count at their most: they broke off or are under way.
    """

    calls: int
    unknown: int
    input_tokens: int
    output_tokens: int
    cost: int


def account_of(session: Session, article_id: ArticleId) -> ArticleAccount:
    """Return what models were paid for an article, all versions and broken calls together."""
    row = LlmCallRow
    calls, known, *sums = session.execute(
        select(
            func.count(),
            func.count().filter(row.is_known),
            func.sum(row.input_tokens),
            func.sum(row.output_tokens),
            func.sum(row.cost),
        ).where(row.article_id == article_id)
    ).one()
    read, written, cost = (int(each or 0) for each in sums)
    return ArticleAccount(calls, calls - known, read, written, cost)
