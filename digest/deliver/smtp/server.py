"""Which server takes the mail, as `mail_url` says it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from digest.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `password` is None when the server wants no log-in."""

    host: str
    port: int
    use_tls: bool = False
    start_tls: bool | None = None
    username: str | None = None
    password: str | None = None
    timeout: float = 60.0
    local_name: str | None = None

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Read `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS when offered) or `smtps://…` (TLS from the start).

        Raises `Misconfigured`, and never repeats the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise Misconfigured(
                f"mail_url: a '{parts.scheme}' address cannot take mail; "
                "use smtp://HOST:PORT, smtps://USER:PASSWORD@HOST or maildir:///FOLDER, or another form that "
                "docs/settings.md names"
            )
        try:
            port = parts.port
        except ValueError as exc:
            raise Misconfigured(
                f"mail_url: the port of {parts.hostname} is not a number up to 65535"
            ) from exc
        return cls(
            host=parts.hostname,
            port=port or (465 if parts.scheme == "smtps" else 25),
            use_tls=parts.scheme == "smtps",
            start_tls=False if parts.scheme == "smtps" else None,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def name(self) -> str:
        """The server as a person reads it, without the log-in."""
        return f"{self.host}:{self.port}"
