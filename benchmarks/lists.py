"""How fast a list of readers comes in and goes out: read twice, checked, stored, and written again.

    python -m benchmarks.lists --lines 1000000 [--database sqlite|postgresql] [--json]

The list is as Mailchimp exports it: names, times, zones, and one to three tags that lead to topics. Beside it
stands what is often written: each line by itself, a transaction and a few questions each, on a sample.
"""

from __future__ import annotations

import csv
import random
import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from sqlalchemy import Engine

from benchmarks.deliver import database
from benchmarks.readers import NOW
from benchmarks.telling import arguments, figures_table, tell
from digest.domain.erasing import NO_MARKS
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.topics import Topic, TopicSlug
from digest.intake.lists.export import export_list
from digest.intake.lists.files import files_at
from digest.intake.lists.people import Terms
from digest.intake.lists.reading import List
from digest.intake.lists.steps import import_list
from digest.store.database import open_engine, writing
from digest.store.newsletters import add_newsletter, add_topic
from digest.store.schema import migrate
from digest.store.subscribers import subscribe

NAIVE_SAMPLE = 1_000
_TOPICS = [Topic(TopicSlug(f"topic-{number}"), f"Topic number {number}") for number in range(20)]
_ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Europe/Paris")
_COLUMNS = (
    *("Email Address", "First Name", "Last Name", "OPTIN_TIME", "CONFIRM_TIME", "CONFIRM_IP", "TIMEZONE"),
    *("LAST_CHANGED", "LEID", "EUID", "NOTES", "TAGS"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What it came to. `again_s` is the same import once more; `naive_s` is by what a sample took.

    `peak_mb` is this program's, without the database's server.
    """

    lines: int
    database: str
    import_s: float
    lines_per_s: float
    again_s: float
    export_s: float
    peak_mb: float
    naive_s: float


def write_list(stream: TextIO, lines: int) -> None:
    """Write a list of `lines` people, the same in every run."""
    drawn = random.Random(lines)
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for number in range(lines):
        tags = ",".join(f'"{topic.name}"' for topic in drawn.sample(_TOPICS, 1 + number % 3))
        when = "2024-02-03 04:05:06"
        who = (f"reader{number}@example.org", f"Reader {number}", "of Harbour City")
        rest = (when, when, "192.0.2.7", _ZONES[number % 4], when, number, f"{number:x}", "")
        writer.writerow((*who, *rest, tags))


def measure(lines: int, *, kind: str) -> Figures:
    """Bring a list in twice and let it out once. Raises `AssertionError` when a reader is missing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        file = folder / "members.csv"
        with file.open("w", newline="") as stream:
            write_list(stream, lines)
        engine = open_engine(stack.enter_context(database(kind, folder)))
        stack.callback(engine.dispose)
        migrate(engine)
        naive = _naive_seconds(engine, file) * lines / min(lines, NAIVE_SAMPLE)
        newsletter = _newsletter(engine, "weekly")
        people = List(files_at([file]), Terms.of(newsletter, _TOPICS))
        seconds = [_imported(engine, newsletter, people, lines) for _ in range(2)]
        began = time.perf_counter()
        with (folder / "out.csv").open("w", newline="") as stream:
            assert export_list(engine, newsletter.id, stream) == lines, "a reader is missing"
        export = time.perf_counter() - began
    return Figures(
        lines=lines,
        database=kind,
        import_s=round(seconds[0], 1),
        lines_per_s=round(lines / seconds[0]),
        again_s=round(seconds[1], 1),
        export_s=round(export, 1),
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        naive_s=round(naive, 1),
    )


def _imported(engine: Engine, newsletter: Newsletter, people: List, lines: int) -> float:
    began = time.perf_counter()
    done = import_list(engine, newsletter, people, by="benchmark", now=NOW, marked=NO_MARKS)
    assert done.added + done.updated == lines, "a reader is missing"
    return time.perf_counter() - began


def _newsletter(engine: Engine, slug: str) -> Newsletter:
    wanted = Newsletter(
        id=NewsletterId(0),
        slug=slug,
        name=slug,
        sender_name=slug,
        sender_email="editors@example.org",
        postal_address="1 Loopback Lane, Testville",
    )
    with writing(engine) as session:
        newsletter = add_newsletter(session, wanted, now=NOW)
        for topic in _TOPICS:
            add_topic(session, newsletter.id, topic)
    return newsletter


def _naive_seconds(engine: Engine, file: Path) -> float:
    """Store a sample line by line, for a newsletter of its own."""
    newsletter = _newsletter(engine, "naive")
    slugs = {topic.name: topic.slug for topic in _TOPICS}
    began = time.perf_counter()
    with file.open(newline="") as stream:
        for row in islice(csv.DictReader(stream), NAIVE_SAMPLE):
            follows = [slugs[tag.strip('"')] for tag in row["TAGS"].split(",")]
            with writing(engine) as session:
                subscribe(
                    session,
                    newsletter.id,
                    email=f"naive.{row['Email Address']}",
                    follows=follows,
                    name=row["First Name"],
                    timezone=row["TIMEZONE"],
                    now=NOW,
                )
    return time.perf_counter() - began


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    options = parser.parse_args()
    figures = measure(options.lines, kind=options.database)
    tell(figures, figures_table(f"A list of {figures.lines:,} readers", figures), as_json=options.json)


if __name__ == "__main__":
    main()
