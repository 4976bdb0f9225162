"""Endpoints in words: how each stands, what it is told, and what came of each call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.counting import counted
from digest.domain.endpoints import Call, CallState, Endpoint, EventKind
from digest.web.manage.times import told
from digest.web.manage.words import Choice
from digest.web.views import State, Tone
from digest.web.words import at_hour

KINDS = tuple(
    Choice(kind.value, words)
    for kind, words in {
        EventKind.ISSUE_DRAFT: "an issue is a draft",
        EventKind.ISSUE_APPROVED: "an issue was approved",
        EventKind.ISSUE_SENDING: "an issue is going out",
        EventKind.ISSUE_PAUSED: "an issue was paused",
        EventKind.ISSUE_SENT: "an issue was sent",
        EventKind.ISSUE_CANCELLED: "an issue was cancelled",
        EventKind.DELIVERY_FAILED: "a mail failed",
        EventKind.SUBSCRIBER_PENDING: "somebody wants to subscribe",
        EventKind.SUBSCRIBER_ACTIVE: "somebody subscribed, or came back",
        EventKind.SUBSCRIBER_PAUSED: "somebody paused",
        EventKind.SUBSCRIBER_UNSUBSCRIBED: "somebody unsubscribed",
        EventKind.SUBSCRIBER_ERASED: "somebody was erased",
    }.items()
)
"""What an endpoint can be told of; tests it takes in any case."""

_CALLED = {choice.value: choice.words for choice in KINDS} | {EventKind.ENDPOINT_TESTED: "a test"}


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """An endpoint as lists and its own page show it. `words` say what is wrong, '' while nothing is."""

    id: int
    title: str
    url: str
    kinds: str
    state: State
    words: str
    made: str
    is_off: bool


@dataclass(frozen=True, slots=True)
class CallView:
    """A call: what of, when, what came of it, and what was sent. `can_repeat` unless it waits anyway."""

    id: int
    what: str
    event_id: str
    made: str
    outcome: str
    answer: str
    body: str
    state: State
    can_repeat: bool


def line_of(one: Endpoint, now: datetime) -> EndpointLine:
    """Return an endpoint in words."""
    wanted = [choice.words for choice in KINDS if EventKind(choice.value) in one.kinds]
    return EndpointLine(
        id=one.id,
        title=one.about or _host(one.url),
        url=one.url,
        kinds=f"Told of {counted(len(wanted), 'kind')} of event"
        + (f": {', '.join(wanted)}" if wanted else ""),
        state=_state(one),
        words=_words(one, now),
        made=f"{at_hour(one.made_at)}, by {one.made_by}",
        is_off=one.is_off,
    )


def call_views(calls: Sequence[Call], now: datetime) -> tuple[CallView, ...]:
    """Return calls in words, in the order they are given."""
    return tuple(
        CallView(
            id=one.id,
            what=_CALLED.get(one.kind, one.kind.value),
            event_id=one.event_id,
            made=told(one.made_at, now),
            outcome=_outcome(one, now),
            answer=one.answer,
            body=_indented(one.body),
            state=_STATES[one.state],
            can_repeat=one.state is not CallState.WAITING,
        )
        for one in calls
    )


_STATES = {
    CallState.WAITING: State("Waits", Tone.GOING),
    CallState.TAKEN: State("Taken", Tone.DONE),
    CallState.GIVEN_UP: State("Given up", Tone.WAITING),
}


def _state(one: Endpoint) -> State:
    if one.is_off:
        return State("Paused", Tone.OVER)
    return State("Takes nothing", Tone.WAITING) if one.failing_since else State("Well", Tone.DONE)


def _words(one: Endpoint, now: datetime) -> str:
    if one.is_off:
        return f"It is told nothing: {one.why_off}."
    if one.failing_since:
        return f"It took nothing since {told(one.failing_since, now)}; calls are tried again for three days."
    return ""


def _outcome(one: Call, now: datetime) -> str:
    if not one.tries:
        return "not tried yet: a worker does within seconds" if one.next_at else "never tried"
    tries = counted(one.tries, "try", "tries")
    said = f"answered {one.status}" if one.status else "no answer"
    again = (
        f", tried again {told(one.next_at, now)}" if one.next_at and one.state is CallState.WAITING else ""
    )
    return f"{tries}, {said}{again}"


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _indented(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body
