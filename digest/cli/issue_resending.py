"""`digest issue resend`, `unknown` and `arrived`: what failed or was left open, and what becomes of it."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import IssueNumber, Yes, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, confirm, say, show_json, show_table
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import IssueState
from digest.pipeline import control
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import get_issue
from digest.store.resending import Resendable, UnknownDelivery, list_unknown

app = new_app()


@app.command(
    epilog=examples(
        "digest issue resend 3 --failed",
        "digest issue resend 3 --unknown --to ada@example.org",
    )
)
def resend(
    issue: IssueNumber,
    failed: Annotated[
        bool, typer.Option("--failed", help="What a mail server refused for good, or put off for too long.")
    ] = False,
    unknown: Annotated[
        bool,
        typer.Option("--unknown", help="What may have arrived, see 'digest issue unknown': a second copy."),
    ] = False,
    to: Annotated[
        list[str] | None, typer.Option(metavar="EMAIL", help="Only to this reader. May be repeated.")
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")] = "",
    yes: Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Send an issue once more to readers whose mail failed. Everybody else gets nothing.

    The mails are the same, with the same Message-ID. Not to mailboxes that are not there, suppressed
    addresses and who left since.
    """
    if not failed and not unknown:
        raise InvalidInput("say what to send once more: --failed, --unknown or both")
    states = [*([DeliveryState.FAILED] if failed else []), *([DeliveryState.UNKNOWN] if unknown else [])]
    emails, who = tuple(to or ()), decided_by(by)
    runtime = open_runtime()
    found = control.resendable(runtime, issue, states, emails=emails)
    if not found.failed + found.unknown:
        why = _left_out(found) or f": no mail of it {_sought(failed=failed, unknown=unknown)}"
        raise Conflict(f"nothing of issue {issue} can be sent once more{why}")
    if not as_json:
        say(_plan(issue, found))
    if not yes:
        confirm("Send them once more?")
    again = control.resend(runtime, issue, states, emails=emails, by=who)
    if as_json:
        show_json({"resent": again, "left_out": found.left_out})
        return
    with reading(runtime.engine) as session:
        is_paused = get_issue(session, issue).state is IssueState.PAUSED
    goes_on = "when it goes on" if is_paused else f"by a running worker, or with 'digest send {issue}'"
    say(f"{counted(again, 'mail')} will be sent once more, {goes_on}.")


def _plan(issue: int, found: Resendable) -> str:
    told = []
    if found.failed:
        told.append(f"{counted(found.failed, 'mail')} of issue {issue} failed and can be sent once more.")
    if found.unknown:
        told.append(
            f"Of {counted(found.unknown, 'mail')} of issue {issue} nobody knows whether it arrived: whoever "
            f"has it will have it twice. 'digest issue unknown {issue}' has the evidence, 'digest issue "
            f"reconcile {issue} --log FILE' finds out what the mail server took."
        )
    if found.left_out:
        told.append(f"Not sent{_left_out(found)}.")
    return "\n".join(told)


def _sought(*, failed: bool, unknown: bool) -> str:
    return " or ".join([*(["failed"] if failed else []), *(["is of unknown outcome"] if unknown else [])])


def _left_out(found: Resendable) -> str:
    why = ", ".join(f"{count} {reason.in_words}" for reason, count in found.left_out.items())
    return f": {why}" if why else ""


@app.command(epilog=examples("digest issue unknown 3", "digest issue unknown 3 --after 4711 --json"))
def unknown(
    issue: IssueNumber,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="How many at most.")] = 50,
    after: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Only those behind this one.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List the mails of which nobody knows whether they arrived, with the evidence there is."""
    with reading(open_runtime().engine) as session:
        found = get_issue(session, issue)
        total = count_deliveries(session, found.id)[DeliveryState.UNKNOWN]
        listed = list_unknown(session, found.id, limit=limit, after=after)
    if as_json:
        show_json({"issue": found.id, "unknown": total, "deliveries": listed})
        return
    show_table(
        ("no.", "reader", "last step began", "worker", "server's last words", "Message-ID"),
        [_row(one) for one in listed],
        empty=f"No mail of issue {issue} is of unknown outcome.",
    )
    if len(listed) == limit:
        say(f"More: --after {listed[-1].id}")
    if listed:
        say(_choices(issue, total))


@app.command(epilog=examples("digest issue arrived 3 --to ada@example.org"))
def arrived(
    issue: IssueNumber,
    to: Annotated[list[str], typer.Option(metavar="EMAIL", help="Whose mail arrived. May be repeated.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say of mails of unknown outcome that they arrived, as a reader told you. Nothing is sent."""
    settled = control.arrived(open_runtime(), issue, to, by=decided_by(by))
    if as_json:
        show_json({"accepted": settled})
        return
    if not settled:
        raise Conflict(f"no mail of issue {issue} to them is of unknown outcome: nothing was changed")
    say(f"{counted(settled, 'mail')} of issue {issue} count{'s' if settled == 1 else ''} as arrived.")


def _row(one: UnknownDelivery) -> tuple[object, ...]:
    return (
        one.id,
        one.email,
        f"{one.armed_at:%Y-%m-%d %H:%M:%S}" if one.armed_at else "",
        one.worker,
        one.said or "none: the worker ended before an answer came",
        one.message_id,
    )


def _choices(issue: int, total: int) -> str:
    return f"""
{counted(total, "mail")} of unknown outcome: the mail server may have it, or not. To find out:
  digest issue reconcile {issue} --log FILE    what its log names has arrived
Who knows that one arrived says so: digest issue arrived {issue} --to EMAIL
Otherwise there are two choices, for each of them or for all:
  hold      do nothing: who did not get it misses this issue, and nobody gets it twice
  resend    digest issue resend {issue} --unknown [--to EMAIL]: who did get it gets it twice"""
