import email
import email.policy
import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from digest.demo.audience import sample_subscribers, sample_topics
from digest.demo.newsroom import Newsroom
from digest.domain.deliveries import DeliveryState
from digest.domain.erasing import NO_MARKS
from digest.domain.errors import Conflict, Misconfigured, NotFound, Unavailable
from digest.domain.issues import IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.sources import SourceKind
from digest.domain.subscribers import SkipReason
from digest.domain.times import Window
from digest.intake.lists.steps import import_text
from digest.pipeline.run import current_window, run_newsletter
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import list_issues
from digest.store.sources import NewSource, add_sources
from tests.pipeline.press import CLIMATE, SPACE, Clock, Press, make_newsletter, make_runtime
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, WINDOW, change, stored_newsletter, stored_reader

ACCEPTED, PENDING, FAILED = DeliveryState.ACCEPTED, DeliveryState.PENDING, DeliveryState.FAILED


def mails(sink: SmtpSink) -> dict[str, EmailMessage]:
    """Return the mails the sink holds, by recipient."""
    policy = email.policy.default
    read = [email.message_from_bytes(content, policy=policy) for content in sink.contents()]
    return {mail["To"].addresses[0].addr_spec: mail for mail in read}  # type: ignore[misc]


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def weekly(engine: Engine, press: Press) -> Newsletter:
    newsletter = make_newsletter(engine, press, approval=Approval.AUTOMATIC)
    press.publish("tides", CLIMATE)
    press.publish("rockets", SPACE)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE, SPACE)
    stored_reader(engine, newsletter, "none@example.org")
    return newsletter


@pytest.mark.usefixtures("weekly")
def test_a_run_goes_from_the_feed_to_the_mail(runtime: Runtime, smtp_sink: SmtpSink) -> None:
    run = run_newsletter(runtime, "weekly")
    assert run.window == WINDOW
    assert run.issue is not None
    assert (run.issue.state, run.issue.approved_by) == (IssueState.SENT, "automatic approval")
    assert run.addressed is not None
    assert (run.addressed.deliveries, run.addressed.editions) == (2, 2)
    assert run.addressed.skipped == {SkipReason.NO_TOPICS: 1}
    assert run.counts[ACCEPTED] == 2
    assert run.note == f"issue {run.issue.id} is sent: 2 accepted"
    received = mails(smtp_sink)
    assert set(received) == {"anna@example.org", "ben@example.org"}
    assert "tides" in text_of(received["anna@example.org"])
    assert "rockets" not in text_of(received["anna@example.org"])
    assert "rockets" in text_of(received["ben@example.org"], "html")


@pytest.mark.usefixtures("weekly")
def test_running_again_sends_nothing_again(runtime: Runtime, smtp_sink: SmtpSink, clock: Clock) -> None:
    first = run_newsletter(runtime, "weekly")
    clock.pass_(hours=10)
    again = run_newsletter(runtime, "weekly")
    assert first.issue is not None
    assert again.note == f"issue {first.issue.id} of this window is sent already; nothing was sent again"
    assert smtp_sink.copies() == {"anna@example.org": 1, "ben@example.org": 1}
    with reading(runtime.engine) as session:
        assert len(list_issues(session)) == 1


@pytest.mark.usefixtures("weekly")
def test_the_next_week_carries_what_is_new(
    runtime: Runtime, smtp_sink: SmtpSink, clock: Clock, press: Press
) -> None:
    run_newsletter(runtime, "weekly")
    clock.pass_(days=7)
    press.publish("ebb", CLIMATE, WINDOW.end + timedelta(days=2))
    run_newsletter(runtime, "weekly")
    last = [
        email.message_from_bytes(content, policy=email.policy.default) for content in smtp_sink.contents()
    ]
    assert [mail["Subject"] for mail in last[2:]] == ["The Weekly: ebb"] * 2


