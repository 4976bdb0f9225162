"""One's own account, everybody's accounts, and the record, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.admit.sessions import csrf_of
from digest.domain.accounts import Role
from digest.pipeline.letters import post_letters
from digest.store.accounts import get_account, list_accounts, set_password
from digest.store.audit import list_entries, record
from digest.store.database import reading, writing
from digest.store.sign_ins import list_sign_ins
from tests.servers.smtp_sink import SmtpSink
from tests.web.people import CHEAP, email_of
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.test_sign_in import token_of
from tests.web.world import NOW

OLD, NEW = "four calm words here", "five other words stand here"
HASHED = CHEAP.hash(OLD)


@pytest.fixture
def desk(open_site: Callable[..., Site], empty_database: Path) -> Site:
    """A site without newsletters, seen by an admin whose password is `OLD`."""
    site = open_site(empty_database)
    with writing(site.runtime.engine) as session:
        set_password(session, get_account(session, email_of(Role.ADMIN)).id, HASHED)
    return site


@contextmanager
def signed_in(desk: Site) -> Iterator[tuple[Site, str]]:
    """Another browser that signs in as the admin, and its token."""
    with desk.seen_by(None) as other:
        yield other, token_of(other.post("/sign-in", email=email_of(Role.ADMIN), password=OLD))


def number_of(desk: Site, role: Role) -> int:
    with reading(desk.runtime.engine) as session:
        return get_account(session, email_of(role)).id


def told(desk: Site) -> list[tuple[str, str, str]]:
    with reading(desk.runtime.engine) as session:
        return [(one.by, one.what, one.about) for one in list_entries(session, limit=20)]


# --- one's own


def test_sessions_are_listed_with_device_and_can_be_ended(desk: Site) -> None:
    with signed_in(desk) as (other, _), signed_in(desk) as (third, _):
        page = desk.get("/account").text
        assert page.count("unknown device") == 2 * 3 - 2, "two others, each named again on its button"
        assert text_of(page).count("this one") == 1
        (first, *_) = re.findall(r"/account/sessions/(\d+)/end", page)
        assert desk.submit(f"/account/sessions/{first}/end").headers["location"] == "/account?told=ended"
        assert sorted((other.get("/").status_code, third.get("/").status_code)) == [200, 303]
        desk.submit("/account/sessions/end")
        assert {other.get("/").status_code, third.get("/").status_code} == {303}
        assert desk.get("/").status_code == 200
        assert "All other sessions have ended" in desk.get("/account?told=others").text


def test_nobody_ends_sessions_of_another(desk: Site) -> None:
    with desk.seen_by(Role.VIEWER) as viewer:
        with reading(desk.runtime.engine) as session:
            (one,) = list_sign_ins(session, get_account(session, email_of(Role.ADMIN)).id, now=NOW)
        viewer.submit(f"/account/sessions/{one.id}/end")
        viewer.submit("/account/sessions/end")
    assert desk.get("/").status_code == 200
    assert told(desk) == []


def test_a_new_password_ends_every_other_session_and_renews_this_one(desk: Site) -> None:
    with signed_in(desk) as (mine, token), signed_in(desk) as (other, _):
        answer = mine.post("/account/password", csrf=csrf_of(token), old=OLD, new=NEW)
        assert answer.headers["location"] == "/account?told=password"
        assert token_of(answer) != token
        assert mine.get("/").status_code == 200
        assert other.get("/").status_code == 303
        assert desk.get("/").status_code == 303
        assert other.client.get("/", headers={"Cookie": f"digest={token}"}).status_code == 303
    with desk.seen_by(None) as nobody:
        assert nobody.post("/sign-in", email=email_of(Role.ADMIN), password=OLD).status_code == 401
        assert nobody.post("/sign-in", email=email_of(Role.ADMIN), password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("wrong", NEW, "not your password"), (OLD, "short", "too short"), ("", "", "not your password")],
)
def test_a_password_is_changed_by_who_knows_it_and_to_one_that_protects(
    old: str, new: str, words: str, desk: Site
) -> None:
    answer = desk.submit("/account/password", old=old, new=new)
    assert answer.status_code == 422
    assert words in answer.text
    assert told(desk) == []


# --- everybody's


def test_an_admin_makes_an_account_and_gets_its_link_once(desk: Site) -> None:
    page = desk.submit_and_look("/accounts", email="nele@example.org", name="Nele", role="ops")
    link = re.search(rf"{desk.url}(/enter/[\w-]+)", page)
    assert link
    assert "Nele comes in by this link" in text_of(page)
    assert "/enter/" not in desk.get("/accounts").text
    with desk.seen_by(None) as nele:
        assert nele.post(link[1], password=NEW).status_code == 303
        assert "Nele" in nele.get("/account").text
        assert nele.get("/accounts").status_code == 403
    assert ("Ada Admin", "account.added", "nele@example.org") in told(desk)
    assert ("Ada Admin", "account.link_made", "nele@example.org") in told(desk)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "nele", "name": "N", "role": "ops"}, "not an e-mail address"),
        ({"email": "n@example.org", "name": "ada ADMIN", "role": "ops"}, "already"),
        ({"email": "n@example.org", "name": "N\x07", "role": "ops"}, "not seen"),
        ({"email": "n@example.org", "name": "N", "role": "king"}, "role"),
        ({"email": "n@example.org"}, "role"),
    ],
)
def test_what_cannot_be_an_account_is_told_and_none_is_made(
    form: dict[str, str], words: str, desk: Site
) -> None:
    answer = desk.submit("/accounts", **form)
    assert answer.status_code == 422
    assert words in answer.text
    with reading(desk.runtime.engine) as session:
        assert len(list_accounts(session)) == 1


def test_a_role_holds_from_the_next_page_on(desk: Site) -> None:
    with desk.seen_by(Role.VIEWER) as viewer:
        assert viewer.get("/accounts").status_code == 403
        number = number_of(desk, Role.VIEWER)
        assert desk.submit(f"/accounts/{number}/role", role="admin").status_code == 303
        assert viewer.get("/accounts").status_code == 200
        desk.submit(f"/accounts/{number}/role", role="editor")
        assert viewer.get("/accounts").status_code == 403


def test_mails_to_oneself_are_in_another_language(desk: Site) -> None:
    with desk.seen_by(Role.VIEWER) as viewer:
        assert '<option value="en" lang="en" selected>' in viewer.get("/account").text
        answer = viewer.submit("/account/language", language="fr")
        assert "in this language from now on" in viewer.get(answer.headers["location"]).text
        assert '<option value="fr" lang="fr" selected>' in viewer.get("/account").text
        assert viewer.submit("/account/language", language="und").status_code == 422
        assert '<option value="fr" lang="fr" selected>' in viewer.get("/account").text


def test_the_last_admin_stays_and_nobody_is_removed_by_one_press(desk: Site) -> None:
    own = number_of(desk, Role.ADMIN)
    for path, form in (
        (f"/accounts/{own}/role", {"role": "viewer"}),
        (f"/accounts/{own}/remove", {"sure": "yes"}),
    ):
        answer = desk.submit(path, **form)
        assert answer.status_code == 422
        assert "only admin" in answer.text
    with desk.seen_by(Role.OPS) as ops:
        path = f"/accounts/{number_of(desk, Role.OPS)}/remove"
        assert "tick the box" in desk.submit(path).text.lower()
        assert ops.get("/").status_code == 200
        assert desk.submit(path, sure="yes").headers["location"] == "/accounts?told=removed"
        assert ops.get("/").status_code == 303
        assert desk.submit(path, sure="yes").status_code == 422


def test_an_admin_ends_the_sessions_of_a_lost_device(desk: Site) -> None:
    with desk.seen_by(Role.OPS) as ops:
        number = number_of(desk, Role.OPS)
        answer = desk.submit(f"/accounts/{number}/end-sessions")
        assert answer.headers["location"] == "/accounts?told=sessions"
        assert ops.get("/").status_code == 303
        assert desk.get("/").status_code == 200
    assert told(desk) == [("Ada Admin", "session.revoked", email_of(Role.OPS))]


def test_a_new_link_is_made_for_who_forgot(desk: Site) -> None:
    page = desk.submit_and_look(f"/accounts/{number_of(desk, Role.ADMIN)}/link")
    assert re.search(rf"{desk.url}/enter/[\w-]+", page)
    assert desk.submit("/accounts/999999/link").status_code == 404


def test_a_link_is_mailed_and_the_page_says_how_that_went(
    open_site: Callable[..., Site], empty_database: Path, smtp_sink: SmtpSink
) -> None:
    desk = open_site(empty_database, mail_url=(smtp_sink.url,), accounts_email="desk@news.example.org")
    new = {"email": "nele@example.org", "name": "Nele", "role": "editor", "language": "de", "mail": "yes"}
    answer = desk.submit_and_look("/accounts", **new)
    page = text_of(answer)
    assert "It is on its way to nele@example.org" in page
    assert re.search(rf"{desk.url}/enter/[\w-]+", answer), "who wants to can pass it on"
    assert "The link of 23 November 2026, 07:00 UTC waits to be mailed" in page
    post_letters(desk.runtime)
    assert smtp_sink.copies() == {"nele@example.org": 1}
    assert "A link was mailed: 23 November 2026, 07:00 UTC" in text_of(desk.get("/accounts").text)
    again = desk.submit_and_look(f"/accounts/{number_of(desk, Role.ADMIN)}/link")
    assert "on its way" not in again, "it was asked to be shown alone"
    wrong = desk.submit("/accounts", **{**new, "email": "otto@example.org", "language": "und"})
    assert (wrong.status_code, "names no language" in wrong.text) == (422, True)


def test_where_no_mail_goes_out_the_link_is_shown_and_the_page_says_why(desk: Site) -> None:
    page = desk.get("/accounts").text
    assert "No mail goes out yet, so the link is shown here" in text_of(page)
    assert 'name="mail"' not in page


# --- the record


def test_the_record_is_read_page_by_page_and_filtered(desk: Site) -> None:
    assert "Nothing was done yet" in desk.get("/audit").text
    with writing(desk.runtime.engine) as session:
        for number in range(60):
            by = "Ben & Söhne" if number % 3 == 0 else "Ada"
            record(session, by=by, what="issue.approved", about=f"issue {number}", now=NOW)
        record(session, by="<b>Eve", what="account.added", about="<script>alert(1)</script>", now=NOW)
    page = desk.get("/audit").text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "issue 59" in page
    assert "issue 10<" not in page
    older = re.search(r'href="(/audit\?[^"]*before=[^"]*)"', page)
    assert older
    second = desk.get(older[1].replace("&amp;", "&")).text
    assert "issue 10<" in second
    assert "issue 59" not in second
    assert "Older" not in second
    bens = desk.client.get("/audit", params={"by": "Ben & Söhne", "what": "issue"}).text
    assert "issue 57<" in bens
    assert "issue 58<" not in bens
    assert "Nothing like that was done" in desk.get("/audit?what=schedule").text
    for wrong in ("before=x", "before=0", f"before={2**64}"):
        assert desk.get(f"/audit?{wrong}").status_code == 422
    assert desk.get("/audit?by=%00&what=%00").status_code == 200
