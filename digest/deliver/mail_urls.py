"""Where `mail_url` says that mail goes. What a transport is made of is imported when it is the one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from digest.deliver.relays import RelaysTransport
from digest.deliver.standing import Relay
from digest.deliver.transport import Transport
from digest.domain.errors import Misconfigured

if TYPE_CHECKING:
    from digest.deliver.smtp import Limits

PROVIDERS = frozenset({"ses", "postmark", "mailgun", "sendgrid"})
FOLDERS = frozenset({"maildir", "eml"})
CONSOLE = "console"

_REWRITE = {"ses": "Amazon SES", "postmark": "Postmark", "sendgrid": "SendGrid"}

_OWN = ("name", "weight", "key_file")
"""Options that every address may have; the others are its transport's."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,59}")
_WEIGHT = re.compile(r"[0-9]{1,3}")


class _NamedTransport(Transport, Protocol):
    """A transport that knows what its relay is called."""

    relay: str


@dataclass(frozen=True, slots=True)
class MailUrl:
    """One address of `mail_url`: `url` without the options that are ours, and those.

    `name` is '' where none is given. `weight` 0 makes a spare of it.
    """

    url: str = field(repr=False)
    name: str = ""
    weight: int = 1
    key_file: Path | None = None

    @classmethod
    def read(cls, text: str) -> MailUrl:
        """Take an address apart. Raises `Misconfigured`, and repeats nothing that may be a password."""
        base, _, query = text.partition("?")
        pairs = query.split("&") if query else []
        ours = dict(parse_qsl("&".join(filter(_is_ours, pairs)), keep_blank_values=True))
        theirs = "&".join(pair for pair in pairs if not _is_ours(pair))
        name, weight, key_file = ours.get("name", ""), ours.get("weight", "1"), ours.get("key_file")
        if "name" in ours and not _NAME.fullmatch(name):
            raise Misconfigured(
                "mail_url: name is up to 60 letters and digits, between them also . _ : -, and no space"
            )
        if not _WEIGHT.fullmatch(weight):
            raise Misconfigured("mail_url: weight is a number from 0 (a spare) to 999")
        url = f"{base}?{theirs}" if theirs else base
        return cls(url, name, int(weight), Path(key_file) if key_file else None)


def _is_ours(pair: str) -> bool:
    return pair.partition("=")[0] in _OWN


def open_relays(urls: Sequence[str], key: SecretStr, *, limits: Limits | None = None) -> tuple[Relay, ...]:
    """Return what `mail_url` names, in its order, each with a name of its own.

    Raises `Misconfigured` for an address or a key that is none, for two of one name, and for spares alone.
    """
    found = [MailUrl.read(url) for url in urls]
    if not found:
        raise Misconfigured("mail_url is empty: name a mail server, as in smtp://HOST:PORT")
    if not any(url.weight for url in found):
        raise Misconfigured("mail_url: weight=0 makes a spare, and there is nothing else: leave it out")
    relays: list[Relay] = []
    for url in found:
        transport = _open(url, key, limits)
        if any(transport.relay == relay.name for relay in relays):
            raise Misconfigured(
                f"mail_url: two addresses are called {transport.relay}; give one another name by ?name=NAME"
            )
        relays.append(Relay(transport.relay, url.weight, transport))
    return tuple(relays)


def transport_of(relays: Sequence[Relay]) -> Transport:
    """Return the one way that mail leaves: the relay itself where there is one."""
    return relays[0].transport if len(relays) == 1 else RelaysTransport(relays)


def open_transport(url: str, key: SecretStr) -> Transport:
    """Return the way that mail leaves by one address. Raises as `open_relays` does."""
    return transport_of(open_relays([url], key))


def _open(url: MailUrl, key: SecretStr, limits: Limits | None) -> _NamedTransport:
    scheme = urlsplit(url.url).scheme
    if scheme in PROVIDERS:
        from digest.deliver.providers import open_provider

        return open_provider(url.url, _key(url.key_file) if url.key_file else key, relay=url.name)
    if url.key_file is not None:
        raise Misconfigured("mail_url: key_file is for providers; a mail server's log-in is USER:PASSWORD@")
    if scheme == CONSOLE:
        from digest.deliver.console import ConsoleTransport

        return ConsoleTransport(relay=url.name)
    folder = mail_folder(url.url)
    if folder is not None and scheme == "eml":
        from digest.deliver.eml import EmlTransport

        return EmlTransport(folder, relay=url.name)
    if folder is not None:
        from digest.deliver.maildir import MaildirTransport

        return MaildirTransport(folder, relay=url.name)
    from digest.deliver.smtp import Limits, SmtpServer, SmtpTransport

    return SmtpTransport(SmtpServer.from_url(url.url), relay=url.name, limits=limits or Limits())


def _key(file: Path) -> SecretStr:
    try:
        return SecretStr(file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
        raise Misconfigured(f"mail_url: key_file {file}: {why}") from exc


def mail_folder(url: str) -> Path | None:
    """Return the folder that mail is written into instead of being sent, None where it is not."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme in FOLDERS else None


def stays_here(urls: Sequence[str]) -> bool:
    """Whether no mail leaves this machine, whatever the hosts in `urls`."""
    return all(urlsplit(url).scheme in {*FOLDERS, CONSOLE} for url in urls)


def hosts_of(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the mail servers' names and addresses, each once, in order; providers have none."""
    parts = (urlsplit(url) for url in urls)
    found = (part.hostname or "" for part in parts if part.scheme in ("smtp", "smtps"))
    return tuple(dict.fromkeys(filter(None, found)))


def require_unsigned(urls: Sequence[str]) -> None:
    """Raise `Misconfigured` where a signature of ours would be broken before it reaches a reader."""
    for url in urls:
        if name := _REWRITE.get(urlsplit(url).scheme):
            others = ", or take it out of mail_url: the others keep signatures" if len(urls) > 1 else ""
            raise Misconfigured(
                f"dkim_keys: {name} writes headers anew, which breaks signatures of ours. Take dkim_keys "
                f"out, and let {name} sign for the sender's domain{others}"
            )
