"""Every page that the router serves, and where in the newsroom of `world.py` it shows something.

A new route whose path has only names that stand here is found by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from digest.web.access import GUARDED, declared
from digest.web.app import make_app
from tests.journeys.world import PINNED
from tests.web.conftest import runtime_on
from tests.web.ops.world import FAILED, WEEKLY
from tests.web.world import DRAFT, SENDING

NO_PAGES = frozenset(
    {
        "/static/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/issues/{issue_id}/draft/news",
        "/issues/{issue_id}/preview/readers",
        "/issues/{issue_id}/preview/outlook",
        "/issues/{issue_id}/preview/source",
        "/manage/newsletters/{slug}/sources/export",
        "/manage/newsletters/{slug}/readers/export",
        "/manage/newsletters/{slug}/readers/import/{number}/state",
        "/manage/newsletters/{slug}/readers/import/{number}/report",
        "/ops/sends/{issue_id}/live",
        "/ops/dry-runs/{number}/state",
        "/ops/suppressions/export",
        "/archive/{slug}/theme.css",
        "/subscribe/{slug}/theme.css",
        "/subscribe/{slug}/api",
        "/subscribe/openapi.json",
        "/archive/{slug}/{kind}.{form}",
        "/preferences/{token}/stored.json",
        "/c/{token}",
        "/c/{token}/{place:int}",
        "/c/{token}/{place:int}/{reader:path}",
        "/o/{token}",
    }
)
"""What answers with a part of a page, a file, a stream, figures for programs or the way elsewhere."""

NAMED: Mapping[str, str] = {
    "issue_id": str(DRAFT),
    "article_id": str(PINNED),
    "slug": "saturday",
    "topic": "climate",
    "segment": "newcomers",
    "position": "0",
    "number": "1",
    "schedule_id": str(WEEKLY),
    "run_id": str(FAILED),
    "endpoint_id": "1",
    "rest": "nowhere/at/all",
    "kind": "issues",
    "form": "atom",
}
"""What stands in an address for a name in a route's path."""

ELSEWHERE: Mapping[str, str] = {
    path: path.replace("{issue_id}", str(SENDING))
    for path in (
        "/issues/{issue_id}",
        "/ops/sends/{issue_id}",
        "/ops/sends/{issue_id}/resend",
        "/ops/sends/{issue_id}/unknown",
        "/preferences/{token}/fewer/{issue_id}/{position}",
        "/preferences/{token}/useful/{issue_id}/{position}",
    )
}
"""Addresses of pages that show more of the issue that is going out than of the draft."""

DOORS = frozenset({"/sign-in", "/forgot", "/enter/{token}"})
"""Pages for those who are not signed in."""


MAILS = frozenset(
    {
        "/issues/{issue_id}/preview/mail",
        "/manage/newsletters/{slug}/look/mail",
        "/online/{token}",
        "/shown/{token}/mail",
    }
)
"""Mails, shown where no script runs: tests/compose have axe look at these."""

MISSING = frozenset({"/not-there", "/archive", "/archive/{rest:path}"})
"""Where nothing is; that, too, has a page: one for the desk, one for readers."""


def pages() -> tuple[str, ...]:
    """Return the paths of all pages as the router has them, and the API's own."""
    routes = declared(make_app(runtime_on("sqlite:///never-opened.db")))
    served = {route.path for route in routes if "GET" in route.methods}
    return (*sorted((served - NO_PAGES - GUARDED) | MISSING), "/api/v1/reference")


def address_of(path: str, tokens: Mapping[str, str]) -> str:
    """Return where a page is; `tokens` are those of links, by the beginning of their addresses."""
    path = ELSEWHERE.get(path, path)

    def value(found: re.Match[str]) -> str:
        name = found[1].partition(":")[0]
        return tokens[path.split("/")[1]] if name == "token" else NAMED[name]

    return re.sub(r"\{([^}]+)\}", value, path)


def name_of(path: str) -> str:
    """Return what a page's pictures are called."""
    return re.sub(r"[^a-z]+", "-", path.replace("_id", "").replace(":int", "")).strip("-") or "front"
