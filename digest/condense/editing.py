"""What editors do to takeaways: every change is a version of its own, and none is lost to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.condense.terms import why_headline_only
from digest.domain.articles import Condensed, Origin, Span, Takeaway
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.store.articles import (
    ArticleId,
    StoredArticle,
    articles_by_id,
    content_hash,
    find_text,
    newsletter_of,
)
from digest.store.condensings import Condensing, Versions, versions_of
from digest.store.database import writing
from digest.store.sources import sources_ever
from digest.store.versioning import record_edit

TAKEAWAYS_MAX = 10
LENGTH_MAX = 1000
"""Characters of one takeaway: a paragraph, which is more than any reader wants."""


def edit_takeaways(
    engine: Engine,
    article_id: ArticleId,
    texts: Sequence[str],
    *,
    by: str,
    now: datetime,
    made_from: int | None = None,
) -> Condensing:
    """Let these be an article's takeaways, in this order, and return the version they are.

    What stands word for word in the version they were made from (None: the one that holds) keeps its origin
    and support. Raises `InvalidInput` for takeaways that are none, and `Conflict` when another version has
    come to hold since `made_from`, when without one another editor's would be changed unseen, or when the
    article is for headline and link only.
    """
    texts = _checked(texts)
    with writing(engine) as session:
        versions = versions_of(session, article_id)
        seen = versions.current.version if made_from is None else made_from
        if made_from is None:
            _refuse_unseen(versions, by)
        base = versions.get(seen)
        known = {takeaway.text: takeaway for takeaway in base.condensed.takeaways}
        takeaways = tuple(known.get(text) or Takeaway(text, Origin.EDITOR, ()) for text in texts)
        if takeaways == versions.current.condensed.takeaways:
            raise InvalidInput(
                f"article {article_id} has these very takeaways, as version {versions.current.version}; "
                "nothing was changed"
            )
        return _record(session, article_id, base, takeaways, seen=seen, by=by, now=now)


def restore_takeaways(
    engine: Engine, article_id: ArticleId, version: int, *, by: str, now: datetime, seen: int | None = None
) -> Condensing:
    """Go back to an earlier version, as a new one that says the same, and return that.

    `seen` is the version that held when the editor decided so (None: whichever does now, unless it is another
    editor's). Raises `NotFound` for a version that is not kept, and `Conflict` as `edit_takeaways` does, or
    when it holds already.
    """
    with writing(engine) as session:
        versions = versions_of(session, article_id)
        base, current = versions.get(version), versions.current
        if base == current:
            raise Conflict(
                f"article {article_id}: version {version} is the one that holds; nothing was changed"
            )
        if seen is None:
            _refuse_unseen(versions, by)
        seen = current.version if seen is None else seen
        versions.get(seen)
        return _record(session, article_id, base, base.condensed.takeaways, seen=seen, by=by, now=now)


def _refuse_unseen(versions: Versions, by: str) -> None:
    """Raise `Conflict` when another editor's version holds, which one has to name to change it."""
    article_id, current = versions.article_id, versions.current
    if current.made_by not in ("", by):
        raise Conflict(
            f"article {article_id}: version {current.version} is {current.made_by}'s. Look at it with "
            f"'digest article takeaways {article_id}', and name it with --from-version {current.version} to "
            "change it; nothing was changed"
        )


def _checked(texts: Sequence[str]) -> list[str]:
    """Return takeaways on one line each. Raises `InvalidInput` for none, too many, too long ones or twins."""
    told = [" ".join(text.split()) for text in texts]
    if not told or not all(told):
        raise InvalidInput("a takeaway is empty: give each some words; nothing was changed")
    if len(told) > TAKEAWAYS_MAX:
        raise InvalidInput(f"{len(told)} takeaways are more than {TAKEAWAYS_MAX}; nothing was changed")
    for text in told:
        if len(text) > LENGTH_MAX:
            raise InvalidInput(
                f"the takeaway '{text[:40]}…' is {len(text)} characters long; there is room for "
                f"{LENGTH_MAX}. Nothing was changed"
            )
        if told.count(text) > 1:
            raise InvalidInput(f"the takeaway '{text}' is there twice; nothing was changed")
    return told


def _record(
    session: Session,
    article_id: ArticleId,
    base: Condensing,
    takeaways: tuple[Takeaway, ...],
    *,
    seen: int,
    by: str,
    now: datetime,
) -> Condensing:
    stored = articles_by_id(session, [article_id]).get(article_id)
    if stored is None:
        raise NotFound(f"no article {article_id}")
    _refuse_headline_only(session, stored)
    of = content_hash(stored.article)
    if base.of != of:
        before = find_text(session, article_id, base.of)
        takeaways = tuple(_moved(one, before, stored.article.text) for one in takeaways)
    why_none = None if takeaways else base.condensed.why_none
    return record_edit(
        session,
        article_id,
        Condensed(takeaways, why_none),
        seen=seen,
        made_from=base.version,
        of=of,
        by=by,
        now=now,
    )


def _refuse_headline_only(session: Session, stored: StoredArticle) -> None:
    sources = {one.name: one for one in sources_ever(session, newsletter_of(session, stored.id))}
    original = articles_by_id(session, [stored.copies_id]).get(stored.copies_id) if stored.copies_id else None
    if why := why_headline_only(stored, sources, original):
        raise Conflict(
            f"article {stored.id} can have no takeaways: {why}. What a source is used for is changed with "
            "'digest source change NEWSLETTER SOURCE --excerpt takeaways'; nothing was changed"
        )


def _moved(takeaway: Takeaway, before: str | None, text: str) -> Takeaway:
    """Return a takeaway with its support where the same words stand in another text, if they do."""
    quotes = [before[span.start : span.end] for span in takeaway.support] if before is not None else []
    places = [(text.find(quote), len(quote)) for quote in quotes if quote]
    return replace(
        takeaway, support=tuple(Span(start, start + length) for start, length in places if start >= 0)
    )
