"""Bounces in words that only people were meant to read: flufl.bounce finds whom they are about.

Its verdict is not ours. It calls every refusal permanent, also one of *us* (5.7.x), and would cost us readers
for our own failure. So the code that stands in the text decides, and without a code the bounce is soft.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from digest.domain.bounces import is_about_us, statuses_in

_TEXT_MAX = 16_000
"""Characters of text looked at for a code: what the server says comes before what it gives back."""

_GIVEN_BACK = ("--- Below this line is a copy", "------ This is a copy", "Received: ", "Return-Path: ")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a bounce in words seems to say: about which addresses, and the code that it names, '' for none."""

    failed: frozenset[str]
    delayed: frozenset[str]
    status: str


def guess(message: Message) -> Guess | None:
    """Return what a mail that is no report says of a bounce, or None when it says nothing of one.

    Mails within it are taken out of it. Raises whatever a detector of flufl.bounce raises on a mail it did
    not expect.
    """
    _leave_given_back(message)
    delayed, failed = all_failures(message)
    if not delayed and not failed:
        return None
    return Guess(_addresses(failed), _addresses(delayed), _status(_said(message)))


def _leave_given_back(message: Message) -> None:
    """Take out the mails that a mail holds: flufl.bounce would read a report in what somebody forwards."""
    parts = message.get_payload()
    if not isinstance(parts, list):
        return
    parts[:] = [one for one in parts if isinstance(one, Message) and one.get_content_maintype() != "message"]
    for one in parts:
        if isinstance(one, Message):
            _leave_given_back(one)


def _addresses(found: frozenset[bytes] | frozenset[str]) -> frozenset[str]:
    return frozenset(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in found)


def _status(text: str) -> str:
    """Return the code that counts: one about us, wherever it stands, before the first one."""
    found = statuses_in(text)
    return next(filter(is_about_us, found), found[0] if found else "")


def _said(message: Message) -> str:
    """Return the first text of a mail, up to where it quotes the mail that did not arrive."""
    part: Message = message
    while isinstance(parts := part.get_payload(), list) and parts and isinstance(parts[0], Message):
        part = parts[0]
    octets = part.get_payload(decode=True)
    text = octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""
    ends = [at for mark in _GIVEN_BACK if (at := text.find(mark)) >= 0]
    return text[: min([_TEXT_MAX, *ends])]
