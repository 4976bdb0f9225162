"""What became of the sign-ups of a week, by newsletter and day, and what holds at present."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sign_ups import SignUpOutcome
from digest.intake.sign_ups.caps import newsletter_key
from digest.runtime import Runtime
from digest.store.attempts import attempts_among
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_newsletters
from digest.store.put_off_sign_ups import count_put_off
from digest.store.sign_ups import tallies_since

DAYS = 7
"""Days that are told of, by UTC, today among them."""


@dataclass(frozen=True, slots=True)
class SignUpDay:
    """A day by UTC, and how many sign-ups came to what; an outcome that none came to is left out."""

    day: date
    counts: Mapping[SignUpOutcome, int]


@dataclass(frozen=True, slots=True)
class SignUps:
    """A newsletter's sign-ups. Days on which there were none are left out, the newest is first.

    `mailed` of the `most` mails that an hour allows are used until `until`; `most` is 0 without that cap, and
    `until` None while none is used. `waiting` sign-ups wait for a cap, and are looked at after `next_look`.
    """

    slug: str
    name: str
    is_open: bool
    mailed: int
    most: int
    until: datetime | None
    waiting: int
    next_look: datetime | None
    days: tuple[SignUpDay, ...]

    @property
    def outcomes(self) -> tuple[SignUpOutcome, ...]:
        """What any of its sign-ups came to, in the order of all outcomes."""
        return tuple(one for one in SignUpOutcome if any(one in day.counts for day in self.days))

    @property
    def now_in_words(self) -> tuple[str, ...]:
        """What holds at present, a sentence or two of each; empty when nothing does."""
        told = []
        if self.most and self.until:
            full = " It is full: a sign-up that is sent now is put off." if self.mailed >= self.most else ""
            told.append(
                f"{self.mailed:,} of {self.most:,} mails that an hour allows are used until "
                f"{self.until:%H:%M} UTC.{full}"
            )
        if self.next_look:
            wait = "sign-up waits" if self.waiting == 1 else "sign-ups wait"
            told.append(
                f"{self.waiting:,} {wait} for a cap. The next are looked at after "
                f"{self.next_look:%H:%M} UTC; one that was not asked within two days is given up."
            )
        return tuple(told)


def sign_ups_of_days(runtime: Runtime, slug: str = "") -> tuple[SignUps, ...]:
    """Return the sign-ups of each newsletter, or of one. Nobody's address is told. Raises `NotFound`."""
    now, caps = runtime.clock(), runtime.sign_up_caps
    since = datetime.combine(now.date() - timedelta(days=DAYS - 1), datetime.min.time(), now.tzinfo)
    with reading(runtime.engine) as session:
        newsletters = [get_newsletter(session, slug)] if slug else list_newsletters(session)
        keys = {one.id: newsletter_key(one.id, caps) for one in newsletters}
        tallies = tallies_since(session, since)
        waiting = count_put_off(session)
        used = attempts_among(session, list(keys.values()), now=now)
    found = []
    for one in newsletters:
        mailed, until = used.get(keys[one.id], (0, None))
        put_off, next_look = waiting.get(one.id, (0, None))
        found.append(
            SignUps(
                slug=one.slug,
                name=one.name,
                is_open=one.sign_up,
                mailed=mailed,
                most=caps.per_newsletter_hour,
                until=until,
                waiting=put_off,
                next_look=next_look,
                days=_days(tallies, one),
            )
        )
    return tuple(found)


def _days(
    tallies: Mapping[tuple[NewsletterId, datetime], Mapping[SignUpOutcome, int]], one: Newsletter
) -> tuple[SignUpDay, ...]:
    by_day: dict[date, Counter[SignUpOutcome]] = {}
    for (number, hour), counts in tallies.items():
        if number == one.id:
            by_day.setdefault(hour.date(), Counter()).update(counts)
    return tuple(SignUpDay(when, dict(+by_day[when])) for when in sorted(by_day, reverse=True))
