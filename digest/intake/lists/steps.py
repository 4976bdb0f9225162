"""A list of readers brought in: every line is checked before the first is stored, then page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.counting import counted
from digest.domain.erasing import ErasureKeys
from digest.domain.newsletters import Newsletter
from digest.domain.suppressions import Suppression, SuppressionReason
from digest.intake.lists.files import text_file
from digest.intake.lists.outcomes import QUIET, LineTold, Outcome, outcome_of
from digest.intake.lists.people import Person, Terms
from digest.intake.lists.reading import Checked, Line, List
from digest.intake.lists.said import Standing
from digest.store.attributes import attribute_keys, require_keys_fit
from digest.store.audit import record
from digest.store.consents import add_consents
from digest.store.database import reading, writing
from digest.store.newsletters import list_topics
from digest.store.reader_locks import hold_marks
from digest.store.subscription_lists import (
    Known,
    analyse_readers,
    known_among,
    subscribe_all,
    unsubscribe_all,
)
from digest.store.suppressions import suppress_all

_GROWN = frozenset(2 * 4**power for power in range(8))
"""Pages after which the tables may hold four times what PostgreSQL's plans were made for."""

PAGE = 1_000
"""Lines stored in a transaction: no worker waits longer than for these."""

_NOTES_MAX = 10


@dataclass(frozen=True, slots=True)
class Manner:
    """How an import goes about it.

    `skips_wrong` leaves lines that are wrong out instead of refusing all; a trial (`is_trial`) only looks.
    `tell` is given each line with what became of it, those of one mailbox last; `step` how many lines were
    read or stored just now.
    """

    skips_wrong: bool = False
    is_trial: bool = False
    tell: Callable[[LineTold], object] = field(default=lambda _told: None)
    begin: Callable[[str, int | None], None] = field(default=lambda _what, _total: None)
    step: Callable[[int], None] = field(default=lambda _count: None)


MANNER = Manner()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or in a trial would do.

    `notes` are sentences about files, and about up to ten of the lines that were not simply added.
    `unknown_tags` counts the tags that lead to no topic; `without_topic` those who are new and follow none.
    """

    counts: Mapping[Outcome, int]
    notes: tuple[str, ...] = ()
    unknown_tags: Mapping[str, int] = field(default_factory=dict)
    without_topic: int = 0

    @property
    def added(self) -> int:
        """How many are new."""
        return self.counts.get(Outcome.ADDED, 0)

    @property
    def updated(self) -> int:
        """How many were here before."""
        return self.counts.get(Outcome.UPDATED, 0)

    @property
    def as_dict(self) -> dict[str, object]:
        """The whole as programs read it: each outcome with its count, also those that nothing came to."""
        return {
            **{outcome.value: self.counts.get(outcome, 0) for outcome in Outcome},
            "notes": self.notes,
            "unknown_tags": self.unknown_tags,
            "without_topic": self.without_topic,
        }


def import_list(
    engine: Engine,
    newsletter: Newsletter,
    people: List,
    *,
    by: str,
    now: datetime,
    marked: ErasureKeys,
    manner: Manner = MANNER,
) -> Imported:
    """Store the people of a list. Killed in between, the same import goes on where it stopped.

    What the list does not say of somebody stays as it is known. Nobody comes back by an import: who
    unsubscribed stays unsubscribed, who paused stays paused, who is on the suppression list stays there, and
    who was erased, as `marked` tells, is left out.
    Raises `InvalidInput` with every wrong line, up to ten, or for too many attributes, before anything is
    stored.
    """
    manner.begin("check", None)
    checked = people.check(now=now, skips_wrong=manner.skips_wrong or manner.is_trial, step=manner.step)
    with reading(engine) as session:
        require_keys_fit(attribute_keys(session, newsletter.id), checked.keys)
    manner.begin("look" if manner.is_trial else "store", checked.lines)
    work = _Import(engine, newsletter, by, now, manner, checked, marked)
    for number, page in enumerate(_paged(work.single(people.lines(now=now))), 1):
        work.store(page)
        if number in _GROWN and not manner.is_trial:
            analyse_readers(engine)
    for page in _paged(iter(work.merged.values())):
        work.store(page)
    return work.done()


def import_text(
    engine: Engine,
    newsletter: Newsletter,
    text: str,
    *,
    name: str,
    by: str,
    now: datetime,
    marked: ErasureKeys,
) -> Imported:
    """Store the people of a CSV file in memory as `import_list` does; errors call it `name`."""
    with reading(engine) as session:
        terms = Terms.of(newsletter, list_topics(session, newsletter.id))
    people = List((text_file(name, text),), terms)
    return import_list(engine, newsletter, people, by=by, now=now, marked=marked)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Somebody, and the line that names them first."""

    line: Line
    person: Person


