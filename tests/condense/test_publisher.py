import pytest

from digest.condense.publisher import find_published
from digest.domain.articles import Article, Block, BlockKind, Origin
from tests.condense.samples import article, heading, item, paragraph, supports

LONG = "The board met for nine hours on Tuesday and heard forty speakers, most of them against the plan. " * 4


def texts(source: Article) -> list[str]:
    return [takeaway.text for takeaway in find_published(source)]


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("en", "Key Takeaways"),
        ("en", "KEY POINTS:"),
        ("en", "TL;DR"),
        ("en", "What you need to know"),
        ("en", "At a glance"),
        ("de", "Das Wichtigste in Kürze"),
        ("de", "Darum geht’s"),
        ("fr", "L’essentiel"),
        ("fr", "Ce qu'il faut retenir"),
        ("es", "Lo esencial"),
        ("it", "In sintesi"),
        ("pt", "Em resumo"),
        ("nl", "In het kort"),
        ("pl", "W skrócie"),
        (None, "▸ In sintesi"),
    ],
)
def test_a_list_under_a_known_heading_is_the_publishers(language: str | None, label: str) -> None:
    source = article(
        paragraph(LONG),
        heading(label),
        item("One thing is done"),
        item("Another is at 5 %"),
        paragraph(LONG),
        language=language,
    )
    found = find_published(source)
    assert [takeaway.text for takeaway in found] == ["One thing is done", "Another is at 5 %"]
    assert [supports(source, takeaway) for takeaway in found] == ["One thing is done", "Another is at 5 %"]
    assert {takeaway.origin for takeaway in found} == {Origin.PUBLISHER}


@pytest.mark.parametrize(
    "blocks",
    [
        (paragraph("Key takeaways"), item("The first point"), item("The second point")),
        (heading("Key takeaways from the vote"), item("The first point"), item("The second point")),
        (
            heading("Key takeaways"),
            paragraph("Here is what matters:"),
            item("The first point"),
            item("The second point"),
        ),
        (heading("Key takeaways"), paragraph("• The first point"), paragraph("• The second point")),
        (heading("Key takeaways"), paragraph("• The first point • The second point")),
        (heading("Key takeaways"), paragraph("✅ The first point"), paragraph("✅ The second point")),
        (heading("Key takeaways"), paragraph("☑\ufe0f The first point"), paragraph("☑ The second point")),
        (heading("Key takeaways"), paragraph("•The first point"), paragraph("•The second point")),
        (heading("Key takeaways"), *map(item, ("The first point", "The second point", "The first point"))),
        (heading("Key takeaways"), paragraph("1. The first point"), paragraph("2. The second point")),
        (
            heading("Key takeaways"),
            item("– The first point"),
            item("– The second point"),
            heading("The vote"),
        ),
        (
            heading("Key takeaways"),
            paragraph("The first point"),
            paragraph("The second point"),
            heading("The vote"),
        ),
        (paragraph(LONG), heading("In brief"), paragraph("The first point"), paragraph("The second point")),
        (item("Key takeaways"), item("The first point"), item("The second point")),
        (heading("The 5 key takeaways"), item("The first point"), item("The second point")),
        (heading("What are the key takeaways?"), item("The first point"), item("The second point")),
        (paragraph("Key takeaways: • The first point • The second point"), paragraph(LONG)),
    ],
)
def test_lists_are_known_by_their_shape(blocks: tuple[Block, ...]) -> None:
    source = article(*blocks)
    found = find_published(source)
    assert [takeaway.text for takeaway in found] == ["The first point", "The second point"]
    assert [supports(source, takeaway) for takeaway in found] == ["The first point", "The second point"]


def test_a_number_in_a_list_is_what_the_item_says() -> None:
    days = ["10. Mai: Der Rat stimmt über die neue Mauer ab", "4. Juni: Der Bau der neuen Mauer beginnt"]
    assert texts(article(heading("Auf einen Blick"), *map(item, days))) == days


