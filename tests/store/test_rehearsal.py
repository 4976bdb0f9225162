import fcntl
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from digest.domain.newsletters import Newsletter
from digest.store.database import open_engine, reading, writing
from digest.store.issues import ensure_issue
from digest.store.items import ChosenItem, replace_items
from digest.store.newsletters import remove_newsletter
from digest.store.recording import record_stories
from digest.store.rehearsal import _COPIED, _OF_READERS, rehearsal, remove_left_behind
from digest.store.suppressions import suppress
from digest.store.tables import metadata
from tests.stored import (
    CLIMATE,
    NOW,
    SPACE,
    WINDOW,
    approved_issue,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_reader,
    stored_source,
)
from tests.test_retention import told


def rows(engine: Engine) -> Mapping[str, list[tuple[object, ...]]]:
    with reading(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            # What a database is called is its own.
            if table.name != "homes"
        }


def counts(engine: Engine) -> Mapping[str, int]:
    with reading(engine) as session:
        found = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in found.items() if count}


def fill(engine: Engine, newsletter: Newsletter) -> None:
    source = stored_source(engine, newsletter, "Meridian")
    articles = [
        stored_article(engine, newsletter, source, sample_article(f"{newsletter.slug}-{path}"))
        for path in ("a", "b", "c")
    ]
    stored_reader(engine, newsletter, f"{newsletter.slug}@example.org", CLIMATE, SPACE)
    with writing(engine) as session:
        # The newest article stands for the story, so it comes after those that refer to it.
        record_stories(session, [articles[::-1]])
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        replace_items(session, issue.id, [ChosenItem(articles[2], 1.0, tuple(articles[:2]))])
        suppress(session, f"gone@{newsletter.slug}.example.org", reason="bounce", detail="", now=NOW)
    approved_issue(engine, newsletter)


def test_a_rehearsal_sees_the_newsletter_as_it_is(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    fill(engine, newsletter)
    with rehearsal(engine, newsletter.id) as copy:
        assert rows(copy) == rows(engine)


def test_a_rehearsal_leaves_other_newsletters_behind(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    fill(engine, newsletter)
    with rehearsal(engine, newsletter.id) as copy:
        alone = counts(copy)
    fill(engine, other)
    with rehearsal(engine, newsletter.id) as copy:
        # People and addresses never to be mailed are everybody's.
        assert counts(copy) == {**alone, "subscribers": 2, "suppressions": 2}
        assert counts(copy)["newsletters"] == 1


def test_a_rehearsal_sees_of_people_what_addressing_asks_and_nothing_else() -> None:
    of_people = told("Readers") | told("People who work here")
    assert metadata.tables.keys() >= _COPIED | _OF_READERS
    assert of_people.keys() >= _OF_READERS
    assert _COPIED & of_people.keys() == {
        *("feedback", "approval_requests", "edits", "verdicts", "condensings", "hidden_items", "issues"),
    }, "those say which articles are chosen, and what of them is shown"


def test_what_happens_in_a_rehearsal_stays_there(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    fill(engine, newsletter)
    before = rows(engine)
    with rehearsal(engine, newsletter.id) as copy, writing(copy) as session:
        remove_newsletter(session, newsletter.id)
    assert rows(engine) == before


def test_a_rehearsal_leaves_no_file(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder of its own: other tests rehearse at the same time.
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with rehearsal(engine, stored_newsletter(engine).id):
        assert list(temporary.iterdir())
    assert not list(temporary.iterdir())


def rehearse_and_die(url: str, newsletter: Newsletter, folder: Path) -> None:
    tempfile.tempdir = str(folder)
    with rehearsal(open_engine(url), newsletter.id):
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_rehearsal_left_that_was_killed_is_removed_and_a_live_one_stays(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(sqlite_url)
    newsletter = stored_newsletter(engine)
    fill(engine, newsletter)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = multiprocessing.get_context("fork").Process(
        target=rehearse_and_die, args=(sqlite_url, newsletter, tmp_path), daemon=True
    )
    child.start()
    child.join(60)
    (left,) = tmp_path.glob("digest-dry-run-*")
    held = b"".join(file.read_bytes() for file in left.iterdir())
    assert b"@example.org" in held, "it is a copy of the readers"
    assert remove_left_behind() == 0, "it may be one that was begun this moment"
    long_ago = left.stat().st_mtime - 120
    os.utime(left, (long_ago, long_ago))
    with rehearsal(engine, newsletter.id) as copy:
        assert not left.exists()
        (alive,) = tmp_path.glob("digest-dry-run-*")
        os.utime(alive, (long_ago, long_ago))
        assert remove_left_behind() == 0
        assert rows(copy)
    assert not list(tmp_path.glob("digest-dry-run-*"))
    engine.dispose()


def test_who_looks_for_what_was_left_does_not_touch_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    new, old = tmp_path / "digest-dry-run-new", tmp_path / "digest-dry-run-old"
    held = []
    hold = fcntl.flock

    def note(number: int, how: int) -> None:
        held.append(os.fstat(number).st_ino)
        hold(number, how)

    for folder in (new, old):
        folder.mkdir()
    os.utime(old, (1, 1))
    inode = old.stat().st_ino
    monkeypatch.setattr(fcntl, "flock", note)
    assert remove_left_behind() == 1
    assert held == [inode]
    assert new.exists()


def test_a_rehearsal_whose_folder_is_looked_at_goes_on_after(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hold = fcntl.flock
    looked_at: list[threading.Timer] = []

    def after_another(number: int, how: int) -> None:
        if not looked_at:
            (folder,) = tmp_path.glob("digest-dry-run-*")
            other = os.open(folder, os.O_RDONLY)
            hold(other, fcntl.LOCK_EX)
            looked_at.append(threading.Timer(0.1, os.close, (other,)))
            looked_at[0].start()
        hold(number, how)

    newsletter = stored_newsletter(engine)
    monkeypatch.setattr(fcntl, "flock", after_another)
    with rehearsal(engine, newsletter.id) as copy:
        assert counts(copy)["newsletters"] == 1
    looked_at[0].join()
