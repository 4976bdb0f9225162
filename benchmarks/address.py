"""How fast an issue and a crowd of subscribers become deliveries: read, decided, written and committed.

    python -m benchmarks.address --subscribers 1000000 --topics 20 [--database sqlite|postgresql] [--less 0]
        [--json]

Each reader follows five topics drawn at random; the issue leaves at its hour by each reader's own clock, in
twelve zones, and every tenth wants ten articles at most. With `--less 10` ten of a hundred have muted one
topic and want no more than one article of another. Beside it stands what is often written: for each
reader a question for their topics and a row by the ORM, on a sample.
"""

from __future__ import annotations

import random
import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from benchmarks.deliver import database
from benchmarks.readers import Size, Wish, Wishes, approved_issue
from benchmarks.telling import arguments, figures_table, tell
from digest.address.steps import Addressed, address_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId, edition_for
from digest.domain.less import MUTED_FOR
from digest.domain.schedules import OccurrenceState
from digest.domain.topics import TopicSlug
from digest.store.audiences import EditionRow
from digest.store.bulk import Values, as_stored, insert_rows
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import get_issue
from digest.store.less import MutedTopicRow, SingleTopicRow
from digest.store.newsletters import TopicRow, change_newsletter, topic_ids
from digest.store.revisions import get_outline
from digest.store.schedules import OccurrenceRow, add_occurrence, add_schedule
from digest.store.schema import migrate
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow

NAIVE_SAMPLE = 5_000
ZONES = (
    *("", "Europe/London", "Europe/Helsinki", "Africa/Lagos", "Asia/Kolkata", "Asia/Tokyo"),
    *("Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo", "America/New_York"),
    *("America/Denver", "America/Los_Angeles"),
)


