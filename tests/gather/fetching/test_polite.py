"""What a host asks of robots is asked once a day, and obeyed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetching.fetch import (
    ACCEPT_ANY,
    ACCEPT_FEED,
    Fetched,
    Limits,
    Permit,
)
from digest.gather.fetching.http import HttpFetcher
from digest.gather.fetching.polite import KEPT, OUTLIVES_FAULTS, HostRules, InMemory, PoliteFetcher, origin_of
from tests.gather.fetching.raw_servers import raw_server

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONTACT = "https://digest.example/about"
ROBOTS = "/robots.txt"
TDMREP = "/.well-known/tdmrep.json"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
TROUBLE = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n%s\r\n"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def ok(body: str, header: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{header}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


class Site:
    """A site that answers each path as `pages` says (a bare text is a body), and notes what it is asked."""

    def __init__(self, pages: Mapping[str, str | bytes]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []
        self.at: list[float] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            self.asked.append(path)
            self.at.append(time.monotonic())
            answer = self.pages.get(path, NOT_FOUND)
            writer.write(answer if isinstance(answer, bytes) else ok(answer))
            await writer.drain()


Use = Callable[[PoliteFetcher, str], Awaitable[object]]


def visit(site: Site, use: Use, *, memory: InMemory | None = None, clock: Clock | None = None) -> object:
    """Run `use` with a polite fetcher and the site's address."""

    async def run() -> object:
        async with (
            raw_server(site) as server,
            HttpFetcher(contact=CONTACT, allow={"127.0.0.0/8"}, limits=Limits(silence=2)) as http,
        ):
            polite = PoliteFetcher(http, memory=memory, clock=clock or Clock())
            return await use(polite, server.url)

    return asyncio.run(run())


def get(site: Site, path: str, **options: object) -> Fetched:
    fetched = visit(site, lambda polite, url: polite.fetch(url + path), **options)  # type: ignore[arg-type]
    assert isinstance(fetched, Fetched)
    return fetched


