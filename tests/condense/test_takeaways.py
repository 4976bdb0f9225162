from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.condense.language import get_language
from digest.condense.standing import is_mid_quote, leans
from digest.condense.takeaways import condense_article
from digest.condense.words import count_words, words
from digest.domain.articles import Article, Block, BlockKind, Origin
from tests.condense.samples import HARBOUR, article, heading, item, paragraph, supports

RADWEGE = article(
    paragraph(
        "BERLIN (dpa) - Der Stadtrat hat am 3. Oktober den Bau von 42 Kilometern Radwegen "
        "beschlossen, die bis 2029 "
        "fertig sein sollen. Die Kosten betragen rund 18,5 Mio. Euro."
    ),
    paragraph(
        "„Das ist ein guter Tag“, sagte Bürgermeisterin Dr. Anna Beispiel. Sie rechnet mit 9.000 "
        "Radfahrern täglich."
    ),
    paragraph(
        "Allerdings kritisieren Händler den Wegfall von 600 Parkplätzen. Der Handelsverband fordert "
        "ein Gutachten, "
        "bevor der Bau der Radwege beginnt. Ein Gericht muss z. B. noch über zwei Klagen entscheiden."
    ),
    title="Stadtrat beschließt neue Radwege",
    language="de",
)


def texts(source: Article, count: int = 3, max_words: int = 35) -> list[str]:
    return [
        takeaway.text for takeaway in condense_article(source, count=count, max_words=max_words).takeaways
    ]


def test_the_takeaways_of_an_article_say_what_happened() -> None:
    assert texts(HARBOUR) == [
        "The harbour board of Port Ellery voted on Tuesday to build a 4.2 km flood wall along the old quay.",
        "The wall will cost $83 million and is due to be finished in 2029.",
        "The harbour flooded on 17 days last year.",
    ]


def test_german_takeaways_keep_dates_and_abbreviations_whole() -> None:
    assert texts(RADWEGE)[0] == (
        "Der Stadtrat hat am 3. Oktober den Bau von 42 Kilometern Radwegen beschlossen, die bis 2029 "
        "fertig sein sollen."
    )


@pytest.mark.parametrize("source", [HARBOUR, RADWEGE])
def test_every_takeaway_stands_alone_and_points_to_its_sentence(source: Article) -> None:
    language = get_language(source.language)
    for takeaway in condense_article(source, count=4).takeaways:
        assert takeaway.origin is Origin.EXTRACTIVE
        assert not leans(takeaway.text, language)
        assert not is_mid_quote(takeaway.text)
        assert set(words(takeaway.text)) <= set(words(supports(source, takeaway)))


def test_the_publishers_takeaways_come_first_and_whole() -> None:
    source = article(
        *HARBOUR.blocks, heading("Key Takeaways"), item("A wall of 4.2 km"), item("It costs $83 million")
    )
    condensed = condense_article(source, count=1)
    assert [takeaway.text for takeaway in condensed.takeaways] == ["A wall of 4.2 km", "It costs $83 million"]
    assert {takeaway.origin for takeaway in condensed.takeaways} == {Origin.PUBLISHER}
    assert condensed.why_none is None


def test_a_publishers_long_list_is_cut_at_five() -> None:
    source = article(heading("Key Takeaways"), *(item(f"Point {number} of the plan") for number in range(8)))
    assert len(texts(source)) == 5
    assert len(texts(source, count=7)) == 7


@pytest.mark.parametrize(("sentences", "expected"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 3), (20, 3)])
def test_a_short_article_gives_fewer_takeaways(sentences: int, expected: int) -> None:
    numbered = " ".join(f"Gauge {number} of harbour {number * 7} rose again." for number in range(sentences))
    assert len(texts(article(paragraph(numbered)))) == expected


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ((), "no text"),
        ((paragraph(" "),), "no text"),
        ((heading("Only a heading stands here today"),), "no full sentence"),
        ((paragraph("Subscribe to our newsletter for more news."),), "no full sentence"),
        ((paragraph("The board " + "of the harbour " * 20 + "voted."),), "longer than 35 words"),
    ],
)
def test_an_article_without_takeaways_says_why(blocks: tuple[Block, ...], reason: str) -> None:
    condensed = condense_article(article(*blocks))
    assert condensed.takeaways == ()
    assert reason in (condensed.why_none or "")


def test_long_sentences_crowd_out_no_short_one() -> None:
    long = [
        paragraph(f"The wall of the harbour of Port Ellery {number} {'at the quay ' * 12}.")
        for number in range(60)
    ]
    source = article(*long, paragraph("A court is to hear the claim in March."))
    assert texts(source, max_words=12) == ["A court is to hear the claim in March."]


@pytest.mark.parametrize("limits", [{"count": 0}, {"max_words": 0}])
def test_a_limit_below_one_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        condense_article(HARBOUR, **limits)


def test_the_same_matter_is_not_told_twice() -> None:
    again = article(
        paragraph("The board of the harbour voted on Tuesday to build a flood wall at the quay."),
        paragraph("On Tuesday the board of the harbour voted to build a flood wall at the old quay."),
        paragraph("Traders of the fish market lose six million dollars in two seasons."),
        paragraph("Judges hear the claim of all traders in March."),
    )
    assert len([text for text in texts(again, count=2) if "voted" in text]) == 1


KINDS = st.sampled_from(list(BlockKind))
PIECES = st.sampled_from(
    [
        "The board voted",
        "However,",
        "But",
        " (in 2004)",
        ", which cost 3.5 million",
        ".",
        "! ",
        "? ",
        "“",
        "”",
        '"',
        "(",
        ")",
        "Key Takeaways",
        "TL;DR:",
        "• ",
        "İstanbul",
        "ßtraße",
        "ı",
        "中国は可決した。",
        "हिन्दी।",
        "\u0301",
        "\n",
        " ",
        "3 (x).5",
        "US",
        "d’État",
        "—",
        "officials said that the harbour flooded again last winter",
    ]
)
BLOCKS = st.lists(
    st.builds(Block, KINDS, st.lists(PIECES | st.text(max_size=8), max_size=12).map(" ".join)), max_size=6
)


@settings(max_examples=250, deadline=None)
@given(
    blocks=BLOCKS,
    language=st.sampled_from([None, "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "tlh"]),
    count=st.integers(1, 6),
    max_words=st.integers(1, 40),
)
def test_whatever_the_text_takeaways_keep_their_promises(
    blocks: list[Block], language: str | None, count: int, max_words: int
) -> None:
    source = article(*blocks, language=language)
    condensed = condense_article(source, count=count, max_words=max_words)
    assert condensed == condense_article(source, count=count, max_words=max_words)
    assert (condensed.why_none is None) == bool(condensed.takeaways)
    for takeaway in condensed.takeaways:
        assert takeaway.support
        assert all(0 <= span.start < span.end <= len(source.text) for span in takeaway.support)
        supported = supports(source, takeaway)
        if takeaway.origin is Origin.PUBLISHER:
            assert takeaway.text == supported
        else:
            assert not Counter(words(takeaway.text)) - Counter(words(supported))
            assert count_words(takeaway.text) <= max_words
