"""Endpoints and tokens on a server elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from digest.cli.arguments import Yes, number
from digest.cli.lazy import new_app
from digest.cli.output import JsonOption, confirm, say, show_json
from digest.cli.remote.lists import show_list
from digest.cli.remote.server import Server

endpoint, token = new_app(), new_app()

EndpointNumber = Annotated[
    int,
    typer.Argument(metavar="ENDPOINT", callback=number, help="Its number: see 'digest endpoint list'."),
]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="EVENT", help="What it is told of, such as issue.sent. Repeat it."),
]


@endpoint.command("list")
def list_endpoints(as_json: JsonOption = False) -> None:
    """List the endpoints, and how each stands."""
    columns = {"#": "id", "address": "url", "about": "about", "told of": "kinds", "off because": "why_off"}
    found = list(Server.meant().every("/endpoints"))
    show_list(found, columns, as_json=as_json, empty="No program is told anything yet.")


@endpoint.command("add")
def add_endpoint(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it is called, by https.")],
    event: Events = None,
    about: Annotated[str, typer.Option(metavar="NAME", help="What you call it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Have a program told what happens from now on. The secret that signs its calls is shown once."""
    body = {"url": url, "kinds": event or [], "about": about}
    told = Server.meant().send("POST", "/endpoints", body=body)
    _show_secret(told, f"Endpoint {told['endpoint']['id']} is told of it.", as_json=as_json)


@endpoint.command("pause")
def pause_endpoint(endpoint: EndpointNumber) -> None:
    """Tell an endpoint nothing more for now. What waits for it is given up."""
    Server.meant().send("PATCH", f"/endpoints/{endpoint}", body={"is_off": True})
    say(f"Endpoint {endpoint} is told nothing.")


@endpoint.command("resume")
def resume_endpoint(endpoint: EndpointNumber) -> None:
    """Tell an endpoint again what happens, from now on."""
    Server.meant().send("PATCH", f"/endpoints/{endpoint}", body={"is_off": False})
    say(f"Endpoint {endpoint} is told again.")


@endpoint.command("rotate")
def rotate_secret(endpoint: EndpointNumber, as_json: JsonOption = False) -> None:
    """Sign with a new secret, which is shown once; for a day the one before signs, too."""
    told = Server.meant().send("POST", f"/endpoints/{endpoint}/rotate")
    _show_secret(told, "Calls are signed with the one before, too, for 24 hours.", as_json=as_json)


@endpoint.command("test")
def try_endpoint(endpoint: EndpointNumber) -> None:
    """Tell an endpoint of a test. A running worker calls it within seconds."""
    Server.meant().send("POST", f"/endpoints/{endpoint}/test")
    say(f"A test waits for a worker. 'digest endpoint log {endpoint}' says what came of it.")


@endpoint.command("log")
def show_log(
    endpoint: EndpointNumber,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what an endpoint was told, the newest first, and what it answered: thirty days of it."""
    found = Server.meant().first(f"/endpoints/{endpoint}/calls", limit=limit)
    columns = {"call": "id", "made": "made_at", "event": "kind", "state": "state", "tries": "tries"}
    columns |= {"status": "status", "answer": "answer"}
    show_list(found, columns, as_json=as_json, empty="It was told nothing yet.")


@endpoint.command("again")
def tell_again(
    endpoint: EndpointNumber,
    call: Annotated[
        int, typer.Argument(metavar="CALL", callback=number, help="The call: see 'digest endpoint log'.")
    ],
) -> None:
    """Tell an endpoint once more of what it took or missed, under the same id."""
    Server.meant().send("POST", f"/endpoints/{endpoint}/calls/{call}/again")
    say(f"Call {call} waits for a worker.")


@endpoint.command("remove")
def remove_endpoint(endpoint: EndpointNumber, yes: Yes = False) -> None:
    """Remove an endpoint with its log."""
    server = Server.meant()
    told = server.get(f"/endpoints/{endpoint}")
    if not yes:
        confirm(f"Remove endpoint {endpoint} at {told['url']} with its log?")
    server.send("DELETE", f"/endpoints/{endpoint}")
    say(f"Endpoint {endpoint} at {told['url']} is told nothing any more.")


@token.command("list")
def list_tokens(as_json: JsonOption = False) -> None:
    """List the tokens, without their secrets."""
    columns = {"#": "id", "name": "name", "begins": "hint", "may": "rights", "until": "expires_at"}
    columns |= {"last used": "last_used_at", "made by": "made_by"}
    found = list(Server.meant().every("/tokens"))
    show_list(found, columns, as_json=as_json, empty="There is no token.")


@token.command("add")
def add_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    right: Annotated[
        list[str] | None,
        typer.Option(metavar="RIGHT", help="What it may do; none that your own lacks. Repeat it."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, max=3_650, metavar="N", help="How long it works; 0: until removed.")
    ] = 90,
    as_json: JsonOption = False,
) -> None:
    """Make a token. Its secret is shown once."""
    body = {"name": name, "rights": right or [], "days": days}
    told = Server.meant().send("POST", "/tokens", body=body)
    _show_secret(told, f"This is token {told['token']['id']}.", as_json=as_json)


@token.command("remove")
def remove_token(
    token: Annotated[
        int, typer.Argument(metavar="TOKEN", callback=number, help="Its number: see 'digest token list'.")
    ],
) -> None:
    """End a token: from now on it opens nothing."""
    Server.meant().send("DELETE", f"/tokens/{token}")
    say(f"Token {token} opens nothing any more.")


def _show_secret(told: Any, then: str, *, as_json: bool) -> None:
    if as_json:
        show_json(told)
        return
    say(told["secret"])
    say(f"{then} Keep the secret now: it is not shown again.")
