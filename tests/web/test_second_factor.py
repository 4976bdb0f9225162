"""A phone as a second key: set up, asked for, lost, and what cannot get around it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from digest.admit.attempts import FOR_AN_ACCOUNT
from digest.admit.entering import make_link
from digest.admit.passwords import hash_password
from digest.admit.second_factor import HALF_WITHIN
from digest.admit.totp import code_at, step_at
from digest.domain.accounts import Role
from digest.store.accounts import get_account, set_password
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.second_factors import SecondFactorRow, accounts_with_factor
from tests.servers.processes import free_port
from tests.web.people import CHEAP, email_of
from tests.web.site import Site, serving
from tests.web.test_sign_in import at
from tests.web.world import NOW

EMAIL, PASSWORD = email_of(Role.ADMIN), "four calm words here"
HASHED = CHEAP.hash(PASSWORD)
NOW_STEP = step_at(NOW)


@pytest.fixture
def desk(open_site: Callable[..., Site], empty_database: Path) -> Site:
    """A site seen by an admin with a password and no phone."""
    site = open_site(empty_database)
    with writing(site.runtime.engine) as session:
        set_password(session, get_account(session, EMAIL).id, HASHED)
    return site


def secret_of(site: Site) -> str:
    found = re.search(r"<code>([A-Z2-7 ]{39})</code>", site.get("/account/phone").text)
    assert found
    return found[1].replace(" ", "")


def set_up(desk: Site) -> tuple[str, list[str]]:
    """Set a phone up with a code of the step before now; return its secret and the recovery codes."""
    assert desk.submit("/account/phone").headers["location"] == "/account/phone"
    secret = secret_of(desk)
    page = desk.submit("/account/phone/confirm", code=code_at(secret, NOW_STEP - 1)).text
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page)
    assert len(codes) == 10
    return secret, codes


def half_of(nobody: Site) -> str:
    answer = nobody.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers, "a password alone opens nothing"
    found = re.search(r'name="half" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def prove(nobody: Site, half: str, code: str) -> httpx2.Response:
    return nobody.post("/sign-in/code", half=half, code=code, next="/account")


def test_a_phone_is_asked_for_once_it_proved_to_have_the_secret(desk: Site) -> None:
    with desk.seen_by(None) as nobody:
        desk.submit("/account/phone")
        assert '<svg viewBox="0 0' in desk.get("/account/phone").text
        assert nobody.post("/sign-in", email=EMAIL, password=PASSWORD).status_code == 303, "not yet"
        wrong = desk.submit("/account/phone/confirm", code="000000")
        assert wrong.status_code == 422
        assert "not the code" in wrong.text
        nobody.client.cookies.clear()
        secret, _ = set_up(desk)
        assert desk.get("/account/phone").status_code == 303, "the secret is shown no more"
        answer = prove(nobody, half_of(nobody), code_at(secret, NOW_STEP))
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert "10 recovery codes are left" in nobody.get("/account").text


def test_a_code_is_good_once_and_so_are_those_before_it(desk: Site) -> None:
    secret, _ = set_up(desk)
    with desk.seen_by(None) as nobody:
        half = half_of(nobody)
        assert prove(nobody, half, code_at(secret, NOW_STEP - 1)).status_code == 401, "it set the phone up"
        assert prove(nobody, half, code_at(secret, NOW_STEP + 1)).status_code == 303
        for step in (NOW_STEP - 1, NOW_STEP, NOW_STEP + 1):
            answer = prove(nobody, half_of(nobody), code_at(secret, step))
            assert answer.status_code == 401, step
            assert "set-cookie" not in answer.headers


def test_a_recovery_code_is_good_once_however_it_is_typed(desk: Site) -> None:
    _, codes = set_up(desk)
    with desk.seen_by(None) as nobody:
        typed = codes[3].upper().replace("-", " ")
        assert prove(nobody, half_of(nobody), typed).status_code == 303
        assert prove(nobody, half_of(nobody), codes[3]).status_code == 401
        assert "9 recovery codes are left" in desk.get("/account").text
    fresh = desk.submit("/account/phone/codes", password=PASSWORD).text
    assert codes[4] not in fresh
    with desk.seen_by(None) as nobody:
        assert prove(nobody, half_of(nobody), codes[4]).status_code == 401


def test_half_a_sign_in_is_nobody_elses_and_not_for_long(desk: Site, tmp_path: Path) -> None:
    secret, _ = set_up(desk)
    code = code_at(secret, NOW_STEP)
    with desk.seen_by(None) as nobody:
        half = half_of(nobody)
        number, until, mark = half.split(".")
        for forged in (
            "",
            "..",
            half[:-1],
            half + "0",
            f"{int(number) + 1}.{until}.{mark}",
            f"{number}.{int(until) + 60}.{mark}",
            f"{number}.{until}.",
            f"٣.{until}.{mark}",
            f"{number}.{'9' * 40}.{mark}",
            "999.x.y",
        ):
            assert prove(nobody, forged, code).status_code == 401, forged
        database = Path(str(desk.runtime.engine.url.database))
        with serving(at(database, tmp_path, HALF_WITHIN), free_port(), role=None) as later:
            late = code_at(secret, step_at(NOW + HALF_WITHIN))
            assert "took too long" in prove(later, half, late).text
        with writing(desk.runtime.engine) as session:
            other = hash_password("five other words stand here")
            set_password(session, get_account(session, EMAIL).id, other)
        assert prove(nobody, half, code).status_code == 401, "the password is another"


def test_codes_are_guessed_at_a_few_times_only(desk: Site) -> None:
    secret, _ = set_up(desk)
    with desk.seen_by(None) as nobody:
        half = half_of(nobody)
        for _ in range(FOR_AN_ACCOUNT - 1):
            assert prove(nobody, half, "000000").status_code == 401
        answer = prove(nobody, half, code_at(secret, NOW_STEP))
        assert answer.status_code == 429
        assert nobody.post("/sign-in", email=EMAIL, password=PASSWORD).status_code == 429


def test_no_other_site_finishes_a_sign_in(desk: Site) -> None:
    secret, _ = set_up(desk)
    with desk.seen_by(None) as nobody:
        form = {"half": half_of(nobody), "code": code_at(secret, NOW_STEP)}
        headers = {"Origin": "https://evil.example.org"}
        assert nobody.client.post("/sign-in/code", data=form, headers=headers).status_code == 403


def test_a_link_stands_for_the_password_and_not_for_the_phone(desk: Site) -> None:
    set_up(desk)
    with writing(desk.runtime.engine) as session:
        token = make_link(session, get_account(session, EMAIL), by="x", now=NOW)
    with desk.seen_by(None) as nobody:
        answer = nobody.post(f"/enter/{token}", password="five other words stand here")
        assert answer.headers["location"] == "/sign-in"
        assert "set-cookie" not in answer.headers
        assert nobody.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/account/phone/end", "/account/phone/codes"])
def test_an_open_page_alone_takes_nothing_away(path: str, desk: Site) -> None:
    set_up(desk)
    answer = desk.submit(path, password="wrong")
    assert answer.status_code == 422
    assert "not your password" in answer.text
    for _ in range(FOR_AN_ACCOUNT):
        answer = desk.submit(path, password="wrong")
    assert answer.status_code == 409
    assert "tried too often" in answer.text
    with reading(desk.runtime.engine) as session:
        assert len(accounts_with_factor(session)) == 1


def test_its_owner_gives_the_phone_up_by_password(desk: Site) -> None:
    set_up(desk)
    assert (
        desk.submit("/account/phone/end", password=PASSWORD).headers["location"] == "/account?told=factor-off"
    )
    with desk.seen_by(None) as nobody:
        assert nobody.post("/sign-in", email=EMAIL, password=PASSWORD).status_code == 303


def test_an_admin_lets_a_password_be_enough_for_whose_phone_is_gone(desk: Site) -> None:
    with desk.seen_by(Role.EDITOR) as editor:
        set_up(editor)
        with reading(desk.runtime.engine) as session:
            number = get_account(session, email_of(Role.EDITOR)).id
        path = f"/accounts/{number}/forget-phone"
        assert path in desk.get("/accounts").text
        assert editor.submit(path).status_code == 403
        assert desk.submit(path).headers["location"] == "/accounts?told=phone"
        desk.submit(path)
        assert path not in desk.get("/accounts").text
    with reading(desk.runtime.engine) as session:
        told = [(one.by, one.what) for one in list_entries(session, limit=9, what="account")]
    assert told == [
        ("Ada Admin", "account.second_factor_removed"),
        ("Edith Ilves", "account.second_factor_added"),
    ]


def test_a_secret_that_counts_is_not_replaced_by_a_page(desk: Site) -> None:
    secret, _ = set_up(desk)
    desk.submit("/account/phone")
    with reading(desk.runtime.engine) as session:
        (row,) = session.query(SecondFactorRow)
        assert row.secret == secret
    assert desk.submit("/account/phone/confirm", code=code_at(secret, NOW_STEP)).status_code == 303
    assert timedelta(0) < HALF_WITHIN
