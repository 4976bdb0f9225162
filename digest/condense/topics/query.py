"""Topics' rules as queries of the language that docs/topics.md tells, and as the trees they amount to."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from digest.condense.topics.tokens import TOPICS, Field
from digest.domain.errors import InvalidInput
from digest.domain.query import Either, Node, Term, joined, parse
from digest.domain.topics import TopicRule


def parse_query(query: str) -> Node:
    """Return the tree of a topic's query. Raises `QueryError`, which shows the place and what is wrong."""
    return parse(query, TOPICS)


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
    return joined(Either, parts) if parts else None


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
