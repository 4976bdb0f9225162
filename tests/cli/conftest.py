"""The command, called in this process for speed and as a process of its own for the journeys."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult

from digest.cli.main import run
from digest.demo.newsroom import Newsroom
from tests.servers.processes import free_port

COMMAND = Path(sys.executable).parent / "digest"

WRONG, FAILED = 2, 1
"""The codes of what was asked for wrongly and of what could not be done."""


@dataclass(frozen=True)
class Answer:
    """What a command printed and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def well(self) -> Answer:
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    def refused(self, code: int, *words: str) -> Answer:
        """Assert one readable paragraph of complaint that holds `words`, and no traceback."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err
        assert "fault in Digest" not in self.err
        assert "Error:" in self.err
        for word in words:
            assert word in self.err, f"{word!r} is not in: {self.err}"
        return self


Digest = Callable[..., Answer]


@pytest.fixture(autouse=True, scope="session")
def _no_settings_but_the_tests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("DIGEST_") or name == "COLUMNS":
                patch.delenv(name)
        yield


@pytest.fixture
def digest(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Digest:
    """Call the command in the current folder. Questions are answered with `answer`, or by nobody."""

    def call(*arguments: str, answer: str = "") -> Answer:
        capfd.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n" if answer else ""))
        code = run(arguments)
        said = capfd.readouterr()
        return Answer(code, said.out, said.err)

    return call


def zone_at_noon(now: datetime) -> ZoneInfo:
    """Return a zone in which it is about noon: no midnight comes between two commands of a test."""
    east = (12 - now.astimezone(UTC).hour) % 24
    return ZoneInfo(f"Etc/GMT-{east}" if east <= 14 else f"Etc/GMT+{24 - east}")


ZONE = zone_at_noon(datetime.now(UTC))


@pytest.fixture(scope="session")
def newsroom() -> Iterator[Newsroom]:
    """The sample newsroom, its articles of the days before today, as the newsletter counts them."""
    with Newsroom.start(now=datetime.now(UTC), zone=ZONE) as running:
        yield running


def prepare(folder: Path, *commands: Sequence[str]) -> Path:
    """Call commands in `folder`, each of which has to end well."""
    said = io.StringIO()
    with chdir(folder), redirect_stdout(said), redirect_stderr(said):
        for command in commands:
            assert run(command) == 0, said.getvalue()
    return folder


@pytest.fixture(scope="session")
def _initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("initialised"), ["init"])


@pytest.fixture(scope="session")
def _weekly(_initialised: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weekly") / "home"
    shutil.copytree(_initialised, folder)
    identity = ["--name", "The Weekly", "--from", "editors@example.org", "--postal-address", "1 Quay Street"]
    identity += ["--timezone", ZONE.key]
    return prepare(
        folder,
        ["newsletter", "add", "weekly", *identity],
        ["topic", "add", "weekly", "climate", "--phrase", "energy", "--phrase", "emissions"],
        ["topic", "add", "weekly", "space", "--phrase", "moon"],
        ["subscriber", "add", "weekly", "ada@example.org", "--topic", "climate", "--topic", "space"],
        ["subscriber", "add", "weekly", "ben@example.org", "--topic", "space"],
        ["subscriber", "add", "weekly", "cy@example.org"],
    )


@pytest.fixture(scope="session")
def _drafted(_weekly: Path, newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drafted") / "home"
    shutil.copytree(_weekly, folder)
    with (folder / "digest.toml").open("a") as settings:
        settings.write(f'fetch_allow = ["{newsroom.host_port}"]\n')
    return prepare(
        folder,
        ["source", "add", "weekly", newsroom.sources[0].url, "--name", "The Meridian Post"],
        ["run", "weekly"],
    )


def moved_in(template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy a prepared folder, and let it be the current one."""
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _initialised: Path) -> Path:
    """The current folder, after `digest init`: mail goes to the folder `outbox` in it."""
    return moved_in(_initialised, tmp_path / "home", monkeypatch)


@pytest.fixture
def weekly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _weekly: Path) -> Path:
    """The same with a newsletter `weekly`, two topics and three readers, one of whom follows nothing."""
    return moved_in(_weekly, tmp_path / "home", monkeypatch)


@pytest.fixture
def drafted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _drafted: Path) -> Path:
    """The same with a source, and issue 1 as a draft."""
    return moved_in(_drafted, tmp_path / "home", monkeypatch)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class _NoLogIn:
    """What aiosmtpd asks about a log-in: nobody may."""

    def __call__(self, *_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)


@pytest.fixture
def log_in_refused() -> Iterator[str]:
    """The host and port of a mail server that wants a log-in and believes none."""
    controller = Controller(
        Sink(), "127.0.0.1", free_port(), auth_require_tls=False, auth_required=True, authenticator=_NoLogIn()
    )
    controller.start()
    yield f"127.0.0.1:{controller.port}"
    controller.stop()


def rows_in(folder: Path) -> str:
    """Every row of every table of the database there: equal before and after means that nothing was changed.

    Not its file's bytes, which a checkpoint of the journal changes too.
    """
    with closing(sqlite3.connect(folder / "digest.db")) as database:
        return "\n".join(database.iterdump())


def change_settings(folder: Path, **values: object) -> None:
    """Put values into the folder's digest.toml in place of those there."""
    file = folder / "digest.toml"
    lines = [line for line in file.read_text().splitlines() if line.partition(" ")[0] not in values]
    added = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    file.write_text("\n".join([*lines, *added]) + "\n")
