from __future__ import annotations

import random

from digest.domain.articles import Article, Block, BlockKind
from digest.gather.duplicates import group_stories
from tests.speed import costs_at_most

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


def article(*lines: str, site: str = "one", title: str = "A title", language: str | None = "en") -> Article:
    path = abs(hash(lines)) % 10**9
    blocks = tuple(Block(BlockKind.PARAGRAPH, line) for line in lines)
    return Article(url=f"https://{site}.example/{path}", title=title, blocks=blocks, language=language)


def test_every_article_stands_in_exactly_one_group_in_order() -> None:
    articles = [article(*LAGOON), article(*BRIDGE), article(*LAGOON, site="two")]
    assert group_stories(articles) == [(0, 2), (1,)]
    assert group_stories([]) == []


def test_an_abridged_copy_belongs_to_its_story() -> None:
    abridged = article(BRIDGE[0], BRIDGE[2], site="two", title="Bridge open")
    assert group_stories([article(*BRIDGE), article(*LAGOON), abridged]) == [(0, 2), (1,)]


def test_a_story_told_in_other_words_of_the_same_matter_belongs_to_it() -> None:
    retold = article(
        "Lindau's mayor opened the bridge over the Aller on Monday after four years of work. There are lanes",
        "for cars, a track for bicycles, and rails on which a tram will cross for the first time.",
        "The northern pier had to be rebuilt when engineers met gravel in the second year of the work.",
        "State and district share the price, sixty million and eleven added, in equal parts between them.",
        "Until the road on the far bank is strengthened next summer, lorries are banned from the bridge.",
        site="two",
    )
    assert group_stories([article(*BRIDGE), retold, article(*LAGOON)]) == [(0, 1), (2,)]


def test_stories_of_different_languages_stay_apart() -> None:
    articles = [article(*BRIDGE), article(*BRIDGE, language="de"), article(*BRIDGE, language=None)]
    assert group_stories(articles) == [(0,), (1,), (2,)]


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
    assert group_stories(parts) == [(0,), (1,), (2,)]


def test_a_story_published_three_times_on_one_site_is_one_story() -> None:
    again = [article(*BRIDGE, title=title) for title in ("Open", "Bridge open", "Bridge open at last")]
    assert group_stories(again) == [(0, 1, 2)]


def test_articles_without_text_are_not_taken_for_each_other() -> None:
    assert group_stories([article(), article(), article("Short.")]) == [(0,), (1,), (2,)]


def test_five_hundred_articles_are_grouped_within_seconds() -> None:
    words = [f"word{number}" for number in range(20_000)]
    chance = random.Random(7)
    week = [article(" ".join(chance.choices(words, k=300)), site=f"s{n}") for n in range(450)]
    week += [article(week[n].text, site="copy") for n in range(50)]
    with costs_at_most(10):
        groups = group_stories(week)
    assert [group for group in groups if len(group) > 1] == [(n, 450 + n) for n in range(50)]
