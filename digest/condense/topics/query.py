"""The query language of topics, as docs/topics.md tells it: text in, a tree of terms out.

```
either  = both ("OR" both)*
both    = part (["AND"] part)*
part    = ["NOT"] weighed
weighed = (term | field (term | "(" either ")") | "(" either ")") ["^" number]
```

A NOT takes away from all of its parentheses: 'a OR b NOT c' is '(a OR b) NOT c', as people mean it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from digest.condense.topics.tokens import Field, Kind, QueryError, Token, tokens
from digest.domain.errors import InvalidInput
from digest.domain.topics import TopicRule

DEPTH_MAX = 20
WEIGHT_MAX = 10.0

_WANTED = "a word, a \"phrase\", a field or '(' should stand here"


@dataclass(frozen=True, slots=True)
class Term:
    """Something to look for: as it was written, where, whether it is a beginning, and how much it counts."""

    text: str
    field: Field | None = None
    is_prefix: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Either:
    """Matches where one of its parts does; what is found of all of them counts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """Matches where all its parts do, and at least one part is not a `Neither`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """Matches where its part does not."""

    part: Node


Node: TypeAlias = Term | Either | Both | Neither


def parse_query(query: str) -> Node:
    """Return the tree of a query. Raises `QueryError`, which shows the place and what was expected there."""
    return _Parser(query).whole()


@lru_cache(maxsize=1_000)
def compiled(rule: TopicRule) -> Node | None:
    """Return the tree that a rule amounts to, None when it matches nothing.

    A stored query that this version cannot read counts as none: one old rule must not stop a run.
    """
    parts: list[Node] = [Term(name, Field.SOURCE) for name in rule.sources]
    parts += [Term(label, Field.CATEGORY) for label in rule.categories]
    parts += [Term(phrase) for phrase in rule.phrases]
    with suppress(InvalidInput):
        parts += [parse_query(rule.query)] if rule.query.strip() else []
    return _joined(Either, parts) if parts else None


def as_query(rule: TopicRule) -> str:
    """Return the query that a rule amounts to, '' for one that matches nothing."""
    told = [f"source:{_quoted(name)}" for name in rule.sources]
    told += [f"category:{_quoted(label)}" for label in rule.categories]
    told += [_quoted(phrase) for phrase in rule.phrases]
    query = rule.query.strip()
    told += [f"({query})" if told else query] if query else []
    return " OR ".join(told)


def _quoted(text: str) -> str:
    escaped = "".join(f"\\{sign}" if sign in '\\"“”„«»' else sign for sign in text)
    return f'"{escaped}"'


class _Parser:
    """Reads one query from left to right, a token at a time."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.left = tokens(query)[::-1]

    def whole(self) -> Node:
        if self._next().kind is Kind.END:
            raise QueryError(self.query, 0, f"it is empty; {_WANTED}")
        tree = self._either(None, 0)
        if self._next().kind is Kind.CLOSE:
            raise self._wrong("no '(' is open here")
        if self._next().kind is not Kind.END:
            raise self._wrong(f"AND, OR or the end should stand here, not {self._next().kind}")
        return tree

    def _next(self) -> Token:
        return self.left[-1]

    def _take(self) -> Token:
        return self.left.pop()

    def _wrong(self, problem: str, at: Token | None = None) -> QueryError:
        return QueryError(self.query, (at or self._next()).column, problem)

    def _either(self, field: Field | None, depth: int) -> Node:
        sought, taken_away = self._both(field, depth)
        alternatives = [sought]
        while self._next().kind is Kind.OR:
            self._take()
            sought, more = self._both(field, depth)
            alternatives.append(sought)
            taken_away += more
        return _joined(Both, [_joined(Either, alternatives), *taken_away])

    def _both(self, field: Field | None, depth: int) -> tuple[Node, list[Node]]:
        """Return one alternative, and what NOT takes away from it and all others of its parentheses."""
        first = self._next()
        parts = [self._part(field, depth)]
        while self._next().kind in (Kind.AND, Kind.NOT, Kind.TEXT, Kind.FIELD, Kind.OPEN):
            if self._next().kind is Kind.AND:
                self._take()
            parts.append(self._part(field, depth))
        sought = [part for part in parts if not isinstance(part, Neither)]
        if not sought:
            problem = (
                "NOT only takes away: something to look for must stand beside it, as in 'energy NOT drink'"
            )
            raise self._wrong(problem, first)
        return _joined(Both, sought), [part for part in parts if isinstance(part, Neither)]

    def _part(self, field: Field | None, depth: int) -> Node:
        if self._next().kind is not Kind.NOT:
            return self._weighed(field, depth)
        self._take()
        if self._next().kind is Kind.NOT:
            raise self._wrong("one NOT is enough")
        return Neither(self._weighed(field, depth))

    def _weighed(self, field: Field | None, depth: int) -> Node:
        found = self._found(field, depth)
        if self._next().kind is not Kind.WEIGHT:
            return found
        return _weighted(found, self._weight(self._take()))

    def _found(self, field: Field | None, depth: int) -> Node:
        token = self._take()
        if token.kind is Kind.FIELD:
            if field is not None:
                raise self._wrong(f"'{token.text}:' stands inside '{field}:' already", token)
            field = Field(token.text.lower())
            token = self._take()
        if token.kind is Kind.TEXT:
            return Term(token.text, field, token.is_prefix)
        if token.kind is Kind.OPEN:
            return self._group(token, field, depth + 1)
        raise self._wrong(_WANTED, token)

    def _group(self, opening: Token, field: Field | None, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self._wrong(f"more than {DEPTH_MAX} parentheses are open here", opening)
        inside = self._either(field, depth)
        if self._next().kind is not Kind.CLOSE:
            raise self._wrong(f"the '(' of column {opening.column + 1} is never closed")
        self._take()
        return inside

    def _weight(self, token: Token) -> float:
        try:
            weight = float(token.text)
        except ValueError:
            weight = 0.0
        if not 0 < weight <= WEIGHT_MAX:
            problem = f"'^' takes a number above 0, at most {WEIGHT_MAX:g}, as in grid^2 or energy^0.5"
            raise self._wrong(problem, token)
        return weight


def _joined(kind: type[Either] | type[Both], parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _weighted(node: Node, weight: float) -> Node:
    match node:
        case Term():
            return replace(node, weight=node.weight * weight)
        case Neither():
            return node
    return replace(node, parts=tuple(_weighted(part, weight) for part in node.parts))
