"""Who follows a link is told from what opens all of them, by what they say and how fast they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.clicks import ArticleLink, link_number, target_of
from digest.domain.issues import IssueId
from digest.store.clicks import Hit
from digest.track.clicks import ClickLinks, is_burst, is_by_hand, once_each
from digest.track.tokens import Tokens

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def hits_at(*seconds: float, links: int = 100) -> list[Hit]:
    """Hits of one visitor at these seconds, each on another link until there are no more."""
    return [
        Hit("v", IssueId(1), NOW + timedelta(seconds=at), number % links, "climate", "Meridian", number + 1)
        for number, at in enumerate(seconds)
    ]


def test_a_browser_that_opens_a_link_may_be_a_person() -> None:
    assert is_by_hand("GET", {"user-agent": FIREFOX})
    assert is_by_hand("GET", {"user-agent": FIREFOX, "sec-fetch-mode": "navigate"})
    assert is_by_hand("GET", {"user-agent": "Mozilla/5.0 (Linux; Android 14; CUBOT P80) Chrome/140.0 Mobile"})


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {"user-agent": FIREFOX}),
        ("GET", {}),
        ("GET", {"user-agent": " "}),
        ("GET", {"user-agent": FIREFOX, "purpose": "prefetch"}),
        ("GET", {"user-agent": FIREFOX, "sec-purpose": "prefetch;prerender"}),
        ("GET", {"user-agent": FIREFOX, "x-purpose": "preview"}),
        ("GET", {"user-agent": FIREFOX, "x-moz": "prefetch"}),
        ("GET", {"user-agent": FIREFOX, "sec-fetch-mode": "no-cors"}),
        ("GET", {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"user-agent": "BarracudaCentral Link Scanner"}),
        ("GET", {"user-agent": "Mozilla/5.0 (compatible; Mimecast)"}),
        ("GET", {"user-agent": "curl/8.14.1"}),
        ("GET", {"user-agent": "python-requests/2.32"}),
        ("GET", {"user-agent": "Mozilla/5.0 HeadlessChrome/140.0"}),
        ("GET", {"user-agent": "BingPreview/1.0b"}),
    ],
)
def test_what_says_that_nobody_followed_the_link_is_no_person(method: str, headers: dict[str, str]) -> None:
    assert not is_by_hand(method, headers)


@pytest.mark.parametrize(
    ("seconds", "links", "expected"),
    [
        ((0.0,), 9, False),
        ((0.0, 0.9), 9, True),
        ((0.0, 1.5), 9, False),
        ((0.0, 0.1, 0.2, 0.3), 1, False),
        ((0.0, 2.4, 4.8, 7.2), 9, False),
        ((0.0, 2.4, 4.8, 7.2, 9.6), 9, True),
        ((0.0, 3.0, 6.0, 9.0, 12.0, 15.0), 9, False),
        ((0.0, 60.0, 120.0, 120.2), 9, True),
    ],
)
def test_many_links_at_once_are_a_program_s(seconds: tuple[float, ...], links: int, expected: bool) -> None:
    assert is_burst(hits_at(*seconds, links=links)) is expected


def test_a_link_that_was_opened_twice_counts_once() -> None:
    hits = hits_at(0, 2, 4, 6, links=2)
    assert once_each(hits) == hits[:2]


def test_a_counted_link_leads_to_its_article_and_any_other_where_it_says() -> None:
    links = ClickLinks("https://digest.example.org", Tokens(["a key of thirty-two letters or so"]))
    token = links.token(IssueId(3), link_number("https://example.org/a", 0))
    known = {token: ArticleLink("https://example.org/a", 0, "climate", "Meridian")}
    assert target_of(f"{links.address(token)}/7", known) == "https://example.org/a"
    for other in ("https://example.org/b/c/d", "https://digest.example.org/online/x", "Tides", ""):
        assert target_of(other, known) == other


def test_an_address_has_another_number_under_each_topic() -> None:
    numbers = {link_number(f"https://example.org/{n}", topic) for n in range(200) for topic in range(61)}
    assert len(numbers) == 200 * 61
