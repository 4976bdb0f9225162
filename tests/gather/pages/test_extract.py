from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.domain.articles import Article, BlockKind, DateOrigin, Image, TextOrigin
from digest.domain.errors import DigestError
from digest.gather.feeds.entries import Entry
from digest.gather.fetching.fetch import Fetched
from digest.gather.pages.extract import read_entry, read_fetched, read_page
from tests.speed import costs_at_most

URL = "https://horizon.example/energy/tidal-lagoon?ref=front"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = (Path(__file__).parent.parent / "data" / "page.html").read_bytes()

SENTENCE = "<p>The council of the valley spoke in meeting number {} about its old bridge.</p>"
PROSE = " ".join(SENTENCE.format(number) for number in range(8))


def page(head: str = "", body: str = PROSE, *, html: str = "") -> Article:
    markup = f"<!doctype html><html{html}><head>{head}</head><body><article>{body}</article></body></html>"
    return read_page(markup.encode(), url="https://valley.example/news/bridge", now=NOW)


def outline(article: Article) -> list[tuple[str, str]]:
    return [(block.kind.value, block.text) for block in article.blocks]


def test_a_page_says_what_it_is() -> None:
    article = read_page(PAGE, url=URL, now=NOW)
    assert article.url == "https://horizon.example/energy/tidal-lagoon"
    assert article.title == "Tidal lagoon wins approval after a decade of delay"
    assert article.byline == "Mara Lind, Ole Brandt"
    assert article.published_at == datetime(2026, 11, 18, 6, 45, tzinfo=UTC)
    assert article.published_by is DateOrigin.PAGE
    assert (article.site_name, article.language) == ("Horizon", "en")
    assert article.text_origin is TextOrigin.PAGE
    assert article.categories == ("Energy", "tidal power", "Severn", "planning", "Coast")
    assert article.image == Image(
        "https://horizon.example/pictures/lagoon-wall-1200.jpg", "The lagoon wall at low tide"
    )


def test_a_page_is_reduced_to_its_article() -> None:
    article = read_page(PAGE, url=URL, now=NOW)
    assert [(kind, text[:44]) for kind, text in outline(article)] == [
        ("paragraph", "A tidal lagoon off the Severn coast was appr"),
        ("heading", "Key Takeaways"),
        ("list_item", "The lagoon will power about 120,000 homes fr"),
        ("list_item", "Its wall runs for nine kilometres and carrie"),
        ("list_item", "Anglers won a fish pass that added 40 millio"),
        ("paragraph", "The wall will run for nine kilometres and ca"),
        ("heading", "Why it took ten years"),
        ("paragraph", "Planners turned the project down twice. The "),
        ("quote", "Nobody wanted to be the minister who killed "),
        ("paragraph", "The new design has a fish pass of 40 million"),
        ("heading", "What it will cost"),
        ("table_row", "Part | Cost in millions"),
        ("table_row", "Wall | 610"),
        ("table_row", "Turbines | 480"),
        ("table_row", "Fish pass | 40"),
        ("paragraph", "The developer expects to borrow most of the "),
        ("paragraph", "Work on the harbour from which the stones wi"),
    ]


@pytest.mark.parametrize(
    ("label", "listing"),
    [
        ("<h2>Key Takeaways</h2>", "<ul>{}</ul>"),
        ("<p><strong>Key points:</strong></p>", "<ul>{}</ul>"),
        ("<div class='promo'><span>At a glance</span></div>", "<div class='promo'><ol>{}</ol></div>"),
        ("<h3>Das Wichtigste in Kürze</h3>", "<div><div><ul>{}</ul></div></div>"),
    ],
)
def test_published_takeaways_survive_as_a_heading_and_its_items(label: str, listing: str) -> None:
    items = [
        "The bridge opens in May",
        "It cost twice the sum of the first plan",
        "Lorries stay banned from it",
    ]
    markup = label + listing.format("".join(f"<li>{item}</li>" for item in items))
    blocks = outline(page(body=f"<aside class='box'>{markup}</aside>{PROSE}"))
    assert [text for kind, text in blocks if kind == "list_item"] == items
    assert blocks[0][0] == "heading"
    assert [kind for kind, _ in blocks[1:4]] == ["list_item"] * 3
    assert blocks[4][1].startswith("The council of the valley spoke in meeting number 0")


def test_takeaways_written_as_paragraphs_with_bullets_become_items() -> None:
    bullets = "<h3>Key Takeaways</h3><p>• The bridge opens in May</p><p>• It cost twice the first sum</p>"
    blocks = outline(page(body=bullets + PROSE))
    assert blocks[:3] == [
        ("heading", "Key Takeaways"),
        ("list_item", "The bridge opens in May"),
        ("list_item", "It cost twice the first sum"),
    ]


def test_a_list_of_links_under_such_a_heading_is_not_the_publishers_summary() -> None:
    links = "".join(f"<li><a href='/{n}'>Another story of this week, number {n}</a></li>" for n in range(3))
    assert "Another story" not in page(body=f"{PROSE}<h3>Related stories</h3><ul>{links}</ul>").text


