import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import CHANGES, Issue, IssueId, IssueState, Outline
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.store.database import reading, writing
from digest.store.issues import (
    change_issue,
    ensure_issue,
    find_issue,
    get_issue,
    issues_in,
    list_issues,
    write_texts,
)
from digest.store.items import ChosenItem, carried_articles, items_of, replace_items
from digest.store.recording import record_stories
from digest.store.revisions import freeze, get_outline, get_rendered
from tests.stored import (
    CLIMATE,
    NOW,
    SPACE,
    WINDOW,
    approved_issue,
    change,
    rendered,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_source,
)

PATHS = {
    IssueState.DRAFT: (),
    IssueState.APPROVED: (IssueState.APPROVED,),
    IssueState.SENDING: (IssueState.APPROVED, IssueState.SENDING),
    IssueState.PAUSED: (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED),
    IssueState.SENT: (IssueState.APPROVED, IssueState.SENDING, IssueState.SENT),
    IssueState.CANCELLED: (IssueState.CANCELLED,),
}
"""How an issue gets into each state."""


def draft_of(engine: Engine, newsletter: Newsletter, window: Window = WINDOW) -> Issue:
    with writing(engine) as session:
        return ensure_issue(session, newsletter.id, window, now=NOW)


def issue_in(engine: Engine, state: IssueState) -> Issue:
    issue = draft_of(engine, stored_newsletter(engine))
    for step in PATHS[state]:
        issue = change(engine, issue, step)
    return issue


@pytest.mark.parametrize("to", list(IssueState))
@pytest.mark.parametrize("state", list(IssueState))
def test_an_issue_moves_as_the_table_of_changes_says(
    engine: Engine, state: IssueState, to: IssueState
) -> None:
    issue = issue_in(engine, state)
    if to in CHANGES[state]:
        assert change(engine, issue, to).state is to
    else:
        with pytest.raises(Conflict, match=f"issue {issue.id} is {state}, so this cannot make it {to}"):
            change(engine, issue, to)
        with reading(engine) as session:
            assert get_issue(session, issue.id).state is state


def test_a_refused_change_says_how_to_go_on(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.PAUSED)
    with pytest.raises(Conflict, match=f"'digest issue resume {issue.id}'"), writing(engine) as session:
        change_issue(session, issue.id, IssueState.SENDING, now=NOW, only_from=(IssueState.APPROVED,))


def test_of_many_who_change_an_issue_at_once_one_does(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.APPROVED)
    together = threading.Barrier(8)

    def start(_: int) -> bool:
        together.wait()
        try:
            change(engine, issue, IssueState.SENDING)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(8))) == 1


def test_the_moment_a_send_began_outlives_a_pause(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.PAUSED)
    with writing(engine) as session:
        later = datetime(2026, 12, 1, tzinfo=UTC)
        resumed = change_issue(session, issue.id, IssueState.SENDING, now=later)
    assert resumed.sending_at == NOW


def test_a_note_says_why_an_issue_is_paused(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.SENDING)
    with writing(engine) as session:
        assert change_issue(session, issue.id, IssueState.PAUSED, now=NOW, note="a typo").note == "a typo"


