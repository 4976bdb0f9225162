"""`digest issue check`: what is wrong with an issue before anyone is sent it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json
from digest.domain.counting import counted

if TYPE_CHECKING:
    from digest.compose.checks.editions import Reported
    from digest.pipeline.preflight import Preflight

app = new_app()

_MOST = {"warning": 20, "note": 10}
"""Warnings and notes shown to people; errors all are."""


@app.command(epilog=examples("digest issue check 3", "digest issue check 3 --no-fetch --json"))
def check(
    issue: IssueNumber,
    fetch: Annotated[
        bool,
        typer.Option(
            "--fetch/--no-fetch", help="Look at links and pictures over the network, and ask SpamAssassin."
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Check every edition of an issue that its readers would get. Ends with 1 when there are errors."""
    from digest.pipeline.preflight import check_issue, check_offline

    runtime = open_runtime()
    checked = check_issue(runtime, issue) if fetch else check_offline(runtime, issue)
    if as_json:
        show_json(_as_json(checked))
    else:
        _say(checked)
    if checked.errors:
        raise typer.Exit(1)


def _as_json(checked: Preflight) -> dict[str, object]:
    return {
        "issue": checked.issue_id,
        "editions": checked.editions,
        "readers": checked.readers,
        "errors": len(checked.errors),
        "links": checked.links,
        "pictures": checked.pictures,
        "not_looked_at": checked.not_looked_at,
        "looked_at": checked.looked_at,
        "findings": [
            {
                "severity": one.finding.severity,
                "what": one.finding.what,
                "where": one.finding.where,
                "next": one.finding.next_step,
                "editions": one.editions,
                "readers": one.readers,
            }
            for one in checked.findings
        ],
    }


def _say(checked: Preflight) -> None:
    readers = f"{counted(checked.editions, 'edition')}, {counted(checked.readers, 'reader')}"
    say(f"Issue {checked.issue_id}: {readers}. {_looks(checked)}")
    for severity in ("error", "warning", "note"):
        _say_findings(severity, [one for one in checked.findings if one.finding.severity == severity])
    if not checked.findings:
        say("No check finds a fault in it.")


def _looks(checked: Preflight) -> str:
    if checked.looked_at is None:
        return "Links and pictures were not looked at."
    missing = f", {checked.not_looked_at} not for want of time" if checked.not_looked_at else ""
    looked = f"{counted(checked.links, 'link')} and {counted(checked.pictures, 'picture')}"
    return f"{looked} looked at{missing}."


def _say_findings(severity: str, findings: Sequence[Reported]) -> None:
    shown = findings[: _MOST.get(severity)]
    for one in shown:
        say(f"{severity}: {one.finding.what}")
        readers = counted(one.readers, "reader")
        concerned = f"{counted(one.editions, 'edition')}, {readers}" if one.editions else ""
        say("    " + " · ".join(filter(None, (concerned, one.finding.where, one.finding.next_step))))
    if len(findings) > len(shown):
        say(f"and {counted(len(findings) - len(shown), f'more {severity}')}: --json shows them all")
