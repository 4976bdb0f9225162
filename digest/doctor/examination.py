"""`digest doctor`: everything Digest stands on, tried for real, with what to do about what is wrong.

No check sends a mail, stores a row or leaves a file. All run at the same time, and one that gets no answer is
given up: it says so, and hides none of the others. What DNS says of senders is asked after the rest, as the
database knows who they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from digest.deliver.mail_urls import stays_here
from digest.doctor import checks
from digest.doctor.brokers import look_at_broker
from digest.doctor.checks import Check
from digest.doctor.databases import look_at_database
from digest.doctor.identity import look_at_senders
from digest.doctor.machine import look_at_disk, look_at_zones
from digest.doctor.mail import look_at_mail, look_at_signatures
from digest.doctor.returns import look_at_mailbox, look_at_webhooks
from digest.doctor.settings import look_at_settings
from digest.doctor.state import look_at_state
from digest.doctor.templates import look_at_templates
from digest.domain.errors import DigestError, Misconfigured
from digest.runtime import Runtime
from digest.settings import load_settings
from digest.store.database import open_engine, reading
from digest.store.newsletters import list_newsletters

_SHARE = 0.8
"""How much of `checks.PATIENCE` the senders get: with the rest before them, it stays below twice that."""
_ASKING = 0.9
"""How much of theirs goes into asking, so that they give up themselves and tell what they know."""


def examine() -> tuple[Check, ...]:
    """Return every check in a fixed order, after less than twice `checks.PATIENCE` seconds. Never raises.

    While the settings cannot be read there is nothing else to look for than the time zones.
    """
    try:
        settings = load_settings()
    except Misconfigured as exc:
        unread = Check(
            "settings", False, "cannot be read", f"{exc}\nUntil then nothing else can be looked at."
        )
        return (unread, *_run([("clock and zones", look_at_zones)]))
    runtime = Runtime(settings)
    found = _run(
        [
            ("settings", lambda: look_at_settings(settings)),
            ("database", lambda: look_at_database(runtime)),
            ("broker", lambda: look_at_broker(settings)),
            ("mail", lambda: look_at_mail(runtime)),
            ("webhooks", lambda: look_at_webhooks(runtime)),
            ("bounce mailbox", lambda: look_at_mailbox(runtime)),
            ("signatures", lambda: look_at_signatures(runtime)),
            ("templates", lambda: look_at_templates(runtime)),
            ("clock and zones", look_at_zones),
            ("disk", lambda: look_at_disk(settings)),
            ("state folder", lambda: look_at_state(runtime)),
        ]
    )
    is_readable = any(check.what == "database" and check.is_well for check in found)
    is_mailed = not stays_here(settings.mail_url)
    return (*found, *_look_up(runtime, lambda: _senders(runtime))) if is_readable and is_mailed else found


def examine_senders(senders: Sequence[str]) -> tuple[Check, ...]:
    """Return what DNS says of mail from these addresses, within `checks.PATIENCE` seconds.

    Raises `Misconfigured` while the settings cannot be read.
    """
    runtime = Runtime(load_settings())
    return _look_up(runtime, lambda: senders)


def _look_up(runtime: Runtime, senders: Callable[[], Sequence[str]]) -> tuple[Check, ...]:
    patience = checks.PATIENCE * _SHARE
    seconds = patience * _ASKING
    look = ("senders", lambda: look_at_senders(runtime, senders(), seconds=seconds))
    return _run([look], patience=patience)


def _senders(runtime: Runtime) -> list[str]:
    engine = open_engine(runtime.settings.database_url)
    try:
        with reading(engine) as session:
            return [newsletter.sender_email for newsletter in list_newsletters(session)]
    finally:
        engine.dispose()


def _run(
    looks: Sequence[tuple[str, Callable[[], Iterator[Check]]]], *, patience: float | None = None
) -> tuple[Check, ...]:
    """Return what the looks found, in their order; each has a thread of its own, so that none waits."""
    patience = checks.PATIENCE if patience is None else patience
    found: dict[str, list[Check]] = {what: [] for what, _ in looks}
    # Daemons: one that hangs in a connection must not keep the process.
    threads = [
        threading.Thread(target=_look, args=(what, look, found[what]), daemon=True) for what, look in looks
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    for thread, (what, _) in zip(threads, looks, strict=True):
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            found[what] = [*found[what], _silent(what, patience)]
    return tuple(check for what, _ in looks for check in found[what])


def _look(what: str, look: Callable[[], Iterator[Check]], found: list[Check]) -> None:
    try:
        found.extend(look())
    except DigestError as exc:
        found.append(Check(what, False, "not usable", str(exc)))
    except Exception as exc:  # noqa: BLE001 - the others are still to be told; this one is told whole
        found.append(
            Check(what, False, f"{type(exc).__name__}: {exc}", "This is a fault in Digest: please report it.")
        )


_HERE = frozenset({"settings", "signatures", "templates", "clock and zones", "disk", "state folder"})
"""What is looked at on this machine alone."""


def _silent(what: str, patience: float) -> Check:
    advice = (
        "This machine is busy, or a disk does not answer: look what takes its time, and try again."
        if what in _HERE
        else "Check the address in the settings, that the other side is up, and that no firewall is between."
    )
    return Check(what, False, f"no answer within {patience:g} s", advice)
