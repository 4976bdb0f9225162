"""Runs as ops see them: how far each came, what each stage took, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.runs import ScheduledRun, StageOutcome, StageRun
from digest.domain.schedules import OccurrenceState, Stage
from digest.domain.times import zone
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import list_newsletters
from digest.store.stage_runs import find_run, list_runs, stages_of
from digest.web.ops.times import away, moment, second, span
from digest.web.views import State, Tone

PAGE = 50

STATES = {
    OccurrenceState.RUNNING: State("Under way", Tone.GOING),
    OccurrenceState.WAITING: State("Waits for approval", Tone.WAITING),
    OccurrenceState.HELD: State("Missed, held for you", Tone.WAITING),
    OccurrenceState.DONE: State("Done", Tone.DONE),
    OccurrenceState.SKIPPED: State("Left out", Tone.OVER),
    OccurrenceState.FAILED: State("Failed", Tone.BAD),
}

STAGES = {
    Stage.GATHER: "Gather",
    Stage.CONDENSE: "Condense",
    Stage.COMPOSE: "Compose",
    Stage.APPROVE: "Approve",
    Stage.SEND: "Send",
}

_OUTCOMES = {
    StageOutcome.DONE: State("Done", Tone.DONE),
    StageOutcome.UNFINISHED: State("Goes on", Tone.GOING),
    StageOutcome.LATER: State("Tried again later", Tone.WAITING),
    StageOutcome.WAITING: State("Waits", Tone.WAITING),
    StageOutcome.FAILED: State("Failed", Tone.BAD),
}
_OPEN = State("Under way", Tone.GOING)
_LOST = State("Its worker ended", Tone.WAITING)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run in a list."""

    id: int
    newsletter: str
    due: str
    ago: str
    state: State
    stage: str
    note: str
    issue_id: int | None
    is_held: bool
    is_failed: bool


@dataclass(frozen=True, slots=True)
class RunsView:
    """Runs, the newest first. `earlier` is the number to go on before, None at the end."""

    runs: tuple[RunView, ...]
    states: tuple[tuple[str, str, bool], ...]
    earlier: int | None
    only: str


@dataclass(frozen=True, slots=True)
class StageView:
    """An attempt at a stage. `told` are its lines, the first the summary."""

    name: str
    attempt: int
    state: State
    began: str
    took: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run with its stages. `again` are the stages that one which failed may go on from, its own last."""

    run: RunView
    schedule_id: int
    stages: tuple[StageView, ...]
    took: str
    again: tuple[tuple[str, str], ...]
    log: str


def runs_view(runtime: Runtime, *, state: str = "", before: int | None = None) -> RunsView:
    """Return a page of runs. Raises `InvalidInput` for a state that is none."""
    only = _state(state)
    now = runtime.clock()
    with reading(runtime.engine) as session:
        names = {one.slug: one.name for one in list_newsletters(session)}
        found = list_runs(session, state=only, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    return RunsView(
        runs=tuple(view_of(run, names[run.newsletter], now) for run in shown),
        states=(("", "All", only is None), *((s.value, STATES[s].words, s is only) for s in OccurrenceState)),
        earlier=shown[-1].occurrence.id if len(found) > PAGE else None,
        only=STATES[only].words.lower() if only else "",
    )


def _state(name: str) -> OccurrenceState | None:
    if not name:
        return None
    if name not in set(OccurrenceState):
        raise InvalidInput(f"runs are in no state '{name[:20]}': choose one of those above the list")
    return OccurrenceState(name)


def view_of(run: ScheduledRun, newsletter: str, now: datetime) -> RunView:
    """Return a run in words."""
    one = run.occurrence
    return RunView(
        id=one.id,
        newsletter=newsletter,
        due=moment(one.due_at, _zone(run.timezone)),
        ago=away(one.due_at, now),
        state=STATES[one.state],
        stage=STAGES[one.stage],
        note=one.note,
        issue_id=one.issue_id,
        is_held=one.state is OccurrenceState.HELD,
        is_failed=one.state is OccurrenceState.FAILED,
    )


def _zone(name: str) -> tzinfo:
    try:
        return zone(name)
    except InvalidInput:
        # It may have left the zone database since, and the page is to say which run failed for that.
        return UTC


def run_page(runtime: Runtime, run_id: int) -> RunPage:
    """Return a run with its stages. Raises `NotFound`."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        run = find_run(session, run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id}. The list of runs shows those there are.")
        stages = stages_of(session, run.occurrence.id)
        names = {one.slug: one.name for one in list_newsletters(session)}
    one = run.occurrence
    order = list(Stage)
    again = order[: order.index(one.stage) + 1] if one.state is OccurrenceState.FAILED else ()
    return RunPage(
        run=view_of(run, names[run.newsletter], now),
        schedule_id=one.schedule_id,
        stages=tuple(_stage(stages, position, run, now) for position in range(len(stages))),
        took=_took(stages),
        again=tuple((stage.value, STAGES[stage]) for stage in again),
        log=f"run={one.id}",
    )


def _stage(stages: Sequence[StageRun], position: int, run: ScheduledRun, now: datetime) -> StageView:
    one = stages[position]
    is_last = position == len(stages) - 1
    at_work = is_last and run.lease_until is not None and run.lease_until > now
    state = _OUTCOMES[one.outcome] if one.outcome else _OPEN if at_work else _LOST
    lasted = one.lasted
    if lasted is None and at_work:
        took = f"{span(now - one.began_at)} so far"
    else:
        took = span(lasted) if lasted is not None else ""
    return StageView(
        name=STAGES[one.stage],
        attempt=one.attempt,
        state=state,
        began=second(one.began_at),
        took=took,
        told=tuple(line for line in one.told.splitlines() if line.strip()),
    )


def _took(stages: Sequence[StageRun]) -> str:
    ended = [one.ended_at for one in stages if one.ended_at]
    return span(max(ended) - stages[0].began_at) if ended else ""
