"""Versions of takeaways: which holds, what a change of an editor's is refused for, what is kept."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select

from digest.domain.articles import Condensed, Origin, Rejected, Span, Takeaway, Usage
from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import Newsletter
from digest.store.articles import ArticleId, ArticleRow, content_hash
from digest.store.condensings import (
    Condensing,
    TakeawayRow,
    Versions,
    current_versions,
    outdated_edits,
    versions_of,
)
from digest.store.database import reading, writing
from digest.store.recording import record_article
from digest.store.versioning import PROGRAMS_KEPT, Placed, record_edit, record_version
from tests.stored import NOW, sample_article, stored_article, stored_newsletter, stored_source

ARTICLE = sample_article("tides")
OF = content_hash(ARTICLE)
LATER = NOW + timedelta(minutes=5)


def told(*texts: str, origin: Origin = Origin.EXTRACTIVE, model: str = "") -> Condensed:
    takeaways = tuple(Takeaway(text, origin, (Span(0, 4),), model, "p1" if model else "") for text in texts)
    return Condensed(takeaways, None if texts else "the article has no text")


class Desk:
    """A newsletter's one article, condensed once, and what program and editors do to its takeaways."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        source = stored_source(engine, self.newsletter, "Meridian")
        self.article: ArticleId = stored_article(engine, self.newsletter, source, ARTICLE)

    def program(self, condensed: Condensed, *, of: str = OF, is_withheld: bool = False) -> Placed:
        with writing(self.engine) as session:
            return record_version(session, self.article, condensed, of=of, now=LATER, is_withheld=is_withheld)

    def edit(self, *texts: str, seen: int, by: str = "ada") -> Condensing:
        with writing(self.engine) as session:
            condensed = told(*texts, origin=Origin.EDITOR)
            return record_edit(
                session, self.article, condensed, seen=seen, made_from=seen, of=OF, by=by, now=LATER
            )

    @property
    def versions(self) -> Versions:
        with reading(self.engine) as session:
            return versions_of(session, self.article)

    @property
    def texts(self) -> list[str]:
        return [takeaway.text for takeaway in self.versions.current.condensed.takeaways]

    def numbers(self) -> Sequence[int]:
        return [one.version for one in self.versions.kept]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_all_of_a_condensing_comes_back(desk: Desk) -> None:
    made = Condensed(
        told("One", "Two", model="m-1").takeaways,
        rejected=(Rejected("Three", "'12' is not in the article"),),
        usage=Usage(900, 80, 1234),
        note="half of it",
    )
    assert desk.program(made) == Placed(2)
    assert desk.versions.current == Condensing(2, LATER, "", OF, made)
    assert desk.numbers() == [1, 2]


def test_the_same_takeaways_of_the_same_text_are_no_new_version(desk: Desk) -> None:
    first = replace(told("One", model="m-1"), usage=Usage(10, 2, 30))
    assert desk.program(first).version == 2
    again = replace(first, usage=Usage(11, 3, 40), note="asked twice")
    assert desk.program(again).version == 2
    assert desk.versions.current.condensed == replace(again, usage=Usage(21, 5, 70))
    assert desk.program(replace(again, usage=Usage(0, 0, 0, was_cached=True))).version == 2
    assert desk.versions.current.condensed.usage == Usage(21, 5, 70)
    assert desk.program(told("One"), of=OF).version == 3  # by no model any more
    assert desk.program(told("One"), of="f" * 64).version == 4


def test_an_editors_version_holds_and_the_programs_go_beside_it(desk: Desk) -> None:
    desk.edit("Mine", seen=1)
    assert desk.versions.current.made_by == "ada"
    assert desk.versions.outdated == ""
    placed = desk.program(told("Other"))
    assert (placed.version, placed.is_beside) == (3, True)
    assert "version 3" in placed.outdated
    assert desk.texts == ["Mine"]
    assert desk.numbers() == [1, 2, 3]
    assert desk.versions.outdated == placed.outdated


