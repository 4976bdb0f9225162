"""Coming in by a link: the first admin, the invited, and who forgot their password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from digest.admit.entering import FIRST_WITHIN, INVITED_WITHIN, enter_first, make_first_link, make_link
from digest.admit.sessions import kept
from digest.admit.steps import Place
from digest.domain.accounts import Role
from digest.domain.errors import Conflict, NotFound
from digest.runtime import Runtime
from digest.store.accounts import get_account, has_accounts, list_accounts
from digest.store.database import reading, writing
from digest.store.entry_links import EntryLinkRow, put_link
from tests.servers.processes import free_port
from tests.web.conftest import runtime_on
from tests.web.people import cookie_header, email_of
from tests.web.site import Site, serving
from tests.web.test_sign_in import at, token_of
from tests.web.world import NOW

PASSWORD = "four calm words here"
FORM = {"name": "Ada Ilves", "email": "Ada@Example.org", "password": PASSWORD}


@pytest.fixture
def fresh(empty_database: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that was just installed."""
    with serving(at(empty_database, tmp_path), free_port(), role=None) as site:
        yield site


def first_link(runtime: Runtime) -> str:
    token = make_first_link(runtime.engine, now=runtime.clock())
    assert token
    return token


def test_who_opens_the_first_link_becomes_the_admin_and_nobody_after_them(fresh: Site) -> None:
    path = f"/enter/{first_link(fresh.runtime)}"
    for _ in range(3):
        assert "Make the first account" in fresh.get(path).text, "looking changes nothing"
    assert fresh.client.head(path).status_code == 200
    answer = fresh.post(path, **FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Ada Ilves" in fresh.get("/account").text
    assert fresh.get("/accounts").status_code == 200
    fresh.client.cookies.clear()
    again = fresh.post(path, **{**FORM, "email": "eve@example.org", "name": "Eve"})
    assert again.status_code == 404
    assert "opens nothing any more" in again.text
    assert make_first_link(fresh.runtime.engine, now=NOW) is None
    with reading(fresh.runtime.engine) as session:
        assert [(one.email, one.role) for one in list_accounts(session)] == [("Ada@example.org", Role.ADMIN)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "Ada@Example.org"}, "the name or the address"),
        ({"email": "ada"}, "not an e-mail address"),
        ({"email": "a\x00da@example.org"}, "not an e-mail address"),
        ({"name": ""}, "the name is empty"),
        ({"name": "Ada\u202eevil"}, "not seen"),
        ({"name": "A" * 300}, "room for 200"),
    ],
)
def test_what_is_wrong_is_told_and_the_link_is_as_good_as_before(
    wrong: dict[str, str], words: str, fresh: Site
) -> None:
    path = f"/enter/{first_link(fresh.runtime)}"
    answer = fresh.post(path, **{**FORM, **wrong})
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert PASSWORD not in answer.text
    assert fresh.post(path, **FORM).status_code == 303


def test_a_link_is_for_once_for_a_time_and_for_the_newest(fresh: Site) -> None:
    engine = fresh.runtime.engine
    old, new = first_link(fresh.runtime), first_link(fresh.runtime)
    assert fresh.get(f"/enter/{old}").status_code == 404
    for wrong in (new[:-1], new + "x", "", "%00", "x" * 5000, "first"):
        assert fresh.get(f"/enter/{wrong}").status_code == 404
    late = NOW + FIRST_WITHIN
    with pytest.raises(NotFound):
        enter_first(engine, new, email="a@example.org", name="a", password=PASSWORD, place=Place(), now=late)
    assert fresh.post(f"/enter/{new}", **FORM).status_code == 303


def test_no_other_site_enters_for_anybody(fresh: Site) -> None:
    path = f"/enter/{first_link(fresh.runtime)}"
    for origin in ("https://evil.example.org", "null"):
        answer = fresh.client.post(path, data=FORM, headers={"Origin": origin})
        assert answer.status_code == 403
    assert fresh.get(path).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite_url", "migrated_postgres_url"])
