"""An issue and its audience to deliveries, in the one transaction that starts the send."""

from __future__ import annotations

import gc
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.addressing import NOTHING_BEFORE, Addressable, Before, Skip, followed
from digest.domain.cadences import Cadence
from digest.domain.errors import InvalidInput
from digest.domain.issues import Edition, Issue, IssueId, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.domain.times import OwnHour, zone
from digest.store.audiences import PAGE, Reader, add_editions, add_skips, audience
from digest.store.bulk import as_stored
from digest.store.contents import addresses_of
from digest.store.database import reading, writing
from digest.store.deliveries import NewDelivery, add_deliveries
from digest.store.history import History, repeats_of
from digest.store.issues import change_issue
from digest.store.newsletters import newsletter_by_id, topic_ids
from digest.store.remakes import already_reached
from digest.store.revisions import get_outline
from digest.store.schedules import find_own_hour


@dataclass(slots=True)
class Addressed:
    """What addressing an issue came to: deliveries, different editions, and readers skipped by reason."""

    deliveries: int = 0
    editions: int = 0
    skipped: dict[SkipReason, int] = field(default_factory=dict)


def address_issue(
    engine: Engine, issue_id: IssueId, *, now: datetime, past: Engine | None = None
) -> Addressed:
    """Start sending an approved issue: one delivery for each reader it has something for.

    All or nothing: the audience is the one of this moment, and a crash in the middle leaves the issue
    approved. `past` is where it says what readers were sent before, when that is not `engine`: a dry run
    addresses in a copy. Raises `Conflict` when the issue is in any other state, so of two who start it one
    does.
    """
    with writing(engine) as session:
        issue = change_issue(session, issue_id, IssueState.SENDING, now=now, only_from=(IssueState.APPROVED,))
        repeats = repeats_of(session, issue, addresses_of(session, issue))
        if past is None:
            return _Addressing(session, issue, History(session, issue, repeats), now).run()
        with reading(past) as elsewhere:
            return _Addressing(session, issue, History(elsewhere, issue, repeats), now).run()


_Key = tuple[int, int | None, frozenset[int]]
"""What decides an edition: the topics followed as a mask, the most articles, what was told before."""


