"""Each reader's own hour. Faults 27: clocks that go forward and back, in three zones."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.address.explain import explain
from digest.deliver.steps import due_issues, finish_issue
from digest.domain.issues import Issue
from digest.domain.schedules import OccurrenceState
from digest.pipeline.sending import sending_note
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import get_issue
from digest.store.schedules import OccurrenceRow, add_occurrence, add_schedule
from tests.address.weeks import Weeks

PARIS, NEW_YORK, SYDNEY = "Europe/Paris", "America/New_York", "Australia/Sydney"
ZONES = (PARIS, NEW_YORK, SYDNEY)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def scheduled(weeks: Weeks, issue: Issue, due_at: datetime, timezone: str) -> Issue:
    """Let a schedule of this zone have made the issue."""
    with writing(weeks.engine) as session:
        schedule = add_schedule(
            session,
            weeks.newsletter.id,
            cron="0 7 * * 1",
            timezone=timezone,
            window_days=7,
            next_due=due_at + timedelta(days=7),
            now=due_at,
        )
        run = add_occurrence(
            session,
            schedule.id,
            due_at=due_at,
            local_date=date(2026, 1, 1),
            state=OccurrenceState.DONE,
            note="",
            now=due_at,
        )
        assert run
        session.execute(update(OccurrenceRow).values(issue_id=issue.id))
    return issue


def leaves(weeks: Weeks, issue: Issue) -> dict[str, datetime]:
    """Return when each reader's mail may leave."""
    with reading(weeks.engine) as session:
        rows = session.execute(
            select(DeliveryRow.email, DeliveryRow.next_at).where(DeliveryRow.issue_id == issue.id)
        )
        return {email.partition("@")[0]: moment for email, moment in rows}


@pytest.fixture
def weeks(engine: Engine) -> Weeks:
    weeks = Weeks(engine, local_time=True, timezone=PARIS)
    for zone in ZONES:
        weeks.add(zone.rpartition("/")[2], timezone="" if zone == PARIS else zone)
    return weeks


@pytest.mark.parametrize(
    ("due_at", "paris", "new_york", "sydney"),
    [
        # Usual days: the winter's hours in the north, the summer's in Sydney.
        (utc(2026, 11, 22, 20), utc(2026, 11, 23, 6), utc(2026, 11, 23, 12), utc(2026, 11, 22, 20)),
        # On 29 March 02:30 never is in Paris: 03:00 there is the first moment after. Elsewhere it is.
        (utc(2026, 3, 28, 15, 30), utc(2026, 3, 29, 1), utc(2026, 3, 29, 6, 30), utc(2026, 3, 28, 15, 30)),
        # On 25 October 02:30 is twice in Paris: the first one counts.
        (
            utc(2026, 10, 24, 15, 30),
            utc(2026, 10, 25, 0, 30),
            utc(2026, 10, 25, 6, 30),
            utc(2026, 10, 24, 15, 30),
        ),
        # On 8 March New York has no 02:30, on 1 November it has 01:30 twice.
        (utc(2026, 3, 7, 15, 30), utc(2026, 3, 8, 1, 30), utc(2026, 3, 8, 7), utc(2026, 3, 7, 15, 30)),
        (
            utc(2026, 10, 31, 14, 30),
            utc(2026, 11, 1, 0, 30),
            utc(2026, 11, 1, 5, 30),
            utc(2026, 10, 31, 14, 30),
        ),
        # On 4 October the schedule itself is due in Sydney's gap, so at 03:30 there.
        (
            utc(2026, 10, 3, 16, 30),
            utc(2026, 10, 4, 1, 30),
            utc(2026, 10, 4, 7, 30),
            utc(2026, 10, 3, 16, 30),
        ),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_leaves_at_the_schedules_hour_by_its_readers_clock(
    weeks: Weeks, due_at: datetime, paris: datetime, new_york: datetime, sydney: datetime
) -> None:
    issue = scheduled(weeks, weeks.approved(0, "fog"), due_at, SYDNEY)
    early = due_at - timedelta(hours=1)
    weeks.address(issue, now=early)
    assert leaves(weeks, issue) == {"Paris": paris, "New_York": new_york, "Sydney": sydney}


def test_whose_hour_has_passed_gets_it_at_once_and_nobody_is_sent_it_before_their_own(weeks: Weeks) -> None:
    due_at = utc(2026, 11, 23, 6)
    issue = scheduled(weeks, weeks.approved(0, "fog"), due_at, PARIS)
    assert explain(weeks.engine, issue.id, "New_York@example.org").verdict == (
        "will get this issue, not before 07:00 America/New_York on Monday 23 Nov"
    )
    approved_at = due_at + timedelta(minutes=50)
    weeks.address(issue, now=approved_at)
    noon = utc(2026, 11, 23, 12)
    told = explain(weeks.engine, issue.id, "New_York@example.org")
    assert told.verdict == "gets this issue: goes out at 07:00 America/New_York on Monday 23 Nov"
    assert [claim(weeks, issue, at) for at in (approved_at, noon - timedelta(seconds=1), noon, noon)] == [
        ["Paris", "Sydney"],
        [],
        ["New_York"],
        [],
    ]


def claim(weeks: Weeks, issue: Issue, now: datetime) -> list[str]:
    with writing(weeks.engine) as session:
        claims = claim_deliveries(
            session, issue.id, owner="w", limit=9, now=now, lease_until=now + timedelta(days=9)
        )
    return sorted(claim.email.partition("@")[0] for claim in claims)


def test_while_mails_wait_for_tomorrow_the_issue_stays_open_and_no_worker_is_rung_for(weeks: Weeks) -> None:
    due_at = utc(2026, 11, 23, 6)
    issue = scheduled(weeks, weeks.approved(0, "fog"), due_at, PARIS)
    early = utc(2026, 11, 22, 12)
    weeks.address(issue, now=early)
    assert due_issues(weeks.engine, [issue.id], now=early) == ()
    assert not finish_issue(weeks.engine, issue.id, now=early)
    with reading(weeks.engine) as session:
        note = sending_note(session, get_issue(session, issue.id), now=early)
    assert note == (
        f"issue {issue.id} is sending: 0 accepted, 3 to come at their own hour, the first at 21:00 "
        "Europe/Paris on Sunday 22 Nov, the last at 13:00 Europe/Paris on Monday 23 Nov: a running "
        f"'digest up' or worker sends them by itself, without one 'digest send {issue.id}' does from then on"
    )
    assert due_issues(weeks.engine, [issue.id], now=utc(2026, 11, 22, 20)) == (issue.id,)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_issue_that_no_schedule_made_leaves_at_once(weeks: Weeks) -> None:
    issue = weeks.approved(0, "fog")
    now = utc(2026, 11, 22, 12)
    weeks.address(issue, now=now)
    assert claim(weeks, issue, now) == ["New_York", "Paris", "Sydney"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_zone_that_is_no_more_is_the_newsletters(engine: Engine) -> None:
    weeks = Weeks(engine, local_time=True, timezone=PARIS)
    weeks.add("Paris", timezone="Mars/Olympus")
    issue = scheduled(weeks, weeks.approved(0, "fog"), utc(2026, 11, 23, 6), PARIS)
    weeks.address(issue, now=utc(2026, 11, 22, 12))
    assert leaves(weeks, issue) == {"Paris": utc(2026, 11, 23, 6)}
