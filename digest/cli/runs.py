"""`digest run` and its first stages: everything up to the draft, one by one or at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from digest.cli.arguments import Slug
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, complain, say, show_json, show_table
from digest.cli.progress import watching
from digest.cli.takeaways import cost_in_words
from digest.compose.select import LeftOut
from digest.compose.steps import compose as compose_issue
from digest.condense.steps import Report, condense_again
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Stage
from digest.domain.times import Window, zone
from digest.gather.polled import Polled
from digest.intake.names import parse_person
from digest.pipeline.condensing import condense_newsletter
from digest.pipeline.dry_run import ReaderPlan, rehearse
from digest.pipeline.run import Run, current_window, empty_week, gather_newsletter, run_newsletter
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter

Days = Annotated[
    str,
    typer.Option(
        "--window",
        metavar="FIRST..LAST",
        help="Local days, both included; without it the newsletter's last days before today.",
    ),
]
_SHOWN = 20
_NOTES_SHOWN = 3
"""Reasons why no model had a part: each says the same in words of its own when there are many."""

app = new_app()


def _newsletter(runtime: Runtime, slug: str) -> Newsletter:
    with reading(runtime.engine) as session:
        return get_newsletter(session, slug)


def _window(text: str, newsletter: Newsletter, runtime: Runtime) -> Window:
    if not text:
        return current_window(newsletter, runtime.clock())
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
    except ValueError as exc:
        raise InvalidInput(
            f"--window '{text}': give two days of the calendar with two dots between, as in "
            "2026-11-16..2026-11-22"
        ) from exc
    if first > last:
        raise InvalidInput(f"--window '{text}' ends before it begins: give the earlier day first")
    try:
        return Window.of_days(first, last, zone(newsletter.timezone))
    except OverflowError as exc:
        raise InvalidInput(f"--window '{text}': no calendar reaches that far") from exc


@app.command(
    epilog=examples(
        "digest run harbour-week --dry-run",
        "digest run harbour-week --approve 'Ada Fenwick'",
        "digest run harbour-week --window 2026-11-16..2026-11-22",
    )
)
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
    by = parse_person(approve, "--approve") if approve.strip(" ") else ""
    with watching() as watch:
        if dry_run:
            done, plans = rehearse(runtime, newsletter, window=days, watch=watch)
        else:
            done = run_newsletter(
                runtime,
                newsletter,
                window=days,
                approve_by=by,
                watch=watch,
                should_stop=watch.should_stop,
            )
    if as_json:
        show_json({"run": done, "readers": plans} if dry_run else done)
    else:
        show_run(done)
        show_plans(plans)
    if done.issue is None:
        complain(done.note)
        raise typer.Exit(1)
    if not as_json:
        say(done.note)
    watch.leave_if_stopped()
    if done.counts.get(DeliveryState.FAILED) and not done.counts.get(DeliveryState.ACCEPTED):
        raise typer.Exit(1)


def show_run(done: Run) -> None:
    """Print what each stage came to."""
    if done.polled:
        show_polled(done.polled)
    if done.condensed:
        show_model(done.condensed, done.newsletter.slug)
    if done.composed and done.composed.left_out:
        show_left_out(done.composed.left_out)
    if done.addressed:
        skipped = ", ".join(f"{count} {reason.in_words}" for reason, count in done.addressed.skipped.items())
        say(
            f"{counted(done.addressed.deliveries, 'reader')} addressed in "
            f"{counted(done.addressed.editions, 'edition')}" + (f"; skipped: {skipped}" if skipped else "")
        )


def show_polled(polled: Sequence[Polled]) -> None:
    """Print how each source's poll went."""
    show_table(
        ("source", "listed", "new", "changed", "known", "other days", "failed", ""),
        [(p.source, p.listed, p.new, p.updated, p.known, p.outside, p.failed, _said_of(p)) for p in polled],
        empty="No source to poll: 'digest source list NEWSLETTER' shows those that are paused or retired.",
    )
    for poll in polled:
        for problem in poll.problems:
            say(f"{poll.source}: {problem}")


def _said_of(poll: Polled) -> str:
    waits = f"left alone until {poll.waits_until:%Y-%m-%d %H:%M} UTC, as it asked" if poll.waits_until else ""
    later = f"{poll.later} left for the next poll" if poll.later else ""
    told = (poll.error, poll.notice, waits, later, "unchanged" if poll.unchanged else "")
    return "; ".join(filter(None, told))


