"""Lists over the API: OPML, topics in order and rules tried, suppressions, a mail server's log."""

from __future__ import annotations

import pytest

from digest.domain.deliveries import DeliveryState
from digest.store.audit import list_entries
from digest.store.database import reading
from tests.web.api.conftest import Api, problem
from tests.web.ops.world import LOST, add_mails
from tests.web.world import SENDING

OPML = """<?xml version="1.0"?><opml version="2.0"><head/><body>
<outline text="Food"><outline text="Kitchen" xmlUrl="https://kitchen.example.org/feed.xml"/></outline>
<outline text="Odd"><outline text="Oddities" xmlUrl="https://odd.example.org/feed.xml"/></outline>
<outline text="Broken" xmlUrl="ftp://broken.example.org/"/></body></opml>"""
SOURCES, TOPICS = "/newsletters/saturday/sources", "/newsletters/saturday/topics"


def test_sources_go_out_as_a_list_and_come_in_again(api: Api) -> None:
    out = api.get(f"{SOURCES}/opml")
    assert out["count"] == len(api.get(SOURCES)["items"])
    again = api.call("POST", f"{SOURCES}/opml", json={"opml": out["opml"]}).json()
    assert (again["added"], len(again["known"])) == ([], out["count"])
    done = api.call("POST", f"{SOURCES}/opml", json={"opml": OPML, "file": "reader.opml"}).json()
    assert (sorted(done["added"]), done["loose"]) == (["Kitchen", "Oddities"], ["Odd"])
    assert "ftp://broken.example.org/" in done["problems"][0]
    kitchen = next(one for one in api.get(SOURCES)["items"] if one["name"] == "Kitchen")
    assert kitchen["topics"] == ["food"]
    said = problem(
        api.call("POST", f"{SOURCES}/opml", json={"opml": "<opml", "file": "reader.opml"}), 422, "invalid"
    )
    assert "reader.opml" in said


def test_a_long_list_is_taken_and_an_endless_one_is_not(api: Api) -> None:
    lines = "".join(f'<outline text="{n}" xmlUrl="https://{n}.example.org/f"/>' for n in range(1_500))
    long = f'<opml version="2.0"><head/><body>{lines}</body></opml>'
    assert len(long) > 64 * 1024
    assert len(api.call("POST", f"{SOURCES}/opml", json={"opml": long}).json()["added"]) == 1_500
    endless = {"opml": "x" * 1_100_000}
    problem(api.call("POST", f"{SOURCES}/opml", json=endless), 413, "too-large")


def test_a_source_that_is_not_to_be_fetched_is_not(api: Api) -> None:
    problem(api.call("POST", f"{SOURCES}/search", json={"site": "http://127.0.0.1:9/"}), 422, "invalid")
    problem(api.call("POST", "/sources/999/try"), 404, "not-found")


def test_topics_stand_in_the_order_they_are_put_in(api: Api) -> None:
    stood = [one["slug"] for one in api.get(TOPICS)["items"]]
    order = [*stood[1:], stood[0]]
    moved = api.call("PUT", TOPICS, json={"order": order, "was": stood}).json()["items"]
    assert [one["slug"] for one in moved] == order
    problem(api.call("PUT", TOPICS, json={"order": stood, "was": stood}), 409, "conflict")
    problem(api.call("PUT", TOPICS, json={"order": stood[1:]}), 409, "conflict")
    assert api.call("PUT", TOPICS, json={"order": stood}).status_code == 200


def test_a_rule_is_tried_before_it_is_saved(api: Api) -> None:
    before = api.get(TOPICS)
    tried = api.call(
        "POST",
        f"{TOPICS}/try",
        json={"topic": "shade", "phrases": ["shade"], "days": 30, "text": "Shade\nin the streets"},
    ).json()
    assert tried["looked_at"] > len(tried["matched"]) > 0
    assert tried["gained"] == tried["matched"]
    assert tried["text"]["is_matched"] is True
    assert api.get(TOPICS) == before
    problem(
        api.call("POST", f"{TOPICS}/try", json={"topic": "shade", "query": "(((", "days": 30}), 422, "invalid"
    )


def test_suppressions_come_in_as_a_list_or_not_at_all(api: Api) -> None:
    text = "email,reason\nzoe@example.org,complaint\nyan@example.org,\n"
    done = api.call("POST", "/suppressions/import", json={"csv": text}).json()
    assert (done["added"], done["known"]) == (2, 0)
    again = api.call("POST", "/suppressions/import", json={"csv": "zoe@example.org\nxi@example.org"}).json()
    assert (again["added"], again["known"]) == (1, 1)
    wrong = problem(
        api.call("POST", "/suppressions/import", json={"csv": "una@example.org\nnobody"}), 422, "invalid"
    )
    assert "line 3" in wrong
    problem(api.call("GET", "/suppressions/una@example.org"), 404, "not-found")
    with reading(api.runtime.engine) as session:
        told = [one.what for one in list_entries(session, limit=9, what="suppression")]
    assert told == ["suppression.imported", "suppression.imported"]


def test_mails_of_unknown_outcome_are_settled_by_a_list_of_those_that_arrived(api: Api) -> None:
    add_mails(api.runtime.engine, DeliveryState.UNKNOWN, 2, said=LOST)
    unknown = api.get(f"/issues/{SENDING}/unknown")["items"]
    arrived = {"log": unknown[0]["message_id"], "issue": SENDING}
    tried = api.call("POST", "/deliveries/reconcile", json={**arrived, "is_trial": True}).json()
    assert tried["issues"] == [{"issue": SENDING, "accepted": 1, "again": 0, "unknown": 1}]
    assert len(api.get(f"/issues/{SENDING}/unknown")["items"]) == 2
    assert api.call("POST", "/deliveries/reconcile", json=arrived).json()["issues"] == tried["issues"]
    assert [one["id"] for one in api.get(f"/issues/{SENDING}/unknown")["items"]] == [unknown[1]["id"]]


@pytest.mark.parametrize("body", [{"log": "nothing of a mail server"}, {"log": "<1@x>", "timezone": "Mars"}])
def test_what_is_no_log_settles_nothing(body: dict[str, str], api: Api) -> None:
    said = problem(api.call("POST", "/deliveries/reconcile", json=body), 422, "invalid")
    assert "/tmp" not in said


def test_the_next_dates_of_a_rule_are_told_before_there_is_a_schedule(api: Api) -> None:
    path = "/newsletters/saturday/schedules/dates"
    told = api.get(f"{path}?cron=0+7+*+*+mon&timezone=Europe/Paris&count=2")
    assert (told["words"], told["timezone"]) == ("Every Monday at 07:00", "Europe/Paris")
    assert told["due_at"] == ["2026-11-30T06:00:00Z", "2026-12-07T06:00:00Z"]
    problem(api.call("GET", f"{path}?cron=whenever"), 422, "invalid")


def test_the_record_is_read_a_page_at_a_time(api: Api) -> None:
    for most in (17, 18):
        api.call("PATCH", "/newsletters/saturday", json={"max_items": most})
    first = api.get("/record?what=newsletter.changed&limit=1")
    assert (first["items"][0]["by"], "18" in first["items"][0]["detail"]) == ("tests (API)", True)
    (second,) = api.get(f"/record?what=newsletter.changed&cursor={first['next_cursor']}")["items"]
    assert "17" in second["detail"]
