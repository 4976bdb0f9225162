"""`digest token`: who may use the API, and for what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from digest.cli.arguments import decided_by, number, required
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.accounts import Right
from digest.domain.api_tokens import ApiToken, parse_rights
from digest.pipeline.tokens import DAYS, DAYS_MAX, end_token, make_token
from digest.store.accounts import get_account
from digest.store.database import reading
from digest.store.tokens import list_tokens

app = new_app()

TokenNumber = Annotated[
    int, typer.Argument(metavar="TOKEN", callback=number, help="The token's number: see 'digest token list'.")
]

By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command(
    epilog=examples(
        "digest token add sign-up-form --right operate",
        "digest token add dashboard --right look --days 365",
    )
)
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is for. It stands beside what it does.")
    ],
    right: Annotated[
        list[str] | None,
        typer.Option(metavar="RIGHT", help=f"What it may do: {', '.join(Right)}. Repeat it."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, max=DAYS_MAX, metavar="N", help="How long it works; 0: until removed.")
    ] = DAYS,
    account: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="Whose it is: what it does, they did, and it can do no more than they can."
        ),
    ] = "",
    by: By = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token for a program that uses the API. Its secret is shown once."""
    called, rights, who = required(name, "NAME"), parse_rights(right or ()), decided_by(by)
    runtime = open_runtime()
    owner = None
    if account:
        with reading(runtime.engine) as session:
            owner = get_account(session, account).id
    token, secret = make_token(runtime, name=called, rights=rights, days=days, by=who, of=owner)
    now = runtime.clock()
    if as_json:
        show_json({"token": token, "secret": secret})
        return
    say(secret)
    say(
        f"This is token {token.id}, for {_rights(token)}; it works {_until(token, now)}. Keep the secret "
        f"now: it is not shown again. 'digest token remove {token.id}' ends it."
    )


@app.command("list", epilog=examples("digest token list"))
def list_(as_json: JsonOption = False) -> None:
    """List the tokens, without their secrets."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = list_tokens(session)
    if as_json:
        show_json(found)
        return
    now = runtime.clock()
    show_table(
        ("#", "name", "begins", "may", "works", "last used", "made by"),
        [
            (
                one.id,
                one.name,
                f"{one.hint}…",
                _rights(one),
                _until(one, now),
                f"{one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never",
                one.made_by,
            )
            for one in found
        ],
        empty="There is no token, so no program can use the API: 'digest token add' makes one.",
    )


@app.command(epilog=examples("digest token remove 3"))
def remove(token: TokenNumber, by: By = "") -> None:
    """End a token: from now on it opens nothing."""
    who = decided_by(by)
    removed = end_token(open_runtime(), token, by=who)
    say(f"Token {removed.id} ('{removed.name}', {removed.hint}…) opens nothing any more.")


def _rights(token: ApiToken) -> str:
    return ", ".join(right.value for right in Right if right in token.rights)


def _until(token: ApiToken, now: datetime) -> str:
    if token.expires_at is None:
        return "until removed"
    return f"{'until' if token.is_valid(now) else 'no more, since'} {token.expires_at:%Y-%m-%d}"
