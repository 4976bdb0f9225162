from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.gather.pages.samples import examine, json_ld, prose

META = "<meta property='article:published_time' content='2026-11-20T09:00:00Z'>"


def test_dates_are_believed_in_falling_trust_and_all_are_shown() -> None:
    head = json_ld('"datePublished": "2026-11-19T07:00:00Z"') + META
    reading = examine(head, url="https://valley.example/2026/11/18/bridge")
    assert reading.article.published_at == datetime(2026, 11, 19, 7, tzinfo=UTC)
    assert [(found.where, found.is_believed) for found in reading.dates] == [
        ("JSON-LD datePublished", True),
        ("meta article:published_time", False),
        ("the address", False),
    ]


def test_a_date_that_cannot_be_is_passed_over_with_the_reason() -> None:
    reading = examine(json_ld('"datePublished": "2031-01-01"') + META)
    assert reading.article.published_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert "in the future" in reading.dates[0].why


@pytest.mark.parametrize(
    "path", ["/2026/11/18/bridge", "/2026/nov/18/bridge", "/news/20261118/bridge", "/2026-11-18-bridge"]
)
def test_without_any_declared_date_the_address_tells_the_day(path: str) -> None:
    assert examine(url=f"https://valley.example{path}").article.published_at == datetime(
        2026, 11, 18, 12, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "line",
    [
        "<span class='post-date'>November 18, 2026</span>",
        "<p class='byline'>Von Ada Berg, 18. November 2026</p>",
        "<div class='date'>Publié le 18 novembre 2026</div>",
        "<time>18 de noviembre de 2026</time>",
        "<span class='datum'>18.11.2026</span>",
        "<time>2026年11月18日</time>",
    ],
)
def test_a_day_in_words_beside_the_headline_is_read(line: str) -> None:
    article = examine(body=f"<h1>Bridge opens in May</h1>{line}{prose()}").article
    assert article.published_at == datetime(2026, 11, 18, 12, tzinfo=UTC)


def test_when_it_was_changed_is_told_apart() -> None:
    head = json_ld('"datePublished": "2026-11-19T07:00:00Z", "dateModified": "2026-11-21T08:00:00Z"')
    reading = examine(head)
    assert reading.article.published_at == datetime(2026, 11, 19, 7, tzinfo=UTC)
    assert reading.modified_at == datetime(2026, 11, 21, 8, tzinfo=UTC)
