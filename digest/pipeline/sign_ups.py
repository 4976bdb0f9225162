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
from digest.intake.sign_ups.caps import mailbox_of, month_of
from digest.intake.sign_ups.steps import take_in
from digest.pipeline.sign_up_alerts import tell_of_caps
from digest.runtime import Runtime
from digest.store.archive import ArchivedIssue, list_archived
from digest.store.attempts import forgive_attempts
from digest.store.database import reading, writing
from digest.store.never_asked import ask_again, is_never_asked, mark_of, never_ask
from digest.store.newsletters import get_newsletter, list_topics
from digest.store.put_off_sign_ups import is_any_due
from digest.store.schedules import list_schedules
from digest.store.sign_ups import put_sign_ups, tally_sign_ups, waiting_sign_ups
from digest.store.subscribers import find_address
from digest.store.topic_pace import articles_a_week
from digest.track.steps import Change, confirm
from digest.track.tokens import SubscriptionLink

log = structlog.get_logger(__name__)

SECONDS = 40.0
"""A task lasts a minute at most; what is left comes next time."""

WAITING_MOST = 200_000
"""Sign-ups that wait for a worker, 100 MB of them: from there on the pages say that they take none now."""


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
        return waiting_sign_ups(session) > 0 or is_any_due(session, now=runtime.clock())


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


def confirm_sign_up(
    runtime: Runtime, link: SubscriptionLink, *, wording: str, measuring: str, network: str
) -> Change:
    """Begin a subscription whose reader says so. Their mailbox's mails of this month are counted anew."""
    change = confirm(
        runtime.engine,
        link.newsletter_id,
        link.subscriber_id,
        now=runtime.clock(),
        wording=wording,
        measuring=measuring,
        network=network,
        erasure_keys=runtime.erasure_keys,
        measured_for=timedelta(days=runtime.settings.keep_measured_days),
    )
    if change is Change.DONE:
        with writing(runtime.engine) as session:
            email = find_address(session, link.subscriber_id)
            forgive_attempts(session, [month_of(email, runtime.sign_up_caps)] if email else [])
            confirmed = {(link.newsletter_id, SignUpOutcome.CONFIRMED): 1}
            tally_sign_ups(session, confirmed, now=runtime.clock())
    return change


def never_again_link(runtime: Runtime, email: str) -> str:
    """Return the link by which whoever reads a mailbox keeps sign-ups from mailing it."""
    mark = mark_of(runtime.erasure_keys, mailbox_of(email))
    return runtime.link("never-again", runtime.tokens.sign_mark(mark))


def is_asked_never_again(runtime: Runtime, mark: str) -> bool:
    """Tell whether sign-ups of a mailbox cause no mail."""
    with reading(runtime.engine) as session:
        return is_never_asked(session, mark)


def ask_never_again(runtime: Runtime, mark: str, *, never: bool) -> None:
    """Keep sign-ups from mailing a mailbox, or let them again. Twice is the same as once."""
    with writing(runtime.engine) as session:
        if never:
            never_ask(session, mark, now=runtime.clock())
        else:
            ask_again(session, mark)
    if never:
        log.info("sign_ups.never_again")
    else:
        log.info("sign_ups.asked_again")