def test_manual_approval_stops_at_the_draft(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, press: Press
) -> None:
    newsletter = make_newsletter(engine, press)
    press.publish("tides")
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    for _ in range(2):
        run = run_newsletter(runtime, "weekly")
        assert run.issue is not None
        assert run.issue.state is IssueState.DRAFT
        assert f"'digest issue approve {run.issue.id}'" in run.note
    assert smtp_sink.count() == 0
    run = run_newsletter(runtime, "weekly", approve_by="Edda")
    assert run.issue is not None
    assert (run.issue.state, run.issue.approved_by) == (IssueState.SENT, "Edda")
    assert smtp_sink.count() == 1


def test_an_empty_week_mails_nobody_but_ops(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, press: Press
) -> None:
    newsletter = make_newsletter(engine, press, approval=Approval.AUTOMATIC)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    press.publish("old", CLIMATE, WINDOW.start - timedelta(days=1))
    press.publish("sports", "sports")
    run = run_newsletter(runtime, "weekly")
    assert run.issue is None
    assert run.note.startswith(
        "The Weekly has nothing to send for 2026-11-16 to 2026-11-22: no issue was made"
    )
    (alert,) = mails(smtp_sink).values()
    assert (alert["To"], alert["Subject"]) == ("ops@example.org", "[Digest] The Weekly: nothing to send")
    told, shown = (" ".join(words.split()) for words in (run.note, text_of(alert)))
    assert told in shown
    assert run.note.splitlines()[0] in text_of(alert, "html")
    with reading(engine) as session:
        assert list_issues(session) == ()


def test_an_empty_week_names_the_sources_that_failed(engine: Engine, runtime: Runtime, press: Press) -> None:
    make_newsletter(engine, press)
    press.status = 503
    run = run_newsletter(runtime, "weekly")
    assert f"Press could not be read: {press.url}/feed answers 503" in run.note


def test_ops_are_told_in_the_log_when_their_mail_cannot_be_sent(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, press: Press
) -> None:
    make_newsletter(engine, press)
    smtp_sink.refuse_connections()
    assert run_newsletter(runtime, "weekly").issue is None


@pytest.mark.usefixtures("weekly")
def test_a_window_can_be_given(runtime: Runtime) -> None:
    day = Window(WINDOW.start, WINDOW.start + timedelta(days=1))
    run = run_newsletter(runtime, "weekly", window=day)
    assert run.issue is None
    assert "2026-11-16 to 2026-11-16" in run.note


