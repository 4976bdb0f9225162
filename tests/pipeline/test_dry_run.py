from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, select, update

from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueState
from digest.domain.newsletters import Approval
from digest.pipeline.dry_run import ReaderPlan, rehearse
from digest.pipeline.run import current_window, run_newsletter
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import ensure_issue
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import SubscriptionRow, get_subscription
from digest.store.suppressions import suppress
from digest.store.tables import metadata
from tests.pipeline.press import CLIMATE, SPACE, Press, make_newsletter
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, change, stored_reader


def rows(engine: Engine) -> Mapping[str, list[tuple[object, ...]]]:
    with reading(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


@pytest.fixture(autouse=True)
def weekly(engine: Engine, press: Press) -> None:
    newsletter = make_newsletter(engine, press, approval=Approval.AUTOMATIC)
    press.publish("tides", CLIMATE)
    press.publish("rockets", SPACE)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE, SPACE)
    stored_reader(engine, newsletter, "gone@example.org", CLIMATE)
    stored_reader(engine, newsletter, "none@example.org")
    with writing(engine) as session:
        suppress(session, "gone@example.org", reason="bounce", detail="", now=NOW)


PLANS = {
    "anna@example.org": (("tides",), ""),
    "ben@example.org": (("tides", "rockets"), ""),
    "gone@example.org": ((), "address is suppressed"),
    "none@example.org": ((), "follows no topic"),
}


def told(plans: tuple[ReaderPlan, ...]) -> dict[str, tuple[tuple[str, ...], str]]:
    return {plan.email: (plan.titles, plan.skipped) for plan in plans}


def test_a_dry_run_says_who_would_get_what_and_writes_nothing(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    before = rows(engine)
    run, plans = rehearse(runtime, "weekly")
    assert told(plans) == PLANS
    assert run.note == "dry run: nothing was written and nothing sent; 2 readers would get mail"
    assert run.addressed is not None
    assert run.addressed.deliveries == 2
    assert [poll.new for poll in run.polled] == [2]
    assert rows(engine) == before
    assert smtp_sink.connections == 0


def test_a_dry_run_tells_apart_what_comes_by_mail_and_what_is_online(
    engine: Engine, runtime: Runtime
) -> None:
    with writing(engine) as session:
        ben = get_subscription(session, get_newsletter(session, "weekly").id, "ben@example.org")
        session.execute(
            update(SubscriptionRow)
            .where(SubscriptionRow.subscriber_id == ben.subscriber.id)
            .values(max_items=1)
        )
    _, plans = rehearse(runtime, "weekly")
    (plan,) = [one for one in plans if one.email == "ben@example.org"]
    assert (len(plan.titles), plan.online) == (1, 1)


def test_a_dry_run_foretells_what_a_run_then_does(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    _, plans = rehearse(runtime, "weekly")
    run_newsletter(runtime, "weekly")
    assert set(smtp_sink.copies()) == {plan.email for plan in plans if plan.titles}


def test_an_issue_that_waits_to_be_sent_can_be_rehearsed(engine: Engine, runtime: Runtime) -> None:
    run = run_newsletter(runtime, "weekly", should_stop=lambda: True)
    assert run.issue is not None
    before = rows(engine)
    rehearsed, plans = rehearse(runtime, "weekly")
    assert told(plans) == PLANS
    assert {plan.delivery for plan in plans} == {DeliveryState.PENDING, None}
    assert f"dry run: issue {run.issue.id} of this window is being sent already" in rehearsed.note
    change(engine, run.issue, IssueState.CANCELLED)
    rehearsed, plans = rehearse(runtime, "weekly")
    assert "is cancelled already: a run would send nothing again" in rehearsed.note
    assert {name for name, now in rows(engine).items() if now != before[name]} == {"issues"}


def test_of_a_sent_issue_it_says_who_got_what_and_how_to_look_at_other_days(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    run_newsletter(runtime, "weekly")
    before, mails = rows(engine), smtp_sink.count()
    rehearsed, plans = rehearse(runtime, "weekly")
    assert told(plans) == PLANS
    assert {plan.delivery for plan in plans if plan.titles} == {DeliveryState.ACCEPTED}
    assert "is sent already: a run would send nothing again" in rehearsed.note
    assert "--window FIRST..LAST" in rehearsed.note
    assert (rows(engine), smtp_sink.count()) == (before, mails)


def test_an_issue_cancelled_as_a_draft_is_told(engine: Engine, runtime: Runtime) -> None:
    with writing(engine) as session:
        newsletter = get_newsletter(session, "weekly")
        window = current_window(newsletter, runtime.clock())
        issue = ensure_issue(session, newsletter.id, window, now=NOW)
    change(engine, issue, IssueState.CANCELLED)
    rehearsed, plans = rehearse(runtime, "weekly")
    assert plans == ()
    assert f"issue {issue.id} of this window is cancelled: a run would send nothing" in rehearsed.note


def test_a_rehearsal_of_a_draft_takes_its_articles_as_they_are(engine: Engine, runtime: Runtime) -> None:
    _, before = rehearse(runtime, "weekly")
    run = run_newsletter(runtime, "weekly", should_stop=lambda: True)
    assert run.issue is not None
    _, of_the_draft = rehearse(runtime, "weekly")
    # Not by their hash: the links of a mail name its issue, and a copy gives numbers of its own.
    assert told(before) == told(of_the_draft) == PLANS


def test_an_empty_week_is_foretold_and_ops_are_left_in_peace(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, press: Press
) -> None:
    press.articles.clear()
    run, plans = rehearse(runtime, "weekly")
    assert plans == ()
    assert run.issue is None
    assert "has nothing to send" in run.note
    assert "no issue would be made and nobody mailed. This is a dry run: nothing was written" in run.note
    assert "was mailed" not in run.note
    assert smtp_sink.connections == 0


def test_a_template_that_is_not_there_stops_the_rehearsal(
    engine: Engine, runtime: Runtime, press: Press
) -> None:
    make_newsletter(engine, press, slug="other", template="nowhere")
    before = rows(engine)
    with pytest.raises(Misconfigured, match="nowhere"):
        rehearse(runtime, "other")
    assert rows(engine) == before
