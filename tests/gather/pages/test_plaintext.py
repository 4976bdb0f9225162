from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.articles import Article, Block, BlockKind
from digest.gather.fetching.files import read_file
from digest.gather.pages.extract import read_plain_text

SEED = Path(__file__).parent.parent / "data" / "karpathy.txt"


def read(text: str) -> Article:
    return read_plain_text(text, url="https://horizon.example/a")


def test_the_saved_page_comes_out_right() -> None:
    article = read_plain_text(SEED.read_text("utf-8"), url="file:///saved.txt")
    outline = [(block.kind, block.text) for block in article.blocks if block.kind is not BlockKind.PARAGRAPH]
    assert article.title == "Andrej Karpathy Joins Anthropic and Bets on Research"
    assert article.language == "en"
    assert article.blocks[0].text.startswith("Andrej Karpathy joined Anthropic this week to lead a new team")
    assert outline == [
        (BlockKind.HEADING, "Key Takeaways"),
        (
            BlockKind.LIST_ITEM,
            "Andrej Karpathy joins Anthropic’s pre-training team to lead Claude-assisted R&D",
        ),
        (
            BlockKind.LIST_ITEM,
            "He co-founded OpenAI, led Tesla’s Autopilot program, then founded Eureka Labs in 2024",
        ),
        (
            BlockKind.LIST_ITEM,
            "The hire signals Anthropic is betting on AI-assisted research over raw compute power",
        ),
        (BlockKind.HEADING, "A Career That Spans the Defining Moments of Modern AI"),
        (BlockKind.HEADING, "Anthropic’s Bet: AI-Assisted Research Over Raw Compute"),
        (BlockKind.HEADING, "What This Hire Changes in the Dynamics Between Labs"),
    ]
    assert len(article.blocks) == 20
    assert article.blocks[-1].text.endswith("few observers anticipated a year ago.")
    assert "Andrej Karpathy" not in [block.text for block in article.blocks]


def test_nothing_around_the_saved_page_is_left() -> None:
    text = read_plain_text(SEED.read_text("utf-8"), url="file:///saved.txt").text
    for furniture in (
        "Also on",
        "Follow the story",
        "Comments",
        "No comments yet",
        "Leave a Reply",
        "Required fields",
        "email address",
    ):
        assert furniture not in text


def test_the_saved_page_is_known_for_plain_text() -> None:
    assert read_file(SEED).content_type == "text/plain"


def test_lines_wrapped_by_hand_make_one_paragraph() -> None:
    article = read("A title\n\nThe river rose\novernight and fell\nagain by noon.\n\nNobody was hurt.")
    assert [block.text for block in article.blocks] == [
        "The river rose overnight and fell again by noon.",
        "Nobody was hurt.",
    ]


def test_long_lines_are_paragraphs_of_their_own() -> None:
    one, two = "The council met on Monday and voted. " * 4, "On Tuesday the mayor signed the law. " * 4
    assert len(read(f"A title\n\n{one}\n{two}").blocks) == 2


def test_bullets_and_numbers_are_list_items_with_their_continuation_lines() -> None:
    article = read(
        "A title\n\nWhat changed:\n- the price, which\n  doubled\n* the name\n\n1. one\n2) two\n\nAnd so on."
    )
    assert [(block.kind, block.text) for block in article.blocks] == [
        (BlockKind.PARAGRAPH, "What changed:"),
        (BlockKind.LIST_ITEM, "the price, which doubled"),
        (BlockKind.LIST_ITEM, "the name"),
        (BlockKind.LIST_ITEM, "one"),
        (BlockKind.LIST_ITEM, "two"),
        (BlockKind.PARAGRAPH, "And so on."),
    ]


def test_a_short_line_before_text_is_a_heading_and_a_marked_one_always() -> None:
    article = read(
        "# A title\n\nFirst it rained.\n\nThen what?\n\nThen it snowed.\n\n## In the end ##\n\nIt melted."
    )
    assert article.title == "A title"
    assert [block.text for block in article.blocks if block.kind is BlockKind.HEADING] == [
        "Then what?",
        "In the end",
    ]


def test_a_lead_in_with_nothing_to_lead_to_goes() -> None:
    article = read("A title\n\nIt rained.\n\nIn this series:\n\nThe next part\n\nIt snowed.")
    assert [block.text for block in article.blocks] == ["It rained.", "The next part", "It snowed."]


def test_a_text_that_begins_with_a_sentence_takes_its_title_from_it() -> None:
    article = read("The river rose overnight and fell again by noon. Nobody was hurt.")
    assert article.title.startswith("The river rose overnight")
    assert article.blocks == (
        Block(BlockKind.PARAGRAPH, "The river rose overnight and fell again by noon. Nobody was hurt."),
    )


def test_an_empty_text_has_a_title_and_no_blocks() -> None:
    article = read_plain_text("", url="https://horizon.example/2026/the-river-rose")
    assert (article.title, article.blocks, article.language) == ("The river rose", (), None)


@given(st.text(max_size=400))
def test_any_text_makes_an_article_of_single_lines(text: str) -> None:
    article = read(text)
    assert article.title
    assert all(block.text == " ".join(block.text.split()) != "" for block in article.blocks)
