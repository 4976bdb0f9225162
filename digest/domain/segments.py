"""Segments: saved questions about a newsletter's readers, in the query language that topics have."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType, TypeAlias

from digest.domain.cadences import Cadence
from digest.domain.domains import ascii_domain
from digest.domain.errors import InvalidInput
from digest.domain.query import Both, Either, Neither, Node, Term, parse
from digest.domain.query_tokens import Grammar, QueryError
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import zone

SegmentId = NewType("SegmentId", int)

SEGMENTS_MAX = 200
"""Segments a newsletter can have: more nobody finds anything in."""

KEY_MAX, VALUE_MAX = 40, 200
ATTRIBUTES_MAX = 50
"""Keys that the attributes of all readers of a newsletter have, so that one reader has no more."""

AMOUNT_MAX = 100_000

BESIDE_WHO_READS = (
    "a question of who reads asks nothing else, so that its numbers tell of nobody in particular: write only "
    "opened: and followed:, with AND, OR and NOT"
)

LATELY_MAX = 730
"""Days: for longer it is never kept who opened and followed what."""

_KEY = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")


class Field(StrEnum):
    """What a part of a segment's question asks of a reader."""

    LANGUAGE = "language"
    ZONE = "zone"
    CADENCE = "cadence"
    TOPIC = "topic"
    STATE = "state"
    JOINED = "joined"
    DAYS = "days"
    MAILS = "mails"
    OPENED = "opened"
    FOLLOWED = "followed"
    DOMAIN = "domain"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Segment:
    """A question about the readers of a newsletter, saved under a name.

    `readers` is how many it fitted when they were last counted, at `counted_at`; None: nobody counted yet.
    """

    id: SegmentId
    slug: str
    name: str
    query: str
    readers: int | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A reader's `field` says `text`, or begins so; any text for '' that is a beginning.

    `text` is case-folded, a whole domain in ASCII. `key` is which attribute, '' for other fields.
    """

    field: Field
    text: str
    is_prefix: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """They subscribed on a local day from `first` on, and before `end`; None: unbounded."""

    first: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of whole days or of mails lies from `least` to `most`, which belong to it; None: unbounded."""

    field: Field
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Lately:
    """They opened a mail, or followed a link of one, less than so many times 24 hours ago.

    Of who did not agree that this is asked, neither this nor its opposite is so.
    """

    field: Field
    days: int


Condition: TypeAlias = Words | Joined | Amount | Lately

_EXAMPLES = {
    Field.LANGUAGE: "language:de",
    Field.ZONE: "zone:Europe/Berlin or zone:Europe*",
    Field.CADENCE: f"one of {', '.join(Cadence)}",
    Field.STATE: f"one of {', '.join(SubscriptionState)}",
    Field.JOINED: "joined:2026-03, joined:>=2026-03-15 or joined:<2026",
    Field.DAYS: "days:<30 or days:>=365",
    Field.MAILS: "mails:0 or mails:>=10",
    Field.OPENED: "opened:<30",
    Field.FOLLOWED: "followed:<30",
}


def _refusal(text: str, is_prefix: bool) -> str:
    return "" if text.strip() or is_prefix else "there is nothing to look for between the quotation marks"


SEGMENTS = Grammar(
    tuple(Field),
    "a field with its value, as language:de, or '(' should stand here",
    _refusal,
    keyed=(Field.ATTRIBUTE,),
    has_weights=False,
    may_only_take_away=True,
)


def read_question(query: str, topics: Collection[str] | None = None) -> Node:
    """Return the tree of a segment's question. Each of its terms is one that `condition_of` reads.

    `topics` are the newsletter's, by short name: with them, one that it does not have is an error. Raises
    `QueryError`, which shows the place and what should stand there; also for one that asks who reads, and
    something else: with known readers beside a single one, numbers in twenties would tell of that one.
    """
    tree = stored_question(query, topics)
    if asks_beside_who_reads(tree):
        other = next(term for term in _terms(tree) if not isinstance(condition_of(term), Lately))
        raise QueryError(query, other.column, BESIDE_WHO_READS)
    return tree


