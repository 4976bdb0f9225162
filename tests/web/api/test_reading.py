"""What the API tells of newsletters, issues, articles, subscribers and all they are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from digest.domain.clicks import Clicks
from digest.domain.issues import IssueState
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import OccurrenceState
from digest.domain.sign_ups import SignUpOutcome
from digest.store.clicks import Hit, count_clicks
from digest.store.database import writing
from digest.store.measures import IssueMeasureRow, note_measured
from digest.store.newsletters import change_newsletter
from digest.store.schedules import add_occurrence, add_schedule
from digest.store.sign_ups import tally_sign_ups
from tests.web.api.conftest import Api, problem
from tests.web.world import ADA, CLEO, DRAFT, FAY, FOLLOWS, NOW, SENDING


def every(api: Api, path: str, *, limit: int) -> list[Any]:
    """All of a list, a page at a time."""
    asked = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    page = api.get(asked)
    found: list[Any] = page["items"]
    while page["next_cursor"]:
        assert len(page["items"]) == limit
        page = api.get(f"{asked}&cursor={page['next_cursor']}")
        found += page["items"]
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/issues",
        "/issues?newsletter=saturday",
        "/newsletters/saturday/articles",
        "/newsletters/saturday/subscribers",
        "/suppressions",
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_list_read_a_page_at_a_time_is_the_whole_list(path: str, limit: int, still_api: Api) -> None:
    whole = still_api.get(path, params={"limit": 200} if "?" not in path else None)
    assert whole["next_cursor"] is None
    assert whole["items"]
    assert every(still_api, path, limit=limit) == whole["items"]


def test_a_cursor_of_another_list_is_refused(still_api: Api) -> None:
    other = still_api.get("/newsletters/saturday/subscribers?limit=1")["next_cursor"]
    for cursor in (other, "nonsense", "!", "W10", "bnVsbA", "e30"):
        said = problem(still_api.call("GET", f"/issues?cursor={cursor}"), 422, "invalid")
        assert "next_cursor" in said


def test_what_was_followed_is_told_of_nobody_in_particular(api: Api) -> None:
    assert api.get(f"/issues/{SENDING}/clicks") == {
        "are_counted": False,
        "followed": 0,
        "left_out": 0,
        "articles": [],
        "topics": [],
        "sources": [],
        "places": [],
    }
    hits = [Hit("", SENDING, NOW, 0, "climate", "Meridian", 3)] * 2
    with writing(api.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), clicks=Clicks.COUNTED)
        count_clicks(session, hits, hits)
    told = api.get(f"/issues/{SENDING}/clicks")
    assert (told["are_counted"], told["followed"], told["left_out"]) == (True, 2, 2)
    assert (told["articles"][0]["position"], told["articles"][0]["followed"]) == (0, 2)
    assert told["topics"] == [{"name": "climate", "followed": 2}]
    assert told["places"] == [{"name": "3", "followed": 2}]
    problem(api.call("GET", "/issues/99/clicks"), 404, "not-found")


def test_what_was_opened_is_told_of_readers_who_agreed(api: Api) -> None:
    nothing = {"is_asked": False, "measured": 0, "opened": None, "followed": None, "left_out": 0}
    nothing |= {"issue_id": SENDING, "has_links": False}
    assert api.get(f"/issues/{SENDING}/opens") == nothing
    with writing(api.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), measuring=Measuring.ASKED)
        note_measured(session, SENDING, html=40, text=10, has_links=True)
        session.execute(update(IssueMeasureRow).values(opened=10, followed=5, left_out=2))
    assert api.get(f"/issues/{SENDING}/opens") == {
        "issue_id": SENDING,
        "is_asked": True,
        "measured": 50,
        "opened": {"did": 10, "of": 40, "percent": 25},
        "followed": {"did": 5, "of": 50, "percent": 10},
        "left_out": 2,
        "has_links": True,
    }
    problem(api.call("GET", "/issues/99/opens"), 404, "not-found")


def test_what_became_of_sign_ups_is_told_by_day_and_nobody_is_named(api: Api) -> None:
    page = "/newsletters/saturday/sign-ups"
    nothing = api.get(page)
    assert (nothing["is_open"], nothing["waiting"], nothing["days"]) == (True, 0, [])
    assert (nothing["mailed"], nothing["until"], nothing["next_look"]) == (0, None, None)
    counts = {SignUpOutcome.ASKED: 3, SignUpOutcome.TRAPPED: 1}
    with writing(api.runtime.engine) as session:
        for outcome, count in counts.items():
            tally_sign_ups(session, {(NewsletterId(1), outcome): count}, now=NOW)
            tally_sign_ups(session, {(NewsletterId(1), outcome): 9}, now=NOW - timedelta(days=7))
    (day,) = api.get(page)["days"]
    assert day == {
        "day": "2026-11-23",
        "outcomes": [
            {"outcome": "asked", "in_words": "mailed a link to confirm it", "sign_ups": 3},
            {
                "outcome": "trapped",
                "in_words": "sent by a program that fills in every field",
                "sign_ups": 1,
            },
        ],
    }
    problem(api.call("GET", "/newsletters/none/sign-ups"), 404, "not-found")


def test_newsletters_topics_and_sources_are_told(still_api: Api) -> None:
    (newsletter,) = still_api.get("/newsletters")["items"]
    assert newsletter == still_api.get("/newsletters/saturday")
    assert (newsletter["slug"], newsletter["approval"]) == ("saturday", "manual")
    topics = still_api.get("/newsletters/saturday/topics")["items"]
    assert [topic["slug"] for topic in topics] == ["climate", "space", "cities", "food", "oceans"]
    assert still_api.get("/newsletters/saturday/topics/space") == topics[1]
    sources = still_api.get("/newsletters/saturday/sources")["items"]
    assert still_api.get(f"/sources/{sources[0]['id']}") == sources[0]


def test_issues_are_told_with_what_they_hold(still_api: Api) -> None:
    newest, first = still_api.get("/issues")["items"]
    assert (newest["id"], newest["state"]) == (DRAFT, IssueState.DRAFT)
    assert (first["first_day"], first["last_day"]) == ("2026-11-16", "2026-11-22")
    assert first["sending_at"] == "2026-11-23T07:00:00Z"
    assert still_api.get(f"/issues/{SENDING}") == first
    assert [one["id"] for one in still_api.get("/issues?state=draft&state=sent")["items"]] == [DRAFT]
    frozen = still_api.get(f"/issues/{SENDING}/items")["items"]
    assert [item["position"] for item in frozen] == list(range(1, len(frozen) + 1))
    draft = still_api.get(f"/issues/{DRAFT}/items")["items"]
    assert all(item["url"].startswith("https://") and item["takeaways"] for item in draft)


def test_how_a_sending_stands_and_why_a_reader_gets_what_are_told(still_api: Api) -> None:
    progress = still_api.get(f"/issues/{SENDING}/progress")
    assert (progress["total"], progress["states"]["pending"], progress["waits"]) == (2, 2, "nobody_sends")
    why = still_api.get(f"/issues/{SENDING}/why", params={"email": ADA})
    assert why["delivery"] == "pending"
    assert {item["is_shown"] for item in why["items"]} == {True, False}
    assert still_api.get(f"/issues/{SENDING}/why", params={"email": CLEO})["delivery"] is None


def test_an_article_is_told_with_text_takeaways_and_where_they_come_from(still_api: Api) -> None:
    listed = still_api.get("/newsletters/saturday/articles")["items"]
    assert [one["id"] for one in listed] == sorted((one["id"] for one in listed), reverse=True)
    article = still_api.get(f"/articles/{listed[0]['id']}")
    assert listed[0].items() <= article.items()
    assert article["blocks"][0]["text"]
    assert {takeaway["origin"] for takeaway in article["takeaways"]} == {"publisher"}


def test_subscribers_are_found_by_address_in_any_spelling(still_api: Api) -> None:
    found = still_api.get("/newsletters/saturday/subscribers", params={"email": ADA.upper()})["items"]
    assert [one["email"] for one in found] == [ADA]
    assert found[0]["follows"] == sorted(FOLLOWS[ADA])
    assert still_api.get(f"/newsletters/saturday/subscribers/{found[0]['id']}") == found[0]


def test_suppressions_are_told_by_address_and_reason(still_api: Api) -> None:
    assert [one["email"] for one in still_api.get("/suppressions?reason=complaint")["items"]] == [FAY]
    assert still_api.get("/suppressions?reason=hard_bounce")["items"] == []
    assert still_api.get(f"/suppressions/{FAY}")["reason"] == "complaint"


def test_schedules_and_their_runs_are_told(api: Api) -> None:
    with writing(api.runtime.engine) as session:
        schedule = add_schedule(
            session,
            NewsletterId(1),
            cron="0 7 * * mon",
            timezone="Europe/Paris",
            window_days=7,
            next_due=NOW,
            now=NOW,
        )
        for week in range(3):
            due = NOW - timedelta(weeks=week)
            state = OccurrenceState.HELD if week else OccurrenceState.RUNNING
            add_occurrence(
                session, schedule.id, due_at=due, local_date=due.date(), state=state, note="", now=NOW
            )
    (told,) = api.get("/newsletters/saturday/schedules")["items"]
    assert (told["cron"], told["next_due"]) == ("0 7 * * mon", "2026-11-23T07:00:00Z")
    runs = every(api, "/runs?newsletter=saturday", limit=1)
    assert [run["state"] for run in runs] == ["held", "held", "running"]
    assert [run["id"] for run in api.get("/runs?state=running")["items"]] == [runs[-1]["id"]]
    assert api.get(f"/runs/{runs[0]['id']}") == runs[0]


@pytest.mark.parametrize(
    "path",
    [
        "/newsletters/monday",
        "/newsletters/monday/topics",
        "/newsletters/saturday/topics/nothing",
        "/newsletters/saturday/subscribers/999",
        "/newsletters/saturday/subscribers?email=nobody@example.org",
        "/sources/999",
        "/issues/999",
        "/issues/999/items",
        "/issues/999/progress",
        "/issues/1/why?email=nobody@example.org",
        "/articles/999",
        "/runs/999",
        "/suppressions/ada@example.org",
        "/issues/0",
        "/issues/one",
        "/issues/99999999999999999999",
        "/newsletters/Not%20A%20Name",
        "/nowhere",
        "/",
    ],
)
def test_what_is_not_there_is_a_problem_in_words(path: str, still_api: Api) -> None:
    problem(still_api.call("GET", path), 404, "not-found")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "state=gone", "newsletter=A%00"])
def test_a_query_that_cannot_be_is_told_part_by_part(query: str, still_api: Api) -> None:
    response = still_api.call("GET", f"/issues?{query}")
    problem(response, 422, "invalid")
    (wrong,) = response.json()["errors"]
    assert wrong["where"].startswith(f"query.{query.partition('=')[0]}")


def test_a_method_that_leads_nowhere_is_told_those_that_do(still_api: Api) -> None:
    response = still_api.call("DELETE", "/issues")
    problem(response, 405, "no-such-method")
    assert response.headers["allow"] == "GET"


@pytest.mark.usefixtures("plain_logs")
def test_a_fault_of_ours_is_a_problem_with_a_reference_and_nothing_of_the_inside(
    still_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("digest.web.api.issues.progress_of", fails)
    response = still_api.call("GET", "/issues/1/progress")
    assert "logged as" in problem(response, 500, "broken")
    assert "the inside" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
