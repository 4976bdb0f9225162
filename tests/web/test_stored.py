"""What is stored of a reader, by the link in their mail: shown, taken along as a file, and erased."""

from __future__ import annotations

import json

import pytest

from digest.domain.newsletters import NewsletterId
from digest.store.database import reading, writing
from digest.store.newsletters import change_newsletter
from digest.store.subscribers import find_subscription
from digest.track.tokens import Purpose
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, contents


def test_all_that_is_stored_is_shown_in_words_and_nothing_of_others(still_site: Site) -> None:
    told = text_of(still_site.get(f"{still_site.link(Purpose.PREFERENCES, ADA)}/stored").text)
    for words in ("What you subscribed to", "Topics you follow", "Issues mailed to you", "climate", ADA):
        assert words in told
    assert BEN not in told
    assert "State pending" in told


def test_the_file_has_all_of_it(still_site: Site) -> None:
    answer = still_site.get(f"{still_site.link(Purpose.PREFERENCES, ADA)}/stored.json")
    data = json.loads(answer.text)
    assert data["address"] == ADA
    assert {"reader", "subscriptions", "follows", "mails"} <= data.keys()
    assert answer.headers["content-disposition"] == 'attachment; filename="stored.json"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_what_is_stored_is_named_in_the_readers_language(language: str, site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), language=language)
    told = text_of(site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored").text)
    assert "Topics you follow" not in told
    assert "Message-ID" in told


def test_nothing_is_erased_before_its_reader_is_sure(site: Site) -> None:
    link = f"{site.link(Purpose.PREFERENCES, ADA)}/erase"
    before = contents(site.runtime.engine)
    assert "This cannot be undone" in site.get(link).text
    unsure = site.post(link)
    assert unsure.status_code == 422
    assert "Nothing was erased: tick that you are sure first." in unsure.text
    assert contents(site.runtime.engine) == before


def test_who_is_sure_is_erased_and_their_links_lead_nowhere(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    erased = site.post(f"{link}/erase", sure="yes")
    assert erased.status_code == 200
    assert "Nothing is stored about you any more" in erased.text
    assert ADA not in erased.text
    with reading(site.runtime.engine) as session:
        assert find_subscription(session, NewsletterId(1), ADA) is None
        assert find_subscription(session, NewsletterId(1), BEN) is not None
    for path in (link, f"{link}/stored", f"{link}/stored.json", f"{link}/erase"):
        assert site.get(path).status_code == 404
    assert site.post(f"{link}/erase", sure="yes").status_code == 404
