"""What programs do to drafts: takeaways and their versions, the history with undo and redo, preview links."""

from __future__ import annotations

import pytest

from digest.domain.accounts import Right
from tests.web.api.conftest import Api, problem
from tests.web.world import ADA, DRAFT

OWN = ["The quay gets a tide mill.", "It opens in May."]


@pytest.fixture
def article(api: Api) -> int:
    """The first article of the draft."""
    title = api.get(f"/issues/{DRAFT}/items")["items"][0]["title"]
    # The newest of that title: the issue that is going out has one like it.
    articles = api.get("/newsletters/saturday/articles")["items"]
    number: int = next(one["id"] for one in articles if one["title"] == title)
    return number


def texts(api: Api, article: int) -> list[str]:
    return [one["text"] for one in api.get(f"/articles/{article}")["takeaways"]]


def test_takeaways_are_edited_and_an_earlier_version_comes_back(api: Api, article: int) -> None:
    path = f"/articles/{article}/takeaways"
    first = texts(api, article)
    edited = api.call("PUT", path, json={"takeaways": OWN, "from_version": 1}).json()
    assert (edited["current"], edited["editors"], texts(api, article)) == (2, 2, OWN)
    assert edited["versions"][0]["made_by"] == "tests (API)"
    assert edited["versions"][0]["takeaways"][0]["origin"] == "editor"
    problem(api.call("PUT", path, json={"takeaways": ["Other."], "from_version": 1}), 409, "conflict")
    assert api.call("POST", f"{path}/restore", json={"version": 1}).json()["current"] == 3
    assert texts(api, article) == first
    released = api.call("POST", f"{path}/release").json()
    assert (released["current"], released["editors"]) == (1, None)
    problem(api.call("POST", f"{path}/restore", json={"version": 9}), 404, "not-found")


@pytest.mark.parametrize("takeaways", [[], [" "], ["Twice.", "Twice."], ["x"] * 11, ["a\nb"], ["x" * 1_001]])
def test_takeaways_that_are_none_are_refused(takeaways: list[str], api: Api, article: int) -> None:
    before = api.get(f"/articles/{article}/takeaways")
    problem(api.call("PUT", f"/articles/{article}/takeaways", json={"takeaways": takeaways}), 422, "invalid")
    assert api.get(f"/articles/{article}/takeaways") == before


def test_what_is_changed_in_a_draft_is_told_undone_and_made_again(api: Api, article: int) -> None:
    api.call("PATCH", f"/issues/{DRAFT}", json={"subject": "Tides"})
    path = f"/issues/{DRAFT}/articles/{article}/takeaways"
    first = texts(api, article)
    assert api.call("PUT", path, json={"takeaways": OWN, "from_version": 1}).status_code == 200
    latest, earlier = api.get(f"/issues/{DRAFT}/history")["items"]
    assert (latest["by"], latest["edits"][0]["field"]) == ("tests (API)", "takeaways")
    assert latest["edits"][0]["after"] == "\n".join(OWN)
    assert (earlier["what"], earlier["edits"][0]["before"]) == ("changed the subject", "")
    undone = api.call("POST", f"/issues/{DRAFT}/undo", json={"number": earlier["number"]})
    assert undone.json()["subject"] == ""
    assert api.call("POST", f"/issues/{DRAFT}/redo").json()["subject"] == "Tides"
    assert api.call("POST", f"/issues/{DRAFT}/undo").json()["subject"] == ""
    assert api.call("POST", f"/issues/{DRAFT}/undo").status_code == 200
    assert texts(api, article) == first
    problem(api.call("POST", f"/issues/{DRAFT}/undo"), 409, "conflict")
    problem(api.call("POST", f"/issues/{DRAFT}/undo", json={"number": 99}), 409, "conflict")


def test_takeaways_of_a_draft_are_changed_on_top_of_what_was_seen(api: Api, article: int) -> None:
    path = f"/issues/{DRAFT}/articles/{article}/takeaways"
    assert api.call("PUT", path, json={"takeaways": OWN, "from_version": 1}).status_code == 200
    problem(api.call("PUT", path, json={"takeaways": ["Other."], "from_version": 1}), 409, "conflict")
    problem(api.call("PUT", path, json={"takeaways": OWN}), 422, "invalid")
    assert api.call("PUT", path, json={"takeaways": [], "from_version": 2}).status_code == 200
    assert api.get(f"/articles/{article}/takeaways")["editors"] is None


def test_a_preview_link_is_made_opened_and_taken_back(api: Api) -> None:
    path = f"/issues/{DRAFT}/preview-links"
    made = api.call("POST", path, json={"email": ADA, "days": 2})
    assert made.status_code == 201
    shown = made.json()["url"].removeprefix(api.runtime.settings.public_url)
    assert api.client.get(shown).status_code == 200
    assert api.get(path)["items"] == [made.json()]
    assert api.call("DELETE", f"{path}/{made.json()['id']}").status_code == 204
    (over,) = api.get(path)["items"]
    assert (over["url"], over["is_open"], over["revoked_by"]) == ("", False, "tests (API)")
    assert api.client.get(shown).status_code == 410
    problem(api.call("POST", path, json={"topics": ["nothing"]}), 404, "not-found")
    problem(api.call("POST", path, json={"days": 91}), 422, "invalid")
    problem(api.call("DELETE", f"{path}/99"), 404, "not-found")


def test_an_outlook_is_worked_out(api: Api) -> None:
    told = api.call("POST", f"/issues/{DRAFT}/outlook").json()
    assert told["one"] + told["few"] + told["many"] > 0
    assert told["is_current"] is True
    assert api.get(f"/issues/{DRAFT}/outlook") == told


def test_an_address_that_holds_no_article_adds_none(api: Api) -> None:
    before = api.get(f"/issues/{DRAFT}/items")
    for path in (f"/issues/{DRAFT}/articles", "/newsletters/saturday/articles"):
        new = {"url": "http://127.0.0.1:9/tides"} | ({"topic": "food"} if "issues" in path else {})
        problem(api.call("POST", path, json=new), 422, "refused")
    problem(
        api.call("POST", f"/issues/{DRAFT}/articles", json={"url": "ftp://x", "topic": "food"}),
        422,
        "invalid",
    )
    assert api.get(f"/issues/{DRAFT}/items") == before


def test_who_only_looks_changes_nothing(api: Api, article: int) -> None:
    secret = api.token(Right.LOOK)
    for method, path in (
        ("PUT", f"/articles/{article}/takeaways"),
        ("POST", f"/issues/{DRAFT}/redo"),
        ("POST", f"/issues/{DRAFT}/preview-links"),
    ):
        problem(api.call(method, path, secret=secret), 403, "not-allowed")
