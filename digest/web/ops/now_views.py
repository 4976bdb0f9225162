"""What needs a person now, what is under way, and what is due next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import OccurrenceState
from digest.domain.times import zone
from digest.pipeline.hours import hour_of, leaves_in_words
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.holds import open_holds
from digest.store.issues import issues_in
from digest.store.newsletters import list_newsletters
from digest.store.schedules import list_schedules
from digest.store.stage_runs import list_runs
from digest.web.ops.run_views import RunView, view_of
from digest.web.ops.times import away, moment
from digest.web.views import State
from digest.web.words import days, state_of

_SHOWN = 10
_FAILED_FOR = timedelta(days=7)
"""How long a run that failed is brought up by itself: the next one has come since."""


@dataclass(frozen=True, slots=True)
class SendView:
    """An issue on its way. `leaves` says what an approved one waits for."""

    issue_id: int
    newsletter: str
    days: str
    state: State
    note: str
    leaves: str


@dataclass(frozen=True, slots=True)
class NextView:
    """The next date of a schedule."""

    newsletter: str
    when: str
    soon: str


@dataclass(frozen=True, slots=True)
class NowView:
    """The ops room at a glance. `holds` say who holds everything and why."""

    holds: tuple[str, ...]
    missed: tuple[RunView, ...]
    failed: tuple[RunView, ...]
    waiting: tuple[RunView, ...]
    running: tuple[RunView, ...]
    sends: tuple[SendView, ...]
    coming: tuple[NextView, ...]
    has_newsletters: bool

    @property
    def is_calm(self) -> bool:
        """Whether nothing asks for a person."""
        return not (self.holds or self.missed or self.failed or self.waiting)


def now_view(runtime: Runtime) -> NowView:
    """Return what ops look at first."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletters = list_newsletters(session)
        names = {one.slug: one.name for one in newsletters}

        def runs(state: OccurrenceState) -> tuple[RunView, ...]:
            found = list_runs(session, state=state, limit=_SHOWN)
            recent = (one for one in found if _still_matters(one.occurrence.due_at, state, now))
            return tuple(view_of(one, names[one.newsletter], now) for one in recent)

        by_id = {one.id: one for one in newsletters}
        return NowView(
            holds=tuple(one.in_words for one in open_holds(session)),
            missed=runs(OccurrenceState.HELD),
            failed=runs(OccurrenceState.FAILED),
            waiting=runs(OccurrenceState.WAITING),
            running=runs(OccurrenceState.RUNNING),
            sends=tuple(
                _send(session, issue, by_id[issue.newsletter_id], now)
                for issue in issues_in(session, IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED)
            ),
            coming=tuple(
                NextView(
                    by_id[one.newsletter_id].name,
                    moment(one.next_due, zone(one.timezone)),
                    away(one.next_due, now),
                )
                for one in list_schedules(session)
                if not one.is_paused
            )[:_SHOWN],
            has_newsletters=bool(newsletters),
        )


def _still_matters(due_at: datetime, state: OccurrenceState, now: datetime) -> bool:
    return state is not OccurrenceState.FAILED or now - due_at < _FAILED_FOR


def _send(session: Session, issue: Issue, newsletter: Newsletter, now: datetime) -> SendView:
    tz = zone(newsletter.timezone)
    awaits = issue.state is IssueState.APPROVED and issue.awaits_hour
    leaves = leaves_in_words(issue, hour_of(session, issue, now=now)) if awaits else ""
    return SendView(
        issue_id=issue.id,
        newsletter=newsletter.name,
        days=days(*issue.window.local_days(tz)),
        state=state_of(issue),
        note=issue.note,
        leaves=leaves,
    )