_REST = {
    "postgresql": ("VACUUM (ANALYZE)", "CHECKPOINT"),
    "sqlite": ("PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What addressing came to. CPU is this program's alone, and so is `peak_mb`: the server's is not in it.

    `naive_seconds` is what the naive way would take for as many, by what it took for a sample.
    """

    subscribers: int
    topics: int
    database: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    deliveries: int
    editions: int
    naive_seconds: float


@dataclass(frozen=True, slots=True)
class _Spent:
    """What the process that addressed the issue took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    addressed: Addressed


def at_random(size: Size) -> Wishes:
    """Let each reader follow topics drawn at random and live anywhere, the same in every run."""
    drawn = random.Random(size.readers)

    def wish(number: int) -> Wish:
        follows = drawn.sample(range(size.topics), size.follows)
        return Wish(follows, ZONES[number % len(ZONES)], most=None if number % 10 else 10)

    return wish


def _at_their_own_hour(engine: Engine, issue_id: IssueId) -> None:
    """Let a schedule have made the issue, whose newsletter leaves by each reader's own clock."""
    with writing(engine) as session:
        newsletter_id = get_issue(session, issue_id).newsletter_id
        change_newsletter(session, newsletter_id, local_time=True)
        due_at = datetime.now(UTC)
        schedule = add_schedule(
            session,
            newsletter_id,
            cron="0 7 * * 1",
            timezone="Pacific/Auckland",
            window_days=7,
            next_due=due_at,
            now=due_at,
        )
        run = OccurrenceState.DONE
        day = due_at.date()
        add_occurrence(session, schedule.id, due_at=due_at, local_date=day, state=run, note="", now=due_at)
        session.execute(update(OccurrenceRow).values(issue_id=issue_id))


def let_some_want_less(engine: Engine, issue_id: IssueId, size: Size, *, percent: int) -> None:
    """Let so many of a hundred readers mute one topic and want one article of another at most."""
    with writing(engine) as session:
        issue = get_issue(session, issue_id)
        topics = list(topic_ids(session, issue.newsletter_id).values())
        until = as_stored(session, issue.window.end + MUTED_FOR)
        some = [who for who in range(1, size.readers + 1) if who % 100 < percent]
        muted: list[Values] = [(who, topics[who % size.topics], until) for who in some]
        single: list[Values] = [(who, topics[(who + 1) % size.topics]) for who in some]
        insert_rows(session, MutedTopicRow, ("subscriber_id", "topic_id", "until"), muted)
        insert_rows(session, SingleTopicRow, ("subscriber_id", "topic_id"), single)


def come_to_rest(engine: Engine) -> None:
    """Have done what a database does within minutes, and readers of months are long past: vacuum, write out.

    Otherwise it would happen, now and then, while the addressing is timed.
    """
    engine.dispose()
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    if engine.dialect.name == "postgresql":
        driver.autocommit = True
    for statement in _REST[engine.dialect.name]:
        driver.execute(statement).close()
    connection.invalidate()


def measure(size: Size, *, kind: str, less: int = 0) -> Figures:
    """Address one issue and return the figures. Raises `AssertionError` when a reader is missing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        url = stack.enter_context(database(kind, folder))
        engine = open_engine(url)
        stack.callback(engine.dispose)
        migrate(engine)
        issue_id = approved_issue(engine, size, wishes=at_random(size))
        _at_their_own_hour(engine, issue_id)
        let_some_want_less(engine, issue_id, size, percent=less)
        naive = _naive_seconds(engine, issue_id, min(NAIVE_SAMPLE, size.readers))
        come_to_rest(engine)
        spent = _in_a_process(url, issue_id)
        with reading(engine) as session:
            pending = count_deliveries(session, issue_id)[DeliveryState.PENDING]
        assert pending == spent.addressed.deliveries, "a delivery is missing"
        assert pending + sum(spent.addressed.skipped.values()) == size.readers, "a reader is missing"
    return Figures(
        subscribers=size.readers,
        topics=size.topics,
        database=kind,
        seconds=round(spent.seconds, 2),
        cpu_seconds=round(spent.cpu_seconds, 2),
        peak_mb=round(spent.peak_mb, 1),
        deliveries=spent.addressed.deliveries,
        editions=spent.addressed.editions,
        naive_seconds=round(naive * size.readers / min(NAIVE_SAMPLE, size.readers), 1),
    )


def _in_a_process(url: str, issue_id: IssueId) -> _Spent:
    """Address the issue in a process that has done nothing else: its memory is what addressing takes."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_address, args=(url, issue_id, theirs))
    process.start()
    theirs.close()
    spent: _Spent = ours.recv()
    process.join()
    return spent


def _address(url: str, issue_id: IssueId, report: Connection) -> None:
    engine = open_engine(url)
    began, busy = time.perf_counter(), time.process_time()
    addressed = address_issue(engine, issue_id, now=datetime.now(UTC))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - busy
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report.send(_Spent(seconds, cpu_seconds, peak_mb, addressed))


def _naive_seconds(engine: Engine, issue_id: IssueId, readers: int) -> float:
    """Address a sample reader by reader with the ORM, and take it back."""
    began = time.perf_counter()
    with writing(engine) as session:
        issue = get_issue(session, issue_id)
        outline = get_outline(session, issue)
        for reader in session.scalars(select(SubscriberRow).order_by(SubscriberRow.id).limit(readers)):
            tie = session.get(SubscriptionRow, (issue.newsletter_id, reader.id))
            assert tie is not None
            key = edition_for(outline, _follows(session, reader.id)).key
            edition = session.scalar(
                select(EditionRow).where(EditionRow.issue_id == issue_id, EditionRow.key == key)
            )
            if edition is None:
                edition = EditionRow(issue_id=issue_id, key=key)
                session.add(edition)
                session.flush()
            session.add(_delivery(issue_id, reader, edition))
        session.flush()
        seconds = time.perf_counter() - began
        session.rollback()
    return seconds


def _follows(session: Session, reader: int) -> set[TopicSlug]:
    followed = select(TopicRow.slug).join(FollowRow, FollowRow.topic_id == TopicRow.id)
    return set(map(TopicSlug, session.scalars(followed.where(FollowRow.subscriber_id == reader))))


def _delivery(issue_id: IssueId, reader: SubscriberRow, edition: EditionRow) -> DeliveryRow:
    now = datetime.now(UTC)
    return DeliveryRow(
        issue_id=issue_id,
        subscriber_id=reader.id,
        email=reader.email,
        email_key=reader.email_key,
        message_id=f"<naive.{issue_id}.{reader.id}@example.org>",
        edition_id=edition.id,
        state=DeliveryState.PENDING.value,
        fence=0,
        next_at=now,
        attempts=0,
        created_at=now,
    )


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--articles", type=int, default=30)
    parser.add_argument("--follows", type=int, default=5, help="topics each reader follows")
    parser.add_argument(
        "--less", type=int, default=0, help="of a hundred readers, who wants less of something"
    )
    options = parser.parse_args()
    size = Size(options.subscribers, options.topics, options.articles, min(options.follows, options.topics))
    figures = measure(size, kind=options.database, less=options.less)
    table = figures_table(f"An issue for {figures.subscribers:,} subscribers", figures)
    tell(figures, table, as_json=options.json)


if __name__ == "__main__":
    main()
