"""What readers may ask for, over the API: for admins alone."""

from __future__ import annotations

from digest.domain.accounts import Right
from digest.store.audit import list_entries
from digest.store.database import reading
from tests.stores_searched import columns_that_hold
from tests.web.api.conftest import Api, problem
from tests.web.world import ADA

OTHERS = [right for right in Right if right is not Right.ADMINISTER]


def test_somebody_is_told_all_and_erased(api: Api) -> None:
    told = api.call("POST", "/readers/data", json={"email": ADA})
    assert told.status_code == 200, told.text
    assert told.json()["address"] == ADA
    assert told.json()["subscriptions"][0]["newsletter"] == "saturday"
    erased = api.call("POST", "/readers/erase", json={"email": ADA})
    assert erased.status_code == 200, erased.text
    assert erased.json()["newsletters"] == 1
    assert columns_that_hold(api.runtime.engine, ADA) == []
    assert "erased before" in problem(
        api.call("POST", "/readers/erase", json={"email": ADA}), 404, "not-found"
    )
    refused = problem(
        api.call("POST", "/newsletters/saturday/subscribers", json={"email": ADA}), 409, "conflict"
    )
    assert "was erased" in refused
    with reading(api.runtime.engine) as session:
        assert "reader.erased" in {entry.what for entry in list_entries(session, limit=9)}


def test_an_answer_that_was_kept_for_its_key_goes_with_them(api: Api) -> None:
    headers = {"Idempotency-Key": "1"}
    api.call("POST", "/readers/data", json={"email": ADA}, headers=headers)
    assert "kept_answers.body" in columns_that_hold(api.runtime.engine, ADA)
    api.call("POST", "/readers/erase", json={"email": ADA})
    assert columns_that_hold(api.runtime.engine, ADA) == []


def test_only_admins_may(api: Api) -> None:
    secret = api.token(*OTHERS)
    for path in ("/readers/data", "/readers/erase"):
        problem(api.call("POST", path, json={"email": ADA}, secret=secret), 403, "not-allowed")
    assert "subscribers.email" in columns_that_hold(api.runtime.engine, ADA)


def test_what_is_no_address_or_nobodys_is_told(api: Api) -> None:
    for path in ("/readers/data", "/readers/erase"):
        problem(api.call("POST", path, json={"email": "nobody"}), 422, "invalid")
        problem(api.call("POST", path, json={}), 422, "invalid")
        said = problem(api.call("POST", path, json={"email": "nobody@example.org"}), 404, "not-found")
        assert "nothing is stored" in said
