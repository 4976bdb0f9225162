"""36 faults injected into real sends: no reader may get a second copy, and none may be lost in silence.

    python -m benchmarks.faults [--seeds 5] [--database both|sqlite|postgresql] [--only 1,2,23]
                                [--long] [--attempts 100000] [--kills 200]
                                [--json | --markdown]

Every fault meets PostgreSQL and SQLite, where it has a meaning on both, with each seed. Digest's own workers
send, as processes that are really killed; Redis and the mail server are real ones on the loopback. Afterwards
the invariants of docs/reliability.md are looked up at the mail server and in the database. Two controls,
senders as they are often written, must break them under the same kills.

`--long` adds a long run: so many mails in all, by three workers that are killed and stopped at random.
`--only` takes numbers, `controls` and `long`. What went wrong is told on stderr; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.faults.audit import Toll
from benchmarks.faults.controls import CONTROLS, has_failed
from benchmarks.faults.field import BOTH, Field, Servers
from benchmarks.faults.harness import Fault, run
from benchmarks.faults.long_run import long_run
from benchmarks.faults.processes import import_first
from benchmarks.faults.registry import FAULTS, SERVED
from digest.logs import set_up_logs

LONG, CONTROL = "long", "controls"
_WIDTH = 130


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and what all its runs came to."""

    number: int
    injected: str
    holds: str
    databases: tuple[str, ...]
    survived: bool
    toll: Toll


@dataclass(frozen=True, slots=True)
class Figures:
    """What all came to. `survived` of `faults` left nothing broken in any run; both controls should fail."""

    faults: int
    survived: int
    attempts: int
    kills: int
    duplicates: int
    lost: int
    unknown_injected: int
    unknown_left: int
    controls_failed: int
    seconds: float
    rows: tuple[Row, ...]

    @property
    def is_well(self) -> bool:
        """Whether every row held."""
        return all(row.survived for row in self.rows)


def measure(faults: Iterable[Fault], *, databases: Sequence[str], seeds: int, controls: bool) -> Figures:
    """Run faults and return the figures."""
    since = time.monotonic()
    servers = Servers()
    try:
        rows = tuple(_row(fault, servers, databases, seeds) for fault in faults)
        failed = sum(_controls(servers, databases)) if controls else 0
    finally:
        servers.close()
    total = sum((row.toll for row in rows), Toll())
    return Figures(
        faults=sum(row.number > 0 for row in rows),
        survived=sum(row.number > 0 and row.survived for row in rows),
        attempts=total.attempts,
        kills=total.kills,
        duplicates=total.duplicates,
        lost=total.lost,
        unknown_injected=total.unknown_injected,
        unknown_left=total.unknown_left,
        controls_failed=failed,
        seconds=round(time.monotonic() - since, 1),
        rows=rows,
    )


def _row(fault: Fault, servers: Servers, databases: Sequence[str], seeds: int) -> Row:
    kinds = tuple(kind for kind in fault.databases if kind in databases)
    toll = Toll()
    for kind in kinds:
        for seed in range(1 if fault.number == 0 else seeds):
            since = time.monotonic()
            toll += run(fault, servers, kind=kind, seed=seed)
            _tell(
                f"{fault.number:>2} {fault.injected}, {kind}, seed {seed}: {time.monotonic() - since:.1f} s"
            )
    for words in toll.broken:
        _tell(f"   fault {fault.number}: {words}")
    return Row(fault.number, fault.injected, fault.holds, kinds, bool(toll.runs) and not toll.broken, toll)


