"""Calls to a model that are paid for: in which shape, with what set aside, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from digest.condense.llm.account import Account
from digest.condense.llm.budget import Budget, dollars
from digest.condense.llm.dialects import Dialect, Ending, Reply, Shape
from digest.condense.llm.drafts import Draft, read_draft
from digest.condense.llm.exchange import Exchange
from digest.condense.llm.faults import Action, Fault
from digest.condense.llm.options import LlmOptions
from digest.condense.llm.prompt import Prompt
from digest.condense.llm.run import Run
from digest.domain.articles import Usage
from digest.store.articles import ArticleId

TOKEN_BYTES = 3
"""Bytes of a token where a server counts none: most languages have more, so more tokens are reckoned."""
_MOST_TOKENS = 2**31 - 1
_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Called:
    """One call: the valid answer as it was written and as it was read, or the fault, and what it came to."""

    outcome: tuple[str, Draft] | Fault
    usage: Usage


class Calls:
    """Calls in one run, which remember the richest shape of request that the server takes."""

    def __init__(
        self, exchange: Exchange, dialect: Dialect, options: LlmOptions, run: Run, account: Account
    ) -> None:
        self.budget = Budget(options.spend_limit)
        self._account = account
        self._exchange = exchange
        self._shapes = dialect.shapes
        self._first = 0
        self._options = options
        self._run = run

    async def call(self, prompt: Prompt, article_id: ArticleId | None) -> Called:
        """Ask once about an article; where the server does not take the request, in simpler shapes, too."""
        for place in range(self._first, len(self._shapes)):
            called = await self._in_shape(prompt, self._shapes[place], article_id)
            if not (isinstance(called.outcome, Fault) and called.outcome.action is Action.SIMPLER):
                # Only an answer tells that it was the shape that was refused, and not this article.
                if not isinstance(called.outcome, Fault):
                    self._first = max(self._first, place)
                break
        return called

    async def _in_shape(self, prompt: Prompt, shape: Shape, article_id: ArticleId | None) -> Called:
        body = self._exchange.request(prompt, shape)
        # No token is shorter than a byte, so it cannot be more.
        most = self._options.prices.cost(len(body), self._options.answer_tokens)
        if not await self.budget.reserve(most):
            return Called(self._too_dear(), _NOTHING)
        cost = most  # of a call that is cancelled, nobody knows
        try:
            if why := self._run.why_not():
                cost = 0
                return Called(Fault(why, Action.STOP), _NOTHING)
            call = await self._account.begin(article_id, most=most)
            reply = await self._exchange.post(body, seconds=min(self._options.timeout, self._run.left))
            if isinstance(reply, Fault):
                if not reply.may_cost:
                    cost = 0
                    await self._account.settle(call, _NOTHING)
                return Called(reply, _NOTHING)
            usage = self._usage(reply, body)
            cost = usage.cost
            await self._account.settle(call, usage)
            return Called(self._read(reply), usage)
        finally:
            await self.budget.settle(most, cost=cost)

    def _read(self, reply: Reply) -> tuple[str, Draft] | Fault:
        if reply.ending is Ending.REFUSED:
            return Fault("the model refused to write about this article", Action.LEAVE, blames_model=False)
        if reply.ending is Ending.CUT:
            words = f"the model's answer was cut off at {self._options.answer_tokens} tokens"
            return Fault(f"{words}: llm_answer_tokens allows no more", Action.LEAVE)
        try:
            return reply.text, read_draft(reply.text)
        except ValueError as exc:
            return Fault(f"the model answered {exc}", Action.ONCE_MORE)

    def _usage(self, reply: Reply, body: bytes) -> Usage:
        read = _tokens(reply.input_tokens, len(body))
        written = _tokens(reply.output_tokens, len(reply.text.encode("utf-8", "replace")))
        return Usage(read, written, self._options.prices.cost(read, written))

    def _too_dear(self) -> Fault:
        limit, spent = dollars(self.budget.limit), dollars(self.budget.spent)
        words = (
            f"the run's limit of {limit} for the model leaves too little for this article ({spent} is spent)"
        )
        return Fault(words, Action.LEAVE, blames_model=False)


def _tokens(counted: int | None, size: int) -> int:
    """Return the tokens a server counted, as far as that can be; reckoned from the size where it does not."""
    reckoned = size // TOKEN_BYTES + 1 if counted is None else counted
    return min(max(0, reckoned), _MOST_TOKENS)
