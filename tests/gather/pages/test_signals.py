from __future__ import annotations

import pytest

from tests.gather.pages.samples import examine, json_ld, prose

CLOSED = json_ld(
    '"isAccessibleForFree": false,'
    ' "hasPart": {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".rest"}'
)
STUB = prose(3)
INVITATIONS = [
    "Subscribe to continue reading",
    "This article is for subscribers only.",
    "Already a subscriber? Log in",
    "Sign up to read the full story",
    "Il vous reste à lire 80 % de cet article. La suite est réservée aux abonnés.",
    "Weiterlesen mit dem Abo",
    "Diesen Artikel lesen Sie nur als Abonnent",
    "Suscríbete para seguir leyendo",
    "Contenido exclusivo para suscriptores",
    "Assine para continuar lendo",
    "Abbonati per continuare a leggere",
    "Dit artikel is alleen voor abonnees",
    "Prenumerera för att läsa",
]


@pytest.mark.parametrize("line", INVITATIONS)
def test_a_few_lines_with_an_invitation_to_subscribe_are_a_stub(line: str) -> None:
    reading = examine(body=f"{STUB}<div class='offer'><p>{line}</p></div>")
    assert reading.article.is_partial
    assert line[:20] in reading.signals[0]


@pytest.mark.parametrize("line", INVITATIONS)
def test_a_metered_page_with_the_whole_text_is_no_stub(line: str) -> None:
    assert not examine(CLOSED, f"{prose(30)}<div class='offer'><p>{line}</p></div>").article.is_partial


def test_a_closed_part_that_is_missing_makes_a_stub_and_one_that_is_there_does_not() -> None:
    assert examine(CLOSED, STUB).article.is_partial
    whole = f"{STUB}<div class='rest'>{prose(12).replace('bridge', 'mill')}</div>"
    assert not examine(CLOSED, whole).article.is_partial


def test_a_page_that_tells_how_long_its_article_is_can_be_measured() -> None:
    closed = '"isAccessibleForFree": "False", "wordCount": {}'
    assert examine(json_ld(closed.format(900)), prose(30)).article.is_partial
    assert not examine(json_ld(closed.format(130)), prose(8)).article.is_partial


def test_short_news_without_any_sign_is_whole() -> None:
    reading = examine(body=prose(3))
    assert not reading.article.is_partial
    assert reading.signals == ()


def test_a_box_the_page_calls_a_paywall_is_believed_on_any_word_of_subscribing() -> None:
    box = "<div class='paywall'><p>Premium: one euro for the first month</p></div>"
    assert examine(body=STUB + box).article.is_partial
    assert not examine(body=STUB + box.replace("paywall", "offer")).article.is_partial


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("<meta name='robots' content='index, noai, noimageai'>", "noai"),
        ("<meta name='Robots' content='NOAI'>", "noai"),
        ("<meta name='tdm-reservation' content='1'>", "tdm-reservation"),
    ],
)
def test_a_reservation_is_told_in_words(head: str, said: str) -> None:
    assert said in examine(head).article.reservation


@pytest.mark.parametrize(
    "head",
    [
        "",
        "<meta name='robots' content='index, follow'>",
        "<meta name='robots' content='noimageai'>",
        "<meta name='tdm-reservation' content='0'>",
    ],
)
def test_where_nothing_is_reserved_nothing_is_said(head: str) -> None:
    assert examine(head).article.reservation == ""
