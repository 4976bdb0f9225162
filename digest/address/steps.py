"""An issue and its audience to deliveries, in the one transaction that starts the send."""

from __future__ import annotations

import gc
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.address.behind import Behind
from digest.domain.addressing import NOTHING_BEFORE, Addressable, Before, Skip, followed
from digest.domain.cadences import Cadence
from digest.domain.errors import InvalidInput
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.less import NOTHING_LESS, Less
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.domain.times import OwnHour, zone
from digest.domain.wished import parse_wished_hour
from digest.store.audiences import PAGE, Reader, add_editions, add_skips, audience
from digest.store.bulk import as_stored
from digest.store.contents import addresses_of, sources_of
from digest.store.database import reading, reading_beside, writing
from digest.store.deliveries import NewDelivery, add_deliveries
from digest.store.history import History, repeats_of
from digest.store.issue_segments import freeze_limits, outside, wanted_limits
from digest.store.issues import change_issue
from digest.store.less import LessAsked
from digest.store.measured import measured_between
from digest.store.measures import note_measured
from digest.store.newsletters import newsletter_by_id, topic_ids
from digest.store.reader_pauses import end_pauses
from digest.store.remakes import already_reached
from digest.store.revisions import get_outline, get_rendered
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
        # In a transaction before it, as the audience is read beside the one that makes the issue sending.
        end_pauses(session, now=now)
    with writing(engine) as session:
        issue = change_issue(session, issue_id, IssueState.SENDING, now=now, only_from=(IssueState.APPROVED,))
        repeats = repeats_of(session, issue, addresses_of(session, issue))
        with (
            reading_beside(engine) as readers,
            nullcontext(readers) if past is None else reading(past) as then,
        ):
            return _Addressing(session, readers, issue, History(then, issue, repeats), now).run()


_Key = tuple[int, int | None, frozenset[int], bool, Less, bool]
"""What decides an edition: the topics followed as a mask, the most articles, what was told before, whether
it is text alone, what they want less of, and whether they agreed to be measured."""


