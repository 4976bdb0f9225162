"""What a page can cost at most, and that none of it is an exception."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.domain.errors import DigestError
from digest.gather.days import day_in_line
from digest.gather.fetching.fetch import Fetched
from digest.gather.pages.boilerplate import furniture_of, invites_to_subscribe
from digest.gather.pages.bylines import people_in
from digest.gather.pages.extract import examine_page, read_fetched, read_plain_text
from digest.gather.pages.phrases import is_byline, is_comments_label, is_related_label, is_takeaways_label
from digest.gather.pages.pruning import ELEMENTS_MOST
from digest.gather.pages.titles import page_title
from digest.gather.plain import plain_from_html, plain_from_text
from tests.gather.pages.samples import NOW, URL, examine, prose

SIZE = 100_000
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

PAGES = {
    "attributes": f"<p {' '.join(f'a{n}=x' for n in range(SIZE // 8))}>x</p>",
    "bare attributes": f"<p {' '.join(f'a{n}' for n in range(SIZE // 7))}>x</p>",
    "nested": "<div>" * SIZE,
    "unclosed paragraphs": "<p>x" * (SIZE // 8),
    "a wide row": f"<table><tr>{'<td>a' * (SIZE // 5)}</table>",
    "a long table": f"<table>{'<tr><td>a<td>b' * (SIZE // 28)}</table>",
    "one line": f"<p>{'word ' * SIZE}",
    "one word": f"<p>{'x' * 5 * SIZE}",
    "line breaks": "a<br>" * (SIZE // 5),
    "links": "<a href=x>link</a>" * (SIZE // 36),
    "labels": "<h3>Key Takeaways</h3><p>• a b c</p>" * (SIZE // 72),
    "labels of lists": "<p>Key points<ul><li>a b c" * (SIZE // 72),
    "labels in front": "<p>TL;DR: we" * (SIZE // 12),
    "a label over bare lines": f"<aside><b>Key points</b>{'<br>a b c' * (SIZE // 9)}</aside>",
    "a label over empty boxes": f"<h3>Key points</h3>{'<i></i>' * (SIZE // 7)}",
    "bullets": f"<p>Key points: {'• a b c ' * (SIZE // 8)}",
    "lists in lists": f"<h3>Key points</h3>{'<ul><li>a b c' * 120}",
    "labels in boxes": f"{'<aside><div>Key points</div>' * 120}{'<div>a b c</div>' * (SIZE // 16)}",
    "cards": "<div class=c><h3><a href=x>A b</a></h3></div>" * (SIZE // 92),
    "classes": f"<div class='{'related-recirc ' * (SIZE // 15)}'>x</div>",
    "entities": f"<!DOCTYPE html [{_LAUGHS}]><p>&l9;</p>",
    "numbers in json": f"<script type='application/ld+json'>[{'1,' * SIZE}1]</script>",
    "brackets in json": f"<script type='application/ld+json'>{'[' * SIZE}</script>",
    "a long number in json": f"<script type='application/ld+json'>{{\"x\":{'9' * SIZE}}}</script>",
    "programs": f"<script>{'var a = 1 < 2;' * (SIZE // 14)}</script>" * 3,
    "nothing but NUL": "\0" * SIZE,
    "bylines": "<span class=byline>By A B and C D</span>" * (SIZE // 80),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_page_costs_seconds_at_most(name: str) -> None:
    began = time.process_time()
    examine(body=PAGES[name] + prose())
    assert time.process_time() - began < 10


def test_of_a_page_without_end_the_beginning_is_read_and_that_is_told() -> None:
    reading = examine(body=prose(20) + "<i></i>" * (ELEMENTS_MOST + 1))
    assert "meeting number 19" in reading.article.text
    assert reading.dropped[0].reason == "the page goes on for too long"


LINES = {
    "shares": "share on x " + "x " * SIZE + "!",
    "words": "sign up " * SIZE,
    "dots": "." * SIZE + "x",
    "quotes": '."' * SIZE + "x",
    "spaces": "by " + " " * SIZE + "x",
    "tags": "<a" * SIZE,
    "comments": "<!--" * SIZE,
    "hashes": "# " + "#" * SIZE + "x",
    "bars": "a | " * SIZE,
    "commas": "a, " * SIZE,
    "digits": "1 " * SIZE,
    "ampersands": "&amp;lt;" * SIZE,
    "names": "by Ada " * SIZE,
    "subscribe": "subscribe " * SIZE + "to",
    "slashes": "/" * SIZE,
}


@pytest.mark.parametrize("name", LINES)
def test_no_pattern_takes_more_than_linear_time(name: str) -> None:
    line = LINES[name]
    began = time.process_time()
    for reads in (
        furniture_of,
        is_byline,
        is_comments_label,
        is_related_label,
        is_takeaways_label,
        plain_from_html,
        plain_from_text,
        day_in_line,
    ):
        reads(line)
    invites_to_subscribe(line[:300])
    people_in([line])
    page_title(declared=[line[:1000]], headings=[line[:500]], site="The Valley")
    read_plain_text(line, url=URL)
    assert time.process_time() - began < 8


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "utf-16", "latin-1", "no-such-encoding"]))
def test_any_bytes_are_an_article_or_our_own_error(body: bytes, encoding: str | None) -> None:
    try:
        article = read_fetched(Fetched(URL, 200, "text/html", encoding, body), now=NOW)
    except DigestError:
        return
    assert article.title


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_PROPERTIES = (
    "headline",
    "author",
    "datePublished",
    "image",
    "publisher",
    "hasPart",
    "keywords",
    "wordCount",
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*_PROPERTIES, "isAccessibleForFree", "@id", "@graph"]), _JSON))
def test_whatever_json_ld_holds_there_is_an_article(node: dict[str, object]) -> None:
    data = json.dumps({"@type": "Article"} | node).replace("<", "\\u003c")
    article = examine(f"<script type='application/ld+json'>{data}</script>").article
    assert article.title
    assert article.blocks


_WORDS = ("div", "p", "a", "ul", "li", "table", "tr", "td", "h2", "figure", "aside", "form", "span", "br")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_no_tangle_of_tags_is_an_exception(seed: int) -> None:
    choice = random.Random(seed)
    pieces = [
        choice.choice(("<{}>", "</{}>", "<{} class=related>", "<{} href=/x>", "{} word, another. "))
        for _ in range(120)
    ]
    body = "".join(piece.format(choice.choice(_WORDS)) for piece in pieces)
    reading = examine_page(f"<body>{body}{prose(4)}".encode(), url=URL, now=NOW)
    assert all(block.text for block in reading.article.blocks)
