"""Sign-ups: what a newsletter offers, what is asked of it, and what becomes of that behind the pages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import NotFound, Unavailable
from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import CAPPED, SignUp, SignUpOutcome
from digest.domain.topics import Topic, TopicSlug
from digest.intake.sign_ups.steps import take_in
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime
from digest.store.archive import ArchivedIssue, list_archived
from digest.store.attempts import count_attempts, forgive_attempts
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, list_newsletters, list_topics
from digest.store.schedules import list_schedules
from digest.store.sign_ups import put_sign_ups, tallies_since, waiting_sign_ups
from digest.store.topic_pace import articles_a_week

log = structlog.get_logger(__name__)

SECONDS = 40.0
"""A task lasts a minute at most; what is left comes next time."""

WAITING_MOST = 200_000
"""Sign-ups that wait for a worker, 100 MB of them: from there on the pages say that they take none now."""

ALERT_FROM = 20
"""Sign-ups over a cap in an hour, and in the one before, at which ops are told: honest slips are fewer."""

ALERT_AGAIN = timedelta(hours=6)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a newsletter offers to who might become its reader.

    `weekly` says how many articles of each topic there were a week, None while nothing was published.
    `last` is the newest issue as the archive has it, None before there is one; `next_due` when the next one
    leaves, None where no schedule says so. `measured_days` is how long it is kept what of a reader who agrees
    to it was measured.
    """

    newsletter: Newsletter
    topics: tuple[Topic, ...]
    weekly: Mapping[TopicSlug, float] | None
    last: ArchivedIssue | None
    next_due: datetime | None
    measured_days: int


def read_offer(runtime: Runtime, slug: str) -> Offer:
    """Return what a newsletter offers. Raises `NotFound`: the same for none and for one that takes nobody."""
    with reading(runtime.engine) as session:
        try:
            newsletter = get_newsletter(session, slug)
        except NotFound:
            newsletter = None
        if newsletter is None or not newsletter.sign_up:
            raise NotFound("no newsletter of this name takes sign-ups")
        return Offer(
            newsletter,
            list_topics(session, newsletter.id),
            articles_a_week(session, newsletter.id),
            next(iter(list_archived(session, newsletter.id, limit=1)), None),
            next_due_of(session, newsletter),
            runtime.settings.keep_measured_days,
        )


def next_due_of(session: Session, newsletter: Newsletter) -> datetime | None:
    """Return when the newsletter's next issue leaves, None where no schedule says so."""
    due = (one.next_due for one in list_schedules(session, newsletter.id) if not one.is_paused)
    return min(due, default=None)


def keep_sign_ups(runtime: Runtime, sign_ups: Sequence[SignUp]) -> None:
    """Put sign-ups where a worker finds them: the same work for each, whoever they are.

    Raises `Unavailable` when so many wait that no worker can be there.
    """
    with writing(runtime.engine) as session:
        if waiting_sign_ups(session) > WAITING_MOST:
            raise Unavailable(
                f"more than {WAITING_MOST:,} sign-ups wait, so no more are taken: see that a worker runs"
            )
        put_sign_ups(session, sign_ups)


def are_sign_ups_waiting(runtime: Runtime) -> bool:
    """Return whether there are sign-ups to take in."""
    with reading(runtime.engine) as session:
        return waiting_sign_ups(session) > 0


def take_in_sign_ups(
    runtime: Runtime, *, seconds: float = SECONDS, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Take in the sign-ups that wait, for so long at most; return how many there were."""
    until = time.monotonic() + seconds
    done: Counter[SignUpOutcome] = Counter()
    while time.monotonic() < until and not should_stop():
        page = take_in(
            runtime.engine, runtime.sign_up_caps, erasure_keys=runtime.erasure_keys, now=runtime.clock()
        )
        if not page:
            break
        done += page
    if any(done[outcome] for outcome in CAPPED):
        tell_of_caps(runtime)
    return done.total()


def tell_of_caps(runtime: Runtime) -> None:
    """Tell ops of newsletters whose sign-ups were over their caps in this hour and the last, now and then."""
    now = runtime.clock()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    with reading(runtime.engine) as session:
        tallies = tallies_since(session, this_hour - _HOUR)
        newsletters = list_newsletters(session)
    for newsletter in newsletters:
        before, here = (tallies.get((newsletter.id, hour), {}) for hour in (this_hour - _HOUR, this_hour))
        if min(_capped(before), _capped(here)) < ALERT_FROM or not _is_to_tell(runtime, newsletter):
            continue
        told = "\n".join(
            f"{outcome.in_words}: {before.get(outcome, 0) + here.get(outcome, 0):,}"
            for outcome in SignUpOutcome
            if outcome in CAPPED and (before.get(outcome) or here.get(outcome))
        )
        is_told = tell_ops(
            runtime,
            f"sign-ups for {newsletter.name} are over their caps",
            f"For more than an hour, somebody has sent more than may be mailed:\n\n{told}\n\n"
            "Whoever signs up is told the same as ever, and those over a cap are mailed nothing.",
            to_do="If this is no attack, raise the caps in the settings (sign_ups_per_…). To close the page:",
            commands=[f"digest newsletter change {newsletter.slug} --no-sign-up"],
        )
        if not is_told:
            with writing(runtime.engine) as session:
                forgive_attempts(session, [_alert_key(newsletter)])


def _is_to_tell(runtime: Runtime, newsletter: Newsletter) -> bool:
    """Return whether this caller is to tell ops: nobody has told of this newsletter lately."""
    key = _alert_key(newsletter)
    with writing(runtime.engine) as session:
        told, _ = count_attempts(session, [key], now=runtime.clock(), within=ALERT_AGAIN)[key]
    return told == 1


def _alert_key(newsletter: Newsletter) -> str:
    return f"sign-up alert {newsletter.id}"


def _capped(counts: Mapping[SignUpOutcome, int]) -> int:
    return sum(count for outcome, count in counts.items() if outcome in CAPPED)
