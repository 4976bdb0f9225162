"""`digest mail`: the mails besides the digest, as they look and as they went out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_page, show_table, warn
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import DigestError
from digest.domain.letters import LetterKind
from digest.pipeline.managing.given import language_tag
from digest.store.database import reading
from digest.store.letters import LetterStanding, list_letters, waiting_letters
from digest.store.newsletters import get_newsletter, newsletter_by_id

app = new_app()


@app.command(
    epilog=examples(
        "digest mail show confirmation --newsletter harbour-week --out letter",
        "digest mail show goodbye --language de --text",
        "digest mail show alert",
    )
)
def show(
    kind: Annotated[LetterKind, typer.Argument(metavar="KIND", help=f"One of {', '.join(LetterKind)}.")],
    newsletter: Annotated[
        str, typer.Option(metavar="NEWSLETTER", help="Whose; without it a made-up one's.")
    ] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="In another language than its own.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="PREFIX", help="Write PREFIX.html and PREFIX.txt.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the text part, not the HTML.")] = False,
) -> None:
    """Show a mail besides the digest as somebody would get it, and say what is wrong with it."""
    from digest.compose.checks import DIGEST_OWES, check_page
    from digest.compose.letters import OWES
    from digest.pipeline.mail_samples import sample_mail

    page = sample_mail(open_runtime(), kind, slug=newsletter, language=language_tag(language, "--language"))
    for finding in check_page(page, owes=OWES.get(kind, DIGEST_OWES)):
        warn(f"{finding.severity}: {finding.what} ({finding.where})")
    show_page(page, out, text=text)


@app.command("list")
def list_(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the letters to single people, newest first, and what became of each."""
    with reading(open_runtime().engine) as session:
        only = get_newsletter(session, newsletter).id if newsletter else None
        found = list_letters(session, newsletter_id=only, limit=limit)
        ids = {one.newsletter_id for one in found if one.newsletter_id is not None}
        slugs = {None: ""} | {one: newsletter_by_id(session, one).slug for one in ids}
    if as_json:
        show_json([{**plain(one), "newsletter": slugs[one.newsletter_id]} for one in found])
        return
    show_table(
        ("letter", "to", "newsletter", "since", "state"),
        [
            (one.kind, one.email, slugs[one.newsletter_id], f"{one.created_at:%Y-%m-%d %H:%M}", in_words(one))
            for one in found
        ],
        empty="No letter yet: 'digest subscriber link NEWSLETTER EMAIL' sends one.",
    )
    if any(one.state is DeliveryState.UNKNOWN for one in found):
        say(
            "Unknown: the mail server never answered, so it may have arrived or not. It is not sent again "
            "by itself: ask whom it was to; 'digest subscriber link' and 'digest account link --mail' send "
            "another link."
        )


@app.command(epilog=examples("digest mail send", "digest mail send --now"))
def send(
    now: Annotated[
        bool, typer.Option("--now", help="Also those put off: the mail server is back, say.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send the letters that are due, as a running worker does by itself."""
    from digest.pipeline.letters import post_all_letters

    runtime, became = open_runtime(), Counter[DeliveryState]()
    try:
        post_all_letters(runtime, put_off_too=now, on_settled=lambda one: became.update([one.state]))
    except DigestError:
        if became and not as_json:
            say(_in_short(became))
        raise
    with reading(runtime.engine) as session:
        waiting, first = waiting_letters(session)
    if as_json:
        counts: dict[str, int] = {state: became[state] for state in _BECAME}
        show_json({**counts, "waiting": waiting, "next_at": first})
    else:
        say(_in_short(became) if became else "No letter is due.")
    if first is not None and not as_json:
        say(
            f"Waiting: {waiting}, the first until {first:%Y-%m-%d %H:%M} UTC. 'digest mail list' says why; "
            "'digest mail send --now' does not wait."
        )
    if became[DeliveryState.FAILED] or became[DeliveryState.UNKNOWN]:
        raise typer.Exit(1)


_BECAME: Mapping[DeliveryState, str] = {
    DeliveryState.ACCEPTED: "sent",
    DeliveryState.PENDING: "put off",
    DeliveryState.FAILED: "refused",
    DeliveryState.UNKNOWN: "without an answer (see 'digest mail list')",
}
"""What may become of a letter, and how it is told."""


def _in_short(became: Mapping[DeliveryState, int]) -> str:
    told = [f"{became[state]} {words}" for state, words in _BECAME.items() if became.get(state)]
    return f"Letters: {', '.join(told)}."


def in_words(standing: LetterStanding) -> str:
    """Return how a letter stands, and what the mail server said where that matters."""
    if standing.state is DeliveryState.PENDING and standing.answer:
        return f"deferred until {standing.next_at:%Y-%m-%d %H:%M} UTC: {standing.answer}"
    if standing.state is DeliveryState.FAILED:
        return f"refused: {standing.answer}"
    return standing.state
