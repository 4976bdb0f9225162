"""What makes a version of an article's takeaways, and which one holds then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from digest.domain.articles import Condensed, Usage
from digest.domain.errors import Conflict, NotFound
from digest.store.articles import ArticleId, ArticleRow
from digest.store.base import storable
from digest.store.condensings import Condensing, CondensingRow, TakeawayRow, get_version, why_outdated

PROGRAMS_KEPT = 5
"""How many versions of the program's an article keeps, beside those that editors began with."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the program's takeaways came to stand.

    `is_beside` tells that an editor's version goes on to hold, `outdated` in words what changed under it.
    """

    version: int
    is_beside: bool = False
    outdated: str = ""


def record_version(
    session: Session,
    article_id: ArticleId,
    condensed: Condensed,
    *,
    of: str,
    now: datetime,
    is_withheld: bool = False,
) -> Placed:
    """Keep what the program made of the text with hash `of`.

    It holds unless an editor's version does. With `is_withheld` it holds in any case: what an article may be
    used for is not for a version to say. The same takeaways of the same text are no new version: their note
    is then the latest, and what they cost is added up.
    """
    held = _lock(session, article_id)
    newest = None if held is None else _find_newest(session, article_id)
    if newest is not None and _is_same(newest, condensed, of):
        version = newest.version
        _write_again(session, article_id, newest, condensed)
    else:
        version = 1 if held is None else _next_version(session, article_id)
        _insert(session, article_id, Condensing(version, now, "", of, condensed))
    editors = None if held is None else _editors_last(session, article_id)
    current = version if editors is None or is_withheld else editors
    _let_hold(session, article_id, current)
    _forget_old(session, article_id, version)
    if current == version:
        return Placed(version)
    kept, made = get_version(session, article_id, current), get_version(session, article_id, version)
    known = _find_newest(session, article_id, before=current)
    return Placed(version, is_beside=True, outdated=why_outdated(kept, of, newest=made, known=known))


def record_edit(
    session: Session,
    article_id: ArticleId,
    condensed: Condensed,
    *,
    seen: int,
    made_from: int,
    of: str,
    by: str,
    now: datetime,
) -> Condensing:
    """Let an editor's version hold, and return it; `seen` is the version the editor had before them.

    Raises `Conflict` when another has come to hold since, and `NotFound` when there is nothing to change.
    """
    held = _lock(session, article_id)
    if held is None:
        raise NotFound(f"article {article_id} was not condensed yet: 'digest condense NEWSLETTER' does that")
    if held > seen:
        other = get_version(session, article_id, held)
        raise Conflict(
            f"article {article_id}: version {held}, by {other.made_by or 'the program'}, came in between "
            f"(yours was made from version {seen}). Look at it with 'digest article takeaways {article_id}', "
            f"then try again with --from-version {held}; nothing was changed"
        )
    _refuse_released(session, article_id, seen, held)
    version = _next_version(session, article_id)
    made = Condensing(version, now, by, of, condensed, made_from)
    _insert(session, article_id, made)
    _let_hold(session, article_id, version)
    return made


def record_release(
    session: Session, article_id: ArticleId, version: int, *, seen: int, by: str, now: datetime
) -> Condensing:
    """Hand the newest of editors' versions back to the program; return the one that holds then.

    That is the program's newest, and the article is to be condensed anew. Raises `Conflict` unless `seen`
    holds.
    """
    held = _lock(session, article_id)
    if held != seen:
        raise Conflict(
            f"article {article_id}: version {held} holds, not {seen}. Look at it with 'digest article "
            f"takeaways {article_id}', then try again with --from-version {held}; nothing was changed"
        )
    session.execute(
        update(CondensingRow)
        .where(CondensingRow.article_id == article_id, CondensingRow.version == version)
        .values(released_by=by, released_at=now)
        .execution_options(synchronize_session=False)
    )
    newest = _find_newest(session, article_id)
    if held == version and newest is not None:
        _let_hold(session, article_id, newest.version)
        held = newest.version
    session.execute(update(ArticleRow).where(ArticleRow.id == article_id).values(condensed_hash=None))
    return get_version(session, article_id, held)


def _refuse_released(session: Session, article_id: ArticleId, seen: int, held: int) -> None:
    """Raise `Conflict` when the version an editor had before them was handed back by now."""
    if seen == held:
        return
    released = session.execute(
        select(CondensingRow.released_by).where(
            CondensingRow.article_id == article_id,
            CondensingRow.version == seen,
            CondensingRow.released_at.is_not(None),
        )
    ).scalar_one_or_none()
    if released is not None:
        raise Conflict(
            f"article {article_id}: {released} handed version {seen} back to the program, and version {held} "
            f"holds. Look at it with 'digest article takeaways {article_id}', then try again with "
            f"--from-version {held}; nothing was changed"
        )


def _lock(session: Session, article_id: ArticleId) -> int | None:
    """Return the version that holds, which nobody else changes before this transaction ends."""
    return session.scalar(
        select(ArticleRow.takeaways_version).where(ArticleRow.id == article_id).with_for_update()
    )


def _find_newest(session: Session, article_id: ArticleId, *, before: int | None = None) -> Condensing | None:
    """Return the program's newest version, of those before a version if one is given."""
    query = select(func.max(CondensingRow.version)).where(
        CondensingRow.article_id == article_id, CondensingRow.made_by == ""
    )
    newest = session.scalar(query if before is None else query.where(CondensingRow.version < before))
    return None if newest is None else get_version(session, article_id, newest)


