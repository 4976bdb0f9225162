"""Every route as every role and as nobody, from the router itself; and what keeps other sites' forms out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from digest.admit.sessions import csrf_of
from digest.domain.accounts import RIGHTS, Right, Role
from digest.web.access import GUARDED, PUBLIC, SAFE, Declared, declared, needs, require_declared
from digest.web.app import make_app
from tests.servers.processes import free_port
from tests.web.conftest import runtime_on
from tests.web.people import TOKENS
from tests.web.site import Site, serving

ROUTES = declared(make_app(runtime_on("sqlite:///never-opened.db")))
ASKING = [route for route in ROUTES if route.right]
CALLS = [(route, method) for route in ASKING for method in sorted(route.methods)]


def path_of(route: Declared) -> str:
    """An address of the route that leads to nothing: what is asked for is not there, if anybody is let in."""
    return re.sub(r"\{[^}]+\}", "999999", route.path)


@pytest.fixture(scope="module")
def sites(
    empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Role | None, Site]]:
    file = shutil.copy(empty_database, tmp_path_factory.mktemp("access") / "digest.db")
    port = free_port()
    with ExitStack() as stack:
        site = stack.enter_context(serving(runtime_on(f"sqlite:///{file}", port), port, role=None))
        yield {role: stack.enter_context(site.seen_by(role)) for role in (*Role, None)}


def test_every_public_path_is_there_and_nothing_else_is_open() -> None:
    assert {route.path for route in ROUTES if route.right is None} == PUBLIC | GUARDED


def test_there_are_routes_to_try() -> None:
    assert {"/", "/issues/{issue_id}", "/account", "/sign-out"} <= {route.path for route in ASKING}


def test_a_route_that_declares_nothing_keeps_the_application_from_starting() -> None:
    app, router = FastAPI(openapi_url=None), APIRouter(prefix="/inner")
    router.get("/forgotten")(lambda: None)
    app.include_router(router)
    with pytest.raises(RuntimeError, match="/inner/forgotten: say needs"):
        require_declared(app)
    guarded = FastAPI(openapi_url=None)
    guarded.include_router(router, dependencies=[needs(Right.LOOK)])
    require_declared(guarded)


@pytest.mark.parametrize(("route", "method"), CALLS, ids=lambda one: getattr(one, "path", one))
def test_nobody_passes_without_signing_in(
    route: Declared, method: str, sites: dict[Role | None, Site]
) -> None:
    answer = sites[None].client.request(method, path_of(route))
    if method in SAFE:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
    else:
        assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("route", "method"), CALLS, ids=lambda one: getattr(one, "path", one))
def test_a_role_passes_where_it_has_the_right_and_nowhere_else(
    route: Declared, method: str, sites: dict[Role | None, Site]
) -> None:
    assert route.right
    for role in Role:
        form = {"csrf": csrf_of(TOKENS[role])} if method not in SAFE else None
        if route.path == "/sign-out":
            continue  # it would end the session that the others need; test_sign_in tries it
        answer = sites[role].client.request(method, path_of(route), data=form)
        assert (answer.status_code == 403) == (route.right not in RIGHTS[role]), (role, answer.status_code)


@pytest.mark.parametrize(("route", "method"), CALLS, ids=lambda one: getattr(one, "path", one))
def test_no_other_site_changes_anything(route: Declared, method: str, sites: dict[Role | None, Site]) -> None:
    if method in SAFE:
        return
    client, token = sites[Role.ADMIN].client, csrf_of(TOKENS[Role.ADMIN])
    others = csrf_of(TOKENS[Role.EDITOR])
    attempts: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": others}, {}),
        ({"csrf": TOKENS[Role.ADMIN]}, {}),
        ({}, {"X-CSRF-Token": others}),
        ({"csrf": token}, {"X-CSRF-Token": ""}),
        ({"csrf": token}, {"Origin": "https://evil.example.org"}),
        ({"csrf": token}, {"Origin": "null"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "same-site"}),
    ]
    for form, headers in attempts:
        answer = client.request(method, path_of(route), data=form, headers=headers)
        assert answer.status_code == 403, (form, headers)
        assert "did not come from a page of yours" in answer.text


def test_a_part_of_a_page_leads_the_whole_page_to_the_door(sites: dict[Role | None, Site]) -> None:
    answer = sites[None].client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize("cookie", ["", "nobody's", "x" * 5000, "ä", "a%00b", "digest"])
def test_a_cookie_of_nobody_opens_nothing(cookie: str, sites: dict[Role | None, Site]) -> None:
    headers = {"Cookie": f"digest={cookie}".encode()}
    assert sites[None].client.get("/", headers=headers).status_code == 303
