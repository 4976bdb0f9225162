"""Where mail goes and what signs it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from digest.deliver.smtp import SmtpServer
from digest.doctor import checks
from digest.doctor.checks import Check
from digest.doctor.machine import nearest
from digest.domain.errors import DigestError
from digest.runtime import Runtime


def look_at_mail(runtime: Runtime) -> Iterator[Check]:
    """Greet the mail server, log-in included, or look whether the mail folder can be written."""
    url = runtime.settings.mail_url
    if urlsplit(url).scheme == "maildir":
        yield _mail_folder(Path(unquote(urlsplit(url).path)).resolve())
        return
    server = SmtpServer.from_url(url)

    async def greet() -> None:
        async with asyncio.timeout(checks.PATIENCE * 0.9), runtime.transport.session():
            return

    try:
        asyncio.run(greet())
    except TimeoutError:
        yield Check(
            "mail server",
            False,
            f"{server.name}: no answer within {checks.PATIENCE:g} s",
            "Check host and port in mail_url. Many networks block port 25: try 587 (smtp://) or 465 (smtps://).",
        )
    except DigestError as exc:
        yield Check(
            "mail server",
            False,
            f"{server.name} takes no mail",
            f"{str(exc).rstrip('.')}. Check mail_url, and that the server is up.",
        )
    else:
        log_in = f"takes the log-in of {server.username}" if server.username else "wants no log-in"
        yield Check("mail server", True, f"{server.name} greets and {log_in}")


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
    for key in runtime.dkim_keys:
        advice = "Make one of 2048 bits: receivers may soon believe none shorter." if key.is_short else ""
        domain = runtime.settings.dkim_domain and runtime.dkim_domain("")
        signs = f"signs for {domain or 'each sender'}; 'digest dkim' prints its DNS record"
        yield Check(f"DKIM key {key.selector}", True, f"{key.kind}, {signs}", advice)
