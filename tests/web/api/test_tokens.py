"""Tokens over the API: made with no right that the maker lacks, listed without secrets, ended."""

from __future__ import annotations

from typing import Any

from digest.domain.accounts import Right
from tests.web.api.conftest import Api, problem
from tests.web.world import contents


def test_a_token_says_who_it_is(api: Api) -> None:
    me = api.get("/me", secret=api.token(Right.LOOK, Right.SHAPE))
    assert (me["name"], me["rights"]) == ("tests (API)", ["look", "shape"])


def test_a_token_makes_another_that_works_until_it_is_ended(api: Api) -> None:
    made = api.call("POST", "/tokens", json={"name": "dashboard", "rights": ["look"], "days": 0})
    assert made.status_code == 201
    secret, token = made.json()["secret"], made.json()["token"]
    assert (token["expires_at"], token["made_by"], token["rights"]) == (None, "tests (API)", ["look"])
    assert api.get("/me", secret=secret)["token_id"] == token["id"]
    listed = api.get("/tokens")["items"]
    assert [one["name"] for one in listed] == ["tests", "dashboard"]
    assert secret not in str(listed)
    assert api.call("DELETE", f"/tokens/{token['id']}").status_code == 204
    problem(api.call("GET", "/me", secret=secret), 401, "no-token")
    problem(api.call("DELETE", f"/tokens/{token['id']}"), 404, "not-found")


def test_no_token_gives_on_what_it_lacks(api: Api) -> None:
    secret = api.token(Right.ADMINISTER)
    body = {"name": "more", "rights": ["administer", "approve"]}
    said = problem(api.call("POST", "/tokens", json=body, secret=secret), 403, "not-allowed")
    assert "lacks 'approve'" in said


def test_a_token_may_end_itself(api: Api) -> None:
    secret = api.token()
    me = api.get("/me", secret=secret)
    assert api.call("DELETE", f"/tokens/{me['token_id']}", secret=secret).status_code == 204
    problem(api.call("GET", "/me", secret=secret), 401, "no-token")


def test_a_secret_is_not_kept_with_the_answer(api: Api) -> None:
    def make() -> dict[str, Any]:
        body = {"name": "dashboard", "rights": ["look"]}
        response = api.call("POST", "/tokens", json=body, headers={"Idempotency-Key": "one"})
        assert response.status_code == 201
        told: dict[str, Any] = response.json()
        return told

    first, again = make(), make()
    assert again == {**first, "secret": ""}
    assert first["secret"] not in str(contents(api.runtime.engine))
