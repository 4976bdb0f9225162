"""A draft as it stands now: what it is made of is read each time, but for the articles' texts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from digest.compose.edits import Change, edit_issue
from digest.compose.render import EmailTemplate
from digest.compose.steps import compose, content_of, pieces_of, source_name
from digest.condense.editing import edit_takeaways
from digest.condense.topics.steps import match_again
from digest.domain.articles import Block, BlockKind, Image
from digest.domain.issues import Issue
from digest.domain.themes import Theme
from digest.domain.topics import Topic, TopicRule
from digest.store.articles import ArticleId
from digest.store.condensed import candidates_in
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.excerpts import excerpts_in
from digest.store.newsletters import change_newsletter, change_topic, remove_topic
from digest.store.recording import record_article, record_stories
from digest.store.sources import change_source
from tests.compose.test_steps import Week
from tests.stored import CITIES, CLIMATE, FOOD, NOW, SPACE, WINDOW, sample_article, stored_source

LONG = tuple(Block(BlockKind.PARAGRAPH, "So many words of a longer story. " * 40) for _ in range(9))


@pytest.fixture
def week(engine: Engine) -> Week:
    return Week(engine)


Changed = Callable[[Week, Issue, ArticleId], object]
"""What changes a draft of the article about the tides, and others."""


def edited(field: Field, to: str, *, of_an_article: bool = True) -> Changed:
    def edit(week: Week, issue: Issue, tides: ArticleId) -> None:
        about = About(field, tides if of_an_article else None)
        edit_issue(week.engine, issue.id, [Change(about, to)], by="Ada", now=NOW)

    return edit


def told_anew(**overrides: object) -> Changed:
    return lambda week, _issue, _tides: week.rewrite(sample_article("tides", **overrides))


def takeaways(week: Week, _issue: Issue, tides: ArticleId) -> None:
    edit_takeaways(week.engine, tides, ["Said by hand."], by="Ada", now=NOW, made_from=1)


def new_article(week: Week, issue: Issue, _tides: ArticleId) -> None:
    week.add("comets", {SPACE: 0.7})
    compose(week.engine, week.newsletter, issue.window, now=NOW)


def topic_called(week: Week, _issue: Issue, _tides: ArticleId) -> None:
    with writing(week.engine) as session:
        change_topic(session, week.newsletter.id, Topic(CLIMATE, "Heat"))


def topic_rule(week: Week, _issue: Issue, _tides: ArticleId) -> None:
    with writing(week.engine) as session:
        change_topic(session, week.newsletter.id, Topic(CITIES, "Cities", rule=TopicRule(phrases=("tides",))))
    match_again(week.engine, week.newsletter, since=WINDOW.start)


def topic_gone(week: Week, _issue: Issue, _tides: ArticleId) -> None:
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, FOOD)


def source_called(week: Week, _issue: Issue, _tides: ArticleId) -> None:
    with writing(week.engine) as session:
        change_source(session, week.source.id, name="The Meridian Post")


def other_report(week: Week, issue: Issue, tides: ArticleId) -> None:
    other = week.add("the-same-tides", {CLIMATE: 0.2})
    with writing(week.engine) as session:
        record_stories(session, [[tides, other]])
    compose(week.engine, week.newsletter, issue.window, now=NOW)


def newsletter(**changes: object) -> Changed:
    def change(week: Week, _issue: Issue, _tides: ArticleId) -> None:
        with writing(week.engine) as session:
            change_newsletter(session, week.newsletter.id, **changes)

    return change


@pytest.mark.parametrize(
    "change",
    [
        edited(Field.HEADLINE, "Another headline"),
        edited(Field.TOPIC, SPACE),
        edited(Field.WISH, "drop"),
        edited(Field.INTRO, "Good morning.", of_an_article=False),
        takeaways,
        new_article,
        other_report,
        told_anew(title="Another title"),
        told_anew(blocks=LONG),
        topic_called,
        topic_rule,
        topic_gone,
        source_called,
        newsletter(takeaways=0),
        newsletter(name="Another name"),
        newsletter(timezone="Pacific/Auckland"),
        newsletter(postal_address="1 Other Street"),
    ],
    ids=lambda change: getattr(change, "__name__", "change"),
)
def test_what_is_changed_shows_on_the_next_look(change: Changed, week: Week, template: EmailTemplate) -> None:
    tides = week.add("tides", {CLIMATE: 0.9}, published_at=WINDOW.end - timedelta(hours=30))
    week.add("bread", {FOOD: 0.5})
    issue = week.compose()
    before = pieces_of(week.engine, issue.id, template_of=lambda _: template)
    assert pieces_of(week.engine, issue.id, template_of=lambda _: template) == before
    change(week, issue, tides)
    after = pieces_of(week.engine, issue.id, template_of=lambda _: template)
    assert after.content_hash != before.content_hash


def test_a_changed_theme_shows_on_the_next_look(week: Week, template: EmailTemplate) -> None:
    week.add("tides")
    issue = week.compose()
    other = replace(template, theme=Theme.from_plain({"light": {"accent": "#aa0000"}}))
    first, second = (
        pieces_of(week.engine, issue.id, template_of=lambda _, one=one: one) for one in (template, other)
    )
    assert first.content_hash != second.content_hash


def test_an_excerpt_is_the_article_without_its_text(week: Week) -> None:
    other = stored_source(week.engine, week.newsletter, "Observer")
    tides = week.add("tides", {SPACE: 0.4, CLIMATE: 0.9}, language="de", blocks=LONG)
    week.add("bread", {FOOD: 0.5}, site_name="The Baker", image=Image("https://b.example.org/b.jpg", "Bread"))
    after = week.add("after", published_at=WINDOW.end)
    with writing(week.engine) as session:
        article = sample_article("tides", language="de", blocks=LONG)
        later = NOW + timedelta(hours=1)
        record_article(session, week.newsletter.id, other.id, article, now=later)
    edit_takeaways(week.engine, tides, ["One.", "Two."], by="Ada", now=NOW, made_from=1)
    with reading(week.engine) as session:
        candidates = candidates_in(session, week.newsletter.id, WINDOW)
        ids = [one.stored.id for one in candidates]
        excerpts = excerpts_in(session, week.newsletter.id, WINDOW, [*ids, after])
    assert sorted(excerpts) == sorted(ids)
    for candidate in candidates:
        excerpt, article = excerpts[candidate.stored.id], candidate.stored.article
        assert (excerpt.url, excerpt.title, excerpt.language) == (
            article.url,
            article.title,
            article.language,
        )
        assert (excerpt.published_at, excerpt.image) == (article.published_at, article.image)
        assert excerpt.word_count == article.word_count
        assert excerpt.source == source_name(candidate) == "Meridian"
        assert excerpt.takeaways == tuple(one.text for one in candidate.takeaways)
        assert (excerpt.topics, excerpt.is_edited) == (candidate.topics, candidate.is_edited)


def test_a_draft_is_looked_at_without_its_articles_texts(week: Week, template: EmailTemplate) -> None:
    week.add("tides", blocks=LONG)
    issue = week.compose()
    asked: list[str] = []
    event.listen(week.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert content_of(week.engine, issue.id).items[0].reading_minutes > 1
    assert any("articles.word_count" in statement for statement in asked)
    assert not any("blocks" in statement or "takeaways.support" in statement for statement in asked)
