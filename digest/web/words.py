"""States, counts and dates as an editor reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from digest.compose.phrases import ENGLISH
from digest.domain.approvals import AUTOMATIC
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.measuring import LEAST
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.subscribers import SubscriptionState
from digest.web.views import Figure, State, Tone

_STATES = {
    IssueState.DRAFT: State("Draft, waits for approval", Tone.WAITING),
    IssueState.APPROVED: State("Approved, goes out next", Tone.GOING),
    IssueState.SENDING: State("Going out", Tone.GOING),
    IssueState.PAUSED: State("Paused", Tone.WAITING),
    IssueState.SENT: State("Sent", Tone.DONE),
    IssueState.CANCELLED: State("Cancelled", Tone.OVER),
}

_DELIVERIES: Mapping[str, tuple[DeliveryState, ...]] = {
    "accepted": (DeliveryState.ACCEPTED,),
    "on their way": (DeliveryState.CLAIMED, DeliveryState.SENDING),
    "waiting": (DeliveryState.PENDING,),
    "refused for good": (DeliveryState.FAILED,),
    "without an answer": (DeliveryState.UNKNOWN,),
    "cancelled": (DeliveryState.CANCELLED,),
}

_SUBSCRIPTIONS = {
    SubscriptionState.PENDING: "has not confirmed yet, so they get nothing",
    SubscriptionState.PAUSED: "paused, so they get nothing for now",
    SubscriptionState.UNSUBSCRIBED: "unsubscribed, so they get nothing",
}


_AWAITS_HOUR = State("Approved, waits for its hour", Tone.WAITING)


def state_of(issue: Issue) -> State:
    """Return an issue's state in words."""
    if issue.state is IssueState.APPROVED and issue.awaits_hour:
        return _AWAITS_HOUR
    return _STATES[issue.state]


def figures_of(counts: Mapping[DeliveryState, int]) -> tuple[Figure, ...]:
    """Return how a send stands, the states that nobody is in left out. Empty: nobody was addressed."""
    summed = {words: sum(counts[state] for state in states) for words, states in _DELIVERIES.items()}
    return tuple(Figure(counted(count), words) for words, count in summed.items() if count)


def spared_in_words(spared: int | None) -> str:
    """Return how many an issue leaves out as they read no more, '' where it leaves out none such."""
    if spared is None:
        return ""
    many = f"{spared:,} or more" if spared else f"Fewer than {LEAST}"
    return (
        f"{many} of all these will be left out, as they read no more. They are told in steps of {LEAST}, and "
        "counted above as if they were not."
    )


def standing_of(state: SubscriptionState) -> str:
    """Return why a subscriber in this state gets nothing, '' when they do."""
    return _SUBSCRIPTIONS.get(state, "")


def days(first: date, last: date) -> str:
    """Return `16–22 November 2026`."""
    return ENGLISH.days(first, last)


def day(on: date) -> str:
    """Return `16 November`."""
    return ENGLISH.day(on)


def at_hour(moment: datetime) -> str:
    """Return `16 November, 07:00 UTC`."""
    return f"{day(moment.date())}, {moment:%H:%M} UTC"


def approval_of(issue: Issue, newsletter: Newsletter) -> str:
    """Return who or what approved an issue, when and why; '' for a draft."""
    if issue.state is IssueState.DRAFT or not issue.approved_by:
        return ""
    when = f" on {at_hour(issue.approved_at)}" if issue.approved_at else ""
    if issue.approved_by != AUTOMATIC:
        return f"{issue.approved_by} approved revision {issue.revision}{when}."
    if AUTOMATIC in issue.note:
        why = "it was due, and goes out then with errors, too"
    elif newsletter.approval is Approval.AUTOMATIC:
        why = "it was due, and its checks found no error"
    else:
        why = "it was due"
    return f"Approved automatically{when}: {why}."


def counted(count: int, noun: str = "") -> str:
    """Return `1 article`, `1,200 articles`, or the number alone."""
    plural = "" if count == 1 or not noun else "s"
    return f"{count:,} {noun}{plural}".rstrip()
