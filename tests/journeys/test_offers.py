"""What each role is offered on the pages it comes to: no link leads nowhere, no button would be refused."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html

from digest.domain.accounts import RIGHTS, Right, Role
from digest.web.access import Declared, declared
from digest.web.app import make_app
from tests.journeys.conftest import House
from tests.web.conftest import runtime_on
from tests.web.site import Site

ROUTES = declared(make_app(runtime_on("sqlite:///never-opened.db")))
EACH = 2
"""Addresses that are opened of each route: pages of one kind offer the same."""


_MORE = (("iframe", "GET", "src"), ("button", "POST", "formaction"), ("div", "GET", "data-live"))
"""What else leads somewhere: tag, method and attribute."""

REACHED_OTHERWISE = frozenset(
    {
        "/account/phone",  # where the form that asks for a phone leads
        "/manage/newsletters/{slug}/sources/new",  # from what was found at a site
        "/issues/{issue_id}/preview/outlook",  # asked for by its page until it is worked out
        "/manage/newsletters/{slug}/readers/import/{number}/state",  # asked for by its page until it is over
        "/ops/dry-runs/{number}/state",  # asked for by its page until it is over
    }
)


OPEN = frozenset({"/api/v1/reference"})
"""Of another application, open to everybody; it has its pictures like all pages."""


class Offer(NamedTuple):
    """A link or a form on a page, and where it leads."""

    page: str
    method: str
    path: str


def pattern_of(route: Declared) -> re.Pattern[str]:
    named = re.sub(r"\{\w+:path\}", ".*", route.path)
    return re.compile(re.sub(r"\{\w+(:int)?\}", "[^/]+", named) + "$")


PATTERNS = [(pattern_of(route), route) for route in ROUTES]


def route_of(offer: Offer) -> Declared | None:
    """Return the route that answers, None where none does."""
    path = urlsplit(offer.path).path
    found = (route for pattern, route in PATTERNS if pattern.match(path) and offer.method in route.methods)
    return next(found, None)


def offers_of(page: str, text: str) -> Iterator[Offer]:
    """Yield what a page offers to be opened, pressed, or asked for by its script."""
    tree = html.document_fromstring(text)
    for link in tree.iterfind(".//a[@href]"):
        yield Offer(page, "GET", urljoin(page, link.get("href", "")))
    for form in tree.iterfind(".//form"):
        if form.xpath(".//button[not(ancestor::fieldset[@disabled])]"):
            yield Offer(page, (form.get("method") or "get").upper(), urljoin(page, form.get("action", page)))
    for tag, way, attribute in _MORE:
        for part in tree.xpath(f".//{tag}[@{attribute}][not(ancestor::fieldset[@disabled])]"):
            yield Offer(page, way, urljoin(page, part.get(attribute, "")))
    for way in ("get", "post"):
        for part in tree.iterfind(f".//*[@hx-{way}]"):
            if not part.xpath("ancestor-or-self::form[not(.//button)]"):
                yield Offer(page, way.upper(), urljoin(page, part.get(f"hx-{way}", "")))


def walk(site: Site) -> Iterator[Offer]:
    """Open the front page and all that it leads to; yield every offer that was met."""
    ahead, seen, opened = deque(["/"]), {"/"}, Counter[str]()
    while ahead:
        page = ahead.popleft()
        answer = site.get(page)
        assert answer.status_code in (200, 204), f"{page} answers {answer.status_code}"
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for offer in offers_of(page, answer.text):
            if not offer.path.startswith("/") or urlsplit(offer.path).path in OPEN:
                continue
            yield offer
            route = route_of(offer)
            address = offer.path.partition("#")[0]
            if offer.method != "GET" or route is None or address in seen or opened[route.path] >= EACH:
                continue
            if route.path.endswith("/live"):
                continue  # it streams
            seen.add(address)
            opened[route.path] += 1
            ahead.append(address)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_led_everywhere_it_may_go_and_offered_nothing_it_may_not_do(
    role: Role, house: House
) -> None:
    met: dict[str, Offer] = {}
    with house.site.seen_by(role) as site:
        for offer in walk(site):
            route = route_of(offer)
            assert route, f"{offer.page} leads to {offer.path}, where nothing is"
            assert route.right is None or route.right in RIGHTS[role], f"{offer.page} offers {offer.path}"
            met[f"{offer.method} {route.path}"] = offer
    pages = {route.path for route in ROUTES if "GET" in route.methods and route.right in RIGHTS[role]}
    unmet = {path for path in pages if f"GET {path}" not in met} - REACHED_OTHERWISE
    assert unmet == set(), "nothing leads there"


def test_the_walk_sees_a_control_that_would_be_refused() -> None:
    """The control: a form of the ops room on a page of a viewer is met, and its right is not theirs."""
    (offer,) = offers_of("/ops", '<form method="post" action="/ops/hold"><button>Hold</button></form>')
    route = route_of(offer)
    assert route
    assert route.right is Right.OPERATE
    assert Right.OPERATE not in RIGHTS[Role.VIEWER]
