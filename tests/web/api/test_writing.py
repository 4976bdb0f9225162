"""What programs change: subscribers, suppressions, schedules, and the texts of a draft."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from digest.domain.accounts import Right, Role
from digest.domain.subscribers import SubscriptionState
from digest.store.accounts import add_account, change_role
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.tokens import add_token
from tests.web.api.conftest import Api, problem
from tests.web.world import ADA, BEN, DRAFT, EVE, NOW, SENDING, contents, state_of

READERS = "/newsletters/saturday/subscribers"
GUS = {"email": "Gus@Example.org", "follows": ["space", "food"], "name": "Gus Hale"}


def test_a_subscriber_is_added_with_what_they_want(api: Api) -> None:
    response = api.call("POST", READERS, json={**GUS, "max_items": 5, "timezone": "Europe/Paris"})
    assert response.status_code == 201
    told = response.json()
    assert (told["email"], told["state"], told["max_items"]) == ("Gus@example.org", "active", 5)
    assert told["follows"] == ["food", "space"]
    assert response.headers["location"] == f"/api/v1{READERS}/{told['id']}"
    assert api.get(f"{READERS}/{told['id']}") == told


def test_a_day_and_hour_and_mail_without_html_are_set_kept_and_taken_back(api: Api) -> None:
    told = api.call("POST", READERS, json={**GUS, "send_at": "Saturday 8", "text_only": True}).json()
    path = f"{READERS}/{told['id']}"
    assert (told["send_at"], told["text_only"]) == ("saturday 08:00", True)
    kept = api.call("PATCH", path, json={"name": "Gus"}).json()
    assert (kept["send_at"], kept["text_only"]) == ("saturday 08:00", True)
    back = api.call("PATCH", path, json={"send_at": "any", "text_only": False}).json()
    assert (back["send_at"], back["text_only"]) == ("", False)


def test_a_pause_may_end_by_itself_on_a_day_to_come(api: Api) -> None:
    path = f"{READERS}/2/pause"
    tomorrow, year = NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=400)
    told = api.call("POST", path, json={"until": f"{tomorrow}"}).json()
    assert (told["state"], told["paused_until"]) == ("paused", f"{tomorrow}T00:00:00Z")
    for wrong in (NOW.date(), year):
        said = problem(api.call("POST", path, json={"until": f"{wrong}"}), 422, "invalid")
        assert f"a pause cannot end on {wrong}: give a day from {tomorrow}" in said
    assert api.call("POST", path).json()["paused_until"] is None
    assert api.call("POST", f"{READERS}/2/return").json()["state"] == "active"


def test_who_is_there_is_not_added_over_and_who_left_only_when_they_asked(api: Api) -> None:
    assert "already" in problem(api.call("POST", READERS, json={"email": ADA}), 409, "conflict")
    assert "paused" in problem(api.call("POST", READERS, json={"email": EVE}), 409, "conflict")
    api.call("POST", f"{READERS}/2/unsubscribe")
    problem(api.call("POST", READERS, json={"email": BEN}), 409, "conflict")
    back = api.call("POST", READERS, json={"email": BEN, "again": True})
    assert (back.status_code, back.json()["state"]) == (201, "active")
    assert back.json()["follows"] == [], "they are asked what they follow"


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a\x00@example.org"},
        {"name": "two\nlines"},
        {"timezone": "Mars/Olympus"},
        {"language": "English, please"},
        {"cadence": "hourly"},
        {"cadence": "weekly"},
        {"max_items": 1_000},
        {"max_items": "5"},
        {"send_at": "noon"},
        {"text_only": "yes"},
        {"follows": "space"},
        {"follows": ["not a slug"]},
        {"surname": "Hale"},
    ],
    ids=str,
)
def test_what_cannot_be_stored_is_refused_and_nothing_is_done(wrong: dict[str, object], api: Api) -> None:
    before = contents(api.runtime.engine)["subscribers"]
    problem(api.call("POST", READERS, json={**GUS, **wrong}), 422, "invalid")
    assert contents(api.runtime.engine)["subscribers"] == before


SURROGATE = b'{"email": "gus@example.org", "name": "\\ud800"}'
LONG = b"{}" + b" " * 70_000


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"email": NaN}', b"\xff", SURROGATE, LONG])
def test_a_body_that_is_no_json_of_ours_is_refused(body: bytes, api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.call("POST", READERS, content=body, headers=headers)
    if len(body) > 65_536:
        problem(response, 413, "too-large")
    else:
        problem(response, 422, "invalid")


def test_a_change_leaves_what_it_does_not_name(api: Api) -> None:
    before = api.get(f"{READERS}/1")
    after = api.call("PATCH", f"{READERS}/1", json={"follows": ["space"]}).json()
    assert after == {**before, "follows": ["space"]}
    assert api.call("PATCH", f"{READERS}/1", json={"name": "Ada"}).json() == {**after, "name": "Ada"}
    assert api.call("PATCH", f"{READERS}/5", json={"name": "Eve"}).json()["state"] == "paused"


def test_subscribers_leave_pause_and_come_back(api: Api) -> None:
    engine = api.runtime.engine
    for move, state in (
        ("pause", SubscriptionState.PAUSED),
        ("return", SubscriptionState.ACTIVE),
        ("unsubscribe", SubscriptionState.UNSUBSCRIBED),
        ("unsubscribe", SubscriptionState.UNSUBSCRIBED),
    ):
        response = api.call("POST", f"{READERS}/1/{move}")
        assert (response.status_code, response.json()["state"]) == (200, state)
        assert state_of(engine, ADA) is state
    assert api.get(f"/issues/{SENDING}/progress")["states"]["cancelled"] == 1, "what waited is not sent"
    problem(api.call("POST", f"{READERS}/1/pause"), 409, "conflict")


def test_whoever_looked_before_another_change_overwrites_nothing(api: Api) -> None:
    seen = api.call("GET", f"/issues/{DRAFT}")
    etag = seen.headers["etag"]
    first = api.call("PATCH", f"/issues/{DRAFT}", json={"subject": "Peat"}, headers={"If-Match": etag})
    assert first.status_code == 200
    second = api.call("PATCH", f"/issues/{DRAFT}", json={"subject": "Moor"}, headers={"If-Match": etag})
    problem(second, 412, "changed-since")
    now = api.call("GET", f"/issues/{DRAFT}")
    assert (now.json()["subject"], now.headers["etag"]) == ("Peat", first.headers["etag"])
    for match in ("{}", '"other", {}', "*"):
        body = {"intro": f"Two lines\nunder {match}"}
        headers = {"If-Match": match.format(now.headers["etag"])}
        now = api.call("PATCH", f"/issues/{DRAFT}", json=body, headers=headers)
        assert now.status_code == 200


def test_of_two_at_the_same_moment_one_is_told(api: Api) -> None:
    etag = api.call("GET", f"{READERS}/1").headers["etag"]

    def change(name: str) -> int:
        response = api.call("PATCH", f"{READERS}/1", json={"name": name}, headers={"If-Match": etag})
        return int(response.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, ("Ada", "Adah", "Ida", "Eda"))) == [200, 412, 412, 412]


def test_only_a_draft_has_texts_to_change(api: Api) -> None:
    problem(api.call("PATCH", f"/issues/{SENDING}", json={"subject": "Peat"}), 409, "conflict")


def test_an_address_is_suppressed_and_may_be_mailed_again(api: Api) -> None:
    body = {"email": "Gus+news@example.org", "why": "asked by phone"}
    made = api.call("POST", "/suppressions", json=body)
    assert (made.status_code, made.json()["by"]) == (201, "tests (API)")
    assert api.call("POST", "/suppressions", json=body).status_code == 200
    where = made.headers["location"].removeprefix("/api/v1")
    assert api.get(where) == made.json()
    assert problem(api.call("DELETE", where), 422, "invalid")
    assert api.call("DELETE", f"{where}?why=wrote").status_code == 204
    problem(api.call("DELETE", f"{where}?why=wrote"), 404, "not-found")


def test_a_schedule_is_made_changed_rested_and_ended(api: Api) -> None:
    where = "/newsletters/saturday/schedules"
    made = api.call("POST", where, json={"cron": "0 7 * * mon"})
    assert made.status_code == 201
    path = made.headers["location"].removeprefix("/api/v1")
    assert api.get(path) == made.json()
    changed = api.call("PATCH", path, json={"cron": "0 9 * * mon", "timezone": "Europe/Paris"}).json()
    assert (changed["cron"], changed["next_due"]) == ("0 9 * * mon", "2026-11-23T08:00:00Z")
    assert len(api.get(f"{path}/dates?count=3")["items"]) == 3
    skipped = api.call("POST", f"{path}/skip").json()
    assert skipped["state"] == "skipped"
    assert api.get(f"{path}/dates")["items"][0]["skipped_by"] == skipped["id"]
    assert api.call("POST", f"/runs/{skipped['id']}/restore").status_code == 200
    assert api.call("POST", f"{path}/pause").json()["is_paused"] is True
    assert api.call("POST", f"{path}/resume").json()["is_paused"] is False
    started = api.call("POST", f"{path}/start")
    assert (started.status_code, started.json()["state"]) == (202, "running")
    problem(api.call("POST", f"{path}/start"), 409, "conflict")
    problem(api.call("POST", f"/runs/{started.json()['id']}/retry", json={}), 409, "conflict")
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")
    problem(api.call("POST", where, json={"cron": "whenever"}), 422, "invalid")


# --- who did it


def test_what_a_token_of_an_account_does_its_owner_did_and_no_more_than_they_may(api: Api) -> None:
    with writing(api.runtime.engine) as session:
        edith = add_account(
            session, "edith@example.org", name="Edith Moor", role=Role.ADMIN, by="Ada", now=NOW
        )
        add_account(session, "ben@example.org", name="Ben", role=Role.ADMIN, by="Ada", now=NOW)
        _, secret = add_token(
            session,
            name="script",
            rights=frozenset(Right),
            by="Edith Moor",
            now=NOW,
            expires_at=None,
            account_id=edith.id,
        )
    body = {"email": "gus@example.org", "why": "asked"}
    assert api.call("POST", "/suppressions", json=body, secret=secret).json()["by"] == "Edith Moor"
    with reading(api.runtime.engine) as session:
        entry = list_entries(session, limit=1)[0]
    assert (entry.by, entry.account_id, entry.about) == ("Edith Moor", edith.id, "POST /suppressions")
    with writing(api.runtime.engine) as session:
        change_role(session, edith, Role.VIEWER)
    said = problem(api.call("POST", "/suppressions", json=body, secret=secret), 403, "not-allowed")
    assert "has look" in said
    assert api.call("GET", "/suppressions", secret=secret).status_code == 200


def test_what_changed_nothing_is_not_written_down(api: Api) -> None:
    problem(api.call("POST", READERS, json={"email": ADA}), 409, "conflict")
    api.get("/issues")
    with reading(api.runtime.engine) as session:
        assert list_entries(session, limit=1, what="api") == ()
