"""`/metrics` in the text form of Prometheus, read from the database: every process answers the same.

Gauges alone: what is so now. Rates over time are what a server that asks again and again is for.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import OccurrenceState
from digest.domain.sign_ups import SignUpOutcome
from digest.pipeline.alive import SILENT_AFTER
from digest.pipeline.progress import Progress
from digest.runtime import Runtime
from digest.store.clicks import followed_since
from digest.store.database import reading
from digest.store.failing import count_sources
from digest.store.heartbeats import last_heartbeat, list_heartbeats
from digest.store.holds import open_holds
from digest.store.issues import issues_in
from digest.store.letters import waiting_letters
from digest.store.newsletters import list_newsletters
from digest.store.outages import find_outage
from digest.store.put_off_sign_ups import count_put_off
from digest.store.schedules import list_schedules
from digest.store.sign_ups import tallies_since, waiting_sign_ups
from digest.store.stage_runs import count_runs
from digest.web.dependencies import TheRuntime
from digest.web.ops.tallies import WAIT_SECONDS, Tallies, TheTallies

router = APIRouter()

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

METRICS: Mapping[str, str] = {
    "digest_workers": "Processes that work, heard of within two minutes.",
    "digest_last_heartbeat_timestamp_seconds": "When a worker was last heard of.",
    "digest_holds": "What keeps everything from being sent; 0 while all may go.",
    "digest_runs": "Scheduled runs that are not over, by state; failed ones stay until they are tried again.",
    "digest_schedule_next_due_timestamp_seconds": "When a schedule that does not rest is next due.",
    "digest_sources": "Sources that are polled.",
    "digest_sources_failing": "Sources whose last poll failed.",
    "digest_letters_waiting": "Mails besides the digest that wait.",
    "digest_deliveries": "Deliveries of an issue under way, by state.",
    "digest_send_due": "Deliveries of an issue that can go now.",
    "digest_send_rate": "Mails taken or refused in a second, over the last minute.",
    "digest_send_returned": "Mails of an issue under way that came back.",
    "digest_send_complaints": "Mails of an issue under way that were called spam.",
    "digest_clicks": "Links followed in a newsletter's mail in the last seven days, where they are counted.",
    "digest_sign_ups": "Sign-ups of the last 24 hours for a newsletter, by what became of them: one that was "
    "put off, asked and confirmed is in each of the three, so they have no sum.",
    "digest_sign_ups_waiting": "Sign-ups that no worker has taken in yet, about.",
    "digest_sign_ups_put_off": "Sign-ups for a newsletter that wait for a cap to let them through.",
    "digest_send_paused": "1 while the issue is paused.",
    "digest_send_waits_for_server": "1 while the issue waits for its mail server.",
}

_CLICKS_OF = timedelta(days=7)
_SIGN_UPS_OF = timedelta(hours=24)
_GOING = (IssueState.SENDING, IssueState.PAUSED)
_OPEN = (
    OccurrenceState.RUNNING,
    OccurrenceState.WAITING,
    OccurrenceState.HELD,
    OccurrenceState.FAILED,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of a metric."""

    name: str
    value: float
    labels: Mapping[str, str]


@router.get(PATH)
def metrics(request: Request, runtime: TheRuntime, tallies: TheTallies) -> PlainTextResponse:
    """Tell how everything is, to who has the token of the settings; without one there is nothing here."""
    token = runtime.settings.metrics_token.get_secret_value()
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return PlainTextResponse("metrics_token is not set\n", HTTPStatus.NOT_FOUND)
    if not secrets.compare_digest(given.encode(), token.encode()):
        headers = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse(
            "this wants metrics_token as a bearer token\n", HTTPStatus.UNAUTHORIZED, headers
        )
    return PlainTextResponse(exposition(samples(runtime, tallies)), media_type=MEDIA_TYPE)


