from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.select import Selection, select_items
from digest.compose.shape import DROP, PIN, YES, Said, Shape
from digest.domain.articles import Article, Block, BlockKind, Origin, Span, Takeaway
from digest.domain.feedback import Feedback
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import ArticleId, StoredArticle
from digest.store.condensed import Candidate
from digest.store.items import ScorePart

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


def select(
    candidates: Sequence[Candidate],
    *,
    max_items: int = 10,
    carried: Sequence[int] = (),
    told: Sequence[Candidate] = (),
    pin: Sequence[int] = (),
    drop: Sequence[int] = (),
) -> Selection:
    wishes = {ArticleId(number): Said(PIN, "Ada") for number in pin}
    wishes |= {ArticleId(number): Said(DROP, "Ada") for number in drop}
    return select_items(
        candidates,
        WINDOW,
        max_items=max_items,
        carried=[ArticleId(number) for number in carried],
        told=[one.stored.article for one in told],
        shape=Shape(wishes=wishes),
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


def test_what_is_pinned_stands_first_and_is_in_whatever_the_limit() -> None:
    fits = [
        candidate(1, {CLIMATE: 0.9}),
        candidate(2, {CLIMATE: 0.3}, origin=None),
        candidate(3, {CLIMATE: 0.4}),
    ]
    selection = select(fits, max_items=2, pin=[2])
    assert order(selection) == [2, 1]
    assert selection.items[0].parts[0] == ScorePart(10.0, "pinned by Ada")
    assert order(select(fits, max_items=1, pin=[2, 3])) == [3, 2]
    assert order(select(fits, max_items=0, pin=[2])) == [2]


def test_what_is_pinned_leads_its_story_and_stays_when_an_earlier_issue_carried_it() -> None:
    reports = [candidate(1, story=1, words=900), candidate(2, story=1, words=50)]
    (told,) = select(reports, pin=[2], carried=[2]).items
    assert (told.article_id, told.also) == (2, (1,))


def test_what_is_dropped_is_never_in_and_another_report_tells_its_story() -> None:
    reports = [candidate(1, story=1, words=900), candidate(2, story=1, words=50)]
    selection = select(reports, drop=[1])
    assert [(item.article_id, item.also) for item in selection.items] == [(2, ())]
    assert reasons(selection) == {1: "Ada dropped it"}


def test_what_belongs_to_no_topic_cannot_be_pinned_into_an_issue() -> None:
    assert reasons(select([candidate(1, {})], pin=[1])) == {
        1: "belongs to no topic, so nobody would get it though Ada pinned it"
    }


def worded(number: int, text: str) -> Candidate:
    made = candidate(number)
    article = replace(made.stored.article, title=text, blocks=(Block(BlockKind.PARAGRAPH, text),))
    return replace(made, stored=replace(made.stored, article=article))


def test_what_retells_an_earlier_issue_stands_behind_and_says_so() -> None:
    wall = "Port Ellery votes for a flood wall along the quay"
    week = [worded(1, wall), worded(2, "Comet grows another tail towards the sun")]
    assert order(select(week)) == [1, 2]
    selection = select(week, told=[worded(9, wall)])
    assert order(selection) == [2, 1]
    assert selection.items[1].parts[-1].reason == f"like '{wall}' of an earlier issue"
    assert selection.items[1].parts[-1].points < 0


def test_a_score_is_the_sum_of_its_parts_and_each_has_words() -> None:
    for item in select([candidate(1, story=1), candidate(2, story=1), candidate(3, {SPACE: 0.7})]).items:
        assert item.score == round(sum(part.points for part in item.parts), 3)
        assert all(part.reason and part.points for part in item.parts)
    (alone,) = select([candidate(3, {SPACE: 0.7})]).items
    assert [part.reason for part in alone.parts] == [
        "fits space: said so",
        "published on 2026-11-19",
        "has takeaways",
    ]


def test_what_readers_found_useful_settles_what_is_a_draw_and_nothing_more() -> None:
    def chosen(useful: int, not_useful: int, *, fit: float = 0.5) -> list[int]:
        week = [from_source(1, "Meridian", fit), from_source(2, "Harbour Post", 0.5)]
        heard = {"Harbour Post": Feedback(useful, not_useful)}
        selection = select_items(week, WINDOW, max_items=10, carried=(), heard=heard)
        return [item.article_id for item in selection.items]

    assert chosen(0, 0) == chosen(0, 40) == [1, 2]
    assert chosen(40, 0) == [2, 1]
    assert chosen(10_000, 0, fit=0.65) == [1, 2], "no number of readers weighs more than a tenth"
    heard = {"Harbour Post": Feedback(12, 2)}
    (one,) = select_items(
        [from_source(2, "Harbour Post", 0.5)], WINDOW, max_items=1, carried=(), heard=heard
    ).items
    assert ScorePart(0.042, "useful to 12 of 14 readers who said so of its source") in one.parts


def from_source(number: int, name: str, fit: float) -> Candidate:
    found = candidate(number, {CLIMATE: fit})
    return replace(found, stored=replace(found.stored, sources=(name,)))


fits = st.dictionaries(st.sampled_from([CLIMATE, SPACE, FOOD]), st.sampled_from([0.3, 0.6, 0.9]))
weeks = st.lists(st.tuples(fits, st.none() | st.integers(0, 4)), max_size=12)


numbers = st.sets(st.integers(0, 11))


@given(weeks, st.integers(0, 8), numbers, numbers, numbers)
def test_every_article_is_either_shown_named_or_left_out_with_a_reason(
    week: list[tuple[dict[TopicSlug, float], int | None]],
    limit: int,
    carried: set[int],
    pin: set[int],
    drop: set[int],
) -> None:
    candidates = [candidate(number, topics, story=story) for number, (topics, story) in enumerate(week)]
    selection = select(
        candidates, max_items=limit, carried=sorted(carried), pin=sorted(pin), drop=sorted(drop)
    )
    shown = set(order(selection))
    assert len(shown) == len(selection.items)
    assert len(shown - pin) <= limit
    assert shown | set(reasons(selection)) == set(range(len(week)))
    assert shown.isdisjoint(reasons(selection))
    assert len(selection.left_out) == len(reasons(selection))
    scores = [item.score for item in selection.items]
    assert scores == sorted(scores, reverse=True)
    assert shown.isdisjoint(carried - pin)
    assert shown.isdisjoint(drop)
    assert {item.article_id for item in selection.items[: len(shown & pin)]} == shown & pin


# --- what editors made of it


def shaped(candidates: Sequence[Candidate], *, max_items: int = 10, **said: Mapping[int, str]) -> Selection:
    told = {
        what: {ArticleId(number): Said(value, "Ada") for number, value in values.items()}
        for what, values in said.items()
    }
    return select_items(candidates, WINDOW, max_items=max_items, carried=(), shape=Shape(**told))


WEEK = [candidate(number, {CLIMATE: 1 - number / 10}) for number in range(1, 6)]


def test_an_article_stands_where_an_editor_put_it() -> None:
    assert order(shaped(WEEK, places={4: "1:2"})) == [1, 4, 2, 3, 5]
    assert order(shaped(WEEK, places={1: "5:0"})) == [2, 3, 4, 5, 1]
    assert order(shaped(WEEK, places={3: "0:1", 5: "3:1"})) == [3, 5, 1, 2, 4]


def test_a_place_is_found_by_the_neighbour_that_is_left_or_else_by_score() -> None:
    assert order(shaped(WEEK, places={4: "1:2"}, wishes={1: DROP})) == [4, 2, 3, 5]
    assert order(shaped(WEEK, places={4: "1:2"}, wishes={2: DROP})) == [1, 4, 3, 5]
    assert order(shaped(WEEK, places={4: "1:2"}, wishes={1: DROP, 2: DROP})) == [3, 4, 5]


def test_what_an_editor_worked_on_stays_whatever_the_limit() -> None:
    for what, value in {"places": "0:1", "topics": "space", "headlines": "Five", "leads": YES}.items():
        kept = order(shaped(WEEK, max_items=2, **{what: {5: value}}))
        assert sorted(kept) == [1, 5], what


def test_an_article_moved_to_a_topic_leaves_the_one_it_fitted_best_and_keeps_its_others() -> None:
    shape = Shape(topics={ArticleId(1): Said("food", "Ada")})
    moved = shape.moved(candidate(1, {CLIMATE: 0.9, SPACE: 0.4, FOOD: 0.3}))
    assert moved.topics == (TopicMatch(FOOD, 0.9, "moved there by Ada"), TopicMatch(SPACE, 0.4, "said so"))
    homeless = shape.moved(candidate(1, {}))
    assert [match.slug for match in homeless.topics] == [FOOD]


def test_an_editor_chooses_who_leads_a_story_and_its_place_and_pin_are_the_storys() -> None:
    story = [
        candidate(1, story=1, words=900),
        candidate(2, story=1, words=500),
        candidate(3, story=1),
        candidate(9, {CLIMATE: 0.1}),
    ]
    assert order(shaped(story)) == [1, 9]
    chosen = shaped(story, leads={3: YES, 2: YES}, wishes={1: PIN}, places={1: "9:0"})
    assert order(chosen) == [9, 2]
    assert chosen.items[1].also == (3, 1)
    assert chosen.items[1].parts[0].reason == "pinned by Ada"
    assert reasons(chosen)[1] == "tells the story of 'Article 2', which leads: Ada chose it"
    assert reasons(chosen)[3] == "tells the story of 'Article 2', which leads: Ada chose it"


@given(
    st.dictionaries(st.integers(1, 5), st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=5),
    st.sets(st.integers(1, 5), max_size=3),
)
def test_places_never_lose_or_double_an_article(
    places: dict[int, tuple[int, int]], dropped: set[int]
) -> None:
    told = {number: f"{after}:{before}" for number, (after, before) in places.items()}
    chosen = order(shaped(WEEK, places=told, wishes=dict.fromkeys(dropped, DROP)))
    assert sorted(chosen) == sorted({1, 2, 3, 4, 5} - dropped)
