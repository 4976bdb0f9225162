"""Sign-ups on a server elsewhere, shown as those here."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.output import JsonOption
from digest.cli.remote.server import Server
from digest.cli.sign_ups import show_sign_ups

if TYPE_CHECKING:
    from digest.pipeline.sign_up_days import SignUps


def sign_ups(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show what became of the sign-ups of the last 7 days, what waits for a cap, and until when."""
    server = Server.meant()
    newsletters = [server.get(f"/newsletters/{newsletter}")] if newsletter else server.every("/newsletters")
    found = [_read(one, server.get(f"/newsletters/{one['slug']}/sign-ups")) for one in newsletters]
    show_sign_ups(found, as_json=as_json)


def _read(newsletter: Any, told: Any) -> SignUps:
    from digest.domain.sign_ups import SignUpOutcome
    from digest.pipeline.sign_up_days import SignUpDay, SignUps

    return SignUps(
        slug=newsletter["slug"],
        name=newsletter["name"],
        is_open=told["is_open"],
        mailed=told["mailed"],
        most=told["most"],
        until=_moment(told["until"]),
        waiting=told["waiting"],
        next_look=_moment(told["next_look"]),
        days=tuple(
            SignUpDay(
                date.fromisoformat(one["day"]),
                {SignUpOutcome(of["outcome"]): of["sign_ups"] for of in one["outcomes"]},
            )
            for one in told["days"]
        ),
    )


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
