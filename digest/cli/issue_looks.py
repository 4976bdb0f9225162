"""`digest issue preview` and `test`: an issue as its readers get it, here or by mail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import show_page, warn
from digest.cli.trial_mail import EXAMPLES, mail_test
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput

if TYPE_CHECKING:
    from digest.runtime import Runtime

app = new_app()


@app.command(
    epilog=examples(
        "digest issue preview 3 --text",
        "digest issue preview 3 --as ada@example.org --out ada    writes ada.html and ada.txt",
    )
)
def preview(
    issue: IssueNumber,
    as_email: Annotated[str, typer.Option("--as", metavar="EMAIL", help="As this subscriber gets it.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="As a reader who follows this topic. Repeat it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PREFIX", help="Write PREFIX.html and PREFIX.txt.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the text part, not the HTML.")] = False,
) -> None:
    """Show an issue exactly as a reader gets it: by default, one who follows everything."""
    from digest.compose.checks import check_page
    from digest.pipeline.preview import page_for_reader

    if as_email and topic:
        raise InvalidInput("--as and --topic exclude each other: a subscriber follows what they follow")
    runtime = open_runtime()
    page = page_for_reader(runtime, issue, email=as_email, topics=topic)
    for finding in check_page(page, public_url=runtime.settings.public_url):
        warn(f"{finding.severity}: {finding.what} ({finding.where})")
    _warn_of_crowding(runtime, issue)
    show_page(page, out, text=text)


app.command("test", epilog=EXAMPLES)(mail_test)


def _warn_of_crowding(runtime: Runtime, issue_id: int) -> None:
    """Say how many readers an issue is too long for."""
    from digest.compose.room import crowded
    from digest.compose.steps import pieces_of

    found = crowded(runtime.engine, pieces_of(runtime.engine, issue_id, template_of=runtime.template))
    if found.readers:
        readers = f"{counted(found.readers, 'reader')} ({counted(found.editions, 'edition')})"
        online = f", {found.online_only} of them some online only" if found.online_only else ""
        warn(f"for want of room, {readers} get some articles as headlines{online}")
