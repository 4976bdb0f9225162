"""Dates as feeds and pages write them, to aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from digest.gather.days import named_day
from digest.gather.months import month_of

# A site that writes its local time as if it were UTC is up to 14 hours ahead (Kiribati is UTC+14). What is
# further ahead is no clock: an embargo, an event, a typing error.
TOLERANCE = timedelta(hours=14)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_LONGEST = 80
_ISO = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
    r"(?:(?:\s*[Tt]\s*|\s+|,\s*)(\d{1,2})(?::?(\d{2}))(?::?(\d{2})(?:[.,](\d{1,9}))?)?\s*(.*))?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})()(.*))?")
_EPOCH = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")
_CLOCK = re.compile(
    r"\b(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*([AaPp])\.?\s?[Mm]\b\.?)?|\b(\d{1,2})\s*([AaPp])\.?[Mm]\b\.?"
)
_OFFSET = re.compile(r"(?:(?:GMT|UTC|UT|Z)\s*)?([+-])\s?(\d{1,2})(?::?(\d{2}))?(?!\d)")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_COMMENT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_ZONES = {
    "gmt": 0, "utc": 0, "ut": 0, "z": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "mez": 60, "met": 60,
    "cest": 120, "mesz": 120, "mest": 120, "eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540,
    "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780, "ast": -240, "adt": -180, "est": -300, "edt": -240,
    "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "hst": -600,
}  # fmt: skip


def believable(moment: datetime | None, now: datetime) -> datetime | None:
    """Return `moment` in UTC when something can be published then, else None: the future, before 1990.

    Up to 14 hours ahead is a local time written as UTC, or a clock that runs fast: that is `now`.
    """
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
    """Return the instant that `text` names, None when it is no believable date; see `instant_of`."""
    return believable(instant_of(text), now)


def instant_of(text: str) -> datetime | None:
    """Return the instant that `text` names, in UTC, believable or not; None when it names none.

    ISO 8601 and RFC 5322 in their many spellings, seconds since 1970, and a day as people write it
    (`named_day`). A time without a zone, or with an unknown one, is UTC (RFC 5322 §4.3). A day without a time
    is taken at noon UTC, which is the same calendar day in every zone but the two easternmost. "Yesterday"
    depends on when it was written, and is not read.
    """
    if len(text) > 2 * _LONGEST:
        return None
    text = " ".join(_COMMENT.sub(" ", text).split())
    if not text or len(text) > _LONGEST:
        return None
    try:
        if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
            return _from_iso(match)
        if match := _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(match[1]), UTC)
        return _from_words(text)
    except (ValueError, OverflowError, OSError):
        return None


def noon(day: date) -> datetime:
    """Return the instant that stands for a day without a time: noon UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _from_iso(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is None:
        return noon(date(int(year), int(month), int(day)))
    minutes = _zone_minutes(zone)
    if minutes is None:
        return None
    moment = _at(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    micro = int(f"{(fraction or '')[:6]:0<6}")
    return moment + timedelta(microseconds=micro, minutes=-minutes)


def _from_words(text: str) -> datetime | None:
    clock = _CLOCK.search(text)
    zone = None
    if clock:
        text, zone = text[: clock.start()], text[clock.end() :]
        zone, text = _split_zone(zone, text)
    day = named_day(text)
    if day is None:
        return None
    if clock is None:
        return noon(day)
    minutes = _zone_minutes(zone or "")
    hour = _hour(clock)
    if minutes is None:
        return None
    local = _at(day.year, day.month, day.day, hour, int(clock[2] or 0), int(clock[3] or 0))
    return local - timedelta(minutes=minutes)


def _split_zone(after: str, before: str) -> tuple[str, str]:
    """Return the zone and the day's words, of which some may stand after the time (`… 10:00:00 CET 2026`)."""
    offset = _OFFSET.search(after)
    zone = offset[0] if offset else ""
    rest = after.replace(zone, " ", 1) if zone else after
    kept = []
    for word in _WORD.findall(rest):
        if not zone and word.casefold() in _ZONES:
            zone = word
        elif month_of(word) or word.isdigit() or rest.strip() != word:
            kept.append(word)
    return zone, f"{before} {' '.join(kept)}"


def _hour(clock: re.Match[str]) -> int:
    hour, half = int(clock[1] or clock[5]), (clock[4] or clock[6] or "").lower()
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _at(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
    """Return the instant in UTC. 24:00 is the next day's beginning, a leap second the one before it."""
    whole = datetime(year, month, day, hour % 24 if hour == 24 else hour, minute, min(second, 59), tzinfo=UTC)
    return whole + timedelta(days=1) if hour == 24 else whole


def _zone_minutes(zone: str) -> int | None:
    """Return how far a zone is ahead of UTC; 0 for an unknown word, None for what is no zone."""
    zone = zone.strip()
    if match := _OFFSET.fullmatch(zone):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return (-minutes if match[1] == "-" else minutes) if minutes <= 15 * 60 else None
    if zone and not re.fullmatch(r"[A-Za-z]{1,5}|[A-Za-z]+/[A-Za-z_]+", zone):
        return None
    return _ZONES.get(zone.casefold(), 0)
