"""The two protocols models are asked in: what a request looks like, and what an answer says.

Anthropic's is `POST /v1/messages` (version 2023-06-01), the other is OpenAI's `POST /chat/completions`, which
most other servers speak. An answer is read for what is needed; fields that nobody knows are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any, Protocol

from pydantic import BaseModel, Field, JsonValue

from digest.condense.llm.options import LlmOptions, Provider
from digest.condense.llm.prompt import SCHEMA, Prompt

NAME = "takeaways"


class Shape(StrEnum):
    """How an answer is made to be JSON of one form, the surest first."""

    SCHEMA = "schema"
    TOOL = "tool"
    OBJECT = "object"
    TEXT = "text"


class Ending(Enum):
    """Why a model stopped writing."""

    DONE = auto()
    CUT = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, why it stopped, and the tokens its server counted; None when it does not tell."""

    text: str
    ending: Ending
    input_tokens: int | None
    output_tokens: int | None


class Dialect(Protocol):
    """One protocol. `path` is put behind the configured address, `shapes` are tried in order on a 400."""

    path: str
    shapes: tuple[Shape, ...]

    def headers(self, key: str) -> dict[str, str]:
        """Return what shows the key; nothing without one."""

    def body(self, prompt: Prompt, options: LlmOptions, shape: Shape) -> dict[str, Any]:
        """Return what is sent, to be written as JSON."""

    def read(self, body: bytes) -> Reply:
        """Read an answer with status 200. Raises `ValueError` when it is none of this protocol."""


def dialect_of(provider: Provider) -> Dialect:
    """Return the protocol that a provider's servers speak."""
    return _DIALECTS[provider]


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class OpenAI:
    """Chat completions, as OpenAI and many others serve them."""

    path = "/chat/completions"
    shapes: tuple[Shape, ...] = (Shape.SCHEMA, Shape.OBJECT, Shape.TEXT)

    def headers(self, key: str) -> dict[str, str]:
        """Return the key as a bearer token (RFC 6750)."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(self, prompt: Prompt, options: LlmOptions, shape: Shape) -> dict[str, Any]:
        """Return a conversation of the orders and the material."""
        # OpenAI's newer models refuse the old name of the limit; most other servers know no other.
        limit = "max_completion_tokens" if options.is_at_home else "max_tokens"
        return {
            "model": options.model,
            limit: options.answer_tokens,
            "messages": [
                {"role": "system", "content": prompt.orders},
                {"role": "user", "content": prompt.material},
            ],
            **_FORMATS[shape],
        }

    def read(self, body: bytes) -> Reply:
        """Read the first choice."""
        completion = _Completion.model_validate_json(body)
        choice, usage = completion.choices[0], completion.usage or _Usage()
        ending = _OPENAI_ENDINGS.get(choice.finish_reason or "", Ending.DONE)
        if choice.message.refusal:
            ending = Ending.REFUSED
        return Reply(choice.message.content or "", ending, usage.prompt_tokens, usage.completion_tokens)


_FORMATS: Mapping[Shape, dict[str, Any]] = {
    Shape.SCHEMA: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": NAME, "strict": True, "schema": SCHEMA},
        }
    },
    Shape.OBJECT: {"response_format": {"type": "json_object"}},
    Shape.TEXT: {},
}
_OPENAI_ENDINGS = {"length": Ending.CUT, "content_filter": Ending.REFUSED}


class _Block(BaseModel):
    type: str
    text: str = ""
    input: JsonValue = None


class _MessageUsage(BaseModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    @property
    def read(self) -> int | None:
        """Tokens read. Those of a cache are cheaper or dearer; they are counted like all others."""
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return None if self.input_tokens is None else self.input_tokens + cached


class _MessageAnswer(BaseModel):
    content: list[_Block]
    stop_reason: str | None = None
    usage: _MessageUsage | None = None


class Anthropic:
    """Anthropic's messages."""

    path = "/v1/messages"
    shapes: tuple[Shape, ...] = (Shape.SCHEMA, Shape.TOOL, Shape.TEXT)

    def headers(self, key: str) -> dict[str, str]:
        """Return the protocol's version, and the key in a header of its own."""
        return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})

    def body(self, prompt: Prompt, options: LlmOptions, shape: Shape) -> dict[str, Any]:
        """Return a conversation that opens with the material; the orders stand beside it."""
        return {
            "model": options.model,
            "max_tokens": options.answer_tokens,
            "system": prompt.orders,
            "messages": [{"role": "user", "content": prompt.material}],
            **_OUTPUTS[shape],
        }

    def read(self, body: bytes) -> Reply:
        """Read what was handed to the tool, else what was written."""
        answer = _MessageAnswer.model_validate_json(body)
        usage = answer.usage or _MessageUsage()
        ending = _ANTHROPIC_ENDINGS.get(answer.stop_reason or "", Ending.DONE)
        return Reply(_said(answer.content), ending, usage.read, usage.output_tokens)


def _said(blocks: list[_Block]) -> str:
    """Return what a model handed to its tool, else what it wrote."""
    handed = [json.dumps(block.input) for block in blocks if block.type == "tool_use"]
    return handed[0] if handed else "".join(block.text for block in blocks if block.type == "text")


_OUTPUTS: Mapping[Shape, dict[str, Any]] = {
    Shape.SCHEMA: {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    Shape.TOOL: {
        "tools": [
            {"name": NAME, "description": "Hand over the takeaways of the article.", "input_schema": SCHEMA}
        ],
        "tool_choice": {"type": "tool", "name": NAME},
    },
    Shape.TEXT: {},
}
_ANTHROPIC_ENDINGS = {
    "max_tokens": Ending.CUT,
    "model_context_window_exceeded": Ending.CUT,
    "refusal": Ending.REFUSED,
}
_DIALECTS: Mapping[Provider, Dialect] = {Provider.OPENAI: OpenAI(), Provider.ANTHROPIC: Anthropic()}
