"""Versions of an article's takeaways: what the program made, what editors made of it, and which one holds.

`digest.store.versioning` makes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Row,
    Select,
    String,
    Text,
    and_,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from digest.domain.articles import Condensed, Origin, Rejected, Span, Takeaway, Usage
from digest.domain.errors import NotFound
from digest.store.articles import KEYS_AT_ONCE, ArticleId, ArticleRow
from digest.store.base import Base, Json


class CondensingRow(Base):
    """A version of an article's takeaways. Versions count from 1, and no number is used twice.

    `made_by` is '' for the program, else the editor's name, and `made_from` the version that an editor
    changed or went back to. `content_hash` is that of the text it was made of. Tokens and cost (millionths of
    a US dollar) are what a language model's part came to: None when it had none. `released_by` handed an
    editor's back to the program ('': nobody did).
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
    released_by: Mapped[str] = mapped_column(String(200))
    released_at: Mapped[datetime | None]


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
    hash is `of`. An editor's that was handed back to the program holds no more: `released_by`, `released_at`.
    """

    version: int
    made_at: datetime
    made_by: str
    of: str
    condensed: Condensed
    made_from: int | None = None
    released_by: str = ""
    released_at: datetime | None = None


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
    def editors(self) -> Condensing | None:
        """The version of an editor's that goes before the program's, None when there is none.

        It holds, but where the article's terms leave nothing but its headline.
        """
        made = [one for one in self.kept if one.made_by]
        return made[-1] if made and not made[-1].released_by else None

    @property
    def outdated(self) -> str:
        """Say in words what has changed since an editor made the version that holds; '' for nothing."""
        programs = [one for one in self.kept if not one.made_by]
        known = [one for one in programs if one.version < self.current.version]
        return why_outdated(
            self.current,
            self.of,
            newest=programs[-1] if programs else None,
            known=known[-1] if known else None,
        )


def why_outdated(
    current: Condensing, text_now: str, *, newest: Condensing | None, known: Condensing | None
) -> str:
    """Say what changed since an editor made `current`: the text's hash, or what the program makes of it.

    `newest` is the program's newest version, `known` the one that was newest when the editor decided. A text
    that was changed and changed back gives what was known.
    """
    if not current.made_by:
        return ""
    if current.of != text_now:
        return f"the article's text has changed since {current.made_by} made version {current.version}"
    if newest is None or newest.version < current.version or (known and _says(known) == _says(newest)):
        return ""
    return (
        f"condensing again gave other takeaways (version {newest.version}) than those that {current.made_by} "
        f"edited: rules, settings or the model have changed"
    )


def _says(version: Condensing) -> tuple[list[str], str | None]:
    return [takeaway.text for takeaway in version.condensed.takeaways], version.condensed.why_none


def versions_of(session: Session, article_id: ArticleId) -> Versions:
    """Return an article's versions. Raises `NotFound` when it was not condensed yet."""
    row = session.execute(
        select(ArticleRow.takeaways_version, ArticleRow.content_hash).where(ArticleRow.id == article_id)
    ).one_or_none()
    rows = session.execute(_told().where(CondensingRow.article_id == article_id)).all()
    kept = tuple(version for _, version in _made_of(rows))
    if row is None or not kept:
        raise NotFound(f"article {article_id} was not condensed yet: 'digest condense NEWSLETTER' does that")
    held, of = row
    return Versions(article_id, next(one for one in kept if one.version == held), kept, of)


def get_version(session: Session, article_id: ArticleId, version: int) -> Condensing:
    """Return one version, which must be there."""
    query = _told().where(CondensingRow.article_id == article_id, CondensingRow.version == version)
    ((_, found),) = _made_of(session.execute(query).all())
    return found


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
    found: list[ArticleId] = []
    edit, newer = aliased(CondensingRow), aliased(CondensingRow)
    is_older = edit.content_hash != ArticleRow.content_hash
    has_newer = exists().where(newer.article_id == edit.article_id, newer.version > edit.version)
    for some in _pages(ids):
        rows = session.scalars(
            select(ArticleRow.id)
            .join(edit, and_(edit.article_id == ArticleRow.id, edit.version == ArticleRow.takeaways_version))
            .where(ArticleRow.id.in_(some), edit.made_by != "", or_(is_older, has_newer))
            .order_by(ArticleRow.id)
        )
        found.extend(map(ArticleId, rows))
    # Few are edited, and of these few changed: each may be read whole.
    told = {id_: versions_of(session, id_).outdated for id_ in found}
    return {id_: words for id_, words in told.items() if words}


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
    return Condensing(
        row.version,
        row.made_at,
        row.made_by,
        row.content_hash,
        Condensed(takeaways, row.why_none or None, rejected, _usage(row), row.note),
        row.made_from,
        row.released_by,
        row.released_at,
    )


def _takeaway(row: TakeawayRow) -> Takeaway:
    support = tuple(Span(start, end) for start, end in row.support)
    return Takeaway(row.text, Origin(row.origin), support, row.model, row.prompt)


def _usage(row: CondensingRow) -> Usage | None:
    if row.cost is None:
        return None
    return Usage(row.input_tokens or 0, row.output_tokens or 0, row.cost, bool(row.was_cached))
