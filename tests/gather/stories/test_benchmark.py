from __future__ import annotations

import json

import pytest

from benchmarks.stories import main


def test_the_benchmark_prints_what_grouping_a_week_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--week", "200", "--before", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["digest"]["stories"] == printed["before"]["stories"] == 7
    assert printed["digest"]["articles"] == 200
