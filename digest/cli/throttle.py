"""`digest throttle`: how fast mail leaves, to whom, and why not faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import on_a_line, required
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.counting import counted
from digest.domain.rates import rate_in_words
from digest.pipeline.throttle_report import report_throttle
from digest.store.database import reading

if TYPE_CHECKING:
    from digest.pipeline.throttle_report import GroupStanding, WarmUpStanding

app = new_app()

Group = Annotated[
    str, typer.Argument(metavar="GROUP", help="google, microsoft, yahoo, apple, or a domain that is its own.")
]


@app.command(epilog=examples("digest throttle show", "digest throttle show --json"))
def show(as_json: JsonOption = False) -> None:
    """Show caps and what is used of them, who is slowed down or paused, warm-up and quiet hours."""
    runtime = open_runtime()
    now = runtime.clock()
    with reading(runtime.engine) as session:
        report = report_throttle(session, runtime.throttle, now=now)
    if as_json:
        show_json(report)
        return
    show_table(
        ("cap on", "is", "left in the last minute"),
        [(one.whom, one.cap, f"{one.last_minute:,}") for one in report.caps],
        empty="Nothing is capped: see rate_limits in docs/settings.md.",
    )
    say()
    show_table(
        ("receivers", "get now", "wait", "because"),
        [(one.group, _rate(one), f"{one.waiting:,}", _why(one)) for one in report.groups],
        empty="No mail waits for anybody, and nobody is slowed down.",
    )
    if report.warm_up:
        say()
        _show_warm_up(report.warm_up)
    if report.quiet_hours:
        say()
        show_table(
            ("newsletter", "quiet hours", "now"),
            [
                (
                    one.newsletter,
                    f"{one.hours} ({one.timezone})",
                    f"quiet until {one.until:%H:%M} UTC" if one.until else "",
                )
                for one in report.quiet_hours
            ],
            empty="",
        )


def _rate(one: GroupStanding) -> str:
    if one.paused_at:
        return "nothing"
    return "as fast as it goes" if one.rate is None else rate_in_words(one.rate)


def _why(one: GroupStanding) -> str:
    if one.paused_at:
        return f"paused since {one.paused_at:%Y-%m-%d %H:%M} UTC: {one.paused_why}"
    if one.halved_at:
        return f"halved at {one.halved_at:%Y-%m-%d %H:%M} UTC: {one.halved_why}"
    return f"rate_limits: {one.cap}" if one.cap else ""


def _show_warm_up(warm_up: WarmUpStanding) -> None:
    of = f"of {warm_up.cap:,} have left" if warm_up.cap is not None else "is over: any number may leave"
    gone = f"{warm_up.gone:,} " if warm_up.cap is not None else "it "
    say(f"Warm-up since {warm_up.start}: today ({warm_up.day}, UTC) {gone}{of}.")
    show_table(
        ("issue", "", "mails", "leaves on"),
        [
            (one.issue, one.state, f"{one.mails:,}", counted(one.days, "day") if one.mails else "")
            for one in warm_up.issues
        ],
        empty="No issue is waiting to be sent.",
    )


@app.command(epilog=examples("digest throttle pause google --why 'our IP address is being delisted'"))
def pause(
    group: Group,
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why, as others will read it.")] = "by hand",
) -> None:
    """Hold back what goes to a group of receivers, in all issues; everything else goes on."""
    from digest.pipeline.throttling import pause_group

    reason = required(on_a_line(why, "--why"), "--why", limit=500)
    waiting = pause_group(open_runtime(), group, why=reason)
    say(
        f"{group.strip().lower()} is paused; {counted(waiting, 'mail')} wait for it now. "
        f"'digest throttle resume {group.strip().lower()}' goes on."
    )


@app.command(epilog=examples("digest throttle resume google"))
def resume(group: Group) -> None:
    """Let go again what was held back, by hand or because it was refused."""
    from digest.pipeline.throttling import resume_group

    before, due = resume_group(open_runtime(), group)
    say(
        f"{before.group} gets mail again: {counted(due, 'mail')} that were put off are due now. "
        f"It was paused since {before.paused_at:%Y-%m-%d %H:%M} UTC: {before.paused_why}"
    )
