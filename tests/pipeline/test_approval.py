"""An issue with errors is not approved, by nobody unasked; who lets it go all the same is named."""

import pytest
from sqlalchemy import Engine, select, update

from digest.compose.edits import Change, edit_issue
from digest.compose.shape import DROP
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Approval
from digest.domain.schedules import OccurrenceState, Stage
from digest.pipeline.approval import Unsound, approve_issue
from digest.pipeline.preflight import check_issue
from digest.pipeline.run import run_newsletter
from digest.pipeline.scheduled import advance
from digest.pipeline.sending import send
from digest.runtime import Runtime
from digest.store.articles import ArticleRow
from digest.store.contents import get_content
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issues import get_issue, write_texts
from digest.store.newsletters import NewsletterRow
from tests.pipeline.press import CLIMATE, Press, make_newsletter
from tests.pipeline.test_preflight import compose_week
from tests.pipeline.test_scheduled import Weekly
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, change, stored_reader


def write_intro(engine: Engine, issue: Issue, intro: str) -> None:
    with writing(engine) as session:
        write_texts(session, issue.id, subject="", preheader="", intro=intro)


@pytest.fixture
def unsound(engine: Engine, press: Press) -> Issue:
    """A draft that says lorem ipsum."""
    newsletter = make_newsletter(engine, press)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    issue = compose_week(engine, press, newsletter, tides=CLIMATE)
    write_intro(engine, issue, "Lorem ipsum")
    return issue


def standing(engine: Engine, issue: Issue) -> Issue:
    with reading(engine) as session:
        return get_issue(session, issue.id)


def test_a_draft_with_errors_is_refused_with_each_and_the_way_past(
    engine: Engine, runtime: Runtime, unsound: Issue
) -> None:
    with pytest.raises(Unsound) as refused:
        approve_issue(runtime, unsound.id, by="Edda")
    assert "1 error: 'Lorem ipsum' looks like a placeholder (opening lines)" in str(refused.value)
    assert f"'digest issue approve {unsound.id} --despite-errors --by NAME'" in str(refused.value)
    assert standing(engine, unsound).state is IssueState.DRAFT


def test_who_lets_it_go_stands_in_its_note_until_it_is_sent(
    engine: Engine, runtime: Runtime, unsound: Issue
) -> None:
    approved = approve_issue(runtime, unsound.id, by="Edda", despite_errors=True)
    note = "approved by Edda despite 1 error: 'Lorem ipsum' looks like a placeholder (opening lines)"
    assert (approved.state, approved.note) == (IssueState.APPROVED, note)
    send(runtime, unsound.id)
    assert (standing(engine, unsound).state, standing(engine, unsound).note) == (IssueState.SENT, note)


def test_a_pause_has_a_note_of_its_own_which_ends_with_it(
    engine: Engine, runtime: Runtime, unsound: Issue
) -> None:
    approve_issue(runtime, unsound.id, by="Edda", despite_errors=True)
    change(engine, unsound, IssueState.SENDING)
    assert change(engine, unsound, IssueState.PAUSED).note == ""
    assert change(engine, unsound, IssueState.SENDING).note == ""


def test_without_errors_there_is_nothing_to_note(engine: Engine, runtime: Runtime, unsound: Issue) -> None:
    write_intro(engine, unsound, "")
    assert approve_issue(runtime, unsound.id, by="Edda", despite_errors=True).note == ""
    with pytest.raises(Conflict, match="is approved, so this cannot make it approved"):
        approve_issue(runtime, unsound.id, by="Edda")


def test_a_run_by_hand_leaves_it_a_draft_and_says_why(
    runtime: Runtime, unsound: Issue, smtp_sink: SmtpSink
) -> None:
    run = run_newsletter(runtime, "weekly", approve_by="Edda")
    assert run.issue is not None
    assert run.issue.state is IssueState.DRAFT
    assert "stays a draft, for its checks find 1 error" in run.note
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_a_dead_link_that_a_look_found_keeps_a_draft_back_while_it_stands_in_it(
    engine: Engine, runtime: Runtime, press: Press, unsound: Issue
) -> None:
    write_intro(engine, unsound, "")
    press.withdraw("tides")
    check_issue(runtime, unsound.id)
    with pytest.raises(Unsound, match=f"1 error: {press.url}/tides is gone: it answers 410"):
        approve_issue(runtime, unsound.id, by="Edda")
    press.publish("tides")
    check_issue(runtime, unsound.id)
    assert approve_issue(runtime, unsound.id, by="Edda").state is IssueState.APPROVED


