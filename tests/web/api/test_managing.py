"""Newsletters, topics and sources over the API, by the rules of the pages and the command."""

from __future__ import annotations

import pytest

from digest.store.audit import list_entries
from digest.store.database import reading
from tests.web.api.conftest import Api, problem

NEW = {
    "slug": "tides",
    "name": "Tides",
    "sender_email": "tides@news.example.org",
    "postal_address": "1 Quay\nHarbourtown",
}


def test_a_newsletter_is_made_changed_and_removed(api: Api) -> None:
    made = api.call("POST", "/newsletters", json={**NEW, "cadences": ["weekly", "every"], "archive": True})
    assert made.status_code == 201, made.text
    assert (made.json()["sender_name"], made.json()["cadences"]) == ("Tides", ["every", "weekly"])
    path = made.headers["location"].removeprefix("/api/v1")
    etag = api.call("GET", path).headers["etag"]
    changed = api.call("PATCH", path, json={"name": "High Tides"}, headers={"If-Match": etag})
    assert changed.json() == {**made.json(), "name": "High Tides"}
    problem(api.call("PATCH", path, json={"name": "Low"}, headers={"If-Match": etag}), 412, "changed-since")
    problem(api.call("POST", "/newsletters", json=NEW), 409, "conflict")
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")
    with reading(api.runtime.engine) as session:
        by = {entry.by for entry in list_entries(session, limit=9, what="newsletter")}
    assert by == {"tests (API)"}
    problem(api.call("DELETE", "/newsletters/saturday"), 409, "conflict")


def test_where_answers_go_is_told_set_and_taken_back(api: Api) -> None:
    path = api.call("POST", "/newsletters", json=NEW).headers["location"].removeprefix("/api/v1")
    for address in ("answers@example.org", ""):
        assert api.call("PATCH", path, json={"reply_to": address}).json()["reply_to"] == address
    response = api.call("PATCH", path, json={"reply_to": "nobody"})
    problem(response, 422, "invalid")
    assert [wrong["where"] for wrong in response.json()["errors"]] == ["body.reply_to"]


def test_each_field_that_is_wrong_is_named(api: Api) -> None:
    response = api.call("POST", "/newsletters", json={**NEW, "sender_email": "nobody", "timezone": "Mars"})
    problem(response, 422, "invalid")
    assert {wrong["where"] for wrong in response.json()["errors"]} == {"body.sender_email", "body.timezone"}


def test_a_topic_is_made_changed_and_removed(api: Api) -> None:
    where = "/newsletters/saturday/topics"
    made = api.call("POST", where, json={"slug": "rivers", "phrases": ["river", "weir"]})
    assert (made.status_code, made.json()["name"]) == (201, "Rivers")
    path = made.headers["location"].removeprefix("/api/v1")
    changed = api.call("PATCH", path, json={"query": "tide AND mill", "parent": "climate"})
    assert changed.status_code == 200, changed.text
    assert changed.json() == api.get(path)
    assert changed.json()["rule"] == {**made.json()["rule"], "query": "tide AND mill"}
    problem(api.call("POST", where, json={"slug": "nothing"}), 422, "invalid")
    problem(api.call("PATCH", path, json={"query": "tide AND ("}), 422, "invalid")
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")


def test_a_source_is_added_changed_rested_and_removed(api: Api) -> None:
    where = "/newsletters/saturday/sources"
    made = api.call("POST", where, json={"url": "https://rivers.example.org/feed.xml", "weight": 2})
    assert made.status_code == 201, made.text
    path = made.headers["location"].removeprefix("/api/v1")
    changed = api.call("PATCH", path, json={"name": "Rivers", "topics": ["climate"], "weight": 0.5}).json()
    assert (changed["name"], changed["topics"], changed["weight"]) == ("Rivers", ["climate"], 0.5)
    assert api.call("POST", f"{path}/pause").json()["state"] == "paused"
    assert api.call("POST", f"{path}/resume").json()["state"] == "active"
    problem(api.call("POST", where, json={"url": "https://rivers.example.org/feed.xml"}), 409, "conflict")
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")


@pytest.mark.parametrize("url", ["ftp://example.org/", "nonsense", "javascript:alert(1)"])
def test_an_address_that_no_source_can_have_is_refused(url: str, api: Api) -> None:
    response = api.call("POST", "/newsletters/saturday/sources", json={"url": url})
    problem(response, 422, "invalid")