def test_of_many_who_would_be_the_first_admin_one_is(kind: str, request: pytest.FixtureRequest) -> None:
    url: str = request.getfixturevalue(kind)
    engine = runtime_on(url).engine
    token = make_first_link(engine, now=NOW)
    assert token
    with writing(engine) as session:  # as two processes that start at the same moment may leave it
        session.add(
            EntryLinkRow(
                token=kept("second"),
                account_id=None,
                made_by="x",
                made_at=NOW,
                expires_at=NOW + timedelta(1),
            )
        )

    def enter(number: int) -> bool:
        try:
            enter_first(
                engine,
                ("second", token)[number % 2],
                email=f"a{number}@example.org",
                name=f"a{number}",
                password=PASSWORD,
                place=Place(),
                now=NOW,
            )
        except (NotFound, Conflict):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]
    with reading(engine) as session:
        assert len(list_accounts(session)) == 1
    engine.dispose()


# --- the invited, and who forgot


def link_for(site: Site, role: Role) -> str:
    with writing(site.runtime.engine) as session:
        account = get_account(session, email_of(role))
        return f"/enter/{make_link(session, account, by='x', now=site.runtime.clock())}"


def test_who_comes_by_a_link_has_a_new_password_and_their_other_sessions_end(
    open_site: Callable[..., Site], empty_database: Path
) -> None:
    site = open_site(empty_database)
    with site.seen_by(Role.EDITOR) as editor, site.seen_by(None) as nobody:
        path = link_for(editor, Role.EDITOR)
        assert editor.get("/").status_code == 200
        page = nobody.get(path).text
        assert "Edith Ilves" in page
        assert re.search(rf'value="{email_of(Role.EDITOR)}"[^>]*readonly', page)
        planted = "planted-before"
        nobody.client.cookies.set("digest", planted)
        answer = nobody.post(path, password=PASSWORD, email="eve@example.org", name="Eve")
        assert token_of(answer) != planted
        assert "Edith Ilves" in nobody.get("/account").text, "the link says whose it is, not the form"
        assert editor.get("/").status_code == 303
        assert nobody.post(path, password=PASSWORD).status_code == 404, "once"
    with site.seen_by(None) as nobody:
        answer = nobody.post("/sign-in", email=email_of(Role.EDITOR), password=PASSWORD)
        assert answer.status_code == 303


def test_an_invitation_ends_after_a_week_and_with_the_account(empty_database: Path, tmp_path: Path) -> None:
    with serving(at(empty_database, tmp_path), free_port()) as site:
        path = link_for(site, Role.ADMIN)
        for after, status in ((INVITED_WITHIN - timedelta(seconds=1), 200), (INVITED_WITHIN, 404)):
            with serving(at(None, tmp_path, after), free_port(), role=None) as later:
                assert later.get(path).status_code == status
        with site.seen_by(Role.OPS) as ops:
            path = link_for(ops, Role.OPS)
            assert ops.get(path).status_code == 200
            with reading(site.runtime.engine) as session:
                number = get_account(session, email_of(Role.OPS)).id
            assert site.submit(f"/accounts/{number}/remove", sure="yes").status_code == 303
            assert ops.get(path).status_code == 404
            assert ops.get("/").status_code == 303


def test_links_are_no_way_in_while_the_database_has_them(fresh: Site) -> None:
    token = first_link(fresh.runtime)
    stored = Path(str(fresh.runtime.engine.url.database)).read_bytes()
    assert token.encode() not in stored
    with writing(fresh.runtime.engine) as session:
        assert not has_accounts(session)
        put_link(session, None, "a hash", by="x", now=NOW, expires_at=NOW + timedelta(1))
    assert fresh.get("/enter/a%20hash").status_code == 404
    assert cookie_header(fresh.runtime, Role.ADMIN)
