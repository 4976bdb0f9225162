"""Subscribers found by a part of their address, on both databases and in the same order."""

import pytest
from sqlalchemy import Engine

from digest.domain.newsletters import Newsletter
from digest.store.database import reading
from digest.store.reader_search import readers_that_begin, readers_that_hold
from tests.stored import CLIMATE, stored_newsletter, stored_reader

ADDRESSES = (
    "ann@example.org",
    "Anna.Berg@example.org",
    "annabel@example.org",
    "ann_a@example.org",
    "ann%a@example.org",
    "joanna@example.org",
    "bo@anna.example.org",
    "änna@example.org",
)


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    newsletter = stored_newsletter(engine)
    other = stored_newsletter(engine, slug="other")
    for address in ADDRESSES:
        stored_reader(engine, newsletter, address, CLIMATE)
    stored_reader(engine, other, "anna@elsewhere.example.org")
    return newsletter


def begin(engine: Engine, newsletter: Newsletter, text: str, **page: object) -> list[str]:
    with reading(engine) as session:
        found = readers_that_begin(session, newsletter.id, text, **{"limit": 10, **page})  # type: ignore[arg-type]
        return [one.email for one in found]


def hold(engine: Engine, newsletter: Newsletter, text: str) -> list[str]:
    with reading(engine) as session:
        return [one.email for one in readers_that_hold(session, newsletter.id, text, limit=10)]


def test_addresses_that_begin_so_are_found_in_the_order_of_their_bytes(
    engine: Engine, newsletter: Newsletter
) -> None:
    assert begin(engine, newsletter, "anna") == ["Anna.Berg@example.org", "annabel@example.org"]
    assert begin(engine, newsletter, "ANNA.") == ["Anna.Berg@example.org"]
    assert begin(engine, newsletter, "ann") == [
        "ann%a@example.org",
        "ann@example.org",
        "ann_a@example.org",
        "Anna.Berg@example.org",
        "annabel@example.org",
    ]
    assert begin(engine, newsletter, "ä") == ["änna@example.org"]


def test_pages_hold_each_once(engine: Engine, newsletter: Newsletter) -> None:
    whole = begin(engine, newsletter, "ann")
    first = begin(engine, newsletter, "ann", limit=2)
    second = begin(engine, newsletter, "ann", limit=2, after=first[-1].lower())
    assert whole[:4] == first + second


def test_addresses_that_hold_it_elsewhere_are_found_apart(engine: Engine, newsletter: Newsletter) -> None:
    assert hold(engine, newsletter, "anna") == ["bo@anna.example.org", "joanna@example.org"]
    assert hold(engine, newsletter, "n_a") == ["ann_a@example.org"], "an underscore is one"
    assert hold(engine, newsletter, "n%a") == ["ann%a@example.org"]
    assert hold(engine, newsletter, "zzz") == []
