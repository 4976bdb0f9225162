"""A disk that is full: sending waits, ops are told which disk, and it goes on by itself."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

import digest.deliver.files
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import DiskFull, Unavailable
from digest.domain.issues import IssueState
from digest.pipeline.sending import send
from digest.store.database import open_engine, writing
from digest.store.trouble import told
from tests.pipeline.controlled import Controlled, alerts


@pytest.fixture
def sending(engine: Engine, tmp_path: Path) -> Iterator[Controlled]:
    """A send of four readers into a maildir."""
    found = Controlled.stored(engine, tmp_path, ops_email="ops@example.org")
    found.address()
    yield found
    found.engine.dispose()


def test_a_full_mail_folder_loses_nothing_and_is_gone_on_with(
    sending: Controlled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write = digest.deliver.files._write
    full = True

    def no_room(path: Path, octets: bytes) -> None:
        if full and b"Delivered-To: r" in octets:
            path.write_bytes(octets[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, octets)

    monkeypatch.setattr("digest.deliver.files._write", no_room)
    for _ in range(2):
        with pytest.raises(DiskFull, match=r"the disk of .*outbox/tmp is full"):
            send(sending.runtime, sending.issue.id)
    assert sending.states == {DeliveryState.PENDING: 4}, "none is unknown, and none was put off"
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []
    (alert,) = alerts(tmp_path)
    assert "is full (No space left on device)" in alert
    assert "Make room there." in alert
    full = False
    send(sending.runtime, sending.issue.id)
    assert sending.now.state is IssueState.SENT


def test_an_sqlite_database_that_can_grow_no_more_is_a_full_disk(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    found = Controlled.stored(engine, tmp_path)

    @event.listens_for(engine, "connect")
    def limit(connection: object, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    engine.dispose()
    with pytest.raises(DiskFull, match=f"Make room on the disk of {tmp_path}"):
        fill(engine, found)
    engine.dispose()
    found.engine.dispose()


def fill(engine: Engine, found: Controlled) -> None:
    with writing(engine) as session:
        session.execute(
            text("UPDATE issues SET intro = :much WHERE id = :id"),
            {"much": "x" * 10**6, "id": found.issue.id},
        )


def test_postgresql_says_that_its_disk_is_full_by_its_class(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with pytest.raises(DiskFull, match="disk of the PostgreSQL server"), told(engine), engine.begin() as some:
        some.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$")
    with pytest.raises(Unavailable) as other, told(engine), engine.begin() as some:
        some.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53300'; END $$")
    assert not isinstance(other.value, DiskFull)
    engine.dispose()
