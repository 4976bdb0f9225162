"""The quick ones of the faults in `benchmarks/faults`, once each, and the table of all of them.

`python -m benchmarks.faults` runs all 36 on both databases with several seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.faults.__main__ import chosen, measure
from benchmarks.faults.audit import Expected
from benchmarks.faults.controls import CONTROLS, has_failed
from benchmarks.faults.field import BOTH, POSTGRESQL, SQLITE, Field, Servers
from benchmarks.faults.harness import Fault, run
from benchmarks.faults.processes import Body
from benchmarks.faults.registry import FAULTS
from digest.domain.deliveries import DeliveryState
from tests.servers.postgres import PostgresServer

QUICK = [fault for fault in FAULTS if fault.is_quick]


@pytest.fixture(scope="module")
def servers(postgres_server: PostgresServer) -> Iterator[Servers]:
    servers = Servers(postgres=postgres_server)
    yield servers
    servers.close()


# By turns: every fault on each database takes twice as long, and the benchmark does it.
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(fault, BOTH[place % 2], id=f"{fault.number}-{BOTH[place % 2]}")
        for place, fault in enumerate(QUICK)
    ],
)
def test_a_fault_doubles_and_loses_nothing(servers: Servers, fault: Fault, kind: str) -> None:
    toll = run(fault, servers, kind=kind, seed=1)
    assert toll.broken == ()
    assert (toll.duplicates, toll.lost, toll.unknown_left) == (0, 0, 0)


@pytest.mark.parametrize(("body", "invariant"), CONTROLS)
def test_a_naive_sender_fails_under_the_same_kills(servers: Servers, body: Body, invariant: str) -> None:
    """The control: were this to pass, the tests above would prove nothing."""
    with Field(servers, SQLITE, seed=1) as field:
        assert has_failed(field, body, invariant)


def test_all_36_faults_are_there_once() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, 37))
    assert [fault.number for fault in FAULTS if fault.databases == (POSTGRESQL,)] == [14, 15]


def unsettled(field: Field) -> Expected:
    """Send everything, then say of one mail more than is true that its outcome was left open."""
    field.issue(10)
    field.recover()
    return Expected(10, injected=1)


def wrong(field: Field) -> None:
    raise ValueError(f"nothing is in any state: {DeliveryState.UNKNOWN}")


def test_what_does_not_hold_is_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault(1, "one too many", "", unsettled), Fault(2, "a broken harness", "", wrong)]
    figures = measure(faults, databases=[SQLITE], seeds=1, controls=False)
    assert (figures.faults, figures.survived, figures.is_well) == (2, 0, False)
    told = capsys.readouterr().err
    assert "fault 1: seed 0, sqlite: I4: 0 unknown where 1 outcomes were left open" in told
    assert "ValueError: nothing is in any state" in told


def test_faults_are_chosen_by_number() -> None:
    faults, controls = chosen("2, 30,controls", long=False, attempts=1, kills=1, databases=2)
    assert [fault.number for fault in faults] == [2, 30]
    assert controls
    with pytest.raises(ValueError, match="no fault 37: they go from 1 to 36"):
        chosen("37", long=False, attempts=1, kills=1, databases=2)
