"""What a mail server said, in words for a person: on one line, without what could act on a terminal."""

from __future__ import annotations

import os
import ssl

import aiosmtplib

from digest.domain.mail import shorten

ANSWER_MAX = 500
"""Characters of an answer that are kept."""


def readable(text: str) -> str:
    """Return an answer's text on one line: signs that control or that are not seen become spaces."""
    seen = text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)
    return shorten(" ".join(seen.split()), ANSWER_MAX)


def trouble_in_words(trouble: Exception) -> str:
    """Return what went wrong in a conversation: `421 go away`, `Connection refused`."""
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        code = trouble.code if trouble.code > 0 else ""  # -1: what was said is no answer of SMTP
        return readable(f"{code} {trouble.message}") or "an answer that says nothing"
    cause = trouble.__cause__ if isinstance(trouble, aiosmtplib.SMTPConnectError) else trouble
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
        # asyncio's own text is "Connect call failed ('127.0.0.1', 25)".
        return os.strerror(cause.errno) if cause.errno > 0 else readable(cause.strerror or str(cause))
    return readable(str(trouble)) or type(trouble).__name__
