from __future__ import annotations

import pytest

from tests.gather.pages.samples import URL, examine

TITLE = "<meta property='og:title' content='Bridge opens in May'>"


def canonical(link: str, *, url: str = URL) -> str:
    return examine(f"{TITLE}<link rel=canonical href='{link}'>", url=url).article.url


@pytest.mark.parametrize(
    ("fetched", "named"),
    [
        ("https://valley.example/amp/bridge-opens-in-may", "https://valley.example/news/bridge-opens-in-may"),
        ("https://amp.valley.example/news/bridge-opens", "https://www.valley.example/news/bridge-opens"),
        ("https://m.valley.example/news/bridge-opens", "https://valley.example/news/bridge-opens"),
        ("https://valley.example/?p=123", "https://valley.example/2026/11/bridge-opens-in-may"),
        ("https://valley.example/a/48213377", "https://valley.example/story-48213377"),
        ("https://valley.example/news/bridge-opens/2", "https://valley.example/news/bridge-opens"),
        ("https://valley.example/x/pont", "https://valley.example/bridge/opening"),
    ],
)
def test_a_plausible_address_of_the_page_is_believed(fetched: str, named: str) -> None:
    assert canonical(named, url=fetched) == named


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("https://valley.example/", "the site's front page"),
        ("https://valley.example/news/", "the section"),
        ("https://valley.example/news/pears-nobody-could-name", "shares nothing"),
        ("https://agency.example/news/bridge-opens-in-may", "another site"),
        ("javascript:alert(1)", "not an http(s) address"),
    ],
)
def test_another_address_is_not_believed_and_why_is_told(named: str, said: str) -> None:
    reading = examine(f"{TITLE}<link rel=canonical href='{named}'>")
    assert reading.article.url == URL
    assert said in reading.addresses[0].why
    assert not reading.addresses[0].is_believed
    assert reading.addresses[-1].is_believed


def test_the_same_article_in_another_language_is_another_article() -> None:
    url = "https://valley.example/de/bruecke-oeffnet"
    assert canonical("https://valley.example/en/bruecke-oeffnet", url=url) == url


def test_the_original_of_a_syndicated_article_is_kept_beside_its_own_address() -> None:
    named = "https://agency.example/2026/bridge-opens-in-may"
    reading = examine(f"{TITLE}<link rel=canonical href='{named}'>")
    assert reading.syndicated_from == named
    assert examine(TITLE).syndicated_from is None
