"""What of a newsletter's issues everybody may see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event

from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueContent, IssueState, Item
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.domain.topics import TopicSlug
from digest.store.archive import (
    ArchivedIssue,
    archive_changed_at,
    count_topics,
    find_archived,
    find_neighbours,
    known_topics,
    list_archived,
)
from digest.store.contents import content_from_json, content_to_json, record_content
from digest.store.database import reading, writing
from digest.store.hiding import hide_issue, hide_item, unhide_issue, unhide_item
from digest.store.issues import change_issue, ensure_issue, next_number
from digest.store.revisions import freeze
from tests.compose.test_hostile_text import HOSTILE
from tests.samples import CITIES, CLIMATE, FOOD, ITEMS, SPACE, issue_in, sample_issue
from tests.stored import NOW, rendered, stored_newsletter

LATER = NOW + timedelta(days=1)


def window(week: int) -> Window:
    first = date(2026, 1, 5) + timedelta(weeks=week)
    return Window.of_days(first, first + timedelta(days=6), ZoneInfo("UTC"))


def approved(engine: Engine, newsletter: Newsletter, week: int, *items: Item) -> Issue:
    items = tuple(replace(item, position=position) for position, item in enumerate(items or ITEMS[:3]))
    used = {topic for item in items for topic in item.topics}
    with writing(engine) as session:
        issue = ensure_issue(session, newsletter.id, window(week), now=NOW)
        whole = sample_issue(items=items, number=next_number(session, newsletter.id))
        content = replace(whole, topics=tuple(topic for topic in whole.topics if topic.slug in used))
        pieces = rendered(*(item.title for item in items))
        return record_content(
            session, freeze(session, issue, pieces, content.outline, by="ed", now=NOW), content
        )


def sent(engine: Engine, newsletter: Newsletter, week: int, *items: Item) -> Issue:
    issue = approved(engine, newsletter, week, *items)
    return move(engine, issue, IssueState.SENDING, IssueState.SENT)


def move(engine: Engine, issue: Issue, *states: IssueState) -> Issue:
    for state in states:
        with writing(engine) as session:
            issue = change_issue(session, issue.id, state, now=NOW)
    return issue


def numbers(
    engine: Engine,
    newsletter: Newsletter,
    *topics: TopicSlug,
    before: int | None = None,
    after: int | None = None,
    limit: int = 9,
) -> list[int]:
    with reading(engine) as session:
        found = list_archived(session, newsletter.id, topics=topics, before=before, after=after, limit=limit)
    return [issue.number for issue in found]


def found(engine: Engine, newsletter: Newsletter, number: int) -> ArchivedIssue:
    with reading(engine) as session:
        issue = find_archived(session, newsletter.id, number)
    assert issue
    return issue


# --- which issues


def test_only_what_is_sent_or_being_sent_is_public(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = approved(engine, newsletter, 1)
    assert numbers(engine, newsletter) == []
    steps = [
        (IssueState.SENDING, [1]),
        (IssueState.PAUSED, []),
        (IssueState.SENDING, [1]),
        (IssueState.SENT, [1]),
    ]
    for state, public in steps:
        move(engine, issue, state)
        assert numbers(engine, newsletter) == public, state
        assert known(engine, newsletter) == ({CLIMATE, CITIES} if public else set()), state


def known(engine: Engine, newsletter: Newsletter) -> set[TopicSlug]:
    with reading(engine) as session:
        return set(known_topics(session, newsletter.id, [CLIMATE, CITIES, SPACE]))


def test_a_send_that_was_cancelled_midway_is_not_public_and_keeps_its_number(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    move(engine, approved(engine, newsletter, 1), IssueState.SENDING, IssueState.CANCELLED)
    assert numbers(engine, newsletter) == []
    assert sent(engine, newsletter, 2).number == 2, "mails say 1"


def test_an_issue_that_nobody_was_mailed_gives_its_number_back(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    assert move(engine, approved(engine, newsletter, 1), IssueState.CANCELLED).number == 0
    assert sent(engine, newsletter, 2).number == 1


def test_an_issue_has_one_number_however_often_it_is_approved(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = approved(engine, newsletter, 1)
    with writing(engine) as session:
        other = ensure_issue(session, newsletter.id, window(2), now=NOW)
    with pytest.raises(Conflict), writing(engine) as session:
        record_content(session, other, sample_issue(number=issue.number))
    less = sample_issue(items=ITEMS[:1], number=issue.number)
    with writing(engine) as session:
        draft = change_issue(session, issue.id, IssueState.DRAFT, now=NOW)
        again = freeze(session, draft, rendered("New"), less.outline, by="ed", now=NOW)
        assert record_content(session, again, less).number == 1
    move(engine, issue, IssueState.SENDING)
    assert [item.title for item in found(engine, newsletter, 1).content.items] == [ITEMS[0].title]


def test_newsletters_count_for_themselves(engine: Engine) -> None:
    weekly, daily = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    assert [sent(engine, one, week).number for week in (1, 2) for one in (weekly, daily)] == [1, 1, 2, 2]
    assert numbers(engine, weekly) == numbers(engine, daily) == [2, 1]
    assert found(engine, weekly, 2).id != found(engine, daily, 2).id


# --- pages and topics


def test_pages_go_back_and_forth_without_leaving_any_out(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    for week in range(7):
        sent(engine, newsletter, week)
    assert numbers(engine, newsletter, limit=3) == [7, 6, 5]
    assert numbers(engine, newsletter, before=5, limit=3) == [4, 3, 2]
    assert numbers(engine, newsletter, before=2, limit=3) == [1]
    assert numbers(engine, newsletter, after=1, limit=3) == [4, 3, 2]
    assert numbers(engine, newsletter, before=1) == numbers(engine, newsletter, after=7) == []
    with reading(engine) as session:
        assert find_neighbours(session, newsletter.id, 4) == (3, 5)
        assert find_neighbours(session, newsletter.id, 1) == (None, 2)
        assert find_neighbours(session, newsletter.id, 7) == (6, None)


def test_topics_find_the_issues_with_an_article_of_any_of_them(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    sent(engine, newsletter, 1, ITEMS[0])  # climate
    sent(engine, newsletter, 2, ITEMS[3])  # space
    sent(engine, newsletter, 3, ITEMS[7])  # cities, food
    assert numbers(engine, newsletter, CLIMATE) == [1]
    assert numbers(engine, newsletter, SPACE, FOOD) == numbers(engine, newsletter, FOOD, SPACE) == [3, 2]
    assert numbers(engine, newsletter, TopicSlug("nothing")) == []
    with reading(engine) as session:
        counts = count_topics(session, newsletter.id)
    assert {slug: (one.name, one.issues, one.newest) for slug, one in counts.items()} == {
        CITIES: ("Cities", 1, 3),
        CLIMATE: ("Climate & energy", 1, 1),
        FOOD: ("Food", 1, 3),
        SPACE: ("Space", 1, 2),
    }


def test_a_mix_shows_each_article_once_as_the_mail_would(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    sent(engine, newsletter, 1, *ITEMS)
    issue = found(engine, newsletter, 1)
    assert issue.edition().key == "climate:0,1,2;space:3,4,5;cities:6,7,8;food:9,10,11"
    assert issue.edition({FOOD, CLIMATE}).key == "climate:0,1,2,8;food:7,9,10,11"
    assert issue.edition([CLIMATE, FOOD]) == issue.edition([FOOD, CLIMATE])
    assert issue.edition([TopicSlug("nothing")]).sections == ()


def test_an_archive_of_thousands_asks_as_few_questions_as_a_small_one(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    for week in range(30):
        sent(engine, newsletter, week, ITEMS[week % 12])
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    numbers(engine, newsletter, FOOD, limit=20)
    assert len([question for question in asked if question.startswith("SELECT")]) == 2


# --- what editors take out


def test_a_hidden_issue_is_out_until_it_is_shown_again(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = sent(engine, newsletter, 1)
    sent(engine, newsletter, 2)
    with writing(engine) as session:
        assert hide_issue(session, issue.id, by="Ada", now=LATER).is_hidden
    assert numbers(engine, newsletter) == [2]
    with reading(engine) as session:
        assert find_archived(session, newsletter.id, 1) is None
        assert find_neighbours(session, newsletter.id, 2) == (None, None)
        assert count_topics(session, newsletter.id)[CLIMATE].issues == 1
        assert archive_changed_at(session, newsletter.id) == LATER
    with pytest.raises(Conflict, match="hidden already"), writing(engine) as session:
        hide_issue(session, issue.id, by="Ada", now=NOW)
    with writing(engine) as session:
        assert not unhide_issue(session, issue.id, now=LATER).is_hidden
    assert numbers(engine, newsletter) == [2, 1]
    with pytest.raises(Conflict, match="is not hidden"), writing(engine) as session:
        unhide_issue(session, issue.id, now=NOW)


def test_a_hidden_article_is_in_no_mix_and_under_no_topic(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = sent(engine, newsletter, 1, ITEMS[0], ITEMS[3], ITEMS[4])
    with writing(engine) as session:
        assert hide_item(session, issue.id, 0, by="Ada", now=LATER) == ITEMS[0].title
    shown = found(engine, newsletter, 1)
    assert shown.edition().key == "space:1,2", "positions stay: links to articles go on leading to them"
    assert numbers(engine, newsletter, CLIMATE) == []
    with writing(engine) as session:
        assert unhide_item(session, issue.id, 0, now=LATER) == ITEMS[0].title
    assert found(engine, newsletter, 1).edition().key == "climate:0;space:1,2"
    assert numbers(engine, newsletter, CLIMATE) == [1]


def test_what_cannot_be_hidden_is_refused_in_words(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = sent(engine, newsletter, 1, ITEMS[0], ITEMS[3])

    def hide(position: int) -> None:
        with writing(engine) as session:
            hide_item(session, issue.id, position, by="Ada", now=NOW)

    with pytest.raises(InvalidInput, match=r"has no article 3: .* numbers its 2"):
        hide(2)
    hide(1)
    with pytest.raises(Conflict, match="is hidden already"):
        hide(1)
    with pytest.raises(Conflict, match=r"last one shown of issue .*: hide the whole issue"):
        hide(0)
    with pytest.raises(Conflict, match="is not hidden"), writing(engine) as session:
        unhide_item(session, issue.id, 0, now=NOW)
    with writing(engine) as session:
        draft = ensure_issue(session, newsletter.id, window(5), now=NOW)
    with pytest.raises(Conflict, match="was not approved"), writing(engine) as session:
        hide_item(session, draft.id, 0, by="Ada", now=NOW)


# --- what is kept


@pytest.mark.parametrize(
    "content",
    [
        sample_issue(number=3, subject="S", preheader="P"),
        issue_in("ar", 3),
        sample_issue(
            intro="\0\ud800".join(HOSTILE), items=[replace(ITEMS[0], title=" ".join(HOSTILE), language=None)]
        ),
    ],
    ids=["sample", "arabic", "hostile"],
)
def test_content_reads_back_as_it_was_written(content: IssueContent, engine: Engine) -> None:
    content = replace(content, items=tuple(content.items))
    assert content_from_json(content_to_json(content)) == content
    newsletter = stored_newsletter(engine)
    with writing(engine) as session:
        issue = ensure_issue(session, newsletter.id, window(1), now=NOW)
        frozen = freeze(session, issue, rendered("x"), content.outline, by="ed", now=NOW)
        record_content(session, frozen, replace(content, number=1))
    move(engine, issue, IssueState.SENDING)
    assert found(engine, newsletter, 1).content == replace(content, number=1)
