"""Where `mail_url` says that mail goes. What a transport is made of is imported when it is the one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from digest.domain.errors import Misconfigured

if TYPE_CHECKING:
    from digest.deliver.transport import Transport

PROVIDERS = frozenset({"ses", "postmark", "mailgun", "sendgrid"})
FOLDERS = frozenset({"maildir", "eml"})
CONSOLE = "console"

_REWRITE = {"ses": "Amazon SES", "postmark": "Postmark", "sendgrid": "SendGrid"}


def open_transport(url: str, key: SecretStr) -> Transport:
    """Return the way that mail leaves. Raises `Misconfigured` for an address or a key that is none."""
    scheme = urlsplit(url).scheme
    if scheme in PROVIDERS:
        from digest.deliver.providers import open_provider

        return open_provider(url, key)
    if scheme == CONSOLE:
        from digest.deliver.console import ConsoleTransport

        return ConsoleTransport()
    folder = mail_folder(url)
    if folder is not None and scheme == "eml":
        from digest.deliver.eml import EmlTransport

        return EmlTransport(folder)
    if folder is not None:
        from digest.deliver.maildir import MaildirTransport

        return MaildirTransport(folder)
    from digest.deliver.smtp import SmtpServer, SmtpTransport

    return SmtpTransport(SmtpServer.from_url(url))


def mail_folder(url: str) -> Path | None:
    """Return the folder that mail is written into instead of being sent, None where it is not."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme in FOLDERS else None


def stays_here(url: str) -> bool:
    """Whether no mail leaves this machine, whatever the host in `url`."""
    return urlsplit(url).scheme in {*FOLDERS, CONSOLE}


def require_unsigned(url: str) -> None:
    """Raise `Misconfigured` where a signature of ours would be broken before it reaches a reader."""
    if name := _REWRITE.get(urlsplit(url).scheme):
        raise Misconfigured(
            f"dkim_keys: {name} writes headers anew, which breaks signatures of ours. Take dkim_keys out, "
            f"and let {name} sign for the sender's domain"
        )
