"""A language model's server on the loopback that speaks both protocols and does what it is told.

    with ModelServer() as server:
        server.will(status(429), says("The wall will cost $83 million."))

Each request takes the next behaviour; the last one stays. Without any, the model is honest.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers import told_server
from tests.servers.told_server import ToldServer

_SENTENCE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)


@dataclass
class Call(told_server.Call):
    """A request for takeaways."""

    body: dict[str, Any]

    @property
    def is_anthropic(self) -> bool:
        return self.path.endswith("/v1/messages")

    @property
    def shape(self) -> str:
        """In which form an answer was asked for."""
        if self.is_anthropic:
            return "schema" if "output_config" in self.body else "tool" if "tools" in self.body else "text"
        kind = self.body.get("response_format", {}).get("type", "text")
        return {"json_schema": "schema", "json_object": "object", "text": "text"}[kind]

    @property
    def orders(self) -> str:
        return self.body["system"] if self.is_anthropic else self.body["messages"][0]["content"]

    @property
    def material(self) -> str:
        return self.body["messages"][-1]["content"]

    @property
    def sentences(self) -> list[str]:
        return [text for _, text in _SENTENCE.findall(self.material)]


Behaviour = Callable[[Call], None]


class ModelServer(ToldServer[Call]):
    """A model's server; `calls` are its requests, `most_at_once` how many it had at the same time."""

    def __init__(self) -> None:
        super().__init__(self._handler(), by_itself=honest)
        self.calls: list[Call] = []
        self.most_at_once = 0
        self._at_once = 0

    def _next(self, call: Call) -> Behaviour:
        with self._lock:
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self._next_behaviour()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.path, headers, server.stopping, self, body)
                behaviour = server._next(call)
                try:
                    with suppress(ConnectionError):
                        behaviour(call)
                finally:
                    with server._lock:
                        server._at_once -= 1

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler


def takeaways(*texts: str, sentences: tuple[int, ...] = (1,), **more: object) -> str:
    """An answer of the asked-for form, with fields nobody asked for in `more`."""
    return json.dumps({"takeaways": [{"text": text, "sentences": list(sentences)} for text in texts], **more})


def envelope(
    call: Call,
    text: str,
    *,
    ending: str = "",
    refusal: str | None = None,
    usage: tuple[int, int] | None = (900, 100),
) -> bytes:
    """What either protocol puts around a model's words. `ending` is its own word for why they end."""
    read, written = usage or (0, 0)
    if call.is_anthropic:
        block: dict[str, object] = {"type": "text", "text": text}
        if call.shape == "tool":
            block = {"type": "tool_use", "id": "t1", "name": "takeaways", "input": json.loads(text)}
        answer: dict[str, object] = {
            "id": "m1",
            "type": "message",
            "content": [block],
            "stop_reason": ending or ("tool_use" if call.shape == "tool" else "end_turn"),
            "usage": {"input_tokens": read, "output_tokens": written},
        }
    else:
        message = {"role": "assistant", "content": text, "refusal": refusal}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": ending or "stop"}],
            "usage": {"prompt_tokens": read, "completion_tokens": written},
        }
    if usage is None:
        del answer["usage"]
    return json.dumps(answer).encode()


def honest(call: Call) -> None:
    """Take over the first three sentences, each with its number."""
    chosen = list(enumerate(call.sentences[:3], 1))
    written = {"takeaways": [{"text": text, "sentences": [number]} for number, text in chosen]}
    call.send(200, envelope(call, json.dumps(written)))


def says(*texts: str, usage: tuple[int, int] | None = (900, 100)) -> Behaviour:
    """Give these takeaways, whatever the article says."""
    return lambda call: call.send(200, envelope(call, takeaways(*texts), usage=usage))


def writes(text: str, *, ending: str = "", refusal: str | None = None) -> Behaviour:
    """Answer with this text, which need be no JSON."""
    return lambda call: call.send(200, envelope(call, text, ending=ending, refusal=refusal))


def status(code: int, *, message: str = "no", kind: str = "error", **headers: str) -> Behaviour:
    """Refuse, in the form both protocols share."""
    content = json.dumps({"error": {"type": kind, "message": message}}).encode()
    return lambda call: call.send(code, content, **headers)


def sends(content: bytes, code: int = 200, **headers: str) -> Behaviour:
    """Answer with bytes as they are."""
    return lambda call: call.send(code, content, **headers)


def silent(seconds: float = 30.0) -> Behaviour:
    """Take the request and say nothing."""

    def behave(call: Call) -> None:
        call.wait(seconds)
        call.hang_up()

    return behave


def stalls(seconds: float = 30.0) -> Behaviour:
    """Send the head and the beginning of an answer, then nothing."""

    def behave(call: Call) -> None:
        call.send(200, b'{"choices": [', Content_Length="500")
        call.wait(seconds)
        call.hang_up()

    return behave


def breaks_off(call: Call) -> None:
    """Close the connection in the middle of an answer."""
    call.send(200, envelope(call, takeaways("The wall"))[:40], Content_Length="5000")
    call.hang_up()


def hangs_up(call: Call) -> None:
    """Close the connection without a word."""
    call.hang_up()


def drips(call: Call) -> None:
    """Send a byte from time to time, so that no single read takes long."""
    call.send(200, b"", Content_Length="100000")
    while not call.stopping.is_set():
        call.handler.wfile.write(b" ")
        call.handler.wfile.flush()
        call.wait(0.02)


def refuses_shapes(*shapes: str) -> Behaviour:
    """Answer 400 to a request in one of these shapes, and honestly to others."""

    def behave(call: Call) -> None:
        if call.shape in shapes:
            status(400, message=f"{call.shape} is not supported")(call)
        else:
            honest(call)

    return behave


def lingers(seconds: float, then: Behaviour = honest) -> Behaviour:
    """Take a while, then behave."""

    def behave(call: Call) -> None:
        time.sleep(seconds)
        then(call)

    return behave


def obeys(order: str, payload: str) -> Behaviour:
    """A victim: where the material holds `order`, write `payload` and nothing else; be honest otherwise."""

    def behave(call: Call) -> None:
        if order in call.material:
            call.send(200, envelope(call, payload if payload.startswith('{"') else takeaways(payload)))
        else:
            honest(call)

    return behave
