"""Topics as editors keep them: added, changed, put in order, removed; articles follow the rules at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from digest.condense.topics.query import parse_query
from digest.condense.topics.steps import match_again
from digest.domain.errors import Conflict, InvalidInput, NotFound, Unfit
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.domain.topics import slug as as_slug
from digest.pipeline.managing.given import Given, Reader, on_a_line, read_given, within
from digest.pipeline.managing.newsletters import differences
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import writing
from digest.store.newsletters import (
    add_topic,
    change_topic,
    get_newsletter,
    get_topic,
    list_topics,
    order_topics,
    remove_topic,
)
from digest.store.sources import list_sources

Propose = Callable[[Topic], Given]
"""Says what is to change of the topic as it stands, in the transaction that changes it."""

SLUG_MAX, NAME_MAX, DESCRIPTION_MAX = 64, 200, 1000
QUERY_MAX, VALUE_MAX = 4000, 200

_RULE = ("phrases", "categories", "sources", "query")


def add(
    runtime: Runtime, slug: str, given: Given, *, by: str, called: Callable[[str], str] = str
) -> tuple[Topic, tuple[str, ...]]:
    """Add a topic, and return it with the sources its rule names that are not there yet.

    Raises `Unfit`, also for a rule that would match nothing, and `Conflict` for a name that is taken.
    """
    values = read_given({"slug": "", **given}, READERS, called)
    topic = _with(Topic(TopicSlug(str(values["slug"])), ""), values)
    if topic.rule == TopicRule() and not topic.parent:
        parts = [called(part) for part in _RULE]
        raise Unfit(
            {
                "phrases": f"topic '{topic.slug}' would match nothing: give it a {', '.join(parts[:-1])} or "
                f"{parts[-1]} at least"
            }
        )
    topic = replace(topic, name=topic.name or topic.slug.replace("-", " ").capitalize())
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        _told_of(lambda: add_topic(session, newsletter.id, topic), topic)
        missing = set(topic.rule.sources) - {known.name for known in list_sources(session, newsletter.id)}
        record(session, by=by, what="topic.added", about=f"{slug}: {topic.slug}", now=now)
    _match_anew(runtime, newsletter)
    return topic, tuple(sorted(missing))


def change(
    runtime: Runtime, slug: str, topic: str, propose: Propose, *, by: str, called: Callable[[str], str] = str
) -> bool:
    """Change what `propose` names of a topic; its follows stay. Return whether anything was another then.

    Raises `NotFound`, `Unfit`.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        known = get_topic(session, newsletter.id, topic)
        values = read_given(propose(known), READERS, called)
        changed = _with(known, {field: value for field, value in values.items() if field != "slug"})
        changed = replace(changed, name=changed.name or known.name)
        if changed == known:
            return False
        _told_of(lambda: change_topic(session, newsletter.id, changed), changed)
        detail = differences(texts_of(known), texts_of(changed))
        record(session, by=by, what="topic.changed", about=f"{slug}: {topic}", detail=detail, now=now)
    if (changed.rule, changed.parent) != (known.rule, known.parent):
        _match_anew(runtime, newsletter)
    return True


def move(runtime: Runtime, slug: str, order: Sequence[str], was: Sequence[str], *, by: str) -> None:
    """Let the topics stand in this order. Raises `Conflict` when it `was` not theirs any more."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        stands = [topic.slug for topic in list_topics(session, newsletter.id)]
        if stands != list(was) or sorted(order) != sorted(stands):
            raise Conflict(
                "somebody else added, removed or moved a topic meanwhile; nothing was moved: look at the "
                "order as it is now and move it again"
            )
        if list(order) == stands:
            return
        _put_in_order(session, newsletter, list(map(TopicSlug, order)), by=by, now=now)


def move_to(runtime: Runtime, slug: str, topic: str, place: int, *, by: str) -> tuple[TopicSlug, ...]:
    """Let a topic stand at a place, counted from 1, the others in their order; return all as they stand.

    Raises `NotFound`, and `InvalidInput` for a place that there is not.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        moved = get_topic(session, newsletter.id, topic).slug
        stands = [one.slug for one in list_topics(session, newsletter.id)]
        if not 1 <= place <= len(stands):
            raise InvalidInput(
                f"there is no place {place}: the topics of {slug} have places 1 to {len(stands)}; "
                "nothing was moved"
            )
        order = [one for one in stands if one != moved]
        order.insert(place - 1, moved)
        if order != stands:
            _put_in_order(session, newsletter, order, by=by, now=now)
    return tuple(order)


