"""How a source stands, in words: whether it is polled, how its polls go, and when the next one is."""

from __future__ import annotations

from calendar import day_name
from collections.abc import Iterator
from datetime import datetime, timedelta

from digest.domain.counting import counted
from digest.domain.sources import SILENT_AFTER, Asked, Excerpt, Source, SourceState


def in_short(source: Source, now: datetime) -> str:
    """Return what a list says of a source: its last error before all else."""
    if source.state is not SourceState.ACTIVE:
        return _NOT_POLLED[source.state]
    standing = source.standing
    if standing.last_error:
        since = f" since {_told(standing.failing_since)}" if standing.failures > 1 else ""
        return f"failing{since}: {standing.last_error}"
    if source.is_silent(now):
        return f"answers well, but had nothing new for {SILENT_AFTER.days} days"
    return "well" if standing.polled_at else "not polled yet"


def rows_of(source: Source, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a source, by name; what does not apply is left out."""
    standing = source.standing
    yield "state", in_short(source, now)
    if source.moved_from:
        yield "moved", f"its server moved it for good from {source.moved_from}"
    if source.moved_to:
        yield "moved", f"its server moved it to {source.moved_to}, another source: remove one of them"
    if source.reservation:
        yield "reserved", f"{source.reservation}: its articles are for headline and link only"
    if standing.polled_at:
        yield "last poll", _told(standing.polled_at)
    if standing.succeeded_at and standing.succeeded_at != standing.polled_at:
        yield "last good poll", _told(standing.succeeded_at)
    if standing.new_at:
        yield "last new article", _told(standing.new_at)
    if standing.failures > 1:
        yield "failed", f"{counted(standing.failures, 'poll')} in a row"
    if source.state is SourceState.ACTIVE:
        yield "next poll", _told(standing.next_poll_at) if standing.next_poll_at else "at once"
        yield "polled every", _span(int(standing.interval.total_seconds()))
    if wishes := _wishes(standing.asked):
        yield "asks for", wishes
    if standing.wait_until and standing.wait_until > now:
        yield "asked for quiet", f"until {_told(standing.wait_until)}"


def use_of(source: Source) -> str:
    """Return what a source's articles are used for."""
    return "headline and link only" if source.excerpt is Excerpt.HEADLINE else "takeaways and link"


_NOT_POLLED = {
    SourceState.PAUSED: "paused: 'digest source resume' polls it again",
    SourceState.RETIRED: "gone for good (410): remove it, or 'digest source resume' to try it again",
}


def _wishes(asked: Asked) -> str:
    """Return in words when a source does not want to be polled, '' when it says nothing."""
    pause = max(asked.ttl or timedelta(), asked.fresh_for or timedelta())
    hours = ", ".join(map(str, sorted(asked.skip_hours)))
    days = ", ".join(day_name[day] for day in sorted(asked.skip_days))
    told = [
        f"no poll within {_span(int(pause.total_seconds()))}" if pause else "",
        f"none in these hours (UTC): {hours}" if hours else "",
        f"none on {days}" if days else "",
    ]
    return "; ".join(filter(None, told))


def _told(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"


def _span(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    told = [counted(hours, "hour") if hours else "", counted(minutes, "minute") if minutes else ""]
    return " ".join(filter(None, told)) or "minute"