OLD_FASHIONED = (
    "<div><a href='/'>Home</a> &gt; <a href='/arts'>Arts</a></div>{}"
    "<div>Share this story: [<a href='#c'>Chatter</a>] [<a href='#p'>Print</a>]</div><br>"
    "<div><b>Also on The Valley:</b><br>&raquo; <a href='/1'>A choir of those told not to sing</a><br>"
    "&raquo; <a href='/2'>The pear that nobody could name</a><br></div>"
    "<div><b>Comments</b><br>No comments yet.<br><b>Leave a Reply</b><form><textarea></textarea></form></div>"
)


def test_a_page_of_bare_boxes_and_line_breaks_is_reduced_to_its_article() -> None:
    boxes = PROSE.replace("<p>", "<div>").replace("</p>", "</div>")
    texts = [text for _, text in outline(page(body=OLD_FASHIONED.format(boxes)))]
    assert len(texts) == 8
    assert all(text.startswith("The council of the valley") for text in texts)


def test_prose_that_ends_in_a_bold_label_stays() -> None:
    body = PROSE + "<p>The clerk read out the letter from the ministry in full. <b>Related</b></p>" + PROSE
    assert "The clerk read out the letter" in page(body=body).text


def test_a_heading_that_only_begins_like_a_lead_in_stays() -> None:
    assert ("heading", "More in common than expected") in outline(
        page(body=f"{PROSE}<h2>More in common than expected</h2>{PROSE.replace('bridge', 'mill')}")
    )


def test_an_ordinary_list_stays_in_its_place() -> None:
    body = f"{PROSE}<p>The council asked for three things:</p><ul><li>a rail</li><li>a lamp</li></ul>{PROSE}"
    texts = [text for _, text in outline(page(body=body))]
    at = texts.index("a rail")
    assert texts[at - 1 : at + 2] == ["The council asked for three things:", "a rail", "a lamp"]


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Bridge opens here | Valley News</title>", "<h1>Bridge opens here</h1>", "Bridge opens here"),
        ("<title>Valley News</title>", "<h1>Bridge opens in May</h1>", "Bridge opens in May"),
        ("<title>Bridge opens in the valley - Valley News</title>", "", "Bridge opens in the valley"),
        ("<meta property='og:title' content='Bridge &amp; road open'>", "", "Bridge & road open"),
        ("<title>Rock - a short history</title>", "", "Rock - a short history"),
        ("", "<h2>Bridge opens</h2>", "Bridge opens"),
        ("", "", "The council of the valley spoke in meeting number 0 about its old bridge."),
    ],
)  # fmt: skip
def test_the_title_is_the_headline_without_the_site(head: str, body: str, title: str) -> None:
    assert page(head, body + PROSE).title == title


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("<link rel=canonical href='/news/bridge-opens'>", "https://valley.example/news/bridge-opens"),
        ("<link rel=canonical href='https://www.valley.example/b'>", "https://www.valley.example/b"),
        ("<link rel=canonical href='https://thief.example/b'>", "https://valley.example/news/bridge"),
        ("<link rel=canonical href='https://valley.example/'>", "https://valley.example/news/bridge"),
        ("<link rel=canonical href='javascript:1'>", "https://valley.example/news/bridge"),
        ("<meta property='og:url' content='https://valley.example/og'>", "https://valley.example/og"),
    ],
)
def test_a_canonical_address_is_believed_within_its_own_site(head: str, url: str) -> None:
    assert page(head).url == url


LD = '<script type="application/ld+json">'


@pytest.mark.parametrize(
    ("head", "body", "moment"),
    [
        ("<meta property='article:published_time' content='2026-11-20T09:00:00+02:00'>", "", (20, 7)),
        ("<meta name='date' content='2026-11-20'>", "", (20, 12)),
        ("", "<time datetime='2026-11-19T08:00:00Z'>19 November</time>", (19, 8)),
        ("<meta name='date' content='2027-01-01'>", "<time datetime='2026-11-19T08:00Z'></time>", (19, 8)),
        (f'{LD}[{{"@type": ["Article"], "datePublished": "2026-11-21"}}]</script>', "", (21, 12)),
        (f'{LD}{{"@type": "Article", </script>', "", None),
    ],
)  # fmt: skip
def test_the_day_of_publication_is_the_first_that_can_be(
    head: str, body: str, moment: tuple[int, int] | None
) -> None:
    article = page(head, body + PROSE)
    assert article.published_at == (datetime(2026, 11, *moment, tzinfo=UTC) if moment else None)
    assert article.published_by is (DateOrigin.PAGE if moment else DateOrigin.FIRST_SEEN)


def test_a_language_that_the_text_plainly_contradicts_is_not_believed() -> None:
    sentence = "<p>Der Rat des Tals trat zum {}. Mal zusammen, um über die neue Brücke zu beraten.</p>"
    german = "".join(sentence.format(number) for number in range(8))
    assert page(body=german, html=' lang="en"').language == "de"
    assert page(html=' lang="en-US"').language == "en"
    assert page(body=german).language == "de"


