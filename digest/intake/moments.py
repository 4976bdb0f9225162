"""Moments as lists have them."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.domain.errors import InvalidInput


def parse_moment(field: str, *, now: datetime) -> datetime:
    """Return a moment in ISO 8601 as UTC; without a zone it is UTC. Nothing lies in the future.

    Raises `InvalidInput`.
    """
    try:
        moment = datetime.fromisoformat(field.removesuffix(" UTC"))
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"'{field[:80]}' is no moment; write it like 2026-11-23T07:00:00+00:00") from None
    return min(aware, now)
