"""The lines of a list, one after another: whom each is about, or what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.intake.lists.files import ListFile, OpenedList, read_list
from digest.intake.lists.people import Person, Terms, person_of
from digest.intake.lists.said import Layout, attributes_of
from digest.intake.tables import refuse_lines, unguarded

HINT = "--skip-wrong imports the rest; with --dry-run, --report FILE.csv lists them all."

PROBLEMS_MAX = 1_000
"""So many wrong lines are counted; a file that is no list of people is not read to its end."""

_KEYS_MAX = 1_000
"""So many keys of attributes are told apart: fewer are too many already."""

_STEP = 1_000
"""Lines between two words about how far it has come."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: `person`, or None and what is `wrong`. `email` is as it stands there."""

    file: str
    number: int
    email: str
    person: Person | None
    tags: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def place(self) -> str:
        """Where it stands, as errors tell it."""
        return f"{self.file} line {self.number}"


@dataclass(slots=True)
class Checked:
    """What reading a list came to before anything was stored.

    `repeated` are hashes of mailboxes that more than one line is about; `unknown_tags` lead to no topic;
    `keys` are those of attributes.
    """

    lines: int = 0
    wrong: list[str] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    unknown_tags: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class List:
    """Files of people, how they are written, and how they are to be taken. `layout` None finds that out."""

    files: Sequence[ListFile]
    terms: Terms
    layout: Layout | None = None

    def check(
        self, *, now: datetime, skips_wrong: bool = False, step: Callable[[int], None] = lambda _count: None
    ) -> Checked:
        """Read all of it; `step` is told how many lines were read.

        Raises `InvalidInput` with every wrong line, up to ten, unless those are skipped, and for a file that
        is no list, or one without anybody.
        """
        checked, seen = Checked(), set[int]()
        for line in self.lines(now=now, notes=checked.notes):
            checked.lines += 1
            if checked.lines % _STEP == 0:
                step(_STEP)
            if line.person is None:
                checked.wrong.append(f"{line.place}: {line.wrong}")
                if len(checked.wrong) >= PROBLEMS_MAX and not skips_wrong:
                    break
                continue
            checked.unknown_tags.update(line.tags)
            if len(checked.keys) < _KEYS_MAX:
                checked.keys.update(line.person.wanted.attributes)
            # Of a million mailboxes the hashes are 60 MB; two that share one are only stored later.
            mailbox = hash(line.person.wanted.key)
            (checked.repeated if mailbox in seen else seen).add(mailbox)
        if not skips_wrong:
            refuse_lines(checked.wrong, hint=HINT)
        if not seen:
            raise InvalidInput(f"{_named(self.files)}: holds no subscriber; nothing was imported")
        return checked

    def lines(self, *, now: datetime, notes: list[str] | None = None) -> Iterator[Line]:
        """Yield the lines of all files; `notes` is given sentences about how each was read.

        Raises `InvalidInput` for what is no list of people.
        """
        told = [] if notes is None else notes
        lists = 0
        for file in self.files:
            with file.open() as stream:
                found = read_list(stream, file, layout=self.layout, columns=self.terms.columns)
                if found is None:
                    told.append(f"{file.name}: no list of people; left out")
                    continue
                lists += 1
                told.extend(found.table.notes)
                for number, values in found.table.lines:
                    yield self._line(file.name, number, values, found, now)
        if not lists:
            raise InvalidInput(f"{_named(self.files)}: no list of people in it; nothing was imported")

    def _line(self, name: str, number: int, values: Sequence[str], opened: OpenedList, now: datetime) -> Line:
        email = ""
        try:
            fields = opened.table.fields([unguarded(value) for value in values])
            said = opened.layout.read(fields, self.terms.tags_from)
            said = replace(said, attributes={**said.attributes, **attributes_of(fields)})
            email = said.email
            person = person_of(said, self.terms, is_own=opened.layout.is_own, now=now)
        except InvalidInput as exc:
            return Line(name, number, email, None, wrong=str(exc))
        return Line(name, number, email, person, self.terms.unknown(said))


def _named(files: Sequence[ListFile]) -> str:
    return ", ".join(file.name for file in files)
