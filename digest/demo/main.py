"""`digest demo`: the main job from a sample newsroom to caught mail, as a schedule would run it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.admit.entering import make_link
from digest.demo.catcher import MailCatcher
from digest.demo.newsletter import SAMPLE, add_sample_newsletter
from digest.demo.newsroom import Newsroom, SampleSource
from digest.demo.report import Report, report_of
from digest.domain.accounts import Role
from digest.domain.errors import Conflict, InvalidInput, Unavailable
from digest.domain.issues import IssueState
from digest.domain.schedules import OccurrenceState
from digest.domain.times import zone
from digest.embedded import embedded_worker
from digest.runtime import Runtime, open_runtime, utc_now
from digest.settings import CONFIG_VARIABLE, PREFIX, load_settings
from digest.store.accounts import add_account
from digest.store.database import open_engine, reading, writing
from digest.store.issues import list_issues
from digest.store.schedules import list_occurrences, list_schedules
from digest.store.schema import migrate

ADMIN_EMAIL = "admin@example.org"

_KEY = re.compile(r'^secret_key = "([^"]+)"', re.MULTILINE)
_MARK = ".digest-demo"
_KEPT = frozenset({f"{PREFIX}LOG_LEVEL", f"{PREFIX}LOG_FORMAT"})
_PATIENCE = 120.0
"""Seconds until a demo that does not end is a fault to be told."""


def run_demo(folder: Path) -> Report:
    """Run the main job into `folder`, emptied of an earlier demo first, and return what it came to.

    A schedule that is due now starts it, as one would on a Monday morning; tasks on the embedded worker do
    every stage. Raises `Conflict` when the folder holds anything else, `InvalidInput` when it cannot be made,
    `Unavailable` when the job does not end.
    """
    folder = folder.resolve()
    _clean(folder)
    _leave_installation()
    now = utc_now()
    with (
        MailCatcher(folder / "mails") as catcher,
        Newsroom.start(now=now, zone=zone(SAMPLE.timezone)) as newsroom,
    ):
        _write_settings(folder, mail_url=catcher.url, fetch_allow=newsroom.host_port)
        runtime = _prepared_runtime(newsroom.sources, now)
        with embedded_worker():
            _wait_until_sent(runtime.engine)
        caught = len(catcher.caught)
    # The catcher has gone: what is sent by hand from here on lands in a folder. The newsroom may come back.
    _write_settings(folder, mail_url=f"maildir:{folder / 'outbox'}", fetch_allow=newsroom.host_port)
    port = newsroom.host_port.rpartition(":")[2]
    serve_again = ("-m", "digest.demo.newsroom", "--port", port, "--zone", SAMPLE.timezone)
    enter = runtime.link("enter", _admin_link(runtime))
    return report_of(runtime.engine, caught=caught, folder=folder, newsroom=serve_again, enter=enter)


def _admin_link(runtime: Runtime) -> str:
    """Make the demo's admin; return the token by which whoever ran it comes in and chooses a password."""
    now, by = utc_now(), "digest demo"
    with writing(runtime.engine) as session:
        admin = add_account(session, ADMIN_EMAIL, name="Demo admin", role=Role.ADMIN, by=by, now=now)
        return make_link(session, admin, by=by, now=now)


def _clean(folder: Path) -> None:
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
            raise Conflict(f"{folder} holds something that is not a demo's: choose another with --folder")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / _MARK).touch()
    except OSError as exc:
        raise InvalidInput(
            f"{folder} cannot be a folder for the demo ({exc.strerror or exc}): choose another with --folder"
        ) from exc


def _leave_installation() -> None:
    """Drop this process's settings: a demo must never reach a real database or mail server."""
    for variable in [name for name in os.environ if name.startswith(PREFIX) and name not in _KEPT]:
        del os.environ[variable]


def _write_settings(folder: Path, *, mail_url: str, fetch_allow: str) -> None:
    """Leave a digest.toml, so that `digest` works in the folder after the demo as well."""
    file = folder / "digest.toml"
    key = _KEY.search(file.read_text("utf-8")) if file.exists() else None
    file.write_text(
        f'secret_key = "{key[1] if key else secrets.token_urlsafe(32)}"\n'
        f'database_url = "sqlite:///{folder / "digest.db"}"\n'
        f'mail_url = "{mail_url}"\n'
        'public_url = "http://127.0.0.1:8000"\n'
        f'fetch_allow = ["{fetch_allow}"]\n'
        'log_level = "error"\n',
        "utf-8",
    )
    os.environ[CONFIG_VARIABLE] = str(file)


def _prepared_runtime(sources: Iterable[SampleSource], now: datetime) -> Runtime:
    """Return a runtime on a new database that holds the sample newsletter."""
    migrate(open_engine(load_settings().database_url))
    runtime = open_runtime()
    add_sample_newsletter(runtime.engine, sources, now=now)
    return runtime


def _wait_until_sent(engine: Engine) -> None:
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        with reading(engine) as session:
            issues = list_issues(session)
            runs = [
                run for one in list_schedules(session) for run in list_occurrences(session, one.id, limit=1)
            ]
        if issues and issues[0].state is IssueState.SENT:
            return
        failed = next((run for run in runs if run.state is OccurrenceState.FAILED), None)
        if failed is not None:
            raise Unavailable(f"the demo stopped at '{failed.stage}': {failed.note}")
        time.sleep(0.1)
    raise Unavailable(f"the demo did not end within {_PATIENCE:.0f} s; run it with DIGEST_LOG_LEVEL=info")
