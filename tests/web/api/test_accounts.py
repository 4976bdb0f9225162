"""Accounts over the API: let in by a link, and never with a right that the token lacks."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from digest.domain.accounts import Right
from digest.store.database import reading, writing
from digest.store.letters import list_letters
from digest.store.newsletters import NewsletterRow
from tests.web.api.conftest import Api, problem
from tests.web.world import contents

NELE = {"email": "nele@example.org", "name": "Nele", "role": "editor"}


@pytest.fixture
def nele(api: Api) -> str:
    """The path of an editor's account, beside an admin's."""
    api.call("POST", "/accounts", json={"email": "ada@example.org", "role": "admin"})
    path: str = api.call("POST", "/accounts", json=NELE).headers["location"]
    return path.removeprefix("/api/v1")


def test_somebody_is_let_in_by_a_link_that_is_told_once(api: Api) -> None:
    key = {"Idempotency-Key": "nele"}
    made = api.call("POST", "/accounts", json=NELE, headers=key)
    assert (made.status_code, made.json()["account"]["role"]) == (201, "editor")
    link = made.json()["link"]
    assert api.client.get(link.removeprefix(api.runtime.settings.public_url)).status_code == 200
    assert api.call("POST", "/accounts", json=NELE, headers=key).json() == {**made.json(), "link": ""}
    assert link.rpartition("/")[2] not in str(contents(api.runtime.engine))
    problem(api.call("POST", "/accounts", json=NELE), 409, "conflict")


def test_a_link_is_mailed_where_that_is_asked_for(api: Api) -> None:
    made = api.call("POST", "/accounts", json={**NELE, "language": "de", "mail": True})
    assert (made.status_code, made.json()["is_mailed"]) == (201, True)
    path = f"/accounts/{made.json()['account']['id']}/link"
    assert api.call("POST", path, json={"mail": True}).json()["is_mailed"]
    assert not api.call("POST", path).json()["is_mailed"]
    with reading(api.runtime.engine) as session:
        assert len(list_letters(session, limit=9)) == 2
    with writing(api.runtime.engine) as session:
        session.execute(delete(NewsletterRow))
    said = problem(api.call("POST", path, json={"mail": True}), 409, "conflict")
    assert "accounts_email" in said


def test_an_account_is_changed_and_removed(api: Api, nele: str) -> None:
    assert api.call("PATCH", nele, json={"role": "ops"}).json()["role"] == "ops"
    spoken = api.call("PATCH", nele, json={"language": "de"}).json()
    assert (spoken["role"], spoken["language"]) == ("ops", "de")
    problem(api.call("PATCH", nele, json={"language": "und"}), 422, "invalid")
    assert [one["name"] for one in api.get("/accounts")["items"]] == ["ada@example.org", "Nele"]
    assert api.call("POST", f"{nele}/link").json()["account"] == api.get(nele)
    assert api.call("POST", f"{nele}/end-sessions").json() == {"ended": 0}
    assert api.call("POST", f"{nele}/forget-phone").json() == api.get(nele)
    assert api.call("DELETE", nele).status_code == 204
    problem(api.call("GET", nele), 404, "not-found")
    told = [(one["by"], one["what"]) for one in api.get("/record?what=account")["items"]]
    assert told[0] == ("tests (API)", "account.removed")
    assert ("tests (API)", "account.role_changed") in told


def test_the_last_admin_stays_one(api: Api, nele: str) -> None:
    (admin,) = [one["id"] for one in api.get("/accounts")["items"] if one["role"] == "admin"]
    problem(api.call("PATCH", f"/accounts/{admin}", json={"role": "viewer"}), 409, "conflict")
    problem(api.call("DELETE", f"/accounts/{admin}"), 409, "conflict")
    assert nele


def test_no_token_lets_somebody_in_who_may_more(api: Api, nele: str) -> None:
    secret = api.token(Right.ADMINISTER, Right.LOOK, Right.OPERATE)
    for method, path, body in (
        ("POST", "/accounts", {"email": "eve@example.org", "role": "admin"}),
        ("PATCH", nele, {"role": "editor"}),
        ("POST", f"{nele}/link", None),
    ):
        said = problem(api.call(method, path, json=body, secret=secret), 403, "not-allowed")
        assert "lacks 'approve'" in said
    new = {"email": "otto@example.org", "role": "ops"}
    assert api.call("POST", "/accounts", json=new, secret=secret).status_code == 201
