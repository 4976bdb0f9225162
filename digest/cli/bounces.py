"""`digest bounces`: what comes back, taken in as mail and listed, whoever told it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, read_file_bytes, say, show_json, show_table, warn
from digest.domain.bounces import Meaning
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput, Misconfigured
from digest.store.database import reading
from digest.store.returned import Effect, Returned, list_returned

if TYPE_CHECKING:
    from digest.runtime import Runtime

app = new_app()


@app.command(epilog=examples("digest bounces serve", "digest bounces serve --host 0.0.0.0 --port 8024"))
def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="The port to listen at; 0 takes a free one.")
    ] = 8024,
) -> None:
    """Take in bounces and complaints over LMTP or SMTP, until Ctrl-C.

    Only mail to return paths of ours is taken, and acknowledged when it is recorded.
    """
    # As a service does: what it takes in is told in the log.
    from digest.runtime import open_runtime as open_as_a_service

    runtime = open_as_a_service()
    _ = runtime.engine, runtime.return_paths
    asyncio.run(_serve(runtime, host, port))


async def _serve(runtime: Runtime, host: str, port: int) -> None:
    from digest.pipeline.returns import take_returned
    from digest.track.server import ReturnServer

    def take(octets: bytes, address: str) -> None:
        take_returned(runtime, octets, to=(address,), via="lmtp")

    server = ReturnServer(take, runtime.return_paths)
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    try:
        listening = await server.start(host, port)
    except OSError as exc:
        raise Misconfigured(f"nothing can listen at {host} port {port}: {exc.strerror or exc}") from exc
    for address, number in listening:
        warn(f"Return paths are taken in at {address} port {number}, over LMTP and SMTP. Ctrl-C stops.")
    await stop.wait()
    await server.stop()


@app.command(epilog=examples("digest bounces poll maildir:/var/mail/bounces", "digest bounces poll"))
def poll(
    mailbox: Annotated[
        str,
        typer.Argument(
            metavar="MAILBOX",
            help="maildir:/FOLDER, imaps://USER:PASSWORD@HOST/FOLDER; without it, bounce_mailbox_url.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Take in what is new in a mailbox, once."""
    from digest.pipeline.returns import poll_mailbox

    runtime = open_runtime()
    url = mailbox or runtime.settings.bounce_mailbox_url
    if not url:
        raise InvalidInput("name a mailbox, as in maildir:/var/mail/bounces, or set bounce_mailbox_url")
    polled = poll_mailbox(runtime, url)
    if as_json:
        show_json(polled)
        return
    changed = ", ".join(f"{count} {effect.in_words}" for effect, count in sorted(polled.effects.items()))
    copies = f"; {polled.copies} known already" if polled.copies else ""
    say(f"Took in {counted(polled.mails, 'mail')}{f': {changed}' if changed else ''}{copies}.")


@app.command("list", epilog=examples("digest bounces list", "digest bounces list --meaning unknown"))
def list_(
    meaning: Annotated[
        Meaning | None,
        typer.Option(metavar="MEANING", help=f"Only those: one of {', '.join(Meaning)}."),
    ] = None,
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Only about this reader.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="How many at most.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="Only those older than this one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what came back, as mail, from a provider or a mail server's log, newest first: what it changed."""
    with reading(open_runtime().engine) as session:
        found = list_returned(session, limit=limit, before=before, email=email, meaning=meaning)
    if as_json:
        show_json(found)
        return
    show_table(
        ("no.", "came", "by", "taken for", "reader", "issue", "means", "changed", "said"),
        [_row(one) for one in found],
        empty="Nothing came back, or nobody listens: mail comes by 'digest bounces serve' and 'digest "
        "bounces poll', webhooks by the hook_ settings, bounces in a log by 'digest deliver reconcile'.",
    )
    if len(found) == limit:
        say(f"More: --before {found[-1].id}")


@app.command(epilog=examples("digest bounces read report.eml"))
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mail that came back, as it came.")],
    as_json: JsonOption = False,
) -> None:
    """Say what a mail would be taken for, and change nothing."""
    from digest.track.reports import read_report

    report = read_report(read_file_bytes(file))
    if as_json:
        show_json({**plain(report)})
        return
    say(f"{report.kind.replace('_', ' ')}{f': {report.why}' if report.why else ''}")
    show_table(
        ("", "original recipient", "final recipient", "status", "said"),
        [(one.action, one.original, one.final, one.status, one.diagnostic) for one in report.recipients],
        empty="It names no recipient in the form of a report.",
    )


def _row(one: Returned) -> tuple[object, ...]:
    changed = "" if one.effect is Effect.NONE else one.effect.in_words
    return (
        one.id,
        f"{one.received_at:%Y-%m-%d %H:%M}",
        one.via,
        one.kind.replace("_", " "),
        one.email,
        one.issue_id,
        one.meaning.in_words,
        changed,
        one.detail[:160],
    )
