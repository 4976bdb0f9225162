import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select, update

from digest.domain.articles import (
    Article,
    Block,
    BlockKind,
    Condensed,
    DateOrigin,
    Image,
    Origin,
    Span,
    Takeaway,
    TextOrigin,
)
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source
from digest.domain.topics import TopicMatch
from digest.store.articles import (
    ArticleId,
    ArticleRow,
    RevisionRow,
    StoredArticle,
    articles_by_id,
    articles_in,
    content_hash,
    count_articles,
    known_articles,
)
from digest.store.condensed import candidates_in, forget_condensed, record_condensed, uncondensed_articles
from digest.store.database import reading, writing
from digest.store.newsletters import topic_ids
from digest.store.recording import AddedByHand, Recorded, record_article, record_sightings, record_stories
from digest.store.sources import list_sources, remove_source
from tests.stored import (
    CLIMATE,
    NOW,
    SPACE,
    WINDOW,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_source,
)

FULL = Article(
    url="https://meridian.example.org/tides",
    title="Gezeiten – „tides“ & 潮汐",
    blocks=(Block(BlockKind.HEADING, "One"), Block(BlockKind.LIST_ITEM, "Two\tthree 🌊")),
    language="de",
    published_at=datetime(2026, 11, 18, 9, 30, 0, 5, tzinfo=UTC),
    published_by=DateOrigin.PAGE,
    byline="A. Author",
    site_name="Meridian",
    image=Image("https://meridian.example.org/a.jpg", "A strait"),
    text_origin=TextOrigin.FEED,
    categories=("Sea", "Energy"),
)


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


@pytest.fixture
def source(engine: Engine, newsletter: Newsletter) -> Source:
    return stored_source(engine, newsletter, "Meridian")


def record(engine: Engine, newsletter: Newsletter, source: Source, article: Article) -> Recorded:
    with writing(engine) as session:
        return record_article(session, newsletter.id, source.id, article, now=NOW)


def stored(engine: Engine, newsletter: Newsletter) -> tuple[StoredArticle, ...]:
    with reading(engine) as session:
        return articles_in(session, newsletter.id, WINDOW)


