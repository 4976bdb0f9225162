"""Who decided what of an article, when, and what that replaced."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.compose.edits import Change, edit_issue
from digest.compose.shape import DROP, PIN
from digest.domain.issues import IssueId
from digest.domain.topics import TopicSlug, Verdict
from digest.store.articles import ArticleId
from digest.store.database import reading, writing
from digest.store.decisions import Decision, Word, decisions_in, decisions_on
from digest.store.edits import About, Field
from digest.store.issues import ensure_issue
from digest.store.newsletters import remove_topic, topic_ids
from digest.store.verdicts import record_verdicts, withdraw_verdicts
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


class Desk:
    """An article and a draft, and editors who decide, each a minute after the other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter = stored_newsletter(engine)
        source = stored_source(engine, self.newsletter, "Meridian")
        self.article: ArticleId = stored_article(engine, self.newsletter, source, sample_article("tides"))
        self.minutes = 0
        with writing(engine) as session:
            self.issue: IssueId = ensure_issue(session, self.newsletter.id, WINDOW, now=NOW).id
            self.topics = topic_ids(session, self.newsletter.id)

    def say(self, is_yes: bool, by: str, topic: TopicSlug = CLIMATE) -> None:
        self.minutes += 1
        with writing(self.engine) as session:
            said = [Verdict(topic, is_yes, by)]
            record_verdicts(session, self.article, said, topic_ids=self.topics, now=self.now)

    def take_back(self, by: str, topic: TopicSlug = CLIMATE) -> None:
        self.minutes += 1
        with writing(self.engine) as session:
            withdraw_verdicts(session, self.article, [topic], topic_ids=self.topics, by=by, now=self.now)

    def wish(self, wish: str, by: str) -> None:
        self.minutes += 1
        change = Change(About(Field.WISH, self.article), wish)
        edit_issue(self.engine, self.issue, [change], by=by, now=self.now)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minutes)

    def told(self) -> list[tuple[Word, str, str]]:
        """The word, who said it and what it replaced, of each decision."""
        with reading(self.engine) as session:
            found = decisions_on(session, self.article)
        return [
            (one.word, one.by, f"{one.before.word} by {one.before.by}" if one.before else "") for one in found
        ]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_each_verdict_is_told_with_what_it_replaced(desk: Desk) -> None:
    desk.say(True, "Ada")
    desk.say(False, "Ben")
    desk.say(True, "Ada", SPACE)
    desk.take_back("Cy")
    desk.say(True, "Ben")
    assert desk.told() == [
        (Word.YES, "Ada", ""),
        (Word.NO, "Ben", "yes by Ada"),
        (Word.YES, "Ada", ""),
        (Word.UNDO, "Cy", "no by Ben"),
        (Word.YES, "Ben", ""),
    ]
    with reading(desk.engine) as session:
        first, second, *_ = decisions_on(session, desk.article)
    assert (second.before, first.at) == (first, NOW + timedelta(minutes=1))


def test_who_says_the_same_again_decides_nothing(desk: Desk) -> None:
    for _ in range(2):
        desk.say(True, "Ada")
        desk.wish(PIN, "Ada")
    desk.take_back("Ada", SPACE)
    assert [word for word, *_ in desk.told()] == [Word.YES, Word.PIN]
    desk.say(True, "Ben")
    assert desk.told()[-1] == (Word.YES, "Ben", "yes by Ada")


def test_pins_and_drops_are_told_of_the_article_and_of_the_issue(desk: Desk) -> None:
    desk.wish(PIN, "Ada")
    desk.wish(DROP, "Ben")
    desk.wish("", "Ada")
    desk.say(True, "Ada")
    assert desk.told()[:3] == [
        (Word.PIN, "Ada", ""),
        (Word.DROP, "Ben", "pin by Ada"),
        (Word.UNDO, "Ada", "drop by Ben"),
    ]
    with reading(desk.engine) as session:
        assert decisions_in(session, desk.issue) == decisions_on(session, desk.article)[:3]


def test_what_was_decided_outlives_its_topic(desk: Desk) -> None:
    desk.say(True, "Ada")
    with writing(desk.engine) as session:
        remove_topic(session, desk.newsletter.id, CLIMATE)
    with reading(desk.engine) as session:
        assert decisions_on(session, desk.article) == (
            Decision(desk.article, CLIMATE, None, Word.YES, "Ada", NOW + timedelta(minutes=1)),
        )
