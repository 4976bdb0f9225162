"""The same pages on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from digest.domain.deliveries import DeliveryState
from digest.domain.subscribers import SubscriptionState
from digest.track.tokens import Purpose
from tests.samples import SPACE
from tests.servers.processes import free_port
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.test_editor import read
from tests.web.world import ADA, BEN, DRAFT, SENDING, contents, follows_of, populate, settle, state_of


@pytest.fixture
def postgres_site(migrated_postgres_url: str) -> Iterator[Site]:
    port = free_port()
    runtime = runtime_on(migrated_postgres_url, port)
    populate(runtime)
    with serving(runtime, port) as site:
        yield site
    runtime.engine.dispose()


def test_every_page_works_on_postgresql(postgres_site: Site) -> None:
    site = postgres_site
    before = contents(site.runtime.engine)
    assert site.get("/readyz").status_code == 200
    assert "16–22 November 2026 Issue 1 · 12 articles · 2 waiting" in read(site, "/")
    assert "Addressed to 2 readers in 2 editions" in read(site, f"/issues/{SENDING}")
    assert "is not an e-mail address" in read(site, f"/issues/{DRAFT}/preview?as=%00@example.org")
    assert "8 of 12 articles, and why" in read(site, f"/issues/{SENDING}/preview?as={ADA}")
    assert site.get(f"/issues/{2**31}").status_code == 404
    assert site.get("/?newsletter=%00").status_code == 422, "PostgreSQL has no NUL"
    assert "The lander" in site.get(site.link(Purpose.ONLINE, BEN)).text
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
        assert "The Saturday Reader" in read(site, site.link(purpose, BEN))
    broken = site.get("/preferences/1.1.x")
    for numbers in ("1.9999999999", f"{2**31}.1", "1.9223372036854775807"):
        found = site.get(f"/preferences/{numbers}.x")
        assert (found.status_code, found.text) == (404, broken.text)
    assert contents(site.runtime.engine) == before
    site.post(site.link(Purpose.PREFERENCES, ADA), save="topics", topic=["space"])
    asked = site.link(Purpose.PREFERENCES, BEN)
    for path, form in (
        ("/mute/space", {"act": "mute"}),
        ("/less", {"end": "mute:space"}),
        ("/less", {"end": "source:\x00"}),
    ):
        assert site.client.post(asked + path, data=form, follow_redirects=True).status_code == 200
    settle(site.runtime.engine, BEN, DeliveryState.ACCEPTED)
    article = re.search(r"/fewer/1/\d+", site.get(site.link(Purpose.ONLINE, BEN)).text)
    assert article
    assert 'value="every"' in site.post(asked + article[0], act="single").text
    useful = article[0].replace("fewer", "useful")
    assert 'value="nothing"' in site.post(asked + useful, say="useful").text
    link = site.link(Purpose.UNSUBSCRIBE, BEN)
    site.post(link)
    assert "Thank you" in site.post(f"{link}/why", reason="other", words="\x00").text
    site.post(f"{link}/undo")
    site.post(f"{link}/all")
    assert follows_of(site.runtime.engine, ADA) == {SPACE}
    assert state_of(site.runtime.engine, BEN) is SubscriptionState.UNSUBSCRIBED