class _Addressing:
    """One issue's addressing: reads the audience in pages, and decides about one while the last is written.

    The database does both at once, on two connections: what is read is a view of one moment, `readers`;
    what is written goes through `session`, which the thread behind has while a page is under way.
    """

    def __init__(
        self, session: Session, readers: Session, issue: Issue, history: History, now: datetime
    ) -> None:
        self._session = session
        self._readers = readers
        self._behind = Behind()
        self._issue = issue
        self._history = history
        self._now = now
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        self._addressable = addressable(newsletter, issue, session)
        self._topics = topic_ids(session, issue.newsletter_id)
        self._asked = LessAsked(readers, issue.newsletter_id, self._topics, after=issue.window.end)
        # The nonce keeps two installations with one sender domain from writing the same Message-ID.
        self._nonce = f"{secrets.token_hex(6)}@{newsletter.sender_email.rpartition('@')[2]}>"
        # A million readers follow 160,000 mixes of topics but see 30,000 editions: kept is a number for each
        # mix, and a key for each edition.
        self._edition_of: dict[_Key, int | Skip] = {}
        self._edition_ids: dict[str, int] = {}
        self._result = Addressed()
        rendered = get_rendered(session, issue) if newsletter.measuring is Measuring.ASKED else None
        self._measures = rendered is not None and rendered.is_measuring
        self._has_links = rendered is not None and bool(rendered.links)
        self._measured: Counter[bool] = Counter()
        hour = find_own_hour(session, issue.id) if newsletter.local_time else None
        self._due_in = cache(
            lambda name, wish: as_stored(session, due_at(hour, name, newsletter, wish=wish, now=now))
        )
        limits = wanted_limits(session, issue)
        freeze_limits(session, issue.id, limits)
        self._outside = outside(session, newsletter, limits, now=now)
        reached = already_reached(session, issue)
        self._reached = frozenset() if reached is None else frozenset(session.scalars(reached))

    def run(self) -> Addressed:
        with _uncollected(), self._behind:
            pages = audience(
                self._readers, self._issue.newsletter_id, self._topics, page=PAGE, outside=self._outside
            )
            for page in pages:
                self._address(page)
        self._result.editions = len(self._edition_ids)
        if self._measures:
            note_measured(
                self._session,
                self._issue.id,
                html=self._measured[False],
                text=self._measured[True],
                has_links=self._has_links,
            )
        return self._result

    def _address(self, page: Sequence[Reader]) -> None:
        wishes = self._wishes(page)
        self._learn({wish for wish in wishes if not isinstance(wish, Skip) and wish not in self._edition_of})
        deliveries: list[NewDelivery] = []
        skips: list[tuple[SubscriberId, Skip]] = []
        for reader, wish in zip(page, wishes, strict=True):
            found = wish if isinstance(wish, Skip) else self._edition_of[wish]
            if isinstance(found, Skip):
                skips.append((reader.subscriber_id, found))
            else:
                deliveries.append(self._delivery(reader, found))
                if not isinstance(wish, Skip) and wish[-1]:
                    self._measured[reader.text_only] += 1
        self._behind.start(lambda: self._write(deliveries, skips))
        self._count(len(deliveries), (skip for _, skip in skips))

    def _write(self, deliveries: Sequence[NewDelivery], skips: Sequence[tuple[SubscriberId, Skip]]) -> None:
        add_deliveries(self._session, self._issue.id, deliveries, now=self._now)
        add_skips(self._session, self._issue.id, skips)

    def _wishes(self, page: Sequence[Reader]) -> list[_Key | Skip]:
        """Return what each reader of a page wants, or why they get no issue of whatever content now."""
        before = self._before(page)
        ids = page[0].subscriber_id, page[-1].subscriber_id
        asked = self._asked.between(*ids)
        agreed = self._agreed(*ids) if self._measures else ()
        return [
            self._wish(
                reader,
                before.get(reader.subscriber_id, NOTHING_BEFORE),
                asked.get(reader.subscriber_id, NOTHING_LESS),
                reader.subscriber_id in agreed,
            )
            for reader in page
        ]

    def _agreed(self, first: SubscriberId, last: SubscriberId) -> Collection[int]:
        return measured_between(self._readers, self._issue.newsletter_id, first, last, now=self._now)

    def _wish(self, reader: Reader, before: Before, less: Less, is_measured: bool) -> _Key | Skip:
        return self._skip(reader, before) or (
            reader.follows,
            reader.most,
            before.told,
            reader.text_only,
            less,
            is_measured,
        )

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
        if reader.is_outside:
            return _IS_OUTSIDE
        if reader.subscriber_id in self._reached:
            return _ALREADY_SENT
        if reader.cadence == _EVERY or not reader.follows:
            return None
        until = self._addressable.not_due_until(Cadence(reader.cadence), before.last_on)
        return Skip(SkipReason.NOT_DUE, until) if until else None

    def _learn(self, wishes: Collection[_Key]) -> None:
        """Find out what readers of these wishes get, and store the editions that are new."""
        new: dict[_Key, str] = {}
        for wish in wishes:
            mask, most, told, is_text, less, is_measured = wish
            edition = self._addressable.edition(
                followed(mask, self._topics), most=most, told=told, is_text=is_text, less=less
            )
            if isinstance(edition, SkipReason):
                self._edition_of[wish] = Skip(edition)
            else:
                new[wish] = replace(edition, is_measured=is_measured).key if is_measured else edition.key
        if unknown := sorted(set(new.values()) - self._edition_ids.keys()):
            self._add_editions(unknown)
        self._edition_of |= {wish: self._edition_ids[key] for wish, key in new.items()}

    def _add_editions(self, keys: Sequence[str]) -> None:
        self._behind.wait()
        last = max(self._edition_ids.values(), default=0)
        self._edition_ids |= add_editions(self._session, self._issue.id, keys, after=last)

    def _delivery(self, reader: Reader, edition_id: int) -> NewDelivery:
        # Of one width they sort as the rows do: their index grows at its end, which takes half as long.
        message_id = f"<{self._issue.id}.{reader.subscriber_id:08d}.{self._nonce}"
        next_at = self._due_in(reader.timezone, reader.send_at)
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
_IS_OUTSIDE = Skip(SkipReason.OUTSIDE)
_ALREADY_SENT = Skip(SkipReason.ALREADY_SENT)


def addressable(newsletter: Newsletter, issue: Issue, session: Session) -> Addressable:
    """Return what of an approved issue decides who gets what."""
    return Addressable.of(newsletter, issue, get_outline(session, issue), sources_of(session, issue))


def due_at(
    hour: OwnHour | None, timezone: str, newsletter: Newsletter, *, now: datetime, wish: str = ""
) -> datetime:
    """Return when a reader's mail may leave: at the hour their own clock shows, but not before `now`.

    Without an `hour` it may at once. A `wish` for an hour goes before the newsletter's; one for a weekday
    alone keeps that. As `WishedHour` is written.
    """
    tz = own_zone(timezone, newsletter)
    wished = parse_wished_hour(wish)
    may = now if hour is None or wished.hour is not None else max(now, hour.where(tz))
    return wished.first_from(may, tz)


def own_zone(timezone: str, newsletter: Newsletter) -> ZoneInfo:
    """Return a reader's zone: the newsletter's when they named none, or one that there is no more."""
    try:
        return zone(timezone or newsletter.timezone)
    except InvalidInput:
        return zone(newsletter.timezone)
