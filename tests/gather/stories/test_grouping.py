from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.stories import Labelled, read_labelled, score
from benchmarks.week import week
from digest.domain.articles import Article, Block, BlockKind
from digest.gather.stories.grouping import find_stories

MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)

BRIDGE = (
    "The new bridge over the Aller was opened on Monday after four years of work, said the mayor of Lindau.",
    "It carries two lanes for cars, a track for bicycles and, for the first time, rails for a tram.",
    "Engineers found in the second year that the northern pier stood on gravel and had to be rebuilt.",
    "That added eleven million to a price of sixty, which the state and the district share in equal parts.",
    "Lorries stay banned from the bridge until the road on the far bank has been strengthened next summer.",
)
LAGOON = (
    "A tidal lagoon off the coast was approved on Wednesday, ten years after its plans were first drawn.",
    "Its wall runs for nine kilometres and carries sixteen turbines which turn on flood and ebb alike.",
    "Anglers won a fish pass in the western end, after showing that eels would be caught in the blades.",
    "The plant will supply a hundred thousand homes and be paid only when wind and sun do not suffice.",
    "Quarries inland will send the stones by ship from a harbour that is to be dredged in the spring.",
)


def article(
    *lines: str,
    site: str = "one",
    title: str = "A title",
    language: str | None = "en",
    hours: float = 0,
) -> Article:
    path = sum(map(len, lines))
    blocks = tuple(Block(BlockKind.PARAGRAPH, line) for line in lines)
    published_at = MONDAY + timedelta(hours=hours)
    return Article(f"https://{site}.example/{path}", title, blocks, language, published_at)


def groups(articles: Sequence[Article]) -> list[tuple[int, ...]]:
    return [story.members for story in find_stories(articles)]


def labelled(*events: str) -> list[Labelled]:
    return [entry for entry in read_labelled() if entry.event in events]


def test_every_article_stands_in_exactly_one_story_in_order() -> None:
    articles = [article(*LAGOON), article(*BRIDGE), article(*LAGOON, site="two")]
    assert groups(articles) == [(0, 2), (1,)]
    assert groups([]) == []


def test_an_abridged_copy_belongs_to_its_story() -> None:
    abridged = article(BRIDGE[0], BRIDGE[2], site="two", title="Bridge open")
    assert groups([article(*BRIDGE), article(*LAGOON), abridged]) == [(0, 2), (1,)]


def test_a_story_retold_in_its_own_words_belongs_to_it() -> None:
    reports = [entry.article for entry in labelled("en:lumo-6", "en:vanta-fold")]
    assert groups(reports) == [(0, 1, 2, 5), (3, 4)]


def test_stories_of_different_languages_stay_apart() -> None:
    articles = [article(*BRIDGE), article(*BRIDGE, site="two", language="de")]
    assert groups(articles) == [(0,), (1,)]


def test_an_unknown_language_is_proved_by_shared_text_and_by_nothing_less() -> None:
    copy = article(*BRIDGE, site="two", language=None)
    assert groups([article(*BRIDGE), copy]) == [(0, 1)]
    first, second, *_ = (entry.article for entry in labelled("en:jeweller-raid"))
    assert groups([first, second]) == [(0, 1)]
    assert groups([first, replace(second, language=None)]) == [(0,), (1,)]


def test_an_unknown_language_joins_no_two_languages() -> None:
    three = [
        article(*BRIDGE, site=site, language=code) for site, code in (("a", "en"), ("b", "de"), ("c", None))
    ]
    assert sorted(map(len, groups(three))) == [1, 2]
    assert (0, 1) not in groups(three)


def test_what_a_series_prints_in_every_part_makes_no_story() -> None:
    standing = (
        "This is our weekly letter on what moved in the valley, gathered by the desk and sent on Friday.",
        "If you know of something that we ought to look into, write to the desk, and we will read it all.",
        "The desk is Anna, Ole and Mara, who have followed the valley's councils for over thirty years.",
    )
    parts = [
        article(*standing, BRIDGE[0], BRIDGE[1]),
        article(*standing, LAGOON[0], LAGOON[1]),
        article(*standing, LAGOON[3], BRIDGE[3]),
    ]
    assert groups(parts) == [(0,), (1,), (2,)]


def test_a_story_published_three_times_on_one_site_is_one_story() -> None:
    again = [article(*BRIDGE, title=title) for title in ("Open", "Bridge open", "Bridge open at last")]
    assert groups(again) == [(0, 1, 2)]


