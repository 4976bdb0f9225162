"""The sample newsletter with schedules and with runs that went well, failed, wait and were missed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select, update

from digest.domain.deliveries import DeliveryState
from digest.domain.dry_runs import Found, ItemFound, SourceFound
from digest.domain.issues import IssueId
from digest.domain.runs import StageOutcome
from digest.domain.schedules import OccurrenceId, OccurrenceState, ScheduleId, Stage
from digest.domain.subscribers import SkipReason
from digest.pipeline.scheduling import make_schedule
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.deliveries import DeliveryRow, NewDelivery, add_deliveries
from digest.store.dry_runs import add_dry_run, claim_dry_run, end_dry_run
from digest.store.ordered_runs import begin_anew
from digest.store.schedules import (
    add_occurrence,
    claim_occurrence,
    get_schedule,
    record_stage,
)
from digest.store.stage_runs import begin_stage, end_stage
from tests.web.world import DRAFT, NOW, SENDING, populate

WEEKLY = ScheduleId(1)
FAILED, MISSED, WAITING = OccurrenceId(1), OccurrenceId(2), OccurrenceId(3)
LATE = "due 2026-11-22 07:00 UTC, found 9 h late"
REASON = "Kettle & Cloud: http://feeds.example.org/3.xml answered 503; tried again at the next poll"


def populate_ops(runtime: Runtime) -> None:
    """Fill an empty database: a weekly schedule; a run that failed, one that was missed, one that waits."""
    populate(runtime)
    make_schedule(runtime, "saturday", cron="0 7 * * MON", timezone="Europe/Berlin", by="Omar Haddad")
    _run(runtime, NOW - timedelta(days=2), OccurrenceState.FAILED, Stage.COMPOSE, REASON)
    _run(
        runtime,
        NOW - timedelta(days=1),
        OccurrenceState.HELD,
        Stage.GATHER,
        "due at 07:00 UTC, found 9 h late",
    )
    _run(runtime, NOW, OccurrenceState.WAITING, Stage.APPROVE, "issue 2 waits for approval", DRAFT)
    _tried(runtime)


def _tried(runtime: Runtime) -> None:
    """Let somebody have tried what a run would come to."""
    with writing(runtime.engine) as session:
        days = get_schedule(session, WEEKLY).covered_at(NOW)
        begun = NOW - timedelta(minutes=3)
        asked = add_dry_run(session, get_schedule(session, WEEKLY), days, by="Omar Haddad", now=begun)
        claim_dry_run(session, asked.id, now=begun, lease_until=NOW)
        end_dry_run(session, asked.id, found=TRIED, now=NOW - timedelta(minutes=2))


def _run(
    runtime: Runtime,
    due_at: datetime,
    state: OccurrenceState,
    stage: Stage,
    note: str,
    issue: IssueId | None = None,
) -> None:
    with writing(runtime.engine) as session:
        run = add_occurrence(
            session, WEEKLY, due_at=due_at, local_date=due_at.date(), state=state, note=note, now=NOW
        )
        assert run
        if state is OccurrenceState.HELD:
            return
        begun = due_at
        for one in Stage:
            number = begin_stage(session, run.id, one, attempt=1, now=begun)
            begun += timedelta(seconds=41)
            is_last = one is stage
            outcome = _OUTCOMES[state] if is_last else StageOutcome.DONE
            told = note if is_last else f"14 articles\n{REASON}" if one is Stage.GATHER else "14 articles"
            end_stage(session, number, outcome, told=told, now=begun)
            if is_last:
                break
        lease = due_at + timedelta(minutes=5)
        begin_anew(session, run, stage=stage, due_at=due_at, note=note)
        claim_occurrence(session, run.id, now=due_at, lease_until=lease)
        record_stage(session, run.id, state=state, stage=stage, issue_id=issue, note=note, lease_until=lease)


_OUTCOMES = {
    OccurrenceState.FAILED: StageOutcome.FAILED,
    OccurrenceState.WAITING: StageOutcome.WAITING,
}


TRIED = Found(
    note="this is what a run would make of the days as they stand now",
    gathered="2 sources, 6 new articles, 1 source failing",
    condensed="6 articles condensed; takeaways: 11 extractive",
    sources=(SourceFound("Harbour Herald", 9, 6), SourceFound("Kettle & Cloud", 0, 0, REASON)),
    articles=14,
    stories=9,
    topics=(("Climate & energy", 2), ("Space", 1)),
    items=(
        ItemFound("Tidal turbines for the strait", "Harbour Herald", ("Climate & energy",), 3),
        ItemFound("A comet with a second tail", "Northlight", ("Space", "Climate & energy"), 2),
    ),
    left_out=(("an earlier issue carried its story", 5), ("belongs to no topic", 2)),
    readers=(2, 1, 0),
    skipped={SkipReason.NOTHING_FOLLOWED.value: 2, SkipReason.SUPPRESSED.value: 1},
    checks={
        "findings": [
            {
                "severity": "warning",
                "told": ["the subject is cut in many inboxes", "subject", "make it shorter"],
                "editions": 2,
                "readers": 3,
            }
        ],
        "editions": 2,
        "readers": 3,
        "links": 0,
        "pictures": 0,
        "not_looked_at": 0,
        "looked_at": "",
        "is_outdated": False,
    },
)

FULL = (552, "5.2.2 mailbox full")
BLOCKED = (550, "5.7.1 your host 192.0.2.7 is not allowed here")
LOST = (None, "the connection broke before an answer came")


def add_mails(
    engine: Engine,
    state: DeliveryState,
    count: int,
    *,
    domain: str = "example.org",
    said: tuple[int | None, str] = (250, "2.0.0 ok"),
    issue: IssueId = SENDING,
) -> None:
    """Add deliveries to an issue, as though so many more readers had been addressed."""
    with writing(engine) as session:
        first = (session.scalar(select(func.max(DeliveryRow.id))) or 0) + 1
        edition = session.scalars(select(DeliveryRow.edition_id)).first() or 1
        new = (
            NewDelivery(
                number + 10_000, f"r{number}@{domain}", f"r{number}@{domain}", f"<m{number}@x>", edition
            )
            for number in range(first, first + count)
            for email in [f"r{number}@{domain}"]
        )
        add_deliveries(session, issue, new, now=NOW - timedelta(minutes=5))
        is_over = state not in (DeliveryState.PENDING, DeliveryState.CLAIMED)
        session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id >= first)
            .values(
                state=state.value,
                smtp_code=said[0] if is_over else None,
                smtp_text=said[1] if is_over else None,
                armed_at=NOW - timedelta(seconds=30) if is_over else None,
                settled_at=NOW - timedelta(seconds=20) if is_over else None,
                owner="mail-a:412:1:7f" if state is DeliveryState.UNKNOWN else None,
            )
        )
