"""Endpoints on the pages: added with a secret shown once, tried, paused, their log told again, removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.domain.accounts import Role
from digest.domain.endpoints import CallState, EventKind
from digest.store.announcements import announce, calls_of, claim_calls, record_call
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.endpoints import get_endpoint, list_endpoints
from tests.web.manage.forms import filled_in
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import NOW

PATH = "/manage/endpoints"
HOOK: dict[str, str | list[str]] = {
    "url": "https://hooks.example.org/digest",
    "about": "The newsroom’s chat",
    "kinds": ["issue.sent", "issue.paused"],
}


@pytest.fixture
def desk(open_site: Callable[..., Site], empty_database: Path) -> Site:
    return open_site(empty_database)


@pytest.fixture
def added(desk: Site) -> Site:
    assert desk.submit(f"{PATH}/new", **HOOK).status_code == 303
    return desk


def happen(desk: Site, kind: EventKind, *, is_taken: bool | None = None) -> None:
    """Let something happen that endpoints are told of, and those answer, None for not yet."""
    with writing(desk.runtime.engine) as session:
        announce(session, kind, {"issue": 1}, now=NOW)
        if is_taken is not None:
            for call in claim_calls(session, now=NOW, limit=9, lease=NOW - NOW):
                answer = "thanks" if is_taken else "<b>broken</b>"
                status = 200 if is_taken else 500
                record_call(session, call, is_taken=is_taken, status=status, answer=answer, now=NOW)


def test_an_endpoint_is_added_and_its_secret_shown_once(desk: Site) -> None:
    assert "There is none yet" in desk.get(PATH).text
    secret = re.search(r"whsec_[\w+/=]+", desk.submit_and_look(f"{PATH}/new", **HOOK))
    assert secret
    assert secret[0] not in desk.get(f"{PATH}/1").text
    told = text_of(desk.get(PATH).text)
    assert "The newsroom’s chat" in told
    assert "Told of 2 kinds of event: an issue was paused, an issue was sent" in told
    renewed = re.search(r"whsec_[\w+/=]+", desk.submit_and_look(f"{PATH}/1/rotate"))
    assert renewed
    assert renewed[0] != secret[0]
    with reading(desk.runtime.engine) as session:
        did = [one.what for one in list_entries(session, limit=9, what="endpoint")]
        assert secret[0] not in str(list_entries(session, limit=9))
    assert did == ["endpoint.rotated", "endpoint.added"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "http://hooks.example.org/", "use https"),
        ("url", "https://10.0.0.1/", "may not be called"),
        ("url", "", "is not an address"),
        ("kinds", [], "told of one kind or more"),
        ("kinds", ["issue.read"], "is not a kind of event"),
        ("about", "x" * 201, "there is room for 200"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused_beside_its_field(
    field: str, value: str | list[str], said: str, desk: Site
) -> None:
    answer = desk.submit(f"{PATH}/new", **{**HOOK, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="{field}-problem"' in answer.text
    with reading(desk.runtime.engine) as session:
        assert list_endpoints(session) == ()


def test_an_endpoint_is_changed_and_two_who_change_the_same_both_see_it(added: Site) -> None:
    ours = filled_in(added, f"{PATH}/1", f"{PATH}/1", about="Ours")
    theirs = filled_in(added, f"{PATH}/1", f"{PATH}/1", about="Theirs")
    assert added.submit(f"{PATH}/1", **ours).status_code == 303
    late = added.submit(f"{PATH}/1", **theirs)
    assert late.status_code == 409
    assert "while you were here" in late.text
    with reading(added.runtime.engine) as session:
        assert get_endpoint(session, 1).about == "Ours"


def test_what_it_was_told_is_read_and_told_again(added: Site) -> None:
    happen(added, EventKind.ISSUE_SENT, is_taken=False)
    happen(added, EventKind.ISSUE_PAUSED)
    page = added.get(f"{PATH}/1").text
    told = text_of(page)
    assert "not tried yet" in told
    assert "1 try, answered 500, tried again in a moment" in told
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    happen(added, EventKind.DELIVERY_FAILED, is_taken=True)
    assert "/calls/2/again" in added.get(f"{PATH}/1").text
    assert added.submit(f"{PATH}/1/calls/2/again").headers["location"].endswith("done=endpoint-told-again")
    assert added.submit(f"{PATH}/1/calls/2/again").status_code == 409
    with reading(added.runtime.engine) as session:
        call = next(one for one in calls_of(session, get_endpoint(session, 1).id, limit=9) if one.id == 2)
    assert call.state is CallState.WAITING
    assert added.submit(f"{PATH}/1/calls/99/again").status_code == 404


def test_a_long_log_is_read_a_page_at_a_time(added: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.web.manage.endpoints.PAGE", 2)
    for _ in range(3):
        happen(added, EventKind.ISSUE_SENT)
    page = added.get(f"{PATH}/1").text
    older = re.search(r"\?before=(\d+)", page)
    assert older
    assert text_of(added.get(f"{PATH}/1?before={older[1]}").text).count("An issue was sent") == 1
    assert "Nothing older" in added.get(f"{PATH}/1?before=1").text


def test_it_is_tried_paused_and_taken_up_again(added: Site) -> None:
    added.submit(f"{PATH}/1/test")
    assert "A test" in text_of(added.get(f"{PATH}/1?done=endpoint-tested").text)
    added.submit(f"{PATH}/1/pause")
    happen(added, EventKind.ISSUE_SENT)
    told = text_of(added.get(f"{PATH}/1").text)
    assert "It is told nothing: turned off." in told
    assert "Given up" in told
    assert "An issue was sent" not in told
    added.submit(f"{PATH}/1/resume")
    happen(added, EventKind.ISSUE_SENT)
    assert "An issue was sent" in text_of(added.get(f"{PATH}/1").text)


def test_a_removed_endpoint_is_gone_with_its_log(added: Site) -> None:
    assert added.submit(f"{PATH}/1/remove").headers["location"] == f"{PATH}?done=removed"
    for answer in (added.get(f"{PATH}/1"), added.submit(f"{PATH}/1/test"), added.submit(f"{PATH}/1", **HOOK)):
        assert answer.status_code == 404
    assert "There is none yet" in added.get(PATH).text


def test_only_admins_see_endpoints(added: Site) -> None:
    assert PATH in added.get("/manage").text
    with added.seen_by(Role.OPS) as ops:
        assert ops.get(PATH).status_code == 403
        assert PATH not in ops.get("/manage").text
