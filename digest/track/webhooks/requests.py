"""A webhook's request, what is read out of it, and the port that every provider's reader has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from digest.domain.errors import InvalidInput, Refused
from digest.store.base import storable
from digest.track.events import BELIEVED_FOR, Event, Token

AHEAD = timedelta(hours=2)
"""How far in our future a signature may have been made: clocks differ, ours may be wrong by an hour."""

_TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class Request:
    """What a provider posted: headers by their names in lower case, and the body as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """The events of a request; a `token` is good for what came with it first, and for nothing else."""

    events: tuple[Event, ...] = ()
    token: Token | None = None


class Webhook(Protocol):
    """One provider's webhook."""

    async def read(self, request: Request, *, now: datetime) -> Page:
        """Return what a request tells.

        Raises `Refused` when it is not signed by whom we know, too old or for somebody else; `InvalidInput`
        when it is signed and cannot be read; `Unavailable` when that cannot be told now.
        """
        ...


def require_recent(moment: datetime | None, *, now: datetime) -> None:
    """Raise `Refused` for what was signed too long ago: a copy of it would not be known any more."""
    if moment is None:
        raise Refused("it does not say when it was signed")
    if moment < now - BELIEVED_FOR:
        raise Refused("it was signed too long ago")
    if moment > now + AHEAD:
        raise Refused("it was signed in the future: look at this machine's clock")


def unix_time(text: str) -> datetime | None:
    """Return the moment that digits are the seconds of, None for what are none."""
    return (
        datetime.fromtimestamp(int(text), UTC)
        if text.isascii() and text.isdigit() and len(text) < 11
        else None
    )


def parsed(body: bytes) -> object:
    """Return what a body of JSON holds. Raises `InvalidInput` when it is none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InvalidInput("its body is no JSON") from exc
    return found


def at(found: object, *path: str) -> object:
    """Return what stands at a path of JSON's objects, None where there is nothing."""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def text_at(found: object, *path: str) -> str:
    """Return the text or number at a path, on one line and of a length that can be stored; '' for none."""
    value = at(found, *path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(storable(str(value)).split())[:_TEXT_MAX]


def list_at(found: object, *path: str) -> list[object]:
    """Return the list at a path, [] for none."""
    value = at(found, *path)
    return value if isinstance(value, list) else []


def names_of(scheme: str, theirs: str, message_id: str) -> tuple[str, ...]:
    """Return what a mail may be known by: our Message-ID first, with or without its brackets as given."""
    bare = message_id.strip().strip("<>")
    own = (f"<{bare}>",) if bare else ()
    named = theirs.strip().strip("<>")
    return (*own, f"{scheme}:{named}") if named else own
