"""The same pages on PostgreSQL."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from digest.domain.deliveries import DeliveryState
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.store.database import writing
from digest.store.reader_choices import Choices, store_choices
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, SPACE
from tests.servers.processes import free_port
from tests.waiting import PATIENCE
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.test_editor import read
from tests.web.world import (
    ADA,
    BEN,
    DRAFT,
    SENDING,
    contents,
    follows_of,
    populate,
    reader_id,
    settle,
    state_of,
)


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


def test_a_form_of_settings_that_is_sent_twice_at_once_is_stored(postgres_site: Site) -> None:
    engine, link = postgres_site.runtime.engine, postgres_site.link(Purpose.PREFERENCES, ADA)
    first = Choices(frozenset({SPACE, CLIMATE}))
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as another:
        with writing(engine) as session:
            store_choices(session, NewsletterId(1), reader_id(engine, ADA), first)
            second = another.submit(postgres_site.post, link, save="topics", topic=["space"], form="html")
            deadline = time.monotonic() + PATIENCE
            while not session.scalar(waits):
                assert time.monotonic() < deadline, "the second one waits for the first"
                time.sleep(0.01)
        assert second.result().status_code == 200
    assert follows_of(engine, ADA) == {SPACE}
