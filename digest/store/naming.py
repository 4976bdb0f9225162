"""Articles by what people call them: a number or an address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.newsletters import NewsletterId
from digest.store.articles import ArticleId, ArticleRow, ArticleUrlRow


@dataclass(frozen=True, slots=True)
class NamedArticle:
    """An article that somebody named, and whose newsletter's it is."""

    id: ArticleId
    newsletter_id: NewsletterId
    title: str


def get_named_article(
    session: Session, named: str, *, addresses: Collection[str] = (), within: NewsletterId | None = None
) -> NamedArticle:
    """Return the article with a number or address. `addresses` are other ways to write that.

    Raises `NotFound`, and `InvalidInput` for an address that two newsletters have.
    """
    query = select(ArticleRow.id, ArticleRow.newsletter_id, ArticleRow.title)
    if named.isascii() and named.isdecimal() and len(named) < 10:
        query = query.where(ArticleRow.id == int(named))
    else:
        met = select(ArticleUrlRow.article_id).where(ArticleUrlRow.key.in_([named, *addresses]))
        query = query.where(or_(ArticleRow.url == named, ArticleRow.id.in_(met)))
    if within is not None:
        query = query.where(ArticleRow.newsletter_id == within)
    rows = session.execute(query.order_by(ArticleRow.id)).all()
    if not rows:
        raise NotFound(f"no article '{named}': 'digest article list' shows numbers and addresses")
    if len(rows) > 1:
        numbers = ", ".join(str(row.id) for row in rows)
        raise InvalidInput(
            f"'{named}' is in more than one newsletter: name the article by its number, {numbers}"
        )
    (row,) = rows
    return NamedArticle(ArticleId(row.id), NewsletterId(row.newsletter_id), row.title)
