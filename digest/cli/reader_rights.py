"""`digest subscriber data` and `erase`: what readers may ask for by law."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.arguments import Email, Yes, decided_by, number
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, confirm, plain, say, show_json, warn
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriberId

app = new_app()

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there; without it, it is printed.")]


@app.command(epilog=examples("digest subscriber data ada@example.org --out ada.json"))
def data(
    email: Email,
    out: Out = None,
) -> None:
    """Tell all that is stored of somebody, in every newsletter, as JSON for themselves."""
    from digest.pipeline.erasing import address_data

    told = address_data(open_runtime(), email)
    tell_data(told, out)


@app.command(
    epilog=examples(
        "digest subscriber erase ada@example.org",
        "digest subscriber erase 17 --yes        after a backup was put back: the log has the numbers",
    )
)
def erase(
    who: Annotated[str, typer.Argument(metavar="EMAIL", help="Their address, or their number in the log.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who does it. Default: your login.")] = "",
    yes: Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Remove all that is stored of somebody, in every newsletter. It cannot be undone."""
    from digest.pipeline.erasing import erase_address, erase_subscriber

    runtime, actor = open_runtime(), decided_by(by)
    if not yes:
        confirm(f"Erase all that is stored of {who}, in every newsletter, for good?")
    if who.isdecimal():
        done = erase_subscriber(runtime, SubscriberId(number(int(who))), by=actor)
    else:
        done = erase_address(runtime, who, by=actor)
    if as_json:
        show_json(done)
    else:
        tell_erased(plain(done))


def tell_data(told: Mapping[str, object], out: Path | None) -> None:
    """Print what is stored of somebody, or write it to a file of its own. Raises `InvalidInput`."""
    if out is None:
        show_json(told)
        return
    text = json.dumps(told, ensure_ascii=False, indent=2)
    try:
        with out.open("x", encoding="utf-8") as opened:
            out.chmod(0o600)
            opened.write(f"{text}\n")
    except FileExistsError as exc:
        raise InvalidInput(f"{out} is there already and stays as it is: name another file") from exc
    except OSError as exc:
        raise InvalidInput(f"{out}: {exc.strerror or exc}") from exc
    say(f"Wrote what is stored of them to {out}. Nobody but you can read it.")


def tell_erased(done: Mapping[str, Any]) -> None:
    """Say what was erased, and what stays; or that it goes on."""
    if done.get("goes_on"):
        say(
            "They are being erased: it takes some minutes more, and a worker carries it out to its end. "
            "Run the same again to learn whether it is done."
        )
        return
    say(
        f"Erased: {counted(done['newsletters'], 'subscription')}, their part in "
        f"{counted(done['mails'], 'mail')} ({done['stopped']} not sent any more), "
        f"{counted(done['letters'], 'letter')}, "
        f"{counted(done['reports'], 'report')} of what came back, {counted(done['mentions'], 'mention')}, "
        f"{counted(done['sign_ups'], 'sign-up')} that waited."
    )
    say("A keyed mark stays: no list brings them back, they themselves may come. Backups hold them longer.")
    if done["has_account"]:
        warn("An account signs in with this address: 'digest account remove' ends that.")
