"""A folder in which all is well, for each look at it."""

import os
from pathlib import Path

import pytest

from tests.doctor.looking import write_settings
from tests.waiting import PATIENCE


@pytest.fixture
def folder(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a database and settings in which all is well."""
    for name in [name for name in os.environ if name.startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", PATIENCE)  # a busy machine is not an ailing one
    write_settings()
    return tmp_path
