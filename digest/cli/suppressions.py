"""`digest suppression`: the addresses that are never mailed, and why."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.arguments import Email, required
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_record, show_table, warn
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.suppressions import Removal, Suppression, SuppressionReason
from digest.intake.suppressions import export_suppressions
from digest.pipeline.suppressing import WHY_MAX, let_be_mailed, suppress_by_hand, suppress_file
from digest.store.database import reading
from digest.store.returned import list_returned
from digest.store.suppressions import (
    count_suppressions,
    find_suppression,
    list_suppressions,
    removals_of,
)

app = new_app()

By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command("list", epilog=examples("digest suppression list", "digest suppression list --reason complaint"))
def list_(
    reason: Annotated[
        SuppressionReason | None,
        typer.Option(metavar="REASON", help=f"Only those: one of {', '.join(SuppressionReason)}."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="How many at most.")] = 50,
    after: Annotated[str, typer.Option(metavar="EMAIL", help="Start after this address.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the addresses that are never mailed, by address."""
    with reading(open_runtime().engine) as session:
        found = list_suppressions(session, limit=limit, after=after, reason=reason or "")
        total = count_suppressions(session)
    if as_json:
        show_json(found)
        return
    show_table(
        ("address", "why", "since", "issue", "said"),
        [(one.email, reason_in_words(one), _day(one), one.issue_id or "", one.detail[:120]) for one in found],
        empty=f"{counted(total, 'address', 'addresses')} suppressed, none of them is asked for here."
        if total
        else "No address is suppressed.",
    )
    if len(found) == limit:
        say(f"More of {total:,}: --after {found[-1].email}")


@app.command(epilog=examples("digest suppression show ada@example.org"))
def show(email: Email, as_json: JsonOption = False) -> None:
    """Say whether an address is never mailed and why, who changed that, and what came back from it."""
    with reading(open_runtime().engine) as session:
        found = find_suppression(session, email)
        removals = removals_of(session, email)
        returned = list_returned(session, limit=10, email=email)
    if as_json:
        show_json({"suppression": found, "removals": removals, "returned": returned})
        return
    if found is None and not removals:
        raise NotFound(f"'{email}' is not suppressed and never was: 'digest suppression list' shows who is")
    if found is None:
        say(f"{removals[-1].suppression.email} is mailed again: it was taken off the list.")
    else:
        show_record(found.email, _record(found))
    show_table(
        ("taken off", "by", "because", "it was there for", "since"),
        [_removal_row(one) for one in reversed(removals)],
        empty="It was never taken off the list.",
    )
    if returned:
        show_table(
            ("came back", "issue", "meaning", "status", "what it changed"),
            [
                (
                    f"{one.received_at:%Y-%m-%d %H:%M}",
                    one.issue_id or "",
                    one.meaning.in_words,
                    one.status,
                    one.effect.in_words,
                )
                for one in returned
            ],
            empty="",
        )


@app.command(epilog=examples("digest suppression add ada@example.org --why 'asked by phone'"))
def add(
    email: Email,
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why it is never mailed again.")],
    by: By = "",
) -> None:
    """Never mail an address again, whichever newsletter it is subscribed to."""
    said = required(why, "--why", limit=WHY_MAX)
    who = required(by or getpass.getuser(), "--by")
    found, is_new = suppress_by_hand(open_runtime(), email, why=said, by=who)
    if is_new:
        say(f"{found.email} is never mailed again. 'digest suppression remove' takes that back.")
    else:
        say(f"{found.email} was suppressed before ({reason_in_words(found)}) and stays so; nothing changed.")


@app.command(
    epilog=examples("digest suppression remove ada@example.org --why 'their mailbox is back, they wrote'")
)
def remove(
    email: Email,
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why it may be mailed again.")],
    by: By = "",
) -> None:
    """Let an address be mailed again. Who wanted that and why is kept."""
    said = required(why, "--why", limit=WHY_MAX)
    who = required(by or getpass.getuser(), "--by")
    removal = let_be_mailed(open_runtime(), email, why=said, by=who)
    then = removal.suppression
    say(f"{then.email} may be mailed again. It was on the list since {_day(then)}: {reason_in_words(then)}.")
    if then.reason == SuppressionReason.COMPLAINT:
        warn("They called a mail of yours spam. Mail them only if they asked for it since.")


@app.command(
    "import",
    epilog=examples("digest suppression import never.csv")
    + "\n\n\b\nThe file's first line names its columns; all but email may be missing:\n"
    "  email,reason,detail,since,by\n"
    "  ada@example.org,complaint,told the old provider,2025-03-01,",
)
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="CSV in UTF-8, with commas, semicolons or tabs: email; if wanted reason, detail, since, by.",
        ),
    ],
    by: By = "",
) -> None:
    """Suppress the addresses of a CSV file. Those on the list already stay as they are."""
    who = required(by or getpass.getuser(), "--by")
    result = suppress_file(open_runtime(), file, by=who)
    for note in result.notes:
        say(note)
    say(f"Suppressed {counted(result.added, 'address', 'addresses')}; {result.known} were there before.")


@app.command(
    epilog=examples("digest suppression export --out never.csv", "digest suppression export | wc -l")
)
def export(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write it there, not to standard output.")
    ] = None,
) -> None:
    """Write the whole list as CSV, as 'import' reads it."""
    engine = open_runtime().engine
    if out is None:
        export_suppressions(engine, sys.stdout)
        return
    try:
        with out.open("x", encoding="utf-8", newline="") as stream:
            # It holds nothing but addresses: others on this machine need not read them.
            out.chmod(0o600)
            count = export_suppressions(engine, stream)
    except OSError as exc:
        raise InvalidInput(f"--out: {out} cannot be written: {exc.strerror or exc}") from exc
    say(f"{out}: {counted(count, 'address', 'addresses')}")


def reason_in_words(one: Suppression) -> str:
    """Return why an address is suppressed; what another version wrote as it stands."""
    known = {reason.value: reason.in_words for reason in SuppressionReason}
    return known.get(one.reason, one.reason or "no reason given")


def _record(one: Suppression) -> list[tuple[str, object]]:
    return [
        ("never mailed", reason_in_words(one)),
        ("since", f"{one.since:%Y-%m-%d %H:%M} UTC"),
        ("said", one.detail),
        ("issue", one.issue_id),
        ("by", one.by),
    ]


def _removal_row(one: Removal) -> tuple[str, ...]:
    then = one.suppression
    return f"{one.removed_at:%Y-%m-%d %H:%M}", one.by, one.why, reason_in_words(then), _day(then)


def _day(one: Suppression) -> str:
    return f"{one.since:%Y-%m-%d}"
