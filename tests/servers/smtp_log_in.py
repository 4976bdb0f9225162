"""The server's side of AUTH (RFC 4954): PLAIN, LOGIN, and XOAUTH2 as Google's servers speak it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field

MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2")

Line = tuple[int, str]
"""A code and words: 334 asks for another line, 235 is a log-in, all else ends it."""

WELL: Line = (235, "2.7.0 welcome")
WRONG: Line = (535, "5.7.8 wrong user or password")


@dataclass
class LogIns:
    """Who may log in: passwords and tokens by user. `used` keeps the mechanism of each that did."""

    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = MECHANISMS
    used: list[str] = field(default_factory=list)
    asked_with: list[str] = field(default_factory=list)

    def begin(self, words: str) -> tuple[Line, Callable[[str], object] | None]:
        """Answer `AUTH words`; the second part takes the next line, None when there is none."""
        mechanism, _, first = words.partition(" ")
        self.asked_with.append(mechanism)
        if mechanism not in self.mechanisms:
            return (504, "5.5.4 no such mechanism"), None
        if mechanism == "PLAIN":
            _, user, password = _decoded(first).split("\0")
            return self._verdict("PLAIN", self.passwords.get(user) == password), None
        if mechanism == "LOGIN":
            return self._ask_for_user(first)
        return self._by_token(first)

    def _ask_for_user(self, first: str) -> tuple[Line, Callable[[str], object] | None]:
        if first:
            return (334, _encoded("Password:")), lambda line: self._password(first, line)
        return (334, _encoded("Username:")), lambda user: (
            (334, _encoded("Password:")),
            lambda line: self._password(user, line),
        )

    def _password(self, user: str, password: str) -> tuple[Line, None]:
        return self._verdict("LOGIN", self.passwords.get(_decoded(user)) == _decoded(password)), None

    def _by_token(self, first: str) -> tuple[Line, Callable[[str], object] | None]:
        user, bearer, *rest = _decoded(first).split("\x01")
        token = bearer.removeprefix("auth=Bearer ")
        assert rest == ["", ""]
        if self.tokens.get(user.removeprefix("user=")) == token:
            return self._verdict("XOAUTH2", True), None
        told = {"status": "401", "schemes": "bearer", "scope": "https://mail.example.org/"}
        return (334, _encoded(json.dumps(told))), lambda line: (
            (501, "5.5.2 an empty line was expected") if line else (535, f"5.7.8 not {token}"),
            None,
        )

    def _verdict(self, mechanism: str, is_right: bool) -> Line:
        if is_right:
            self.used.append(mechanism)
        return WELL if is_right else WRONG


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
