"""What a topic's rule matches, what another would, and how that alters this week's issue. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from digest.compose.steps import choose
from digest.condense.topics.belonging import Grounds, topics_of
from digest.condense.topics.steps import read_grounds
from digest.domain.articles import Article, Block, BlockKind
from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicMatch, TopicRule, TopicSlug, ancestors
from digest.gather.urls import comparison_key
from digest.pipeline.run import current_window
from digest.runtime import Runtime
from digest.store.articles import ArticleId, StoredArticle, articles_by_id
from digest.store.condensed import Candidate, candidates_in
from digest.store.database import reading
from digest.store.naming import get_named_article
from digest.store.newsletters import get_newsletter, get_topic, list_topics
from digest.store.verdicts import condensed_since

Propose = Callable[[TopicRule], TopicRule]
"""Makes another rule of the one that stands, or of the empty one for a topic that is not there yet."""


@dataclass(frozen=True, slots=True)
class Matched:
    """An article that a rule puts into the topic, how strongly, and why."""

    title: str
    url: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found: the articles looked at, those matched by score, and what is new of it.

    Compared is the proposed rule with the one that stands; without a proposal nothing is gained or lost.
    `into` and `out_of` are the titles that the coming issue would hold besides, or not any more.
    """

    topic: TopicSlug
    looked_at: int
    matched: tuple[Matched, ...]
    gained: tuple[Matched, ...]
    lost: tuple[Matched, ...]
    into: tuple[str, ...]
    out_of: tuple[str, ...]


def try_topic(runtime: Runtime, slug: str, topic: TopicSlug, propose: Propose | None, *, days: int) -> Trial:
    """Say what a topic's rule, or what `propose` makes of it, matches in the articles of the last `days`.

    A topic that is not there yet can be tried with a rule. Raises `NotFound` for one without.
    """
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        ids = condensed_since(session, newsletter.id, since=now - timedelta(days=days))
        standing = read_grounds(session, newsletter.id, ids)
        proposed = replace(standing, topics=_proposed(session, newsletter, topic, propose))
        stored = list(articles_by_id(session, ids).values())
        into, out_of = _issue_changes(session, runtime, newsletter, proposed, topic) if propose else ((), ())
    before, after = _matched(stored, standing, topic), _matched(stored, proposed, topic)
    return Trial(
        topic,
        len(stored),
        matched=tuple(sorted(after.values(), key=lambda one: -one.score)),
        gained=tuple(one for url, one in after.items() if url not in before),
        lost=tuple(one for url, one in before.items() if url not in after),
        into=into,
        out_of=out_of,
    )


@dataclass(frozen=True, slots=True)
class TextTrial:
    """What a rule makes of one article or text: its title, how strongly it matches and why, None if not."""

    title: str
    match: TopicMatch | None


def try_text(runtime: Runtime, slug: str, topic: TopicSlug, propose: Propose, text: str) -> TextTrial:
    """Say what a proposed rule makes of an article's address or of a text, whose first line is the title.

    Raises `NotFound` for an address that was not gathered.
    """
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        stored = _gathered(session, newsletter, text) if _is_address(text) else _made_up(text)
        grounds = read_grounds(session, newsletter.id, [stored.id])
        grounds = replace(grounds, topics=_proposed(session, newsletter, topic, propose))
    return TextTrial(stored.article.title, _match_of(stored, grounds, topic))


def _is_address(text: str) -> bool:
    return "://" in text and len(text.split()) == 1


def _gathered(session: Session, newsletter: Newsletter, address: str) -> StoredArticle:
    try:
        key = comparison_key(address)
        found = get_named_article(session, address, addresses=[key], within=newsletter.id)
    except NotFound as exc:
        raise NotFound(
            f"no article '{address}' was gathered for {newsletter.name}: give its text instead, the title "
            "first"
        ) from exc
    return articles_by_id(session, [found.id])[found.id]


def _made_up(text: str) -> StoredArticle:
    title, _, rest = text.strip().partition("\n")
    blocks = tuple(Block(BlockKind.PARAGRAPH, part.strip()) for part in rest.split("\n") if part.strip())
    article = Article(url="https://example.org/", title=title.strip() or "–", blocks=blocks)
    return StoredArticle(ArticleId(0), article, datetime.fromtimestamp(0, UTC), (), None)


