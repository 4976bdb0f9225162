"""Dates as feeds and pages write them, to aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Clocks differ a little; a date further ahead is a wrong one (an embargo, an event, a typing error).
TOLERANCE = timedelta(minutes=15)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")
_FRACTION = re.compile(r"\.(\d{1,9})(?=$|[Z+-])")


def believable(moment: datetime | None, now: datetime) -> datetime | None:
    """Return `moment` in UTC when something can be published then, else None: the future, before 1990."""
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None
    if not EARLIEST <= moment <= now + TOLERANCE:
        return None
    return min(moment, now)


def parsed_date(text: str, now: datetime) -> datetime | None:
    """Return the instant that `text` names in ISO 8601 or RFC 5322, None when it is no believable date.

    A time without a zone is read as UTC. A day without a time is taken at noon UTC, which is the same
    calendar day in every zone but the two easternmost; today's is not moved past `now`.
    """
    text = text.strip()
    day = _DAY.fullmatch(text)
    try:
        if day:
            noon = datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)
            return believable(min(noon, now) if noon.date() == now.date() else noon, now)
        return believable(_instant(text), now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _instant(text: str) -> datetime:
    if _DAY.match(text):
        text = _FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", text.replace("z", "Z"))
        return datetime.fromisoformat(_OFFSET.sub(r"\1:\2", text.replace(" +", "+").replace(" UTC", "Z")))
    return parsedate_to_datetime(text)