def test_an_article_comes_back_as_it_was_stored(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    assert record(engine, newsletter, source, FULL) is Recorded.NEW
    (found,) = stored(engine, newsletter)
    assert found.article == FULL
    assert (found.first_seen_at, found.sources, found.story_id) == (NOW, ("Meridian",), None)


def test_an_article_without_a_date_is_dated_when_it_was_seen(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    record(engine, newsletter, source, replace(FULL, published_at=None))
    with reading(engine) as session:
        (found,) = uncondensed_articles(session, newsletter.id)
    assert (found.article.published_at, found.article.published_by) == (NOW, DateOrigin.FIRST_SEEN)


def test_new_words_replace_the_old_but_the_date_stays(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    record(engine, newsletter, source, FULL)
    newer = replace(FULL, title="Tides", image=None, published_at=FULL.published_at + timedelta(days=1))
    assert record(engine, newsletter, source, newer) is Recorded.UPDATED
    (found,) = stored(engine, newsletter)
    assert found.article == replace(newer, published_at=FULL.published_at)
    assert found.revision == 2
    with reading(engine) as session:
        (kept,) = session.scalars(select(RevisionRow))
    assert (kept.revision, kept.title) == (1, FULL.title)


def test_the_feeds_words_never_replace_the_pages(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    page = replace(FULL, text_origin=TextOrigin.PAGE)
    record(engine, newsletter, source, page)
    excerpt = replace(FULL, blocks=FULL.blocks[:1], text_origin=TextOrigin.FEED, note="the page is away")
    assert record(engine, newsletter, source, excerpt) is Recorded.KNOWN
    assert stored(engine, newsletter)[0].article == page


def test_another_sources_headline_is_no_revision(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    record(engine, newsletter, source, FULL)
    other = stored_source(engine, newsletter, "Northlight")
    assert record(engine, newsletter, other, replace(FULL, title="Their words")) is Recorded.KNOWN
    assert stored(engine, newsletter)[0].article.title == FULL.title


def test_an_article_added_by_hand_counts_for_the_window_it_is_wanted_in(
    engine: Engine, newsletter: Newsletter
) -> None:
    old = replace(FULL, published_at=WINDOW.start - timedelta(days=90))
    wish = AddedByHand("ada@example.org", (CLIMATE,), WINDOW.start)
    with writing(engine) as session:
        record_article(session, newsletter.id, None, old, now=NOW, by_hand=wish)
    (found,) = stored(engine, newsletter)
    assert (found.article, found.given_topics, found.sources) == (old, (CLIMATE,), ())


def test_two_newsletters_may_have_the_same_article(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    other = stored_newsletter(engine, slug="daily")
    theirs = stored_source(engine, other, "Meridian")
    assert record(engine, newsletter, source, FULL) is Recorded.NEW
    assert record(engine, other, theirs, FULL) is Recorded.NEW
    with reading(engine) as session:
        assert count_articles(session, newsletter.id) == 1
        known = known_articles(session, other.id, theirs.id, [FULL.url, "https://other.example.org/"])
    assert set(known) == {FULL.url}


def test_sources_that_bring_an_article_at_once_make_one_article(
    engine: Engine, newsletter: Newsletter
) -> None:
    sources = [stored_source(engine, newsletter, f"S{number}") for number in range(6)]
    for round_ in range(5):
        article = replace(FULL, url=f"{FULL.url}/{round_}")
        together = threading.Barrier(6)

        def bring(source: Source, article: Article = article, together: threading.Barrier = together) -> bool:
            together.wait()
            return record(engine, newsletter, source, article) is Recorded.NEW

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(bring, sources)) == 1
    assert all(len(found.sources) == 6 for found in stored(engine, newsletter))


def test_the_source_that_listed_an_article_first_is_named_first(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    later = stored_source(engine, newsletter, "Aurora")
    record(engine, newsletter, source, FULL)
    with writing(engine) as session:
        (found,) = articles_in(session, newsletter.id, WINDOW)
        record_sightings(session, later.id, {found.id: ""}, now=NOW + timedelta(hours=1))
    (found,) = stored(engine, newsletter)
    assert found.sources == ("Meridian", "Aurora")


def test_articles_outlive_their_source_and_keep_its_name(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    record(engine, newsletter, source, FULL)
    with writing(engine) as session:
        remove_source(session, source.id)
        assert list_sources(session, newsletter.id) == ()
    (found,) = stored(engine, newsletter)
    assert found.sources == ("Meridian",)


def test_a_window_holds_its_articles_newest_first(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    moments = {
        "start": WINDOW.start,
        "last": WINDOW.end - timedelta(microseconds=1),
        "before": WINDOW.start - timedelta(microseconds=1),
        "end": WINDOW.end,
        "middle": FULL.published_at,
    }
    for path, moment in moments.items():
        record(engine, newsletter, source, sample_article(path, published_at=moment))
    assert [found.article.title for found in stored(engine, newsletter)] == ["Last", "Middle", "Start"]


def test_an_article_is_condensed_once_for_each_of_its_texts(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    stored_article(engine, newsletter, source, FULL)
    with reading(engine) as session:
        assert uncondensed_articles(session, newsletter.id) == ()
    record(engine, newsletter, source, replace(FULL, title="Corrected"))
    with reading(engine) as session:
        assert len(uncondensed_articles(session, newsletter.id)) == 1


def test_the_hash_is_that_of_what_a_reader_reads() -> None:
    assert content_hash(FULL) == content_hash(replace(FULL, byline="B", categories=(), language=None))
    assert content_hash(FULL) != content_hash(replace(FULL, title="Other"))
    assert content_hash(FULL) != content_hash(replace(FULL, blocks=FULL.blocks[:1]))


def test_a_hash_of_an_article_is_that_of_the_article_as_it_comes_back(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    record(engine, newsletter, source, FULL)
    (found,) = stored(engine, newsletter)
    assert content_hash(found.article) == content_hash(FULL)


def test_what_condense_found_comes_back_in_order_and_replaces_what_was(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    article_id = stored_article(engine, newsletter, source, FULL, {CLIMATE: 0.4})
    takeaways = (
        Takeaway("Second", Origin.PUBLISHER, (Span(5, 8), Span(0, 3))),
        Takeaway("First", Origin.EXTRACTIVE, (Span(0, 3),)),
    )
    matches = (TopicMatch(CLIMATE, 0.3, "a word"), TopicMatch(SPACE, 0.75, "another"))
    with writing(engine) as session:
        ids = topic_ids(session, newsletter.id)
        record_condensed(session, article_id, Condensed(takeaways), matches, topic_ids=ids, of="x", now=NOW)
    with reading(engine) as session:
        (candidate,) = candidates_in(session, newsletter.id, WINDOW)
    assert candidate.takeaways == takeaways
    assert candidate.topics == (matches[1], matches[0])
    assert candidate.why_none == ""


def test_why_an_article_has_no_takeaways_is_kept(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    stored_article(engine, newsletter, source, FULL, origin=None)
    with reading(engine) as session:
        (candidate,) = candidates_in(session, newsletter.id, WINDOW)
    assert (candidate.takeaways, candidate.why_none) == ((), "the article has no text")


def test_articles_of_a_day_on_are_condensed_anew(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    for day in (16, 18, 20):
        published_at = datetime(2026, 11, day, tzinfo=UTC)
        stored_article(engine, newsletter, source, sample_article(f"d{day}", published_at=published_at))
    with writing(engine) as session:
        since = datetime(2026, 11, 18, tzinfo=UTC)
        assert forget_condensed(session, newsletter.id, since=since) == 2
    with reading(engine) as session:
        assert [found.article.title for found in uncondensed_articles(session, newsletter.id)] == [
            "D18",
            "D20",
        ]


def test_stories_are_tied_and_untied(engine: Engine, newsletter: Newsletter, source: Source) -> None:
    one, two, three = (
        stored_article(engine, newsletter, source, sample_article(path)) for path in ("a", "b", "c")
    )

    def told(*stories: list[int]) -> dict[int, int | None]:
        with writing(engine) as session:
            record_stories(session, stories)  # type: ignore[arg-type]
        return {found.id: found.story_id for found in stored(engine, newsletter)}

    assert told([three, one], [two]) == {one: three, two: None, three: three}
    assert told([one], [two], [three]) == {one: None, two: None, three: None}


def test_two_who_tie_the_same_articles_never_wait_for_each_other(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    """As a run and a background poll do, each with its own view of what belongs together."""
    ids = [
        stored_article(engine, newsletter, source, sample_article(f"tied-{number}")) for number in range(40)
    ]

    def tie(seed: int) -> None:
        dice = Random(seed)
        for _ in range(25):
            shuffled = dice.sample(ids, len(ids))
            groups = [shuffled[start : start + 4] for start in range(0, len(ids), 4)]
            with writing(engine) as session:
                record_stories(session, groups, {shuffled[1]: shuffled[0]})
            with writing(engine) as session:
                forget_condensed(session, newsletter.id, since=WINDOW.start)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(tie, range(3)))
    assert sum(found.story_id is not None for found in stored(engine, newsletter)) == len(ids)


def test_who_copies_whom_is_condensed_anew_where_it_is_news(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    one, two, three = (
        stored_article(engine, newsletter, source, sample_article(path), {CLIMATE: 1.0})
        for path in ("one", "two", "three")
    )

    def pending() -> set[int]:
        with reading(engine) as session:
            return {found.id for found in uncondensed_articles(session, newsletter.id)}

    def tie(*stories: list[ArticleId], copies: Mapping[ArticleId, ArticleId]) -> None:
        with writing(engine) as session:
            record_stories(session, stories, copies)

    assert pending() == set()
    tie([one, two], [three], copies={two: one})
    assert pending() == {two}
    condensed(engine, two)
    tie([one, two], [three], copies={two: one})
    assert pending() == set()
    tie([two], [three], copies={})  # the original is older than what is compared
    assert pending() == set()
    tie([one, two], [three], copies={})
    assert pending() == {two}


def test_a_copy_is_condensed_again_with_its_original(
    engine: Engine, newsletter: Newsletter, source: Source
) -> None:
    one, two = (
        stored_article(engine, newsletter, source, sample_article(path), {CLIMATE: 1.0})
        for path in ("one", "two")
    )
    with writing(engine) as session:
        record_stories(session, [[one, two]], {two: one})
    condensed(engine, two)
    with writing(engine) as session:
        session.execute(update(ArticleRow).where(ArticleRow.id == one).values(condensed_hash=None))
        # The copy first: a stop between the two leaves the original to be done, and with it the copy.
        assert [found.id for found in uncondensed_articles(session, newsletter.id)] == [two, one]


def condensed(engine: Engine, article: ArticleId) -> None:
    with writing(engine) as session:
        (found,) = articles_by_id(session, [article]).values()
        record_condensed(
            session, article, Condensed(()), (), topic_ids={}, of=content_hash(found.article), now=NOW
        )
