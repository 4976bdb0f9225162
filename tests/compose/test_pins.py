"""What editors pin and drop, and what earlier issues told, in drafts on both databases."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from digest.compose.render import EmailTemplate
from digest.compose.steps import approve, compose, pin
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.domain.issues import IssueId
from digest.domain.times import Window
from digest.store.articles import ArticleId
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.items import items_of
from digest.store.naming import get_named_article
from digest.store.pins import Pin, PinKind, pins_of
from digest.store.told import scores_of
from tests.compose.test_steps import Week
from tests.stored import CLIMATE, NOW, sample_article, stored_newsletter

EARLIER = Window.of_days(date(2026, 11, 9), date(2026, 11, 15), ZoneInfo("UTC"))


@pytest.fixture
def week(engine: Engine) -> Week:
    return Week(engine, max_items=2)


def order(week: Week, issue_id: IssueId) -> list[ArticleId]:
    with reading(week.engine) as session:
        return [item.article_id for item in items_of(session, issue_id)]


def wish(week: Week, issue_id: int, article_id: ArticleId, kind: PinKind | None) -> None:
    pin(week.engine, issue_id, article_id, kind, by="Ada", now=NOW)


def test_pins_and_drops_hold_however_often_a_draft_is_filled_and_can_be_taken_back(week: Week) -> None:
    best, good, weak = (week.add(path, {CLIMATE: fit}) for path, fit in (("a", 0.9), ("b", 0.7), ("c", 0.4)))
    issue = week.compose()
    assert order(week, issue.id) == [best, good]
    wish(week, issue.id, weak, PinKind.PIN)
    wish(week, issue.id, best, PinKind.DROP)
    assert order(week, issue.id) == [weak, good]
    compose(week.engine, week.newsletter, issue.window, now=NOW)
    assert order(week, issue.id) == [weak, good]
    with reading(week.engine) as session:
        assert pins_of(session, issue.id) == {best: Pin(PinKind.DROP, "Ada"), weak: Pin(PinKind.PIN, "Ada")}
    wish(week, issue.id, weak, None)
    wish(week, issue.id, best, None)
    assert order(week, issue.id) == [best, good]
    with pytest.raises(InvalidInput, match="neither pinned nor dropped in issue"):
        wish(week, issue.id, best, None)


def test_what_cannot_be_pinned_is_refused_and_nothing_changes(week: Week, engine: Engine) -> None:
    week.add("a")
    issue = week.compose()
    late = week.add("late", published_at=NOW)
    with pytest.raises(InvalidInput, match=f"article {late} is not of the days of issue {issue.id}"):
        wish(week, issue.id, late, PinKind.PIN)
    with writing(engine) as session:
        assert pins_of(session, issue.id) == {}


def test_an_approved_issue_takes_no_wishes(week: Week, template: EmailTemplate) -> None:
    article_id = week.add("a")
    issue = week.compose()
    approve(week.engine, issue.id, template=template, by="ed", now=NOW)
    for kind in (PinKind.PIN, PinKind.DROP, None):
        with pytest.raises(Conflict, match="is approved: what was approved stays as it is"):
            wish(week, issue.id, article_id, kind)


def test_an_item_that_an_issue_told_before_puts_its_like_behind(week: Week, template: EmailTemplate) -> None:
    wall = "Port Ellery votes for a flood wall along the old quay"
    week.add("wall", title=wall, published_at=EARLIER.start)
    earlier = week.compose(EARLIER)
    approve(week.engine, earlier.id, template=template, by="ed", now=NOW)
    again = week.add("again", title=f"{wall}, says harbour board", blocks=())
    comet = week.add("comet", title="Comet grows another tail towards the sun", blocks=())
    issue = week.compose()
    assert order(week, issue.id) == [comet, again]
    with reading(week.engine) as session:
        scores = scores_of(session, issue.id)
    assert scores[0].title.startswith("Comet")
    assert scores[1].parts[-1].reason == f"like '{wall}' of an earlier issue"
    assert scores[1].score == round(sum(part.points for part in scores[1].parts), 3)


def test_an_article_is_named_by_number_or_address(week: Week) -> None:
    number = week.add("tides")
    url = sample_article("tides").url
    with reading(week.engine) as session:
        for named in (str(number), url):
            assert get_named_article(session, named).id == number
        assert get_named_article(session, "x", addresses=["meridian.example.org/tides"]).title == "Tides"
        for unknown in ("0", "99999", "9" * 40, "https://example.org/none", "²"):
            with pytest.raises(NotFound, match="'digest article list' shows numbers"):
                get_named_article(session, unknown)
    other = stored_newsletter(week.engine, slug="daily")
    with reading(week.engine) as session, pytest.raises(NotFound):
        get_named_article(session, str(number), within=other.id)


def test_the_draft_of_an_issue_remembers_scores_after_approval(week: Week, template: EmailTemplate) -> None:
    week.add("a")
    issue = week.compose()
    approve(week.engine, issue.id, template=template, by="ed", now=NOW)
    with reading(week.engine) as session:
        assert get_issue(session, issue.id).revision == 1
        (one,) = scores_of(session, issue.id)
    assert one.parts[0].reason == "fits climate: said so"
