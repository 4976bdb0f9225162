"""What editors do to takeaways: every change is a version of its own, and none is lost to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from digest.store.versioning import record_edit, record_release

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
        stored = _editable(session, article_id)
        moved = _moved_to(session, stored, base, takeaways)
        return _record(session, stored, base, moved, seen=seen, by=by, now=now)


@dataclass(frozen=True, slots=True)
class Settled:
    """The version that holds after what an editor asked for; `is_new` tells that something was changed."""

    version: Condensing
    is_new: bool


def restore_takeaways(
    engine: Engine, article_id: ArticleId, version: int, *, by: str, now: datetime, seen: int | None = None
) -> Settled:
    """Go back to an earlier version, as a new one that says the same.

    Nothing is changed where its takeaways hold already. But when something has changed since an editor made
    them, this says that they stay, and is a new version. `seen` is the version that held when the editor
    decided so (None: whichever does now, unless it is another editor's). Raises `NotFound` for a version that
    is not kept, and `Conflict` as `edit_takeaways` does.
    """
    with writing(engine) as session:
        versions = versions_of(session, article_id)
        base, current = versions.get(version), versions.current
        stored = _editable(session, article_id)
        takeaways = _moved_to(session, stored, base, base.condensed.takeaways)
        if takeaways == current.condensed.takeaways and not versions.outdated:
            return Settled(current, is_new=False)
        if seen is None:
            _refuse_unseen(versions, by)
        seen = current.version if seen is None else seen
        versions.get(seen)
        return Settled(_record(session, stored, base, takeaways, seen=seen, by=by, now=now), is_new=True)


def release_takeaways(
    engine: Engine, article_id: ArticleId, *, by: str, now: datetime, seen: int | None = None
) -> Settled:
    """Hand an article back to the program: its newest version holds, and condensing renews it from then on.

    Nothing is changed where no editor's version goes before the program's. `seen` is as in
    `restore_takeaways`. Raises `Conflict` when another version has come to hold since, or when the one to be
    handed back is another editor's.
    """
    with writing(engine) as session:
        versions = versions_of(session, article_id)
        editors = versions.editors
        if editors is None:
            return Settled(versions.current, is_new=False)
        if seen is None:
            _refuse_unseen(versions, by)
            seen = versions.current.version
        held = record_release(session, article_id, editors.version, seen=seen, by=by, now=now)
        return Settled(held, is_new=True)


def _refuse_unseen(versions: Versions, by: str) -> None:
    """Raise `Conflict` when another editor's version holds, which one has to name to change it."""
    article_id, editors, held = versions.article_id, versions.editors, versions.current.version
    if editors is not None and editors.made_by != by:
        raise Conflict(
            f"article {article_id}: version {editors.version} is {editors.made_by}'s. Look at it with "
            f"'digest article takeaways {article_id}', and name what holds with --from-version {held} to "
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
    stored: StoredArticle,
    base: Condensing,
    takeaways: tuple[Takeaway, ...],
    *,
    seen: int,
    by: str,
    now: datetime,
) -> Condensing:
    why_none = None if takeaways else base.condensed.why_none
    return record_edit(
        session,
        stored.id,
        Condensed(takeaways, why_none),
        seen=seen,
        made_from=base.version,
        of=content_hash(stored.article),
        by=by,
        now=now,
    )


def _editable(session: Session, article_id: ArticleId) -> StoredArticle:
    """Return an article that may have takeaways. Raises `Conflict` for one with its headline alone."""
    stored = articles_by_id(session, [article_id]).get(article_id)
    if stored is None:
        raise NotFound(f"no article {article_id}")
    sources = {one.name: one for one in sources_ever(session, newsletter_of(session, stored.id))}
    original = articles_by_id(session, [stored.copies_id]).get(stored.copies_id) if stored.copies_id else None
    if why := why_headline_only(stored, sources, original):
        raise Conflict(
            f"article {stored.id} can have no takeaways: {why}. What a source is used for is changed with "
            "'digest source change NEWSLETTER SOURCE --excerpt takeaways'; nothing was changed"
        )
    return stored


def _moved_to(
    session: Session, stored: StoredArticle, base: Condensing, takeaways: tuple[Takeaway, ...]
) -> tuple[Takeaway, ...]:
    """Return takeaways of the text that `base` was made of with their support in the text as it is now."""
    if base.of == content_hash(stored.article):
        return takeaways
    before = find_text(session, stored.id, base.of)
    return tuple(_moved(one, before, stored.article.text) for one in takeaways)


def _moved(takeaway: Takeaway, before: str | None, text: str) -> Takeaway:
    """Return a takeaway with its support where the same words stand in another text, if they do."""
    quotes = [before[span.start : span.end] for span in takeaway.support] if before is not None else []
    places = [(text.find(quote), len(quote)) for quote in quotes if quote]
    return replace(
        takeaway, support=tuple(Span(start, start + length) for start, length in places if start >= 0)
    )