@pytest.mark.parametrize("url", ["data:image/png;base64,x", "javascript:1", "/site-logo.png", "", "//["])
def test_a_picture_that_cannot_be_shown_is_none(url: str) -> None:
    assert page(f"<meta property='og:image' content='{url}'>").image is None


def test_a_page_is_read_in_the_encoding_it_is_in() -> None:
    body = f"<html><head><title>Grüße</title></head><body><article>{PROSE}</article></body></html>"
    assert read_page(body.encode("latin-1"), url=URL).title == "Grüße"
    assert read_page(body.encode("latin-1"), url=URL, encoding="iso-8859-1").title == "Grüße"
    assert read_page(body.encode("utf-8") + b"\xff", url=URL, encoding="utf-8").title == "Grüße"
    assert read_page(body.encode("utf-16"), url=URL).title == "Grüße"


def test_a_page_without_an_article_has_no_blocks() -> None:
    article = read_page(b"", url="https://valley.example/news/bridge-opens")
    assert (article.title, article.blocks) == ("Bridge opens", ())


def test_a_local_file_is_read_as_a_page_too() -> None:
    article = read_page(PAGE, url="file:///tmp/page.html", now=NOW)
    assert article.url == "file:///tmp/page.html"
    assert article.title == "Tidal lagoon wins approval after a decade of delay"


def fetched(body: bytes, content_type: str = "text/html") -> Fetched:
    return Fetched("https://valley.example/news/bridge", 200, content_type, None, body)


def test_what_was_fetched_is_read_for_what_it_is() -> None:
    assert read_fetched(fetched(PAGE)).blocks
    assert read_fetched(fetched(b"A bridge opens\n\nIt is red.")).title == "A bridge opens"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"%PDF-1.7", "it is a PDF document"),
        (b"", "it is empty"),
        (b'{"a": 1}', "a JSON document"),
        (random.Random(1).randbytes(3000).replace(b"\0", b""), "binary data"),
        (b"<rss version='2.0'/>", "a feed, not an article"),
    ],
)
def test_what_is_no_article_is_named_for_what_it_is(body: bytes, said: str) -> None:
    with pytest.raises(DigestError, match=rf"https://valley\.example/news/bridge is .*{said}"):
        read_fetched(fetched(body))


def test_a_feeds_own_text_becomes_an_article() -> None:
    entry = Entry(
        url="https://valley.example/a",
        title="Bridge opens",
        published_at=datetime(2026, 11, 20, tzinfo=UTC),
        html="<h1>Bridge opens</h1><p>The bridge <b>opens</b> in May.<br><br>It is red.</p>"
        "<ul><li><p>One lane</p></li><li>No lorries</li></ul>"
        "<figure><img alt='x'><figcaption>Red</figcaption></figure><script>alert(1)</script>"
        "<p>The post Bridge opens appeared first on Valley.</p>",
        categories=("Roads",),
        author="Anna Berg",
    )
    article = read_entry(entry, feed_language="en")
    assert outline(article) == [
        ("paragraph", "The bridge opens in May."),
        ("paragraph", "It is red."),
        ("list_item", "One lane"),
        ("list_item", "No lorries"),
    ]
    assert (article.text_origin, article.published_by) == (TextOrigin.FEED, DateOrigin.FEED)
    assert (article.language, article.byline, article.categories) == ("en", "Anna Berg", ("Roads",))


def test_an_entry_without_text_is_an_article_without_blocks() -> None:
    article = read_entry(Entry(url="https://valley.example/a", title="Bridge opens"))
    assert (article.blocks, article.published_by) == ((), DateOrigin.FIRST_SEEN)


DEEP = 8_000


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * DEEP + "x",
        "<b>" * DEEP + "x",
        "<ul><li>" * DEEP + "x",
        "<table><tr><td>" * 2_000 + "x",
        "<p>one line of text" * DEEP,
        "<a href=x>link</a>" * DEEP,
        "<div><p>Also on</p><ul><li><a href=x>y</a></ul>" * 2_000,
        "<h3>Key Takeaways</h3>" * 5_000,
        "<!--" * DEEP,
        "<script type='application/ld+json'>" + "[" * DEEP,
        "&#0;&#xD800;&#xE000;\x00\ue000",
    ],
    ids=lambda body: body[:24],
)
def test_a_hostile_page_costs_little_time(body: str) -> None:
    with costs_at_most(20):
        article = read_page(f"<html><body>{body}{PROSE}</body></html>".encode(), url=URL, now=NOW)
    assert "\ue000" not in article.text + article.title


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<h1>{text}<p>{text}".encode()))
def test_any_bytes_make_an_article_with_a_title(body: bytes) -> None:
    article = read_page(body, url=URL, now=NOW)
    assert article.title
    assert all(block.text == " ".join(block.text.split()) != "" for block in article.blocks)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_of_an_entry_makes_an_article(markup: str) -> None:
    article = read_entry(Entry(url="https://valley.example/a", title="t", html=markup))
    assert all(block.kind in BlockKind and block.text for block in article.blocks)