class _Import:
    """An import under way, and what it came to so far."""

    def __init__(
        self,
        engine: Engine,
        newsletter: Newsletter,
        by: str,
        now: datetime,
        manner: Manner,
        checked: Checked,
        marked: ErasureKeys,
    ) -> None:
        self._engine, self._newsletter = engine, newsletter
        self._by, self._now, self._manner = by, now, manner
        self._checked, self._marked = checked, marked
        self._counts: Counter[Outcome] = Counter()
        self._notes: list[str] = []
        self._untold = 0
        self._without_topic = 0
        self._is_recorded = False
        self.merged: dict[str, _Placed] = {}

    def single(self, lines: Iterator[Line]) -> Iterator[_Placed]:
        """Yield those whom one line is about; the others gather in `merged`."""
        for line in lines:
            person = line.person
            if person is None:
                self._tell(line, Outcome.WRONG, line.wrong)
            elif hash(person.wanted.key) not in self._checked.repeated:
                yield _Placed(line, person)
                continue
            elif (first := self.merged.get(person.wanted.key)) is None:
                self.merged[person.wanted.key] = _Placed(line, person)
                continue
            else:
                self.merged[person.wanted.key] = _Placed(first.line, first.person | person)
                place = f"line {first.line.number}" if first.line.file == line.file else first.line.place
                self._tell(line, Outcome.MERGED, f"is the mailbox of {place}; taken as one")
            self._manner.step(1)

    def store(self, page: Sequence[_Placed]) -> None:
        """Store a page of people, or only look what would become of them."""
        keys = [one.person.wanted.key for one in page]
        with (reading if self._manner.is_trial else writing)(self._engine) as session:
            if not self._manner.is_trial:
                hold_marks(session)
            known = known_among(session, self._newsletter.id, keys, marked=self._marked)
            outcomes = [outcome_of(one.person, known.get(one.person.wanted.key, Known())) for one in page]
            if not self._manner.is_trial:
                self._write(session, [one.person for one in page], outcomes, known)
        for one, outcome in zip(page, outcomes, strict=True):
            if outcome is Outcome.ADDED and not one.person.wanted.follows:
                self._without_topic += 1
            self._tell(one.line, outcome, outcome.in_words)
        self._manner.step(len(page))

    def done(self) -> Imported:
        """Return what it came to."""
        more = [f"… and {counted(self._untold, 'more line')} like these"] if self._untold else []
        return Imported(
            self._counts,
            (*self._checked.notes, *self._notes, *more),
            self._checked.unknown_tags,
            self._without_topic,
        )

    def _write(
        self,
        session: Session,
        people: Sequence[Person],
        outcomes: Sequence[Outcome],
        known: Mapping[str, Known],
    ) -> None:
        by_outcome: dict[Outcome, list[Person]] = {outcome: [] for outcome in Outcome}
        for person, outcome in zip(people, outcomes, strict=True):
            by_outcome[outcome].append(person)
        left = by_outcome[Outcome.UNSUBSCRIBED]
        are_here = [one for one in left if known.get(one.wanted.key, Known()).state]
        are_new = [one for one in left if one not in are_here]
        stay = [one for one in by_outcome[Outcome.UPDATED] if one.standing is not Standing.LEFT]
        joining = [*by_outcome[Outcome.ADDED], *stay, *are_new]
        subscribe_all(session, self._newsletter.id, [one.wanted for one in joining], now=self._now)
        add_consents(session, self._newsletter.id, map(self._consent, by_outcome[Outcome.ADDED]))
        unsubscribe_all(session, self._newsletter.id, [one.wanted.key for one in are_here], now=self._now)
        suppress_all(session, [self._suppression(one) for one in by_outcome[Outcome.SUPPRESSED]])
        if not self._is_recorded:
            lines = counted(self._checked.lines, "line")
            record(
                session,
                by=self._by,
                what="subscribers.imported",
                about=self._newsletter.slug,
                detail=lines,
                now=self._now,
            )
            self._is_recorded = True

    def _consent(self, person: Person) -> tuple[str, Consent]:
        """Return what a list says of how somebody came to be on it."""
        since = person.wanted.since or self._now
        told = Consent(
            ConsentAct.ADDED,
            ConsentSource.IMPORT,
            at=since,
            recorded_at=self._now,
            network=person.ip,
            by=self._by,
        )
        return person.wanted.key, told

    def _suppression(self, person: Person) -> Suppression:
        return Suppression(
            person.wanted.key, SuppressionReason.IMPORTED, person.why, person.left or self._now, by=self._by
        )

    def _tell(self, line: Line, outcome: Outcome, said: str) -> None:
        self._counts[outcome] += 1
        told = LineTold(line.file, line.number, line.email, outcome, said)
        self._manner.tell(told)
        if outcome in QUIET:
            return
        if len(self._notes) < _NOTES_MAX:
            self._notes.append(str(told))
        else:
            self._untold += 1


def _paged(people: Iterator[_Placed]) -> Iterator[list[_Placed]]:
    while page := list(islice(people, PAGE)):
        yield page
