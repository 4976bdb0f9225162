from dataclasses import replace

import pytest

from digest.condense.llm import prompt
from digest.condense.llm.prompt import MOST_CHARACTERS, VERSION, version_of, write_prompt
from digest.domain.articles import Article, Block, BlockKind, Style
from tests.condense.samples import HARBOUR, article, paragraph


def written(source: Article, **overrides: object) -> prompt.Prompt:
    given: dict[str, object] = {"count": 3, "max_words": 20, "style": Style.NEUTRAL, "fence": "f00d"}
    return write_prompt(source, **(given | overrides))  # type: ignore[arg-type]


def test_a_prompt_has_orders_and_numbered_sentences_whose_places_are_known() -> None:
    asked = written(HARBOUR)
    lines = asked.material.splitlines()
    assert lines[:2] == ["BEGIN f00d", "Title: Port Ellery to build a flood wall"]
    assert lines[-1] == "END f00d"
    assert len(lines) == len(asked.sentences) + 3
    for line, place in zip(lines[2:-1], asked.sentences, strict=True):
        assert line.partition("] ")[2] == HARBOUR.text[place.start : place.end]
    assert "Write 3 takeaways" in asked.orders
    assert "no more than 20 words" in asked.orders
    assert "Write in English." in asked.orders


@pytest.mark.parametrize("name", ["_ORDERS", "_MATERIAL", "_STYLES", "_LANGUAGES", "SCHEMA"])
def test_the_version_changes_with_every_word_that_is_sent(name: str) -> None:
    names = ["_ORDERS", "_MATERIAL", "_STYLES", "_LANGUAGES", "SCHEMA"]
    parts = {each: getattr(prompt, each) for each in names}
    assert version_of(*parts.values()) == VERSION
    changed = parts[name] + "!" if isinstance(parts[name], str) else {**parts[name], "x": "!"}
    assert version_of(*(parts | {name: changed}).values()) != VERSION


def test_a_prompt_says_nothing_that_its_version_does_not_stand_for() -> None:
    """With another article, all that differs is the article."""
    first, second = written(HARBOUR), written(replace(HARBOUR, url="https://example.org/other", byline="X"))
    assert first == second


def test_a_long_article_is_shown_up_to_a_whole_sentence() -> None:
    sentences = [f"Sentence number {number} says something about the harbour." for number in range(2_000)]
    long = article(*map(paragraph, sentences))
    asked = written(long)
    assert MOST_CHARACTERS * 0.95 < len(asked.material) < MOST_CHARACTERS * 1.3
    assert asked.material.splitlines()[-2].endswith("about the harbour.")


def test_code_is_not_shown() -> None:
    asked = written(article(paragraph("The fix is one line."), Block(BlockKind.CODE, "rm -rf cache.")))
    assert "rm -rf" not in asked.material


def test_what_a_server_could_not_take_as_text_is_left_out() -> None:
    asked = written(article(paragraph("The wall\ud800 costs\x07 $83\u200b million.")))
    assert "[1] The wall costs $83 million." in asked.material
    asked.material.encode()


def test_braces_in_an_article_are_only_braces() -> None:
    asked = written(article(paragraph("The {fence} and {count} of {0} are set."), title="{title}"))
    assert "[1] The {fence} and {count} of {0} are set." in asked.material
    assert "Title: {title}" in asked.material
