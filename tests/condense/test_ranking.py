from collections.abc import Sequence

import pytest

from digest.condense.model import fitted
from digest.condense.ranking import JOINT, SINGLE, Option, Subject, choose

WORDS = ("wall", "vote", "cost", "fish", "court", "gauge", "storm", "quay")


def option(source: int, stems: Sequence[str], *, length: int = 15, against: float = 0.0) -> Option:
    return Option(" ".join(stems), source, source, frozenset(stems), length, against=against)


def subject(**worth: float) -> Subject:
    return Subject(
        dict.fromkeys(WORDS, 2), {word: worth.get(word, 0.1) for word in WORDS}, [], frozenset(), 20
    )


def chosen(options: Sequence[Option], about: Subject, count: int = 3) -> list[int]:
    return [one.source for one in choose(options, about, count, fitted().sets)]


def test_every_feature_has_a_weight_and_no_weight_is_left_over() -> None:
    assert set(fitted().sets) == {*SINGLE, *JOINT}


def test_sentences_that_together_cover_most_are_chosen_in_order() -> None:
    options = [
        option(4, ("wall", "vote")),
        option(5, ("cost", "fish")),
        option(6, ("wall", "vote")),
        option(7, ("court", "gauge")),
    ]
    worth = dict.fromkeys(("wall", "vote", "cost", "fish", "court", "gauge"), 0.5)
    assert chosen(options, subject(**worth)) in ([4, 5, 7], [5, 6, 7])


def test_one_sentence_is_never_told_in_two_forms() -> None:
    options = [option(1, ("wall", "vote")), option(1, ("wall",), length=9), option(2, ("cost",))]
    assert chosen(options, subject()) == [1, 2]


def test_what_speaks_against_a_sentence_counts() -> None:
    options = [option(place, (word,), against=9.0 * (place == 0)) for place, word in enumerate(WORDS[:4])]
    assert chosen(options, subject()) == [1, 2, 3]


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 1), (2, 2), (5, 5), (8, 8), (12, 8)])
def test_as_many_as_asked_for_where_there_are_so_many(count: int, expected: int) -> None:
    options = [option(place, (word,)) for place, word in enumerate(WORDS)]
    places = chosen(options, subject(), count)
    assert len(places) == len(set(places)) == expected
    assert places == sorted(places)


def test_nothing_to_choose_from_is_no_takeaway() -> None:
    assert chosen([], subject()) == []