def test_an_editor_is_told_that_the_text_has_changed(desk: Desk) -> None:
    desk.edit("Mine", seen=1)
    with writing(desk.engine) as session:
        session.get_one(ArticleRow, desk.article).content_hash = "f" * 64
    assert desk.versions.outdated == "the article's text has changed since ada made version 2"
    with reading(desk.engine) as session:
        assert outdated_edits(session, [desk.article]) == {desk.article: desk.versions.outdated}


def test_what_holds_of_many_articles_is_read_at_once(desk: Desk) -> None:
    source = stored_source(desk.engine, desk.newsletter, "Northlight")
    other = stored_article(desk.engine, desk.newsletter, source, sample_article("fog"), origin=None)
    desk.edit("Mine", seen=1)
    with reading(desk.engine) as session:
        found = current_versions(session, [other, desk.article])
        assert {id_: one.version for id_, one in found.items()} == {desk.article: 2, other: 1}
        assert found[other].condensed == Condensed((), "the article has no text")
        assert outdated_edits(session, [other, desk.article]) == {}


def test_terms_go_before_an_editors_version_and_give_it_back(desk: Desk) -> None:
    desk.edit("Mine", seen=1)
    desk.program(Condensed((), "its publisher reserves it"), is_withheld=True)
    assert (desk.texts, desk.versions.current.version) == ([], 3)
    desk.program(told("Anew"))
    assert desk.texts == ["Mine"]


def test_a_change_is_refused_when_another_version_came_in_between(desk: Desk) -> None:
    desk.edit("Ada's", seen=1)
    with pytest.raises(Conflict, match=r"version 2, by ada, came in between.*--from-version 2"):
        desk.edit("Ben's", seen=1, by="ben")
    assert desk.texts == ["Ada's"]
    assert desk.edit("Both", seen=2, by="ben").version == 3
    with pytest.raises(NotFound, match="has no version 9; there is: 1, 2, 3"):
        desk.versions.get(9)


def test_a_programs_version_that_holds_counts_as_one_in_between(desk: Desk) -> None:
    desk.program(told("Other"))
    with pytest.raises(Conflict, match="version 2, by the program"):
        desk.edit("Mine", seen=1)


def test_of_editors_who_save_at_once_one_wins_and_the_others_are_told(desk: Desk) -> None:
    together = Barrier(4)

    def save(number: int) -> int:
        together.wait()
        try:
            return desk.edit(f"By {number}", seen=1, by=f"editor {number}").version
        except Conflict:
            return 0

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(save, range(4)))
    assert sorted(made) == [0, 0, 0, 2]
    assert desk.texts == [f"By {made.index(2)}"]


def test_program_and_editor_at_once_lose_nothing(desk: Desk) -> None:
    together = Barrier(2)

    def edit() -> bool:
        together.wait()
        try:
            desk.edit("Mine", seen=1)
        except Conflict:
            return False
        return True

    def condense() -> None:
        together.wait()
        desk.program(told("Other"))

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            saved, condensed = pool.submit(edit), pool.submit(condense)
            condensed.result()
        if saved.result():
            assert desk.texts == ["Mine"]
        assert len(desk.versions.kept) == len(set(desk.numbers()))
        together.reset()


def test_the_program_keeps_its_newest_few_and_what_editors_began_with(desk: Desk) -> None:
    desk.edit("Mine", seen=1)
    for number in range(10):
        desk.program(told(f"Take {number}"))
    newest = list(range(13 - PROGRAMS_KEPT, 13))
    assert desk.numbers() == [1, 2, *newest]
    with reading(desk.engine) as session:
        rows = session.scalar(select(func.count()).select_from(TakeawayRow))
    assert rows == len(desk.numbers())
    assert desk.edit("Again", seen=2).version == 13


def test_an_article_that_was_not_condensed_has_nothing_to_change(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    source = stored_source(engine, newsletter, "Meridian")
    with writing(engine) as session:
        record_article(session, newsletter.id, source.id, ARTICLE, now=NOW)
    with reading(engine) as session, pytest.raises(NotFound, match="was not condensed yet"):
        versions_of(session, ArticleId(1))
