from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.articles import BlockKind
from digest.gather.feeds.entries import Entry
from digest.gather.markup import parsed_text, text_of
from digest.gather.pages.extract import read_entry
from digest.gather.pages.highlights import Highlights, find_highlights
from digest.gather.pages.points import points_of
from digest.gather.pages.survey import Survey
from tests.gather.pages.samples import URL, examine, prose
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


Items = list[tuple[str, "Items"]]
TREES = ("ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "oak", "pine", "rowan:")
WORDS = st.lists(st.sampled_from(TREES), min_size=1, max_size=9)
ITEMS: st.SearchStrategy[Items] = st.recursive(
    st.just([]),
    lambda below: st.lists(st.tuples(WORDS.map(" ".join), below), min_size=1, max_size=4),
    max_leaves=12,
)


def listing_of(items: Items, number: Iterator[int]) -> str:
    """Return nested lists, each item with a number of its own behind its words."""
    parts = (f"<li>{text} n{next(number)}{listing_of(below, number)}</li>" for text, below in items)
    return f"<ul>{''.join(parts)}</ul>" if items else ""


@given(ITEMS)
def test_of_any_lists_in_lists_each_item_is_told_once_at_most_and_word_for_word(items: Items) -> None:
    tree = parsed_text(f"<div>{listing_of(items, count())}</div>")
    listing = tree.find(".//ul")
    if listing is None:
        return
    points = points_of(listing, Survey(tree))
    told = [word for point in points for word in point.split() if word.startswith("n")]
    assert len(told) == len(set(told))
    assert all(f" {point} " in f" {text_of(listing)} " for point in points)
    assert points


def test_a_list_that_follows_a_summary_adds_no_points_to_it() -> None:
    other = "<ul><li>One of the other list</li><li>Two of the other list</li></ul>"
    box, _, points = SUMMARIES["a list under a heading"]
    blocks = examine(body=box + other + prose()).article.blocks
    assert [block.text for block in blocks[1:4]] == list(points)
    assert (blocks[4].kind, blocks[4].text) == (BlockKind.PARAGRAPH, "One of the other list")


def test_a_heading_that_says_a_part_of_a_point_stays() -> None:
    box, heading, _ = SUMMARIES["bullets after line breaks"]
    body = f"{box}{prose(4)}<h2>The bridge opens to walkers</h2>{prose()[len(prose(4)) :]}"
    headings = [block.text for block in examine(body=body).article.blocks if block.kind is BlockKind.HEADING]
    assert headings == [heading, "The bridge opens to walkers"]


def test_a_takeaway_too_long_for_a_point_is_a_summary_of_sentences() -> None:
    long = " ".join(["The bridge opens to walkers in May, when the piers are dry and paid for."] * 5)
    found = found_in(f"<h3>Key takeaway</h3><p>{long}</p>")
    assert found is not None
    assert (found.items, found.is_prose) == ((long,), True)


def test_a_feed_entry_has_its_summary_too() -> None:
    box, heading, points = SUMMARIES["bullets after line breaks"]
    article = read_entry(Entry(url=URL, title="A bridge", html=box + prose()))
    assert [block.text for block in article.blocks[:4]] == [heading, *points]
    assert article.blocks[4].text.startswith("The council of the valley")


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


@pytest.mark.parametrize(
    ("written", "point"),
    [
        ("»Das Geld reicht nicht«, sagt die Ministerin.", "»Das Geld reicht nicht«, sagt die Ministerin."),
        ("» Das Geld reicht nicht, sagt sie.", "Das Geld reicht nicht, sagt sie."),
        ("☑️ Das Geld reicht nicht, sagt sie.", "Das Geld reicht nicht, sagt sie."),
    ],
)
def test_a_quotation_keeps_the_mark_it_opens_with_and_a_bullet_goes(written: str, point: str) -> None:
    tree = parsed_text(f"<ul><li>{written}</li><li>Der Rat stimmt am Montag ab.</li></ul>")
    (listing,) = tree.iter("ul")
    assert points_of(listing, Survey(tree)) == (point, "Der Rat stimmt am Montag ab.")
