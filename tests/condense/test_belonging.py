"""Who has a say in an article's topics: editors, rules, sources, parents, and what was learned."""

import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from digest.condense.steps import condense, condense_again
from digest.condense.topics.belonging import Grounds, topics_of
from digest.condense.topics.learned import Model
from digest.condense.topics.lessons import Lesson, lessons
from digest.condense.topics.steps import decide, learn, match_again
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicMatch, TopicRule, TopicSlug, Verdict
from digest.store.articles import ArticleId, StoredArticle
from digest.store.condensed import candidates_in
from digest.store.database import reading, writing
from digest.store.newsletters import change_topic, get_topic
from digest.store.topic_models import find_model
from tests.condense.samples import article
from tests.stored import NOW, WINDOW, sample_article, stored_article, stored_newsletter, stored_source

CLIMATE, ENERGY, GRID, SPORT = map(TopicSlug, ("climate", "energy", "grid", "sport"))
TREE = (
    Topic(CLIMATE, "Climate"),
    Topic(ENERGY, "Energy", rule=TopicRule(phrases=("energy",)), parent=CLIMATE),
    Topic(GRID, "Grid", rule=TopicRule(phrases=("grid",)), parent=ENERGY),
    Topic(SPORT, "Sport", rule=TopicRule(phrases=("grid",))),
)


def stored(title: str, *given: TopicSlug) -> StoredArticle:
    source = replace(article(), title=title)
    return StoredArticle(ArticleId(1), source, NOW, sources=(), story_id=None, given_topics=given)


def found(title: str, *verdicts: Verdict, given: tuple[TopicSlug, ...] = ()) -> dict[str, TopicMatch]:
    grounds = Grounds(TREE, verdicts={ArticleId(1): verdicts})
    return {match.slug: match for match in topics_of(stored(title, *given), grounds)}


def test_an_article_belongs_to_the_parents_of_its_topics_a_little_less() -> None:
    matches = found("Energy for all")
    assert list(matches) == [ENERGY, CLIMATE]
    assert matches[CLIMATE].reason == "belongs to Energy, part of Climate"
    assert matches[CLIMATE].score == pytest.approx(0.9 * matches[ENERGY].score)
    deep = found("The grid", Verdict(SPORT, False, "Ada"))
    assert list(deep) == [GRID, ENERGY, CLIMATE]
    assert deep[CLIMATE].reason == "belongs to Grid, part of Climate"


def test_an_editors_verdict_wins_over_every_rule() -> None:
    assert SPORT in found("The grid")
    matches = found("The grid", Verdict(SPORT, False, "Ada"), Verdict(CLIMATE, True, "Ada"))
    assert SPORT not in matches
    assert (matches[CLIMATE].score, matches[CLIMATE].reason) == (1.0, "Ada put it here")


def test_a_topic_that_an_editor_refused_is_not_inherited_either() -> None:
    assert list(found("Energy", Verdict(CLIMATE, False, "Ada"))) == [ENERGY]
    assert found("Energy", Verdict(ENERGY, False, "Ada")) == {}


def test_a_verdict_overrules_what_came_with_an_article_added_by_hand() -> None:
    assert list(found("Nothing", given=(SPORT,))) == [SPORT]
    assert found("Nothing", Verdict(SPORT, False, "Ada"), given=(SPORT,)) == {}


class Desk:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine, topics=TREE)
        self.source = stored_source(engine, self.newsletter, "Meridian")

    def add(self, path: str, title: str) -> ArticleId:
        return stored_article(
            self.engine, self.newsletter, self.source, sample_article(path, title=title), {SPORT: 0.8}
        )

    def topics(self) -> dict[int, list[str]]:
        with reading(self.engine) as session:
            return {
                one.stored.id: [match.slug for match in one.topics]
                for one in candidates_in(session, self.newsletter.id, WINDOW)
            }

    def decide(self, article_id: ArticleId, **said: tuple[str, ...]) -> list[str]:
        matches = decide(self.engine, self.newsletter, article_id, by="Ada", now=NOW, **said)  # type: ignore[arg-type]
        return [match.slug for match in matches]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_a_verdict_counts_at_once_and_survives_condensing_again(desk: Desk) -> None:
    number = desk.add("grid", "The starting grid")
    assert desk.decide(number, remove=(GRID,), add=(SPORT,)) == [SPORT]
    assert desk.topics() == {number: [SPORT]}
    condense_again(desk.engine, desk.newsletter, since=WINDOW.start)
    condense(desk.engine, desk.newsletter, now=NOW)
    assert desk.topics() == {number: [SPORT]}
    assert desk.decide(number, undo=(GRID, SPORT))[:2] == [GRID, SPORT]
    assert desk.decide(number, add=(GRID,)) == desk.decide(number, add=(GRID,))


def test_a_verdict_on_what_is_not_there_changes_nothing(desk: Desk) -> None:
    number = desk.add("grid", "The starting grid")
    with pytest.raises(NotFound, match="no topic 'moon'"):
        desk.decide(number, remove=(GRID,), add=("moon",))
    with pytest.raises(InvalidInput, match="'grid' is named twice"):
        desk.decide(number, remove=(GRID,), add=(GRID,))
    assert desk.topics() == {number: [SPORT]}