def test_what_is_deferred_is_sent_by_a_later_run(
    engine: Engine,
    weekly: Newsletter,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The wait is one to two minutes: here it is a part of a second more than one.
    monkeypatch.setattr("digest.deliver.steps.back_off", lambda *_, **__: timedelta(seconds=60.3))
    stored_reader(engine, weekly, "defer-451-once.carl@example.org", SPACE)
    run = run_newsletter(runtime, "weekly")
    assert (run.counts[ACCEPTED], run.counts[PENDING]) == (2, 1)
    assert "1 deferred (451 4.0.0 as planned); next try at 07:02 (UTC): a running 'digest up'" in run.note
    assert f"'digest send {run.issue and run.issue.id}' does from then on" in run.note
    again = run_newsletter(runtime, "weekly")
    assert again.addressed is None
    assert again.counts[PENDING] == 1
    clock.pass_(minutes=10)
    last = run_newsletter(runtime, "weekly")
    assert last.issue is not None
    assert (last.issue.state, last.counts[ACCEPTED]) == (IssueState.SENT, 3)
    assert set(smtp_sink.copies().values()) == {1}


@pytest.mark.usefixtures("weekly")
def test_a_mail_server_that_is_away_loses_nothing(
    runtime: Runtime, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.deliver.steps._RECONNECTS", 1)
    smtp_sink.refuse_connections()
    with pytest.raises(Unavailable):
        run_newsletter(runtime, "weekly")
    smtp_sink.accept_connections()
    run = run_newsletter(runtime, "weekly")
    assert run.counts[ACCEPTED] == 2
    assert smtp_sink.copies() == {"anna@example.org": 1, "ben@example.org": 1}


@pytest.mark.usefixtures("weekly")
def test_a_run_that_is_stopped_goes_on_where_it_was(runtime: Runtime, smtp_sink: SmtpSink) -> None:
    stopped = run_newsletter(runtime, "weekly", should_stop=lambda: True)
    assert stopped.issue is not None
    assert (stopped.issue.state, stopped.counts[PENDING]) == (IssueState.SENDING, 2)
    assert run_newsletter(runtime, "weekly").counts[ACCEPTED] == 2
    assert smtp_sink.copies() == {"anna@example.org": 1, "ben@example.org": 1}


@pytest.mark.usefixtures("weekly")
def test_a_paused_issue_is_not_sent_and_says_how_to_go_on(runtime: Runtime, smtp_sink: SmtpSink) -> None:
    stopped = run_newsletter(runtime, "weekly", should_stop=lambda: True)
    assert stopped.issue is not None
    change(runtime.engine, stopped.issue, IssueState.PAUSED)
    with pytest.raises(Conflict, match=f"'digest issue resume {stopped.issue.id}'"):
        run_newsletter(runtime, "weekly")
    assert smtp_sink.count() == 0


@pytest.mark.usefixtures("weekly")
def test_nothing_is_gathered_twice_for_an_issue_that_is_approved(runtime: Runtime, press: Press) -> None:
    run_newsletter(runtime, "weekly", should_stop=lambda: True)
    press.status = 500
    assert run_newsletter(runtime, "weekly").polled == ()


def test_an_unknown_newsletter_is_told(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="no newsletter 'weakly'"):
        run_newsletter(runtime, "weakly")


@pytest.mark.usefixtures("weekly")
def test_without_a_key_nothing_is_approved(
    engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock
) -> None:
    keyless = make_runtime(engine, press, smtp_sink, clock, secret_key=SecretStr(""))
    with pytest.raises(Misconfigured, match="secret_key is not set"):
        run_newsletter(keyless, "weekly")
    with reading(engine) as session:
        (issue,) = list_issues(session)
    assert issue.state is IssueState.DRAFT


def test_a_week_ends_at_midnight_where_the_newsletter_lives(engine: Engine) -> None:
    newsletter = stored_newsletter(engine, timezone="Pacific/Auckland")
    first, last = current_window(newsletter, NOW).local_days(ZoneInfo("Pacific/Auckland"))
    assert (first.isoformat(), last.isoformat()) == ("2026-11-16", "2026-11-22")


# --- the sample newsroom


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom.start(now=NOW, zone=ZoneInfo("Europe/Paris")) as running:
        yield running


def test_the_sample_newsroom_reaches_its_readers(
    engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock, newsroom: Newsroom
) -> None:
    newsletter = stored_newsletter(
        engine, topics=sample_topics(), timezone="Europe/Paris", approval=Approval.AUTOMATIC
    )
    with writing(engine) as session:
        sources = [NewSource(one.name, one.url, SourceKind(one.kind)) for one in newsroom.sources]
        add_sources(session, newsletter.id, sources, now=NOW)
    import_text(
        engine,
        newsletter,
        sample_subscribers(),
        name="subscribers.csv",
        by="ops",
        now=NOW,
        marked=NO_MARKS,
    )
    runtime = make_runtime(engine, press, smtp_sink, clock, fetch_allow=(newsroom.host_port,))
    run = run_newsletter(runtime, "weekly")
    assert run.issue is not None
    assert run.issue.state is IssueState.SENT
    assert sum(poll.new for poll in run.polled) >= 25
    assert [poll.source for poll in run.polled if poll.error] == [newsroom.sources[-1].name]
    assert run.composed is not None
    reasons = {left.reason.partition("'")[0] for left in run.composed.left_out}
    assert "tells the story of " in reasons
    assert run.addressed is not None
    assert run.addressed.skipped == {SkipReason.NO_TOPICS: 1, SkipReason.NOTHING_FOLLOWED: 1}
    received = mails(smtp_sink)
    assert len(received) == run.addressed.deliveries == 13
    for mail in received.values():
        assert not mail.defects
        html = text_of(mail, "html")
        assert not re.search(r"\{\{|[\ue000\ue001]", html + text_of(mail))
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
