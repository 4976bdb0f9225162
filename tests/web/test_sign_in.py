"""Signing in and out over HTTP: the session it makes, what it tells, and where it leads."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from digest.admit.passwords import hash_password
from digest.admit.sessions import IDLE, LONGEST, csrf_of, kept
from digest.admit.steps import find_signed_in
from digest.domain.accounts import Role
from digest.runtime import Runtime
from digest.store.accounts import add_account, find_account, set_password
from digest.store.audit import Entry, list_entries
from digest.store.database import reading, writing
from digest.store.sign_ins import list_sign_ins
from tests.servers.processes import free_port
from tests.web.conftest import runtime_on
from tests.web.people import CHEAP, TOKENS, add_session, cookie_header, email_of
from tests.web.site import Site, serving
from tests.web.world import DRAFT, NOW

EMAIL, PASSWORD = "edda@example.org", "four calm words here"
HASHED = CHEAP.hash(PASSWORD)


@pytest.fixture
def door(open_site: Callable[..., Site], empty_database: Path) -> Site:
    """A site with one account that has a password, seen by nobody."""
    site = open_site(empty_database)
    add_edda(site)
    return Site(site.runtime, httpx2.Client(base_url=site.url, trust_env=False, verify=False))


def add_edda(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        add_account(session, EMAIL, name="Edda", role=Role.EDITOR, by="x", now=NOW, password=HASHED)


def sign_in(site: Site, email: str = EMAIL, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return site.post("/sign-in", email=email, password=password, **more)


def token_of(answer: httpx2.Response) -> str:
    found = re.match(r"digest=([^;]+);", answer.headers["set-cookie"])
    assert found
    return found[1]


def test_who_signs_in_is_led_to_where_they_wanted_to_go(door: Site) -> None:
    asked = door.get(f"/issues/{DRAFT}?topic=space&topic=food")
    page = door.get(asked.headers["location"])
    way = re.search(r'name="next" value="([^"]*)"', page.text)
    assert way
    assert way[1] == f"/issues/{DRAFT}?topic=space&amp;topic=food"
    answer = sign_in(door, next=way[1].replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/issues/{DRAFT}?topic=space&topic=food",
    )
    assert door.get("/").status_code == 200
    assert "Edda" in door.get("/account").text


@pytest.mark.parametrize(
    "way",
    [
        "https://evil.example.org/",
        "//evil.example.org",
        "/\\evil.example.org",
        "\\\\evil.example.org",
        "/\t/evil.example.org",
        "/\n/evil.example.org",
        " //evil.example.org",
        "/%0d%0aSet-Cookie:x\r\nX: y",
        "javascript:alert(1)",
        "///evil.example.org",
        "evil",
        "/sign-in?next=/",
        "/é",
        "/" + "x" * 2000,
        "",
    ],
)
def test_nobody_is_led_to_another_site(way: str, door: Site) -> None:
    location = sign_in(door, next=way).headers["location"]
    assert location == "/"
    assert door.client.get("/sign-in", params={"next": way}).headers["location"] == "/"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "four calm words hers"),
        (EMAIL, ""),
        (EMAIL, PASSWORD + "\x00"),
        (EMAIL, "x" * 20_000),
        ("nobody@example.org", PASSWORD),
        ("nobody", PASSWORD),
        ("a\x00@example.org", PASSWORD),
        ("x" * 5_000, PASSWORD),
        ("", ""),
        (email_of(Role.ADMIN), ""),  # has no password at all
        (email_of(Role.ADMIN), "nobody's password"),
    ],
)
def test_a_wrong_word_is_told_the_same_whoever_it_is_for(email: str, password: str, door: Site) -> None:
    answer = sign_in(door, email, password)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_address_is_the_same_in_any_case_and_a_password_however_it_is_typed(door: Site) -> None:
    with writing(door.runtime.engine) as session:
        account = find_account(session, EMAIL)
        assert account
        set_password(session, account.id, hash_password("a caf\u00e9 in Malm\u00f6"))
    answer = sign_in(door, " Edda@Example.ORG ", "a cafe\u0301\u00a0in Malmo\u0308")
    assert answer.status_code == 303


def test_a_session_has_a_new_token_each_time_and_none_that_was_brought_along(door: Site) -> None:
    planted = "planted-by-somebody-else"
    door.client.cookies.set("digest", planted)
    first = token_of(sign_in(door))
    second = token_of(sign_in(door))
    assert len({planted, first, second}) == 3
    for token in (planted, first):  # the first ended when the second began in the same browser
        door.client.cookies.clear()
        assert door.client.get("/", headers={"Cookie": f"digest={token}"}).status_code == 303
    assert door.client.get("/", headers={"Cookie": f"digest={second}"}).status_code == 200


def test_the_database_holds_no_token_that_opens_anything(door: Site) -> None:
    token = token_of(sign_in(door))
    stored = "\n".join(Path(str(door.runtime.engine.url.database)).read_bytes().decode("latin-1").split("\0"))
    assert token not in stored
    assert PASSWORD not in stored
    assert door.client.get("/", headers={"Cookie": f"digest={kept(token)}"}).status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(door: Site) -> None:
    cookie = sign_in(door).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie
    assert f"max-age={LONGEST.days * 86_400}" in cookie
    assert "secure" not in cookie, "the public address of this site is http"


def test_over_https_no_other_host_can_plant_a_cookie(
    open_site: Callable[..., Site], empty_database: Path
) -> None:
    site = open_site(empty_database, public_url="https://digest.example.org/desk")
    add_edda(site)
    cookie = sign_in(site).headers["set-cookie"]
    assert cookie.startswith("__Host-digest=")
    assert "; Secure" in cookie
    assert "Path=/;" in cookie
    assert sign_in(site).headers["location"] == "/desk/"
    assert site.client.get("/", headers={"Cookie": f"digest={TOKENS[Role.ADMIN]}"}).status_code == 303


def test_no_other_site_signs_anybody_in(door: Site) -> None:
    form = {"email": EMAIL, "password": PASSWORD}
    for headers in (
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = door.client.post("/sign-in", data=form, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    answer = door.client.post("/sign-in", data=form, headers={"Origin": door.url})
    assert answer.status_code == 303


def test_who_signs_out_is_out_everywhere_that_token_is(door: Site) -> None:
    token = token_of(sign_in(door))
    answer = door.post("/sign-out", csrf=csrf_of(token))
    assert answer.headers["location"] == "/sign-in"
    assert 'digest=""' in answer.headers["set-cookie"]
    assert door.client.get("/", headers={"Cookie": f"digest={token}"}).status_code == 303
    told = [(entry.what, entry.by) for entry in entries(door.runtime)]
    assert told[:2] == [("session.ended", "Edda"), ("session.begun", "Edda")]


def entries(runtime: Runtime) -> tuple[Entry, ...]:
    with reading(runtime.engine) as session:
        return list_entries(session, limit=10)


@pytest.mark.parametrize(("after", "status"), [(IDLE - timedelta(seconds=1), 200), (IDLE, 303)])
def test_a_session_that_is_not_used_ends(
    after: timedelta, status: int, empty_database: Path, tmp_path: Path
) -> None:
    add_session(at(empty_database, tmp_path), Role.ADMIN)
    with serving(at(None, tmp_path, after), free_port(), role=None) as later:
        headers = cookie_header(later.runtime, Role.ADMIN)
        assert later.client.get("/", headers=headers).status_code == status


def test_a_session_that_is_used_lasts_and_still_ends_one_day(empty_database: Path, tmp_path: Path) -> None:
    runtime = at(empty_database, tmp_path)
    add_session(runtime, Role.ADMIN)
    for days in (*range(0, 30, 6), 30):
        now = NOW + timedelta(days=days)
        found = find_signed_in(runtime.engine, TOKENS[Role.ADMIN], now=now)
        assert (found is not None) is (days < LONGEST.days), days
        if days == 24:
            assert session_of(replace(runtime, clock=lambda: NOW + timedelta(24))) == (now, NOW + LONGEST)


def session_of(runtime: Runtime) -> tuple[datetime, datetime]:
    with reading(runtime.engine) as session:
        account = find_account(session, email_of(Role.ADMIN))
        assert account
        (one,) = list_sign_ins(session, account.id, now=runtime.clock())
    return one.seen_at, one.ends_at


def at(database: Path | None, folder: Path, after: timedelta = timedelta(0), **settings: object) -> Runtime:
    """The runtime of a copy of `database`, at a later time."""
    file = folder / "later.db"
    if database:
        shutil.copy(database, file)
    return replace(runtime_on(f"sqlite:///{file}", **settings), clock=lambda: NOW + after)
