"""What programs do to issues, from a wish for an article to a cancelled send and its days made again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.compose.edits import Change
from digest.domain.accounts import Right
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.topics import TopicSlug
from digest.pipeline import outlook
from digest.pipeline.dry_runs import do_dry_runs
from digest.pipeline.shaping import shape_issue
from digest.store.database import writing
from digest.store.deliveries import DeliveryRow
from digest.store.edits import About, Field
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import subscribe
from tests.servers.smtp_sink import SmtpSink
from tests.web.api.conftest import Api, open_api, problem
from tests.web.world import ADA, BEN, CLEO, DRAFT, NOW, SENDING


@pytest.fixture
def mailing(filled_database: Path, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Api]:
    """The API of the sample newsletter with a mail server."""
    api = open_api(Path(shutil.copy(filled_database, tmp_path)), mail_url=smtp_sink.url)
    yield api
    api.runtime.engine.dispose()


def does(api: Api, path: str, **body: object) -> dict[str, object]:
    response = api.call("POST", path, json=body) if body else api.call("POST", path)
    assert response.status_code < 300, response.text
    told: dict[str, object] = response.json()
    return told


def test_an_article_is_dropped_from_a_draft_and_taken_back(api: Api) -> None:
    titles = [item["title"] for item in api.get(f"/issues/{DRAFT}/items")["items"]]
    article = next(
        one for one in api.get("/newsletters/saturday/articles")["items"] if one["title"] == titles[0]
    )
    path = f"/issues/{DRAFT}/articles/{article['id']}"
    assert api.call("PATCH", path, json={"wish": "drop"}).status_code == 200
    assert titles[0] not in [item["title"] for item in api.get(f"/issues/{DRAFT}/items")["items"]]
    assert api.call("PATCH", path, json={"wish": ""}).status_code == 200
    assert [item["title"] for item in api.get(f"/issues/{DRAFT}/items")["items"]] == titles
    problem(api.call("PATCH", path, json={"wish": "love"}), 422, "invalid")
    problem(api.call("PATCH", f"/issues/{DRAFT}/articles/1", json={"wish": "pin"}), 422, "invalid")


def test_an_article_is_headed_moved_and_placed_and_that_is_undone(api: Api) -> None:
    before = api.get(f"/issues/{DRAFT}/items")["items"]
    articles = {one["title"]: one["id"] for one in api.get("/newsletters/saturday/articles")["items"][:3]}
    first, last = (articles[before[at]["title"]] for at in (0, -1))
    path = f"/issues/{DRAFT}/articles/{last}"
    changed = api.call("PATCH", path, json={"headline": "Ours  now", "before": first})
    assert changed.status_code == 200
    assert api.get(f"/issues/{DRAFT}/items")["items"][0]["title"] == "Ours now"
    problem(api.call("PATCH", path, json={"topic": "nothing"}), 404, "not-found")
    does(api, f"/issues/{DRAFT}/undo")
    assert api.get(f"/issues/{DRAFT}/items")["items"] == before
    problem(api.call("POST", f"/issues/{DRAFT}/undo"), 409, "conflict")


def test_a_mail_is_previewed_as_its_reader_gets_it(api: Api) -> None:
    mine = api.get(f"/issues/{SENDING}/preview", params={"email": ADA})
    assert "<html" in mine["html"]
    assert ADA in mine["text"]
    space = api.get(f"/issues/{DRAFT}/preview?topic=space")
    assert space["html"] != api.get(f"/issues/{DRAFT}/preview")["html"]
    problem(api.call("GET", f"/issues/{SENDING}/preview?email={CLEO}"), 409, "conflict")
    problem(api.call("GET", f"/issues/{SENDING}/preview?topic=nothing"), 404, "not-found")


def test_a_draft_is_checked_asked_for_approved_and_taken_back(api: Api) -> None:
    checks = api.get(f"/issues/{DRAFT}/checks")
    assert checks["looked_at"] is None
    assert checks["is_current"]
    assert {finding["severity"] for finding in checks["findings"]} <= {"error", "warning", "note"}
    does(api, f"/issues/{DRAFT}/ask", why="ready")
    approved = does(api, f"/issues/{DRAFT}/approve", despite_errors=True)
    assert (approved["state"], approved["approved_by"]) == ("approved", "tests (API)")
    problem(api.call("POST", f"/issues/{DRAFT}/approve"), 409, "conflict")
    problem(api.call("PATCH", f"/issues/{DRAFT}", json={"subject": "Peat"}), 409, "conflict")
    assert does(api, f"/issues/{DRAFT}/take-back")["state"] == "draft"


def test_an_issue_approved_before_its_hour_says_when_it_leaves_and_is_sent_before(api: Api) -> None:
    problem(api.call("POST", f"/issues/{DRAFT}/send"), 409, "conflict")
    schedule = does(api, "/newsletters/saturday/schedules", cron="0 7 * * MON", timezone="UTC")
    told = does(api, f"/issues/{DRAFT}/approve", despite_errors=True)
    assert (told["awaits_hour"], told["leaves_at"]) == (True, schedule["next_due"])
    assert {one["id"]: one["leaves_at"] for one in api.get("/issues")["items"]} == {
        DRAFT: schedule["next_due"],
        SENDING: None,
    }
    does(api, f"/schedules/{schedule['id']}/pause")
    resting = api.get(f"/issues/{DRAFT}")
    assert (resting["awaits_hour"], resting["leaves_at"]) == (True, None)
    sent = does(api, f"/issues/{DRAFT}/send")
    assert (sent["awaits_hour"], sent["state"]) == (False, "approved")
    problem(api.call("POST", f"/issues/{DRAFT}/send"), 409, "conflict")


def test_checks_are_those_that_were_worked_out_for_many_readers(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "FEW_READERS", 0)
    path = f"/issues/{DRAFT}/checks"
    first = api.get(path)
    monkeypatch.setattr(outlook, "check_pieces", None)
    assert api.get(path) == first, "worked out where nobody had, and stored"
    change = [Change(About(Field.INTRO), "Good morning.")]
    shape_issue(api.runtime, DRAFT, change, by="Ada")
    later = api.get(path)
    assert (later["is_current"], later["findings"]) == (False, first["findings"])


def test_what_a_run_would_come_to_is_asked_for_and_told(api: Api) -> None:
    schedule = does(api, "/newsletters/saturday/schedules", cron="0 7 * * MON", timezone="UTC")
    asked = does(api, f"/schedules/{schedule['id']}/dry-run")
    assert (asked["newsletter"], asked["ended_at"], asked["found"]) == ("saturday", None, None)
    problem(api.call("POST", f"/schedules/{schedule['id']}/dry-run"), 409, "conflict")
    do_dry_runs(api.runtime)
    told = api.get(f"/dry-runs/{asked['id']}")
    assert told["problem"] == ""
    assert "issue 1 of these days is sending already" in told["found"]["note"]
    problem(api.call("GET", "/dry-runs/99"), 404, "not-found")


def test_a_send_is_paused_resumed_cancelled_and_its_days_are_made_again(api: Api) -> None:
    path = f"/issues/{SENDING}"
    paused = does(api, f"{path}/pause", why="wrong date")
    assert (paused["state"], paused["note"]) == ("paused", "paused by tests (API): wrong date")
    problem(api.call("POST", f"{path}/pause"), 409, "conflict")
    assert does(api, f"{path}/resume")["state"] == IssueState.SENDING
    problem(api.call("POST", f"{path}/again"), 409, "conflict")
    done = does(api, f"{path}/cancel")
    assert (done["cancelled"], done["reached"]) == (2, 0)
    again = api.call("POST", f"{path}/again")
    assert (again.status_code, again.json()["state"]) == (201, "draft")
    assert again.headers["location"] == f"/api/v1/issues/{again.json()['id']}"
    assert api.get(f"/issues/{again.json()['id']}/items")["items"]


def test_what_failed_is_sent_once_more_and_what_is_unknown_is_listed(api: Api) -> None:
    path = f"/issues/{SENDING}"
    with writing(api.runtime.engine) as session:
        session.execute(
            update(DeliveryRow).where(DeliveryRow.email == ADA).values(state=DeliveryState.UNKNOWN.value)
        )
    (unknown,) = api.get(f"{path}/unknown")["items"]
    assert unknown["email"] == ADA
    assert does(api, f"{path}/resend", states=["failed"]) == {"resent": 0}
    assert does(api, f"{path}/arrived", emails=["grace@example.org"]) == {"accepted": 0}
    assert does(api, f"{path}/resend", states=["unknown"], emails=[ADA]) == {"resent": 1}
    assert does(api, f"{path}/arrived", emails=[ADA]) == {"accepted": 0}
    problem(api.call("POST", f"{path}/arrived", json={"emails": []}), 422, "invalid")
    assert api.get(f"{path}/unknown")["items"] == []
    problem(api.call("POST", f"{path}/resend", json={"states": []}), 422, "invalid")
    problem(api.call("POST", f"{path}/resend", json={"states": ["sent"]}), 422, "invalid")
    problem(api.call("POST", f"/issues/{DRAFT}/resend", json={"states": ["failed"]}), 409, "conflict")


def test_everything_is_held_and_let_go(api: Api) -> None:
    assert api.get("/holds")["items"] == []
    made = api.call("POST", "/holds", json={"why": "the server moves"})
    assert (made.status_code, made.json()["by"]) == (201, "tests (API)")
    assert api.get("/holds")["items"] == [made.json()]
    problem(api.call("POST", "/holds"), 409, "conflict")
    assert api.call("DELETE", "/holds").json()["items"] == [made.json()]
    problem(api.call("DELETE", "/holds"), 404, "not-found")
    assert api.call("POST", "/holds").json()["why"] == ""


def test_more_tests_than_enough_are_told_when_to_come_again(api: Api) -> None:
    for _ in range(11):
        response = api.call("POST", f"/issues/{DRAFT}/test", json={"to": ["editor@example.org"]})
    problem(response, 429, "too-many")
    assert response.headers["retry-after"] == str(15 * 60)


def test_a_test_goes_to_the_active_readers_of_a_segment(mailing: Api, smtp_sink: SmtpSink) -> None:
    api, path = mailing, f"/issues/{DRAFT}/test"
    for slug, query in (("space", "topic:space"), ("finns", "language:fi"), ("all", "topic:food")):
        does(api, "/newsletters/saturday/segments", slug=slug, query=query)
    told = api.call("POST", path, json={"segment": "space"}).json()["items"]
    assert [(one["email"], one["is_accepted"]) for one in told] == [(BEN, True)], "Eve is paused"
    assert smtp_sink.copies() == {BEN: 1}
    refused = problem(api.call("POST", path, json={"segment": "finns"}), 422, "invalid")
    assert "the segment 'finns' fits no active reader" in refused
    problem(api.call("POST", path, json={"segment": "gone"}), 404, "not-found")
    for neither_or_both in ({}, {"to": [ADA], "segment": "space"}):
        refused = problem(api.call("POST", path, json=neither_or_both), 422, "invalid")
        assert "to addresses, or to a segment" in refused
    with writing(api.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        for number in range(11):
            subscribe(
                session, newsletter.id, email=f"r{number}@example.org", follows=[TopicSlug("food")], now=NOW
            )
    refused = problem(api.call("POST", path, json={"segment": "all"}), 422, "invalid")
    assert "more than 10 active readers" in refused
    looks = api.token(Right.LOOK)
    problem(api.call("POST", path, json={"segment": "space"}, secret=looks), 403, "not-allowed")
    assert smtp_sink.count() == 1


def test_a_test_that_no_server_takes_is_a_problem(api: Api) -> None:
    response = api.call("POST", f"/issues/{DRAFT}/test", json={"to": ["editor@example.org"]})
    problem(response, 503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1
    problem(api.call("POST", f"/issues/{DRAFT}/test", json={"to": ["nobody"]}), 422, "invalid")


def test_what_was_looked_at_is_approved_and_nothing_else(api: Api) -> None:
    seen = api.get(f"/issues/{DRAFT}/preview")["content_hash"]
    api.call("PATCH", f"/issues/{DRAFT}", json={"subject": "Another"})
    approval = {"despite_errors": True, "seen": seen}
    problem(api.call("POST", f"/issues/{DRAFT}/approve", json=approval), 412, "changed-since")
    now = api.get(f"/issues/{DRAFT}/preview")["content_hash"]
    approved = does(api, f"/issues/{DRAFT}/approve", despite_errors=True, seen=now)
    assert (approved["state"], approved["content_hash"]) == ("approved", now)
    problem(api.call("POST", f"/issues/{DRAFT}/approve", json={"seen": "all of it"}), 422, "invalid")
