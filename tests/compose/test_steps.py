import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.compose.render import EmailTemplate
from digest.compose.steps import approve, compose, content_of, pieces_of
from digest.domain.articles import Article, Condensed, Image, Origin, Span, Takeaway
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import Issue, IssueState, IssueTopic, OtherSource
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import record_condensed
from digest.store.database import reading, writing
from digest.store.issues import get_issue, list_issues, write_texts
from digest.store.items import items_of
from digest.store.newsletters import remove_topic, topic_ids
from digest.store.recording import record_article, record_stories
from digest.store.revisions import get_rendered
from tests.samples import PERSONAL
from tests.stored import (
    CITIES,
    CLIMATE,
    FOOD,
    NOW,
    SPACE,
    WINDOW,
    change,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_source,
)


class Week:
    """A newsletter's week, made of articles that were condensed."""

    def __init__(self, engine: Engine, **overrides: object) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine, **overrides)
        self.source: Source = stored_source(engine, self.newsletter, "Meridian")

    def add(self, path: str, topics: dict[TopicSlug, float] | None = None, **overrides: object) -> ArticleId:
        article = sample_article(path, **overrides)
        return stored_article(self.engine, self.newsletter, self.source, article, topics)

    def rewrite(self, article: Article) -> None:
        with writing(self.engine) as session:
            record_article(session, self.newsletter.id, self.source.id, article, now=NOW)

    def compose(self, window: Window = WINDOW) -> Issue:
        issue = compose(self.engine, self.newsletter, window, now=NOW).issue
        assert issue is not None
        return issue

    def titles(self, issue: Issue) -> list[str]:
        return [item.title for item in content_of(self.engine, issue.id).items]


@pytest.fixture
def week(engine: Engine) -> Week:
    return Week(engine)


def test_a_week_becomes_a_draft_of_its_articles(week: Week) -> None:
    week.add("tides", {CLIMATE: 0.9})
    week.add("rockets", {SPACE: 0.5})
    composed = compose(week.engine, week.newsletter, WINDOW, now=NOW)
    assert composed.issue is not None
    assert (composed.issue.state, composed.items, composed.left_out) == (IssueState.DRAFT, 2, ())
    assert week.titles(composed.issue) == ["Tides", "Rockets"]


def test_only_articles_of_the_window_are_taken(week: Week) -> None:
    week.add("first", published_at=WINDOW.start)
    week.add("last", published_at=WINDOW.end - timedelta(microseconds=1))
    week.add("before", published_at=WINDOW.start - timedelta(microseconds=1))
    week.add("after", published_at=WINDOW.end)
    assert sorted(week.titles(week.compose())) == ["First", "Last"]


def test_an_item_is_what_readers_see_of_its_article(week: Week) -> None:
    image = Image("https://meridian.example.org/strait.jpg", "A strait")
    week.add("tides", {SPACE: 0.4, CLIMATE: 0.9}, image=image, language="de")
    (item,) = content_of(week.engine, week.compose().id).items
    assert item.url == "https://meridian.example.org/tides"
    assert (item.position, item.source, item.language, item.image) == (0, "Meridian", "de", image)
    assert item.topics == (CLIMATE, SPACE)
    assert item.takeaways == ("What happened about tides is told here in one sentence.",)
    assert (item.published_on, item.reading_minutes) == (date(2026, 11, 18), 1)


def test_the_content_says_whose_issue_of_which_days_it_is(engine: Engine) -> None:
    week = Week(engine, timezone="Asia/Tokyo", name="The Week", language="en-GB")
    week.add("tides", {FOOD: 0.4, CITIES: 0.4}, published_at=datetime(2026, 11, 16, 16, tzinfo=UTC))
    tokyo = Window(datetime(2026, 11, 15, 15, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))
    content = content_of(engine, week.compose(tokyo).id)
    assert (content.newsletter, content.language) == ("The Week", "en-GB")
    assert (content.first_day, content.last_day) == (date(2026, 11, 16), date(2026, 11, 22))
    assert content.topics == (IssueTopic(CITIES, "Cities"), IssueTopic(FOOD, "Food"))
    assert content.items[0].published_on == date(2026, 11, 17)


