"""Where mail goes and what signs it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from digest.deliver.mail_urls import mail_folder, require_unsigned, stays_here
from digest.deliver.providers import HttpTransport
from digest.deliver.smtp import SmtpTransport
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.standing import Relay
from digest.doctor import checks
from digest.doctor.checks import Check
from digest.doctor.machine import nearest
from digest.domain.errors import DigestError
from digest.runtime import Runtime


def look_at_mail(runtime: Runtime) -> Iterator[Check]:
    """Try every relay by itself, all at once; where there are several, say which share each has."""
    relays, urls = runtime.relays, runtime.settings.mail_url
    with ThreadPoolExecutor(max_workers=len(relays)) as threads:
        found = tuple(threads.map(_look, relays, urls))
    if len(relays) == 1:
        yield from found
        return
    whole = sum(relay.weight for relay in relays)
    for relay, check in zip(relays, found, strict=True):
        share = f"{100 * relay.weight / whole:.0f} % of the mail" if relay.weight else "a spare"
        yield replace(check, what=f"{check.what} {relay.name}", found=f"{check.found}; {share}")
    yield from _kept_here(urls)


def _look(relay: Relay, url: str) -> Check:
    """Greet a mail server, log-in included, or look whether a mail folder can be written."""
    folder = mail_folder(url)
    if folder is not None:
        return _mail_folder(folder.resolve())
    if isinstance(relay.transport, HttpTransport):
        return _provider(relay.transport)
    if isinstance(relay.transport, SmtpTransport):
        return _mail_server(relay.transport)
    return Check("mail", True, "printed where Digest runs; nothing is sent")


def _kept_here(urls: Sequence[str]) -> Iterator[Check]:
    kept = sum(stays_here([url]) for url in urls)
    if 0 < kept < len(urls):
        found = f"{kept} of {len(urls)} addresses in mail_url keep mail on this machine; it counts as sent"
        yield Check("mail", True, found, "Take them out of mail_url, unless a mail server reads from there.")


def _mail_server(transport: SmtpTransport) -> Check:
    server = transport.server

    async def greet() -> bool:
        async with asyncio.timeout(checks.PATIENCE * 0.9):
            return await transport.look()

    try:
        is_encrypted = asyncio.run(greet())
    except TimeoutError:
        return Check(
            "mail server",
            False,
            f"{server.name}: no answer within {checks.PATIENCE:g} s",
            "Check host and port in mail_url. Many networks block port 25: try 587 (smtp://) or 465 (smtps://).",
        )
    except DigestError as exc:
        return Check(
            "mail server",
            False,
            f"{server.name} takes no mail",
            f"{str(exc).rstrip('.')}. Check mail_url, and that the server is up.",
        )
    log_in = f"takes the log-in of {server.username}" if server.username else "wants no log-in"
    greets = "greets over TLS" if is_encrypted else "greets"
    return Check(
        "mail server",
        True,
        f"{server.name} {greets} and {log_in}",
        readable(server, is_encrypted=is_encrypted),
    )


def readable(server: SmtpServer, *, is_encrypted: bool) -> str:
    """Return what to do about mail that can be read on the way and nobody said may be, '' otherwise."""
    if is_encrypted or server.is_here or server.start_tls is False:
        return ""
    return (
        "It offers no TLS, so mail can be read on the way. Let it offer STARTTLS and put ?tls=required "
        "behind its address in mail_url; ?tls=none says that the network is your own."
    )


def _provider(transport: HttpTransport) -> Check:
    """Ask the provider for our account, by a question that sends nothing."""

    async def look() -> str:
        async with asyncio.timeout(checks.PATIENCE * 0.9):
            return await transport.look()

    try:
        return Check("mail provider", True, f"{transport.name} {asyncio.run(look())}")
    except TimeoutError:
        told = f"no answer within {checks.PATIENCE:g} s"
        advice = "See whether this machine may open HTTPS connections, and the provider's status page."
    except DigestError as exc:
        told, advice = "takes no mail", f"{str(exc).rstrip('.')}."
    return Check("mail provider", False, f"{transport.name}: {told}", advice)


def _mail_folder(folder: Path) -> Check:
    there = nearest(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(0, "it is a file, not a folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as exc:
        advice = "Let mail_url name a folder this user may write, or a mail server."
        return Check("mail folder", False, f"{folder}: {exc.strerror or exc}", advice)
    return Check("mail folder", True, f"{folder}; nothing is sent")


def look_at_signatures(runtime: Runtime) -> Iterator[Check]:
    """The keys of DKIM, one check each; nothing without keys, where the mail server signs."""
    if runtime.dkim_keys:
        require_unsigned(runtime.settings.mail_url)
    for key in runtime.dkim_keys:
        advice = "Make one of 2048 bits: receivers may soon believe none shorter." if key.is_short else ""
        domain = runtime.settings.dkim_domain and runtime.dkim_domain("")
        signs = f"signs for {domain or 'each sender'}; 'digest dkim' prints its DNS record"
        yield Check(f"DKIM key {key.selector}", True, f"{key.kind}, {signs}", advice)
