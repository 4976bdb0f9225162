"""The stages one by one, and all of them at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import typer

from digest.address.steps import explain
from digest.cli.newsletters import Slug
from digest.cli.output import JsonOption, console, say, show_json, show_table, watching
from digest.compose.select import LeftOut
from digest.compose.steps import compose as compose_issue
from digest.condense.steps import condense as condense_articles
from digest.condense.steps import condense_again
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueId
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Stage
from digest.domain.times import Window, zone
from digest.gather.steps import Polled
from digest.pipeline.dry_run import ReaderPlan, rehearse
from digest.pipeline.run import Run, current_window, empty_week, gather_newsletter, run_newsletter
from digest.pipeline.sending import send as send_issue
from digest.pipeline.sending import sending_note
from digest.runtime import Runtime, open_runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import get_newsletter

Days = Annotated[
    str,
    typer.Option(
        "--window", metavar="FIRST..LAST", help="Local days, both included. [default: the newsletter's]"
    ),
]
_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (run, gather, condense, compose, send, why):
        app.command()(command)


def _newsletter(runtime: Runtime, slug: str) -> Newsletter:
    with reading(runtime.engine) as session:
        return get_newsletter(session, slug)


def _window(text: str, newsletter: Newsletter, runtime: Runtime) -> Window:
    if not text:
        return current_window(newsletter, runtime.clock())
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
        return Window.of_days(first, last, zone(newsletter.timezone))
    except ValueError as exc:
        raise InvalidInput(
            f"--window '{text}': give two days with two dots between, as in 2026-11-16..2026-11-22"
        ) from exc


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request to stop, so that what is under way can end."""
    stop = threading.Event()

    def ask(*_: object) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    newsletter: Slug,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing and send nothing: say who would get what.")
    ] = False,
    window: Days = "",
    approve: Annotated[
        str, typer.Option(metavar="NAME", help="Approve the issue unseen, in this person's name.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Run the whole chain: gather, condense, compose, address, send.

    Running again for the same days sends nothing twice. Without automatic approval or --approve it
    stops at a draft.
    """
    runtime = open_runtime()
    days = _window(window, _newsletter(runtime, newsletter), runtime)
    plans: tuple[ReaderPlan, ...] = ()
    with watching() as watch, _stoppable() as should_stop:
        if dry_run:
            done, plans = rehearse(runtime, newsletter, window=days, watch=watch)
        else:
            done = run_newsletter(
                runtime, newsletter, window=days, approve_by=approve, watch=watch, should_stop=should_stop
            )
    if as_json:
        show_json({"run": done, "readers": plans} if dry_run else done)
        return
    show_run(done)
    if plans:
        show_plans(plans)
    say(done.note)


def show_run(done: Run) -> None:
    """Print what each stage came to."""
    if done.polled:
        show_polled(done.polled)
    if done.composed and done.composed.left_out:
        show_left_out(done.composed.left_out)
    if done.addressed:
        skipped = ", ".join(f"{count} {reason.in_words}" for reason, count in done.addressed.skipped.items())
        say(
            f"{done.addressed.deliveries} readers addressed in {done.addressed.editions} editions"
            + (f"; skipped: {skipped}" if skipped else "")
        )


def show_polled(polled: Sequence[Polled]) -> None:
    """Print how each source's poll went."""
    show_table(
        ("source", "listed", "new", "known", "other days", ""),
        [
            (p.source, p.listed, p.new, p.known, p.outside, p.error or ("unchanged" if p.unchanged else ""))
            for p in polled
        ],
        empty="No source: add one with 'digest source add'.",
    )
    for poll in polled:
        for problem in poll.problems:
            say(f"{poll.source}: {problem}")


def show_left_out(left_out: Sequence[LeftOut]) -> None:
    """Print which articles of the window are not in the issue, and why."""
    console.print()
    show_table(("left out", "because it"), [(one.title, one.reason) for one in left_out], empty="")


def show_plans(plans: Sequence[ReaderPlan]) -> None:
    """Print who would get what, the first of them when they are many."""
    console.print()
    show_table(
        ("reader", "articles", "which"),
        [(p.email, len(p.titles) or "-", "; ".join(p.titles) or p.skipped) for p in plans[:_SHOWN]],
        empty="Nobody.",
    )
    if len(plans) > _SHOWN:
        say(f"… and {len(plans) - _SHOWN} more readers; --json lists them all")


def gather(newsletter: Slug, window: Days = "", as_json: JsonOption = False) -> None:
    """Poll a newsletter's sources and keep what is new."""
    runtime = open_runtime()
    found = _newsletter(runtime, newsletter)
    with watching() as watch:
        polled = gather_newsletter(runtime, runtime.engine, found, _window(window, found, runtime), watch)
    if as_json:
        show_json(polled)
        return
    show_polled(polled)


def condense(
    newsletter: Slug,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was condensed before, of the last days.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give new articles their takeaways and topics."""
    runtime = open_runtime()
    found = _newsletter(runtime, newsletter)
    if again:
        condense_again(runtime.engine, found, since=current_window(found, runtime.clock()).start)
    with watching() as watch:
        watch.begin(Stage.CONDENSE)
        report = condense_articles(runtime.engine, found, on_condensed=watch.step)
    if as_json:
        show_json(report)
        return
    told = ", ".join(f"{count} by {origin}" for origin, count in report.takeaways.items()) or "none"
    say(f"{report.articles} articles condensed; takeaways: {told}")
    if report.without_takeaways:
        say(f"{report.without_takeaways} articles have no takeaway")
    if report.without_topic:
        say(f"{report.without_topic} articles belong to no topic: 'digest topic list {newsletter}'")


def compose(newsletter: Slug, window: Days = "", as_json: JsonOption = False) -> None:
    """Fill the draft of the week with the best of its articles."""
    runtime = open_runtime()
    found = _newsletter(runtime, newsletter)
    days = _window(window, found, runtime)
    composed = compose_issue(runtime.engine, found, days, now=runtime.clock())
    if as_json:
        show_json(composed)
        return
    if composed.left_out:
        show_left_out(composed.left_out)
    if composed.issue is None:
        say(empty_week(found, days, ()))
        return
    number = composed.issue.id
    say(
        f"Issue {number} is {composed.issue.state}, with {composed.items} articles: "
        f"'digest issue preview {number}', then 'digest issue approve {number}'"
    )


def send(
    issue: Annotated[int, typer.Argument(help="The issue's number.")], as_json: JsonOption = False
) -> None:
    """Send an approved issue, or go on with one that was interrupted. Ctrl-C stops it safely."""
    runtime = open_runtime()
    with watching() as watch, _stoppable() as should_stop:
        addressed, counts = send_issue(runtime, IssueId(issue), watch=watch, should_stop=should_stop)
    with reading(runtime.engine) as session:
        found = get_issue(session, issue)
    if as_json:
        show_json({"issue": found, "addressed": addressed, "deliveries": counts})
    else:
        say(sending_note(found, counts))
    if counts[DeliveryState.FAILED] and not counts[DeliveryState.ACCEPTED]:
        raise typer.Exit(1)


def why(
    email: Annotated[str, typer.Argument(help="The reader's address.")],
    issue: Annotated[int, typer.Argument(help="The issue's number.")],
    as_json: JsonOption = False,
) -> None:
    """Say why a reader gets, or does not get, each item of an issue."""
    told = explain(open_runtime().engine, issue, email)
    if as_json:
        show_json(told)
        return
    say(f"{told.email} {told.verdict}.")
    say(f"They follow {', '.join(told.follows) or 'no topic'}.")
    show_table(
        ("", "article", "because"),
        [("yes" if item.is_shown else "no", item.title, item.reason) for item in told.items],
        empty="The issue holds no article.",
    )
