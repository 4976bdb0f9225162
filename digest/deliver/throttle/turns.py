"""Claims with turns: each delivery that is claimed gets the moment from which it may leave.

Everything is done in the claim's own transaction: what there is no slot for is put off in it, so no worker
holds what it cannot send soon. Where nothing is capped and no receiver complains, a claim costs two small
questions more, whatever its size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from digest.deliver.throttle.caps import Throttle
from digest.deliver.throttle.gates import Quiet, find_full, find_quiet
from digest.deliver.throttle.groups import Groups, domain_of
from digest.deliver.throttle.slots import count_free, opens_at, put_off, some_time_later, take
from digest.deliver.throttle.slowing import rate_of, reduced_rate
from digest.domain.deliveries import Claim
from digest.domain.issues import IssueId
from digest.store.claims import claim_deliveries, put_claims_off
from digest.store.receivers import Receiver, limited_receivers
from digest.store.throttles import Capped, Scope, Slots, Use, let_go, let_go_on, lock_slots, save_slots


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A claim, and the moment from which it may leave, in seconds since 1970."""

    at: float
    delivery: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim came to: the turns in order, and how many more were put off.

    Where both are nothing, `opens_at` says when there is something to claim; None: nothing is due. `day` is
    the day of the warm-up that the turns were counted on.
    """

    turns: tuple[Turn, ...] = ()
    put_off: int = 0
    opens_at: datetime | None = None
    day: date | None = None


Taken = Mapping[Capped, tuple[Slots, Use]]
Limits = frozenset[tuple[str, datetime | None, datetime | None]]
"""Groups that complained, when they were slowed down and when paused."""
_ALL = Capped(Scope.ALL)


class Turns:
    """Claims deliveries of one issue for one worker."""

    def __init__(self, issue_id: IssueId, throttle: Throttle, *, owner: str) -> None:
        self._issue_id = issue_id
        self._throttle = throttle
        self._owner = owner
        self._groups = Groups()
        self.quiet: Quiet | None = None
        """The newsletter's quiet hours, as the last claim found them."""
        self._limits: Limits = frozenset()

    def claim(self, session: Session, *, limit: int, now: datetime, lease_until: datetime) -> Batch:
        """Claim up to `limit` due deliveries that may leave soon."""
        self.quiet = find_quiet(session, self._issue_id)
        closed = (self.quiet and self.quiet.closed(now)) or find_full(
            session, self._issue_id, self._throttle.warm_up, now=now
        )
        if closed:
            return Batch(opens_at=closed.until)
        everything, day = self._throttle.everything, self._day(now)
        taken = dict(lock_slots(session, [_ALL] if everything else []))
        room = min(limit, self._room_today(session, day, limit))
        if everything:
            slots, rate = taken[_ALL][0], everything.per_second
            opens = opens_at(slots, rate, room, now=now.timestamp())
            if opens > now.timestamp():
                return Batch(opens_at=datetime.fromtimestamp(opens, UTC))
            room = min(room, count_free(slots, rate, now=now.timestamp()))
        claims = claim_deliveries(
            session, self._issue_id, owner=self._owner, limit=room, now=now, lease_until=lease_until
        )
        turns, later = self._by_group(session, claims, now=now)
        if everything and turns:
            slots, use = taken[_ALL]
            turns, slots = _behind(turns, slots, everything.per_second, now=now.timestamp())
            save_slots(session, {_ALL: (slots, use.plus(len(turns), now=now))})
        if day:
            let_go(session, day, len(turns))
        put_claims_off(session, later)
        return Batch(tuple(turns), len(later), day=day)

    def is_outdated(self, session: Session) -> bool:
        """Whether a receiver was paused, slowed down or let go on since the last claim."""
        return _limits(limited_receivers(session)) != self._limits

    def _day(self, now: datetime) -> date | None:
        """Return today where the warm-up counts what leaves on it."""
        today, warm_up = now.astimezone(UTC).date(), self._throttle.warm_up
        return today if warm_up and warm_up.cap_on(today) is not None else None

    def _room_today(self, session: Session, day: date | None, limit: int) -> int:
        warm_up = self._throttle.warm_up
        cap = warm_up.cap_on(day) if warm_up and day else None
        return limit if day is None or cap is None else max(0, cap - let_go_on(session, day, lock=True))

    def _by_group(
        self, session: Session, claims: Sequence[Claim], *, now: datetime
    ) -> tuple[list[Turn], list[tuple[Claim, datetime]]]:
        """Give each claim the turn its group has room for; return those, and what is put off until when."""
        at = now.timestamp()
        caps = self._throttle.of(Scope.GROUP)
        limited_now = limited_receivers(session)
        self._limits = _limits(limited_now)
        receivers = {
            one.group: one for one in limited_now if one.paused_at or reduced_rate(one, now=now) is not None
        }
        if not claims or not (caps or receivers):
            return [Turn(at, claim.id, claim) for claim in claims], []
        rates = {
            group: rate_of(receivers.get(group), caps.get(group), now=now)
            for group in caps.keys() | receivers.keys()
        }
        paused = {group for group, one in receivers.items() if one.paused_at}
        turns: list[Turn] = []
        later: list[tuple[Claim, datetime]] = []
        limited: dict[str, list[Claim]] = defaultdict(list)
        for claim, group in zip(claims, self._groups_of(session, claims), strict=True):
            if group in paused:
                later.append((claim, _moment(some_time_later(at))))
            elif rates.get(group) is None:
                turns.append(Turn(at, claim.id, claim))
            else:
                limited[group].append(claim)
        taken = lock_slots(session, [Capped(Scope.GROUP, group) for group in limited])
        left: dict[Capped, tuple[Slots, Use]] = {}
        for capped, (slots, use) in taken.items():
            waiting, rate = limited[capped.name], rates[capped.name] or 0.0
            moments, slots = take(slots, rate, len(waiting), now=at)
            put_to, slots = put_off(slots, rate, len(waiting) - len(moments), now=at)
            turns += [Turn(max(at, when), claim.id, claim) for when, claim in zip(moments, waiting)]  # noqa: B905
            later += zip(waiting[len(moments) :], map(_moment, put_to), strict=True)
            left[capped] = slots, use.plus(len(moments), now=now)
        save_slots(session, left)
        return sorted(turns), later

    def _groups_of(self, session: Session, claims: Sequence[Claim]) -> list[str]:
        domains = [domain_of(claim.email) for claim in claims]
        groups = self._groups.of(session, set(domains))
        return [groups[domain] for domain in domains]


def _behind(turns: Sequence[Turn], slots: Slots, rate: float, *, now: float) -> tuple[list[Turn], Slots]:
    """Return the turns, none before its slot of the cap on everything. There is a slot for each."""
    moments, left = take(slots, rate, len(turns), now=now)
    return [
        Turn(max(turn.at, when), turn.delivery, turn.claim) for turn, when in zip(turns, moments, strict=True)
    ], left


def _limits(receivers: Sequence[Receiver]) -> Limits:
    return frozenset((one.group, one.halved_at, one.paused_at) for one in receivers)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
