"""Give every new article its takeaways and topics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine

from digest.condense.takeaways import condense_article
from digest.condense.terms import why_headline_only
from digest.condense.topics.belonging import topics_of
from digest.condense.topics.steps import learn, read_grounds
from digest.domain.articles import Article, Condensed, Origin, Style, Usage
from digest.domain.newsletters import Newsletter
from digest.store.articles import ArticleId, StoredArticle, articles_by_id, content_hash
from digest.store.condensed import forget_condensed, record_condensed, uncondensed_articles
from digest.store.database import reading, writing
from digest.store.newsletters import list_topics, topic_ids
from digest.store.sources import sources_ever
from digest.store.verdicts import verdicts_on
from digest.store.versioning import Placed

PAGE = 100
"""Articles read at once: ten thousand with their texts would be a hundred megabytes."""


class Condenser(Protocol):
    """Writes takeaways with what is outside: a language model."""

    async def condense(
        self,
        article: Article,
        *,
        count: int,
        max_words: int,
        style: Style,
        article_id: ArticleId,
    ) -> Condensed:
        """Return takeaways in any case: extracted ones, and why in its note, where the model gave none.

        What it costs is written down as that of `article_id`.
        """


@dataclass(frozen=True, slots=True)
class Outdated:
    """An article whose editor's takeaways went on to hold though something changed, and what."""

    article_id: ArticleId
    title: str
    why: str


@dataclass(slots=True)
class Report:
    """What condensing came to: articles read, takeaways by origin, articles without any and without topic.

    Takeaways are those made now, also where an editor's go on to hold (`kept`). `rejected` counts what a
    language model wrote and the articles do not bear out, `usage` sums what it came to (None: it was not
    asked), and `notes` counts the reasons why it had no part. `is_cut_short` tells that some are left to do.
    """

    articles: int = 0
    takeaways: dict[Origin, int] = field(default_factory=dict)
    without_takeaways: int = 0
    without_topic: int = 0
    rejected: int = 0
    usage: Usage | None = None
    notes: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    outdated: list[Outdated] = field(default_factory=list)
    is_cut_short: bool = False

    def add(self, stored: StoredArticle, condensed: Condensed, topics: int, placed: Placed) -> None:
        """Count one article."""
        self.articles += 1
        self.without_takeaways += not condensed.takeaways
        self.without_topic += not topics
        made = Counter(takeaway.origin for takeaway in condensed.takeaways)
        self.takeaways = dict(Counter(self.takeaways) + made)
        self.rejected += len(condensed.rejected)
        if condensed.usage:
            self.usage = _sum(self.usage or Usage(was_cached=True), condensed.usage)
        if condensed.note:
            self.notes[condensed.note] = self.notes.get(condensed.note, 0) + 1
        self.kept += placed.is_beside
        if placed.outdated:
            self.outdated.append(Outdated(stored.id, stored.article.title, placed.outdated))


def _sum(one: Usage, other: Usage) -> Usage:
    """Add up what was paid; what was paid for before costs neither tokens nor money again."""
    if other.was_cached:
        return one
    return Usage(
        one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens, one.cost + other.cost
    )


