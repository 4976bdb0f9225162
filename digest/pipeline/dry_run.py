"""A dry run: the chain on a copy of the database, up to the last step before mail would leave."""

from __future__ import annotations

from dataclasses import dataclass

from digest.address.steps import address_issue
from digest.compose.steps import approve
from digest.domain.issues import Edition, IssueState
from digest.domain.times import Window
from digest.pipeline.run import Run, current_window, fill
from digest.pipeline.watch import Unwatched, Watch
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.deliveries import planned_deliveries, planned_skips
from digest.store.issues import get_rendered
from digest.store.newsletters import get_newsletter
from digest.store.rehearsal import rehearsal


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """What one reader would get: the titles in order, or the reason they get nothing."""

    email: str
    titles: tuple[str, ...]
    skipped: str = ""


def rehearse(
    runtime: Runtime, slug: str, *, window: Window | None = None, watch: Watch | None = None
) -> tuple[Run, tuple[ReaderPlan, ...]]:
    """Run the chain on a copy of the database and say who would get what. Nothing is written or sent."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
    run = Run(newsletter, window or current_window(newsletter, runtime.clock()))
    with rehearsal(runtime.engine, newsletter.id) as copy:
        if not fill(runtime, copy, run, watch or Unwatched()) or run.issue is None:
            return run, ()
        if run.issue.state is IssueState.DRAFT:
            template = runtime.template(newsletter.template)
            run.issue = approve(copy, run.issue.id, template=template, by="dry run", now=runtime.clock())
        if run.issue.state is not IssueState.APPROVED:
            run.note = f"issue {run.issue.id} is {run.issue.state}: its audience is fixed already"
            return run, ()
        run.addressed = address_issue(copy, run.issue.id, now=runtime.clock())
        with reading(copy) as session:
            titles = get_rendered(session, run.issue).titles
            plans = tuple(
                ReaderPlan(email, tuple(titles[position] for position in Edition.from_key(key).positions))
                for email, key in planned_deliveries(session, run.issue.id)
            ) + tuple(
                ReaderPlan(email, (), reason.in_words)
                for email, reason in planned_skips(session, run.issue.id)
            )
    run.note = (
        f"dry run: nothing was written and nothing sent; {run.addressed.deliveries} readers would get mail"
    )
    return run, plans
