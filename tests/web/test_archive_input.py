"""What strangers ask the public archive for, and hostile words in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from digest.compose.markup import outline
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import Topic
from digest.store.base import storable
from digest.store.database import writing
from digest.store.newsletters import change_newsletter, change_topic
from tests.compose.test_hostile_text import HOSTILE
from tests.samples import CLIMATE, ITEMS, sample_issue
from tests.web.archive_pages import FEEDS, PAGES, schema_of
from tests.web.archived import HOME, THIRD, retell
from tests.web.site import Site

_ADDRESSES = [
    "/archive",
    "/archive/",
    "/archive//",
    "/archive/%00",
    "/archive/saturday%00",
    "/archive/SATURDAY",
    "/archive/..%2F..%2Fetc",
    "/archive/%3Cscript%3Ealert(1)%3C/script%3E",
    "/archive/" + "a" * 9_000,
    "/archive/saturday/0",
    "/archive/saturday/-1",
    "/archive/saturday/1.5",
    "/archive/saturday/99999999999999999999",
    f"/archive/saturday/{2**31}",
    "/archive/saturday/２",
    "/archive/saturday/feed.exe",
    "/archive/saturday/articles.xml",
    "/archive/saturday/1/2/3",
]


@pytest.mark.parametrize("path", _ADDRESSES)
def test_addresses_that_lead_nowhere_are_told_so_in_words(path: str, archive: Site) -> None:
    response = archive.get(path)
    assert response.status_code == 404
    assert "not in the archive" in response.text or "There is no such page" in response.text
    assert 'href="/"' not in response.text, "the desk is not for visitors"
    assert "alert(1)" not in response.text


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (f"{HOME}/", HOME),
        (f"{HOME}//?topic=space&topic=food", f"{HOME}?topic=space&topic=food"),
        (f"{HOME}/topics/", f"{HOME}/topics"),
        (f"{HOME}/3/?topic=space", f"{HOME}/3?topic=space"),
        (f"{HOME}/issues.atom/", f"{HOME}/issues.atom"),
    ],
)
def test_a_slash_at_the_end_leads_to_the_page_itself(path: str, to: str, archive: Site) -> None:
    for asked in (archive.client.get, archive.client.head):
        response = asked(path)
        assert (response.status_code, response.headers["location"]) == (308, to)
    assert archive.get(to).status_code == 200
    assert archive.client.post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/archive//evil.example.org/",
        "/archive/%2F%2Fevil.example.org/",
        "/archive/saturday%3Ftopic=x%23y/",
        "/archive/%E2%80%AE/?%00",
    ],
)
def test_a_slash_at_the_end_leads_to_nobody_elses_site(path: str, archive: Site) -> None:
    response = archive.get(path)
    assert response.status_code == 308
    assert response.headers["location"].isascii()
    assert response.headers["location"].startswith("/archive/")
    assert archive.get(response.headers["location"]).status_code == 404


def test_a_slash_at_the_end_leads_on_below_a_path_too(
    open_site: Callable[..., Site], archive_database: Path
) -> None:
    site = open_site(archive_database, public_url="https://example.org/letters")
    for path in (f"{HOME}/", f"/letters{HOME}/"):
        assert site.get(path).headers["location"] == f"/letters{HOME}"


@pytest.mark.parametrize("query", ["before=0", "before=x", f"after={2**31}", "before=-3", "after=%00"])
def test_numbers_that_are_none_are_refused_in_words(query: str, archive: Site) -> None:
    response = archive.get(f"{HOME}?{query}")
    assert response.status_code == 422
    assert "That address is not complete" in response.text


def test_an_archive_can_only_be_read(archive: Site) -> None:
    for path in [*PAGES, *FEEDS]:
        assert archive.client.post(path).status_code == 405
        head = archive.client.head(path)
        assert (head.status_code, head.content) == (200, b"")


def test_hostile_words_are_words_on_every_page(own_archive: Site) -> None:
    poison = " ".join(HOSTILE)
    item = replace(
        ITEMS[0],
        position=0,
        title=poison,
        source=poison,
        takeaways=(poison,),
        url="https://example.org/?'\"<>",
    )
    content = sample_issue(items=(item,), newsletter=poison, subject=poison, preheader=poison, intro=poison)
    topics = tuple(replace(topic, name=poison) for topic in content.topics)
    with writing(own_archive.runtime.engine) as session:
        retell(session, replace(content, topics=topics, number=3))
        stored = storable(poison)
        change_newsletter(session, NewsletterId(1), name=stored[:200], postal_address=stored[:500])
        change_topic(session, NewsletterId(1), Topic(CLIMATE, stored[:200], stored[:1000]))
    for path in [*PAGES, f"{HOME}/{THIRD}"]:
        page = own_archive.get(path).text
        assert page.count("<script") == page.count('<script type="application/ld+json">') <= 1, path
        seen = outline(page)
        assert not seen.imbalance, path
        assert not seen.named("svg", "iframe", "style", "object", "base"), path
        given = [pair for element in seen.elements for pair in element.attributes.items()]
        assert not [name for name, _ in given if name.startswith("on") or name == "style"], path
        assert not [url for name, url in given if name in ("href", "src") and "script:" in url[:20]], path
    assert schema_of(own_archive.get(f"{HOME}/{THIRD}").text)["hasPart"][0]["inLanguage"] == "en"