def test_changed_rules_are_matched_at_once_and_takeaways_stay(desk: Desk) -> None:
    number = desk.add("moon", "A lander on the moon")
    with writing(desk.engine) as session:
        topic = get_topic(session, desk.newsletter.id, SPORT)
        rule = TopicRule(query="moon NOT energy")
        change_topic(session, desk.newsletter.id, replace(topic, rule=rule, parent=CLIMATE, name="Moon"))
        assert get_topic(session, desk.newsletter.id, SPORT) == Topic(SPORT, "Moon", "", rule, CLIMATE)
    assert match_again(desk.engine, desk.newsletter, since=WINDOW.end) == 0
    assert match_again(desk.engine, desk.newsletter, since=WINDOW.start) == 1
    assert desk.topics() == {number: [SPORT, CLIMATE]}
    with reading(desk.engine) as session:
        (candidate,) = candidates_in(session, desk.newsletter.id, WINDOW)
    assert candidate.takeaways


BOATS = ("rowing", "sailing", "regatta", "oarsman", "rudder")


def test_what_editors_decide_teaches_what_no_rule_says(desk: Desk) -> None:
    pairs = [(one, other) for one in BOATS for other in BOATS if one != other]
    for number, (one, other) in enumerate(pairs[:-1]):
        desk.decide(desk.add(f"boat-{number}", f"{one} and {other}"), add=(SPORT,))
        desk.decide(desk.add(f"bread-{number}", f"flour and oven {number}"), remove=(SPORT,))
    assert learn(desk.engine, desk.newsletter) is True
    with reading(desk.engine) as session:
        early = find_model(session, desk.newsletter.id)
    assert early is not None
    assert Model.from_json(early.told).topics == {}
    last = desk.add("boat-last", "rudder and oarsman")
    desk.decide(last, add=(SPORT,))
    desk.decide(desk.add("bread-last", "flour and oven"), remove=(SPORT,))
    assert learn(desk.engine, desk.newsletter) is True
    assert learn(desk.engine, desk.newsletter) is False
    number = desk.add("new", "A regatta with rowing")
    match_again(desk.engine, desk.newsletter, since=WINDOW.start)
    with reading(desk.engine) as session:
        (new,) = (
            one for one in candidates_in(session, desk.newsletter.id, WINDOW) if one.stored.id == number
        )
    assert [match.slug for match in new.topics] == [SPORT]
    assert new.topics[0].reason == "like 20 articles that editors put here"


def lesson(desk: Desk) -> Lesson:
    """What was learned of boats, of which topic nothing else is known."""
    return next(one for one in lessons(desk.engine, desk.newsletter) if one.topic == SPORT)


def test_what_was_learned_is_told_with_its_examples_its_precision_and_its_words(desk: Desk) -> None:
    assert lesson(desk) == Lesson(SPORT, 0, 0, why_not="0 of 20 examples")
    pairs = [(one, other) for one in BOATS for other in BOATS if one != other]
    for number, (one, other) in enumerate(pairs):
        desk.decide(desk.add(f"boat-{number}", f"{one} and {other}"), add=(SPORT,))
        if number == 11:
            assert lesson(desk) == Lesson(SPORT, 12, 0, why_not="12 of 20 examples")
    assert lesson(desk).why_not == "0 of 20 examples of what does not belong here"
    for number in range(20):
        desk.decide(desk.add(f"bread-{number}", f"flour and oven {number}"), remove=(SPORT,))
    soon = lesson(desk)
    assert (soon.yes, soon.no, soon.why_not) == (20, 20, "it learns before the next articles are condensed")
    learn(desk.engine, desk.newsletter)
    told = lesson(desk)
    assert (told.yes, told.no, told.precision, told.why_not) == (20, 20, 1.0, "")
    assert set(BOATS) <= set(told.words)
    assert len(told.words) <= 10
    desk.decide(desk.add("boat-more", "rowing and rowing"), add=(SPORT,))
    assert lesson(desk).yes == 21


def test_a_topic_that_cannot_be_told_says_so(desk: Desk) -> None:
    for number in range(40):
        said = {"add": (SPORT,)} if number % 2 else {"remove": (SPORT,)}
        desk.decide(desk.add(f"one-{number}", "Something happened"), **said)
    learn(desk.engine, desk.newsletter)
    assert lesson(desk).why_not == "it was not right four times of five on articles held back"


def test_a_single_new_verdict_among_many_is_not_worth_learning_anew(desk: Desk) -> None:
    for number in range(25):
        desk.decide(desk.add(f"boat-{number}", f"Boat {number}"), add=(SPORT,))
    assert learn(desk.engine, desk.newsletter) is True
    desk.decide(desk.add("one", "One"), add=(SPORT,))
    assert learn(desk.engine, desk.newsletter) is False
    desk.decide(desk.add("two", "Two"), add=(SPORT,))
    assert learn(desk.engine, desk.newsletter) is True


def test_condensing_loads_no_library_that_learns() -> None:
    code = (
        "import digest.condense.steps, digest.cli.main, sys; print({'sklearn', 'scipy'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
