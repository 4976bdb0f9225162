"""What every answer has in common: headers, bounds, and words when something goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from digest.domain.accounts import Role
from digest.domain.errors import Misconfigured
from digest.logs import set_up_logs
from digest.runtime import Runtime
from digest.store.database import open_engine
from digest.store.schema import migrate
from digest.track.tokens import Purpose
from digest.web import (
    editor,
    health,
    leaving,
    preferences,
    preview,
    readdressing,
    stored,
    subscriber,
    webhooks,
)
from digest.web.app import make_app
from digest.web.envelope import BODY_MAX_BYTES
from tests.servers.postgres import PostgresServer
from tests.servers.processes import free_port
from tests.servers.redis import RedisServer
from tests.web.conftest import runtime_on
from tests.web.people import cookie_header
from tests.web.site import Site, serving
from tests.web.world import ADA, SENDING, contents

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def paths_of(site: Site) -> dict[str, str]:
    """A path for every route, by the route's own."""
    return {
        "/": "/",
        "/issues/{issue_id}": f"/issues/{SENDING}",
        "/issues/{issue_id}/preview": f"/issues/{SENDING}/preview",
        "/issues/{issue_id}/preview/mail": f"/issues/{SENDING}/preview/mail",
        "/issues/{issue_id}/preview/source": f"/issues/{SENDING}/preview/source",
        "/unsubscribe/{token}": site.link(Purpose.UNSUBSCRIBE, ADA),
        **{
            f"/unsubscribe/{{token}}/{step}": f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/{step}"
            for step in ("all", "pause", "slower", "undo", "why")
        },
        "/preferences/{token}": site.link(Purpose.PREFERENCES, ADA),
        "/preferences/{token}/return": site.link(Purpose.PREFERENCES, ADA) + "/return",
        "/preferences/{token}/pause": site.link(Purpose.PREFERENCES, ADA) + "/pause",
        "/preferences/{token}/measuring": site.link(Purpose.PREFERENCES, ADA) + "/measuring",
        "/preferences/{token}/address": site.link(Purpose.PREFERENCES, ADA) + "/address",
        "/preferences/{token}/stored": site.link(Purpose.PREFERENCES, ADA) + "/stored",
        "/preferences/{token}/stored.json": site.link(Purpose.PREFERENCES, ADA) + "/stored.json",
        "/preferences/{token}/erase": site.link(Purpose.PREFERENCES, ADA) + "/erase",
        "/new-address/{token}": site.link(Purpose.NEW_ADDRESS, ADA),
        "/leave-address/{token}": site.link(Purpose.LEAVE_ADDRESS, ADA),
        "/old-address/{token}": site.link(Purpose.OLD_ADDRESS, ADA),
        "/online/{token}": site.link(Purpose.ONLINE, ADA),
        "/hooks/{provider}": "/hooks/ses",
        "/healthz": "/healthz",
        "/readyz": "/readyz",
    }


def policy_of(csp: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.strip().partition(" ") for part in csp.split(";"))}


def is_of_the_desk(path: str) -> bool:
    """Whether it is a page for those who make the newsletter; what is nowhere is told to them, too."""
    return path in {"/", "/nowhere", "/static/nothing.css"} or bool(
        re.fullmatch(r"/issues/\d+(/preview)?", path)
    )


def is_a_form_of_the_desk(route: APIRoute) -> bool:
    """Whether it is only sent to, from a page of the desk that is here; or a part of such a page."""
    return route.path.startswith("/issues/") and (
        route.methods == {"POST"} or route.path.endswith(("/outlook", "/readers"))
    )


def test_every_route_forbids_scripts_of_strangers_sniffing_and_foreign_frames(still_site: Site) -> None:
    paths = paths_of(still_site)
    routes = [
        route
        for part in (
            editor,
            preview,
            subscriber,
            preferences,
            readdressing,
            stored,
            leaving,
            health,
            webhooks,
        )
        for route in part.router.routes
    ]
    forms = {route.path for route in routes if isinstance(route, APIRoute) and is_a_form_of_the_desk(route)}
    assert {route.path for route in routes if isinstance(route, APIRoute)} - forms == set(paths)
    for path in (*paths.values(), "/nowhere", "/unsubscribe/forged", "/static/nothing.css"):
        headers = still_site.get(path).headers
        policy = policy_of(headers["content-security-policy"])
        assert policy["default-src"] == "'none'", path
        runs = {name: policy[name] for name in ("script-src", "connect-src") if name in policy}
        allowed = {"script-src": "'self'", "connect-src": "'self'"} if is_of_the_desk(path) else {}
        assert runs == allowed, path
        assert not {"script-src-elem", "script-src-attr", "object-src"} & set(policy), path
        assert policy["base-uri"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert "set-cookie" not in headers
        assert "server" not in headers
        framed = path.endswith("/mail")
        assert headers["x-frame-options"] == ("SAMEORIGIN" if framed else "DENY"), path
        assert policy["frame-ancestors"] == ("'self'" if framed else "'none'"), path


def test_a_token_is_told_to_nobody_by_a_referrer(still_site: Site) -> None:
    for path in paths_of(still_site).values():
        policy = still_site.get(path).headers["referrer-policy"]
        assert policy == ("same-origin" if is_of_the_desk(path) else "no-referrer"), path


@pytest.mark.parametrize("purpose", ["preview", "online"])
def test_a_mail_has_its_styles_and_https_images_and_nothing_else(purpose: str, still_site: Site) -> None:
    online = still_site.link(Purpose.ONLINE, ADA)
    path = online if purpose == "online" else f"/issues/{SENDING}/preview/mail"
    policy = policy_of(still_site.get(path).headers["content-security-policy"])
    assert policy["img-src"] == "https:"
    assert policy["style-src"] == "'unsafe-inline'"
    assert policy["form-action"] == "'none'"
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]


