import asyncio

import pytest
from sqlalchemy import Engine

from digest.condense import steps
from digest.condense.editing import edit_takeaways
from digest.condense.steps import Condenser, Report, condense, condense_again, condense_with
from digest.condense.topics.belonging import SOURCE_SCORE, Grounds, topics_of
from digest.domain.articles import (
    Article,
    Block,
    BlockKind,
    Condensed,
    Origin,
    Rejected,
    Span,
    Style,
    Takeaway,
    Usage,
)
from digest.domain.errors import Unavailable
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Excerpt, Source
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.articles import ArticleId, StoredArticle
from digest.store.condensed import Candidate, candidates_in
from digest.store.database import reading, writing
from digest.store.newsletters import add_topic, remove_topic
from digest.store.recording import record_article, record_stories
from digest.store.sources import change_source, remove_source
from tests.stored import NOW, WINDOW, sample_article, stored_newsletter, stored_source

SEA, SPACE, CITY = map(TopicSlug, ("sea", "space", "city"))
TOPICS = (
    Topic(SEA, "The sea", rule=TopicRule(phrases=("tide power", "tides"))),
    Topic(SPACE, "Space", rule=TopicRule(categories=("Rockets",))),
    Topic(CITY, "Cities"),
)
TOLD = (
    "Six turbines on the bed of the strait ran for a thousand days without a diver going down.",
    "A year of tide power now costs less than half of what the harbour paid for oil.",
    "The council will decide in March whether the next strait gets turbines of its own.",
)


def told(path: str, **overrides: object) -> Article:
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in TOLD)
    own = Block(BlockKind.PARAGRAPH, f"More of it: {path}.")  # the very same words would be one article
    return sample_article(path, **{"blocks": (*blocks, own), "title": "Tide power pays"} | overrides)


class Condensing:
    def __init__(self, engine: Engine, **overrides: object) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine, topics=TOPICS, takeaways=2, **overrides)
        self.source: Source = stored_source(engine, self.newsletter, "Meridian")

    def add(self, article: Article, source: Source | None = None) -> None:
        with writing(self.engine) as session:
            record_article(session, self.newsletter.id, (source or self.source).id, article, now=NOW)

    def run(self) -> Report:
        return condense(self.engine, self.newsletter, now=NOW)

    @property
    def candidates(self) -> dict[str, Candidate]:
        with reading(self.engine) as session:
            found = candidates_in(session, self.newsletter.id, WINDOW)
        return {one.stored.article.url.rpartition("/")[2]: one for one in found}


@pytest.fixture
def condensing(engine: Engine) -> Condensing:
    return Condensing(engine)


def test_an_article_gets_takeaways_with_their_places_and_topics_with_reasons(
    condensing: Condensing,
) -> None:
    condensing.add(told("tides"))
    report = condensing.run()
    found = condensing.candidates["tides"]
    assert found.takeaways
    assert report == Report(1, {Origin.EXTRACTIVE: len(found.takeaways)}, 0, 0)
    text = found.stored.article.text
    for takeaway in found.takeaways:
        (span,) = takeaway.support
        assert text[span.start : span.end] in TOLD
    (match,) = found.topics
    assert match.slug == SEA
    assert "tide power" in match.reason


def test_each_text_is_condensed_once(condensing: Condensing) -> None:
    condensing.add(told("tides"))
    condensing.run()
    assert condensing.run() == Report(0, {}, 0, 0)
    condensing.add(told("tides", title="Rockets", categories=("rockets",), blocks=()))
    assert condensing.run() == Report(1, {}, 1, 0)
    found = condensing.candidates["tides"]
    assert (found.takeaways, found.why_none) == ((), "the article has no text")
    assert [match.slug for match in found.topics] == [SPACE]


def test_what_could_not_be_condensed_is_counted(condensing: Condensing) -> None:
    condensing.add(told("tides"))
    condensing.add(told("nothing", title="Nothing", blocks=()))
    report = condensing.run()
    assert (report.articles, report.without_takeaways, report.without_topic) == (2, 1, 1)


