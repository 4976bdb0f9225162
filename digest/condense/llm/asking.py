"""Asking for one article: the answers that were kept, else the model, more than once where that helps."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.condense.llm.calls import Calls
from digest.condense.llm.claims import LOOK_SECONDS, Claims
from digest.condense.llm.drafts import Draft, read_draft
from digest.condense.llm.faults import Action, Fault, told
from digest.condense.llm.options import LlmOptions
from digest.condense.llm.prompt import VERSION, Prompt
from digest.condense.llm.run import Run
from digest.domain.articles import Usage
from digest.store.answers import KeptAnswer, find_answer, record_answer
from digest.store.articles import ArticleId
from digest.store.database import reading, writing

ATTEMPTS = 4
"""Requests for one article, at most: shapes that a server does not know are not counted."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking came to: a draft, or in words why there is none. `usage` is None when no answer came."""

    draft: Draft | None
    usage: Usage | None
    why: str = ""


class Asking:
    """Asks for the articles of one run, a bounded number at a time."""

    def __init__(
        self,
        engine: Engine,
        calls: Calls,
        claims: Claims,
        options: LlmOptions,
        run: Run,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._calls = calls
        self._claims = claims
        self._options = options
        self._run = run
        self._now = now
        self._slots = asyncio.Semaphore(options.concurrency)
        # One for each article of the run: what is asked for at the same time twice is paid for once. For
        # other processes there are claims.
        self._under_way: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, prompt: Prompt, key: str, *, url: str, article_id: ArticleId | None) -> Asked:
        """Return the draft kept under `key`, else the model's, kept before anything is made of it.

        What another process is asking is waited for. `url` is the article's, for the log; its calls are
        written down as those of `article_id`.
        """
        async with self._under_way[key]:
            while (kept := await asyncio.to_thread(self._find, key)) is None:
                if why := self._run.why_not():
                    return Asked(None, None, why)
                if await self._claims.take(key):
                    return await self._ask_alone(prompt, key, url, article_id)
                if not await self._run.wait(LOOK_SECONDS):
                    return Asked(None, None, _ELSEWHERE)
            return _asked_before(kept)

    async def _ask_alone(self, prompt: Prompt, key: str, url: str, article_id: ArticleId | None) -> Asked:
        try:
            # Whoever asked until now may have kept an answer before they let go.
            kept = await asyncio.to_thread(self._find, key)
            if kept is not None:
                return _asked_before(kept)
            async with self._slots:
                return await self._ask(prompt, key, url, article_id)
        finally:
            await self._claims.give_back(key)

    async def _ask(self, prompt: Prompt, key: str, url: str, article_id: ArticleId | None) -> Asked:
        faults: list[Fault] = []
        paid: Usage | None = None
        while not (why := self._run.why_not()):
            called = await self._calls.call(prompt, article_id)
            paid = _added(paid, called.usage)
            if not isinstance(called.outcome, Fault):
                text, draft = called.outcome
                self._run.answered()
                await asyncio.to_thread(self._keep, key, text, called.usage)
                return Asked(draft, paid)
            faults.append(called.outcome)
            if not await self._is_worth_more(faults):
                return Asked(None, paid, self._given_up(faults, url))
        return Asked(None, paid, why)

    async def _is_worth_more(self, faults: list[Fault]) -> bool:
        """Tell whether to ask again, once the wait for it is over.

        What is paid, or may be, is asked for twice and no more; those are also the attempts that take long.
        """
        fault = faults[-1]
        dear = sum(each.may_cost or each.action is Action.ONCE_MORE for each in faults)
        if len(faults) == ATTEMPTS or dear > 1:
            return False
        if fault.action is Action.AGAIN:
            return await self._run.pause(len(faults), fault.wait)
        return fault.action is Action.ONCE_MORE

    def _given_up(self, faults: list[Fault], url: str) -> str:
        words, last = told(faults), faults[-1]
        log.warning("llm.gave_up", article=url, why=words)
        if last.action is Action.STOP:
            self._run.stop(words)
        elif last.blames_model:
            self._run.failed(words)
        return words

    def _find(self, key: str) -> KeptAnswer | None:
        with reading(self._engine) as session:
            return find_answer(session, key)

    def _keep(self, key: str, text: str, usage: Usage) -> None:
        answer = KeptAnswer(
            text, usage.input_tokens, usage.output_tokens, usage.cost, self._options.model, VERSION
        )
        with writing(self._engine) as session:
            record_answer(session, key, answer, now=self._now())


_ELSEWHERE = "another process was asking the model about this article until the run's time was over"


def _asked_before(kept: KeptAnswer) -> Asked:
    usage = Usage(kept.input_tokens, kept.output_tokens, was_cached=True)
    return Asked(read_draft(kept.text), usage)


def _added(one: Usage | None, other: Usage) -> Usage | None:
    """Return what two calls came to; None as long as no model wrote anything."""
    if other == Usage():
        return one
    one = one or Usage()
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cost + other.cost,
    )
