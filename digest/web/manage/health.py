"""How sources stand, in words: what is well, what is wrong with which, and what an editor can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from digest.domain.counting import counted
from digest.domain.sources import SILENT_AFTER, Excerpt, Source, SourceKind, SourceState
from digest.gather.polled import Polled
from digest.store.source_yield import Yield
from digest.web.manage.times import told
from digest.web.manage.views import Fact, PollView, SourceLine
from digest.web.views import State, Tone

WEEKS = 4
"""How far back what a source brought is counted."""

KINDS = {
    SourceKind.FEED: "A feed",
    SourceKind.SITEMAP: "A sitemap",
    SourceKind.PAGE: "A page that links to articles",
}

_TROUBLE = 0
_ORDER = {Tone.WAITING: _TROUBLE, Tone.GOING: 1, Tone.DONE: 2, Tone.OVER: 3}


def line_of(source: Source, brought: Yield | None, now: datetime) -> SourceLine:
    """Return a source as a list shows it."""
    standing = source.standing
    state, words = _health(source, now)
    is_active = source.state is SourceState.ACTIVE
    return SourceLine(
        id=source.id,
        name=source.name,
        url=source.url,
        kind=KINDS[source.kind],
        state=state,
        words=words if "://" in words.partition(" ")[0] else words[:1].upper() + words[1:],
        read=f"Read {told(standing.succeeded_at, now)}" if standing.succeeded_at else "Never read",
        next=_next(source, now) if is_active else "",
        brought=_brought(brought),
        is_active=is_active,
    )


def in_order(lines: Iterator[SourceLine]) -> tuple[SourceLine, ...]:
    """Return the lines with those first that want somebody, each kind by name."""
    return tuple(sorted(lines, key=lambda line: (_ORDER[line.state.tone], line.name.casefold())))


def _health(source: Source, now: datetime) -> tuple[State, str]:
    """Return how a source stands in two words, and in a sentence what that means; '' when all is well."""
    standing = source.standing
    if source.state is SourceState.PAUSED:
        return State("Paused", Tone.OVER), "It is not read for now. Its articles stay."
    if source.state is SourceState.RETIRED:
        return (
            State("Gone for good", Tone.WAITING),
            "Its server said so (410). Remove it, or resume it to try once more.",
        )
    if standing.last_error:
        since = f" for {_lasting(standing.failing_since, now)}" if standing.failures > 1 else ""
        return State(f"Failing{since}", Tone.WAITING), standing.last_error
    if source.moved_to:
        return (
            State("There twice", Tone.WAITING),
            f"Its server moved it to {source.moved_to}, which is another source: remove one of them.",
        )
    if source.is_silent(now):
        return (
            State("Nothing new", Tone.WAITING),
            f"It answers well, but had nothing new for {SILENT_AFTER.days} days: see whether it moved.",
        )
    if standing.polled_at is None:
        return State("Not read yet", Tone.GOING), ""
    return State("Well", Tone.DONE), ""


def _next(source: Source, now: datetime) -> str:
    due = source.standing.next_poll_at
    return told(due, now) if due and due > now else "as soon as a worker runs"


def _lasting(since: datetime | None, now: datetime) -> str:
    return told(since, now).removesuffix(" ago") if since else "some time"


def _brought(brought: Yield | None) -> str:
    if brought is None:
        return f"no article in {WEEKS} weeks"
    share = f", {round(100 * brought.used / brought.articles)}% used" if brought.articles else ""
    return f"{counted(brought.articles, 'article')} in {WEEKS} weeks{share}"


def facts_of(source: Source, now: datetime) -> tuple[Fact, ...]:
    """Return what else there is to say of a source, by name; what does not apply is left out."""
    return tuple(_facts(source, now))


def _facts(source: Source, now: datetime) -> Iterator[Fact]:
    standing = source.standing
    yield Fact("Kind", KINDS[source.kind])
    yield Fact("Last read well", told(standing.succeeded_at, now, never="not yet"))
    if standing.polled_at and standing.polled_at != standing.succeeded_at:
        yield Fact("Last tried", told(standing.polled_at, now))
    if standing.new_at:
        yield Fact("Last new article", told(standing.new_at, now))
    if standing.failures > 1:
        yield Fact("Failed", f"{counted(standing.failures, 'time')} in a row")
    if source.state is SourceState.ACTIVE:
        yield Fact("Next read", _next(source, now))
    if standing.wait_until and standing.wait_until > now:
        yield Fact("Asked for quiet", f"until {standing.wait_until:%-d %b, %H:%M} UTC")
    if source.moved_from:
        yield Fact("Moved", f"by its server, from {source.moved_from}")
    if source.reservation:
        yield Fact("Reserved", f"{source.reservation}: its articles are for headline and link only")
    if source.excerpt is Excerpt.HEADLINE:
        yield Fact("Used for", "headline and link only")


def poll_view(polled: Polled, now: datetime) -> PollView:
    """Return how a poll went."""
    counts = {
        "new": polled.new,
        "with other words than before": polled.updated,
        "known already": polled.known,
        "of other days": polled.outside,
        "that cannot be read": polled.failed,
        "left for the next time": polled.later,
    }
    return PollView(
        words=_outcome(polled, now),
        is_well=not polled.error,
        counts=tuple(f"{count} {words}" for words, count in counts.items() if count),
        problems=tuple(polled.problems[:20]),
        notice=polled.notice,
    )


def _outcome(polled: Polled, now: datetime) -> str:
    if polled.error:
        return f"It cannot be read: {polled.error}"
    if polled.waits_until:
        return f"It wants to be left alone, and is asked again {told(polled.waits_until, now)}."
    if polled.unchanged:
        return "It answers, and says that nothing changed since it was last read."
    if polled.listed == 0:
        return "It answers, and lists no article."
    return f"It lists {counted(polled.listed, 'article')}."
