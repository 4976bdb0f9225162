from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.select import Selection, select_items
from digest.domain.articles import Article, Block, BlockKind, Origin, Span, Takeaway
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import ArticleId, StoredArticle
from digest.store.condensed import Candidate

WINDOW = Window(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
MIDWEEK = datetime(2026, 11, 19, tzinfo=UTC)
CLIMATE, SPACE, FOOD = map(TopicSlug, ("climate", "space", "food"))


def candidate(
    number: int,
    topics: Mapping[TopicSlug, float] | None = None,
    *,
    story: int | None = None,
    published_at: datetime | None = MIDWEEK,
    words: int = 100,
    origin: Origin | None = Origin.EXTRACTIVE,
) -> Candidate:
    blocks = (Block(BlockKind.PARAGRAPH, "word " * words),)
    article = Article(f"https://example.org/{number}", f"Article {number}", blocks, published_at=published_at)
    stored = StoredArticle(
        ArticleId(number),
        article,
        first_seen_at=MIDWEEK,
        sources=("Meridian",),
        story_id=None if story is None else ArticleId(story),
    )
    takeaways = (Takeaway("word", origin, (Span(0, 4),)),) if origin else ()
    scores = {CLIMATE: 0.5} if topics is None else topics
    matches = tuple(TopicMatch(slug, score, "said so") for slug, score in scores.items())
    return Candidate(stored, takeaways, "", matches)


def select(candidates: Sequence[Candidate], *, max_items: int = 10, carried: Sequence[int] = ()) -> Selection:
    return select_items(
        candidates, WINDOW, max_items=max_items, carried=[ArticleId(number) for number in carried]
    )


def order(selection: Selection) -> list[int]:
    return [item.article_id for item in selection.items]


def reasons(selection: Selection) -> dict[int, str]:
    return {left.article_id: left.reason for left in selection.left_out}


def test_nothing_makes_nothing() -> None:
    assert select([]) == Selection((), ())


def test_the_better_an_article_fits_the_higher_it_stands() -> None:
    fits = [candidate(1, {CLIMATE: 0.4}), candidate(2, {CLIMATE: 0.9}), candidate(3, {SPACE: 0.6})]
    assert order(select(fits)) == [2, 3, 1]


def test_of_equal_articles_the_newer_stands_first() -> None:
    days = [WINDOW.start, WINDOW.end - timedelta(seconds=1), MIDWEEK]
    assert order(select([candidate(n, published_at=day) for n, day in enumerate(days)])) == [1, 2, 0]


def test_an_article_without_takeaways_stands_behind_one_that_has_some() -> None:
    assert order(select([candidate(1, origin=None), candidate(2)])) == [2, 1]


def test_equal_articles_keep_one_order() -> None:
    equals = [candidate(number) for number in (3, 1, 2)]
    assert order(select(equals)) == order(select(equals[::-1])) == [1, 2, 3]


def test_an_article_without_a_date_counts_as_the_oldest() -> None:
    assert order(select([candidate(1, published_at=None), candidate(2)])) == [2, 1]


def test_an_article_of_no_topic_is_left_out() -> None:
    selection = select([candidate(1, {}), candidate(2)])
    assert order(selection) == [2]
    assert reasons(selection) == {1: "belongs to no topic"}


def test_an_article_that_an_earlier_issue_carried_is_left_out() -> None:
    selection = select([candidate(1), candidate(2)], carried=[1])
    assert order(selection) == [2]
    assert reasons(selection) == {1: "an earlier issue carried its story"}


def test_a_story_stands_once_and_names_its_other_reports() -> None:
    reports = [candidate(1, story=2, words=50), candidate(2, story=2, words=400), candidate(3)]
    selection = select(reports)
    (told,) = [item for item in selection.items if item.also]
    assert (told.article_id, told.also) == (2, (1,))
    why = "it is the fuller report"
    assert reasons(selection) == {1: f"tells the story of 'Article 2', which leads: {why}"}


def test_the_report_that_stands_for_a_story_has_takeaways_at_best_the_publishers_own() -> None:
    reports = [
        candidate(1, story=1, words=900, origin=None),
        candidate(2, story=1, words=500, origin=Origin.EXTRACTIVE),
        candidate(3, story=1, words=100, origin=Origin.PUBLISHER),
    ]
    (told,) = select(reports).items
    assert (told.article_id, told.also) == (3, (2, 1))


def test_a_story_that_many_report_stands_above_one_that_one_reports() -> None:
    reports = [candidate(1, {CLIMATE: 0.6}), candidate(2, story=2), candidate(3, story=2)]
    assert order(select(reports)) == [2, 1]


def test_a_story_whose_first_report_was_carried_is_told_by_another() -> None:
    selection = select([candidate(1, story=1), candidate(2, story=1)], carried=[1])
    assert order(selection) == [2]
    assert selection.items[0].also == ()


def test_each_topics_best_comes_before_any_topics_second() -> None:
    busy = [candidate(number, {CLIMATE: 0.9}) for number in range(1, 6)]
    quiet = [candidate(6, {SPACE: 0.31}), candidate(7, {FOOD: 0.3, CLIMATE: 0.2})]
    selection = select([*busy, *quiet], max_items=3)
    assert order(selection) == [1, 6, 7]
    assert reasons(selection) == dict.fromkeys((2, 3, 4, 5), "over the limit of 3 articles")


def test_a_limit_of_nothing_leaves_everything_out() -> None:
    assert select([candidate(1)], max_items=0).items == ()


fits = st.dictionaries(st.sampled_from([CLIMATE, SPACE, FOOD]), st.sampled_from([0.3, 0.6, 0.9]))
weeks = st.lists(st.tuples(fits, st.none() | st.integers(0, 4)), max_size=12)


@given(weeks, st.integers(0, 8), st.sets(st.integers(0, 11)))
def test_every_article_is_either_shown_named_or_left_out_with_a_reason(
    week: list[tuple[dict[TopicSlug, float], int | None]], limit: int, carried: set[int]
) -> None:
    candidates = [candidate(number, topics, story=story) for number, (topics, story) in enumerate(week)]
    selection = select(candidates, max_items=limit, carried=sorted(carried))
    shown = set(order(selection))
    assert len(shown) == len(selection.items) <= limit
    assert shown | set(reasons(selection)) == set(range(len(week)))
    assert shown.isdisjoint(reasons(selection))
    assert len(selection.left_out) == len(reasons(selection))
    scores = [item.score for item in selection.items]
    assert scores == sorted(scores, reverse=True)
    assert shown.isdisjoint(carried)
