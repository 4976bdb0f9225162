"""Counted links: where they lead, what is counted of them, and that old ones lead on for good."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from digest.compose.steps import compose, pieces_of
from digest.domain.clicks import Clicks
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.runtime import Runtime
from digest.store.clicks import ClickCount, clicks_of, waiting_hits
from digest.store.database import reading, writing
from digest.store.newsletters import change_newsletter
from digest.track.counting import settle_hits
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, ITEMS
from tests.waiting import wait_until
from tests.web.conftest import Fill
from tests.web.site import Site
from tests.web.test_mailed_links import mails_of
from tests.web.world import (
    ADA,
    BEN,
    NEXT_WEEK,
    NOW,
    SENDING,
    THIS_WEEK,
    a_week_later,
    add_articles,
    add_readers,
    add_sample_newsletter,
    contents,
    send_to_all,
)

COUNTED = re.compile(r"https?://[^/\s]+(/c/[^\"'<>\s]+)")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="session")
def counted_database(filled_once: Fill) -> Path:
    return filled_once("counted.db", populate_counted)


def populate_counted(runtime: Runtime) -> None:
    """As `populate`, of a newsletter that has clicks counted."""
    newsletter = add_sample_newsletter(runtime.engine, clicks=Clicks.COUNTED)
    add_articles(runtime.engine, newsletter, ITEMS)
    add_articles(runtime.engine, newsletter, map(a_week_later, ITEMS[2:5]))
    add_readers(runtime.engine, newsletter)
    send_to_all(runtime, newsletter, THIS_WEEK)
    compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW)


@pytest.fixture
def site(open_site: Callable[..., Site], counted_database: Path) -> Site:
    return open_site(counted_database, trusted_proxies=("127.0.0.1",))


def article_links(site: Site, reader: str = ADA) -> list[str]:
    """The counted links of a reader's mail as paths, in the order of their places."""
    bodies = [mails_of(site)[reader].get_body((kind,)) for kind in ("html", "plain")]
    links = {link for body in bodies if body for link in COUNTED.findall(body.get_content())}
    return sorted(links, key=lambda link: int(link.rpartition("/")[2]))


def follow(
    site: Site, path: str, *, client: str = "8.8.8.8", agent: str = FIREFOX, method: str = "GET"
) -> str:
    """Open a link as somebody there does; return where it leads."""
    answer = site.client.request(method, path, headers={"X-Forwarded-For": client, "User-Agent": agent})
    assert answer.status_code == 302, answer.text
    assert answer.headers["referrer-policy"] == "no-referrer", "the publisher learns nothing of our link"
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.headers["location"])


def counted(site: Site, *, after: timedelta = timedelta(minutes=1)) -> tuple[ClickCount, ...]:
    """What was counted, once nobody follows links any more."""
    settle_hits(site.runtime.engine, now=NOW + after)
    with reading(site.runtime.engine) as session:
        assert waiting_hits(session, most=1) == []
        return clicks_of(session, [SENDING])


def written(site: Site, hits: int) -> None:
    """Wait until so many hits are kept: the answer does not wait for it."""

    def are_there() -> bool:
        with reading(site.runtime.engine) as session:
            return len(waiting_hits(session, most=hits + 1)) == hits

    wait_until(are_there)


def test_every_link_of_a_mail_leads_to_its_article_and_says_where_it_stood(site: Site) -> None:
    own = article_links(site)
    places = [int(link.rpartition("/")[2]) for link in own]
    assert sorted(set(places)) == list(range(1, max(places) + 1))
    pieces = pieces_of(site.runtime.engine, SENDING, template_of=site.runtime.template)
    known = {link.url for link in pieces.rendered.links.values()}
    assert {follow(site, link) for link in own} <= known
    assert all(item.url in known for item in ITEMS)


def test_all_readers_have_the_same_links(site: Site) -> None:
    def tokens(reader: str) -> set[str]:
        return {link.split("/")[2] for link in article_links(site, reader)}

    pieces = pieces_of(site.runtime.engine, SENDING, template_of=site.runtime.template)
    assert tokens(ADA) | tokens(BEN) <= set(pieces.rendered.links), "none of them says whose it is"


