"""Mailboxes that bounces and complaints come to: a Maildir, or a folder of an IMAP server.

A mail is marked as seen when it is recorded, never before. What could not be recorded is met again.
"""

from __future__ import annotations

import imaplib
import ipaddress
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from digest.domain.errors import Misconfigured, Refused, Unavailable
from digest.track.reports import READ_MAX

Take = Callable[[bytes], None]
"""Record one mail, committed on return. Raises `DigestError` when it could not be."""

_MAILS_MAX = 1_000
"""Mails that one look takes in: a task lasts a minute at most."""

_TIMEOUT = 30.0

_NEXT = "Check host and port, and that the server is up; what was taken in until then is recorded and marked."

_FORMS = "maildir:/FOLDER, imaps://USER:PASSWORD@HOST/FOLDER or imap://… (STARTTLS)"


class Mailbox(Protocol):
    """Mails that nobody has taken in yet."""

    def read(self, take: Take, *, should_stop: Callable[[], bool]) -> int:
        """Hand each new mail to `take` and mark it; return how many, 1,000 at most.

        Raises `Unavailable` when the mailbox cannot be read, `Refused` when it will not have us, and what
        `take` raises: then that mail and those after it are left for the next time.
        """
        ...


def mailbox_at(url: str) -> Mailbox:
    """Return the mailbox at an address. Raises `Misconfigured`, without repeating it: it holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misconfigured(f"bounce_mailbox_url: what it holds is no address; use {_FORMS}") from None
    if parts.scheme == "maildir" and parts.path:
        return Maildir(Path(unquote(parts.path)))
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise Misconfigured(f"bounce_mailbox_url: what it holds names no mailbox; use {_FORMS}")
    return ImapMailbox(
        host=parts.hostname,
        port=port or (993 if parts.scheme == "imaps" else 143),
        user=unquote(parts.username),
        password=SecretStr(unquote(parts.password or "")),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        is_tls=parts.scheme == "imaps",
    )


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder with `new` and `cur`, as most mail servers deliver into it."""

    folder: Path

    def read(self, take: Take, *, should_stop: Callable[[], bool]) -> int:
        """See `Mailbox.read`. A mail that is taken in moves from `new` to `cur`, marked as seen."""
        count = 0
        for file in islice(self._new(), _MAILS_MAX):
            if should_stop():
                break
            try:
                with file.open("rb") as stream:
                    octets = stream.read(READ_MAX)
            except FileNotFoundError:
                continue  # another process has taken it
            except OSError as exc:
                raise Unavailable(f"maildir {file} cannot be read: {exc.strerror or exc}") from exc
            take(octets)
            self._mark(file)
            count += 1
        return count

    def _new(self) -> Iterator[Path]:
        try:
            # By name, which begins with the time of delivery.
            yield from sorted(file for file in (self.folder / "new").iterdir() if file.is_file())
        except OSError as exc:
            raise Unavailable(
                f"maildir {self.folder} cannot be read: {exc.strerror or exc}. It needs folders new and cur"
            ) from exc

    def _mark(self, file: Path) -> None:
        seen = self.folder / "cur" / f"{file.name.partition(':')[0]}:2,S"
        try:
            file.rename(seen)
        except OSError as exc:
            if not file.exists():
                return  # another process has moved it
            raise Unavailable(
                f"maildir {file} cannot be moved to cur: {exc.strerror or exc}. It was recorded, and is not "
                "counted again"
            ) from exc


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """A folder of an IMAP server, over TLS with its certificate looked at."""

    host: str
    port: int
    user: str
    password: SecretStr
    folder: str
    is_tls: bool

    def read(self, take: Take, *, should_stop: Callable[[], bool]) -> int:
        """See `Mailbox.read`. A mail that is taken in gets the flag Seen, and no other is touched."""
        count = 0
        with self._connected() as server:
            numbers = self._asked(server, "SEARCH", "UNSEEN")[0].split()[:_MAILS_MAX]
            for number in numbers:
                if should_stop():
                    break
                # PEEK: without it the server would mark the mail before it is recorded.
                found = self._asked(server, "FETCH", number.decode(), f"(BODY.PEEK[]<0.{READ_MAX}>)")
                octets = _literal(found)
                if octets is None:
                    continue  # another process has removed it
                take(octets)
                self._asked(server, "STORE", number.decode(), "+FLAGS.SILENT", r"(\Seen)")
                count += 1
        return count

    @contextmanager
    def _connected(self) -> Iterator[imaplib.IMAP4]:
        name = f"IMAP server {self.host}:{self.port}"
        try:
            server = self._open()
            try:
                self._log_in(server, name)
                answer, told = server.select(_quoted(self.folder))
                if answer != "OK":
                    raise Refused(f"{name} has no folder '{self.folder}' for us: {_words(told)}")
                yield server
            finally:
                with suppress(imaplib.IMAP4.error, OSError):
                    server.logout()
        except (imaplib.IMAP4.error, OSError) as exc:
            raise Unavailable(f"{name} cannot be read: {_reason(exc)}. {_NEXT}") from exc

    def _open(self) -> imaplib.IMAP4:
        context = ssl.create_default_context()
        if self.is_tls:
            return imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=_TIMEOUT)
        server = imaplib.IMAP4(self.host, self.port, timeout=_TIMEOUT)
        if not _is_here(self.host):
            # Raises where the server does not offer it: no password goes out in the clear.
            server.starttls(context)
        return server

    def _log_in(self, server: imaplib.IMAP4, name: str) -> None:
        password = self.password.get_secret_value()
        try:
            if "AUTH=PLAIN" in server.capabilities:
                octets = f"\0{self.user}\0{password}".encode()
                server.authenticate("PLAIN", lambda _: octets)
            elif not f"{self.user}{password}".isascii():
                raise Refused(f"{name} has no AUTH=PLAIN: name and password must be of plain letters")
            else:
                server.login(_quoted(self.user), password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as exc:
            raise Refused(f"{name} refused the log-in. Check bounce_mailbox_url.") from exc

    def _asked(self, server: imaplib.IMAP4, command: str, *arguments: str) -> list[Any]:
        answer, found = server.uid(command, *arguments)
        if answer != "OK":
            raise Unavailable(f"IMAP server {self.host}:{self.port}: {command} answered {_words(found)}")
        return [part for part in found if part is not None] or [b""]


def _reason(exc: imaplib.IMAP4.error | OSError) -> str:
    """Return in words what went wrong: an `OSError` begins with a number, `[Errno 111]`."""
    strerror = exc.strerror if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) else None
    return strerror or str(exc).strip() or type(exc).__name__


def _is_here(host: str) -> bool:
    """Return whether a host is this machine, where nobody listens in between."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _quoted(name: str) -> str:
    r"""Return a name as IMAP quotes it. Raises `Refused` for one with a line break or not ASCII."""
    if not name.isascii() or not name.isprintable():
        raise Refused(f"bounce_mailbox_url: {name!r} must be of plain letters")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _literal(found: list[Any]) -> bytes | None:
    """Return the octets of an answer to FETCH, None for a mail that is not there any more."""
    literals = (part[1] for part in found if isinstance(part, tuple) and isinstance(part[1], bytes))
    return next(literals, None)


def _words(told: Sequence[object]) -> str:
    return b" ".join(part for part in told if isinstance(part, bytes)).decode("utf-8", "replace")[:200]