def test_a_window_has_one_issue_however_many_ask_for_it(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    together = threading.Barrier(6)

    def ask(_: int) -> IssueId:
        together.wait()
        return draft_of(engine, newsletter).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1
    with reading(engine) as session:
        (issue,) = list_issues(session, newsletter.id)
    assert (issue.state, issue.window, issue.revision) == (IssueState.DRAFT, WINDOW, 0)


def test_a_window_in_another_zone_with_the_same_instants_is_the_same(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = draft_of(engine, newsletter)
    tokyo = ZoneInfo("Asia/Tokyo")
    with reading(engine) as session:
        same = Window(WINDOW.start.astimezone(tokyo), WINDOW.end.astimezone(tokyo))
        assert find_issue(session, newsletter.id, same) == issue


def test_an_unknown_issue_is_not_found(engine: Engine) -> None:
    with reading(engine) as session, pytest.raises(NotFound, match="no issue 99: 'digest issue list'"):
        get_issue(session, 99)


def test_issues_are_listed_newest_window_first(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    weeks = [
        Window.of_days(date(2026, 11, day), date(2026, 11, day + 6), ZoneInfo("UTC")) for day in (2, 16, 9)
    ]
    first, third, second = (draft_of(engine, newsletter, week) for week in weeks)
    theirs = draft_of(engine, other, weeks[0])
    with reading(engine) as session:
        assert list_issues(session, newsletter.id) == (third, second, first)
        assert {issue.id for issue in list_issues(session)} == {first.id, second.id, third.id, theirs.id}
        assert issues_in(session, IssueState.DRAFT) == (first, third, second, theirs)
        assert issues_in(session, IssueState.SENDING) == ()


@pytest.mark.parametrize("state", [state for state in IssueState if state is not IssueState.DRAFT])
def test_only_a_draft_can_be_edited(engine: Engine, state: IssueState) -> None:
    issue = issue_in(engine, state)
    with pytest.raises(Conflict, match="only a draft can be edited"), writing(engine) as session:
        write_texts(session, issue.id, subject="New", preheader="", intro="")
    with pytest.raises(Conflict, match="only a draft can be edited"), writing(engine) as session:
        replace_items(session, issue.id, [])


def test_a_draft_keeps_what_its_editor_wrote(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.DRAFT)
    with writing(engine) as session:
        write_texts(session, issue.id, subject="S", preheader="P", intro="I\nI")
    with reading(engine) as session:
        found = get_issue(session, issue.id)
    assert (found.subject, found.preheader, found.intro) == ("S", "P", "I\nI")


def test_an_approval_freezes_pieces_and_outline(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue = approved_issue(engine, newsletter, (CLIMATE,), (SPACE, CLIMATE))
    assert (issue.state, issue.revision, issue.approved_by, len(issue.content_hash)) == (
        IssueState.APPROVED,
        1,
        "ed",
        64,
    )
    with reading(engine) as session:
        assert get_rendered(session, issue) == rendered("Article 0", "Article 1")
        assert get_outline(session, issue).items == ((CLIMATE,), (SPACE, CLIMATE))


def test_a_second_approval_is_a_second_revision(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    first = approved_issue(engine, newsletter)
    change(engine, first, IssueState.DRAFT)
    second = approved_issue(engine, newsletter, (SPACE,), (SPACE,))
    assert (second.id, second.revision) == (first.id, 2)
    assert second.content_hash != first.content_hash
    with reading(engine) as session:
        assert get_rendered(session, second).titles == ("Article 0", "Article 1")
        assert get_rendered(session, first).titles == ("Article 0",)


def test_the_same_pieces_have_the_same_hash(engine: Engine) -> None:
    one = approved_issue(engine, stored_newsletter(engine))
    other = approved_issue(engine, stored_newsletter(engine, slug="daily"))
    assert one.content_hash == other.content_hash


def test_only_a_draft_can_be_frozen(engine: Engine) -> None:
    issue = approved_issue(engine, stored_newsletter(engine))
    with pytest.raises(Conflict), writing(engine) as session:
        freeze(session, issue, rendered("Other"), Outline((CLIMATE,), ((CLIMATE,),)), by="me", now=NOW)
    with reading(engine) as session:
        assert get_rendered(session, get_issue(session, issue.id)).titles == ("Article 0",)


def test_a_draft_without_approval_has_no_pieces(engine: Engine) -> None:
    issue = issue_in(engine, IssueState.DRAFT)
    with reading(engine) as session, pytest.raises(Conflict, match=f"'digest issue approve {issue.id}'"):
        get_rendered(session, issue)


def items(engine: Engine, newsletter: Newsletter, count: int) -> list[ChosenItem]:
    source = stored_source(engine, newsletter, "Meridian")
    ids = [
        stored_article(engine, newsletter, source, sample_article(f"a{number}")) for number in range(count)
    ]
    return [ChosenItem(article_id, 1.5, tuple(ids[:number])) for number, article_id in enumerate(ids)]


def test_items_come_back_in_order_and_replace_those_before(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue, chosen = draft_of(engine, newsletter), items(engine, newsletter, 3)
    for order in (chosen, chosen[::-1], chosen[1:]):
        with writing(engine) as session:
            replace_items(session, issue.id, order)
        with reading(engine) as session:
            assert items_of(session, issue.id) == tuple(order)


def carried(engine: Engine, newsletter: Newsletter, but: IssueId | None = None, days: int = 0) -> set[int]:
    """Return what was carried by issues whose window ends after the week's start and so many days."""
    since = WINDOW.start + timedelta(days=days)
    with reading(engine) as session:
        return set(carried_articles(session, newsletter.id, but=but, since=since))


@pytest.mark.parametrize("state", list(IssueState))
def test_an_article_counts_as_carried_once_its_issue_is_approved(engine: Engine, state: IssueState) -> None:
    newsletter = stored_newsletter(engine)
    issue, (item, _) = draft_of(engine, newsletter), items(engine, newsletter, 2)
    with writing(engine) as session:
        replace_items(session, issue.id, [item])
    for step in PATHS[state]:
        change(engine, issue, step)
    is_out = state not in (IssueState.DRAFT, IssueState.CANCELLED)
    assert carried(engine, newsletter) == ({item.article_id} if is_out else set())
    assert carried(engine, newsletter, but=issue.id) == set()
    assert carried(engine, stored_newsletter(engine, slug="daily")) == set()


def test_with_an_article_its_whole_story_is_carried_for_as_long_as_is_looked_back(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    issue, chosen = draft_of(engine, newsletter), items(engine, newsletter, 5)
    first, second, third, fourth, alone = (item.article_id for item in chosen)
    with writing(engine) as session:
        replace_items(session, issue.id, [ChosenItem(second, 1.0, (first,))])
        record_stories(session, [[fourth, second], [first, third], [alone]])
    change(engine, issue, IssueState.APPROVED)
    assert carried(engine, newsletter, days=6) == {first, second, third, fourth}
    assert carried(engine, newsletter, days=7) == set()