def test_scripts_are_files_of_ours_and_on_the_desk_only(still_site: Site) -> None:
    own = re.compile(r'<script src="/static/[a-z.]+\.[0-9a-f]{12}\.js" defer></script>')
    for path in paths_of(still_site).values():
        if not path.startswith("/online") and not path.endswith(("/mail", "/source")):
            page = still_site.get(path).text
            assert bool(own.search(page)) is is_of_the_desk(path), path
            rest = own.sub("", page)
            assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", rest), path


def test_head_is_answered_where_get_is(still_site: Site) -> None:
    for path in paths_of(still_site).values():
        got, head = still_site.get(path), still_site.client.head(path)
        assert head.status_code == got.status_code, path
        assert head.content == b""


def test_a_file_is_kept_for_as_long_as_it_is_the_same(still_site: Site) -> None:
    files = re.findall(r'"(/static/[^"]+)"', still_site.get("/").text)
    assert len(files) == 4
    for file in files:
        response = still_site.get(file)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", file)
    for name in ("digest.css", "htmx.min.js", "htmx.LICENSE"):
        assert still_site.get(f"/static/{name}").status_code == 404
    assert still_site.get("/static/..%2Flayout.html").status_code == 404


# --- errors


def test_a_method_that_has_no_business_here_is_told_which_have(still_site: Site) -> None:
    response = still_site.client.post("/")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert "That cannot be done here" in response.text
    assert "go back to the page you came from" in response.text


@pytest.mark.parametrize("as_json", [True, False])
def test_an_unexpected_error_shows_a_page_and_nothing_of_the_inside(
    as_json: bool, still_site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(level="info", as_json=as_json)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(leaving, "reader_view", fails)
    link = still_site.link(Purpose.UNSUBSCRIBE, ADA)
    response = still_site.get(link)
    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "the inside" not in response.text
    assert response.headers["x-frame-options"] == "DENY"
    logged = capsys.readouterr().err
    reference = re.search(r"logged as ([0-9a-f]{8})", response.text)
    assert reference
    assert reference[1] in logged
    assert "RuntimeError: the inside" in logged
    assert "/unsubscribe/{token}" in logged
    assert link.rpartition("/")[2] not in logged, "the token is as good as the reader"


def test_a_body_too_large_is_refused_before_it_is_kept(still_site: Site) -> None:
    link = still_site.link(Purpose.PREFERENCES, ADA)
    before = contents(still_site.runtime.engine)
    body = b"save=topics&topic=" + b"x" * BODY_MAX_BYTES
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert still_site.client.post(link, content=body, headers=form).status_code == 413

    def dripping() -> Iterator[bytes]:
        for _ in range(64):
            yield b"topic=" + b"x" * 4096 + b"&"

    assert still_site.client.post(link, content=dripping(), headers=form).status_code == 413
    assert contents(still_site.runtime.engine) == before


def test_a_reader_is_told_what_to_do_about_what_cannot_be_read(still_site: Site) -> None:
    link = still_site.link(Purpose.PREFERENCES, ADA)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = {"Content-Type": "multipart/form-data; boundary=x"}
    for path, body, headers, status, said in (
        (link, b"save=topics&topic=" + b"x" * BODY_MAX_BYTES, form, 413, "That was too long"),
        (link, b"no part of any form", parts, 400, "That did not arrive whole"),
        (link, b"topic=x&" * 1_001, form, 400, "That did not arrive whole"),
        ("/subscribe/saturday", b"no part of any form", parts, 400, "Nothing was changed. Go back, or"),
    ):
        answer = still_site.client.post(path, content=body, headers=headers)
        assert answer.status_code == status
        assert said in answer.text
    alone = still_site.get(f"{link}/less")
    assert alone.status_code == 405
    assert "only there for what a button sends" in alone.text


# --- health and a database that is away


@pytest.fixture
def site_without_database(tmp_path: Path) -> Iterator[Site]:
    runtime = runtime_on(f"sqlite:///{tmp_path / 'no-such-folder' / 'digest.db'}")
    with serving(runtime, free_port(), role=None) as site:
        yield site


def test_a_site_without_a_database_lives_but_is_not_ready(site_without_database: Site) -> None:
    assert site_without_database.get("/healthz").text == "ok\n"
    ready = site_without_database.get("/readyz")
    assert ready.status_code == 503
    assert ready.text == (
        "not ready\n"
        "database: does not answer: see the log\n"
        "migrations: not known without the database\n"
        "broker: inside this process, nothing to ask\n"
    )


def test_a_database_of_another_version_is_not_ready_and_says_what_to_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'older.db'}"
    engine = open_engine(url)
    migrate(engine, to="0020")
    engine.dispose()
    with serving(runtime_on(url), free_port(), role=None) as site:
        ready = site.get("/readyz")
    assert ready.status_code == 503
    assert "database: answers\nmigrations: the database is at schema 0020, this version wants " in ready.text
    assert "run 'digest migrate'" in ready.text
    assert str(tmp_path) not in ready.text


