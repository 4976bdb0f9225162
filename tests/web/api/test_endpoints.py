"""Endpoints over the API: made, changed, tested, their log read and a call made again."""

from __future__ import annotations

import pytest

from digest.pipeline import control
from digest.store.announcements import claim_calls, record_call
from digest.store.database import writing
from tests.web.api.conftest import Api, problem
from tests.web.world import NOW, SENDING

HOOK = {"url": "https://hooks.example.org/digest", "kinds": ["issue.paused", "issue.sending"]}


def test_an_endpoint_is_made_and_its_secret_told_once(api: Api) -> None:
    made = api.call("POST", "/endpoints", json={**HOOK, "about": "the newsroom's chat"})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    path = made.headers["location"].removeprefix("/api/v1")
    assert api.get(path) == made.json()["endpoint"] == api.get("/endpoints")["items"][0]
    assert "secret" not in str(api.get(path))
    rotated = api.call("POST", f"{path}/rotate").json()
    assert rotated["secret"] != made.json()["secret"]
    changed = api.call("PATCH", path, json={"is_off": True, "kinds": ["issue.sent"]}).json()
    assert (changed["is_off"], changed["kinds"], changed["why_off"]) == (True, ["issue.sent"], "turned off")
    assert api.call("PATCH", path, json={"is_off": False}).json()["why_off"] == ""
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")


def test_what_happens_is_in_the_log_of_who_wants_it(api: Api) -> None:
    api.call("POST", "/endpoints", json=HOOK)
    control.pause(api.runtime, SENDING, by="Ada")
    api.call("POST", f"/issues/{SENDING}/resume")
    calls = api.get("/endpoints/1/calls?limit=1")
    assert calls["items"][0]["kind"] == "issue.sending"
    (paused,) = api.get(f"/endpoints/1/calls?cursor={calls['next_cursor']}")["items"]
    assert (paused["kind"], paused["state"], paused["tries"]) == ("issue.paused", "waiting", 0)
    again = f"/endpoints/1/calls/{paused['id']}/again"
    problem(api.call("POST", again), 409, "conflict")
    with writing(api.runtime.engine) as session:
        for call in claim_calls(session, now=NOW, limit=9, lease=NOW - NOW):
            record_call(session, call, is_taken=True, status=200, answer="ok", now=NOW)
    made = api.call("POST", again)
    assert (made.status_code, made.json()["event_id"]) == (202, paused["event_id"])
    problem(api.call("POST", "/endpoints/1/calls/999/again"), 404, "not-found")


def test_a_test_waits_for_the_worker(api: Api) -> None:
    api.call("POST", "/endpoints", json=HOOK)
    tested = api.call("POST", "/endpoints/1/test")
    assert (tested.status_code, tested.json()["kind"]) == (202, "endpoint.tested")
    assert api.get("/endpoints/1/calls")["items"] == [tested.json()]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://10.0.0.1/"},
        {"url": "https://localhost:5432/"},
        {"url": "http://hooks.example.org/"},
        {"url": "javascript:alert(1)"},
        {"kinds": []},
        {"kinds": ["issue.read"]},
        {"secret": "mine"},
    ],
    ids=str,
)
def test_an_endpoint_that_cannot_be_is_refused(wrong: dict[str, object], api: Api) -> None:
    problem(api.call("POST", "/endpoints", json={**HOOK, **wrong}), 422, "invalid")
    assert api.get("/endpoints")["items"] == []
