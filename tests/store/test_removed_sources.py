"""What stays of a source that an editor removed, and what becomes of it when it is added again."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.errors import Conflict
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Excerpt, Source, SourceState, Standing
from digest.gather.urls import comparison_key
from digest.store.database import reading, writing
from digest.store.polls import claim_due_sources, has_due_sources, record_move, record_standing, retire_source
from digest.store.sources import (
    NewSource,
    add_sources,
    change_source,
    list_sources,
    remove_source,
    sources_ever,
)
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_source


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


@pytest.fixture
def removed(engine: Engine, newsletter: Newsletter) -> Source:
    source = stored_source(engine, newsletter, "Meridian", excerpt=Excerpt.HEADLINE, topics=(CLIMATE,))
    with writing(engine) as session:
        standing = Standing(etag="x", polled_at=NOW, failures=3, last_error="no answer", next_poll_at=NOW)
        record_standing(session, source, standing, reservation="noai")
        remove_source(session, source.id)
    return source


def ever(engine: Engine, newsletter: Newsletter) -> dict[str, Source]:
    with reading(engine) as session:
        return {source.name: source for source in sources_ever(session, newsletter.id)}


def add(engine: Engine, newsletter: Newsletter, *sources: NewSource) -> tuple[str, ...]:
    with writing(engine) as session:
        return add_sources(session, newsletter.id, sources, now=NOW, key=comparison_key)


def test_a_removed_source_is_not_polled_and_keeps_its_terms(
    engine: Engine, newsletter: Newsletter, removed: Source
) -> None:
    with writing(engine) as session:
        retire_source(session, removed)  # by a poll that was under way
        assert list_sources(session, newsletter.id) == ()
        assert not has_due_sources(session, now=NOW + timedelta(days=9))
        assert claim_due_sources(session, now=NOW, lease=timedelta(minutes=1), limit=9) == ()
    kept = ever(engine, newsletter)["Meridian"]
    assert (kept.state, kept.excerpt, kept.topics) == (SourceState.REMOVED, Excerpt.HEADLINE, (CLIMATE,))


@pytest.mark.parametrize(
    "new",
    [
        NewSource("Meridian", "https://meridian.example.org/feed"),
        NewSource("Meridian", "https://elsewhere.example.org/feed"),
        NewSource("Another name", "http://www.meridian.example.org/feed/"),
    ],
)
def test_a_source_that_is_added_again_has_its_articles_on_new_terms_and_is_polled_anew(
    engine: Engine, newsletter: Newsletter, removed: Source, new: NewSource
) -> None:
    assert add(engine, newsletter, new, NewSource("Fresh", "https://fresh.example.org/")) == (new.name,)
    again = ever(engine, newsletter)[new.name]
    assert again.id == removed.id
    assert (again.url, again.excerpt, again.topics) == (new.url, Excerpt.TAKEAWAYS, ())
    assert (again.state, again.standing, again.reservation) == (SourceState.ACTIVE, Standing(), "")
    with reading(engine) as session:
        assert len(list_sources(session, newsletter.id)) == 2


def test_a_removed_source_gives_up_what_another_is_to_have(
    engine: Engine, newsletter: Newsletter, removed: Source
) -> None:
    renamed, moved = (stored_source(engine, newsletter, name) for name in ("Aurora", "Borealis"))
    with writing(engine) as session:
        change_source(session, renamed.id, name="Meridian")
        assert record_move(session, moved, removed.url)
    found = ever(engine, newsletter)
    assert found["Meridian"].id == renamed.id
    assert found["Borealis"].url == removed.url
    assert found[f"Meridian (former, {removed.id})"].excerpt is Excerpt.HEADLINE


def test_of_two_removed_sources_the_one_of_the_same_name_comes_back(
    engine: Engine, newsletter: Newsletter, removed: Source
) -> None:
    other = stored_source(engine, newsletter, "Aurora")
    with writing(engine) as session:
        remove_source(session, other.id)
    assert add(engine, newsletter, NewSource("Aurora", removed.url)) == ("Aurora",)
    found = ever(engine, newsletter)
    assert (found["Aurora"].id, found["Aurora"].url) == (other.id, removed.url)
    assert found["Meridian"].state is SourceState.REMOVED


def test_a_name_is_refused_also_when_two_sources_have_come_to_one_address(
    engine: Engine, newsletter: Newsletter
) -> None:
    first, second = (stored_source(engine, newsletter, name) for name in ("Aurora", "Borealis"))
    with writing(engine) as session:
        change_source(session, first.id, url=f"{second.url}/")
    for name in ("Aurora", "Borealis"):
        with pytest.raises(Conflict, match=f"a source '{name}' exists already"):
            add(engine, newsletter, NewSource(name, "https://new.example.org/feed"))


def test_what_an_address_reserved_is_not_said_of_the_next(engine: Engine, newsletter: Newsletter) -> None:
    source = stored_source(engine, newsletter, "Aurora")
    with writing(engine) as session:
        record_standing(session, source, Standing(), reservation="noai")
        change_source(session, source.id, url="https://new.example.org/feed")
    assert ever(engine, newsletter)["Aurora"].reservation == ""


@pytest.mark.parametrize(
    "spelling",
    [
        "http://meridian.example.org/feed",
        "https://MERIDIAN.example.org:443/feed/",
        "https://www.meridian.example.org/feed?utm_source=opml",
    ],
)
def test_another_spelling_of_an_address_is_no_other_source(
    engine: Engine, newsletter: Newsletter, spelling: str
) -> None:
    source = stored_source(engine, newsletter, "Meridian")
    with pytest.raises(Conflict, match=f"as 'Meridian', written {source.url}; nothing was added"):
        add(engine, newsletter, NewSource("New", spelling))