def _put_in_order(
    session: Session, newsletter: Newsletter, order: Sequence[TopicSlug], *, by: str, now: datetime
) -> None:
    order_topics(session, newsletter.id, order)
    record(session, by=by, what="topic.moved", about=newsletter.slug, detail=", ".join(order), now=now)


def remove(runtime: Runtime, slug: str, topic: str, *, by: str) -> None:
    """Remove a topic, and with it every follow of it. Raises `NotFound`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        remove_topic(session, newsletter.id, topic)
        record(session, by=by, what="topic.removed", about=f"{slug}: {topic}", now=now)
    _match_anew(runtime, newsletter)


def rule_of(given: Given, known: TopicRule, *, called: Callable[[str], str] = str) -> TopicRule:
    """Return a rule with what was given in the place of what is known. Raises `Unfit`."""
    return _rule(known, read_given({part: given[part] for part in _RULE if part in given}, READERS, called))


def texts_of(topic: Topic) -> dict[str, str]:
    """Return each field as a person would type it, and `change` would read it; lists have a line for each."""
    return {
        "name": topic.name,
        "description": topic.description,
        "parent": topic.parent or "",
        "phrases": "\n".join(topic.rule.phrases),
        "categories": "\n".join(topic.rule.categories),
        "sources": "\n".join(topic.rule.sources),
        "query": topic.rule.query,
    }


def _told_of(store: Callable[[], object], topic: Topic) -> None:
    """Store a topic; what is wrong with its parent is told beside that field."""
    try:
        store()
    except Conflict:
        raise
    except (NotFound, InvalidInput) as exc:
        if topic.parent is None:
            raise
        raise Unfit({"parent": str(exc)}) from exc


def _with(topic: Topic, values: Mapping[str, object]) -> Topic:
    own = {field: value for field, value in values.items() if field not in (*_RULE, "slug")}
    return replace(topic, **own, rule=_rule(topic.rule, values))  # type: ignore[arg-type]


def _rule(rule: TopicRule, values: Mapping[str, object]) -> TopicRule:
    return replace(rule, **{part: values[part] for part in _RULE if part in values})  # type: ignore[arg-type]


def _match_anew(runtime: Runtime, newsletter: Newsletter) -> None:
    """Match the articles that an issue may still carry by the changed rules."""
    since = runtime.clock() - timedelta(days=newsletter.window_days * 2)
    match_again(runtime.engine, newsletter, since=since)


def _slug(value: object, _called: str) -> TopicSlug:
    return TopicSlug(within(as_slug(str(value).strip()), "the short name", limit=SLUG_MAX))


def _name(value: object, called: str) -> str:
    return within(on_a_line(str(value), called), called, limit=NAME_MAX)


def _query(value: object, called: str) -> str:
    told = within(str(value).strip(), called, limit=QUERY_MAX)
    if told:
        parse_query(told)
    return told


def _listed(value: object, called: str) -> tuple[str, ...]:
    named: Iterable[str] = value.split("\n") if isinstance(value, str) else value  # type: ignore[assignment]
    said = dict.fromkeys(one.strip() for one in named if one.strip())
    return tuple(within(one, f"'{one[:40]}' of {called}", limit=VALUE_MAX) for one in said)


READERS: dict[str, Reader] = {
    "slug": _slug,
    "name": _name,
    "description": lambda value, called: within(str(value), called, limit=DESCRIPTION_MAX),
    "parent": lambda value, _called: TopicSlug(str(value).strip()) if str(value or "").strip() else None,
    "phrases": _listed,
    "categories": _listed,
    "sources": _listed,
    "query": _query,
}
"""How each field is read."""