def condense(
    engine: Engine,
    newsletter: Newsletter,
    *,
    now: datetime,
    note: str = "",
    on_condensed: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Condense the articles that are new or changed, by extraction.

    `note` says why no language model does it, where one should. Each is recorded by itself, so a stop loses
    nothing: the next call goes on. `should_stop` is asked before each article but the first.
    """
    turn = _Turn(engine, newsletter, now=now, on_condensed=on_condensed, should_stop=should_stop)
    for pending in turn.pending():
        turn.record(pending, pending.withheld or _extracted(pending.stored.article, newsletter, note))
    return turn.report


async def condense_with(
    engine: Engine,
    newsletter: Newsletter,
    condenser: Condenser,
    *,
    at_once: int,
    now: datetime,
    on_condensed: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Condense the same articles with a language model, up to `at_once` side by side.

    Each is recorded as it comes, so a kill loses those under way at most. `should_stop` lets them end, and
    begins no other.
    """
    turn = _Turn(engine, newsletter, now=now, on_condensed=on_condensed, should_stop=should_stop)
    articles = turn.pending()

    async def work() -> None:
        # One iterator for all of them: who is free takes the next.
        for pending in articles:
            condensed = pending.withheld or await condenser.condense(
                pending.stored.article,
                count=newsletter.takeaways,
                max_words=newsletter.takeaway_words,
                style=newsletter.takeaway_style,
                article_id=pending.stored.id,
            )
            turn.record(pending, condensed)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except ExceptionGroup as failed:
        # The first is what went wrong, and one of ours as a rule: the database went away.
        raise failed.exceptions[0] from failed
    return turn.report


def _extracted(article: Article, newsletter: Newsletter, note: str) -> Condensed:
    condensed = condense_article(
        article,
        count=newsletter.takeaways,
        max_words=newsletter.takeaway_words,
        style=newsletter.takeaway_style,
    )
    # The publisher's own need no model.
    is_extracted = any(takeaway.origin is Origin.EXTRACTIVE for takeaway in condensed.takeaways)
    return replace(condensed, note=note) if is_extracted else condensed


@dataclass(frozen=True, slots=True)
class _Pending:
    """An article to condense; `withheld` is set when it is for headline and link only."""

    stored: StoredArticle
    withheld: Condensed | None


class _Turn:
    """One call's work: what is pending, read page by page, and what came of it, recorded one by one."""

    def __init__(
        self,
        engine: Engine,
        newsletter: Newsletter,
        *,
        now: datetime,
        on_condensed: Callable[[], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.report = Report()
        self._engine, self._newsletter, self._now = engine, newsletter, now
        self._on_condensed, self._should_stop = on_condensed, should_stop
        learn(engine, newsletter)
        with reading(engine) as session:
            self._grounds = read_grounds(session, newsletter.id, ())
            self._sources = {source.name: source for source in sources_ever(session, newsletter.id)}

    def pending(self) -> Iterator[_Pending]:
        """Yield what is to condense, each article once; ends early, and says so, when it should stop."""
        for number, pending in enumerate(self._all_pending()):
            if number and self._should_stop():
                self.report.is_cut_short = True
                return
            yield pending

    def _all_pending(self) -> Iterator[_Pending]:
        page = self._page(None)
        while page:
            yield from page
            page = self._page(page[-1].stored)

    def _page(self, after: StoredArticle | None) -> list[_Pending]:
        with reading(self._engine) as session:
            page = uncondensed_articles(session, self._newsletter.id, after=after, limit=PAGE)
            originals = articles_by_id(session, {one.copies_id for one in page if one.copies_id})
        reasons = [why_headline_only(one, self._sources, originals.get(one.copies_id)) for one in page]
        return [
            _Pending(one, Condensed((), why) if why else None) for one, why in zip(page, reasons, strict=True)
        ]

    def record(self, pending: _Pending, condensed: Condensed) -> None:
        """Store what came of an article, and count it."""
        stored, newsletter_id = pending.stored, self._newsletter.id
        with writing(self._engine) as session:
            # A model takes its time: rules and what editors say may be others than when the turn began.
            topics, verdicts = list_topics(session, newsletter_id), verdicts_on(session, [stored.id])
            matches = topics_of(stored, replace(self._grounds, topics=topics, verdicts=verdicts))
            placed = record_condensed(
                session,
                stored.id,
                condensed,
                matches,
                topic_ids=topic_ids(session, newsletter_id),
                of=content_hash(stored.article),
                now=self._now,
                is_withheld=pending.withheld is not None,
            )
        self.report.add(stored, condensed, len(matches), placed)
        self._on_condensed()


def condense_again(engine: Engine, newsletter: Newsletter, *, since: datetime) -> int:
    """Have the articles published since then condensed anew, as after a change of rules; return how many.

    Takeaways that an editor made go on to hold.
    """
    with writing(engine) as session:
        return forget_condensed(session, newsletter.id, since=since)
