"""The query language of topics: what it reads, what it refuses, and what it finds."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.condense.topics import match_topics
from digest.condense.topics.query import as_query, compiled, parse_query
from digest.condense.topics.tokens import Field
from digest.domain.articles import Article
from digest.domain.errors import InvalidInput
from digest.domain.query import Both, Either, Neither, Term
from digest.domain.query_tokens import QueryError
from digest.domain.topics import Topic, TopicMatch, TopicRule, TopicSlug
from tests.condense.samples import article, heading, paragraph

FILLER = "The council met again this week to speak about the budget of the coming year. "
HEAT, PUMP, GRID = Term("heat"), Term("pump"), Term("grid")


def found(query: str, source: Article, *sources: str) -> TopicMatch | None:
    topic = Topic(TopicSlug("energy"), "Energy", rule=TopicRule(query=query))
    return next(iter(match_topics(source, [topic], sources=sources)), None)


def refused(query: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    return caught.value


def test_words_beside_each_other_are_all_asked_for_and_or_binds_less() -> None:
    assert parse_query("heat pump") == parse_query("heat AND pump") == Both((HEAT, PUMP))
    assert parse_query("heat pump OR grid") == Either((Both((HEAT, PUMP)), GRID))
    assert parse_query("heat (pump OR grid)") == Both((HEAT, Either((PUMP, GRID))))
    assert parse_query("heat NOT grid") == Both((HEAT, Neither(GRID)))


def test_not_takes_away_from_all_of_its_parentheses() -> None:
    assert parse_query("heat OR grid NOT pump") == Both((Either((HEAT, GRID)), Neither(PUMP)))
    assert parse_query("heat NOT pump OR grid") == Both((Either((HEAT, GRID)), Neither(PUMP)))
    assert parse_query("(heat NOT pump) OR grid") == Either((Both((HEAT, Neither(PUMP))), GRID))


def test_operators_are_operators_in_capitals_only() -> None:
    assert parse_query("heat and pump") == Both((HEAT, Term("and"), PUMP))
    assert parse_query('"AND" title:OR') == Both((Term("AND"), Term("OR", Field.TITLE)))


def test_phrases_beginnings_fields_and_weights() -> None:
    assert parse_query('"heat  pump"') == Term("heat pump")
    assert parse_query("“heat pump”") == Term("heat pump")
    assert parse_query("electri*") == Term("electri", is_prefix=True)
    assert parse_query('"heat pum"*') == Term("heat pum", is_prefix=True)
    assert parse_query(r'"a \"grid\""') == Term('a "grid"')
    assert parse_query("Title:grid^2") == Term("grid", Field.TITLE, weight=2)
    assert parse_query("url:https://example.org/a") == Term("https://example.org/a", Field.URL)
    assert parse_query("title:(heat OR pump)^0.5") == Either(
        (Term("heat", Field.TITLE, weight=0.5), Term("pump", Field.TITLE, weight=0.5))
    )


@pytest.mark.parametrize(
    ("query", "column", "words"),
    [
        ("", 1, "it is empty"),
        ("heat AND", 9, "should stand here"),
        ("heat OR OR pump", 9, "should stand here"),
        ("(heat OR pump", 14, "the '(' of column 1 is never closed"),
        ("heat)", 5, "no '(' is open here"),
        ('heat "pump', 6, "the quotation mark is never closed"),
        ('"pump \\', 1, "the quotation mark is never closed"),
        ('heat ""', 6, "nothing to look for"),
        ("NOT heat", 1, "something to look for must stand beside it"),
        ("grid OR NOT heat", 9, "something to look for must stand beside it"),
        ("heat NOT NOT pump", 10, "one NOT is enough"),
        ("heat -pump", 6, "write NOT before it"),
        ("colour:red", 1, "there is no field 'colour:'"),
        ("title:(text:heat)", 8, "stands inside 'title:' already"),
        ("he*t", 3, "only stand at the end"),
        ("e*", 1, "needs 2 letters"),
        ("heat^", 5, "a number above 0"),
        ("heat^11", 5, "a number above 0"),
        ("heat^nan", 5, "a number above 0"),
        ("heat^2^2", 7, "not a weight"),
        ("title:", 7, "should stand here"),
        ("(" * 21 + "heat" + ")" * 21, 21, "more than 20 parentheses"),
    ],
)
def test_what_cannot_be_read_is_shown_with_its_place(query: str, column: int, words: str) -> None:
    error = refused(query)
    assert error.column == column
    assert words in str(error)
    first, shown, caret = str(error).splitlines()
    assert f"at column {column}:" in first
    assert len(shown) >= len(caret) - 1


def test_the_caret_stands_under_the_place_of_a_long_query() -> None:
    error = refused("grid OR " * 40 + "he*t" + " OR pump" * 40)
    _, shown, caret = str(error).splitlines()
    assert shown[caret.index("^")] == "*"
    assert len(shown) < 100


def test_a_query_has_a_greatest_length() -> None:
    with pytest.raises(InvalidInput, match="4001 characters long; there is room for 4000"):
        parse_query("x" * 4001)


def test_all_parts_have_to_be_there_and_all_that_is_found_counts() -> None:
    source = article(paragraph(FILLER + "A pump stood there."), title="The heat")
    both = found("heat pump", source)
    only = found("heat", source)
    assert both is not None
    assert only is not None
    assert both.reason == "matched 'heat' in title; matched 'pump' once in the opening"
    assert both.score > only.score
    assert found("heat grid", source) is None


def test_not_leaves_out_what_only_looks_like_it() -> None:
    race = article(paragraph("He lined up third on the starting grid."), title="Grid penalty")
    assert found("grid", race) is not None
    assert found('grid NOT "starting grid"', race) is None
    assert found("grid NOT (starting OR wheel)", race) is None
    assert found("grid NOT cables", race) is not None


def test_a_weight_counts_evidence_more_or_less_often() -> None:
    source = article(*(paragraph(FILLER * 5) for _ in range(8)), paragraph("The grid."))
    assert found("grid", source) is None
    doubled = found("grid^2", source)
    assert doubled is not None
    assert doubled.reason == "matched 'grid' once in the text (×2)"
    title = article(title="Grid")
    scores = [match.score for query in ("grid^0.3", "grid", "grid^2") if (match := found(query, title))]
    assert scores == sorted(scores)
    assert scores[1:] == [0.8, 0.96]


def test_fields_look_where_they_say() -> None:
    source = Article(
        "https://www.energy.example.org/grid/full?x=1",
        "Cables wanted",
        (heading("The plan"), paragraph("It is full. " + FILLER * 20), paragraph("The end of cables.")),
        language="de-CH",
        byline="Ada Fenwick and Ben Óg",
        site_name="Energy Today",
        categories=("Local News",),
    )
    matching = (
        "title:cables",
        "text:cables^9",
        "opening:full",
        "opening:plan",
        'category:"local news"',
        "category:loc*",
        "source:meridian",
        "source:meri*",
        "site:energy.example.org",
        "site:example.org",
        'site:"energy today"',
        'author:"ada fenwick"',
        "author:og",
        "language:de",
        "url:/GRID/",
    )
    assert [query for query in matching if found(query, source, "Meridian") is None] == []
    silent = (
        "title:full",
        "opening:cables",
        "text:wanted",
        "category:local",
        "source:meri",
        "site:ergy.example.org",
        "author:Fen",
        "language:fr",
        "url:/cables/",
    )
    assert [query for query in silent if found(query, source, "Meridian")] == []


def test_where_an_article_comes_from_only_narrows_what_it_is_about() -> None:
    source = article(*(paragraph(FILLER * 5) for _ in range(8)), paragraph("The grid."))
    assert found("source:Meridian", source, "Meridian") is not None
    assert found("grid source:Meridian", source, "Meridian") is None
    assert found("grid^2 source:Meridian", source, "Meridian") == found("grid^2", source)
    assert found("source:Meridian language:en", source, "Meridian") is not None


def test_an_article_that_several_sources_list_is_from_each_of_them() -> None:
    source = article(title="The grid")
    assert found("grid NOT source:Orbit", source, "Meridian") is not None
    assert found("grid NOT source:Orbit", source, "Meridian", "Orbit") is None


def test_a_beginning_of_a_word_is_found_and_not_its_middle() -> None:
    source = article(title="Electricity and hydroelectric dams")
    match = found("electri*", source)
    assert match is not None
    assert match.reason == "matched 'electri*' in title"
    assert found("lectri*", source) is None
    assert found("電力*", article(title="東京の電力網が満杯")) is not None


def test_what_is_written_without_diacritics_is_found_with_them_and_not_the_other_way() -> None:
    assert found("Zurich", article(title="Zürich wählt")) is not None
    assert found("zürich", article(title="ZÜRICH wählt")) is not None
    assert found("zürich", article(title="Zurich votes")) is None
    assert found("Lodz", article(title="Łódź buduje")) is not None
    assert found("Malmo", article(paragraph("Nær Malmö ligger havet."), title="Hav")) is not None
    assert found("мои", article(title="мой дом")) is None
    assert found("か", article(title="が")) is None


names = st.text(alphabet='abcé電ß "*\\()^:“', min_size=0, max_size=6)
lists = st.lists(names, max_size=3).map(tuple)


@given(lists, lists, lists, st.sampled_from(["", "grid", "heat OR pump NOT grid"]), lists, names, names)
def test_lists_mean_what_the_query_they_amount_to_means(
    phrases: tuple[str, ...],
    categories: tuple[str, ...],
    sources: tuple[str, ...],
    query: str,
    labels: tuple[str, ...],
    title: str,
    text: str,
) -> None:
    def real(listed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in listed if name.strip())

    rule = TopicRule(real(phrases), real(categories), real(sources), query)
    amounts_to = TopicRule(query=as_query(rule))
    assert (compiled(amounts_to) is None) == (rule == TopicRule())
    source = article(paragraph(f"{text} heat {title}"), title=title or "pump", categories=labels)
    both = [
        match_topics(source, [Topic(TopicSlug("x"), "X", rule=one)], sources=("a", "b c"))
        for one in (rule, amounts_to)
    ]
    assert both[0] == both[1]


pieces = st.sampled_from(
    [
        "AND",
        "OR",
        "NOT",
        "(",
        ")",
        '"',
        "“",
        "^2",
        "^",
        "*",
        "title:",
        "url:",
        "x:",
        "\\",
        "a*",
        "-b",
        " ",
        "é",
        "電",
        "\x00",
    ]
)


@given(st.lists(pieces | st.text(max_size=4), max_size=30), st.sampled_from(["", " "]))
def test_any_text_is_read_or_refused_in_words(parts: list[str], between: str) -> None:
    query = between.join(parts)
    with suppress(QueryError):
        parse_query(query)
    # Whatever is stored matches something or nothing, and never raises.
    found(query, article(paragraph(query or "x"), title=query or "x"), query)


def test_a_stored_query_that_cannot_be_read_leaves_the_rest_of_the_rule() -> None:
    rule = TopicRule(phrases=("grid",), query="((")
    (match,) = match_topics(article(title="The grid"), [Topic(TopicSlug("x"), "X", rule=rule)])
    assert match.reason == "matched 'grid' in title"
    assert compiled(TopicRule(query="((")) is None


def test_a_text_made_to_be_slow_is_not() -> None:
    text = article(paragraph("a " * 200_000 + "ab" * 100_000), title="a" * 100_000)
    assert found('"a a a a a a a a b" OR aaaa* OR "ab"* NOT "ba ba"', text) is not None
