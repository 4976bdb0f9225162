"""`digest deliver`: mails on their way, and what became of them."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import Complete, LogFiles
from digest.cli.lazy import examples, new_app
from digest.cli.output import JsonOption

app = new_app()


@app.callback()
def deliver() -> None:
    """Look after mails on their way."""


@app.command(
    epilog=examples(
        "digest deliver reconcile --log /var/log/mail.log --dry-run",
        "digest deliver reconcile --log mail.log.2.gz --log mail.log.1 --log mail.log --complete",
        "journalctl -u postfix@- -o export | digest deliver reconcile --log -",
    )
)
def reconcile(
    log: LogFiles,
    issue: Annotated[
        int | None, typer.Option(min=1, max=2**31 - 1, metavar="ISSUE", help="Only this issue's mails.")
    ] = None,
    complete: Complete = False,
    timezone: Annotated[
        str,
        typer.Option(metavar="ZONE", help="The zone of stamps that name none; without it this machine's."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be settled and recorded, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Settle the deliveries whose answer never came, and record bounces, by a mail server's log."""
    from digest.cli.reconciling import reconcile_and_say

    reconcile_and_say(
        log, issue=issue, complete=complete, timezone=timezone, is_trial=dry_run, as_json=as_json
    )
