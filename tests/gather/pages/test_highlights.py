from __future__ import annotations

import pytest

from digest.domain.articles import BlockKind
from digest.gather.markup import parsed_text
from digest.gather.pages.highlights import Highlights, find_highlights
from digest.gather.pages.survey import Survey
from tests.gather.pages.samples import examine, prose
from tests.gather.pages.takeaway_pages import ORDINARY, SUMMARIES, WAYS_ELSEWHERE


def found_in(markup: str) -> Highlights | None:
    tree = parsed_text(f"<html><body><article><h1>A bridge</h1>{markup}{prose()}</article></body></html>")
    return find_highlights(tree, Survey(tree))


@pytest.mark.parametrize("shape", SUMMARIES)
def test_a_summary_is_found_word_for_word_in_every_shape(shape: str) -> None:
    box, heading, points = SUMMARIES[shape]
    found = found_in(box)
    assert found is not None
    assert (found.heading, found.items) == (heading, points)


@pytest.mark.parametrize("shape", SUMMARIES)
def test_an_article_has_each_point_of_a_summary_once_and_nothing_else_of_its_box(shape: str) -> None:
    box, heading, points = SUMMARIES[shape]
    blocks = examine(body=prose(1) + box + prose()[len(prose(1)) :]).article.blocks
    summary = [(BlockKind.HEADING, heading), *((BlockKind.LIST_ITEM, point) for point in points)]
    others = [block for block in blocks if not block.text.startswith("The council of the valley")]
    if shape == "the label is a term":
        others = [block for block in others if block.text not in ("Past", "Plans are old.")]
    assert [(block.kind, block.text) for block in others] == summary


@pytest.mark.parametrize("what", ORDINARY)
def test_what_only_looks_like_a_summary_is_none(what: str) -> None:
    assert found_in(prose(2) + ORDINARY[what]) is None


@pytest.mark.parametrize(
    ("language", "line"), [(language, line) for language, lines in WAYS_ELSEWHERE.items() for line in lines]
)
def test_what_leads_elsewhere_is_no_point(language: str, line: str) -> None:
    points = ("The bridge opens to walkers in May.", "It cost twice the sum of the first plan.")
    found = found_in(f"<h3>Key points</h3><ul><li>{points[0]}</li><li>{line}</li><li>{points[1]}</li></ul>")
    assert found is not None
    assert found.items == points


@pytest.mark.parametrize(
    "point",
    [
        "Share prices of the builder fell by a tenth on Friday.",
        "Subscribers to the toll pass pay half.",
        "Signs of rust were found in three of the piers.",
        "The newsletter of the council names the builder.",
        "Read more than once, the contract says nothing of trams.",
        "More than 400 people follow the works on the web.",
        "Related works cost another 9 million crowns.",
        "Video of the collapse was shown in court.",
        "Kommentare der Anwohner füllten zwei Ordner.",
        "Teilen will sich die Kosten niemand.",
        "En savoir plus aurait évité l'erreur, dit la juge.",
        "Abonnenten des Passes zahlen die Hälfte.",
        "Receba quem receber, a ponte já está paga.",
        "Ver más lejos exige torres más altas, dijo el alcalde.",
        "Lees- en schrijfonderwijs krijgt twee miljoen.",
    ],
)
def test_a_point_that_speaks_of_such_things_stays(point: str) -> None:
    found = found_in(f"<h3>Key points</h3><ul><li>{point}</li><li>It cost twice the first sum.</li></ul>")
    assert found is not None
    assert point in found.items


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ("<p><strong>TL;DR:</strong> The bridge opens in May. It is paid for.</p>", "TL;DR"),
        ("<p>TL;DR: The bridge opens in May. It is paid for.</p>", "TL;DR"),
        ("<p><b>TL;DR</b> The bridge opens in May. It is paid for.</p>", "TL;DR"),
        ("<p><b>TL;DR</b><br><br>The bridge opens in May. It is paid for.</p>", "TL;DR"),
        ("<h2>TL;DR</h2><p>The bridge opens in May. It is paid for.</p>", "TL;DR"),
        (
            "<p>Das Wichtigste in Kürze – The bridge opens in May. It is paid for.</p>",
            "Das Wichtigste in Kürze",
        ),
        ("<aside><h4>Summary</h4><p>The bridge opens in May. It is paid for.</p></aside>", "Summary"),
        (
            "<div class='summary-box'><p><b>In brief:</b> The bridge opens in May. It is paid for.</p></div>",
            "In brief",
        ),
        (
            "<table><tr><th>Em resumo</th><tr><td>The bridge opens in May. It is paid for.</table>",
            "Em resumo",
        ),
    ],
)
def test_a_summary_in_one_paragraph_stays_one_behind_its_label(box: str, told: str) -> None:
    blocks = examine(body=prose(1) + box + prose()[len(prose(1)) :]).article.blocks
    assert (blocks[1].kind, blocks[1].text) == (
        BlockKind.PARAGRAPH,
        f"{told}: The bridge opens in May. It is paid for.",
    )
    assert sum("opens in May" in block.text for block in blocks) == 1
    assert blocks[2].text.startswith("The council of the valley spoke in meeting number 1")
