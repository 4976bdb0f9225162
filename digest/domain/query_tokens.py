"""The words and signs of a query, each with the place where it stands; a language's own is its grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from digest.domain.errors import InvalidInput

QUERY_MAX = 4_000


class Kind(StrEnum):
    """What a token is, in the words of an error message."""

    TEXT = "a word or phrase"
    FIELD = "a field"
    WEIGHT = "a weight"
    OPEN = "'('"
    CLOSE = "')'"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one query language has of its own.

    `keyed` are those of its fields that name a key behind a dot, as in `attribute.city:`. `refusal` says of a
    text, and whether a `*` follows it, what is wrong with it, '' for nothing. `wanted` says what may stand
    where nothing fitting does. With `has_weights` a part may count more; with `may_only_take_away` a query
    may be made of NOT alone.
    """

    fields: tuple[str, ...]
    wanted: str
    refusal: Callable[[str, bool], str]
    keyed: tuple[str, ...] = ()
    has_weights: bool = True
    may_only_take_away: bool = False

    @property
    def fields_told(self) -> str:
        """The fields as an error message lists them."""
        return ", ".join(f"{field}.KEY:" if field in self.keyed else f"{field}:" for field in self.fields)

    def has_field(self, name: str) -> bool:
        """Whether a field may be called that, in any case of letters."""
        field, dot, key = name.lower().partition(".")
        return field in self.fields and bool(key) == (field in self.keyed) and bool(dot) == bool(key)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign. `column` counts from 0; a text's `is_prefix` says that a '*' followed it."""

    kind: Kind
    text: str
    column: int
    is_prefix: bool = False


class QueryError(InvalidInput):
    """A query that cannot be read: what was expected, and a caret under the place, `column` from 1."""

    def __init__(self, query: str, column: int, problem: str) -> None:
        self.column = column + 1
        shown, place = _around(query, column)
        super().__init__(
            f"the query cannot be read at column {self.column}: {problem}\n  {shown}\n  {' ' * place}^"
        )


_SHOWN_BEFORE, _SHOWN_AFTER = 50, 40


def _around(query: str, column: int) -> tuple[str, int]:
    """Return the part of a query about `column` on one line, and the column's place in it."""
    line = "".join(
        " " if character.isspace() or not character.isprintable() else character for character in query
    )
    start = max(0, column - _SHOWN_BEFORE)
    cut = "…" if start else ""
    end = "…" if len(line) > column + _SHOWN_AFTER else ""
    return f"{cut}{line[start : column + _SHOWN_AFTER]}{end}", column - start + len(cut)


_QUOTES = '"“”„«»'
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<open>\()
    |(?P<close>\))
    |(?P<weight>\^[^\s()^]*)
    |(?P<phrase>[{_QUOTES}](?P<inside>(?:[^{_QUOTES}\\]|\\.)*)(?P<closed>[{_QUOTES}]?)(?P<star>\*?))
    |(?P<word>[^\s(){_QUOTES}^]+)""",
    re.VERBOSE | re.DOTALL,
)
_FIELD = re.compile(r"([^\W\d_]+):")
_KEYED_FIELD = re.compile(r"([^\W\d_]+(?:\.[\w.-]*)?):")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def tokens(query: str, grammar: Grammar) -> list[Token]:
    """Return a query's tokens, the last of them its end. Raises `QueryError`."""
    if len(query) > QUERY_MAX:
        raise InvalidInput(f"the query is {len(query)} characters long; there is room for {QUERY_MAX}")
    return [*_tokens(query, grammar), Token(Kind.END, "", len(query))]


def _tokens(query: str, grammar: Grammar) -> Iterator[Token]:
    place, follows_field = 0, False
    while place < len(query):
        match = _TOKEN.match(query, place)
        if match is None:  # a backslash that ends a phrase without an end
            raise QueryError(query, place, "the quotation mark is never closed")
        token = _token(query, match, grammar, follows_field=follows_field)
        place = (
            match.end()
            if token is None or token.kind is not Kind.FIELD
            else token.column + len(token.text) + 1
        )
        if token is not None:
            yield token
        follows_field = token is not None and token.kind is Kind.FIELD


def _token(query: str, match: re.Match[str], grammar: Grammar, *, follows_field: bool) -> Token | None:
    start = match.start()
    match match.lastgroup:
        case "space":
            return None
        case "open":
            return Token(Kind.OPEN, "(", start)
        case "close":
            return Token(Kind.CLOSE, ")", start)
        case "weight":
            return _weight(query, match["weight"], start, grammar)
        case "word":
            return _word(query, match["word"], start, grammar, follows_field=follows_field)
    if not match["closed"]:
        raise QueryError(query, start, "the quotation mark is never closed")
    inside = _ESCAPED.sub(r"\1", match["inside"])
    return _text(query, inside, start, grammar, is_prefix=bool(match["star"]))


def _weight(query: str, sign: str, start: int, grammar: Grammar) -> Token:
    if not grammar.has_weights:
        raise QueryError(query, start, "'^' means nothing here; what holds one goes in quotation marks")
    return Token(Kind.WEIGHT, sign[1:], start)


def _word(query: str, word: str, start: int, grammar: Grammar, *, follows_field: bool) -> Token:
    if not follows_field:
        if word in _OPERATORS:
            return Token(_OPERATORS[word], word, start)
        if field := (_KEYED_FIELD if grammar.keyed else _FIELD).match(word):
            return _field(query, field[1], start, grammar)
        if word.startswith("-"):
            raise QueryError(query, start, "to leave something out, write NOT before it")
    bare = word.removesuffix("*")
    if "*" in bare:
        raise QueryError(query, start + bare.index("*"), "'*' can only stand at the end of a word or phrase")
    return _text(query, bare, start, grammar, is_prefix=bare != word)


def _field(query: str, name: str, start: int, grammar: Grammar) -> Token:
    if not grammar.has_field(name):
        problem = (
            f"there is no field '{name}:': there are {grammar.fields_told}; what holds a colon goes in "
            "quotation marks"
        )
        raise QueryError(query, start, problem)
    return Token(Kind.FIELD, name, start)


def _text(query: str, text: str, start: int, grammar: Grammar, *, is_prefix: bool) -> Token:
    if problem := grammar.refusal(text, is_prefix):
        raise QueryError(query, start, problem)
    return Token(Kind.TEXT, " ".join(text.split()), start, is_prefix)