def test_ready_tells_how_redis_is_and_does_not_depend_on_it(
    open_site: Callable[..., Site], filled_database: Path
) -> None:
    server = RedisServer().start()
    try:
        site = open_site(filled_database, broker_url=server.url)
        assert site.get("/readyz").text == "ready\ndatabase: answers\nmigrations: all done\nbroker: answers\n"
        server.kill()
        ready = site.get("/readyz")
        assert ready.status_code == 200, "pages need no broker: unsubscribing must go on"
        assert "broker: does not answer; pages are served" in ready.text
        assert "only-for-tests" not in ready.text
    finally:
        server.close()


def test_what_is_wrong_with_the_database_is_told_to_nobody_who_is_not_signed_in(
    site_without_database: Site,
) -> None:
    token = site_without_database.runtime.tokens.sign(Purpose.UNSUBSCRIBE, 1, 1)
    cookie = cookie_header(site_without_database.runtime, Role.ADMIN)
    desk = site_without_database.client.get("/", headers=cookie)
    reader = site_without_database.get(f"/unsubscribe/{token}")
    assert desk.status_code == reader.status_code == 503
    assert "Out of reach for the moment" in desk.text
    assert "no-such-folder" not in desk.text, "nobody can be signed in without a database"
    assert "Please try again in a few minutes" in reader.text
    assert "no-such-folder" not in reader.text


def test_ready_follows_the_database_as_it_goes_and_comes_back() -> None:
    server = PostgresServer()
    try:
        url = server.start().url(server.create_database())
        migrate(open_engine(url))
        runtime = runtime_on(url)
        with serving(runtime, free_port()) as site:
            assert site.get("/readyz").status_code == 200
            server.stop()
            assert site.get("/readyz").status_code == 503
            assert site.get("/healthz").status_code == 200
            server.start()
            assert site.get("/readyz").status_code == 200
        runtime.engine.dispose()
    finally:
        server.close()


# --- settings


def test_below_a_path_of_the_public_address_every_link_keeps_to_it(
    open_site: Callable[..., Site], filled_database: Path
) -> None:
    site = open_site(filled_database, public_url="https://example.org/digest/")
    for prefix in ("", "/digest"):  # a proxy may strip the path, or pass it on
        for path in ("/", f"/issues/{SENDING}", site.link(Purpose.PREFERENCES, ADA)):
            page = site.get(prefix + path).text
            own = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
            assert own, path
            assert all(link.startswith("/digest/") for link in own), own
            for link in own:
                assert site.get(link).status_code in {200, 405}, link


def test_templates_are_checked_when_the_server_starts(tmp_path: Path) -> None:
    def runtime() -> Runtime:
        return runtime_on(f"sqlite:///{tmp_path / 'digest.db'}", templates_dir=tmp_path)

    with pytest.raises(Misconfigured, match="templates_dir must hold web/"):
        make_app(runtime())
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "front.html").write_text("fine\n{% if %}\n", "utf-8")
    with pytest.raises(Misconfigured, match=r"front\.html line 2: "):
        make_app(runtime())


def test_no_row_of_a_table_reaches_a_template() -> None:
    """Templates are given values of `views` only; a row could ask the database when it is gone."""
    views = (Path(editor.__file__).parent / "views.py").read_text("utf-8")
    assert "digest.store" not in views
    assert "sqlalchemy" not in views