def test_articles_without_text_are_not_taken_for_each_other() -> None:
    assert groups([article(), article(), article("Short.")]) == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    "events",
    [
        ("en:ostrel-results", "en:brandt-results"),
        ("en:harwick-dunmoor", "en:astering-rill", "en:harwick-dunmoor-preview"),
        ("en:weather-monday", "en:weather-tuesday", "en:storm-ilse"),
        ("en:review-44", "en:review-45"),
        ("en:mill-fire", "en:mill-cause", "en:bakery-fire"),
        ("en:notice-arkwell", "en:notice-tellin"),
        ("en:quake-tessaly-ridge", "en:quake-solvane"),
        ("de:bahnstreik-beginn", "de:bahnstreik-einigung", "de:faehrstreik"),
        ("de:wernau-lindach", "de:wernau-lindach-vorschau", "de:gollstadt-hagen"),
        ("fr:match-serpois", "fr:match-morvans"),
        ("es:incendio-robledal", "es:incendio-naves"),
    ],
)
def test_one_subject_is_not_one_event(events: tuple[str, ...]) -> None:
    entries = labelled(*events)
    for members in groups([entry.article for entry in entries]):
        assert len({entries[index].event for index in members}) == 1


def test_the_labelled_reports_are_told_apart() -> None:
    entries = read_labelled()
    found = groups([entry.article for entry in entries])
    reached = score({pair for group in found for pair in combinations(group, 2)}, entries)
    assert reached.precision >= 0.97
    assert reached.recall >= 0.9


def test_a_report_a_week_later_is_another_story() -> None:
    first, second, *_ = (entry.article for entry in labelled("en:jeweller-raid"))
    later = replace(second, published_at=second.published_at and second.published_at + timedelta(days=7))
    assert groups([first, second]) == [(0, 1)]
    assert groups([first, later]) == [(0,), (1,)]


def test_a_roundup_that_has_two_stories_does_not_join_them() -> None:
    roundup = article(*BRIDGE, *LAGOON, site="two", hours=1)
    found = groups([article(*BRIDGE), article(*LAGOON), roundup])
    assert sorted(map(len, found)) == [1, 2]
    assert (0, 1) not in found


def test_the_same_text_under_two_addresses_is_a_copy_of_the_earlier() -> None:
    late, early = article(*BRIDGE, hours=5), article(*BRIDGE, site="two", title="Bridge open", hours=2)
    (story,) = find_stories([late, early])
    assert story.members == (0, 1)
    assert dict(story.copies) == {0: 1}


def test_the_beginning_of_a_text_is_a_copy_and_a_selection_from_it_is_not() -> None:
    beginning = article(*BRIDGE[:2], site="two", hours=1)
    selection = article(BRIDGE[0], BRIDGE[2], BRIDGE[4], site="three", hours=2)
    (story,) = find_stories([article(*BRIDGE), beginning, selection])
    assert story.members == (0, 1, 2)
    assert dict(story.copies) == {1: 0}


def test_reports_in_their_own_words_are_no_copies() -> None:
    (story,) = find_stories([entry.article for entry in labelled("en:lumo-6")])
    assert len(story.members) == 4
    assert not story.copies


SAMPLE = [
    *(entry.article for entry in labelled("en:lumo-6", "en:vanta-fold", "de:einbruch-museum")),
    article(*BRIDGE),
    article(*BRIDGE, site="two"),
    article(*BRIDGE[:3], site="three"),
    article(*BRIDGE, *LAGOON, site="four"),
    article(*LAGOON, site="five", language=None),
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(range(len(SAMPLE))))
def test_the_order_articles_come_in_decides_nothing(order: list[int]) -> None:
    def seen(places: Sequence[int]) -> set[tuple[frozenset[int], frozenset[tuple[int, int]]]]:
        stories = find_stories([SAMPLE[place] for place in places])
        return {
            (
                frozenset(places[member] for member in story.members),
                frozenset((places[copy], places[first]) for copy, first in story.copies.items()),
            )
            for story in stories
        }

    assert seen(order) == seen(range(len(SAMPLE)))


def test_a_generated_week_falls_into_the_stories_it_was_made_of() -> None:
    articles = week(400, words=200)
    found = [group for group in groups(articles) if len(group) > 1]
    agency = tuple(range(99, 400, 100))
    abridged = [(number - 12, number) for number in range(24, 400, 25) if number % 100 != 99]
    assert found == sorted([agency, *abridged])