def samples(runtime: Runtime, tallies: Tallies) -> Iterator[Sample]:
    """Yield every number, each metric's together."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        beats = list_heartbeats(session, since=now - SILENT_AFTER)
        last = last_heartbeat(session)
        holds = open_holds(session)
        runs = {state: count_runs(session, state) for state in _OPEN}
        slugs = {one.id: one.slug for one in list_newsletters(session)}
        schedules = [one for one in list_schedules(session) if not one.is_paused]
        sources = count_sources(session)
        letters, _ = waiting_letters(session)
        sign_ups = tallies_since(session, now - _SIGN_UPS_OF)
        waiting = waiting_sign_ups(session)
        put_off = count_put_off(session)
        followed = followed_since(session, now - _CLICKS_OF)
        going = [(one, find_outage(session, one.id)) for one in issues_in(session, *_GOING)]
    yield Sample("digest_workers", len(beats), {})
    if last is not None:
        yield Sample("digest_last_heartbeat_timestamp_seconds", last.timestamp(), {})
    yield Sample("digest_holds", len(holds), {})
    for state, count in runs.items():
        yield Sample("digest_runs", count, {"state": state.value})
    for one in schedules:
        labels = {"newsletter": slugs[one.newsletter_id], "schedule": str(one.id)}
        yield Sample("digest_schedule_next_due_timestamp_seconds", one.next_due.timestamp(), labels)
    for number, name in ((0, "digest_sources"), (1, "digest_sources_failing")):
        for newsletter, slug in slugs.items():
            yield Sample(name, sources.get(newsletter, (0, 0))[number], {"newsletter": slug})
    yield Sample("digest_letters_waiting", letters, {})
    counts = [
        (issue, outage, {"issue": str(issue.id), "newsletter": slugs[issue.newsletter_id]})
        for issue, outage in going
    ]
    told = {issue.id: tallies.of(issue.id, wait=WAIT_SECONDS) for issue, _, _ in counts}
    for issue, _, labels in counts:
        if found := told[issue.id]:
            for delivery in DeliveryState:
                yield Sample("digest_deliveries", found.states[delivery], {**labels, "state": delivery.value})
    for name, figure in _OF_SENDS.items():
        for issue, _, labels in counts:
            if found := told[issue.id]:
                yield Sample(name, figure(found), labels)
    for newsletter, slug in slugs.items():
        yield Sample("digest_clicks", followed.get(newsletter, 0), {"newsletter": slug})
    yield from _sign_ups(sign_ups, slugs)
    yield Sample("digest_sign_ups_waiting", waiting, {})
    for number, slug in slugs.items():
        yield Sample("digest_sign_ups_put_off", put_off.get(number, (0, None))[0], {"newsletter": slug})
    for issue, _, labels in counts:
        yield Sample("digest_send_paused", float(issue.state is IssueState.PAUSED), labels)
    for _, outage, labels in counts:
        yield Sample("digest_send_waits_for_server", float(outage is not None), labels)


def _sign_ups(
    tallies: Mapping[tuple[NewsletterId, datetime], Mapping[SignUpOutcome, int]],
    slugs: Mapping[NewsletterId, str],
) -> Iterator[Sample]:
    sums: Counter[tuple[NewsletterId, SignUpOutcome]] = Counter()
    for (newsletter, _), counts in tallies.items():
        for outcome, count in counts.items():
            sums[newsletter, outcome] += count
    for newsletter, slug in slugs.items():
        for outcome in SignUpOutcome:
            labels = {"newsletter": slug, "outcome": outcome.value}
            yield Sample("digest_sign_ups", sums[newsletter, outcome], labels)


_OF_SENDS: Mapping[str, Callable[[Progress], float]] = {
    "digest_send_due": lambda found: found.due,
    "digest_send_rate": lambda found: found.rate or 0.0,
    "digest_send_returned": lambda found: found.came_back,
    "digest_send_complaints": lambda found: found.complaints,
}


def exposition(found: Iterator[Sample]) -> str:
    """Return the text form that Prometheus reads; samples of one metric come one after the other."""
    lines: list[str] = []
    name = ""
    for one in found:
        if one.name != name:
            name = one.name
            lines += [f"# HELP {name} {METRICS[name]}", f"# TYPE {name} gauge"]
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in one.labels.items())
        lines.append(
            f"{name}{{{labels}}} {float(one.value):.10g}" if labels else f"{name} {float(one.value):.10g}"
        )
    return "\n".join([*lines, ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
