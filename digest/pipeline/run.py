"""A run started by hand: the whole chain at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from digest.address.steps import Addressed
from digest.compose.select import LeftOut
from digest.compose.steps import Composed, compose
from digest.condense.steps import Report
from digest.domain.approvals import AUTOMATIC
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Stage
from digest.domain.times import Window, zone
from digest.gather.polled import Polled
from digest.pipeline.approval import Unsound, approve_issue
from digest.pipeline.condensing import condense_newsletter
from digest.pipeline.ops import tell_ops
from digest.pipeline.polling import poll
from digest.pipeline.sending import send, sending_note
from digest.pipeline.watch import Unwatched, Watch
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import find_issue, get_issue
from digest.store.newsletters import get_newsletter
from digest.store.sources import active_sources


@dataclass(slots=True)
class Run:
    """How far a run came, stage by stage. `note` says in words how it ended."""

    newsletter: Newsletter
    window: Window
    polled: tuple[Polled, ...] = ()
    condensed: Report | None = None
    composed: Composed | None = None
    issue: Issue | None = None
    addressed: Addressed | None = None
    counts: Mapping[DeliveryState, int] = field(default_factory=dict)
    note: str = ""


def current_window(newsletter: Newsletter, now: datetime) -> Window:
    """Return the window a run started by hand covers: the whole local days before today."""
    return Window.before(now, newsletter.window_days, zone(newsletter.timezone))


def run_newsletter(
    runtime: Runtime,
    slug: str,
    *,
    window: Window | None = None,
    approve_by: str = "",
    watch: Watch | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Run:
    """Run the whole chain now, and send when the issue is approved or may be.

    `approve_by` names a person who approves the draft unseen; without one a newsletter with manual
    approval stops at its draft, and so does any whose draft has errors. Running again for a window that was
    sent sends nothing.
    """
    watch = watch or Unwatched()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
    run = Run(newsletter, window or current_window(newsletter, runtime.clock()))
    if not fill(runtime, runtime.engine, run, watch):
        if run.issue is None:
            tell_ops(runtime, f"{newsletter.name}: nothing to send", run.note)
        return run
    if run.issue and run.issue.state is IssueState.DRAFT:
        by = approve_by or (AUTOMATIC if newsletter.approval.asks_nobody else "")
        if not by:
            run.note = (
                f"issue {run.issue.id} waits for approval: look at it with "
                f"'digest issue preview {run.issue.id}', then 'digest issue approve {run.issue.id}' "
                f"and 'digest send {run.issue.id}'"
            )
            return run
        try:
            run.issue = approve_issue(runtime, run.issue.id, by=by)
        except Unsound as exc:
            run.note = str(exc)
            tell_ops(runtime, f"{newsletter.name}: issue {run.issue.id} has errors, so it waits", run.note)
            return run
    assert run.issue is not None
    who = approve_by or "command line"
    run.addressed, run.counts = send(runtime, run.issue.id, by=who, watch=watch, should_stop=should_stop)
    with reading(runtime.engine) as session:
        run.issue = get_issue(session, run.issue.id)
        run.note = sending_note(session, run.issue, now=runtime.clock(), throttle=runtime.throttle)
    return run


def fill(runtime: Runtime, engine: Engine, run: Run, watch: Watch) -> bool:
    """Gather, condense and compose; return whether there is an issue to go on with."""
    with reading(engine) as session:
        run.issue = find_issue(session, run.newsletter.id, run.window)
    if run.issue is not None and run.issue.state in (IssueState.SENT, IssueState.CANCELLED):
        run.note = (
            f"issue {run.issue.id} of this window is cancelled: no run makes or sends it again, but 'digest "
            f"issue again {run.issue.id}' makes a new one of the same days"
            if run.issue.state is IssueState.CANCELLED
            else f"issue {run.issue.id} of this window is sent already; nothing was sent again"
        )
        return False
    if run.issue is not None and run.issue.state is not IssueState.DRAFT:
        return True
    run.polled = gather_newsletter(runtime, engine, run.newsletter, run.window, watch)
    watch.begin(Stage.CONDENSE)
    run.condensed = condense_newsletter(runtime, engine, run.newsletter, on_condensed=watch.step)
    watch.begin(Stage.COMPOSE)
    run.composed = compose(engine, run.newsletter, run.window, now=runtime.clock())
    run.issue = run.composed.issue
    if run.issue is None:
        run.note = empty_week(run.newsletter, run.window, run.polled, run.composed.left_out)
    return run.issue is not None


def gather_newsletter(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, window: Window, watch: Watch | None = None
) -> tuple[Polled, ...]:
    """Poll the newsletter's sources for what was published from the window's first day on."""
    watch = watch or Unwatched()
    watch.begin(Stage.GATHER)
    with reading(engine) as session:
        sources = active_sources(session, newsletter.id)
    return poll(
        runtime, engine, sources, {newsletter.id: window.start}, ties_always=True, on_polled=watch.step
    )


def empty_week(
    newsletter: Newsletter,
    window: Window,
    polled: Sequence[Polled] | None,
    left_out: Sequence[LeftOut],
    *,
    outcome: str = "no issue was made and nobody was mailed",
) -> str:
    """Return what to tell ops about a window that gave no issue: each cause, and where to look.

    `polled` is None where the sources were not asked.
    """
    first, last = window.local_days(zone(newsletter.timezone))
    causes = [f"{poll.source} could not be read: {poll.error}" for poll in polled or () if poll.error]
    if polled is not None and not polled:
        causes.append(f"it has no source yet: add one with 'digest source add {newsletter.slug} URL'")
    reasons = Counter(one.reason for one in left_out)
    causes += [f"{counted(count, 'article')} left out: {reason}" for reason, count in reasons.items()]
    cause = "\n".join(f"  {cause}" for cause in causes) or "  nothing that was gathered is of these days"
    return (
        f"{newsletter.name} has nothing to send for {first} to {last}: {outcome}.\n{cause}\n"
        f"Look at 'digest source list {newsletter.slug}' and 'digest topic list {newsletter.slug}'."
    )
