"""A client for the newsroom's tests: a status is a result here, never an exception."""

import http.client
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from tests.waiting import PATIENCE


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def get(url: str, *, method: str = "GET", **headers: str) -> Answer:
    """Return the answer to one request; `If_None_Match=…` becomes the header of that name."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
