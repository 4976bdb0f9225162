"""What an operator says of the language model: where it is, at which price and within which limits."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field
from enum import StrEnum

import httpx2
from pydantic import SecretStr

from digest.domain.errors import Misconfigured

_INSIDE = (".internal", ".local", ".localhost", ".home.arpa")
"""Endings of names that are not public (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal)."""
_NO_TLS = (
    "is not https, so the key and the articles would be read on the way: use https, or name a host of your "
    "own (localhost, a private address, a name without a dot)"
)


class Provider(StrEnum):
    """Which protocol the model's server speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


HOMES = {Provider.OPENAI: "https://api.openai.com/v1", Provider.ANTHROPIC: "https://api.anthropic.com"}
"""Where each provider's own server is: its protocol's path is put behind."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens: as many millionths of a dollar for each."""

    input: float
    output: float

    @classmethod
    def given(cls, input_price: float | None, output_price: float | None) -> Prices:
        """Return the prices that settings name. Raises `Misconfigured` unless both are given, if only as 0.

        A limit on spending that knows no prices would hold nothing back.
        """
        for name, price in (("llm_input_price", input_price), ("llm_output_price", output_price)):
            if price is None:
                raise Misconfigured(
                    f"{name} is not set, so llm_spend_limit could not hold: set it to the US dollars for a "
                    "million tokens, 0 for a model of your own"
                )
        return cls(input_price or 0.0, output_price or 0.0)

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Return millionths of a US dollar, rounded up."""
        return math.ceil(input_tokens * self.input + output_tokens * self.output)


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """A language model that can be asked, and how much it may be.

    `spend_limit` is in US dollars and, as `run_seconds`, for all articles of one run; `timeout` is seconds
    for one call from beginning to end, `answer_tokens` the most tokens of one answer. Raises `Misconfigured`
    with the setting that is wrong, and never repeats the key.
    """

    provider: Provider
    model: str
    prices: Prices
    url: str = ""
    api_key: SecretStr = field(default=SecretStr(""), repr=False)
    spend_limit: float = 1.0
    concurrency: int = 4
    answer_tokens: int = 1_500
    timeout: float = 60.0
    run_seconds: float = 900.0

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise Misconfigured("llm_model is not set: name the model to ask, or set llm_provider to none")
        _require_url(self.base)
        key = self.api_key.get_secret_value()
        # What cannot stand in a header is refused here: the HTTP library would print it with its complaint.
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Misconfigured("llm_api_key: holds a space, a line break or a letter that no key has")

    @property
    def base(self) -> str:
        """The address that the protocol's path is put behind, without a slash at its end."""
        return (self.url or HOMES[self.provider]).rstrip("/")

    @property
    def is_at_home(self) -> bool:
        """Tell whether the model is asked at its provider's own server."""
        return self.base == HOMES[self.provider]


def _require_url(url: str) -> None:
    """Raise `Misconfigured`, without repeating what may hold a password, unless a key may be sent there."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as exc:
        raise Misconfigured("llm_url: is not an address such as https://llm.example.org/v1") from exc
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Misconfigured("llm_url: is not an address such as https://llm.example.org/v1")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise Misconfigured("llm_url: a key has its own setting, llm_api_key; give the bare address here")
    if parsed.scheme == "http" and not _is_own(parsed.host):
        raise Misconfigured(f"llm_url: {parsed.host} {_NO_TLS}")


def _is_own(host: str) -> bool:
    """Tell whether a host is named as one of the operator's own. Nothing is looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host.rstrip(".") or host.endswith(_INSIDE)
    return address.is_private and not address.is_unspecified
