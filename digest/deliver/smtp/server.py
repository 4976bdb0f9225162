"""Which server takes the mail, as `mail_url` says it."""

from __future__ import annotations

import ipaddress
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from digest.deliver.smtp.tokens import Token
from digest.domain.errors import Misconfigured

OPTIONS = ("auth", "ca_file", "tls", "token_command", "token_file")

_START_TLS = {"required": True, "offered": None, "none": False}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `password` is None when the server wants no log-in, or one by `token`.

    `use_tls` speaks TLS from the start. `start_tls` asks for it after the greeting: True demands it, None
    takes it where it is offered, False leaves it. `ca_file` holds the certificates that are believed, instead
    of the system's.
    """

    host: str
    port: int
    use_tls: bool = False
    start_tls: bool | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    local_name: str | None = None
    token: Token | None = None
    ca_file: Path | None = None

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Read `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…` (TLS from the start), `OPTIONS` behind a ?.

        STARTTLS is demanded where a log-in goes to another machine: who sits between could take the offer out
        of the greeting and read it. Raises `Misconfigured`, and never repeats the password.
        """
        parts = urlsplit(url)
        host, port = _place(parts)
        options = _options(parts)
        username = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        token = _token(options, username, password)
        return cls(
            host=host,
            port=port,
            use_tls=parts.scheme == "smtps",
            start_tls=_start_tls(parts.scheme, options.get("tls"), host, has_log_in=username is not None),
            username=username,
            password=None if token else password,
            token=token,
            ca_file=Path(options["ca_file"]) if options.get("ca_file") else None,
        )

    @property
    def name(self) -> str:
        """The server as a person reads it, without the log-in."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether what is said to it stays on this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself, by its usual names and addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _place(parts: SplitResult) -> tuple[str, int]:
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise Misconfigured(
            f"mail_url: a '{parts.scheme}' address cannot take mail; "
            "use smtp://HOST:PORT, smtps://USER:PASSWORD@HOST or maildir:///FOLDER, or another form that "
            "docs/settings.md names"
        )
    try:
        port = parts.port
    except ValueError as exc:
        raise Misconfigured(f"mail_url: the port of {parts.hostname} is not a number up to 65535") from exc
    return parts.hostname, port or (465 if parts.scheme == "smtps" else 25)


def _options(parts: SplitResult) -> dict[str, str]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise Misconfigured(
            f"mail_url: {parts.hostname} has an option '{unknown[0]}', and there are only "
            f"{', '.join(sorted((*OPTIONS, 'name', 'weight')))}. Write & in a password as %26, ? as %3F"
        )
    return given


def _start_tls(scheme: str, tls: str | None, host: str, *, has_log_in: bool) -> bool | None:
    if scheme == "smtps":
        if tls is not None:
            raise Misconfigured(
                f"mail_url: {host}: smtps:// is TLS from the start; take ?tls= out, or write smtp://"
            )
        return False
    if tls is None:
        tls = "required" if has_log_in and not is_loopback(host) else "offered"
    if tls not in _START_TLS:
        raise Misconfigured(
            f"mail_url: {host}: tls is required (STARTTLS, or no mail), offered (STARTTLS where the server "
            "has it) or none"
        )
    return _START_TLS[tls]


def _token(options: dict[str, str], username: str | None, password: str | None) -> Token | None:
    """Return where the log-in's token is, None for a log-in by password or for none."""
    auth = options.get("auth", "xoauth2" if {"token_file", "token_command"} & set(options) else "password")
    if auth not in ("password", "xoauth2"):
        raise Misconfigured("mail_url: auth is password (the default) or xoauth2")
    if auth == "password":
        return None
    file, command = options.get("token_file"), options.get("token_command")
    if not username or [bool(file), bool(command), bool(password)].count(True) != 1:
        raise Misconfigured(
            "mail_url: xoauth2 wants USER@ before the host, and its token from one place: "
            "?token_file=FILE, ?token_command=COMMAND, or as the password behind USER:"
        )
    try:
        words = tuple(shlex.split(command or ""))
    except ValueError as exc:
        raise Misconfigured(f"mail_url: token_command cannot be read: {exc}") from exc
    return Token(text=password or "", file=Path(file) if file else None, command=words)
