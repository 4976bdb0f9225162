from __future__ import annotations

import pytest

from digest.gather.pages.bylines import people_in
from tests.gather.pages.samples import examine, json_ld, prose


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("By Ada Berg", ("Ada Berg",)),
        ("By Ada Berg and Kim Lee", ("Ada Berg", "Kim Lee")),
        ("Ada Berg, Kim Lee & Jo Roe", ("Ada Berg", "Kim Lee", "Jo Roe")),
        ("Ada Berg, Senior Correspondent", ("Ada Berg",)),
        ("Von Ada Berg und Kim Lee", ("Ada Berg", "Kim Lee")),
        ("Par Ada Berg et Kim Lee", ("Ada Berg", "Kim Lee")),
        ("José Ortega y Gasset", ("José Ortega y Gasset",)),
        ("Ada Berg | Valley News", ("Ada Berg",)),
        ("李小明", ("李小明",)),
        ("Staff", ()),
        ("Valley staff reporter", ()),
        ("The Associated Press", ()),
        ("Reuters", ()),
        ("https://valley.example/people/ada", ()),
        ("ada@valley.example", ()),
        ("Redaktion", ()),
        ("", ()),
    ],
)
def test_the_people_in_a_byline(line: str, people: tuple[str, ...]) -> None:
    assert people_in([line]) == people


@pytest.mark.parametrize(
    "author",
    [
        '{"@type": "Person", "name": "Ada Berg"}',
        '[{"@type": "Person", "name": "Ada Berg"}, {"@type": "Organization", "name": "Valley Radio"}]',
        '{"@type": "Person", "name": ["Ada Berg"]}',
        '"By Ada Berg"',
    ],
)
def test_json_ld_names_its_authors_in_many_ways(author: str) -> None:
    assert examine(json_ld(f'"author": {author}')).article.byline == "Ada Berg"


def test_an_author_described_elsewhere_in_the_graph_is_found() -> None:
    graph = """<script type="application/ld+json">{"@graph": [
        {"@type": "Article", "headline": "h", "author": {"@id": "#ada"}},
        {"@type": "Person", "@id": "#ada", "name": "Ada Berg"}]}</script>"""
    assert examine(graph).article.byline == "Ada Berg"


def test_a_place_that_names_more_people_is_believed() -> None:
    head = json_ld('"author": {"@type": "Person", "name": "Ada Berg"}')
    reading = examine(head + "<meta name='author' content='Ada Berg, Kim Lee'>")
    assert reading.article.byline == "Ada Berg, Kim Lee"
    assert [found.is_believed for found in reading.bylines] == [False, True]


def test_the_sites_own_name_is_no_author_nor_is_its_publisher_then() -> None:
    head = "<meta property='og:site_name' content='The Valley'><meta name='author' content='Big House Media'>"
    assert examine(head + json_ld('"author": {"name": "The Valley"}')).article.byline is None


def test_a_byline_marked_in_the_page_is_read() -> None:
    body = f"<h1>Bridge opens</h1><p class='byline'>By Ada Berg and Kim Lee</p>{prose()}"
    assert examine(body=body).article.byline == "Ada Berg, Kim Lee"


def test_a_note_about_the_author_at_the_end_goes() -> None:
    note = "<p>Ada Berg is a reporter who has lived in the valley for thirty years and knows each stone.</p>"
    reading = examine("<meta name=author content='Ada Berg'>", prose() + note)
    assert "thirty years" not in reading.article.text
    assert "about the author" in {part.reason for part in reading.dropped}
    assert "thirty years" in examine("<meta name=author content='Kim Lee'>", prose() + note).article.text