def test_changed_rules_are_applied_when_asked(condensing: Condensing) -> None:
    condensing.add(told("tides"))
    condensing.run()
    turbines = Topic(TopicSlug("turbines"), "Turbines", rule=TopicRule(phrases=("turbines",)))
    with writing(condensing.engine) as session:
        remove_topic(session, condensing.newsletter.id, SEA)
        add_topic(session, condensing.newsletter.id, turbines)
    assert condensing.candidates["tides"].topics == ()
    assert condense_again(condensing.engine, condensing.newsletter, since=WINDOW.end) == 0
    assert condense_again(condensing.engine, condensing.newsletter, since=WINDOW.start) == 1
    condensing.run()
    assert [match.slug for match in condensing.candidates["tides"].topics] == ["turbines"]


def test_every_article_of_a_source_belongs_to_its_topics(condensing: Condensing) -> None:
    harbour = stored_source(condensing.engine, condensing.newsletter, "Harbour", topics=(CITY,))
    condensing.add(told("tides"))
    condensing.run()
    assert [match.slug for match in condensing.candidates["tides"].topics] == [SEA]
    condensing.add(told("tides"), harbour)
    condensing.run()
    matches = {match.slug: match for match in condensing.candidates["tides"].topics}
    assert set(matches) == {SEA, CITY}
    assert (matches[CITY].score, matches[CITY].reason) == (SOURCE_SCORE, "everything from Harbour")


def test_a_topic_that_a_source_names_but_the_newsletter_lacks_is_left_out(condensing: Condensing) -> None:
    gone = stored_source(condensing.engine, condensing.newsletter, "Gone", topics=(TopicSlug("gone"),))
    condensing.add(told("tides"), gone)
    assert condensing.run().articles == 1
    assert [match.slug for match in condensing.candidates["tides"].topics] == [SEA]


def test_another_newsletters_articles_are_left_alone(condensing: Condensing) -> None:
    condensing.add(told("tides"))
    other = stored_newsletter(condensing.engine, slug="daily")
    assert condense(condensing.engine, other, now=NOW).articles == 0
    assert condensing.run().articles == 1


def test_progress_is_told_article_by_article(condensing: Condensing) -> None:
    for path in ("a", "b", "c"):
        condensing.add(told(path))
    seen: list[int] = []
    condense(condensing.engine, condensing.newsletter, now=NOW, on_condensed=lambda: seen.append(len(seen)))
    assert seen == [0, 1, 2]


def test_a_stop_half_way_keeps_what_was_done(condensing: Condensing) -> None:
    for path in ("a", "b", "c"):
        condensing.add(told(path))
    seen: list[int] = []

    def stop_after_two() -> None:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        condense(condensing.engine, condensing.newsletter, now=NOW, on_condensed=stop_after_two)
    assert condensing.run().articles == 1


def test_topics_are_in_falling_score_and_each_has_its_strongest_reason() -> None:
    topics = (
        Topic(SEA, "The sea", rule=TopicRule(phrases=("tide power",))),
        Topic(SPACE, "Space", rule=TopicRule(sources=("Orbit",))),
        Topic(CITY, "Cities"),
    )
    stored = StoredArticle(
        ArticleId(1), told("tides"), first_seen_at=NOW, sources=("Meridian", "Orbit"), story_id=None
    )
    matches = topics_of(stored, Grounds(topics, {"Orbit": (CITY, SPACE), "Meridian": (SEA,)}))
    assert [match.slug for match in matches] == [SEA, SPACE, CITY]
    assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)
    assert matches[1].reason == "all of Orbit's articles"
    assert matches[0].score > SOURCE_SCORE


def test_an_article_that_no_source_lists_any_more_keeps_its_rules() -> None:
    stored = StoredArticle(ArticleId(1), told("tides"), first_seen_at=NOW, sources=(), story_id=None)
    assert [match.slug for match in topics_of(stored, Grounds(TOPICS))] == [SEA]


