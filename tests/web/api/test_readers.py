"""What readers may ask for, over the API: for admins alone."""

from __future__ import annotations

from datetime import timedelta

from digest.domain.accounts import Right
from digest.intake.sign_ups.caps import mailbox_of
from digest.pipeline.sign_ups import ask_never_again
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.erasure_orders import add_order
from digest.store.never_asked import mark_of
from tests.stores_searched import columns_that_hold
from tests.web.api.conftest import Api, problem
from tests.web.world import ADA, NOW

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


def test_one_that_goes_on_is_told_as_that(api: Api) -> None:
    with writing(api.runtime.engine) as session:
        add_order(session, ADA, by="Cy", now=NOW, lease_until=NOW + timedelta(minutes=5))
    begun = api.call("POST", "/readers/erase", json={"email": ADA})
    assert (begun.status_code, begun.json()["goes_on"], begun.json()["newsletters"]) == (202, True, 0)


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


def test_an_address_whose_mailbox_said_never_to_ask_it_is_given_to_nobody(api: Api) -> None:
    new = "ada@new.example.org"
    (ada,) = api.get("/newsletters/saturday/subscribers", params={"email": ADA})["items"]
    path = f"/newsletters/saturday/subscribers/{ada['id']}/address"
    mark = mark_of(api.runtime.erasure_keys, mailbox_of(new))
    ask_never_again(api.runtime, mark, never=True)
    refused = problem(api.call("POST", path, json={"email": new}), 409, "conflict")
    assert "said 'never ask me again', so nothing was changed" in refused
    ask_never_again(api.runtime, mark, never=False)
    assert api.call("POST", path, json={"email": new}).json()["email"] == new, "they took it back"