def test_a_dead_link_is_remembered_until_its_article_is_dropped(
    engine: Engine, runtime: Runtime, press: Press
) -> None:
    newsletter = make_newsletter(engine, press)
    issue = compose_week(engine, press, newsletter, tides=CLIMATE, rockets=CLIMATE)
    press.withdraw("tides")
    check_issue(runtime, issue.id)
    compose_week(engine, press, newsletter, glaciers=CLIMATE)
    with pytest.raises(Unsound, match="tides is gone"):
        approve_issue(runtime, issue.id, by="Edda")
    with reading(engine) as session:
        (dead,) = session.scalars(select(ArticleRow.id).where(ArticleRow.title == "tides"))
    edit_issue(engine, issue.id, [Change(About(Field.WISH, dead), DROP)], by="Edda", now=NOW)
    assert approve_issue(runtime, issue.id, by="Edda").state is IssueState.APPROVED


def test_an_issue_that_approves_itself_has_its_links_looked_at_first(
    engine: Engine, runtime: Runtime, press: Press, smtp_sink: SmtpSink
) -> None:
    weekly = Weekly(engine, runtime, press, Approval.AUTOMATIC)
    run = weekly.due()
    while weekly.occurrence.stage is not Stage.APPROVE:
        advance(runtime, run)
    press.withdraw("tides")
    weekly.drive(run)
    assert weekly.occurrence.state is OccurrenceState.WAITING
    assert "is gone: it answers 410" in weekly.occurrence.note
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_an_issue_that_approves_itself_leaves_out_what_is_gone_and_says_so(
    engine: Engine, runtime: Runtime, press: Press, smtp_sink: SmtpSink
) -> None:
    weekly = Weekly(engine, runtime, press, Approval.AUTOMATIC)
    press.publish("glaciers", CLIMATE)
    run = weekly.due()
    while weekly.occurrence.stage is not Stage.APPROVE:
        advance(runtime, run)
    press.withdraw("tides")
    weekly.drive(run)
    (issue_id,) = weekly.send()
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
        assert [item.title for item in get_content(session, issue).items] == ["glaciers"]
    assert (issue.state, issue.note) == (IssueState.SENT, "left out, for its page is gone: 'tides'")
    assert smtp_sink.count() == 2


def test_automatic_approval_waits_for_a_person_and_tells_ops_what_to_do(
    engine: Engine, runtime: Runtime, press: Press, smtp_sink: SmtpSink
) -> None:
    weekly = Weekly(engine, runtime, press, Approval.AUTOMATIC)
    run = weekly.due()
    # The newsletter's own address is what nobody looks at again.
    with writing(engine) as session:
        session.execute(update(NewsletterRow).values(postal_address="Lorem ipsum 1"))
    weekly.drive(run)
    assert weekly.occurrence.state is OccurrenceState.WAITING
    assert "postal address" in weekly.occurrence.note
    assert "--despite-errors" in weekly.occurrence.note
    assert smtp_sink.copies() == {"ops@example.org": 1}
    assert weekly.send() == ()


def test_a_deadline_lets_an_issue_go_with_its_errors_and_tells_ops(
    engine: Engine, runtime: Runtime, press: Press, smtp_sink: SmtpSink
) -> None:
    weekly = Weekly(engine, runtime, press, Approval.DEADLINE)
    run = weekly.due()
    with writing(engine) as session:
        session.execute(update(NewsletterRow).values(postal_address="Lorem ipsum 1"))
    weekly.drive(run)
    assert weekly.occurrence.state is OccurrenceState.DONE
    (issue_id,) = weekly.send()
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
    assert issue.state is IssueState.SENT
    assert "approved by automatic approval despite 1 error: 'Lorem ipsum'" in issue.note
    assert smtp_sink.copies()["ops@example.org"] == 1
    assert smtp_sink.count() > 1
