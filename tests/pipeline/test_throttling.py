"""What slows sending down, as ops meet it: told once, paused and resumed, counted, explained in words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, update

from digest.address.steps import address_issue
from digest.deliver.throttle.caps import Throttle, WarmUp, read_caps
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, InvalidInput, Misconfigured
from digest.domain.issues import Issue
from digest.pipeline.sending import send, sending_note
from digest.pipeline.throttle_report import report_throttle
from digest.pipeline.throttling import look_up_domains, pause_group, resume_group, tell_paused
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import get_issue
from digest.store.mail_domains import domains_in, groups_of
from digest.store.newsletters import change_newsletter
from digest.store.receivers import lock_receiver, pause_receiver
from tests.pipeline.press import Clock
from tests.servers.dns import DnsServer
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, approved_issue, stored_newsletter, stored_reader

REFUSAL = "550 5.7.26 this mail is not authenticated."


@pytest.fixture
def issue(runtime: Runtime, clock: Clock) -> Issue:
    """An issue on its way to two readers at Google and two elsewhere."""
    engine = runtime.engine
    newsletter = stored_newsletter(engine)
    for email in ("ada@gmail.com", "ben@gmail.com", "cy@club.club", "dora@club.club"):
        stored_reader(engine, newsletter, email, CLIMATE)
    issue = approved_issue(engine, newsletter)
    address_issue(engine, issue.id, now=clock())
    with reading(engine) as session:
        return get_issue(session, issue.id)


def pause(runtime: Runtime, *groups: str, is_told: bool = False) -> None:
    with writing(runtime.engine) as session:
        for group in groups:
            row = lock_receiver(session, group, now=runtime.clock())
            pause_receiver(row, REFUSAL, now=runtime.clock(), is_told=is_told)


def note_of(runtime: Runtime, issue: Issue, throttle: Throttle | None = None) -> str:
    with reading(runtime.engine) as session:
        found = get_issue(session, issue.id)
        return sending_note(session, found, now=runtime.clock(), throttle=throttle or runtime.throttle)


def alerts(sink: SmtpSink) -> list[str]:
    return [content.decode() for content in sink.contents() if b"ops@example.org" in content]


def test_ops_are_told_once_who_refuses_what_was_said_and_how_to_go_on(
    runtime: Runtime, issue: Issue, smtp_sink: SmtpSink
) -> None:
    pause(runtime, "google", "microsoft")
    smtp_sink.refuse_connections()
    tell_paused(runtime)
    smtp_sink.accept_connections()
    for _ in range(3):
        tell_paused(runtime)
    (told,) = alerts(smtp_sink)
    text = " ".join(told.replace("=\r\n", "").split())
    assert "mail to google, microsoft is paused" in text
    assert "5.7.26 this mail is not authenticated'. 2 mails to them wait" in text
    assert "digest throttle resume google" in text
    assert "digest throttle resume microsoft" in text


def test_an_issue_with_a_paused_group_stays_under_way_until_ops_resume_it(
    runtime: Runtime, issue: Issue, smtp_sink: SmtpSink, clock: Clock
) -> None:
    pause(runtime, "google", is_told=True)
    _, counts = send(runtime, issue.id)
    assert (counts[DeliveryState.ACCEPTED], counts[DeliveryState.PENDING]) == (2, 2)
    note = note_of(runtime, issue)
    assert f"issue {issue.id} is sending: 2 accepted" in note
    assert "2 wait for google: paused since 2026-11-23 07:00 UTC because '550 5.7.26 this mail is" in note
    assert "'digest throttle resume google' goes on" in note
    assert "deferred" not in note
    assert "to come" not in note
    before, due = resume_group(runtime, "google")
    assert (before.paused_why, due) == (REFUSAL, 2)
    _, counts = send(runtime, issue.id)
    assert counts[DeliveryState.ACCEPTED] == 4
    assert set(smtp_sink.copies().values()) == {1}


def test_to_let_a_group_go_on_sends_nobody_their_mail_before_their_own_hour(
    runtime: Runtime, issue: Issue, clock: Clock, smtp_sink: SmtpSink
) -> None:
    at_breakfast = clock() + timedelta(hours=9)
    with writing(runtime.engine) as session:
        session.execute(
            update(DeliveryRow).where(DeliveryRow.email == "ben@gmail.com").values(next_at=at_breakfast)
        )
    pause_group(runtime, "google", why="by hand")
    send(runtime, issue.id)
    _, due = resume_group(runtime, "google")
    assert due == 1
    send(runtime, issue.id)
    assert set(smtp_sink.copies()) == {"ada@gmail.com", "cy@club.club", "dora@club.club"}


def test_ops_pause_and_resume_groups_by_hand(runtime: Runtime, issue: Issue, smtp_sink: SmtpSink) -> None:
    assert pause_group(runtime, "Google", why="we are being delisted") == 2
    with pytest.raises(Conflict, match=r"google is paused since .* UTC: we are being delisted"):
        pause_group(runtime, "google", why="again")
    with pytest.raises(Conflict, match="yahoo is not paused"):
        resume_group(runtime, "yahoo")
    with pytest.raises(InvalidInput, match="'nobody' is no group of receivers"):
        pause_group(runtime, "nobody", why="x")
    tell_paused(runtime)
    assert alerts(smtp_sink) == [], "who paused it knows"
    resume_group(runtime, "google")


def test_the_report_has_caps_groups_warm_up_and_quiet_hours(
    runtime: Runtime, issue: Issue, engine: Engine
) -> None:
    with writing(runtime.engine) as session:
        change_newsletter(session, issue.newsletter_id, quiet_hours="06:00-09:00")
    pause(runtime, "club.club")
    throttle = Throttle(read_caps(["5/s", "google: 1/min"]), WarmUp(date(2026, 11, 23), (3, 9)))
    with reading(runtime.engine) as session:
        report = report_throttle(session, throttle, now=runtime.clock())
    assert [(one.whom, one.cap, one.last_minute) for one in report.caps] == [
        ("everything", "5/s", 0),
        ("google", "1/min", 0),
    ]
    club, google = report.groups
    assert (club.group, club.waiting, club.paused_why) == ("club.club", 2, REFUSAL)
    assert (google.group, google.waiting, google.rate, google.cap) == ("google", 2, 1 / 60, "1/min")
    assert report.warm_up
    assert (report.warm_up.cap, report.warm_up.gone) == (3, 0)
    assert [(one.issue, one.mails, one.days) for one in report.warm_up.issues] == [(issue.id, 4, 2)]
    (quiet,) = report.quiet_hours
    assert quiet.until == runtime.clock() + timedelta(hours=2)
    note = note_of(runtime, issue, throttle)
    assert "nothing of it leaves until 2026-11-23 09:00 (UTC): quiet hours are 06:00-09:00 (UTC)" in note
    assert "with the warm-up it takes 2 days, today included" in note


def test_domains_of_an_issue_are_looked_up_once_and_again_after_a_week(
    runtime: Runtime, issue: Issue, clock: Clock
) -> None:
    with DnsServer({"club.club": {"MX": ["1 smtp.google.com."]}}) as dns:
        asking = Runtime(runtime.settings.model_copy(update={"dns_resolver": dns.address}), clock)
        dns.failing = {"club.club", "gmail.com"}
        assert look_up_domains(asking) == 0
        assert look_up_domains(asking) == 0
        asked = len(dns.asked)
        dns.failing = set()
        with reading(runtime.engine) as session:
            assert groups_of(session, ["club.club"]) == {"club.club": "club.club"}, "its own until then"
        clock.pass_(hours=1, minutes=1)
        assert look_up_domains(asking) == 2
        with reading(runtime.engine) as session:
            assert domains_in(session, "google") == {"club.club"}
        clock.pass_(days=6)
        assert look_up_domains(asking) == 0
        clock.pass_(days=2)
        assert look_up_domains(asking) == 2
        assert len(dns.asked) > asked
        asking.engine.dispose()


def test_a_cap_on_a_relay_that_is_none_is_told_before_anything_is_sent(runtime: Runtime) -> None:
    wrong = Runtime(runtime.settings.model_copy(update={"rate_limits": ("relay mx9.example.org: 5/s",)}))
    with pytest.raises(Misconfigured, match=r"'mx9\.example\.org'.*there is: 127\.0\.0\.1"):
        wrong.require_mail()