def test_a_label_may_stand_in_front_of_the_summary_itself() -> None:
    source = article(paragraph("TL;DR: The board voted for the wall. It costs $83 million."), paragraph(LONG))
    found = find_published(source)
    assert [takeaway.text for takeaway in found] == ["The board voted for the wall.", "It costs $83 million."]
    assert supports(source, found[1]) == "It costs $83 million."


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (heading("Key Takeaways"),),
        (heading("Key Takeaways"), paragraph(LONG), paragraph(LONG)),
        (heading("Key Takeaways"), paragraph("Short."), paragraph(LONG)),
        (heading("Key Takeaways"), paragraph("The vote was lost."), paragraph("Traders had asked for it.")),
        (heading("Key Takeaways"), heading("The vote"), item("The first point")),
        (heading("Also on Horizon"), item("The first point"), item("The second point")),
        (paragraph("In brief, the vote was lost."), item("The first point")),
        (paragraph("In brief"), paragraph("The vote was lost."), paragraph(LONG)),
        (heading("Key Takeaways"), *(item(f"Entry {number}") for number in range(40))),
        (heading("Key Takeaways"), item(LONG), item(LONG)),
        (paragraph("Summary: " + LONG * 3),),
        (paragraph("Summary judgment: the court ruled for the traders."), paragraph(LONG)),
        (heading("At a glance"), item("The vote"), heading("The vote"), paragraph(LONG)),
        (heading("Summary"), paragraph(LONG * 2), heading("The vote")),
        (item("Highlights"), paragraph(LONG)),
        (heading("What to know"), item("Who voted on it?"), item("Why is it late?"), paragraph(LONG)),
        (heading("Highlights"), item("Harbour"), item("Traffic"), item("Council"), paragraph(LONG)),
        (heading("At a glance"), item("Founded: 1972"), item("Members: 40,000"), paragraph(LONG)),
        (
            paragraph(LONG),
            Block(BlockKind.QUOTE, "TL;DR: The old plan was better, he wrote."),
            paragraph(LONG),
        ),
    ],
)
def test_what_only_looks_like_a_list_is_not_one(blocks: tuple[Block, ...]) -> None:
    assert texts(article(*blocks)) == []


@pytest.mark.parametrize(
    "blocks",
    [
        (heading("TL;DR"), paragraph("The board voted. It was close."), paragraph(LONG)),
        (paragraph("tl;dr"), paragraph("The board voted. It was close."), paragraph(LONG)),
        (paragraph("TL;DR The board voted. It was close."), paragraph(LONG)),
        (Block(BlockKind.QUOTE, "In short: The board voted. It was close."), paragraph(LONG)),
        (heading("Zusammenfassung"), paragraph("The board voted. It was close."), heading("The vote")),
    ],
)
def test_a_summary_in_prose_is_taken_sentence_by_sentence(blocks: tuple[Block, ...]) -> None:
    source = article(*blocks)
    found = find_published(source)
    assert [takeaway.text for takeaway in found] == ["The board voted.", "It was close."]
    assert [supports(source, takeaway) for takeaway in found] == ["The board voted.", "It was close."]


def test_a_box_of_other_stories_is_not_the_articles_own() -> None:
    others = (
        item("Singer separates from actress after seventeen years together"),
        item("Football champions dismiss their trainer following defeat"),
    )
    assert texts(article(paragraph(LONG), heading("In brief"), *others)) == []
    own = (item("The board met for nine hours on Tuesday"), item("Forty speakers were heard, most against"))
    assert len(texts(article(paragraph(LONG), heading("In brief"), *own))) == 2


def test_only_the_first_list_counts() -> None:
    source = article(
        heading("Key points"),
        item("The first point"),
        paragraph(LONG),
        heading("The bottom line"),
        item("Last"),
    )
    assert texts(source) == ["The first point"]
