"""Subjects made of an issue's own headlines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.subjects import LONGEST, SUGGESTED, Headed, shortened, subjects_of
from digest.domain.topics import TopicSlug

CLIMATE, SPACE, FOOD = map(TopicSlug, ("climate", "space", "food"))


def test_the_first_headline_and_those_of_several_topics_are_suggested() -> None:
    items = [
        Headed("Spring tides reach the quay", CLIMATE),
        Headed("Another of the climate", CLIMATE),
        Headed("A comet, and what it carries", SPACE),
        Headed("Bread rises again: a report from the valley's seven bakeries", FOOD),
    ]
    assert subjects_of(items) == (
        "Spring tides reach the quay",
        "Spring tides reach the quay · A comet, and what it carries · Bread rises again",
        "Spring tides reach the quay, A comet, and what it carries",
        "A comet, and what it carries",
    )


def test_what_is_too_long_for_an_inbox_is_not_suggested() -> None:
    assert subjects_of([Headed("w" * (LONGEST + 1), CLIMATE)]) == ()
    assert subjects_of([]) == ()


def test_a_long_headline_is_shortened_where_it_breaks_and_never_within_a_part() -> None:
    assert shortened("Tides reach the quay.") == "Tides reach the quay"
    assert shortened("The harbour wall – and who is to pay for it in the end") == "The harbour wall"
    assert shortened("A headline that goes on and on without any break that one could use") == ""
    assert shortened("So: this is a headline whose first part says next to nothing at all") == ""


@given(
    st.lists(st.builds(Headed, st.text(max_size=120), st.sampled_from((CLIMATE, SPACE, FOOD))), max_size=8)
)
def test_suggestions_are_few_short_and_each_another(items: list[Headed]) -> None:
    suggested = subjects_of(items)
    assert len(suggested) == len(set(suggested)) <= SUGGESTED
    assert all(len(one) <= LONGEST for one in suggested)
