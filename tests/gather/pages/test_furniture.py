from __future__ import annotations

import pytest

from digest.gather.pages.boilerplate import furniture_of
from tests.gather.pages.samples import examine, prose

LINKS = "<ul><li><a href='/1'>Una, la otra y 3 más</a></li><li><a href='/2'>Zwei, und noch 4</a></li></ul>"


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("en", "Read more"),
        ("de", "Lesen Sie auch"),
        ("fr", "À lire aussi"),
        ("es", "Te puede interesar"),
        ("it", "Leggi anche"),
        ("pt", "Leia também"),
        ("nl", "Lees ook"),
    ],
)
def test_related_links_are_left_out_in_every_language(language: str, label: str) -> None:
    body = f"{prose(5, language)}<h3>{label}</h3>{LINKS}{prose(9, language)[-400:]}"
    reading = examine(body=body)
    assert "Zwei" not in reading.article.text
    assert label not in reading.article.text
    assert "related links" in {part.reason for part in reading.dropped}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Abonnez-vous à notre newsletter", "newsletter box"),
        ("Melden Sie sich für unseren Newsletter an", "newsletter box"),
        ("Suscríbete a nuestro boletín diario", "newsletter box"),
        ("Iscriviti alla newsletter", "newsletter box"),
        ("Schrijf je in voor de nieuwsbrief", "newsletter box"),
        ("Inscreva-se na nossa newsletter", "newsletter box"),
        ("Prenumerera på vårt nyhetsbrev", "newsletter box"),
        ("Diese Website verwendet Cookies, um Ihnen zu dienen.", "cookie notice"),
        ("Este sitio web utiliza cookies propias", "cookie notice"),
        ("Questo sito utilizza cookie tecnici", "cookie notice"),
        ("Teilen Facebook Twitter Drucken", "share bar"),
        ("Share on Facebook, X and WhatsApp".replace(" and", ""), "share bar"),
        ("Our Standards: what we promise", "notice"),
        ("Anzeige", "advertisement"),
    ],
)
def test_set_phrases_are_known_for_what_they_are(line: str, what: str) -> None:
    assert furniture_of(line) == what


def test_cards_of_other_stories_are_left_out() -> None:
    card = "<div class='card'><h4><a href='/{0}'>Story {0} of this week</a></h4><p>It is about {0}.</p></div>"
    cards = "".join(card.format(number) for number in ("pears", "eels", "mills", "frost"))
    reading = examine(body=f"{prose(12)}<section>{cards}</section>")
    assert "about pears" not in reading.article.text
    assert [part.reason for part in reading.dropped] == ["other stories"] * 4


def test_a_list_of_the_best_with_linked_headings_is_the_article() -> None:
    items = "".join(
        f"<section class='best'><h3><a href='/{n}'>The inn number {n}</a></h3>{prose(6)}</section>".replace(
            "meeting", f"season {n} of meeting"
        )
        for n in range(6)
    )
    text = examine(body=items).article.text
    assert all(f"season {n} of meeting" in text for n in range(6))


def test_a_caption_is_not_said_twice_and_not_in_the_text() -> None:
    figure = (
        "<figure><img alt='Men on the bridge'><figcaption>Masons at work in the rain</figcaption></figure>"
    )
    text = examine(
        body=f"{prose(4)}{figure}<p class='caption'>Masons at work in the rain</p>{prose(9)[-300:]}"
    ).article.text
    assert "Masons" not in text


def test_what_only_a_screen_reader_says_is_not_said_twice() -> None:
    heading = "<h2>Why it took so long <span class='sr-only'>Why it took so long</span></h2>"
    reading = examine(body=f"{prose(4)}{heading}{prose(8)[-400:]}")
    assert "Why it took so long" in [block.text for block in reading.article.blocks]


def test_tables_lists_and_headings_stay_readable() -> None:
    body = (
        f"{prose(4)}<h2>What it costs</h2><table><tr><th>Part</th><th>Cost</th></tr>"
        "<tr><td>Piers</td><td>12</td></tr></table><ul><li>One lane</li><li>No lorries</li></ul>"
        f"{prose(8)[-400:]}"
    )
    blocks = [(block.kind.value, block.text) for block in examine(body=body).article.blocks]
    assert ("heading", "What it costs") in blocks
    assert ("table_row", "Piers | 12") in blocks
    assert ("list_item", "One lane") in blocks


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("en", "Key Points"),
        ("de", "Das Wichtigste in Kürze"),
        ("fr", "L'essentiel"),
        ("es", "Puntos clave"),
        ("it", "In sintesi"),
        ("pt", "Em resumo"),
        ("nl", "In het kort"),
    ],
)
def test_the_publishers_takeaways_are_never_lost(language: str, label: str) -> None:
    box = (
        f"<div class='promo newsletter-box'><h3>{label}</h3><ul><li>1200 tonnes of stone, 40 men</li>"
        "<li>12 months, 3 of them frost</li></ul></div>"
    )
    texts = [block.text for block in examine(body=box + prose(8, language)).article.blocks]
    assert texts[:3] == [label, "1200 tonnes of stone, 40 men", "12 months, 3 of them frost"]