def _is_same(known: Condensing, condensed: Condensed, of: str) -> bool:
    told = [
        (storable(one.text), one.origin, one.support, one.model, one.prompt) for one in condensed.takeaways
    ]
    before = [(one.text, one.origin, one.support, one.model, one.prompt) for one in known.condensed.takeaways]
    return (known.of, before, known.condensed.why_none) == (of, told, condensed.why_none)


def _write_again(session: Session, article_id: ArticleId, known: Condensing, condensed: Condensed) -> None:
    """Note of a version that came out again what was said this time, and what both times cost."""
    again = replace(condensed, usage=_together(known.condensed.usage, condensed.usage))
    columns = _columns(again)
    if columns != _columns(known.condensed):
        session.execute(
            update(CondensingRow)
            .where(CondensingRow.article_id == article_id, CondensingRow.version == known.version)
            .values(**columns)
        )


def _together(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None or other.was_cached:
        return one or other
    return Usage(
        one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens, one.cost + other.cost
    )


def _next_version(session: Session, article_id: ArticleId) -> int:
    last = session.scalar(
        select(func.max(CondensingRow.version)).where(CondensingRow.article_id == article_id)
    )
    return (last or 0) + 1


def _editors_last(session: Session, article_id: ArticleId) -> int | None:
    """Return the newest of editors' versions, None when there is none or it was handed back."""
    last = session.execute(
        select(CondensingRow.version, CondensingRow.released_at)
        .where(CondensingRow.article_id == article_id, CondensingRow.made_by != "")
        .order_by(CondensingRow.version.desc())
        .limit(1)
    ).one_or_none()
    return last.version if last is not None and last.released_at is None else None


def _insert(session: Session, article_id: ArticleId, made: Condensing) -> None:
    session.add(
        CondensingRow(
            article_id=article_id,
            version=made.version,
            made_at=made.made_at,
            made_by=made.made_by,
            made_from=made.made_from,
            content_hash=made.of,
            released_by=made.released_by,
            released_at=made.released_at,
            **_columns(made.condensed),
        )
    )
    session.flush()
    session.add_all(
        TakeawayRow(
            article_id=article_id,
            version=made.version,
            position=position,
            text=storable(takeaway.text),
            origin=takeaway.origin,
            support=[[span.start, span.end] for span in takeaway.support],
            model=takeaway.model,
            prompt=takeaway.prompt,
        )
        for position, takeaway in enumerate(made.condensed.takeaways)
    )
    session.flush()


def _columns(condensed: Condensed) -> dict[str, object]:
    usage = condensed.usage
    return {
        "note": storable(condensed.note),
        "why_none": storable(condensed.why_none or ""),
        "rejected": [[storable(one.text), storable(one.why)] for one in condensed.rejected],
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cost": usage and usage.cost,
        "was_cached": usage and usage.was_cached,
    }


def _let_hold(session: Session, article_id: ArticleId, version: int) -> None:
    session.execute(
        update(ArticleRow)
        .where(ArticleRow.id == article_id)
        .values(takeaways_version=version)
        .execution_options(synchronize_session=False)
    )


def _forget_old(session: Session, article_id: ArticleId, version: int) -> None:
    """Forget the program's versions beyond the newest few that nothing rests on.

    An edit rests on the version it was made from, and on the one beside it when it was made.
    """
    if version <= PROGRAMS_KEPT:
        return
    rows = session.execute(
        select(CondensingRow.version, CondensingRow.made_by, CondensingRow.made_from)
        .where(CondensingRow.article_id == article_id)
        .order_by(CondensingRow.version)
    ).all()
    programs = [number for number, by, _ in rows if not by]
    edits = [(number, made_from) for number, by, made_from in rows if by]
    needed = {made_from for _, made_from in edits}
    needed |= {max((one for one in programs if one < edit), default=None) for edit, _ in edits}
    session.execute(
        delete(CondensingRow)
        .where(
            CondensingRow.article_id == article_id,
            CondensingRow.version.in_(
                [number for number in programs[:-PROGRAMS_KEPT] if number not in needed]
            ),
        )
        .execution_options(synchronize_session=False)
    )
