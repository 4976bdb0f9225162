"""Arguments that many commands take, and checks of what people type."""

from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING, Annotated

import typer

from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from digest.store.naming import NamedArticle

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NUMBER_MAX = 2**31 - 1
"""The largest number a row can have on every database."""


def number(value: int) -> int:
    """Return `value` when a row can have that number, else tell typer."""
    if not 0 < value <= _NUMBER_MAX:
        raise typer.BadParameter(f"{value} cannot be a number of anything: they count from 1")
    return value


Slug = Annotated[str, typer.Argument(metavar="NEWSLETTER", help="The newsletter's short name.")]
IssueNumber = Annotated[
    int,
    typer.Argument(metavar="ISSUE", callback=number, help="The issue's number: see 'digest issue list'."),
]
ScheduleNumber = Annotated[
    int,
    typer.Argument(
        metavar="SCHEDULE", callback=number, help="The schedule's number: see 'digest schedule list'."
    ),
]
RunNumber = Annotated[
    int,
    typer.Argument(metavar="RUN", callback=number, help="The run's number: see 'digest schedule runs'."),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.")]
LogFiles = Annotated[
    list[str],
    typer.Option(
        "--log",
        metavar="FILE",
        help="A log of Postfix or Exim, also gzipped or from journalctl -o export; - for standard input. "
        "Each rotated file has its own --log.",
    ),
]
Complete = Annotated[
    bool,
    typer.Option(
        "--complete",
        help="The logs hold everything the server took since the send began: what is not in them was never "
        "accepted, and is sent again.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


ArticleName = Annotated[
    str,
    typer.Argument(metavar="ARTICLE", help="The article's number, see 'digest article list', or address."),
]


def named_article(engine: Engine, named: str, *, within: NewsletterId | None = None) -> NamedArticle:
    """Return the article that `named` is the number or address of. Raises `NotFound`, `InvalidInput`."""
    from digest.gather.urls import comparison_key
    from digest.store.database import reading
    from digest.store.naming import get_named_article

    addresses = [comparison_key(named)] if "://" in named else []
    with reading(engine) as session:
        return get_named_article(session, named, addresses=addresses, within=within)


def decided_by(by: str, option: str = "--by") -> str:
    """Return who decides something, without a name the user's login. Raises `InvalidInput`."""
    from digest.intake.names import parse_person

    return parse_person(by or getpass.getuser(), option)


def required(text: str, option: str, *, limit: int = 200) -> str:
    """Return `text` without blanks around it. Raises `InvalidInput` when it is empty or too long."""
    if not text.strip():
        raise InvalidInput(f"{option} is empty")
    return within(text.strip(), option, limit=limit)


def on_a_line(text: str, option: str) -> str:
    """Return a name that readers see, without blanks around it.

    Raises `InvalidInput` where it holds what no mail prints: line breaks, control signs, marks that turn text
    round.
    """
    from digest.compose.untrusted import plain

    odd = next((sign for sign in text.strip() if plain(f"a{sign}b") != f"a{sign}b"), "")
    if odd:
        kind = "a line break" if odd.splitlines() == [""] else "a sign that is not seen"
        raise InvalidInput(
            f"{option} holds {kind} (U+{ord(odd):04X}), and stands on a line of every mail: leave it out"
        )
    return text.strip()


def within(text: str, option: str, *, limit: int) -> str:
    """Return `text`. Raises `InvalidInput` when it is longer than there is room for."""
    if len(text) > limit:
        raise InvalidInput(f"{option} is {len(text)} characters long; there is room for {limit}")
    return text


def language_tag(text: str, option: str = "--language") -> str:
    """Return a language as mail and HTML name it (BCP 47), '' for none. Raises `InvalidInput` otherwise."""
    if text and not _LANGUAGE.fullmatch(text):
        raise InvalidInput(f"{option} '{text}' is not a language tag: use one such as en, fr or pt-BR")
    return within(text, option, limit=16)


def spoken_language(text: str, option: str = "--language") -> str:
    """Return a language that mail can be in. Raises `InvalidInput` for '' and for `und`, which name none."""
    if text.strip().lower() in ("", "und"):
        raise InvalidInput(f"{option} '{text}' names no language: use one such as en, fr or pt-BR")
    return language_tag(text, option)
