"""`digest sign-ups`: what became of them by day, what waits for a cap, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.pipeline.sign_up_days import SignUps

app = new_app()


@app.command("sign-ups", epilog=examples("digest sign-ups", "digest sign-ups harbour-week --json"))
def sign_ups(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show what became of the sign-ups of the last 7 days, what waits for a cap, and until when."""
    from digest.pipeline.sign_up_days import sign_ups_of_days

    show_sign_ups(sign_ups_of_days(open_runtime(), newsletter), as_json=as_json)


def show_sign_ups(found: Sequence[SignUps], *, as_json: bool) -> None:
    """Print what became of the sign-ups of each newsletter, or all of it as JSON."""
    from digest.domain.sign_ups import HOW_COUNTED

    if as_json:
        show_json(found)
        return
    if not found:
        say("There is no newsletter yet: 'digest newsletter add' makes one.")
    for one in found:
        _show(one)
    if any(one.days for one in found):
        say(HOW_COUNTED)


def _show(one: SignUps) -> None:
    say(f"{one.name}: {_page(one)}")
    for told in one.now_in_words:
        say(told)
    show_table(
        ("day", "sign-ups", "what became of them"),
        [
            (day.day.isoformat(), f"{day.counts[kind]:,}", kind.in_words)
            for day in one.days
            for kind in one.outcomes
            if kind in day.counts
        ],
        empty="Nobody signed up in these days.",
    )


def _page(one: SignUps) -> str:
    if one.is_open:
        return f"/subscribe/{one.slug} takes sign-ups."
    return f"its page is closed; 'digest newsletter change {one.slug} --sign-up' opens it."
