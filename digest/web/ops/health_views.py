"""Whether everything works: processes, database, broker, sources, and how well mail is liked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import text

from digest.domain.counting import counted as number_of
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.pipeline.alive import SILENT_AFTER
from digest.pipeline.progress import Progress
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.failing import failing_sources
from digest.store.heartbeats import list_heartbeats
from digest.store.issues import issues_page
from digest.store.letters import waiting_letters
from digest.store.newsletters import list_newsletters
from digest.store.outages import find_outage
from digest.web.broker import is_in_process, milliseconds_of
from digest.web.ops.tallies import Tallies
from digest.web.ops.times import away, span
from digest.web.views import State, Tone
from digest.web.words import counted, days

SOURCES = 50
RATED = 10
"""Issues whose rates are shown: the newest that were sent."""

COMPLAINTS_GOOD, COMPLAINTS_MOST = 0.001, 0.003
"""What Gmail asks of senders: below 0.1 %, and never 0.3 % or more (support.google.com/mail/answer/81126)."""

BOUNCES_GOOD = 0.02
"""Above 2 % receivers begin to doubt a sender; `pause_failures` is where an issue stops."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that everything stands on: how it is, and what to do where it is not well."""

    name: str
    state: State
    told: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source that cannot be read."""

    name: str
    newsletter: str
    since: str
    tries: str
    error: str


@dataclass(frozen=True, slots=True)
class RateLine:
    """How an issue was taken: shares in percent, each with how that is to be judged."""

    issue_id: int
    newsletter: str
    days: str
    accepted: str
    bounced: str
    bounced_tone: str
    complaints: str
    complaints_tone: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """Whether everything works."""

    parts: tuple[Part, ...]
    sources: tuple[SourceLine, ...]
    rates: tuple[RateLine, ...]
    uncounted: int


_WELL, _ILL, _SILENT = State("Well", Tone.DONE), State("Not well", Tone.BAD), State("Silent", Tone.BAD)
_NONE = State("Nothing waits", Tone.DONE)


def health_view(runtime: Runtime, tallies: Tallies) -> HealthView:
    """Return how everything is."""
    now = runtime.clock()
    begun = time.perf_counter()
    with reading(runtime.engine) as session:
        session.execute(text("SELECT 1"))
        asked = time.perf_counter() - begun
        beats = list_heartbeats(session, since=now - SILENT_AFTER)
        letters, first = waiting_letters(session)
        newsletters = {one.id: one for one in list_newsletters(session)}
        failing = failing_sources(session, limit=SOURCES)
        going = issues_page(session, limit=RATED, states=(IssueState.SENDING,))
        outages = [found for one in going if (found := find_outage(session, one.id))]
        sent = issues_page(
            session, limit=RATED, states=(IssueState.SENT, IssueState.SENDING, IssueState.PAUSED)
        )
    counts = [(one, tallies.of(one.id)) for one in sent]
    names = {key: one.name for key, one in newsletters.items()}
    return HealthView(
        parts=(
            _workers(len(beats), max((one.seen_at for one in beats), default=None), now),
            Part("Database", _WELL, f"{_dialect(runtime)}, answered in {asked * 1000:.1f} ms"),
            _broker(runtime),
            _mail([found.reason for found in outages]),
            _letters(letters, first, now),
        ),
        sources=tuple(
            SourceLine(
                name=one.name,
                newsletter=names[one.newsletter_id],
                since=away(one.standing.failing_since, now) if one.standing.failing_since else "",
                tries=number_of(one.standing.failures, "try", "tries"),
                error=one.standing.last_error,
            )
            for one in failing
        ),
        rates=tuple(
            _rate(issue, newsletters[issue.newsletter_id], told) for issue, told in counts if told is not None
        ),
        uncounted=sum(told is None for _, told in counts),
    )


def _dialect(runtime: Runtime) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[runtime.engine.dialect.name]


def _workers(count: int, seen_at: datetime | None, now: datetime) -> Part:
    if seen_at is None:
        return Part(
            "Workers",
            _SILENT,
            f"none was heard of for {span(SILENT_AFTER)}: nothing is gathered, made or sent",
            "Start ‘digest up’, or a worker and the beat. Where they run, their log says what stops them.",
        )
    told = f"{number_of(count, 'process', 'processes')} at work, last heard of {away(seen_at, now)}"
    return Part("Workers", _WELL, told)


def _broker(runtime: Runtime) -> Part:
    url = runtime.settings.broker_url
    if is_in_process(url):
        return Part("Broker", _WELL, "inside ‘digest up’")
    took = milliseconds_of(url)
    if took is None:
        # Its address may hold a password.
        return Part(
            "Broker",
            _ILL,
            f"Redis at {urlsplit(url).hostname or 'its socket'} does not answer; nothing is lost",
            "Workers wait for it and go on by themselves. See that Redis is up; ‘digest doctor’ says more.",
        )
    return Part("Broker", _WELL, f"Redis, answered in {took:.1f} ms")


def _mail(reasons: list[str]) -> Part:
    if not reasons:
        return Part("Mail server", _WELL, "no send waits for it")
    return Part(
        "Mail server",
        _ILL,
        f"sends wait for it: {reasons[0]}",
        "Workers try again by themselves, longer apart.",
    )


def _letters(count: int, first: datetime | None, now: datetime) -> Part:
    if not count:
        return Part("Letters", _NONE, "none of the mails besides the digest waits")
    when = f", the first is due {away(first, now)}" if first else ""
    return Part("Letters", State("Wait", Tone.GOING), f"{counted(count, 'letter')}{when}")


def _rate(issue: Issue, newsletter: Newsletter, told: Progress) -> RateLine:
    accepted = told.states[DeliveryState.ACCEPTED]
    failed = told.states[DeliveryState.FAILED]
    bounced = (failed + told.came_back) / max(1, accepted + failed)
    complaints = told.complaints / max(1, accepted)
    return RateLine(
        issue_id=issue.id,
        newsletter=newsletter.name,
        days=days(*issue.window.local_days(zone(newsletter.timezone))),
        accepted=counted(accepted),
        bounced=f"{bounced:.2%}",
        bounced_tone="bad" if bounced > BOUNCES_GOOD else "",
        complaints=f"{complaints:.3%}",
        complaints_tone="bad"
        if complaints >= COMPLAINTS_MOST
        else "wary"
        if complaints >= COMPLAINTS_GOOD
        else "",
    )