def test_what_was_agreed_with_a_source_holds_after_it_was_removed(condensing: Condensing) -> None:
    with writing(condensing.engine) as session:
        change_source(session, condensing.source.id, excerpt=Excerpt.HEADLINE, topics=[CITY])
        remove_source(session, condensing.source.id)
    condensing.add(told("tides"))
    condensing.run()
    found = condensing.candidates["tides"]
    assert found.takeaways == ()
    assert found.why_none == "Meridian is used for headline and link only"
    assert [match.slug for match in found.topics] == [SEA, CITY]


@pytest.mark.parametrize("limited", ["the source", "the publisher"])
def test_a_copy_is_for_what_its_original_is_for(condensing: Condensing, limited: str) -> None:
    free = stored_source(condensing.engine, condensing.newsletter, "Free")
    with writing(condensing.engine) as session:
        if limited == "the source":
            change_source(session, condensing.source.id, excerpt=Excerpt.HEADLINE)
    condensing.add(told("tides", reservation="noai" if limited == "the publisher" else ""))
    condensing.add(told("copy"), free)
    condensing.run()
    assert condensing.candidates["copy"].takeaways
    original, copy = (condensing.candidates[path].stored.id for path in ("tides", "copy"))
    with writing(condensing.engine) as session:
        record_stories(session, [[original, copy]], {copy: original})
    assert condensing.run().articles == 1
    found = condensing.candidates["copy"]
    assert found.takeaways == ()
    assert found.why_none.startswith("a copy of https://meridian.example.org/tides: ")
    assert found.why_none.endswith("headline and link only")
    with writing(condensing.engine) as session:
        record_stories(session, [[original], [copy]])
    condensing.run()
    assert condensing.candidates["copy"].takeaways


def test_a_free_original_stays_free_whatever_its_copies_are_for(condensing: Condensing) -> None:
    limited = stored_source(condensing.engine, condensing.newsletter, "Limited", excerpt=Excerpt.HEADLINE)
    condensing.add(told("tides"))
    condensing.add(told("copy"), limited)
    original, copy = (condensing.candidates[path].stored.id for path in ("tides", "copy"))
    with writing(condensing.engine) as session:
        record_stories(session, [[original, copy]], {copy: original})
    condensing.run()
    assert condensing.candidates["tides"].takeaways
    assert condensing.candidates["copy"].why_none == "Limited is used for headline and link only"


class Model:
    """A model that writes one takeaway of each article, after `pause` turns of the loop, and counts."""

    def __init__(self, *, note: str = "", pause: int = 3, fails_at: int = 0) -> None:
        self.asked: list[tuple[str, int, int, Style]] = []
        self.at_once = self.most_at_once = 0
        self.note, self.pause, self.fails_at = note, pause, fails_at

    async def condense(
        self, article: Article, *, count: int, max_words: int, style: Style, article_id: ArticleId
    ) -> Condensed:
        self.asked.append((article.url, count, max_words, style))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        for _ in range(self.pause):
            await asyncio.sleep(0)
        self.at_once -= 1
        if len(self.asked) == self.fails_at:
            raise Unavailable("the database went away")
        takeaway = Takeaway(f"Of {article.url}", Origin.LLM, (Span(0, 9),), "m-1", "p1")
        return Condensed(
            (takeaway,), None, (Rejected("Invented", "no such name"),), Usage(100, 10, 50), self.note
        )


def with_model(condensing: Condensing, model: Condenser, *, at_once: int = 3, most: int = 1000) -> Report:
    begun: list[int] = []

    def should_stop() -> bool:
        begun.append(1)
        return len(begun) >= most

    return asyncio.run(
        condense_with(
            condensing.engine,
            condensing.newsletter,
            model,
            at_once=at_once,
            now=NOW,
            should_stop=should_stop,
        )
    )


