"""Telling ops by a webhook: a chat's, a pager's, or a program of their own.

Signed as Standard Webhooks has it (standardwebhooks.com), where there is a secret. Chats that show the
`text` of what they are sent, as Slack and Mattermost do, need nothing between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx2

from digest.domain.errors import Unavailable

PATIENCE_SECONDS = 10.0
_PREFIX = "whsec_"


def post_alert(
    url: str,
    secret: str,
    *,
    subject: str,
    text: str,
    to_do: str,
    commands: Sequence[str],
    now: datetime,
    client: httpx2.Client | None = None,
) -> None:
    """Tell ops at `url`. Raises `Unavailable`, with what the other side said, when it did not take it."""
    told = {
        "type": "ops.told",
        "timestamp": now.isoformat(),
        "text": "\n".join([subject, text, *filter(None, [to_do]), *commands]),
        "data": {"subject": subject, "text": text, "to_do": to_do, "commands": list(commands)},
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", **signed(body, secret, now=now)}
    try:
        with client or httpx2.Client(trust_env=False, timeout=PATIENCE_SECONDS) as session:
            answer = session.post(url, content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        # Its address may hold a secret of its own, as those of chats do.
        raise Unavailable(f"ops_webhook_url cannot be reached: {type(exc).__name__}") from exc
    if not answer.is_success:
        raise Unavailable(f"ops_webhook_url answered {answer.status_code}")


def signed(body: bytes, secret: str, *, now: datetime) -> Mapping[str, str]:
    """Return the headers by which who has the secret knows that `body` is ours, and new."""
    number, at = f"msg_{secrets.token_hex(12)}", str(int(now.timestamp()))
    headers = {"webhook-id": number, "webhook-timestamp": at}
    if not secret:
        return headers
    mark = hmac.digest(_key(secret), f"{number}.{at}.".encode() + body, hashlib.sha256)
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(mark).decode()}"}


def _key(secret: str) -> bytes:
    """Return the bytes of a secret: those that `whsec_` names, or any other text as it is."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        return secret.encode()