def stored_question(query: str, topics: Collection[str] | None = None) -> Node:
    """Return the tree of a question that may have been stored when less was refused. Raises `QueryError`."""
    tree = parse(query, SEGMENTS)
    for term in _terms(tree):
        try:
            condition = condition_of(term)
            _require_topic(condition, topics)
        except QueryError:
            raise
        except InvalidInput as exc:
            raise QueryError(query, term.column, str(exc)) from exc
    return tree


def asks_who_reads(question: str | Node) -> bool:
    """Return whether a question asks what readers opened or followed. One that cannot be read does not."""
    return any(isinstance(condition_of(term), Lately) for term in _terms_of(question))


def asks_beside_who_reads(question: str | Node) -> bool:
    """Return whether a question asks what readers opened or followed, and something else."""
    kinds = {isinstance(condition_of(term), Lately) for term in _terms_of(question)}
    return len(kinds) > 1


def fits_who_reads(question: str) -> bool:
    """Return whether some of a question fits readers because they opened or followed something.

    A NOT is carried down to what it is about: `NOT (NOT opened:<30)` does.
    """
    try:
        return _fits_who_reads(stored_question(question))
    except QueryError:
        return False


def _fits_who_reads(node: Node, *, denied: bool = False) -> bool:
    match node:
        case Neither():
            return _fits_who_reads(node.part, denied=not denied)
        case Either() | Both():
            return any(_fits_who_reads(part, denied=denied) for part in node.parts)
    return not denied and isinstance(condition_of(node), Lately)


def condition_of(term: Term) -> Condition:
    """Return what a term asks of a reader. Raises `InvalidInput`."""
    if term.field is None:
        fields = ", ".join(f"{field}.KEY:" if field is Field.ATTRIBUTE else f"{field}:" for field in Field)
        raise InvalidInput(f"say what '{term.text}' is about, as in language:de; there are {fields}")
    name, _, key = term.field.partition(".")
    field = Field(name)
    reader = _READERS.get(field)
    return (
        reader(term) if reader else Words(field, term.text.casefold(), term.is_prefix, parse_key(key, field))
    )


def parse_key(text: str, field: Field = Field.ATTRIBUTE) -> str:
    """Return an attribute's key in small letters, '' for another field. Raises `InvalidInput`."""
    key = text.strip().lower()
    if field is not Field.ATTRIBUTE:
        return ""
    if not _KEY.fullmatch(key) or len(key) > KEY_MAX:
        raise InvalidInput(
            f"'{text[: KEY_MAX + 1]}' is no key of an attribute: use up to {KEY_MAX} letters a to z, digits, "
            "and single hyphens or underscores between them"
        )
    return key


def _terms_of(question: str | Node) -> Iterator[Term]:
    """Yield the terms of a question, none of one that cannot be read."""
    with suppress(QueryError):
        yield from _terms(stored_question(question) if isinstance(question, str) else question)


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case Term():
            yield node
        case Neither():
            yield from _terms(node.part)
        case Either() | Both():
            for part in node.parts:
                yield from _terms(part)


def _require_topic(condition: Condition, topics: Collection[str] | None) -> None:
    if topics is None or not isinstance(condition, Words) or condition.field is not Field.TOPIC:
        return
    if not condition.is_prefix and condition.text not in topics:
        there_is = ", ".join(topics) or "none yet"
        raise InvalidInput(f"there is no topic '{condition.text}'; there is: {there_is}")


def _zone(term: Term) -> Words:
    if not term.is_prefix:
        zone(term.text)
    return Words(Field.ZONE, term.text.casefold(), term.is_prefix)


def _domain(term: Term) -> Words:
    """Read a domain in either of its forms: addresses are kept with what mail servers know it by."""
    told = term.text.removeprefix("@")
    if term.is_prefix and not told.isascii():
        raise InvalidInput(
            f"domain: '{_told(term)}' cannot be looked for, as a beginning has no form that mail servers "
            "know; write the whole domain"
        )
    return Words(Field.DOMAIN, told.lower() if term.is_prefix else ascii_domain(told), term.is_prefix)


