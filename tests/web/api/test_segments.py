"""Segments over the API, and readers by segment, with what is known of them besides."""

from __future__ import annotations

from digest.domain.accounts import Right
from digest.pipeline.reader_lists import do_lists
from tests.web.api.conftest import Api, problem

WHERE = "/newsletters/saturday/segments"
READERS = "/newsletters/saturday/subscribers"


def test_a_segment_is_made_changed_and_removed(api: Api) -> None:
    made = api.call("POST", WHERE, json={"slug": "hungry", "query": "topic:food"})
    assert (made.status_code, made.json()["name"], made.json()["readers"]) == (201, "Hungry", None)
    path = made.headers["location"].removeprefix("/api/v1")
    etag = api.call("GET", path).headers["etag"]
    changed = api.call("PATCH", path, json={"query": "topic:space"}, headers={"If-Match": etag})
    assert changed.json() == {**made.json(), "query": "topic:space"}
    problem(api.call("PATCH", path, json={"name": "x"}, headers={"If-Match": etag}), 412, "changed-since")
    problem(api.call("POST", WHERE, json={"slug": "hungry", "query": "days:1"}), 409, "conflict")
    problem(api.call("POST", WHERE, json={"slug": "bad", "query": "days:x"}), 422, "invalid")
    assert [one["slug"] for one in api.get(WHERE)["items"]] == ["hungry"]
    assert api.call("DELETE", path).status_code == 204
    problem(api.call("GET", path), 404, "not-found")


def test_a_question_is_asked_by_whoever_may_look(still_api: Api) -> None:
    secret = still_api.token(Right.LOOK)
    told = still_api.call("POST", f"{WHERE}/ask", json={"query": "topic:food"}, secret=secret).json()
    assert (told["readers"], told["active"], told["of"], told["is_estimate"]) == (3, 2, 6, False)
    assert told["examples"] == ["ada@example.org", "eve@example.org", "fay@example.org"]
    detail = problem(still_api.call("POST", f"{WHERE}/ask", json={"query": "("}), 422, "invalid")
    assert "column 2" in detail
    problem(
        still_api.call("POST", WHERE, json={"slug": "x", "query": "days:1"}, secret=secret),
        403,
        "not-allowed",
    )


def test_who_reads_is_asked_without_a_name_and_no_issue_is_for_them_alone(api: Api) -> None:
    told = api.call("POST", f"{WHERE}/ask", json={"query": "opened:<30"}).json()
    assert (told["readers"], told["is_coarse"], told["examples"]) == (0, True, [])
    for slug, query in (("awake", "opened:<30"), ("asleep", "NOT opened:<30"), ("hungry", "topic:food")):
        made = api.call("POST", WHERE, json={"slug": slug, "query": query})
        assert (made.status_code, made.json()["is_coarse"]) == (201, slug != "hungry")
    assert "names nobody" in problem(api.call("GET", f"{READERS}?segment=awake"), 409, "conflict")
    alone = problem(api.call("PATCH", "/issues/2", json={"only": "awake"}), 422, "invalid")
    assert "an issue cannot be for it alone" in alone
    left_out = problem(api.call("PATCH", "/issues/2", json={"without": "awake"}), 422, "invalid")
    assert "an issue can leave out who reads no more, and nobody who does" in left_out
    assert api.call("PATCH", "/issues/2", json={"without": "asleep"}).json()["without"] == "asleep"
    assert api.call("PATCH", "/issues/2", json={"only": "hungry"}).json()["only"] == "hungry"
    assert api.call("POST", "/issues/2/outlook").json()["spared"] == 0
    for slug in ("hungry", "asleep"):
        changed = api.call("PATCH", f"{WHERE}/{slug}", json={"query": "opened:<9"})
        assert f"issue 2 names it: the segment '{slug}'" in problem(changed, 409, "conflict")
    both = problem(api.call("PATCH", f"{WHERE}/asleep", json={"query": "opened:<9 days:1"}), 422, "invalid")
    assert "a question of who reads asks nothing else" in both


def test_readers_are_listed_by_segment_with_their_attributes(api: Api) -> None:
    added = {"email": "gus@example.org", "attributes": {"City": "Oslo"}}
    gus = api.call("POST", READERS, json=added).json()
    assert gus["attributes"] == {"city": "Oslo"}
    api.call("POST", WHERE, json={"slug": "oslo", "query": "attribute.city:oslo"})
    assert [one["email"] for one in api.get(f"{READERS}?segment=oslo")["items"]] == ["gus@example.org"]
    changed = api.call("PATCH", f"{READERS}/{gus['id']}", json={"attributes": {"city": "", "plan": "free"}})
    assert changed.json()["attributes"] == {"plan": "free"}
    assert api.get(f"{READERS}?segment=oslo")["items"] == []
    problem(api.call("GET", f"{READERS}?segment=gone"), 404, "not-found")
    wrong = {"attributes": {"no key!": "x"}}
    problem(api.call("PATCH", f"{READERS}/{gus['id']}", json=wrong), 422, "invalid")


def test_an_issue_is_for_a_segment(api: Api) -> None:
    api.call("POST", WHERE, json={"slug": "hungry", "query": "topic:food"})
    changed = api.call("PATCH", "/issues/2", json={"only": "hungry"})
    assert (changed.json()["only"], changed.json()["without"]) == ("hungry", "")
    assert api.get("/issues")["items"][0]["only"] == "hungry"
    problem(api.call("PATCH", "/issues/2", json={"without": "gone"}), 404, "not-found")
    problem(api.call("DELETE", f"{WHERE}/hungry"), 409, "conflict")
    assert api.call("PATCH", "/issues/2", json={"only": ""}).json()["only"] == ""


def test_a_list_of_readers_is_tried_and_brought_in(api: Api) -> None:
    where = "/newsletters/saturday/reader-lists"
    new = {"file": "readers.csv", "text": "email,tags\ngus@example.org,Green\n"}
    made = api.call("POST", where, json=new)
    assert (made.status_code, made.json()["stage"], made.json()["ended_at"]) == (201, "trial", None)
    path = made.headers["location"].removeprefix("/api/v1")
    problem(api.call("POST", f"{path}/import", json={}), 409, "conflict")
    do_lists(api.runtime)
    told = api.get(path)
    assert (told["counts"], told["unknown_tags"], told["without_topic"]) == ({"added": 1}, {"Green": 1}, 1)
    assert api.call("POST", f"{path}/import", json={"tags": {"Green": "climate"}}).status_code == 200
    do_lists(api.runtime)
    assert api.get(path)["counts"] == {"added": 1}
    assert api.get(f"{READERS}?email=gus@example.org")["items"][0]["follows"] == ["climate"]
    problem(api.call("GET", f"{where}/999"), 404, "not-found")
    problem(api.call("POST", f"{path}/bless", json={}), 404, "not-found")
