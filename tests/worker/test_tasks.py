"""What holds for every task: short, plain data, hints only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from celery.signals import task_failure
from structlog.testing import capture_logs

import worker.tasks
from digest.domain.errors import Conflict, DigestError, Refused, Unavailable
from digest.settings import Settings
from worker.app import app, make_app

TASKS = {name: task for name, task in app.tasks.items() if name.startswith("worker.")}
SOURCE = ast.parse(Path(worker.tasks.__file__).read_text("utf-8"))
FUNCTIONS = {node.name: node for node in SOURCE.body if isinstance(node, ast.FunctionDef)}


def test_the_tasks_are_those_that_the_beat_and_each_other_ring() -> None:
    names = [
        "tick",
        "poll",
        "forget",
        "erase",
        "take_in",
        "draft",
        "advance",
        "sweep",
        "send",
        "post",
        "call",
        "try_out",
        "bring_in",
        "count_clicks",
        "look_up",
        "purge",
        "look_ahead",
        "read_returns",
    ]
    assert set(TASKS) == {f"worker.tasks.{name}" for name in names}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(TASKS)


def test_a_mailbox_is_looked_at_every_minute_where_there_is_one() -> None:
    without, with_one = (make_app(Settings(bounce_mailbox_url=url)) for url in ("", "maildir:/returns"))
    (entry,) = (
        entry for name, entry in with_one.conf.beat_schedule.items() if name not in without.conf.beat_schedule
    )
    assert (entry["task"], entry["schedule"]) == ("worker.tasks.read_returns", 60.0)


def test_a_task_is_at_most_ten_lines_long() -> None:
    for name in TASKS:
        node = FUNCTIONS[name.rpartition(".")[2]]
        assert node.end_lineno is not None
        assert node.end_lineno - node.lineno < 10, name


def test_a_task_takes_ids_and_returns_nothing() -> None:
    for name in TASKS:
        node = FUNCTIONS[name.rpartition(".")[2]]
        assert [ast.unparse(argument.annotation or node) for argument in node.args.args] in ([], ["int"]), (
            name
        )
        assert ast.unparse(node.returns or node) == "None", name


def test_nothing_but_json_is_spoken_and_no_result_is_kept() -> None:
    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.result_backend) == ("json", None)
    assert all(task.ignore_result and not task.acks_late for task in TASKS.values())


def test_every_hint_goes_stale_and_none_waits_at_the_worker() -> None:
    """An ETA or countdown would lie in a worker's memory, where no other worker finds it."""
    assert all(entry["options"].keys() == {"expires"} for entry in app.conf.beat_schedule.values())
    sent = [
        call
        for call in ast.walk(SOURCE)
        if isinstance(call, ast.Call) and "apply_async" in ast.unparse(call.func)
    ]
    assert [[keyword.arg for keyword in call.keywords] for call in sent] == [["expires"]]


@pytest.mark.parametrize(
    ("name", "error", "level"),
    [
        ("send", Unavailable, "warning"),
        ("send", Refused, "warning"),
        ("send", Conflict, "error"),
        ("sweep", Unavailable, "error"),
    ],
)
def test_what_a_send_tells_of_its_server_is_no_error_at_every_try(
    name: str, error: type[DigestError], level: str
) -> None:
    with capture_logs() as logs:
        task_failure.send(sender=TASKS[f"worker.tasks.{name}"], exception=error("away"), args=(1,))
    assert [(line["event"], line["reason"], line["log_level"]) for line in logs] == [
        ("task.failed", "away", level)
    ]
