from datetime import date

from digest.domain.addressing import NOTHING_BEFORE, Addressable, Before, Skip, Wishes
from digest.domain.feedback import Feedback
from digest.domain.issues import Edition, Outline
from digest.domain.less import Less, source_key
from digest.domain.subscribers import SkipReason
from digest.domain.topics import TopicSlug

A, B, C = map(TopicSlug, "abc")
ISSUE = Addressable(
    Outline((A, B, C), ((A,), (B, A), (A,), (B,))),
    date(2026, 11, 23),
    7,
    ("Meridian", "Harbour Post", "Meridian", "Meridian"),
)


def seen(less: Less, *follows: TopicSlug, told: frozenset[int] = frozenset()) -> str | SkipReason:
    found = ISSUE.for_reader(Wishes(frozenset(follows), less=less), Before(told=told))
    return found.key if isinstance(found, Edition) else found.reason


def test_a_muted_topic_counts_as_not_followed() -> None:
    muted = Less(muted=frozenset({A}))
    assert seen(Less(), A, B) == "a:0,2;b:1,3"
    assert seen(muted, A, B) == "b:1,3"
    assert seen(Less(muted=frozenset({B})), A, B) == "a:0,1,2", (
        "what is about both still comes under the other"
    )
    assert seen(muted, A) is SkipReason.WANTS_LESS


def test_of_a_topic_wanted_once_the_best_article_comes() -> None:
    assert seen(Less(single=frozenset({A})), A, B) == "a:0;b:1,3"
    assert seen(Less(single=frozenset({A})), A, B, told=frozenset({0})) == "a:2;b:1,3"


def test_nothing_of_a_source_is_nothing_by_any_spelling_of_its_spaces() -> None:
    assert seen(Less(sources=frozenset({source_key(" Meridian ")})), A, B) == "b:1"
    assert seen(Less(sources=frozenset({"Meridian", "Harbour Post"})), A, B) is SkipReason.WANTS_LESS


def test_who_gets_nothing_anyway_is_told_that_and_no_other_reason() -> None:
    muted = Less(muted=frozenset({C}))
    assert seen(muted, C) is SkipReason.NOTHING_FOLLOWED
    assert seen(muted) is SkipReason.NO_TOPICS
    everything = frozenset(range(4))
    assert seen(muted, A, C, told=everything) is SkipReason.ALL_SENT


def test_who_wants_less_of_nothing_gets_what_everybody_gets() -> None:
    other = Less(frozenset({C}), frozenset({C}), frozenset({"Nobody"}))
    assert ISSUE.for_reader(Wishes(frozenset({A, B}), less=other), NOTHING_BEFORE) == ISSUE.for_reader(
        Wishes(frozenset({A, B})), NOTHING_BEFORE
    )
    assert not isinstance(ISSUE.for_reader(Wishes(frozenset({A})), NOTHING_BEFORE), Skip)


def test_few_answers_lean_less_than_many() -> None:
    assert Feedback().leaning == 0
    assert 0 < Feedback(2, 0).leaning < Feedback(20, 0).leaning < 1
    assert Feedback(0, 20).leaning == -Feedback(20, 0).leaning
    assert Feedback(50, 50).leaning == 0
