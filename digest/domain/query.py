"""The query language that topics and segments share: text in, a tree of terms out.

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
from dataclasses import dataclass, replace
from dataclasses import field as kept
from typing import TypeAlias

from digest.domain.query_tokens import Grammar, Kind, QueryError, Token, tokens

DEPTH_MAX = 20
WEIGHT_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Term:
    """Something to look for: as it was written, where, whether it is a beginning, and how much it counts.

    `column` is where it stands, from 0; two terms that say the same are the same wherever they stand.
    """

    text: str
    field: str | None = None
    is_prefix: bool = False
    weight: float = 1.0
    column: int = kept(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Either:
    """Matches where one of its parts does; what is found of all of them counts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """Matches where all its parts do."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """Matches where its part does not."""

    part: Node


Node: TypeAlias = Term | Either | Both | Neither


def parse(query: str, grammar: Grammar) -> Node:
    """Return the tree of a query. Raises `QueryError`, which shows the place and what was expected there."""
    return _Parser(query, grammar).whole()


def joined(kind: type[Either] | type[Both], parts: Sequence[Node]) -> Node:
    """Return one node of several: the only one itself, where there is one."""
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


class _Parser:
    """Reads one query from left to right, a token at a time."""

    def __init__(self, query: str, grammar: Grammar) -> None:
        self.query = query
        self.grammar = grammar
        self.left = tokens(query, grammar)[::-1]

    def whole(self) -> Node:
        if self._next().kind is Kind.END:
            raise QueryError(self.query, 0, f"it is empty; {self.grammar.wanted}")
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

    def _either(self, field: str | None, depth: int) -> Node:
        alternatives: list[Node] = []
        taken_away: list[Neither] = []
        while True:
            begins = self._next()
            sought, more = self._both(field, depth)
            goes_on = self._next().kind is Kind.OR
            if not sought and (alternatives or goes_on or not self.grammar.may_only_take_away):
                raise self._nothing_sought(begins)
            alternatives += [joined(Both, sought)] if sought else []
            taken_away += more
            if not goes_on:
                break
            self._take()
        found = [joined(Either, alternatives)] if alternatives else []
        return joined(Both, [*found, *taken_away])

    def _both(self, field: str | None, depth: int) -> tuple[list[Node], list[Neither]]:
        """Return one alternative, and what NOT takes away from it and all others of its parentheses."""
        parts = [self._part(field, depth)]
        while self._next().kind in (Kind.AND, Kind.NOT, Kind.TEXT, Kind.FIELD, Kind.OPEN):
            if self._next().kind is Kind.AND:
                self._take()
            parts.append(self._part(field, depth))
        sought = [part for part, is_taken in parts if not is_taken]
        return sought, [Neither(part) for part, is_taken in parts if is_taken]

    def _nothing_sought(self, at: Token) -> QueryError:
        if self.grammar.may_only_take_away:
            problem = "NOT takes away from all beside it: write '(NOT …)' to have it as an alternative"
        else:
            problem = (
                "NOT only takes away: something to look for must stand beside it, as in 'energy NOT drink'"
            )
        return self._wrong(problem, at)

    def _part(self, field: str | None, depth: int) -> tuple[Node, bool]:
        """Return a part, and whether a NOT takes it away."""
        if self._next().kind is not Kind.NOT:
            return self._weighed(field, depth), False
        self._take()
        if self._next().kind is Kind.NOT:
            raise self._wrong("one NOT is enough")
        return self._weighed(field, depth), True

    def _weighed(self, field: str | None, depth: int) -> Node:
        found = self._found(field, depth)
        if self._next().kind is not Kind.WEIGHT:
            return found
        return _weighted(found, self._weight(self._take()))

    def _found(self, field: str | None, depth: int) -> Node:
        token = self._take()
        if token.kind is Kind.FIELD:
            if field is not None:
                raise self._wrong(f"'{token.text}:' stands inside '{field}:' already", token)
            field = token.text.lower()
            token = self._take()
        if token.kind is Kind.TEXT:
            return Term(token.text, field, token.is_prefix, column=token.column)
        if token.kind is Kind.OPEN:
            return self._group(token, field, depth + 1)
        raise self._wrong(self.grammar.wanted, token)

    def _group(self, opening: Token, field: str | None, depth: int) -> Node:
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


def _weighted(node: Node, weight: float) -> Node:
    match node:
        case Term():
            return replace(node, weight=node.weight * weight)
        case Neither():
            return node
    return replace(node, parts=tuple(_weighted(part, weight) for part in node.parts))