def test_a_newsletter_shows_as_many_takeaways_as_it_wants(week: Week) -> None:
    article_id = week.add("tides")
    takeaways = [Takeaway(f"Point {number}", Origin.PUBLISHER, (Span(0, 4),)) for number in range(5)]
    with writing(week.engine) as session:
        topics = topic_ids(session, week.newsletter.id)
        matches = [TopicMatch(CLIMATE, 0.9, "said so")]
        condensed = Condensed(tuple(takeaways))
        record_condensed(session, article_id, condensed, matches, topic_ids=topics, of="x", now=NOW)
    (item,) = content_of(week.engine, week.compose().id).items
    assert item.takeaways == ("Point 0", "Point 1", "Point 2")


def test_a_story_is_shown_once_and_its_other_reports_are_named(week: Week) -> None:
    other = stored_source(week.engine, week.newsletter, "Northlight")
    told, also = week.add("tides"), sample_article("tides-too", url="https://northlight.example.org/t")
    also_id = stored_article(week.engine, week.newsletter, other, also)
    with writing(week.engine) as session:
        record_stories(session, [[also_id, told]])
    (item,) = content_of(week.engine, week.compose().id).items
    names = {item.source, *(named.source for named in item.also)}
    assert names == {"Meridian", "Northlight"}
    assert isinstance(item.also[0], OtherSource)
    assert {item.url, item.also[0].url} == {also.url, "https://meridian.example.org/tides"}


def test_an_empty_week_makes_no_issue(week: Week) -> None:
    week.add("nothing-for-anybody", {})
    week.add("other", published_at=NOW)
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, "climate")
    composed = compose(week.engine, week.newsletter, WINDOW, now=NOW)
    assert (composed.issue, composed.items) == (None, 0)
    assert [left.reason for left in composed.left_out] == ["belongs to no topic"]
    with reading(week.engine) as session:
        assert list_issues(session) == ()


def test_composing_again_takes_what_has_come_since_and_keeps_what_an_editor_wrote(week: Week) -> None:
    week.add("tides")
    draft = week.compose()
    with writing(week.engine) as session:
        write_texts(session, draft.id, subject="Tides", preheader="", intro="Hello")
    week.add("rockets", {SPACE: 0.9})
    again = week.compose()
    assert (again.id, again.subject, again.intro) == (draft.id, "Tides", "Hello")
    assert week.titles(again) == ["Rockets", "Tides"]


def test_a_draft_whose_week_became_empty_is_no_issue_to_go_on_with(week: Week) -> None:
    week.add("tides")
    draft = week.compose()
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, "climate")
    assert compose(week.engine, week.newsletter, WINDOW, now=NOW).issue is None
    assert week.titles(draft) == []


