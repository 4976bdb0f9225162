"""A send as ops see it: how far, how fast, until when, where and why it fails, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from digest.domain.counting import counted as number_of
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.pipeline.progress import Progress, Waits
from digest.store.progress import SAMPLE
from digest.web.ops.times import moment, second, span
from digest.web.views import Figure, State
from digest.web.words import counted, days, state_of

DOMAINS, CAUSES = 10, 10

_DONE = (
    (DeliveryState.ACCEPTED, "accepted"),
    (DeliveryState.FAILED, "refused for good"),
    (DeliveryState.UNKNOWN, "of unknown outcome"),
    (DeliveryState.CANCELLED, "cancelled"),
)


@dataclass(frozen=True, slots=True)
class SendLine:
    """An issue on its way or sent, in a list."""

    issue_id: int
    newsletter: str
    days: str
    state: State
    began: str
    note: str
    figures: tuple[Figure, ...]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class DomainLine:
    """How the newest mails to one receiving domain went."""

    domain: str
    accepted: str
    failed: str
    put_off: str


@dataclass(frozen=True, slots=True)
class CauseLine:
    """Why mails failed: how many, what was said, what to do."""

    count: str
    said: str
    next_step: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """How a send stands at `at`. `waits` says why nothing moves, `holds` what slows it down."""

    at: str
    state: State
    done: int
    total: int
    share: str
    headline: str
    pace: str
    ends: str
    waits: str
    holds: tuple[str, ...]
    figures: tuple[Figure, ...]
    domains: tuple[DomainLine, ...]
    causes: tuple[CauseLine, ...]
    sampled: str


@dataclass(frozen=True, slots=True)
class SendView:
    """An issue's send with what can be done to it. `live` is None while it is counted for the first time."""

    line: SendLine
    live: LiveView | None
    may_send_now: bool
    may_pause: bool
    may_resume: bool
    may_cancel: bool
    may_resend: bool
    unknown: str


def line_of(issue: Issue, newsletter: Newsletter, told: Progress | None = None) -> SendLine:
    """Return an issue in words, with figures where it was counted."""
    tz = zone(newsletter.timezone)
    done = sum(told.states[state] for state, _ in _DONE) if told else 0
    return SendLine(
        issue_id=issue.id,
        newsletter=newsletter.name,
        days=days(*issue.window.local_days(tz)),
        state=state_of(issue),
        began=moment(issue.sending_at, tz) if issue.sending_at else "",
        note=issue.note,
        figures=_figures(told) if told else (),
        done=done,
        total=told.total if told else 0,
    )


def send_view(issue: Issue, newsletter: Newsletter, told: Progress | None) -> SendView:
    """Return an issue's send as its page shows it."""
    state = issue.state
    unknown = told.states[DeliveryState.UNKNOWN] if told else 0
    failed = told.states[DeliveryState.FAILED] if told else 0
    return SendView(
        line=line_of(issue, newsletter, told),
        live=live_view(told) if told else None,
        may_send_now=state is IssueState.APPROVED and issue.awaits_hour,
        may_pause=state in (IssueState.APPROVED, IssueState.SENDING),
        may_resume=state is IssueState.PAUSED,
        may_cancel=state in (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED),
        may_resend=bool(failed) and state in (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT),
        unknown=number_of(unknown, "mail") if unknown else "",
    )


def live_view(told: Progress) -> LiveView:
    """Return the part of the page that changes while one looks."""
    done = sum(told.states[state] for state, _ in _DONE)
    sampled = sum(one.accepted + one.failed + one.deferred for one in told.domains)
    return LiveView(
        at=second(told.at),
        state=state_of(told.issue),
        done=done,
        total=told.total,
        share=_share(done, told.total),
        headline=f"{counted(done)} of {counted(told.total)} done"
        if told.total
        else "Nobody is addressed yet",
        pace=_pace(told),
        ends=_ends(told),
        waits=_waits(told),
        holds=tuple(f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in told.holds),
        figures=_figures(told),
        domains=tuple(
            DomainLine(one.domain, counted(one.accepted), counted(one.failed), counted(one.deferred))
            for one in told.domains[:DOMAINS]
        ),
        causes=tuple(
            CauseLine(counted(one.count), one.in_words, f"{one.next_step[:1].upper()}{one.next_step[1:]}.")
            for one in told.causes[:CAUSES]
        ),
        sampled=f"Of the newest {SAMPLE:,} mails." if sampled >= SAMPLE else "",
    )


def _figures(told: Progress) -> tuple[Figure, ...]:
    in_hand = told.states[DeliveryState.CLAIMED] + told.states[DeliveryState.SENDING]
    counts = (
        *((told.states[state], words) for state, words in _DONE),
        (told.came_back, "came back"),
        (told.complaints, "called spam"),
        (in_hand, "under way"),
        (told.due, "to come"),
        (told.deferred, "put off"),
        (told.held, "held back"),
        (told.scheduled, "wait for their hour"),
    )
    return tuple(Figure(counted(count), words) for count, words in counts if count)


def _share(done: int, total: int) -> str:
    if not total:
        return ""
    # Rounded down, so that 100 % is said when it is over and not before.
    return f"{100 * done // total} %"


def _pace(told: Progress) -> str:
    if told.rate is None or told.is_over:
        return ""
    return f"{told.rate:,.0f} a second" if told.rate >= 1 else f"{told.rate * 60:.0f} a minute"


def _ends(told: Progress) -> str:
    if told.is_over or told.ends_in is None:
        return ""
    left = timedelta(seconds=max(1, round(told.ends_in.total_seconds())))
    what = " for what can go now" if told.deferred + told.scheduled + told.held else ""
    return f"about {span(left)}{what}"


def _waits(told: Progress) -> str:
    because = f"{told.because[:1].upper()}{told.because[1:].rstrip('.')}" if told.because else ""
    match told.waits:
        case Waits.PAUSED:
            return f"{because or 'Paused'}. “Go on” takes it up where it was."
        case Waits.HELD:
            return f"Everything is {told.because}. The first page of the ops room lets it go on."
        case Waits.SERVER_AWAY:
            return f"{because}."
        case Waits.ITS_HOUR:
            return told.because
        case Waits.NOT_YET_SENT if told.issue.state is IssueState.DRAFT:
            return "It is a draft: nothing is sent before it is approved."
        case Waits.NOT_YET_SENT:
            return "It was not taken up yet. A worker does so within seconds, when one is there."
        case Waits.THROTTLED:
            return f"{because or 'What is left waits for its turn under a cap'}."
        case Waits.LATER:
            first = f" The first is due at {second(told.next_at)} UTC." if told.next_at else ""
            return f"All that is left waits for a later try or its own hour.{first}"
        case Waits.NOBODY_SENDS:
            return (
                "Mails are due, and for a minute none was taken or refused: no worker is there, or it "
                "makes no way. The log of the workers says why."
            )
        case _:
            return ""