def test_a_model_writes_takeaways_side_by_side_as_the_newsletter_wants_them(engine: Engine) -> None:
    condensing = Condensing(engine, takeaway_words=20, takeaway_style=Style.BRIEF, llm=True)
    for number in range(7):
        condensing.add(told(f"a{number}"))
    model = Model()
    report = with_model(condensing, model)
    assert model.most_at_once == 3
    assert {one[1:] for one in model.asked} == {(2, 20, Style.BRIEF)}
    assert (report.articles, report.takeaways, report.rejected) == (7, {Origin.LLM: 7}, 7)
    assert (report.usage, report.notes) == (Usage(700, 70, 350), {})
    found = condensing.candidates["a3"]
    assert found.takeaways == (
        Takeaway(f"Of {found.stored.article.url}", Origin.LLM, (Span(0, 9),), "m-1", "p1"),
    )
    assert with_model(condensing, model).articles == 0


def test_a_model_is_never_shown_what_is_for_headline_and_link_only(condensing: Condensing) -> None:
    condensing.add(told("reserved", reservation="noai"))
    condensing.add(told("free"))
    model = Model()
    with_model(condensing, model)
    assert [url.rpartition("/")[2] for url, *_ in model.asked] == ["free"]
    assert "reserves it" in condensing.candidates["reserved"].why_none


def test_what_was_recorded_before_a_failure_is_kept_and_the_rest_is_done_next_time(
    condensing: Condensing,
) -> None:
    for number in range(6):
        condensing.add(told(f"a{number}"))
    with pytest.raises(Unavailable, match="the database went away"):
        with_model(condensing, Model(fails_at=6), at_once=2)
    done = [one for one in condensing.candidates.values() if one.takeaways]
    assert 1 <= len(done) <= 5
    assert with_model(condensing, Model()).articles == 6 - len(done)


def test_a_call_that_is_cut_short_says_so_and_the_next_goes_on(condensing: Condensing) -> None:
    for number in range(5):
        condensing.add(told(f"a{number}"))
    first = with_model(condensing, Model(), at_once=2, most=3)
    assert (first.articles, first.is_cut_short) == (3, True)
    then = condense(condensing.engine, condensing.newsletter, now=NOW, should_stop=lambda: True)
    assert (then.articles, then.is_cut_short) == (1, True)
    last = condensing.run()
    assert (last.articles, last.is_cut_short) == (1, False)


def test_a_reason_why_no_model_was_asked_stands_beside_extracted_takeaways_only(
    condensing: Condensing,
) -> None:
    condensing.add(told("tides"))
    condensing.add(told("nothing", title="Nothing", blocks=()))
    report = condense(condensing.engine, condensing.newsletter, now=NOW, note="no model is set")
    assert report.notes == {"no model is set": 1}


def test_pages_give_every_article_once_copies_first(
    condensing: Condensing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PAGE", 2)
    for number in range(7):
        condensing.add(told(f"a{number}"))
    ids = {path: one.stored.id for path, one in condensing.candidates.items()}
    copies = {ids[f"a{number}"]: ids["a0"] for number in (1, 3, 4)}
    with writing(condensing.engine) as session:
        record_stories(session, [list(ids.values())], copies)
    model = Model()
    with_model(condensing, model, at_once=1)
    asked = [url.rpartition("/")[2] for url, *_ in model.asked]
    assert asked == ["a1", "a3", "a4", "a0", "a2", "a5", "a6"]


def test_a_run_tells_of_editors_takeaways_that_something_changed_under(condensing: Condensing) -> None:
    condensing.add(told("tides"))
    condensing.add(told("fog"))
    condensing.run()
    ids = {path: one.stored.id for path, one in condensing.candidates.items()}
    for path in ("tides", "fog"):
        edit_takeaways(condensing.engine, ids[path], ["Mine"], by="ada", now=NOW)
    condensing.add(told("tides", title="Tide power pays well"))
    condense_again(condensing.engine, condensing.newsletter, since=WINDOW.start)
    report = condensing.run()
    assert (report.articles, report.kept) == (2, 2)
    (outdated,) = report.outdated
    assert (outdated.article_id, outdated.title) == (ids["tides"], "Tide power pays well")
    assert "text has changed" in outdated.why
