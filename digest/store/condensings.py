"""Versions of an article's takeaways: what the program made, what editors made of it, and which one holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Row,
    Select,
    String,
    Text,
    and_,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Condensed, Origin, Rejected, Span, Takeaway, Usage
from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import NewsletterId
from digest.store.articles import KEYS_AT_ONCE, ArticleId, ArticleRow
from digest.store.base import Base, Json, storable

PROGRAMS_KEPT = 5
"""How many versions of the program's an article keeps, beside those that editors began with."""


class CondensingRow(Base):
    """A version of an article's takeaways. Versions count from 1, and no number is used twice.

    `made_by` is '' for the program, else the editor's name, and `made_from` the version that an editor
    changed or went back to. `content_hash` is that of the text it was made of. Tokens and cost (millionths of
    a US dollar) are what a language model's part came to: None when it had none.
    """

    __tablename__ = "condensings"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(200))
    made_from: Mapped[int | None]
    content_hash: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    why_none: Mapped[str] = mapped_column(Text)
    rejected: Mapped[list[list[str]]] = mapped_column(Json)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost: Mapped[int | None] = mapped_column(BigInteger)
    was_cached: Mapped[bool | None]


class TakeawayRow(Base):
    """A takeaway of a version, and the spans of the article's text that support it."""

    __tablename__ = "takeaways"
    __table_args__ = (
        ForeignKeyConstraint(
            ["article_id", "version"],
            ["condensings.article_id", "condensings.version"],
            name="fk_takeaways_version_condensings",
            ondelete="CASCADE",
        ),
    )

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    support: Mapped[list[list[int]]] = mapped_column(Json)
    model: Mapped[str] = mapped_column(String(200))
    prompt: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Condensing:
    """One version of an article's takeaways: when it was made, by whom ('' is the program), of which text.

    `made_from` is the version that an editor changed or went back to. Spans are places in the text whose
    hash is `of`.
    """

    version: int
    made_at: datetime
    made_by: str
    of: str
    condensed: Condensed
    made_from: int | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """An article's versions that are kept, oldest first, never none, and the number of the one that holds.

    `of` is the hash of the article's text as it is now.
    """

    article_id: ArticleId
    current: Condensing
    kept: tuple[Condensing, ...]
    of: str

    def get(self, version: int) -> Condensing:
        """Return one of them. Raises `NotFound`, which names those there are."""
        for one in self.kept:
            if one.version == version:
                return one
        there = ", ".join(str(one.version) for one in self.kept)
        raise NotFound(f"article {self.article_id} has no version {version}; there is: {there}")

    @property
    def outdated(self) -> str:
        """Say in words what has changed since an editor made the version that holds; '' for nothing."""
        newest = self.kept[-1]
        return _outdated(self.current, self.of, newest.version)


def _outdated(current: Condensing, text_now: str, newest: int) -> str:
    if not current.made_by:
        return ""
    if current.of != text_now:
        return f"the article's text has changed since {current.made_by} made version {current.version}"
    if newest > current.version:
        return (
            f"condensing again gave other takeaways (version {newest}) than those that {current.made_by} "
            f"edited: rules, settings or the model have changed"
        )
    return ""


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
    kept = next(_read(session, _one(article_id, current)))
    return Placed(version, is_beside=True, outdated=_outdated(kept, of, version))


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
        other = next(_read(session, _one(article_id, held)))
        raise Conflict(
            f"article {article_id}: version {held}, by {other.made_by or 'the program'}, came in between "
            f"(yours was made from version {seen}). Look at it with 'digest article takeaways {article_id}', "
            f"then try again with --from-version {held}; nothing was changed"
        )
    version = _next_version(session, article_id)
    made = Condensing(version, now, by, of, condensed, made_from)
    _insert(session, article_id, made)
    _let_hold(session, article_id, version)
    return made


def versions_of(session: Session, article_id: ArticleId) -> Versions:
    """Return an article's versions. Raises `NotFound` when it was not condensed yet."""
    row = session.execute(
        select(ArticleRow.takeaways_version, ArticleRow.content_hash).where(ArticleRow.id == article_id)
    ).one_or_none()
    kept = tuple(_read(session, CondensingRow.article_id == article_id))
    if row is None or not kept:
        raise NotFound(f"article {article_id} was not condensed yet: 'digest condense NEWSLETTER' does that")
    held, of = row
    return Versions(article_id, next(one for one in kept if one.version == held), kept, of)


def current_versions(session: Session, ids: Collection[ArticleId]) -> dict[ArticleId, Condensing]:
    """Return the version that holds of each of these articles that was condensed."""
    found: dict[ArticleId, Condensing] = {}
    for some in _pages(ids):
        query = _told().join(ArticleRow, ArticleRow.id == CondensingRow.article_id)
        held = CondensingRow.version == ArticleRow.takeaways_version
        found |= _made_of(session.execute(query.where(held, ArticleRow.id.in_(some))).all())
    return found


def outdated_edits(session: Session, ids: Collection[ArticleId]) -> dict[ArticleId, str]:
    """Say what changed since editors made the takeaways that hold, for those articles where something did."""
    newest: dict[ArticleId, tuple[int, str]] = {}
    for some in _pages(ids):
        rows = session.execute(
            select(ArticleRow.id, func.max(CondensingRow.version), ArticleRow.content_hash)
            .join(CondensingRow, CondensingRow.article_id == ArticleRow.id)
            .where(ArticleRow.id.in_(some))
            .group_by(ArticleRow.id, ArticleRow.content_hash)
        )
        newest |= {ArticleId(id_): (version, of) for id_, version, of in rows}
    held = current_versions(session, list(newest)).items()
    told = {id_: _outdated(one, newest[id_][1], newest[id_][0]) for id_, one in held}
    return {id_: words for id_, words in told.items() if words}


