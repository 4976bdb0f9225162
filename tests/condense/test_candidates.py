import pytest

from digest.condense.candidates import find_candidates
from digest.condense.language import get_language
from digest.domain.articles import Article, Block, BlockKind
from tests.condense.samples import HARBOUR, article, heading, item, paragraph


def texts(source: Article) -> list[str]:
    return [candidate.text for candidate in find_candidates(source, get_language(source.language))]


@pytest.mark.parametrize(
    "opening",
    [
        "(CNN)",
        "London (CNN) ",
        "PORT ELLERY, March 3 (Reuters) - ",
        "BERLIN (dpa/lnw) - ",
        "PARIS (AFP) — ",
        "MADRID (EFE).- ",
        "Lisboa, 12 nov. 2026 (Lusa) – ",
        "London, Sept. 12 (Reuters) - ",
        "PORT ELLERY — ",
        "WASHINGTON, D.C. -- ",
        "PORT ELLERY (Newswire) — ",
        "PORT ELLERY, Nov. 12, 2025 (KPE) -- ",
        "PORT ELLERY, Nov. 12, 2025 — ",
    ],
)
def test_a_dateline_is_taken_off_but_belongs_to_the_support(opening: str) -> None:
    source = article(paragraph(f"{opening}The board of the harbour voted."))
    (candidate,) = find_candidates(source, get_language("en"))
    assert candidate.text == "The board of the harbour voted."
    assert source.text[candidate.support.start : candidate.support.end] == source.text


@pytest.mark.parametrize(
    "sentence",
    [
        "Manchester United (MUFC) won the match on Sunday.",
        "NASA launched a probe to the moon on Sunday.",
        "The board - all nine - voted for the wall.",
        "NASA — the space agency — launched a probe.",
        "NASA (and ESA) — the two agencies — launched a probe.",
        "The news agency Reuters (Reuters) said the wall would be built.",
    ],
)
def test_what_only_resembles_a_dateline_stays(sentence: str) -> None:
    assert texts(article(paragraph(sentence))) == [sentence]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Read more: how the board of the harbour voted."),
        ("en", "Subscribe to our newsletter for more news like this."),
        ("en", "By Anna Example and Ben Sample in Port Ellery"),
        ("en", "The old quay at high water in March"),
        ("en", "A. Writer contributed to this report from the coast."),
        ("en", "Write to the desk at news@example.org with your story."),
        ("en", "The pair at the quay. Photo by Getty Images, all rights reserved."),
        ("en", "How the board of the harbour voted on Tuesday night ."),
        ("en", "The board set three conditions for the new wall:"),
        ("en", "The board of the harbour voted to build a wall along the […]"),
        ("de", "Die Försterin im Revier Hohenbuch. Bild: privat"),
        ("it", "Luca Modello durante una registrazione. Foto di Marta Esempio"),
        ("es", "Julia Muestra, en el estudio. / Pedro Modelo"),
        ("fr", "Le tracé de la ligne B. © Métropole de Valmerle"),
        ("pt", "2 de junho de 2026 · Equipa Rádio Aberta"),
        ("nl", "Tekst door Daan Proef, leestijd 4 minuten"),
        ("de", "Lesen Sie auch: Wie der Rat abgestimmt hat."),
        ("fr", "À lire aussi : comment le conseil a voté mardi."),
        ("es", "Lea también: cómo votó el consejo el martes."),
        ("pl", "Czytaj też: jak głosowała rada we wtorek."),
    ],
)
def test_what_speaks_of_the_page_is_left_out(language: str, line: str) -> None:
    assert texts(article(paragraph(line), language=language)) == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Comments by the minister angered the whole town."),
        ("en", "Also on Tuesday, the court heard the traders' claim."),
        ("de", "Anzeige gegen den Hafenmeister erstattete am Montag der Fischerverein."),
        ("es", "Sigue la búsqueda de los dos pescadores desaparecidos."),
        ("de", "Am 3. März 2026 öffnet das Museum."),
        ("nl", "Volgens de politie is de haven weer open."),
    ],
)
def test_news_that_opens_like_a_link_stays(language: str, sentence: str) -> None:
    assert texts(article(paragraph(sentence), language=language)) == [sentence]


def test_only_news_is_ranked_and_nothing_twice() -> None:
    sentence = "The board of the harbour voted for the wall."
    source = article(
        heading("The board of the harbour voted for it."),
        paragraph(sentence),
        paragraph(sentence),
        Block(BlockKind.QUOTE, "The board of the harbour voted in anger."),
        Block(BlockKind.CODE, "The code of the harbour is not a sentence."),
        heading("Key points"),
        item("The publisher of the page says this itself."),
    )
    assert texts(source) == [sentence]


def test_a_sentence_that_repeats_the_title_or_the_caption_is_left_out() -> None:
    assert (
        texts(article(paragraph("The board of the harbour voted."), title="The board of the harbour voted."))
        == []
    )


def test_positions_count_every_sentence() -> None:
    candidates = find_candidates(HARBOUR, get_language("en"))
    positions = [candidate.position for candidate in candidates]
    assert positions == sorted(set(positions))
    assert positions[0] == 0
    assert not any("Subscribe" in candidate.text or "Getty" in candidate.text for candidate in candidates)