class _Addressing:
    """One issue's addressing: reads the audience in pages and writes each page before the next."""

    def __init__(self, session: Session, issue: Issue, history: History, now: datetime) -> None:
        self._session = session
        self._issue = issue
        self._history = history
        self._now = now
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        self._addressable = addressable(newsletter, issue, session)
        self._topics = topic_ids(session, issue.newsletter_id)
        # The nonce keeps two installations with one sender domain from writing the same Message-ID.
        self._nonce = f"{secrets.token_hex(6)}@{newsletter.sender_email.rpartition('@')[2]}>"
        # A million readers follow 160,000 mixes of topics but see 30,000 editions: kept is a number for each
        # mix, and a key for each edition.
        self._edition_of: dict[_Key, int | Skip] = {}
        self._edition_ids: dict[str, int] = {}
        self._result = Addressed()
        hour = find_own_hour(session, issue.id) if newsletter.local_time else None
        self._due_in = cache(lambda name: as_stored(session, due_at(hour, name, newsletter, now=now)))
        reached = already_reached(session, issue)
        self._reached = frozenset() if reached is None else frozenset(session.scalars(reached))

    def run(self) -> Addressed:
        with _uncollected():
            for page in audience(self._session, self._issue.newsletter_id, self._topics, page=PAGE):
                self._write(page)
        self._result.editions = len(self._edition_ids)
        return self._result

    def _write(self, page: Sequence[Reader]) -> None:
        before = self._before(page)
        self._add_editions(self._new_wishes(page, before))
        deliveries: list[NewDelivery] = []
        skips: list[tuple[SubscriberId, Skip]] = []
        for reader in page:
            then = before.get(reader.subscriber_id, NOTHING_BEFORE) if before else NOTHING_BEFORE
            found = self._skip(reader, then) or self._edition_of[reader.follows, reader.most, then.told]
            if isinstance(found, Skip):
                skips.append((reader.subscriber_id, found))
            else:
                deliveries.append(self._delivery(reader, found))
        add_deliveries(self._session, self._issue.id, deliveries, now=self._now)
        add_skips(self._session, self._issue.id, skips)
        self._count(len(deliveries), (skip for _, skip in skips))

    def _new_wishes(self, page: Sequence[Reader], before: Mapping[SubscriberId, Before]) -> set[_Key]:
        """Return what readers of a page want that nobody before them did."""
        new: set[_Key] = set()
        for reader in page:
            then = before.get(reader.subscriber_id, NOTHING_BEFORE) if before else NOTHING_BEFORE
            key = reader.follows, reader.most, then.told
            if key not in self._edition_of and self._skip(reader, then) is None:
                new.add(key)
        return new

    def _count(self, deliveries: int, skips: Iterable[Skip]) -> None:
        self._result.deliveries += deliveries
        for reason, count in Counter(skip.reason for skip in skips).items():
            self._result.skipped[reason] = self._result.skipped.get(reason, 0) + count

    def _before(self, page: Sequence[Reader]) -> Mapping[SubscriberId, Before]:
        is_paced = any(reader.cadence != _EVERY for reader in page)
        return self._history.between(page[0].subscriber_id, page[-1].subscriber_id, is_paced=is_paced)

    def _skip(self, reader: Reader, before: Before) -> Skip | None:
        """Return why a reader gets no issue of whatever content now, None when they may get this one."""
        if reader.is_suppressed:
            return _SUPPRESSED
        if reader.state == _PAUSED:
            return _IS_PAUSED
        if reader.subscriber_id in self._reached:
            return _ALREADY_SENT
        if reader.cadence == _EVERY or not reader.follows:
            return None
        until = self._addressable.not_due_until(Cadence(reader.cadence), before.last_on)
        return Skip(SkipReason.NOT_DUE, until) if until else None

    def _add_editions(self, keys: Collection[_Key]) -> None:
        """Find out what readers of these wishes get, and store the editions that are new."""
        new: dict[_Key, Edition] = {}
        for key in keys:
            mask, most, told = key
            edition = self._addressable.edition(followed(mask, self._topics), most=most, told=told)
            if isinstance(edition, SkipReason):
                self._edition_of[key] = Skip(edition)
            else:
                new[key] = edition
        names = {key: edition.key for key, edition in new.items()}
        last = max(self._edition_ids.values(), default=0)
        unknown = sorted(set(names.values()) - self._edition_ids.keys())
        self._edition_ids |= add_editions(self._session, self._issue.id, unknown, after=last)
        self._edition_of |= {key: self._edition_ids[name] for key, name in names.items()}

    def _delivery(self, reader: Reader, edition_id: int) -> NewDelivery:
        message_id = f"<{self._issue.id}.{reader.subscriber_id}.{self._nonce}"
        next_at = self._due_in(reader.timezone)
        return NewDelivery(
            reader.subscriber_id, reader.email, reader.email_key, message_id, edition_id, next_at
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking at millions of rows that live for a page and make no cycles.

    Its looks are a sixth of the time that addressing a million readers takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_EVERY, _PAUSED = Cadence.EVERY.value, SubscriptionState.PAUSED.value
_SUPPRESSED, _IS_PAUSED = Skip(SkipReason.SUPPRESSED), Skip(SkipReason.PAUSED)
_ALREADY_SENT = Skip(SkipReason.ALREADY_SENT)


def addressable(newsletter: Newsletter, issue: Issue, session: Session) -> Addressable:
    """Return what of an approved issue decides who gets what."""
    return Addressable.of(newsletter, issue, get_outline(session, issue))


def due_at(hour: OwnHour | None, timezone: str, newsletter: Newsletter, *, now: datetime) -> datetime:
    """Return when a reader's mail may leave: at the hour their own clock shows, but not before `now`.

    Without an `hour` it may at once.
    """
    return now if hour is None else max(now, hour.where(own_zone(timezone, newsletter)))


def own_zone(timezone: str, newsletter: Newsletter) -> ZoneInfo:
    """Return a reader's zone: the newsletter's when they named none, or one that there is no more."""
    try:
        return zone(timezone or newsletter.timezone)
    except InvalidInput:
        return zone(newsletter.timezone)
