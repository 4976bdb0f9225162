"""One request to a model's server and its answer, bounded in time and size."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx2
from pydantic import BaseModel, ValidationError

from digest.condense.llm.dialects import Dialect, Reply, Shape
from digest.condense.llm.faults import Action, Fault
from digest.condense.llm.options import LlmOptions
from digest.condense.llm.prompt import Prompt
from digest.domain.times import retry_after

MOST_BYTES = 1_000_000
"""Of one answer; a real one has some thousand."""
LONGEST_REASON = 160
"""Characters of a server's own words that an editor is shown."""
LEAVE_ALONE = timedelta(seconds=60)
"""A server that wants to be left alone for longer is not waited for."""

_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429})
_NOT_TAKEN = frozenset({400, 413, 415, 422})
_NO_CREDIT = re.compile(
    r"insufficient_quota|billing|credit balance|exceeded your current quota", re.IGNORECASE
)
_WHERE_TO_LOOK = {
    401: "refuses the key (401): look at llm_api_key",
    402: "wants to be paid first (402): look at the account of llm_api_key",
    403: "does not let the key ask this model (403): look at llm_api_key and llm_model",
    404: "knows no such model or address (404): look at llm_model and llm_url",
}


class Exchange:
    """Requests to one server. The key goes nowhere else: no redirect is followed, no proxy is used."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        options: LlmOptions,
        dialect: Dialect,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._options = options
        self._dialect = dialect
        self._now = now
        self._url = options.base + dialect.path

    def request(self, prompt: Prompt, shape: Shape) -> bytes:
        """Return what `post` sends, whose length bounds the tokens it can be."""
        return json.dumps(self._dialect.body(prompt, self._options, shape), ensure_ascii=False).encode()

    async def post(self, body: bytes, *, seconds: float) -> Reply | Fault:
        """Ask and read the answer within so many seconds. Never raises for what a server can do."""
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(body)
        except TimeoutError:
            words = f"the model did not answer within {seconds:.3g} s"
            return Fault(words, Action.AGAIN, may_cost=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return Fault("the model's server could not be reached", Action.AGAIN)
        except httpx2.HTTPError:
            return Fault("the connection to the model broke off", Action.AGAIN, may_cost=True)

    async def _answer(self, body: bytes) -> Reply | Fault:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            # What is not compressed cannot grow when it is unpacked.
            "Accept-Encoding": "identity",
            **self._dialect.headers(self._options.api_key.get_secret_value()),
        }
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            content = await _bounded(response)
            if response.status_code != HTTPStatus.OK:
                return self._fault(response, content or b"")
            if content is None:
                words = f"the model answered with more than {MOST_BYTES:,} bytes, or with packed ones"
                return Fault(words, Action.LEAVE, may_cost=True)
            try:
                return self._dialect.read(content)
            except ValueError:
                return _no_answer(response, content)

    def _fault(self, response: httpx2.Response, content: bytes) -> Fault:
        status = response.status_code
        reason = self._reason(content)
        if status in _WHERE_TO_LOOK:
            return Fault(f"the model's server {_WHERE_TO_LOOK[status]}", Action.STOP)
        if status == HTTPStatus.TOO_MANY_REQUESTS and _NO_CREDIT.search(reason):
            words = "the model's account is used up (429): look at the account of llm_api_key"
            return Fault(words, Action.STOP)
        if status in _WORTH_ANOTHER_TRY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = retry_after(response.headers.get("retry-after", ""), now=self._now())
            return self._later(f"the model answered {status}", wait)
        if response.is_redirect:
            words = f"the model's server sends us elsewhere ({status}): let llm_url name the final address"
            return Fault(words, Action.STOP)
        words = f"the model's server does not take the request ({status}{f': {reason}' if reason else ''})"
        return Fault(words, Action.SIMPLER if status in _NOT_TAKEN else Action.LEAVE)

    def _later(self, words: str, wait: timedelta | None) -> Fault:
        if wait is not None and wait > LEAVE_ALONE:
            return Fault(f"{words} and asks to be left alone for {wait.total_seconds():.0f} s", Action.LEAVE)
        return Fault(words, Action.AGAIN, wait)

    def _reason(self, content: bytes) -> str:
        """Return the server's own words on one line, short, and without the key should it repeat it."""
        try:
            error = _Trouble.model_validate_json(content).error
        except ValidationError:
            return ""
        words = error if isinstance(error, str) else f"{error.type} {error.code or ''} {error.message}"
        key = self._options.api_key.get_secret_value()
        shown = words.replace(key, "***") if key else words
        return " ".join(re.sub(r"[^\w\s.,:;'\"()/*-]", " ", shown).split())[:LONGEST_REASON]


class _Error(BaseModel):
    type: str | None = ""
    code: str | int | None = ""
    message: str | None = ""


class _Trouble(BaseModel):
    error: _Error | str


async def _bounded(response: httpx2.Response) -> bytes | None:
    """Return the body, None when it is longer than any answer or packed although we asked for it bare."""
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        return None
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MOST_BYTES:
            return None
    return bytes(content)


def _no_answer(response: httpx2.Response, content: bytes) -> Fault:
    """Tell a page, which comes from some other server, from JSON that is no answer or only half of one."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.endswith("html") or content.lstrip()[:1] == b"<":
        words = "the model's server answered with a web page: look at llm_url"
        return Fault(words, Action.LEAVE)
    return Fault(
        "the model's server answered with something that is no answer", Action.ONCE_MORE, may_cost=True
    )
