"""The whole examination: what it holds, and what never answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from digest.doctor import Check, examine
from tests.doctor.looking import TEMPLATES, write_settings
from tests.servers.faults import SlowBanner
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("folder")


def test_all_is_well_after_init_and_nothing_is_left_behind(folder: Path) -> None:
    before = set(folder.iterdir())
    checks = examine()
    assert [check for check in checks if not check.is_well or check.advice] == []
    assert [check.what for check in checks] == [
        *("settings", "secret key", "public address", "ops address", "database", "accounts", "broker"),
        "mail folder",
        *(f"template {name}" for name in TEMPLATES),
        *("clock", "time zones", "disk", "state folder"),
    ]
    # SQLite takes its own two files away when the last connection closes.
    assert set(folder.iterdir()) <= before


def test_what_is_not_well_always_comes_with_advice() -> None:
    write_settings(
        secret_key="",
        public_url="digest.example.org",
        ops_email="ops",
        accounts_email="desk",
        database_url="sqlite:///none.db",
        broker_url=f"redis://127.0.0.1:{free_port()}",
        mail_url=f"smtp://127.0.0.1:{free_port()}",
        templates_dir="none",
    )
    bad = [check for check in examine() if not check.is_well]
    assert len(bad) == 8
    assert all(check.advice for check in bad)


def test_settings_that_cannot_be_read_leave_the_rest_told(folder: Path) -> None:
    Path("digest.toml").write_text("mail_ulr = ''")
    settings, *others = examine()
    assert not settings.is_well
    assert "did you mean 'mail_url'" in settings.advice
    assert [check.what for check in others] == ["clock", "time zones"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def test_servers_that_never_answer_are_given_up_and_hide_nothing(
    silent_port: int, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", 5.0)
    smtp_sink.faults.on_connection = lambda _: SlowBanner(600.0)
    write_settings(
        database_url=f"postgresql+psycopg://u@127.0.0.1:{silent_port}/d",
        broker_url=f"redis://127.0.0.1:{silent_port}",
        mail_url=f"smtp://127.0.0.1:{smtp_sink.port}",
    )
    began = time.monotonic()
    found = {check.what: check for check in examine()}
    assert time.monotonic() - began < PATIENCE
    # Whether the look at the mail server gives up by itself or is given up is a matter of milliseconds.
    silent = {what.removesuffix(" server"): check for what, check in found.items() if not check.is_well}
    assert list(silent) == ["database", "broker", "mail"]
    assert "no answer" in silent["mail"].found
    assert "no answer" in silent["database"].found
    assert found["template digest"].is_well


def test_a_look_at_this_machine_that_takes_too_long_blames_no_firewall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_settings()
    may_end = threading.Event()

    def slow(_runtime: object) -> Iterator[Check]:
        may_end.wait(PATIENCE)
        yield from ()

    monkeypatch.setattr("digest.doctor.examination.look_at_templates", slow)
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", 1.0)
    try:
        found = {check.what: check for check in examine()}
    finally:
        may_end.set()
    assert not found["templates"].is_well
    assert "busy" in found["templates"].advice
    assert "firewall" not in found["templates"].advice
