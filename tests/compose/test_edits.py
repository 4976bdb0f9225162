"""What editors make of drafts, and what earlier issues told, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from digest.compose.edits import (
    Approved,
    Change,
    ChangedMeanwhile,
    Edited,
    edit_issue,
    mark_of,
    undo_act,
)
from digest.compose.render import EmailTemplate
from digest.compose.shape import DROP, PIN, YES, Place
from digest.compose.steps import approve, compose, content_of
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.domain.issues import IssueId, IssueState
from digest.domain.times import Window
from digest.store.articles import ArticleId
from digest.store.database import reading, writing
from digest.store.edits import About, Field, edits_of, last_edit
from digest.store.issues import get_issue
from digest.store.items import items_of
from digest.store.naming import get_named_article
from digest.store.newsletters import remove_topic
from digest.store.told import scores_of
from tests.compose.test_steps import Week
from tests.stored import CLIMATE, FOOD, NOW, SPACE, change, sample_article, stored_newsletter

EARLIER = Window.of_days(date(2026, 11, 9), date(2026, 11, 15), ZoneInfo("UTC"))


@pytest.fixture
def week(engine: Engine) -> Week:
    return Week(engine, max_items=2)


def order(week: Week, issue_id: IssueId) -> list[ArticleId]:
    with reading(week.engine) as session:
        return [item.article_id for item in items_of(session, issue_id)]


def edit(
    week: Week,
    issue_id: int,
    field: Field,
    article_id: ArticleId | None,
    to: str,
    *,
    by: str = "Ada",
    seen: str | None = None,
    takes_back: bool = False,
) -> Edited:
    change = Change(About(field, article_id), to, seen=None if seen is None else mark_of(seen))
    return edit_issue(week.engine, issue_id, [change], by=by, now=NOW, takes_back=takes_back)


def wish(week: Week, issue_id: int, article_id: ArticleId, to: str) -> Edited:
    return edit(week, issue_id, Field.WISH, article_id, to)


def test_pins_and_drops_hold_however_often_a_draft_is_filled_and_can_be_taken_back(week: Week) -> None:
    best, good, weak = (week.add(path, {CLIMATE: fit}) for path, fit in (("a", 0.9), ("b", 0.7), ("c", 0.4)))
    issue = week.compose()
    assert order(week, issue.id) == [best, good]
    wish(week, issue.id, weak, PIN)
    wish(week, issue.id, best, DROP)
    assert order(week, issue.id) == [weak, good]
    compose(week.engine, week.newsletter, issue.window, now=NOW)
    assert order(week, issue.id) == [weak, good]
    wish(week, issue.id, weak, "")
    assert wish(week, issue.id, best, "").items == 2
    assert order(week, issue.id) == [best, good]
    assert wish(week, issue.id, best, "").edits == ()


def test_what_cannot_be_is_refused_and_nothing_changes(week: Week) -> None:
    alone, other = week.add("alone", {CLIMATE: 0.9}), week.add("other", {CLIMATE: 0.8})
    bare = week.add("bare", {FOOD: 0.5})
    with writing(week.engine) as session:
        remove_topic(session, week.newsletter.id, FOOD)
    issue = week.compose()
    late = week.add("late", published_at=NOW)
    refused = [
        (Field.WISH, late, PIN, f"article {late} is not of the days of issue {issue.id}"),
        (Field.WISH, bare, PIN, f"article {bare} belongs to no topic"),
        (Field.WISH, alone, "keep", "'keep' is no wish"),
        (Field.PLACE, alone, "here", "'here' is no place"),
        (Field.PLACE, alone, str(Place(after=alone)), "neither before nor after itself"),
        (Field.PLACE, alone, str(Place(before=late)), f"article {late} is not of the days"),
        (Field.TOPIC, alone, "fishing", "no topic 'fishing'; there is: climate"),
        (Field.LEAD, alone, YES, "the only report of its story"),
        (Field.HEADLINE, alone, "w" * 301, "301 characters long; there is room for 300"),
        (Field.SUBJECT, None, "one\ntwo", "the subject stands on one line"),
    ]
    for field, article_id, to, words in refused:
        with pytest.raises(InvalidInput, match=words):
            edit(week, issue.id, field, article_id, to)
    with pytest.raises(NotFound):
        edit(week, 99, Field.SUBJECT, None, "Tides")
    assert order(week, issue.id) == [alone, other]
    with reading(week.engine) as session:
        assert last_edit(session, issue.id) == 0


def test_of_several_changes_at_once_all_are_made_or_none(week: Week) -> None:
    article_id = week.add("a")
    issue = week.compose()
    changes = [
        Change(About(Field.SUBJECT), "Tides"),
        Change(About(Field.TOPIC, article_id), "fishing"),
    ]
    with pytest.raises(NotFound):
        edit_issue(week.engine, issue.id, changes, by="Ada", now=NOW)
    with reading(week.engine) as session:
        assert (get_issue(session, issue.id).subject, edits_of(session, issue.id)) == ("", ())


def test_places_headlines_and_topics_hold_when_better_articles_come(week: Week) -> None:
    first, second = week.add("first", {CLIMATE: 0.9}), week.add("second", {CLIMATE: 0.5})
    issue = week.compose()
    edit(week, issue.id, Field.PLACE, second, str(Place(before=first)))
    edit(week, issue.id, Field.HEADLINE, second, "Second to none")
    edit(week, issue.id, Field.TOPIC, first, SPACE)
    new = week.add("new", {CLIMATE: 1.0})
    compose(week.engine, week.newsletter, issue.window, now=NOW)
    assert order(week, issue.id) == [second, first], "an article that an editor worked on makes no room"
    items = content_of(week.engine, issue.id).items
    assert [(item.title, item.topics) for item in items] == [
        ("Second to none", (CLIMATE,)),
        ("First", (SPACE,)),
    ]
    wish(week, issue.id, new, PIN)
    assert order(week, issue.id) == [new, second, first]


def test_an_edit_of_what_another_changed_is_refused_with_both_texts(week: Week) -> None:
    week.add("a")
    issue = week.compose()
    edit(week, issue.id, Field.SUBJECT, None, "Tides", by="Ben", seen="")
    with pytest.raises(ChangedMeanwhile, match="Ben changed the subject since") as refused:
        edit(week, issue.id, Field.SUBJECT, None, "Storms", seen="")
    assert (refused.value.current, refused.value.change.to) == ("Tides", "Storms")
    assert refused.value.edit is not None
    assert refused.value.edit.by == "Ben"
    edit(week, issue.id, Field.PREHEADER, None, "And more", seen="")
    assert edit(week, issue.id, Field.SUBJECT, None, "Tides", seen="").edits == (), "both want the same"
    edit(week, issue.id, Field.SUBJECT, None, "Storms", seen="Tides")
    with reading(week.engine) as session:
        found = get_issue(session, issue.id)
    assert (found.subject, found.preheader) == ("Storms", "And more")


def test_a_change_is_undone_and_redone_but_not_over_a_later_one(week: Week) -> None:
    first, second = week.add("first", {CLIMATE: 0.9}), week.add("second", {CLIMATE: 0.5})
    issue = week.compose()
    drop = wish(week, issue.id, first, DROP).edits[0]
    undone = undo_act(week.engine, issue.id, drop.act, by="Ben", now=NOW)
    assert order(week, issue.id) == [first, second]
    assert (undone.edits[0].undoes, undone.edits[0].by) == (drop.act, "Ben")
    undo_act(week.engine, issue.id, undone.edits[0].act, by="Ben", now=NOW)
    assert order(week, issue.id) == [second]
    with pytest.raises(Conflict, match=r"Ben changed the wish since \(change 3\): undo that first"):
        undo_act(week.engine, issue.id, drop.act, by="Ada", now=NOW)
    with pytest.raises(Conflict, match="has no change 9"):
        undo_act(week.engine, issue.id, 9, by="Ada", now=NOW)


def test_a_change_of_an_approved_issue_takes_the_approval_back_when_asked_to(
    week: Week, template: EmailTemplate
) -> None:
    article_id = week.add("a")
    issue = week.compose()
    approve(week.engine, issue.id, template=template, by="Edda", now=NOW)
    for to in (PIN, DROP):
        with pytest.raises(Approved, match="is approved, by Edda: a change takes that back"):
            wish(week, issue.id, article_id, to)
    edited = edit(week, issue.id, Field.SUBJECT, None, "Tides", takes_back=True)
    assert edited.issue.state is IssueState.DRAFT
    assert edited.issue.note == "Ada took the approval back, to change it"
    again = approve(week.engine, issue.id, template=template, by="Edda", now=NOW)
    assert (again.revision, again.number) == (2, 1)
    change(week.engine, issue.id, IssueState.SENDING)
    with pytest.raises(Conflict, match="is sending: what was approved stays as it is"):
        edit(week, issue.id, Field.SUBJECT, None, "Storms", takes_back=True)


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


def test_two_editors_at_the_same_moment_both_keep_what_they_did(week: Week) -> None:
    ids = [week.add(path, {CLIMATE: 0.9}) for path in ("a", "b")]
    issue = week.compose()
    edits = [(Field.SUBJECT, None), (Field.PREHEADER, None), *((Field.HEADLINE, id_) for id_ in ids)]
    start = threading.Barrier(len(edits))

    def make(about: tuple[Field, ArticleId | None]) -> None:
        start.wait()
        edit(week, issue.id, *about, f"By {about[0]}", by=f"Editor of {about[0]}", seen="")

    with ThreadPoolExecutor(len(edits)) as pool:
        list(pool.map(make, edits))
    with reading(week.engine) as session:
        found, log = get_issue(session, issue.id), edits_of(session, issue.id)
    assert (found.subject, found.preheader) == ("By subject", "By preheader")
    assert [one.number for one in log] == [1, 2, 3, 4]
    assert [item.title for item in content_of(week.engine, issue.id).items] == ["By headline"] * 2


def test_marks_that_no_mail_prints_are_not_kept_either(week: Week) -> None:
    first = week.add("a", {CLIMATE: 0.9})
    issue = week.compose()
    edit(week, issue.id, Field.HEADLINE, first, "Rain \u202eniar\u202c falls")
    edit(week, issue.id, Field.INTRO, None, "Good\x00 morning\n\nand \u2066evening\u2069")
    with reading(week.engine) as session:
        stored = get_issue(session, issue.id)
        told = [one.after for one in edits_of(session, issue.id)]
    assert stored.intro == "Good morning\n\nand evening"
    assert told == ["Rain niar falls", "Good morning\n\nand evening"]
    assert not edit(week, issue.id, Field.HEADLINE, first, "\ufeffRain niar falls").edits
