from hypothesis import given
from hypothesis import strategies as st

from digest.condense.topics import THRESHOLD, match_topics
from digest.condense.topics.comparing import compared, pattern, places_of
from digest.domain.articles import Article
from digest.domain.topics import Topic, TopicMatch, TopicRule, TopicSlug
from tests.condense.samples import article, heading, paragraph

FILLER = "The council met again this week to speak about the budget of the coming year. "


def topic(slug: str = "energy", **rule: tuple[str, ...]) -> Topic:
    return Topic(TopicSlug(slug), slug.title(), rule=TopicRule(**rule))


def match(source: Article, *topics: Topic, source_name: str = "Meridian") -> tuple[TopicMatch, ...]:
    return match_topics(source, topics, sources=(source_name,))


def long_article(mention: str, *, times: int = 1, title: str = "News of the week") -> Article:
    """600 words that mention something only towards the end."""
    return article(
        *(paragraph(FILLER * 5) for _ in range(8)),
        paragraph(f"Someone named {mention}. " * times),
        title=title,
    )


def test_a_phrase_in_the_title_is_enough_and_says_so() -> None:
    (found,) = match(long_article("nothing", title="Why a Heat Pump pays"), topic(phrases=("heat pump",)))
    assert found.slug == "energy"
    assert found.reason == "matched 'heat pump' in title"
    assert THRESHOLD < found.score <= 1


def test_a_passing_mention_deep_in_a_long_article_is_not_enough() -> None:
    assert match(long_article("the grid"), topic(phrases=("grid",))) == ()


def test_repeated_mentions_are_enough() -> None:
    (found,) = match(long_article("the grid", times=3), topic(phrases=("grid",)))
    assert found.reason == "matched 'grid' 3 times in the text"


def test_the_opening_and_headings_count_more_than_the_rest() -> None:
    opening = article(paragraph("The grid is full. " + FILLER), *(paragraph(FILLER * 5) for _ in range(8)))
    under_heading = article(*(paragraph(FILLER * 5) for _ in range(8)), heading("The grid"))
    assert match(opening, topic(phrases=("grid",)))[0].reason == "matched 'grid' once in the opening"
    assert match(under_heading, topic(phrases=("grid",))) != ()


def test_phrases_match_whole_words_only() -> None:
    source = article(
        paragraph("Gridlock ended; the grids of the past and off-gridding did not."), title="Gridlocked"
    )
    assert match(source, topic(phrases=("grid",))) == ()


@given(
    st.text("ab é-’\n東", max_size=12), st.text("ab é-’\n東", max_size=60), st.booleans(), st.integers(0, 60)
)
def test_a_phrase_is_found_where_its_pattern_matches(
    phrase: str, within: str, is_prefix: bool, end: int
) -> None:
    wanted, text = compared(phrase), compared(within)
    matches = pattern(wanted, is_prefix=is_prefix).finditer(text, 0, end)
    assert places_of(wanted, text, is_prefix=is_prefix, end=end) == [one.start() for one in matches]


def test_phrases_ignore_case_apostrophes_and_spacing() -> None:
    source = article(paragraph("..."), title="STRASSENBAU und L’ÉNERGIE:  heat\u00a0 pump")
    for phrase in ("Straßenbau", "l'énergie", "Heat Pump"):
        assert match(source, topic(phrases=(phrase,))) != ()


def test_phrases_match_inside_scripts_without_spaces() -> None:
    assert match(article(title="東京の電力網が満杯"), topic(phrases=("電力網",))) != ()


def test_a_label_of_the_feed_matches_whole_and_ignores_case() -> None:
    source = article(categories=("Energy", "Local news"))
    (found,) = match(source, topic(categories=("energy",)), topic("local", categories=("local",)))
    assert found.slug == "energy"
    assert found.reason == "labelled 'Energy' by its source"


def test_every_article_of_a_source_belongs_to_its_topic() -> None:
    (found,) = match(article(), topic(sources=("meridian",)), topic("other", sources=("Horizon",)))
    assert found.reason == "all of Meridian's articles"


def test_reasons_add_up_and_the_strongest_comes_first() -> None:
    source = article(paragraph("The grid is full."), title="The grid", categories=("Energy",))
    (both,) = match(source, topic(phrases=("grid",), categories=("energy",)))
    (label,) = match(source, topic(categories=("energy",)))
    assert label.score < both.score <= 1
    assert both.reason.startswith("labelled 'Energy' by its source; matched 'grid' in title")


def test_topics_come_in_falling_score_and_ties_keep_their_order() -> None:
    source = article(title="Grid and port", categories=("Port",))
    topics = (
        topic("grid", phrases=("grid",)),
        topic("first", phrases=("port",)),
        topic("port", phrases=("port",), categories=("port",)),
    )
    assert [found.slug for found in match(source, *topics)] == ["port", "grid", "first"]


def test_an_empty_rule_or_phrase_matches_nothing() -> None:
    assert match(article(paragraph(FILLER)), topic(), topic("blank", phrases=("", " "))) == ()
