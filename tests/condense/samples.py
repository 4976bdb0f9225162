"""Articles written for these tests, and short ways to make more."""

from __future__ import annotations

from digest.domain.articles import Article, Block, BlockKind, Takeaway


def heading(text: str) -> Block:
    return Block(BlockKind.HEADING, text)


def paragraph(text: str) -> Block:
    return Block(BlockKind.PARAGRAPH, text)


def item(text: str) -> Block:
    return Block(BlockKind.LIST_ITEM, text)


def article(
    *blocks: Block,
    title: str = "A title that no sentence repeats",
    language: str | None = "en",
    categories: tuple[str, ...] = (),
) -> Article:
    return Article("https://example.org/article", title, blocks, language, categories=categories)


def supports(source: Article, takeaway: Takeaway) -> str:
    """What stands in the article's text where the takeaway says its support is."""
    return " ".join(source.text[span.start : span.end] for span in takeaway.support)


HARBOUR = article(
    paragraph(
        "Port Ellery (Reuters) - The harbour board of Port Ellery voted on Tuesday to build a 4.2 km "
        "flood wall "
        "along the old quay, ending nine years of argument over how to protect the town. The wall will cost "
        "$83 million and is due to be finished in 2029."
    ),
    paragraph(
        '"We could not wait for another winter," said Dr. Ines Amaro, who chairs the board. '
        "She said the vote was the hardest of her career."
    ),
    heading("What it means for the quay"),
    paragraph(
        "However, the flood wall will close the fish market for two seasons, which its traders say "
        "will cost them "
        "$6 million. They want the board to pay. A court is to hear their claim in March."
    ),
    paragraph(
        "Engineers measured the sea at Port Ellery 31 cm above its level of 1990 (the gauge was "
        "moved in 2004). "
        "The harbour flooded on 17 days last year. It had flooded on two days in 1990."
    ),
    paragraph("Would a barrier have been cheaper? The board never asked for a price."),
    paragraph("Subscribe to our newsletter for more news from the coast."),
    paragraph("Photo: the old quay at high water. Getty Images"),
    title="Port Ellery to build a flood wall",
)