def show_left_out(left_out: Sequence[LeftOut]) -> None:
    """Print which articles of the window are not in the issue, and why."""
    say()
    show_table(("left out", "because it"), [(one.title, one.reason) for one in left_out], empty="")


def _articles(plan: ReaderPlan) -> str:
    """Return how many a reader gets by mail, and how many more online."""
    more = f", {plan.online} online" if plan.online else ""
    return f"{len(plan.titles)}{more}" if plan.titles else "-"


def show_plans(plans: Sequence[ReaderPlan]) -> None:
    """Print who would get or got what: the first of them when they are many."""
    if not plans:
        return
    say()
    is_sent = any(plan.delivery for plan in plans)
    show_table(
        ("reader", *(["mail"] if is_sent else []), "articles", "which"),
        [
            (
                p.email,
                *([p.delivery or "none"] if is_sent else []),
                _articles(p),
                "; ".join(p.titles) or p.skipped,
            )
            for p in plans[:_SHOWN]
        ],
        empty="Nobody.",
    )
    if len(plans) > _SHOWN:
        say(f"… and {counted(len(plans) - _SHOWN, 'more reader')}; --json lists them all")


@app.command()
def gather(newsletter: Slug, window: Days = "", as_json: JsonOption = False) -> None:
    """Poll a newsletter's sources and keep what is new."""
    runtime = open_runtime()
    found = _newsletter(runtime, newsletter)
    with watching() as watch:
        polled = gather_newsletter(runtime, runtime.engine, found, _window(window, found, runtime), watch)
    if as_json:
        show_json(polled)
    else:
        show_polled(polled)
    if polled and all(poll.error for poll in polled):
        complain(f"no source could be read; see 'digest source list {newsletter}'")
        raise typer.Exit(1)


@app.command()
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
        report = condense_newsletter(runtime, runtime.engine, found, on_condensed=watch.step)
    if as_json:
        show_json(report)
        return
    told = ", ".join(f"{count} {origin}" for origin, count in report.takeaways.items()) or "none"
    say(f"{counted(report.articles, 'article')} condensed; takeaways: {told}")
    show_model(report, newsletter)
    if report.without_takeaways:
        say(f"without a takeaway: {counted(report.without_takeaways, 'article')}")
    if report.without_topic:
        say(
            f"without a topic: {counted(report.without_topic, 'article')}, which no issue will hold; "
            f"'digest topic list {newsletter}' shows the rules"
        )


def show_model(report: Report, newsletter: str) -> None:
    """Print what a language model's part in condensing was, and which editors' takeaways to look at again."""
    if report.usage:
        say(f"the language model: {cost_in_words(report.usage)}")
    if report.rejected:
        say(
            f"rejected: {counted(report.rejected, 'takeaway')} of the model's; "
            "'digest article takeaways ARTICLE' shows which and why"
        )
    for note, count in sorted(report.notes.items(), key=lambda pair: -pair[1])[:_NOTES_SHOWN]:
        say(f"without the language model: {counted(count, 'article')}: {note}")
    if report.notes:
        say(
            f"'digest condense {newsletter} --again' asks it again, when that is mended; answers it gave stay"
        )
    if report.kept:
        say(f"edited, and left as they are: {counted(report.kept, 'article')}")
    for one in report.outdated:
        say(f"look again at '{one.title}': {one.why} ('digest article takeaways {one.article_id}')")


@app.command()
def compose(newsletter: Slug, window: Days = "", as_json: JsonOption = False) -> None:
    """Fill the draft of the week with the best of its articles."""
    runtime = open_runtime()
    found = _newsletter(runtime, newsletter)
    days = _window(window, found, runtime)
    composed = compose_issue(runtime.engine, found, days, now=runtime.clock())
    if as_json:
        show_json(composed)
    elif composed.left_out:
        show_left_out(composed.left_out)
    if composed.issue is None:
        complain(empty_week(found, days, None, composed.left_out))
        raise typer.Exit(1)
    if as_json:
        return
    number, state = composed.issue.id, composed.issue.state
    told = f"Issue {number} is {state}, with {counted(composed.items, 'article')}"
    if state is IssueState.DRAFT:
        told += f": 'digest issue preview {number}', then 'digest issue approve {number}'"
    say(told)
