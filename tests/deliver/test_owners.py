"""A dead worker is known by its process, so that what it held is taken back at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from digest.deliver.owners import Owner
from tests.waiting import wait_until


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def owner_of(child: subprocess.Popen[bytes]) -> Owner:
    return replace(Owner.this_process(), pid=child.pid, started=0)


def test_this_process_lives_and_is_read_back_from_its_name() -> None:
    owner = Owner.this_process()
    assert not owner.is_dead()
    assert Owner.parse(str(owner)) == owner


def test_a_later_process_of_the_same_number_is_another_one() -> None:
    owner = Owner.this_process()
    assert owner.started
    assert replace(owner, started=owner.started - 1).is_dead()


def test_a_process_that_was_killed_is_dead_before_and_after_its_parent_asks(
    child: subprocess.Popen[bytes],
) -> None:
    owner = owner_of(child)
    assert not owner.is_dead()
    child.kill()
    wait_until(owner.is_dead)
    child.wait()
    assert owner.is_dead()


def test_nothing_is_known_of_another_machine(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert not replace(owner_of(child), host="elsewhere.example.org").is_dead()


@pytest.mark.parametrize("name", ["", "worker", "host:1:2", "host:one:2:nonce", "host:1:then:nonce"])
def test_a_name_of_another_form_is_nobodys(name: str) -> None:
    assert Owner.parse(name) is None
