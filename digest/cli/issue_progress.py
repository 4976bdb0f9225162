"""`digest issue progress`: how far a send is, how fast, and what it waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_table
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.pipeline.progress import Progress, Waits, progress_of
from digest.store.progress import SAMPLE, DomainCount

if TYPE_CHECKING:
    from digest.runtime import Runtime

app = new_app()

_WATCH_SECONDS = 2.0
_DOMAINS_MOST = 8
_CAUSES_MOST = 10
_MINUTE, _HOUR = 60, 3600


@app.command(epilog=examples("digest issue progress 3", "digest issue progress 3 --watch"))
def progress(
    issue: IssueNumber,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Tell anew every two seconds, until it is over or Ctrl-C."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how far a send is, how fast, when it ends, where it fails, and what it waits for."""
    runtime = open_runtime()
    if not watch:
        show(progress_of(runtime, issue), as_json=as_json)
        return
    try:
        for told in _watched(runtime, issue):
            if as_json:
                show_json(as_plain(told))
            elif told.is_over:
                show(told)
            else:
                say(f"{told.at:%H:%M:%S} UTC  {headline(told)}")
    except KeyboardInterrupt:
        return


def _watched(runtime: Runtime, issue: int) -> Iterator[Progress]:
    while True:
        told = progress_of(runtime, issue)
        yield told
        if told.is_over:
            return
        time.sleep(_WATCH_SECONDS)


def show(told: Progress, *, as_json: bool = False) -> None:
    """Print how a send stands: what it came to, what it waits for, where and why it fails."""
    if as_json:
        show_json(as_plain(told))
        return
    say(headline(told))
    if waits := waits_in_words(told):
        say(waits)
    for hold in told.holds if told.waits is not Waits.THROTTLED else ():
        say(f"{_sentence(hold)}.")
    _show_domains(told.domains)
    show_causes(told)
    _say_next_steps(told)


def as_plain(told: Progress) -> dict[str, object]:
    """Return a send's progress as JSON holds it; `is_over` says that nothing more happens by itself."""
    values = plain(told)
    causes = [{**plain(one), "next_step": one.next_step} for one in told.causes]
    return {**values, "causes": causes, "is_over": told.is_over}


def headline(told: Progress) -> str:
    """Return on one line how far a send is, how fast, and when it ends."""
    states = told.states
    done = sum(states[state] for state in _DONE)
    parts = [f"issue {told.issue.id} is {told.issue.state}: {done} of {told.total} done"]
    parts += [f"{states[state]} {word}" for state, word in _DONE.items() if states[state]]
    back = ((told.came_back, "came back"), (told.complaints, "called spam"))
    parts += [f"{count} of the accepted {word}" for count, word in back if count]
    in_hand = states[DeliveryState.CLAIMED] + states[DeliveryState.SENDING]
    waiting = (
        (in_hand, "under way"),
        (told.due, "to come"),
        (told.deferred, "put off"),
        (told.held, "held back"),
        (told.scheduled, "wait for their hour"),
    )
    parts += [f"{count} {word}" for count, word in waiting if count]
    if told.rate is not None and not told.is_over:
        parts.append(f"{_pace(told.rate)}, {_end(told)}")
    return ", ".join(parts)


_DONE = {
    DeliveryState.ACCEPTED: "accepted",
    DeliveryState.FAILED: "refused for good",
    DeliveryState.UNKNOWN: "unknown",
    DeliveryState.CANCELLED: "cancelled",
}


def _pace(rate: float) -> str:
    return f"{rate:.0f} a second" if rate >= 1 else f"{rate * _MINUTE:.0f} a minute"


def _end(told: Progress) -> str:
    if told.ends_in is None:
        return "end unknown" if told.waits else "nothing is due"
    what = " for what can go now" if told.deferred + told.scheduled + told.held else ""
    return f"about {duration(told.ends_in)} left{what}"


def duration(length: timedelta) -> str:
    """Return a length of time as people say it: `40 seconds`, `12 minutes`, `3 h 20 min`."""
    seconds = max(1, round(length.total_seconds()))
    if seconds < 2 * _MINUTE:
        return counted(seconds, "second")
    if seconds < 2 * _HOUR:
        return f"{round(seconds / _MINUTE)} minutes"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"


def waits_in_words(told: Progress) -> str:
    """Return what a send waits for and what ends that; '' when it moves or is over."""
    number = told.issue.id
    match told.waits:
        case Waits.PAUSED:
            return f"It is {told.because or 'paused'}. 'digest issue resume {number}' goes on."
        case Waits.HELD:
            return f"Everything is {told.because}. 'digest resume' lets it go on."
        case Waits.SERVER_AWAY:
            return told.because
        case Waits.ITS_HOUR:
            return f"{told.because} 'digest send {number}' sends it now."
        case Waits.NOT_YET_SENT if told.issue.state is IssueState.DRAFT:
            return f"It is a draft: nothing is sent before 'digest issue approve {number}'."
        case Waits.NOT_YET_SENT:
            return (
                f"It was not taken up yet: a running worker does within seconds, or 'digest send {number}'."
            )
        case Waits.THROTTLED:
            because = told.because or "what is left waits for its turn under a cap"
            return f"{_sentence(because)}. 'digest throttle show' shows all that slows sending down."
        case Waits.LATER:
            then = f" The first is due at {told.next_at:%Y-%m-%d %H:%M:%S} UTC." if told.next_at else ""
            return f"When it ends nobody can say: all that is left waits.{then}"
        case Waits.NOBODY_SENDS:
            return (
                "When it ends nobody can say: mails are due, and for a minute none was taken or refused. Is "
                f"a worker running? 'digest up', or 'digest send {number}'."
            )
        case _:
            return ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}"


def _show_domains(domains: tuple[DomainCount, ...]) -> None:
    worst = [one for one in domains if one.failed + one.deferred][:_DOMAINS_MOST]
    if worst:
        show_table(
            ("domain", "accepted", "failed", "put off"),
            [(one.domain, one.accepted, one.failed, one.deferred) for one in worst],
            empty="",
            title=f"Where most failed or were put off{_of_the_newest(sum(map(_mails, domains)))}:",
        )


def show_causes(told: Progress) -> None:
    """Print why mails failed, by cause, and what to do about each."""
    if told.causes:
        show_table(
            ("failed", "said", "next step"),
            [(one.count, one.in_words, one.next_step) for one in told.causes[:_CAUSES_MOST]],
            empty="",
            title=f"Why mails failed{_of_the_newest(told.states[DeliveryState.FAILED] + told.came_back)}:",
        )


def _mails(one: DomainCount) -> int:
    return one.accepted + one.failed + one.deferred


def _of_the_newest(count: int) -> str:
    return f", of the newest {SAMPLE}" if count >= SAMPLE else ""


def _say_next_steps(told: Progress) -> None:
    number = told.issue.id
    if told.states[DeliveryState.UNKNOWN]:
        mails = counted(told.states[DeliveryState.UNKNOWN], "mail")
        say(f"Of {mails} nobody knows whether it arrived: 'digest issue unknown {number}'.")
    if told.states[DeliveryState.FAILED] and told.is_over:
        say(f"'digest issue resend {number} --failed' sends once more what may arrive now.")
