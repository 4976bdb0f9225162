"""A dry run: the chain on a copy of the database, up to the last step before mail would leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.address.steps import address_issue
from digest.compose.steps import approve
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Edition, Issue, IssueState
from digest.domain.mail import layout_of
from digest.domain.times import Window
from digest.pipeline.run import Run, current_window, empty_week, fill
from digest.pipeline.watch import Unwatched, Watch
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.deliveries import planned_skips
from digest.store.issues import find_issue, let_leave
from digest.store.newsletters import get_newsletter
from digest.store.rehearsal import rehearsal
from digest.store.revisions import get_rendered
from digest.store.standing import Standing, standings

_NOTHING_DONE = "nothing was written and nothing sent"
_OTHER_DAYS = "To rehearse other days, give --window FIRST..LAST"
_ADDRESSED = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT})


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """What one reader would get: the titles in order, or the reason they get nothing.

    `online` is how many more there are on the web alone, over their most or for want of room. `delivery` is
    None in a rehearsal. Of an issue that was addressed before, it says how their mail stands.
    """

    email: str
    titles: tuple[str, ...]
    skipped: str = ""
    delivery: DeliveryState | None = None
    online: int = 0


def rehearse(
    runtime: Runtime, slug: str, *, window: Window | None = None, watch: Watch | None = None
) -> tuple[Run, tuple[ReaderPlan, ...]]:
    """Run the chain on a copy of the database and say who would get what. Nothing is written or sent.

    When the window's issue has been addressed already there is nothing to rehearse: the plans then are who
    got what of it.
    """
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        run = Run(newsletter, window or current_window(newsletter, runtime.clock()))
        run.issue = find_issue(session, newsletter.id, run.window)
        if run.issue is not None and (run.issue.state in _ADDRESSED or run.issue.sending_at is not None):
            run.note = _addressed_before(run.issue)
            return run, _plans(session, run.issue)
    with rehearsal(runtime.engine, newsletter.id) as copy:
        return run, _rehearsed(runtime, copy, run, watch or Unwatched())


def _rehearsed(runtime: Runtime, copy: Engine, run: Run, watch: Watch) -> tuple[ReaderPlan, ...]:
    """Run the chain on `copy`, note in `run` how it went, and return who would get what."""
    is_filled = fill(runtime, copy, run, watch)
    if run.issue is None:
        left_out = run.composed.left_out if run.composed else ()
        outcome = f"no issue would be made and nobody mailed. This is a dry run: {_NOTHING_DONE}"
        run.note = empty_week(run.newsletter, run.window, run.polled, left_out, outcome=outcome)
        return ()
    if not is_filled:
        run.note = (
            f"dry run: issue {run.issue.id} of this window is {run.issue.state}: a run would send nothing. "
            f"{_OTHER_DAYS}. {_NOTHING_DONE.capitalize()}"
        )
        return ()
    if run.issue.state is IssueState.DRAFT:
        template = runtime.template(run.newsletter)
        run.issue = approve(copy, run.issue.id, template=template, by="dry run", now=runtime.clock())
    with writing(copy) as session:
        let_leave(session, run.issue.id)
    run.addressed = address_issue(copy, run.issue.id, now=runtime.clock(), past=runtime.engine)
    readers = counted(run.addressed.deliveries, "reader")
    run.note = f"dry run: {_NOTHING_DONE}; {readers} would get mail"
    with reading(copy) as session:
        return tuple(replace(plan, delivery=None) for plan in _plans(session, run.issue))


def _plans(session: Session, issue: Issue) -> tuple[ReaderPlan, ...]:
    """Return what each reader gets of an addressed issue, then who gets nothing, each by address."""
    rendered = get_rendered(session, issue)

    @cache
    def shown(edition: str) -> tuple[tuple[str, ...], int]:
        layout = layout_of(rendered, Edition.from_key(edition))
        mailed = [position for position, density in layout.items() if density is not None]
        return tuple(rendered.titles[position] for position in mailed), len(layout) - len(mailed)

    def plan(one: Standing) -> ReaderPlan:
        titles, online = shown(one.edition)
        return ReaderPlan(one.email, titles, delivery=one.state, online=online)

    skips = planned_skips(session, issue.id)
    return (
        *map(plan, standings(session, issue.id)),
        *(ReaderPlan(email, (), reason.in_words) for email, reason in skips),
    )


def _addressed_before(issue: Issue) -> str:
    """Say why nothing was rehearsed, what the plans show instead, and what a run would do now."""
    if issue.state is IssueState.SENDING:
        then = "is being sent already: its audience is fixed, and a run would send only what is left of it"
    elif issue.state is IssueState.PAUSED:
        fixed = "its audience is fixed, and" if issue.sending_at else "it is not addressed yet;"
        then = f"is paused: {fixed} 'digest issue resume {issue.id}' goes on with it"
    else:
        then = f"is {issue.state} already: a run would send nothing again"
    return (
        f"dry run: issue {issue.id} of this window {then}. Listed is who got what, or is to get it. "
        f"{_OTHER_DAYS}. {_NOTHING_DONE.capitalize()}"
    )