def test_robots_txt_is_asked_before_the_first_page_and_only_then() -> None:
    site = Site({ROBOTS: "", "/a": "A", "/b": "B"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        assert (await polite.fetch(f"{url}/a")).body == b"A"
        assert (await polite.fetch(f"{url}/b")).body == b"B"

    visit(site, use)
    assert site.asked == [ROBOTS, TDMREP, "/a", "/b"]


def test_what_robots_txt_disallows_is_not_asked_for_and_said_so() -> None:
    site = Site({ROBOTS: "User-agent: Digest\nDisallow: /private", "/private/a": "A", "/b": "B"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        host = url.removeprefix("http://")
        said = f"^robots.txt of {host} does not allow Digest to fetch {url}/private/a$"
        with pytest.raises(Refused, match=said):
            await polite.fetch(f"{url}/private/a", accept=ACCEPT_FEED)
        await polite.fetch(f"{url}/b")

    visit(site, use)
    assert "/private/a" not in site.asked


def test_a_redirect_into_what_is_disallowed_is_not_followed() -> None:
    site = Site({ROBOTS: "User-agent: *\nDisallow: /in", "/out": redirect("/in/a"), "/in/a": "A"})
    with pytest.raises(
        Refused, match=r"/out redirects: robots\.txt of .* does not allow Digest to fetch .*/in/a"
    ):
        get(site, "/out")
    assert "/in/a" not in site.asked


def test_a_redirect_to_another_host_asks_that_host_s_robots_txt() -> None:
    other = Site({ROBOTS: "User-agent: *\nDisallow: /", "/a": "A"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        async with raw_server(other) as server:
            site.pages["/out"] = redirect(f"{server.url}/a")
            with pytest.raises(Refused, match=f"robots.txt of 127.0.0.1:{server.port} does not allow"):
                await polite.fetch(f"{url}/out")

    site = Site({})
    visit(site, use)
    assert other.asked == [ROBOTS]


@pytest.mark.parametrize(
    "status", ["400 Bad", "401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"]
)
def test_no_robots_txt_allows_everything(status: str) -> None:
    site = Site({ROBOTS: f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode(), "/a": "A"})
    assert get(site, "/a").body == b"A"


def test_robots_txt_is_followed_through_five_redirects_and_given_up_after() -> None:
    hops = {f"/{n}": redirect(f"/{n + 1}") for n in range(1, 6)}
    rules = "User-agent: *\nDisallow: /a"
    site = Site({**hops, ROBOTS: redirect("/2"), "/6": rules, "/a": "A"})
    with pytest.raises(Refused, match="does not allow"):
        get(site, "/a")
    assert get(Site({**site.pages, ROBOTS: redirect("/1")}), "/a").body == b"A"


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (TROUBLE % b"", timedelta(hours=1)),
        (TROUBLE % b"Retry-After: 7200\r\n", timedelta(hours=2)),
        (TROUBLE % b"Retry-After: 5\r\n", timedelta(hours=1)),
        (TROUBLE % b"Retry-After: 604800\r\n", timedelta(days=1)),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", timedelta(hours=1)),
        (b"garbage\r\n\r\n", timedelta(hours=1)),
    ],
)
def test_a_robots_txt_that_cannot_be_read_stops_all_for_a_time(answer: bytes, wait: timedelta) -> None:
    site, clock = Site({ROBOTS: answer, "/a": "A"}), Clock()

    async def use(polite: PoliteFetcher, url: str) -> None:
        for _ in range(3):
            with pytest.raises(
                Unavailable, match=f"^{url}/a is not fetched while {url}/robots.txt cannot"
            ) as caught:
                await polite.fetch(f"{url}/a")
            assert caught.value.retry_after == wait
        assert site.asked == [ROBOTS]
        site.pages[ROBOTS] = ""
        clock.now += wait
        assert (await polite.fetch(f"{url}/a")).body == b"A"

    visit(site, use, clock=clock)


def test_yesterday_s_robots_txt_serves_for_a_month_while_today_s_cannot_be_read() -> None:
    site, clock = Site({ROBOTS: "User-agent: *\nDisallow: /private", "/a": "A"}), Clock()

    async def use(polite: PoliteFetcher, url: str) -> None:
        await polite.fetch(f"{url}/a")
        site.pages[ROBOTS] = TROUBLE % b""
        for days in (1, 15, 29):
            clock.now = NOW + timedelta(days=days)
            assert (await polite.fetch(f"{url}/a")).body == b"A"
            with pytest.raises(Refused, match="does not allow"):
                await polite.fetch(f"{url}/private")
        clock.now = NOW + OUTLIVES_FAULTS
        with pytest.raises(Unavailable, match="is not fetched while"):
            await polite.fetch(f"{url}/a")

    visit(site, use, clock=clock)


def test_robots_txt_is_asked_again_after_a_day() -> None:
    site, clock = Site({ROBOTS: "", "/a": "A"}), Clock()

    async def use(polite: PoliteFetcher, url: str) -> None:
        await polite.fetch(f"{url}/a")
        clock.now += KEPT - timedelta(seconds=1)
        await polite.fetch(f"{url}/a")
        assert site.asked.count(ROBOTS) == 1
        clock.now += timedelta(seconds=1)
        site.pages[ROBOTS] = "User-agent: *\nDisallow: /"
        with pytest.raises(Refused, match="does not allow"):
            await polite.fetch(f"{url}/a")

    visit(site, use, clock=clock)


def test_what_was_learnt_outlives_the_fetcher() -> None:
    memory = InMemory()
    rules = "User-agent: x\nDisallow: /\nUser-agent: *\nDisallow: /private\nCrawl-delay: 0.01"
    reserved = '[{"location": "/a", "tdm-reservation": 1}]'
    first = Site({ROBOTS: rules, TDMREP: reserved, "/a": "A"})
    second = Site({"/a": "A"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        assert (await polite.fetch(f"{url}/a")).reservation
        (learnt,) = memory.rules.values()
        assert "Disallow: /private" in learnt.robots
        assert "User-agent: x" not in learnt.robots
        assert (learnt.tdmrep, learnt.fetched_at, learnt.ask_at) == (reserved, NOW, NOW + KEPT)

    async def again(polite: PoliteFetcher, url: str) -> None:
        memory.rules = {url: replace(next(iter(memory.rules.values())))}
        assert (await polite.fetch(f"{url}/a")).reservation
        with pytest.raises(Refused, match="does not allow"):
            await polite.fetch(f"{url}/private")

    visit(first, use, memory=memory)
    visit(second, again, memory=memory)
    assert second.asked == ["/a"]


def test_requests_at_once_wait_for_one_robots_txt() -> None:
    site = Site({ROBOTS: "", **{f"/{n}": "page" for n in range(20)}})

    async def use(polite: PoliteFetcher, url: str) -> None:
        await asyncio.gather(*(polite.fetch(f"{url}/{n}") for n in range(20)))

    visit(site, use)
    assert site.asked.count(ROBOTS) == site.asked.count(TDMREP) == 1


def test_a_request_that_is_called_off_leaves_the_asking_to_the_next() -> None:
    class Slow(Site):
        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self.asked:
                await reader.readuntil(b"\r\n\r\n")
                self.asked.append("never answered")
                await reader.read()
            await super().__call__(reader, writer)

    site = Slow({ROBOTS: "", "/a": "A"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        hasty = asyncio.create_task(polite.fetch(f"{url}/a"))
        patient = asyncio.create_task(polite.fetch(f"{url}/a"))
        await asyncio.sleep(0.1)
        hasty.cancel()
        assert (await patient).body == b"A"
        with suppress(asyncio.CancelledError):
            await hasty

    visit(site, use)
    assert site.asked == ["never answered", ROBOTS, TDMREP, "/a"]


def test_the_crawl_delay_is_kept_between_pages_of_one_host() -> None:
    pages = {f"/{n}": "page" for n in range(3)}
    site = Site({ROBOTS: "User-agent: *\nCrawl-delay: 0.2\nDisallow: /x", **pages})

    async def use(polite: PoliteFetcher, url: str) -> None:
        await asyncio.gather(*(polite.fetch(f"{url}/{n}") for n in range(3)))

    visit(site, use)
    first, second, third = site.at[-3:]
    assert second - first > 0.19
    assert third - second > 0.19


def test_sitemaps_and_rules_can_be_asked_for() -> None:
    site = Site({ROBOTS: "Sitemap: https://example.org/news.xml\nUser-agent: *\nDisallow: /x"})

    async def use(polite: PoliteFetcher, url: str) -> None:
        robots = await polite.robots(f"{url}/")
        assert robots.sitemaps == ("https://example.org/news.xml",)
        assert not robots.allows(f"{url}/x")

    visit(site, use)


@pytest.mark.parametrize(
    ("tdmrep", "header", "words"),
    [
        (
            '[{"location": "/a*", "tdm-reservation": 1}]',
            "",
            f"its {TDMREP} reserves text and data mining of '/a*'",
        ),
        ('[{"location": "/b", "tdm-reservation": 1}]', "", ""),
        (
            '[{"location": "/", "tdm-reservation": 1}]',
            "X-Robots-Tag: noai\r\n",
            "the header X-Robots-Tag says 'noai'",
        ),
        ("not JSON", "", ""),
        (
            '\ufeff[{"location": "/", "tdm-reservation": 1}]',
            "",
            f"its {TDMREP} reserves text and data mining of '/'",
        ),
    ],
)
def test_what_the_site_reserves_comes_with_the_page(tdmrep: str, header: str, words: str) -> None:
    site = Site({TDMREP: tdmrep, "/a": ok("A", header)})
    assert get(site, "/a").reservation == words


def test_a_reservation_holds_for_an_unchanged_page_too() -> None:
    site = Site({TDMREP: '[{"location": "/", "tdm-reservation": 1}]', "/a": b"HTTP/1.1 304 Same\r\n\r\n"})
    fetched = visit(site, lambda polite, url: polite.fetch(f"{url}/a", etag='"1"'))
    assert isinstance(fetched, Fetched)
    assert fetched.status == 304
    assert fetched.reservation


def test_a_tdmrep_file_that_robots_txt_disallows_is_left_alone() -> None:
    site = Site({ROBOTS: "User-agent: *\nDisallow: /.well-known/", "/a": "A"})
    get(site, "/a")
    assert TDMREP not in site.asked


def test_robots_txt_is_fetched_behind_the_guard_too() -> None:
    async def run() -> None:
        async with HttpFetcher(contact=CONTACT) as http:
            with pytest.raises(Refused, match=r"http://169\.254\.169\.254/latest"):
                await PoliteFetcher(http).fetch("http://169.254.169.254/latest")

    asyncio.run(run())


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "http://[", "nonsense", "", "http://user@example.org/"]
)
def test_what_is_no_url_is_refused_in_words(url: str) -> None:
    async def run() -> None:
        async with HttpFetcher(contact=CONTACT) as http:
            with pytest.raises(Refused, match="cannot be fetched"):
                await PoliteFetcher(http).fetch(url)

    asyncio.run(run())


def test_an_origin_is_the_url_s_own_and_not_the_canonical_one_s() -> None:
    assert origin_of("HTTPS://Example.org:443/a?utm_source=x") == "https://example.org"
    assert origin_of("http://example.org:8080/") == "http://example.org:8080"
    cached = "https://example-org.cdn.ampproject.org/c/s/example.org/a"
    assert origin_of(cached) == "https://example-org.cdn.ampproject.org"


class AnswersWith:
    """A fetcher without a network: the same bytes for every address."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = ACCEPT_ANY,
        permit: Permit | None = None,
    ) -> Fetched:
        if permit is not None:
            await permit(url)
        return Fetched(url, 200, "", None, self._body)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet='[]{}":,location tdm-reservation01/*$').map(str.encode)
    )
)
def test_any_bytes_as_a_site_s_rules_raise_only_our_own_errors(body: bytes) -> None:
    with suppress(Refused):
        asyncio.run(PoliteFetcher(AnswersWith(body)).fetch("https://example.org/a"))


def test_rules_of_a_host_never_read_allow_nothing() -> None:
    memory = InMemory()
    memory.rules["https://example.org"] = HostRules("", "", None, NOW + timedelta(minutes=5), "it hangs")

    async def run() -> None:
        polite = PoliteFetcher(AnswersWith(b""), memory=memory, clock=Clock())
        with pytest.raises(Unavailable, match=r"cannot be read: it hangs$") as caught:
            await polite.fetch("https://example.org/a")
        assert caught.value.retry_after == timedelta(minutes=5)

    asyncio.run(run())
