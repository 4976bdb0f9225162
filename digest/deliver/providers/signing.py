"""Requests signed as Amazon's services want them: AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. `token` is there for temporary ones, '' otherwise."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one service in one region."""

    credentials: Credentials
    region: str
    service: str

    def signed(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> dict[str, str]:
        """Return `headers` with those that prove who asks: host, date, session token and signature.

        All of them are signed. The signature holds for some minutes around `now` (aware UTC).
        """
        parts = urlsplit(url)
        moment = f"{now:%Y%m%dT%H%M%SZ}"
        whole = {**headers, "Host": parts.netloc, "X-Amz-Date": moment}
        if self.credentials.token:
            whole["X-Amz-Security-Token"] = self.credentials.token
        named = sorted((name.lower(), " ".join(value.split())) for name, value in whole.items())
        names = ";".join(name for name, _ in named)
        asked = "\n".join(
            [
                method,
                quote(parts.path or "/", safe="/-_.~"),
                _query(parts.query),
                *(f"{name}:{value}" for name, value in named),
                "",
                names,
                hashlib.sha256(content).hexdigest(),
            ]
        )
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        to_sign = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(asked.encode()).hexdigest()])
        signature = hmac.new(self._key(scope), to_sign.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.credentials.key_id}/{scope}"
        whole["Authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
        return whole

    def _key(self, scope: str) -> bytes:
        key = f"AWS4{self.credentials.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _query(query: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in pairs)
