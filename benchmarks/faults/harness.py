"""Run faults, each on its databases and with several seeds, and count what they cost."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.faults.audit import Audit, Expected, Toll
from benchmarks.faults.field import BOTH, Field, Servers

Attack = Callable[[Field], Expected | None]
"""Injects a fault, has things recover, and returns what must be found then; None when nothing was sent."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: what is injected, what must hold, and on which databases it has a meaning.

    `is_quick`: a run takes a second or two, and no other test does the like.
    """

    number: int
    injected: str
    holds: str
    attack: Attack
    databases: Sequence[str] = BOTH
    is_quick: bool = False


def run(fault: Fault, servers: Servers, *, kind: str, seed: int) -> Toll:
    """Run a fault once and return what it came to."""
    with Field(servers, kind, seed) as field:
        audit = Audit(field)
        try:
            expected = fault.attack(field)
            if expected is not None:
                audit.settled(expected)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the fault was not survived, and the rest go on
            print(f"fault {fault.number}, {kind}, seed {seed}", file=sys.stderr)
            traceback.print_exc()
            field.must(False, f"{type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}")
        toll = audit.toll()
    return replace(toll, broken=tuple(f"seed {seed}, {words}" for words in toll.broken))
