"""`digest endpoint`: programs of yours that are told what happens here."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import Yes, decided_by, number
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, confirm, say, show_json, show_table
from digest.domain.endpoints import Call, CallState, Endpoint, EventKind
from digest.domain.errors import InvalidInput
from digest.store.announcements import calls_of
from digest.store.database import reading
from digest.store.endpoints import get_endpoint, list_endpoints

app = new_app()

EndpointNumber = Annotated[
    int,
    typer.Argument(metavar="ENDPOINT", callback=number, help="Its number: see 'digest endpoint list'."),
]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="EVENT", help=f"What it is told of: {', '.join(EventKind)}. Repeat it."),
]


@app.command("list", epilog=examples("digest endpoint list"))
def list_(as_json: JsonOption = False) -> None:
    """List the endpoints, and how each stands."""
    with reading(open_runtime().engine) as session:
        found = list_endpoints(session)
    if as_json:
        show_json(found)
        return
    show_table(
        ("#", "address", "about", "told of", "stands"),
        [(one.id, one.url, one.about, ", ".join(sorted(one.kinds)), _stands(one)) for one in found],
        empty="No program is told anything yet: 'digest endpoint add URL --event issue.sent' adds one.",
    )


@app.command(
    epilog=examples(
        "digest endpoint add https://hooks.example.org/digest --event issue.sent --event delivery.failed"
    )
)
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it is called, by https.")],
    event: Events = None,
    about: Annotated[str, typer.Option(metavar="NAME", help="What you call it.")] = "",
    by: By = "",
    as_json: JsonOption = False,
) -> None:
    """Have a program told what happens from now on. The secret that signs its calls is shown once."""
    from digest.pipeline.managing import endpoints as managing

    given = {"url": url, "kinds": event or (), "about": about}
    made, secret = managing.add(open_runtime(), given, by=decided_by(by), called=_called)
    if as_json:
        show_json({"endpoint": made, "secret": secret})
        return
    say(secret)
    say(
        f"Endpoint {made.id} is told of {', '.join(sorted(made.kinds))}. Keep the secret now: it is not "
        f"shown again. 'digest endpoint test {made.id}' tries it."
    )


@app.command(epilog=examples("digest endpoint change 1 --event issue.sent --about chat"))
def change(
    endpoint: EndpointNumber,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Another address.")] = None,
    event: Events = None,
    about: Annotated[str | None, typer.Option(metavar="NAME", help="What you call it.")] = None,
    by: By = "",
) -> None:
    """Change where an endpoint is, what it is told of, or what you call it. What is left out stays."""
    from digest.pipeline.managing import endpoints as managing

    given = {"url": url, "kinds": event or None, "about": about}
    wanted = {field: value for field, value in given.items() if value is not None}
    if not wanted:
        raise InvalidInput("there is nothing to change: give --url, --event or --about")
    who = decided_by(by)
    changed = managing.change(open_runtime(), endpoint, lambda _: wanted, by=who, called=_called)
    say(f"Endpoint {changed.id} at {changed.url} is told of {', '.join(sorted(changed.kinds))}.")


@app.command(epilog=examples("digest endpoint pause 1"))
def pause(endpoint: EndpointNumber, by: By = "") -> None:
    """Tell an endpoint nothing more for now. What waits for it is given up."""
    from digest.pipeline.managing import endpoints as managing

    managing.set_off(open_runtime(), endpoint, True, by=decided_by(by))
    say(f"Endpoint {endpoint} is told nothing. 'digest endpoint resume {endpoint}' tells it again.")


@app.command(epilog=examples("digest endpoint resume 1"))
def resume(endpoint: EndpointNumber, by: By = "") -> None:
    """Tell an endpoint again what happens, from now on."""
    from digest.pipeline.managing import endpoints as managing

    managing.set_off(open_runtime(), endpoint, False, by=decided_by(by))
    say(
        f"Endpoint {endpoint} is told again. 'digest endpoint log {endpoint}' shows what it missed, and "
        f"'digest endpoint again {endpoint} CALL' tells it of that."
    )


@app.command(epilog=examples("digest endpoint rotate 1"))
def rotate(endpoint: EndpointNumber, by: By = "", as_json: JsonOption = False) -> None:
    """Sign with a new secret, which is shown once; for a day the one before signs, too."""
    from digest.pipeline.managing import endpoints as managing

    found, secret = managing.rotate(open_runtime(), endpoint, by=decided_by(by))
    if as_json:
        show_json({"endpoint": found, "secret": secret})
        return
    say(secret)
    say("Keep it now: it is not shown again. Calls are signed with the one before, too, for 24 hours.")


@app.command("test", epilog=examples("digest endpoint test 1"))
def try_(endpoint: EndpointNumber, by: By = "") -> None:
    """Tell an endpoint of a test. A running worker calls it within seconds."""
    from digest.pipeline.managing import endpoints as managing

    managing.test(open_runtime(), endpoint, by=decided_by(by))
    say(f"A test waits for a worker. 'digest endpoint log {endpoint}' says what came of it.")


@app.command(epilog=examples("digest endpoint log 1", "digest endpoint log 1 --json"))
def log(
    endpoint: EndpointNumber,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what an endpoint was told, the newest first, and what it answered: thirty days of it."""
    with reading(open_runtime().engine) as session:
        calls = calls_of(session, get_endpoint(session, endpoint).id, limit=limit)
    if as_json:
        show_json(calls)
        return
    show_table(
        ("call", "made", "event", "state", "tries", "answer"),
        [
            (one.id, f"{one.made_at:%Y-%m-%d %H:%M}", one.kind, _state(one), one.tries, _answer(one))
            for one in calls
        ],
        empty=f"It was told nothing yet: 'digest endpoint test {endpoint}' tries it.",
    )


@app.command(epilog=examples("digest endpoint again 1 7"))
def again(
    endpoint: EndpointNumber,
    call: Annotated[
        int, typer.Argument(metavar="CALL", callback=number, help="The call: see 'digest endpoint log'.")
    ],
    by: By = "",
) -> None:
    """Tell an endpoint once more of what it took or missed, under the same id."""
    from digest.pipeline.managing import endpoints as managing

    managing.tell_again(open_runtime(), endpoint, call, by=decided_by(by))
    say(f"Call {call} waits for a worker. 'digest endpoint log {endpoint}' says what came of it.")


@app.command(epilog=examples("digest endpoint remove 1"))
def remove(endpoint: EndpointNumber, by: By = "", yes: Yes = False) -> None:
    """Remove an endpoint with its log."""
    from digest.pipeline.managing import endpoints as managing

    runtime, who = open_runtime(), decided_by(by)
    with reading(runtime.engine) as session:
        found = get_endpoint(session, endpoint)
    if not yes:
        confirm(f"Remove endpoint {found.id} at {found.url} with its log?")
    managing.remove(runtime, endpoint, by=who)
    say(f"Endpoint {found.id} at {found.url} is told nothing any more.")


def _called(field: str) -> str:
    return {"url": "URL", "kinds": "--event"}.get(field, f"--{field}")


def _stands(one: Endpoint) -> str:
    if one.is_off:
        return f"off: {one.why_off}"
    return f"takes nothing since {one.failing_since:%Y-%m-%d %H:%M}" if one.failing_since else "well"


def _state(one: Call) -> str:
    if one.state is CallState.WAITING and one.next_at:
        return f"waiting, due {one.next_at:%Y-%m-%d %H:%M}"
    return one.state.value.replace("_", " ")


def _answer(one: Call) -> str:
    return " ".join(filter(None, (str(one.status or ""), one.answer[:80])))
