from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.compose import interpolate, passed_on, services, variables_in

COMPOSE = """
x-ours: &ours
  build: .
  environment:
    URL: "${BROKER:-redis://:${PASSWORD:?set it}@redis:6379/0}"
    LEVEL:
services:
  worker:
    <<: *ours
    command: celery -A 'worker.app' worker
    depends_on:
      redis: {condition: service_healthy}
    healthcheck:
      test: ["CMD-SHELL", "ping $$HOSTNAME redis:6379"]
    volumes: ["state:/var/lib/state:rw"]
  redis:
    image: redis:8
    command: [redis-server, --requirepass, "${PASSWORD}"]
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
"""


@pytest.fixture
def compose_file(tmp_path: Path) -> Path:
    path = tmp_path / "docker-compose.yml"
    path.write_text(COMPOSE)
    return path


def test_a_service_has_its_anchors_variables_and_hosts_resolved(compose_file: Path) -> None:
    worker = services(compose_file, variables={"PASSWORD": "pw"}, hosts={"redis:6379": "127.0.0.1:9"})[
        "worker"
    ]
    assert worker.command == ("celery", "-A", "worker.app", "worker")
    assert worker.environment == {"URL": "redis://:pw@127.0.0.1:9/0"}
    assert worker.depends_on == {"redis": "service_healthy"}
    assert worker.check == ("sh", "-c", "ping $HOSTNAME 127.0.0.1:9")
    assert worker.volumes == {"/var/lib/state": "state"}
    assert worker.is_ours


def test_a_variable_without_a_value_is_passed_on_when_it_is_set(compose_file: Path) -> None:
    given = {"PASSWORD": "pw", "BROKER": "redis://b", "LEVEL": ""}
    assert services(compose_file, variables=given)["worker"].environment == {"URL": "redis://b", "LEVEL": ""}
    assert passed_on(compose_file) == {"LEVEL"}


def test_a_service_from_a_ready_image_is_not_ours(compose_file: Path) -> None:
    redis = services(compose_file, variables={"PASSWORD": "pw"})["redis"]
    assert (redis.image, redis.is_ours) == ("redis:8", False)
    assert redis.command == ("redis-server", "--requirepass", "pw")
    assert redis.check == ("redis-cli", "ping")


def test_a_required_variable_that_is_missing_or_empty_is_named(compose_file: Path) -> None:
    for variables in ({}, {"PASSWORD": ""}):
        with pytest.raises(ValueError, match="PASSWORD is not set: set it"):
            services(compose_file, variables=variables)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$A ${A} $$A", "a a $A"),
        ("${A:-b}${EMPTY:-b}${UNSET:-b}", "abb"),
        ("${A-b}${EMPTY-b}${UNSET-b}", "ab"),
        ("${UNSET:-http://127.0.0.1:8000}", "http://127.0.0.1:8000"),
        ("[${UNSET}]", "[]"),
        ("${A:-${UNSET:?x}}${UNSET:-<${A}>}${UNSET:-{$A}}", "a<a>{a}"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, filled: str) -> None:
    assert interpolate(text, {"A": "a", "EMPTY": ""}) == filled


def test_an_escaped_dollar_names_no_variable() -> None:
    assert variables_in("$A ${B:?x} ${C-} $$D $${E} ${F:-f$$G${H:?x}}") == {"A", "B", "C", "F", "H"}