def _controls(servers: Servers, databases: Sequence[str]) -> list[bool]:
    """Return for each control whether it failed on every database, as it should."""
    found = []
    for body, invariant in CONTROLS:
        broken = []
        for kind in databases:
            with Field(servers, kind, seed=0) as field:
                broken.append(has_failed(field, body, invariant))
        _tell(f"control {body.__name__}: {'failed, as it should' if all(broken) else 'survived'}")
        found.append(all(broken))
    return found


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def table_of(figures: Figures) -> Table:
    """Return the figures for people."""
    told = (
        f"{figures.survived} of {figures.faults} faults survived, {figures.controls_failed} of 2 controls not"
    )
    table = Table(title=told, box=SIMPLE)
    for name in ("", "injected", "held"):
        table.add_column(name, no_wrap=True)
    for name in ("runs", "attempts", "kills", "doubled", "lost", "open", "left", "recovery"):
        table.add_column(name, justify="right")
    for row in figures.rows:
        toll = row.toll
        counts = (toll.runs, toll.attempts, toll.kills, toll.duplicates, toll.lost)
        open_ = (toll.unknown_injected, toll.unknown_left)
        table.add_row(
            str(row.number or "long"),
            row.injected,
            "yes" if row.survived else "NO",
            *(f"{count:,}" for count in (*counts, *open_)),
            f"{toll.recovery_s:.1f} s",
        )
    return table


def markdown_of(figures: Figures) -> str:
    """Return the figures as docs/reliability.md has them."""
    lines = [
        "| | injected | must hold | databases | runs | attempts | kills | duplicates | lost | left open "
        "| still unknown | recovery | held |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in figures.rows:
        toll = row.toll
        counts = (toll.runs, toll.attempts, toll.kills, toll.duplicates, toll.lost)
        cells = [
            *(str(row.number or LONG), row.injected, row.holds, ", ".join(row.databases)),
            *(f"{count:,}" for count in (*counts, toll.unknown_injected, toll.unknown_left)),
            f"{toll.recovery_s:.1f} s" if toll.recovery_s else "",
            "yes" if row.survived else "**no**",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def chosen(only: str, *, long: bool, attempts: int, kills: int, databases: int) -> tuple[list[Fault], bool]:
    """Return the faults that were asked for, and whether the controls were. Raises `ValueError`."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    numbers = {int(word) for word in words if word not in (LONG, CONTROL)}
    if unknown := numbers - {fault.number for fault in FAULTS}:
        raise ValueError(f"no fault {min(unknown)}: they go from 1 to {len(FAULTS)}")
    faults = [fault for fault in FAULTS if fault.number in numbers or not words]
    if long or LONG in words:
        attack = partial(long_run, attempts=attempts // databases, kills=-(-kills // databases))
        faults.append(Fault(0, "SIGKILLs and SIGSTOPs at random", "I1-I6", attack))
    return faults, not words or CONTROL in words


def main() -> None:
    """Print a table, or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="benchmarks.faults"
    )
    parser.add_argument("--seeds", type=int, default=5, help="runs of each fault on each database")
    parser.add_argument("--database", choices=("both", *BOTH), default="both")
    parser.add_argument("--only", default="", metavar="1,2,23", help="these alone; also: controls, long")
    parser.add_argument("--long", action="store_true", help="the long run too")
    parser.add_argument("--attempts", type=int, default=100_000, help="mails of the long run, in all")
    parser.add_argument("--kills", type=int, default=200, help="signals of the long run, in all")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    parser.add_argument("--markdown", action="store_true", help="the table as docs/reliability.md has it")
    options = parser.parse_args()
    databases = BOTH if options.database == "both" else (options.database,)
    try:
        faults, controls = chosen(
            options.only,
            long=options.long,
            attempts=options.attempts,
            kills=options.kills,
            databases=len(databases),
        )
    except ValueError as exc:
        parser.error(f"--only: {exc}")
    set_up_logs(level="error", as_json=False)
    # Told to end, it ends what it has started: some of that may be stopped, and would stay for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    import_first(services=any(fault.number in SERVED for fault in faults))
    figures = measure(faults, databases=databases, seeds=options.seeds, controls=controls)
    if options.json:
        print(json.dumps(asdict(figures)))
    elif options.markdown:
        print(markdown_of(figures))
    else:
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table_of(figures))
    sys.exit(0 if figures.is_well and figures.controls_failed == 2 * controls else 1)


if __name__ == "__main__":
    main()
