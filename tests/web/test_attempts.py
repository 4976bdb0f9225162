"""Guessing: how soon it has to stop, whom it locks out, and whom it never does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine

from digest.admit.attempts import (
    FOR_AN_ACCOUNT,
    FROM_A_NETWORK,
    WITHIN,
    Tries,
    forgive,
    is_device_of,
    must_wait,
    new_device,
    tries_of,
)
from digest.store.attempts import AttemptRow
from digest.store.database import reading
from tests.servers.processes import free_port
from tests.web.site import Site, serving
from tests.web.test_sign_in import EMAIL, PASSWORD, add_edda, at, sign_in
from tests.web.world import NOW

KEY = b"a key"
WRONG = "four calm words wrong"


@pytest.fixture
def door(empty_database: Path, tmp_path: Path) -> Iterator[Site]:
    """A site with one account, seen by nobody, behind a proxy that it trusts."""
    with serving(at(empty_database, tmp_path, trusted_proxies=["127.0.0.1"]), free_port(), role=None) as site:
        add_edda(site)
        yield site


def guess(site: Site, email: str, password: str, *, come_from: str = "8.8.8.8") -> httpx2.Response:
    site.client.headers["X-Forwarded-For"] = come_from
    return sign_in(site, email, password)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "no address"])
def test_an_account_is_guessed_at_ten_times_whether_it_is_there_or_not(email: str, door: Site) -> None:
    for number in range(FOR_AN_ACCOUNT):
        door.client.cookies.clear()
        assert guess(door, email, WRONG, come_from=f"8.8.{number}.8").status_code == 401
    for password in (WRONG, PASSWORD):
        answer = guess(door, email, password, come_from="9.9.9.9")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "900"
        assert "Try again in 15 minutes" in answer.text
        assert "set-cookie" not in answer.headers


def test_its_owner_comes_in_where_they_signed_in_before(door: Site, tmp_path: Path) -> None:
    assert guess(door, EMAIL, PASSWORD).status_code == 303
    known = dict(door.client.cookies)
    door.client.cookies.clear()
    for _ in range(FOR_AN_ACCOUNT + 2):
        answer = guess(door, EMAIL, WRONG)
    assert answer.status_code == 429
    door.client.cookies.update({"digest-device": known["digest-device"]})
    assert guess(door, EMAIL, PASSWORD).status_code == 303
    door.client.cookies.clear()
    assert guess(door, EMAIL, PASSWORD).status_code == 429, "elsewhere it still has to wait"
    door.client.cookies.update({"digest-device": known["digest-device"]})
    for _ in range(FOR_AN_ACCOUNT):
        assert guess(door, EMAIL, WRONG).status_code == 401
    assert guess(door, EMAIL, PASSWORD).status_code == 429, "who stole the browser may not guess for ever"
    with serving(at(None, tmp_path, WITHIN), free_port(), role=None) as later:
        assert sign_in(later).status_code == 303


def test_a_network_is_stopped_and_others_are_not(door: Site) -> None:
    for number in range(FROM_A_NETWORK):
        email = f"a{number}@example.org"
        tries = tries_of(door.runtime.door_key, email=email, device="", network="8.8.8.8")
        assert must_wait(door.runtime.engine, tries, now=NOW) is None
    assert guess(door, EMAIL, PASSWORD).status_code == 429
    door.client.headers["X-Forwarded-For"] = "1.1.1.1, 8.8.8.8"
    assert sign_in(door).status_code == 429, "what a client writes itself changes nothing"
    assert guess(door, EMAIL, PASSWORD, come_from="8.8.4.4").status_code == 303


def test_a_right_password_begins_the_count_anew(door: Site) -> None:
    for _ in range(3):
        for _ in range(FOR_AN_ACCOUNT - 1):
            door.client.cookies.clear()
            assert guess(door, EMAIL, WRONG).status_code == 401
        door.client.cookies.clear()
        assert guess(door, EMAIL, PASSWORD).status_code == 303


def test_what_was_typed_is_not_kept(door: Site) -> None:
    guess(door, "my secret password", WRONG)
    guess(door, EMAIL, WRONG)
    with reading(door.runtime.engine) as session:
        keys = [row.key for row in session.query(AttemptRow)]
    assert len(keys) == 3
    assert all(len(key) == 64 for key in keys)
    assert b"my secret" not in Path(str(door.runtime.engine.url.database)).read_bytes()


def test_a_browser_is_known_for_one_account_by_our_own_mark_only() -> None:
    device = new_device(KEY, EMAIL)
    assert is_device_of(KEY, EMAIL.upper(), device)
    nonce, _, mark = device.partition(".")
    for other in ("", ".", nonce, f"{nonce}.", f".{mark}", f"x{device}", f"{nonce}.é", device + "0"):
        assert not is_device_of(KEY, EMAIL, other), other
    assert not is_device_of(KEY, "eve@example.org", device)
    assert not is_device_of(b"another key", EMAIL, device)


def test_half_of_an_address_of_version_6_is_no_other_network() -> None:
    def shared(network: str) -> str:
        return tries_of(KEY, email=EMAIL, device="", network=network).shared

    assert shared("2001:db8:1:2::1") == shared("2001:db8:1:2:ffff::9")
    assert shared("2001:db8:1:2::1") != shared("2001:db8:1:3::1")
    assert shared("::ffff:8.8.8.8") == shared("8.8.8.8")
    assert shared("") == ""


def test_who_tries_at_the_same_moment_is_counted_each_time(engine: Engine) -> None:
    tries = Tries("own", "shared")

    def attempt(_: int) -> bool:
        return must_wait(engine, tries, now=NOW) is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(FOR_AN_ACCOUNT * 3))) == FOR_AN_ACCOUNT
    assert must_wait(engine, tries, now=NOW + timedelta(minutes=5)) == timedelta(minutes=10)
    forgive(engine, tries)
    assert must_wait(engine, tries, now=NOW) is None
    assert must_wait(engine, tries, now=NOW + WITHIN) is None, "what is past is forgotten"
    with reading(engine) as session:
        assert session.query(AttemptRow).count() == 2
