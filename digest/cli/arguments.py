"""Arguments that many commands take, and checks of what people type."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.pipeline.managing.given import on_a_line as on_a_line
from digest.pipeline.managing.given import required as required
from digest.pipeline.managing.given import within as within

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from digest.store.naming import NamedArticle

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
InSegment = Annotated[
    str,
    typer.Option("--segment", metavar="SEGMENT", help="Only those of this segment."),
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


def pairs(
    given: list[str] | None, option: str, shape: str = "Theirs=ours", *, at_first: bool = False
) -> dict[str, str]:
    """Return what stands before and behind the last `=` of each, or the first.

    Raises `InvalidInput` for one without, which says what `shape` it has to have.
    """
    found: dict[str, str] = {}
    for one in given or ():
        name, sign, value = one.partition("=") if at_first else one.rpartition("=")
        if not sign or not name.strip():
            raise InvalidInput(f"{option}: '{one}' is no pair; write it like '{shape}'")
        found[name.strip()] = value.strip()
    return found