@dataclass(frozen=True, slots=True)
class Spent:
    """What models cost a newsletter: millionths of a US dollar, and when one first had a part."""

    cost: int = 0
    began_at: datetime | None = None


def spent_since(session: Session, newsletter_id: NewsletterId, since: datetime) -> Spent:
    """Return what language models cost a newsletter from a moment on."""
    cost, began_at = session.execute(
        select(func.sum(CondensingRow.cost), func.min(CondensingRow.made_at))
        .join(ArticleRow, ArticleRow.id == CondensingRow.article_id)
        .where(
            ArticleRow.newsletter_id == newsletter_id,
            CondensingRow.made_at >= since,
            CondensingRow.cost.is_not(None),
        )
    ).one()
    return Spent(int(cost or 0), began_at)


def _lock(session: Session, article_id: ArticleId) -> int | None:
    """Return the version that holds, which nobody else changes before this transaction ends."""
    return session.scalar(
        select(ArticleRow.takeaways_version).where(ArticleRow.id == article_id).with_for_update()
    )


def _find_newest(session: Session, article_id: ArticleId) -> Condensing | None:
    """Return the program's newest version."""
    newest = (
        select(func.max(CondensingRow.version))
        .where(CondensingRow.article_id == article_id, CondensingRow.made_by == "")
        .scalar_subquery()
    )
    at = and_(CondensingRow.article_id == article_id, CondensingRow.version == newest)
    return next(_read(session, at), None)


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
    return session.scalar(
        select(func.max(CondensingRow.version)).where(
            CondensingRow.article_id == article_id, CondensingRow.made_by != ""
        )
    )


def _insert(session: Session, article_id: ArticleId, made: Condensing) -> None:
    session.add(
        CondensingRow(
            article_id=article_id,
            version=made.version,
            made_at=made.made_at,
            made_by=made.made_by,
            made_from=made.made_from,
            content_hash=made.of,
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
    """Forget the program's versions beyond the newest few that nothing rests on."""
    if version <= PROGRAMS_KEPT:
        return
    rows = session.execute(
        select(CondensingRow.version, CondensingRow.made_by, CondensingRow.made_from)
        .where(CondensingRow.article_id == article_id)
        .order_by(CondensingRow.version)
    ).all()
    needed = {made_from for _, _, made_from in rows}
    programs = [number for number, by, _ in rows if not by][:-PROGRAMS_KEPT]
    session.execute(
        delete(CondensingRow)
        .where(
            CondensingRow.article_id == article_id,
            CondensingRow.version.in_([number for number in programs if number not in needed]),
        )
        .execution_options(synchronize_session=False)
    )


def _one(article_id: ArticleId, version: int) -> ColumnElement[bool]:
    return and_(CondensingRow.article_id == article_id, CondensingRow.version == version)


def _read(session: Session, which: ColumnElement[bool]) -> Iterator[Condensing]:
    """Yield the versions of one article that are asked for, oldest first."""
    yield from (made for _, made in _made_of(session.execute(_told().where(which)).all()))


def _pages(ids: Collection[ArticleId]) -> Iterator[Sequence[ArticleId]]:
    wanted = sorted(ids)
    yield from (wanted[start : start + KEYS_AT_ONCE] for start in range(0, len(wanted), KEYS_AT_ONCE))


def _told() -> Select[CondensingRow, TakeawayRow | None]:
    """Return versions with their takeaways, one row for each of these, or one alone where there is none."""
    same = and_(
        TakeawayRow.article_id == CondensingRow.article_id, TakeawayRow.version == CondensingRow.version
    )
    return (
        select(CondensingRow, TakeawayRow)
        .outerjoin(TakeawayRow, same)
        .order_by(CondensingRow.article_id, CondensingRow.version, TakeawayRow.position)
        .execution_options(populate_existing=True)
    )


def _made_of(
    rows: Iterable[Row[CondensingRow, TakeawayRow | None]],
) -> Iterator[tuple[ArticleId, Condensing]]:
    for row, group in groupby(rows, key=lambda pair: pair[0]):
        takeaways = tuple(_takeaway(takeaway) for _, takeaway in group if takeaway is not None)
        yield ArticleId(row.article_id), _condensing(row, takeaways)


def _condensing(row: CondensingRow, takeaways: tuple[Takeaway, ...]) -> Condensing:
    rejected = tuple(Rejected(text, why) for text, why in row.rejected)
    condensed = Condensed(takeaways, row.why_none or None, rejected, _usage(row), row.note)
    return Condensing(row.version, row.made_at, row.made_by, row.content_hash, condensed, row.made_from)


def _takeaway(row: TakeawayRow) -> Takeaway:
    support = tuple(Span(start, end) for start, end in row.support)
    return Takeaway(row.text, Origin(row.origin), support, row.model, row.prompt)


def _usage(row: CondensingRow) -> Usage | None:
    if row.cost is None:
        return None
    return Usage(row.input_tokens or 0, row.output_tokens or 0, row.cost, bool(row.was_cached))
