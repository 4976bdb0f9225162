"""What editors do to takeaways, and what it is refused for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.condense.editing import (
    LENGTH_MAX,
    Settled,
    edit_takeaways,
    release_takeaways,
    restore_takeaways,
)
from digest.condense.steps import condense, condense_again
from digest.domain.articles import Article, Block, BlockKind, Origin, Takeaway
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Excerpt, Source
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.articles import ArticleId, content_hash
from digest.store.condensed import Candidate, candidates_in
from digest.store.condensings import Condensing, Versions, outdated_edits, versions_of
from digest.store.database import reading, writing
from digest.store.newsletters import add_topic, change_newsletter
from digest.store.recording import record_article
from digest.store.sources import change_source
from digest.store.versioning import PROGRAMS_KEPT
from tests.stored import NOW, WINDOW, sample_article, stored_newsletter, stored_source

LATER = NOW + timedelta(minutes=5)
TOLD = (
    "Six turbines on the bed of the strait ran for a thousand days without a diver going down.",
    "A year of tide power now costs less than half of what the harbour paid for oil.",
    "The council will decide in March whether the next strait gets turbines of its own.",
    "Fishermen asked the ministry for a channel of forty metres between the second and third row.",
)
TIDES = sample_article(
    "tides", title="Tide power pays", blocks=tuple(Block(BlockKind.PARAGRAPH, one) for one in TOLD)
)


class Desk:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine, takeaways=2)
        self.source: Source = stored_source(engine, self.newsletter, "Meridian")
        self.gather(TIDES)
        self.condense()
        self.article: ArticleId = self.candidate.stored.id

    def gather(self, article: Article) -> None:
        with writing(self.engine) as session:
            record_article(session, self.newsletter.id, self.source.id, article, now=NOW)

    def condense(self) -> None:
        condense(self.engine, self.newsletter, now=NOW)

    def edit(self, *texts: str, by: str = "ada", made_from: int | None = None) -> Condensing:
        return edit_takeaways(self.engine, self.article, texts, by=by, now=NOW, made_from=made_from)

    def restore(self, version: int, *, seen: int | None = None, by: str = "ada") -> Settled:
        return restore_takeaways(self.engine, self.article, version, by=by, now=NOW, seen=seen)

    def release(self, *, seen: int | None = None, by: str = "ada") -> Settled:
        return release_takeaways(self.engine, self.article, by=by, now=LATER, seen=seen)

    def numbers(self) -> list[int]:
        return [one.version for one in self.versions.kept]

    @property
    def candidate(self) -> Candidate:
        with reading(self.engine) as session:
            (found,) = candidates_in(session, self.newsletter.id, WINDOW)
        return found

    @property
    def takeaways(self) -> tuple[Takeaway, ...]:
        return self.candidate.takeaways

    @property
    def versions(self) -> Versions:
        with reading(self.engine) as session:
            return versions_of(session, self.article)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_what_stays_word_for_word_keeps_its_origin_and_support(desk: Desk) -> None:
    first, second = desk.takeaways
    made = desk.edit(second.text, "  Tide power pays\n at last. ", first.text)
    mine = Takeaway("Tide power pays at last.", Origin.EDITOR, ())
    assert made.condensed.takeaways == (second, mine, first) == desk.takeaways
    assert (made.version, made.made_by, made.made_from, made.of) == (2, "ada", 1, content_hash(TIDES))
    assert desk.candidate.is_edited


def test_condensing_again_leaves_an_editors_takeaways_and_matches_topics_anew(desk: Desk) -> None:
    desk.edit("Mine")
    with writing(desk.engine) as session:
        desk.newsletter = change_newsletter(session, desk.newsletter.id, takeaways=1)
        power = Topic(TopicSlug("power"), "Power", rule=TopicRule(phrases=("tide power",)))
        add_topic(session, desk.newsletter.id, power)
    condense_again(desk.engine, desk.newsletter, since=WINDOW.start)
    desk.condense()
    assert [one.text for one in desk.takeaways] == ["Mine"]
    assert [match.slug for match in desk.candidate.topics] == ["power"]
    assert [len(one.condensed.takeaways) for one in desk.versions.kept] == [2, 1, 1]
    assert "condensing again gave other takeaways (version 3)" in desk.versions.outdated


def test_going_back_is_a_new_version_that_says_the_same(desk: Desk) -> None:
    before = desk.takeaways
    desk.edit("Mine")
    made = desk.restore(1).version
    assert (made.version, made.made_from, made.made_by) == (3, 1, "ada")
    assert desk.takeaways == before
    assert [one.version for one in desk.versions.kept] == [1, 2, 3]


def test_support_moves_with_the_words_into_a_changed_text(desk: Desk) -> None:
    first, second = desk.takeaways
    changed = [block for block in TIDES.blocks if block.text != first.text]
    new = replace(TIDES, blocks=(Block(BlockKind.PARAGRAPH, "Corrected on Monday."), *changed))
    desk.gather(new)
    desk.condense()
    gone, moved = desk.restore(1).version.condensed.takeaways
    assert (gone.origin, gone.support) == (first.origin, ())
    (span,) = moved.support
    assert new.text[span.start : span.end] == second.text
    assert desk.versions.outdated == ""


def test_an_editor_is_told_that_the_text_changed_until_they_look(desk: Desk) -> None:
    desk.edit("Mine")
    desk.gather(replace(TIDES, blocks=(*TIDES.blocks, Block(BlockKind.PARAGRAPH, "Corrected on Monday."))))
    assert desk.versions.outdated == "the article's text has changed since ada made version 2"
    desk.condense()
    assert "text has changed" in desk.versions.outdated
    desk.edit("Mine", "And Monday's", made_from=2)
    assert desk.versions.outdated == ""


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "a takeaway is empty"),
        (["One", " "], "a takeaway is empty"),
        ([f"Point {number}" for number in range(11)], "11 takeaways are more than 10"),
        (["x" * (LENGTH_MAX + 1)], f"is {LENGTH_MAX + 1} characters long"),
        (["One", "One "], "'One' is there twice"),
    ],
)
def test_what_is_no_list_of_takeaways_is_refused(desk: Desk, texts: list[str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        desk.edit(*texts)
    assert len(desk.versions.kept) == 1


def test_a_change_that_changes_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="has these very takeaways, as version 1"):
        desk.edit(*(one.text for one in desk.takeaways))


def test_going_back_to_what_holds_already_makes_no_version(desk: Desk) -> None:
    held = desk.versions.current
    assert desk.restore(1) == Settled(held, is_new=False)
    desk.edit("Mine")
    made = desk.restore(1)
    assert made.is_new
    assert desk.restore(1) == Settled(made.version, is_new=False)
    assert desk.restore(3, by="ben") == Settled(made.version, is_new=False)  # which undoes nobody's
    assert desk.numbers() == [1, 2, 3]


def test_a_text_that_is_changed_and_changed_back_is_none_to_look_at_again(desk: Desk) -> None:
    desk.edit("Mine")
    desk.gather(replace(TIDES, blocks=TIDES.blocks[1:]))
    desk.condense()
    assert "text has changed" in desk.versions.outdated
    desk.gather(TIDES)
    desk.condense()
    assert desk.numbers() == [1, 2, 3, 4]
    assert desk.versions.outdated == ""
    with reading(desk.engine) as session:
        assert outdated_edits(session, [desk.article]) == {}


def test_what_the_program_made_beside_an_edit_is_kept_to_compare_with(desk: Desk) -> None:
    desk.edit("Mine")
    for number in range(2 * PROGRAMS_KEPT):
        desk.gather(replace(TIDES, blocks=TIDES.blocks[number % 2 :]))
        desk.condense()
    assert desk.numbers()[:2] == [1, 2]
    desk.gather(TIDES)
    desk.condense()
    assert desk.versions.outdated == ""


def test_an_editor_says_that_what_holds_stays_though_the_text_has_changed(desk: Desk) -> None:
    desk.edit("Mine")
    desk.gather(replace(TIDES, blocks=TIDES.blocks[1:]))
    desk.condense()
    assert desk.restore(2).is_new
    assert [one.text for one in desk.takeaways] == ["Mine"]
    assert desk.versions.outdated == ""
    assert not desk.restore(2).is_new


def test_an_article_that_is_handed_back_is_renewed_by_the_next_condensing(desk: Desk) -> None:
    first = desk.takeaways
    desk.edit("Mine")
    settled = desk.release()
    assert (settled.is_new, settled.version.version, desk.takeaways) == (True, 1, first)
    released = desk.versions.get(2)
    assert (released.released_by, released.released_at) == ("ada", LATER)
    assert desk.versions.editors is None
    with writing(desk.engine) as session:
        desk.newsletter = change_newsletter(session, desk.newsletter.id, takeaways=1)
    desk.condense()
    assert (len(desk.takeaways), desk.versions.current.version) == (1, 3)
    assert not desk.candidate.is_edited
    assert desk.release() == Settled(desk.versions.current, is_new=False)
    desk.edit("Mine again")
    desk.condense()
    assert [one.text for one in desk.takeaways] == ["Mine again"]


def test_nobody_hands_back_anothers_version_or_one_they_did_not_see(desk: Desk) -> None:
    desk.edit("Ada's")
    with pytest.raises(Conflict, match=r"version 2 is ada's\..*--from-version 2"):
        desk.release(by="ben")
    with pytest.raises(Conflict, match="version 2 holds, not 1"):
        desk.release(by="ben", seen=1)
    assert desk.takeaways[0].text == "Ada's"
    assert desk.release(by="ben", seen=2).is_new
    assert desk.versions.get(2).released_by == "ben"


def test_who_edits_a_version_that_was_handed_back_meanwhile_is_told(desk: Desk) -> None:
    desk.edit("Ada's")
    desk.release()
    with pytest.raises(Conflict, match=r"ada handed version 2 back to the program, and version 1 holds"):
        desk.edit("Ada's and mine", by="ben", made_from=2)
    assert desk.restore(2, by="ben").version.made_from == 2
    assert [one.text for one in desk.takeaways] == ["Ada's"]


def test_terms_hold_over_a_version_that_is_handed_back(desk: Desk) -> None:
    desk.edit("Mine")
    with writing(desk.engine) as session:
        change_source(session, desk.source.id, excerpt=Excerpt.HEADLINE)
    condense_again(desk.engine, desk.newsletter, since=WINDOW.start)
    desk.condense()
    assert (desk.takeaways, desk.versions.editors and desk.versions.editors.version) == ((), 2)
    assert desk.release().version.version == 3
    with writing(desk.engine) as session:
        change_source(session, desk.source.id, excerpt=Excerpt.TAKEAWAYS)
    desk.condense()
    assert [one.origin for one in desk.takeaways] == [Origin.EXTRACTIVE] * 2


def test_another_editors_version_is_not_changed_unseen(desk: Desk) -> None:
    desk.edit("Ada's")
    with pytest.raises(Conflict, match=r"version 2 is ada's\..*--from-version 2"):
        desk.edit("Ben's", by="ben")
    with pytest.raises(Conflict, match="version 2, by ada, came in between"):
        desk.edit("Ben's", by="ben", made_from=1)
    with pytest.raises(Conflict, match="version 2, by ada, came in between"):
        desk.restore(1, seen=1)
    with pytest.raises(Conflict, match=r"version 2 is ada's\..*--from-version 2"):
        desk.restore(1, by="ben")
    assert desk.edit("Ada's", "Ben's", by="ben", made_from=2).version == 3
    desk.edit("Ben's alone", by="ben")


def test_a_version_that_is_not_there_is_refused(desk: Desk) -> None:
    for change in (lambda: desk.edit("Mine", made_from=7), lambda: desk.restore(7)):
        with pytest.raises(NotFound, match="has no version 7; there is: 1"):
            change()


def test_an_article_for_its_headline_alone_gets_no_takeaways_from_an_editor_either(desk: Desk) -> None:
    with writing(desk.engine) as session:
        change_source(session, desk.source.id, excerpt=Excerpt.HEADLINE)
    with pytest.raises(Conflict, match="Meridian is used for headline and link only"):
        desk.edit("Mine")