def test_what_one_issue_carried_the_next_leaves_out(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    approve(week.engine, week.compose().id, template=template, by="ed", now=NOW)
    week.add("rockets", {SPACE: 0.4})
    longer = Window(WINDOW.start - timedelta(days=7), WINDOW.end)
    composed = compose(week.engine, week.newsletter, longer, now=NOW)
    assert composed.issue is not None
    assert week.titles(composed.issue) == ["Rockets"]
    assert [left.reason for left in composed.left_out] == ["an earlier issue carried its story"]


def test_a_story_that_one_issue_carried_is_not_told_again_by_another_source(
    week: Week, template: EmailTemplate
) -> None:
    told, named, later = week.add("tides"), week.add("tides-too"), week.add("tides-again")
    with writing(week.engine) as session:
        record_stories(session, [[told, named]])
    approve(week.engine, week.compose().id, template=template, by="ed", now=NOW)
    with writing(week.engine) as session:
        record_stories(session, [[later, told, named]])
    week.add("rockets", {SPACE: 0.4})
    longer = Window(WINDOW.start - timedelta(days=7), WINDOW.end)
    assert week.titles(week.compose(longer)) == ["Rockets"]


def test_another_newsletters_articles_are_not_ours(week: Week) -> None:
    theirs = Week.__new__(Week)
    theirs.engine = week.engine
    theirs.newsletter = stored_newsletter(week.engine, slug="daily")
    theirs.source = stored_source(week.engine, theirs.newsletter, "Meridian")
    week.add("tides")
    assert compose(week.engine, theirs.newsletter, WINDOW, now=NOW).issue is None


def test_an_approval_freezes_what_is_sent(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    draft = week.compose()
    before = pieces_of(week.engine, draft.id, template_of=lambda _: template)
    approved = approve(week.engine, draft.id, template=template, by="ed", now=NOW)
    assert (approved.state, approved.revision, approved.approved_by) == (IssueState.APPROVED, 1, "ed")

    week.rewrite(sample_article("tides", title="Something else"))
    week.add("rockets", {SPACE: 0.9})
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, "climate")
    after = pieces_of(week.engine, draft.id, template_of=lambda _: template)
    assert (after.rendered, after.outline) == (before.rendered, before.outline)
    with reading(week.engine) as session:
        assert get_rendered(session, get_issue(session, draft.id)) == before.rendered


def test_composing_after_the_approval_changes_nothing(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    approved = approve(week.engine, week.compose().id, template=template, by="ed", now=NOW)
    week.add("rockets", {SPACE: 0.9})
    composed = compose(week.engine, week.newsletter, WINDOW, now=NOW)
    assert (composed.issue, composed.items) == (approved, 1)
    assert week.titles(approved) == ["Tides"]


def test_a_draft_taken_back_shows_its_articles_as_they_are_now(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    approved = approve(week.engine, week.compose().id, template=template, by="ed", now=NOW)
    change(week.engine, approved, IssueState.DRAFT)
    week.rewrite(sample_article("tides", title="Tides, corrected"))
    assert pieces_of(week.engine, approved.id, template_of=lambda _: template).rendered.titles == (
        "Tides, corrected",
    )
    again = approve(week.engine, approved.id, template=template, by="ed", now=NOW)
    assert again.revision == 2
    assert again.content_hash != approved.content_hash


def test_an_issue_without_articles_cannot_be_approved(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    draft = week.compose()
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, "climate")
    with pytest.raises(Conflict, match="holds no article"):
        approve(week.engine, draft.id, template=template, by="ed", now=NOW)


def test_only_a_draft_can_be_approved(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    draft = week.compose()
    approve(week.engine, draft.id, template=template, by="ed", now=NOW)
    with pytest.raises(Conflict, match="is approved, so this cannot make it approved"):
        approve(week.engine, draft.id, template=template, by="me", now=NOW)
    with pytest.raises(NotFound):
        approve(week.engine, draft.id + 1, template=template, by="me", now=NOW)


def test_of_many_who_approve_at_once_one_does(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    draft = week.compose()
    together = threading.Barrier(4)

    def agree(number: int) -> bool:
        together.wait()
        try:
            approve(week.engine, draft.id, template=template, by=f"ed {number}", now=NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(agree, range(4))) == 1
    with reading(week.engine) as session:
        assert get_issue(session, draft.id).revision == 1


def test_what_is_approved_is_what_the_issue_holds_though_it_is_composed_meanwhile(
    week: Week, template: EmailTemplate
) -> None:
    for number in range(3):
        week.add(f"article-{number}")
    draft = week.compose()
    narrower = replace(week.newsletter, max_items=1)
    together = threading.Barrier(2)

    def recompose() -> None:
        together.wait()
        compose(week.engine, narrower, WINDOW, now=NOW)

    def agree() -> None:
        together.wait()
        approve(week.engine, draft.id, template=template, by="ed", now=NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(recompose), pool.submit(agree)):
            done.result()
    with reading(week.engine) as session:
        issue = get_issue(session, draft.id)
        assert len(get_rendered(session, issue).titles) == len(items_of(session, issue.id))


def test_two_that_compose_a_new_week_at_once_make_one_issue(week: Week) -> None:
    week.add("tides")
    together = threading.Barrier(4)

    def make(_: int) -> Issue:
        together.wait()
        return week.compose()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(make, range(4)))) == 1


def test_a_page_holds_what_its_reader_follows_and_nobody_elses(week: Week, template: EmailTemplate) -> None:
    week.add("tides", {CLIMATE: 0.9})
    week.add("rockets", {SPACE: 0.9})
    pieces = pieces_of(week.engine, week.compose().id, template_of=lambda _: template)
    page = pieces.page({SPACE}, PERSONAL)
    assert page is not None
    assert "Rockets" in page.html
    assert "Tides" not in page.html + page.text
    assert pieces.page({FOOD}, PERSONAL) is None
    assert pieces.page((), PERSONAL) is None
