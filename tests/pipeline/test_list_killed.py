"""A worker that is killed over a list leaves none of it on the disk."""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import signal
import tempfile
import zipfile
from pathlib import Path

import pytest

from digest.domain.reader_lists import ListTerms
from digest.pipeline import bringing_in
from digest.pipeline.reader_lists import do_lists, upload
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import open_engine
from tests.pipeline.controlled import Controlled
from tests.pipeline.press import Clock

ADA = "ada@example.org"


def die_over_a_list(settings: Settings, folder: Path) -> None:
    tempfile.tempdir = str(folder)

    def die(*_args: object, **_named: object) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as control:
            control.write(b"the control: this process keeps its files here")
        os.kill(os.getpid(), signal.SIGKILL)

    bringing_in.import_list = die  # type: ignore[assignment]
    do_lists(Runtime(settings, Clock()))


@pytest.mark.parametrize("file", ["list.csv", "list.zip"])
def test_a_worker_that_is_killed_leaves_no_address_on_the_disk(
    sqlite_url: str, tmp_path: Path, file: str
) -> None:
    send = Controlled.stored(open_engine(sqlite_url), tmp_path)
    upload(send.runtime, send.newsletter.slug, file, body_of(file), ListTerms(), by="Cy")
    folder = tmp_path / "temporary"
    folder.mkdir()
    child = multiprocessing.get_context("fork").Process(
        target=die_over_a_list, args=(send.runtime.settings, folder), daemon=True
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    (control,) = folder.iterdir()
    assert ADA not in control.read_text()


def body_of(file: str) -> bytes:
    text = f"email\n{ADA}\n".encode()
    if not file.endswith(".zip"):
        return text
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("list.csv", text)
    return stream.getvalue()


def test_whatever_people_sent_is_put_into_files_without_names_alone() -> None:
    named = re.compile(r"\b(?:TemporaryDirectory|NamedTemporaryFile|mkstemp|mkdtemp)\(")
    code = Path(bringing_in.__file__).parents[2]
    files = [file for folder in ("digest", "worker") for file in (code / folder).rglob("*.py")]
    assert len(files) > 500
    found = [str(file.relative_to(code)) for file in files if named.search(file.read_text())]
    assert found == ["digest/store/rehearsal.py"], (
        "a process that is killed leaves these, and erasing does not look there; of dry runs they go hourly"
    )