def _one_of(field: Field, kinds: type[StrEnum]) -> Callable[[Term], Words]:
    def read(term: Term) -> Words:
        text = term.text.lower()
        if term.is_prefix or text not in list(kinds):
            raise InvalidInput(f"{field}: takes {_EXAMPLES[field]}, not '{_told(term)}'")
        return Words(field, text)

    return read


_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""Of whose days every zone knows the midnights."""

_DATE = re.compile(r"(<=|>=|<|>)?([0-9]{4})(?:-([0-9]{1,2}))?(?:-([0-9]{1,2}))?")
_AMOUNT = re.compile(r"(<=|>=|<|>)?([0-9]{1,6})")
_LATELY = re.compile(r"(<=|<)([0-9]{1,4})")


def _joined(term: Term) -> Joined:
    found = None if term.is_prefix else _DATE.fullmatch(term.text)
    if found is None:
        raise InvalidInput(f"joined: takes a year, month or day, as {_EXAMPLES[Field.JOINED]}")
    sign, *parts = found.groups()
    year, month, day = (int(part) if part else None for part in parts)
    try:
        first = date(year or 0, month or 1, day or 1)
        end = _end_of(first, month, day)
        if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
            raise ValueError
    except (ValueError, OverflowError):
        raise InvalidInput(f"there is no day '{term.text.lstrip('<>=')}'") from None
    match sign:
        case "<":
            return Joined(None, first)
        case "<=":
            return Joined(None, end)
        case ">":
            return Joined(end, None)
        case ">=":
            return Joined(first, None)
    return Joined(first, end)


def _end_of(first: date, month: int | None, day: int | None) -> date:
    """Return the day after a year, month or day that begins on `first`."""
    if day:
        return first + timedelta(days=1)
    return (first + timedelta(days=32)).replace(day=1) if month else first.replace(year=first.year + 1)


def _amount(field: Field) -> Callable[[Term], Amount]:
    def read(term: Term) -> Amount:
        found = None if term.is_prefix else _AMOUNT.fullmatch(term.text)
        if found is None or int(found[2]) > AMOUNT_MAX:
            raise InvalidInput(
                f"{field}: takes a whole number up to {AMOUNT_MAX:,}, as in {_EXAMPLES[field]}, "
                f"not '{_told(term)}'"
            )
        sign, number = found[1], int(found[2])
        match sign:
            case "<":
                return Amount(field, None, number - 1)
            case "<=":
                return Amount(field, None, number)
            case ">":
                return Amount(field, number + 1, None)
            case ">=":
                return Amount(field, number, None)
        return Amount(field, number, number)

    return read


def _lately(field: Field) -> Callable[[Term], Lately]:
    def read(term: Term) -> Lately:
        found = None if term.is_prefix else _LATELY.fullmatch(term.text)
        days = int(found[2]) + (found[1] == "<=") if found else 0
        if not 1 <= days <= LATELY_MAX:
            raise InvalidInput(
                f"{field}: takes fewer than so many days, {LATELY_MAX} at most, as in {_EXAMPLES[field]}, "
                f"not '{_told(term)}'; who did not is NOT {_EXAMPLES[field]}"
            )
        return Lately(field, days)

    return read


def _told(term: Term) -> str:
    return term.text[:40] + ("*" if term.is_prefix else "")


_READERS: Mapping[Field, Callable[[Term], Condition]] = {
    Field.ZONE: _zone,
    Field.DOMAIN: _domain,
    Field.CADENCE: _one_of(Field.CADENCE, Cadence),
    Field.STATE: _one_of(Field.STATE, SubscriptionState),
    Field.JOINED: _joined,
    Field.DAYS: _amount(Field.DAYS),
    Field.MAILS: _amount(Field.MAILS),
    Field.OPENED: _lately(Field.OPENED),
    Field.FOLLOWED: _lately(Field.FOLLOWED),
}
"""How the value of a field is read; those of others are words as they stand."""