def test_a_followed_link_is_counted_by_article_topic_source_and_place(site: Site) -> None:
    first = article_links(site)[0]
    url = follow(site, first)
    written(site, 1)
    (one,) = counted(site)
    item = next(item for item in ITEMS if item.url == url)
    assert (one.issue_id, one.topic, one.source, one.place) == (SENDING, CLIMATE, item.source, 1)
    assert (one.followed, one.left_out) == (1, 0)


def test_scanners_are_not_counted(site: Site) -> None:
    links = article_links(site)
    for link in links:
        follow(site, link, method="HEAD")
        follow(site, link, agent="BarracudaCentral")
    for link in links:
        follow(site, link, client="9.9.9.9")
    # This clock stands still: what is opened is opened at one moment.
    follow(site, links[0])
    written(site, len(links) + 1)
    found = counted(site)
    assert sum(one.followed for one in found) == 1
    assert sum(one.left_out for one in found) == len(links)


def test_a_link_only_leads_where_its_issue_does(site: Site) -> None:
    token = article_links(site)[0].split("/")[2]
    other = site.runtime.tokens.sign(Purpose.CLICK, SENDING, 12345)
    online = site.link(Purpose.ONLINE, ADA).rpartition("/")[2]
    gone = site.runtime.tokens.sign(Purpose.CLICK, IssueId(99), 1)
    forged = token[:-2] + ("AB" if token[-2:] != "AB" else "BA")
    for path in (
        f"/c/{other}/1",
        f"/c/{online}/1",
        f"/c/{gone}/1",
        f"/c/{forged}/1",
        "/c/x",
        f"/c/{token}/a",
    ):
        answer = site.get(path)
        assert answer.status_code == 404, path
        assert "location" not in answer.headers
    answer = site.get(f"/c/{token}/1?url=https://elsewhere.example.net/")
    assert "elsewhere" not in answer.headers["location"]
    assert follow(site, f"/c/{token}") == follow(site, f"/c/{token}/{10**9}"), (
        "its place is no part of the way"
    )


def test_following_a_link_changes_nothing_but_counts(site: Site) -> None:
    before = contents(site.runtime.engine)
    for link in article_links(site):
        follow(site, link)
        follow(site, link, method="HEAD")
    written(site, len(article_links(site)))
    counted(site)
    after = contents(site.runtime.engine)
    assert {name for name in after if after[name] != before[name]} == {"clicks"}


def test_a_newsletter_that_counts_no_more_keeps_its_old_links_alive(site: Site) -> None:
    link = article_links(site)[0]
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), clicks=Clicks.OFF)
    assert follow(site, link).startswith("https://")
    assert counted(site) == ()


def test_a_draft_s_links_work_in_mails_that_test_it_and_are_not_counted(site: Site) -> None:
    draft = IssueId(2)
    pieces = pieces_of(site.runtime.engine, draft, template_of=site.runtime.template)
    token, link = next(iter(pieces.rendered.links.items()))
    assert follow(site, f"/c/{token}/1") == link.url
    settle_hits(site.runtime.engine, now=NOW + timedelta(minutes=1))
    with reading(site.runtime.engine) as session:
        assert waiting_hits(session, most=1) == []
        assert clicks_of(session, [draft]) == ()


def test_the_mail_says_that_its_links_are_counted_and_the_desk_shows_it_as_it_is_sent(site: Site) -> None:
    (html, plain) = (mails_of(site)[ADA].get_body((kind,)) for kind in ("html", "plain"))
    assert html
    assert plain
    for body in (html, plain):
        assert "We count how often links in this mail are followed" in " ".join(body.get_content().split())
    shown = site.get(f"/issues/{SENDING}/preview/mail?as={ADA}").text
    assert COUNTED.findall(shown) == COUNTED.findall(html.get_content())
    assert "/c/" not in site.get("/archive/saturday").text


def test_without_it_links_lead_to_their_articles_directly(
    open_site: Callable[..., Site], filled_database: Path
) -> None:
    plain = mails_of(open_site(filled_database))[ADA].get_body(("html",))
    assert plain
    assert "/c/" not in plain.get_content()
    assert "We count" not in plain.get_content()
    assert ITEMS[0].url in plain.get_content()
