"""Lists of readers as jobs: uploaded on a page or over the API, tried and brought in by a worker."""

from __future__ import annotations

import csv
import io
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from time import monotonic
from typing import IO

import structlog

from digest.domain.errors import DigestError, InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.reader_lists import CONTENT_MAX, ListStage, ListTerms, ListTold, ReaderList, ReaderListId
from digest.intake.lists.files import files_in
from digest.intake.lists.outcomes import LineTold
from digest.intake.lists.steps import Imported, Manner
from digest.intake.tables import guarded
from digest.pipeline.bringing_in import bring_in
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.reader_lists import (
    add_reader_list,
    ask_again,
    claim_list,
    end_list,
    get_reader_list,
    give_list_back,
    note_progress,
    pending_lists,
    report_of,
)

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""Renewed with every sign of progress: a list whose worker died is taken up again after that."""

ATTEMPTS = 3
TAGS_MAX = 200
_SECONDS = 1.0
"""Between two words about how far a list has come."""


def upload(runtime: Runtime, slug: str, file: str, body: bytes, terms: ListTerms, *, by: str) -> ReaderList:
    """Keep a list, to be tried by a worker; nobody is stored. Raises `InvalidInput`, `NotFound`."""
    name = PurePosixPath(file.replace("\\", "/")).name
    if not name or not body:
        raise InvalidInput(
            "no file was chosen, or an empty one: choose a list as CSV, or a zip of such lists"
        )
    if len(body) > CONTENT_MAX:
        raise InvalidInput(
            f"{name} is larger than {CONTENT_MAX // 1024**2} MB: zip it, or use 'digest subscriber import'"
        )
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        kept = add_reader_list(
            session, newsletter.id, file=name, content=zlib.compress(body, 6), terms=terms, by=by, now=now
        )
        record(session, by=by, what="readers.uploaded", about=newsletter.slug, detail=name, now=now)
    return kept


def again(
    runtime: Runtime, slug: str, number: int, stage: ListStage, terms: ListTerms, *, by: str
) -> ReaderList:
    """Have a list tried once more, or brought in. Raises `NotFound`, and `Conflict` while it is under way."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        kept = get_reader_list(session, newsletter.id, number)
        ask_again(session, kept.id, stage=stage, terms=terms, by=by, now=now)
        return get_reader_list(session, newsletter.id, number)


def report(runtime: Runtime, slug: str, number: int) -> str:
    """Return what became of each line, as CSV. Raises `NotFound`, `InvalidInput` where there is none yet."""
    with reading(runtime.engine) as session:
        kept = get_reader_list(session, get_newsletter(session, slug).id, number)
        packed = report_of(session, kept.id)
    if packed is None:
        raise InvalidInput(f"list {number} has no report: it is under way, or nothing came of it")
    return zlib.decompress(packed).decode()


def lists_due(runtime: Runtime) -> tuple[ReaderListId, ...]:
    """Return the lists that no worker is at."""
    with reading(runtime.engine) as session:
        return pending_lists(session, now=runtime.clock())


class _Stopped(Exception):
    """The worker is told to stop, or the list is not its any more."""


@dataclass(slots=True)
class _Progress:
    """How far a list has come, told to the database once a second."""

    runtime: Runtime
    claimed: ReaderList
    should_stop: Callable[[], bool]
    done: int = 0
    total: int | None = None
    told_at: float = field(default_factory=monotonic)

    def begin(self, _what: str, total: int | None) -> None:
        self.done, self.total = 0, total
        self._tell()

    def step(self, count: int) -> None:
        self.done += count
        if monotonic() - self.told_at >= _SECONDS:
            self._tell()
        if self.should_stop():
            raise _Stopped

    def _tell(self) -> None:
        self.told_at = monotonic()
        until = self.runtime.clock() + LEASE
        with writing(self.runtime.engine) as session:
            is_ours = note_progress(
                session, self.claimed, done=self.done, total=self.total, lease_until=until
            )
        if not is_ours:
            raise _Stopped  # somebody on it was erased: it begins anew without them


def do_lists(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Try or bring in the list that waits longest, and keep what came of it.

    One task does one, as it may take minutes: whoever uploaded the next is rung for again. One that a worker
    left half-way is gone through again from its beginning: each line comes to the same a second time.
    """
    due = lists_due(runtime)
    if due:
        _do(runtime, due[0], should_stop)


def _do(runtime: Runtime, number: ReaderListId, should_stop: Callable[[], bool]) -> None:
    now = runtime.clock()
    with writing(runtime.engine) as session:
        claimed = claim_list(session, number, now=now, lease_until=now + LEASE)
        newsletter = newsletter_by_id(session, claimed[0].newsletter_id) if claimed else None
    if claimed is None or newsletter is None:
        return
    kept, attempts, content = claimed
    if attempts > ATTEMPTS:
        problem = f"it was begun {ATTEMPTS} times and never ended: the log of the workers says why"
        _end(runtime, kept, None, None, problem)
        return
    # Without a name: a worker that is killed leaves nobody's address on the disk.
    with tempfile.TemporaryFile() as body:
        try:
            body.write(zlib.decompress(content))
            progress = _Progress(runtime, kept, should_stop)
            done, told = _brought(runtime, newsletter, kept, body, progress)
        except _Stopped:
            with writing(runtime.engine) as session:
                give_list_back(session, kept)
            return
        except (DigestError, OSError, zlib.error) as exc:
            _end(runtime, kept, None, None, str(exc))
            return
    _end(runtime, kept, done, told)


def _brought(
    runtime: Runtime, newsletter: Newsletter, kept: ReaderList, body: IO[bytes], progress: _Progress
) -> tuple[ListTold, bytes]:
    wanted, packed = kept.terms, _Report()
    is_trial = kept.stage is ListStage.TRIAL
    manner = Manner(wanted.skips_wrong, is_trial, packed.add, progress.begin, progress.step)
    done = bring_in(runtime, newsletter, files_in(kept.file, body), wanted, by=kept.asked_by, manner=manner)
    return _told(done), packed.end()


class _Report:
    """What became of each line, packed as it is written: a million lines are 60 MB unpacked."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj()
        self._parts: list[bytes] = []
        self._add(("file", "line", "email", "outcome", "why"))

    def add(self, told: LineTold) -> None:
        """Take in one line."""
        self._add((told.file, str(told.line), told.email, told.outcome.value, told.said))

    def end(self) -> bytes:
        """Return the whole."""
        self._parts.append(self._packer.flush())
        return b"".join(self._parts)

    def _add(self, fields: tuple[str, ...]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(map(guarded, fields))
        self._parts.append(self._packer.compress(line.getvalue().encode("utf-8", "replace")))


def _told(done: Imported) -> ListTold:
    most = sorted(done.unknown_tags.items(), key=lambda one: -one[1])[:TAGS_MAX]
    counts: Mapping[str, int] = {outcome.value: count for outcome, count in done.counts.items()}
    return ListTold(counts, tuple(done.notes), dict(most), done.without_topic)


def _end(
    runtime: Runtime, kept: ReaderList, told: ListTold | None, report: bytes | None, problem: str = ""
) -> None:
    now: datetime = runtime.clock()
    is_used = kept.stage is ListStage.IMPORT and told is not None
    with writing(runtime.engine) as session:
        end_list(session, kept, told=told, problem=problem, report=report, is_used=is_used, now=now)
    log.info("reader_list.ended", list=kept.id, stage=kept.stage.value, is_well=told is not None)
