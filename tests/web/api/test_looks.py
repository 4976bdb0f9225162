"""How mail looks and is worded, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.conftest import Api, problem

LOOK, WORDING = "/newsletters/saturday/look", "/newsletters/saturday/wording/en"
LOGO = {"url": "https://example.org/logo.png", "alt": "The Reader", "width": 120}


def phrase(api: Api, path: str = WORDING) -> Any:
    """A phrase without placeholders or plural."""
    return next(one for one in api.get(path)["items"] if not one["placeholders"] and len(one["own"]) == 1)


def test_a_look_is_changed_a_part_at_a_time_and_reset(api: Api) -> None:
    usual = api.call("GET", LOOK)
    changed = api.call(
        "PATCH",
        LOOK,
        json={"light": {"accent": "#7a1f1f"}, "logo": LOGO},
        headers={"If-Match": usual.headers["etag"]},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["light"] == {**usual.json()["light"], "accent": "#7a1f1f"}
    assert changed.json()["logo"] == {**LOGO, "replaces_name": False}
    late = api.call("PATCH", LOOK, json={"font": "serif"}, headers={"If-Match": usual.headers["etag"]})
    problem(late, 412, "changed-since")
    assert api.call("PATCH", LOOK, json={"logo": {"url": ""}}).json()["logo"] is None
    assert api.call("DELETE", LOOK).status_code == 204
    assert api.get(LOOK) == usual.json()


def test_a_look_nobody_can_read_is_refused_by_its_parts(api: Api) -> None:
    before = api.get(LOOK)
    wrong = {"light": {"ink": "red-ish", "page": "#fff"}, "dark": {"ink": "#000000", "page": "#000001"}}
    response = api.call("PATCH", LOOK, json=wrong)
    problem(response, 422, "invalid")
    assert "body.light.ink" in {one["where"] for one in response.json()["errors"]}
    assert api.get(LOOK) == before


def test_a_sample_is_shown_in_a_look_that_is_not_saved(api: Api) -> None:
    before = api.get(LOOK)
    shown = api.call("POST", f"{LOOK}/sample", json={"light": {"accent": "#7a1f1f"}})
    assert "#7a1f1f" in shown.json()["html"]
    assert api.call("POST", f"{LOOK}/sample", json={"kind": "welcome"}).json()["subject"]
    assert api.call("POST", f"{LOOK}/sample").status_code == 200
    problem(api.call("POST", f"{LOOK}/sample", json={"kind": "alert"}), 422, "invalid")
    assert api.get(LOOK) == before


def test_a_phrase_is_worded_otherwise_and_as_usual_again(api: Api) -> None:
    one = phrase(api)
    own = {one["name"]: {"other": "Words of our own"}}
    told = api.call("PATCH", WORDING, json={"phrases": own}).json()["items"]
    assert next(each for each in told if each["name"] == one["name"])["own"] == {"other": "Words of our own"}
    assert phrase(api, "/newsletters/saturday/wording/de")["own"] == {"other": ""}
    api.call("PATCH", WORDING, json={"phrases": {one["name"]: {"other": ""}}})
    assert phrase(api) == one


@pytest.mark.parametrize(
    ("path", "phrases"),
    [
        (WORDING, {"no-such-phrase": {"other": "x"}}),
        (WORDING, {"unsubscribe": "x"}),
        ("/newsletters/saturday/wording/und", {}),
    ],
)
def test_wording_that_cannot_be_is_refused(path: str, phrases: Any, api: Api) -> None:
    problem(api.call("PATCH", path, json={"phrases": phrases}), 422, "invalid")
