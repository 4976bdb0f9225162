"""Tokens on the pages: one's own within one's rights, all of them for admins; a secret is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.domain.accounts import Role
from digest.store.accounts import get_account
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.tokens import list_tokens, note_use
from tests.web.people import email_of
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import NOW

OWN, ALL = "/account/tokens", "/tokens"


@pytest.fixture
def desk(open_site: Callable[..., Site], empty_database: Path) -> Site:
    return open_site(empty_database)


def secret_on(page: str) -> str:
    found = re.search(r"<code>(dg_[\w-]+)</code>", page)
    assert found
    return found[1]


def calls(desk: Site, secret: str, path: str = "/me") -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return desk.client.get(f"/api/v1{path}", headers=headers).status_code


def test_somebody_makes_a_token_that_works_in_their_name_until_they_end_it(desk: Site) -> None:
    with desk.seen_by(Role.VIEWER) as viewer:
        assert "no token yet" in viewer.get(OWN).text
        made = viewer.submit_and_look(OWN, name="a dashboard", right=["look"], days="30")
        secret = secret_on(made)
        assert f"Bearer {secret}" in made
        assert (calls(desk, secret), calls(desk, secret, "/tokens")) == (200, 403)
        page = viewer.get(OWN).text
        assert secret not in page
        told = text_of(page)
        assert "a dashboard" in told
        assert "may look · works until 23 December 2026 · used just now" in told
        (token,) = re.findall(rf"{OWN}/(\d+)/end", page)
        assert viewer.submit(f"{OWN}/{token}/end").headers["location"] == f"{OWN}?told=ended"
        assert calls(desk, secret) == 401
        assert "opens nothing any more" in viewer.get(f"{OWN}?told=ended").text
    with reading(desk.runtime.engine) as session:
        told_of = [(one.by, one.what) for one in list_entries(session, limit=2)]
        owner = get_account(session, email_of(Role.VIEWER))
    assert told_of == [(owner.name, "token.ended"), (owner.name, "token.made")]


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"name": " ", "right": ["look"]}, 422, "what the token is for"),
        ({"name": "x", "right": []}, 422, "without a right"),
        ({"name": "x", "right": ["everything"]}, 422, "is not a right"),
        ({"name": "x", "right": ["look"], "days": "99999"}, 422, "works for 1 to 3,650 days"),
        ({"name": "x", "right": ["look"], "days": "soon"}, 422, "works for 1 to 3,650 days"),
        ({"name": "x", "right": ["administer"]}, 422, "lacks"),
    ],
    ids=str,
)
def test_a_token_that_cannot_be_is_refused(
    form: dict[str, str | list[str]], status: int, said: str, desk: Site
) -> None:
    with desk.seen_by(Role.EDITOR) as editor:
        answer = editor.submit(OWN, **form)
        assert answer.status_code == status
        assert said in answer.text
        assert "dg_" not in answer.text
    with reading(desk.runtime.engine) as session:
        assert list_tokens(session) == ()


def test_nobody_sees_or_ends_a_token_of_anothers(desk: Site) -> None:
    secret = secret_on(desk.submit_and_look(OWN, name="the admin's", right=["look"]))
    with desk.seen_by(Role.EDITOR) as editor:
        assert "no token yet" in editor.get(OWN).text
        assert editor.submit(f"{OWN}/1/end").status_code == 404
        assert editor.get(ALL).status_code == 403
        assert editor.submit(f"{ALL}/1/end").status_code == 403
    assert calls(desk, secret) == 200


def test_an_admin_sees_all_tokens_and_makes_one_of_the_installation(desk: Site) -> None:
    with desk.seen_by(Role.EDITOR) as editor:
        editors = secret_on(editor.submit_and_look(OWN, name="drafts", right=["look", "shape"]))
        name = text_of(editor.get("/account").text)
    secret = secret_on(desk.submit_and_look(ALL, name="sign-up form", right=["operate"], days="0"))
    told = text_of(desk.get(ALL).text)
    assert told.index("the installation’s") < told.index("drafts")
    assert "works until it is ended · never used" in told
    assert name
    with reading(desk.runtime.engine) as session:
        numbers = {one.name: one.id for one in list_tokens(session)}
        assert [one.account_id for one in list_tokens(session) if one.name == "sign-up form"] == [None]
    assert "sign-up form" not in desk.get(OWN).text
    desk.submit(f"{ALL}/{numbers['drafts']}/end")
    assert calls(desk, editors) == 401
    assert calls(desk, secret, "/suppressions") == 403
    assert desk.submit(f"{ALL}/99/end").status_code == 404


def test_a_token_that_expired_is_told_apart(desk: Site) -> None:
    desk.submit(OWN, name="old", right=["look"])
    with writing(desk.runtime.engine) as session:
        (token,) = list_tokens(session)
        note_use(session, token.id, now=NOW)
    assert "used just now" in text_of(desk.get(OWN).text)
    assert "expired" not in text_of(desk.get(OWN).text)


def test_a_page_that_is_loaded_again_makes_no_second_token_and_shows_nothing(desk: Site) -> None:
    answer = desk.submit(OWN, name="ci", right=["look"])
    assert "dg_" not in answer.headers["location"], "an address is kept in histories and logs"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "It is shown only now" not in text_of(desk.get(answer.headers["location"]).text)
    with reading(desk.runtime.engine) as session:
        assert [one.name for one in list_tokens(session)] == ["ci"]


@pytest.mark.parametrize(
    "value",
    ["", "api", "api:1", "api:x:dg_forged", "endpoint:1:dg_forged", "api:²:dg_forged", "a" * 300],
)
def test_a_cookie_that_hands_over_nothing_is_left_alone(desk: Site, value: str) -> None:
    desk.submit(OWN, name="ci", right=["look"])
    cookies = f"{desk.client.headers['cookie']}; digest-handed={value}".encode()
    page = desk.client.get(OWN, headers=[(b"cookie", cookies)])
    assert page.status_code == 200
    assert "dg_forged" not in page.text