def _proposed(
    session: Session, newsletter: Newsletter, slug: TopicSlug, propose: Propose | None
) -> tuple[Topic, ...]:
    """Return the newsletter's topics, this one with the proposed rule; a new one stands last."""
    topics = list_topics(session, newsletter.id)
    if propose is None:
        get_topic(session, newsletter.id, slug)
        return topics
    known = next((topic for topic in topics if topic.slug == slug), None)
    rule = propose(known.rule if known else TopicRule())
    if known is None and rule == TopicRule():
        get_topic(session, newsletter.id, slug)
    if known is None:
        return (*topics, Topic(slug, slug, rule=rule))
    return tuple(replace(topic, rule=rule) if topic.slug == slug else topic for topic in topics)


def _matched(stored: Sequence[StoredArticle], grounds: Grounds, topic: TopicSlug) -> dict[str, Matched]:
    of_it = replace(grounds, topics=_within(grounds.topics, [topic]))
    found = ((one, _match_of(one, of_it, topic)) for one in stored)
    return {
        one.article.url: Matched(one.article.title, one.article.url, match.score, match.reason)
        for one, match in found
        if match is not None
    }


def _within(topics: Sequence[Topic], slugs: Collection[TopicSlug]) -> tuple[Topic, ...]:
    """Return these topics and all that are part of them: what decides whether an article belongs to them.

    To match all topics of a newsletter takes 7 ms an article, and an editor waits for hundreds. What they
    are part of is there without its rule.
    """
    parts = [one.slug for one in topics if not {one.slug, *ancestors(topics, one.slug)}.isdisjoint(slugs)]
    above = {parent for slug in parts for parent in ancestors(topics, slug)}
    return tuple(
        one if one.slug in parts else replace(one, rule=TopicRule())
        for one in topics
        if one.slug in parts or one.slug in above
    )


def _match_of(stored: StoredArticle, grounds: Grounds, topic: TopicSlug) -> TopicMatch | None:
    return next((match for match in topics_of(stored, grounds) if match.slug == topic), None)


def _issue_changes(
    session: Session, runtime: Runtime, newsletter: Newsletter, proposed: Grounds, topic: TopicSlug
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the titles that a draft of the coming issue would gain and lose, by the very same choice."""
    window = current_window(newsletter, runtime.clock())
    candidates = candidates_in(session, newsletter.id, window)
    ids = [candidate.stored.id for candidate in candidates]
    grounds = replace(proposed, verdicts=read_grounds(session, newsletter.id, ids).verdicts)
    before = _titles(session, newsletter, candidates, runtime)
    after = _titles(session, newsletter, _as_by(candidates, grounds, topic), runtime)
    return (
        tuple(title for title in after if title not in before),
        tuple(title for title in before if title not in after),
    )


def _as_by(candidates: Sequence[Candidate], grounds: Grounds, topic: TopicSlug) -> list[Candidate]:
    """Return the candidates with this topic, and what it is part of, as `grounds` give them."""
    anew = {topic, *ancestors(grounds.topics, topic)}
    of_them = replace(grounds, topics=_within(grounds.topics, anew))
    return [
        replace(candidate, topics=_merged(candidate, topics_of(candidate.stored, of_them), anew, grounds))
        for candidate in candidates
    ]


def _merged(
    candidate: Candidate, found: Sequence[TopicMatch], anew: Collection[TopicSlug], grounds: Grounds
) -> tuple[TopicMatch, ...]:
    matches = {match.slug: match for match in candidate.topics if match.slug not in anew}
    matches |= {match.slug: match for match in found if match.slug in anew}
    ordered = [matches[topic.slug] for topic in grounds.topics if topic.slug in matches]
    return tuple(sorted(ordered, key=lambda match: -match.score))


def _titles(
    session: Session, newsletter: Newsletter, candidates: Sequence[Candidate], runtime: Runtime
) -> list[str]:
    titles = {candidate.stored.id: candidate.stored.article.title for candidate in candidates}
    window = current_window(newsletter, runtime.clock())
    selection = choose(session, newsletter, window, candidates)
    return [titles[item.article_id] for item in selection.items]
