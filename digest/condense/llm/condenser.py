"""Takeaways of an article by a language model, as far as the article bears them out."""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import httpx2
from sqlalchemy import Engine

from digest.condense.llm.account import Account
from digest.condense.llm.asking import Asking
from digest.condense.llm.budget import Budget
from digest.condense.llm.calls import Calls
from digest.condense.llm.checking import Checked, check_draft, overlaps, repeats
from digest.condense.llm.claims import Claims
from digest.condense.llm.dialects import dialect_of
from digest.condense.llm.exchange import Exchange
from digest.condense.llm.options import LlmOptions
from digest.condense.llm.orders import find_orders
from digest.condense.llm.prompt import VERSION, write_prompt
from digest.condense.llm.run import Pace, Run
from digest.condense.takeaways import condense_article
from digest.domain.articles import Article, Condensed, Origin, Style, Takeaway
from digest.domain.newsletters import NewsletterId
from digest.store.articles import ArticleId, content_hash


class LlmCondenser:
    """One run: the limits on time, money and failures hold for all articles that it is given."""

    def __init__(self, asking: Asking, options: LlmOptions, budget: Budget, run: Run) -> None:
        self._asking = asking
        self._options = options
        self._budget = budget
        self._run = run

    @property
    def spent(self) -> int:
        """Millionths of a US dollar this run may have cost; calls that broke off count at their most."""
        return self._budget.spent

    @property
    def stopped(self) -> str:
        """Why the run stopped asking the model, '' when it did not."""
        return self._run.stopped

    async def condense(
        self,
        article: Article,
        *,
        count: int,
        max_words: int,
        style: Style,
        article_id: ArticleId | None = None,
    ) -> Condensed:
        """Return at most `count` takeaways of at most `max_words` words.

        The publisher's are kept word for word and no model is asked. The model's come first, then extracted
        ones in place of those that the article does not bear out. When it cannot be asked or its answer is
        no use, all are extracted and `note` says why. It raises nothing that a model's server can cause: only
        what the database raises, and `ValueError` when a limit is below 1.

        What a publisher reserves, or a source is not used for beyond its headline, must not be given: a model
        would be shown its text. What it costs is written down as that of `article_id` (None: it is not
        stored). Safe to call for many articles at once.
        """
        own = _without_orders(article, count=count, max_words=max_words, style=style)
        prompt = write_prompt(
            article, count=count, max_words=max_words, style=style, fence=secrets.token_hex(8)
        )
        if _is_publishers(own) or not prompt.sentences:
            return own
        key = self._key(article, count=count, max_words=max_words, style=style)
        asked = await self._asking.ask(prompt, key, url=article.url, article_id=article_id)
        if asked.draft is None:
            return replace(own, usage=asked.usage, note=_note(asked.why, own))
        checked = check_draft(asked.draft, prompt, article, self._options, count=count, max_words=max_words)
        more = _more(own, article, count=count, max_words=max_words, style=style)
        takeaways = _filled(checked, more, article.language, count)
        nothing = "" if checked.takeaways else "the article bears out nothing of what the model wrote"
        return Condensed(
            tuple(takeaways),
            None if takeaways else own.why_none,
            rejected=checked.rejected,
            usage=asked.usage,
            note=_note(nothing, own) if nothing else "",
        )

    def _key(self, article: Article, *, count: int, max_words: int, style: Style) -> str:
        """Return the SHA-256 of everything an answer depends on, its newsletter not among it."""
        options = self._options
        parts = [
            options.provider, options.model, VERSION, options.answer_tokens, count, max_words, style,
            article.language, content_hash(article),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@asynccontextmanager
async def open_condenser(
    options: LlmOptions,
    engine: Engine,
    newsletter_id: NewsletterId,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pace: Pace | None = None,
) -> AsyncIterator[LlmCondenser]:
    """Give a condenser for one run of a newsletter.

    Answers are read from and kept in `engine`, and so is what each call costs.
    """
    run = Run(options.run_seconds, pace or Pace())
    dialect = dialect_of(options.provider)
    limits = httpx2.Limits(max_connections=options.concurrency)
    # Time is bounded for each call as a whole, by `Exchange`.
    async with httpx2.AsyncClient(verify=_tls(), trust_env=False, timeout=None, limits=limits) as client:
        account = Account(engine, newsletter_id, now=now)
        calls = Calls(Exchange(client, options, dialect, now=now), dialect, options, run, account)
        claims = Claims(engine, now=now)
        asking = Asking(engine, calls, claims, options, run, now=now)
        async with claims.kept():
            yield LlmCondenser(asking, options, calls.budget, run)


@cache
def _tls() -> ssl.SSLContext:
    """Return what servers are known by: reading it takes longer than a run of answers that were kept."""
    return httpx2.create_ssl_context(trust_env=False)


def _is_publishers(condensed: Condensed) -> bool:
    return any(takeaway.origin is Origin.PUBLISHER for takeaway in condensed.takeaways)


def _without_orders(article: Article, *, count: int, max_words: int, style: Style) -> Condensed:
    """Return what is had without a model, but for passages that are meant for one."""
    own = condense_article(article, count=count, max_words=max_words, style=style)
    withheld = find_orders(article)
    kept = tuple(takeaway for takeaway in own.takeaways if not overlaps(takeaway.support, withheld))
    why = own.why_none or "what it says is part of passages that give orders to a language model"
    return replace(own, takeaways=kept, why_none=None if kept else why)


def _more(
    own: Condensed, article: Article, *, count: int, max_words: int, style: Style
) -> Iterator[Takeaway]:
    """Yield the extracted takeaways, then others that are chosen when more are asked for."""
    yield from own.takeaways
    yield from _without_orders(article, count=2 * count, max_words=max_words, style=style).takeaways


def _note(why: str, own: Condensed) -> str:
    return f"{why}; {'these takeaways are extracted' if own.takeaways else 'none could be extracted'}"


def _filled(
    checked: Checked, extracted: Iterable[Takeaway], language: str | None, count: int
) -> list[Takeaway]:
    """Return what stands of a draft, then extracted takeaways that say something else, up to `count`."""
    takeaways = list(checked.takeaways)
    for takeaway in extracted:
        if len(takeaways) >= count:
            break
        if not _is_told(takeaway, takeaways, language):
            takeaways.append(takeaway)
    return takeaways


def _is_told(takeaway: Takeaway, others: Sequence[Takeaway], language: str | None) -> bool:
    """Tell whether others rest on the same sentence, or say the same."""
    return any(overlaps(takeaway.support, other.support) for other in others) or repeats(
        takeaway, others, language
    )
