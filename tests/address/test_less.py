"""Addressing, counting beforehand and explaining agree on what readers want less of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.address.explain import explain
from digest.compose.audience import audience_of
from digest.compose.steps import Pieces
from digest.domain.issues import IssueContent, IssueTopic, Item
from digest.domain.subscribers import SkipReason
from digest.store import less
from digest.store.contents import record_content
from digest.store.database import reading, writing
from digest.store.newsletters import newsletter_by_id, topic_ids
from digest.store.revisions import get_outline, get_rendered
from tests.address.audience import Audience
from tests.stored import CITIES, CLIMATE, NOW, SPACE, WINDOW, stored_newsletter

BEFORE = WINDOW.start
"""When readers said so: before the issue was addressed."""

SOURCES = ("Meridian", "Harbour Post", "Meridian", "Meridian")


@pytest.fixture
def told(audience: Audience) -> Audience:
    """An issue of which it is known where its articles are from: climate, space+climate, space, cities."""
    with writing(audience.engine) as session:
        outline = get_outline(session, audience.issue)
        items = tuple(
            Item(at, f"https://example.org/{at}", f"Article {at}", source, (), topics, WINDOW.end.date(), 1)
            for at, (source, topics) in enumerate(zip(SOURCES, outline.items, strict=True))
        )
        content = IssueContent(
            newsletter="The Weekly",
            language="en",
            first_day=WINDOW.start.date(),
            last_day=WINDOW.end.date(),
            sender_name="The Weekly",
            postal_address="",
            topics=tuple(IssueTopic(slug, slug) for slug in outline.topics),
            items=items,
        )
        record_content(session, audience.issue, content)
    return audience


def mute(audience: Audience, name: str, topic: str, *, days: int) -> None:
    """Mute a topic until so many days after the last of the issue."""
    who = audience.add(name, CLIMATE, SPACE)
    with writing(audience.engine) as session:
        number = topic_ids(session, audience.newsletter.id)[topic]  # type: ignore[index]
        less.mute_topic(session, who, number, until=WINDOW.end + timedelta(days=days), now=BEFORE)


def test_what_readers_want_less_of_is_left_out_and_nobody_elses(told: Audience) -> None:
    told.add("all", CLIMATE, SPACE)
    mute(told, "muted", CLIMATE, days=1)
    mute(told, "over", CLIMATE, days=-1)
    single, source = told.add("single", CLIMATE, SPACE), told.add("source", CLIMATE, SPACE)
    nothing = told.add("nothing", CITIES)
    with writing(told.engine) as session:
        ids = topic_ids(session, told.newsletter.id)
        less.set_single(session, single, ids[SPACE], is_single=True)
        for who in (source, nothing):
            less.set_unwanted(session, told.newsletter.id, who, "Meridian", is_unwanted=True)
    counted = counted_before(told)
    told.address()
    assert told.planned == {
        "all@example.org": "climate:0;space:1,2",
        "muted@example.org": "space:1,2",
        "over@example.org": "climate:0;space:1,2",
        "single@example.org": "climate:0;space:1",
        "source@example.org": "space:1",
    }
    assert told.skipped == {"nothing@example.org": SkipReason.WANTS_LESS}
    assert counted == (
        {"climate:0;space:1,2": 2, "space:1,2": 1, "climate:0;space:1": 1, "space:1": 1},
        {SkipReason.WANTS_LESS: 1},
    )


def counted_before(told: Audience) -> tuple[dict[str, int], dict[SkipReason, int]]:
    with reading(told.engine) as session:
        pieces = Pieces(
            told.issue,
            newsletter_by_id(session, told.newsletter.id),
            get_rendered(session, told.issue),
            get_outline(session, told.issue),
            sources=SOURCES,
        )
    found = audience_of(told.engine, pieces)
    return {edition.key: count for edition, count in found.readers.items()}, dict(found.skipped)


def test_it_is_explained(told: Audience) -> None:
    mute(told, "anna", CLIMATE, days=1)
    why = explain(told.engine, told.issue.id, "anna@example.org")
    assert [item.reason for item in why.items] == [
        "follows Climate, but muted Climate until 2026-11-24",
        "follows Space",
        "follows Space",
        "is about Cities, which they do not follow",
    ]
    who = told.add("ben", SPACE)
    with writing(told.engine) as session:
        less.set_single(session, who, topic_ids(session, told.newsletter.id)[SPACE], is_single=True)
    reasons = [item.reason for item in explain(told.engine, told.issue.id, "ben@example.org").items]
    assert reasons[1:3] == ["follows Space", "follows Space, but wants no more than one article of Space"]
    with writing(told.engine) as session:
        less.set_unwanted(session, told.newsletter.id, who, "Meridian", is_unwanted=True)
        less.set_unwanted(session, told.newsletter.id, who, "Harbour Post", is_unwanted=True)
    why = explain(told.engine, told.issue.id, "ben@example.org")
    assert why.verdict == "will get nothing of this issue: muted or left out all of it"
    assert why.items[1].reason == "follows Space, but wants nothing of its source"


def test_what_was_left_out_of_a_mail_is_explained_by_what_they_wanted_then(told: Audience) -> None:
    mute(told, "anna", CLIMATE, days=1)
    who = told.add("ben", SPACE, CITIES)
    with writing(told.engine) as session:
        number = topic_ids(session, told.newsletter.id)[SPACE]
        less.set_single(session, who, number, is_single=True, now=BEFORE)
    told.address()
    assert reasons_of(told, "anna") == [
        "follows Climate, but muted Climate until 2026-11-24",
        "follows Space",
        "follows Space",
        "is about Cities, which they do not follow",
    ]
    single = "follows Space, but wants no more than one article of Space"
    assert reasons_of(told, "ben")[1:] == ["follows Space", single, "follows Cities"]


def test_what_they_have_changed_since_explains_nothing(told: Audience) -> None:
    who, later = told.add("anna", SPACE), NOW + timedelta(hours=1)
    mute(told, "ben", CLIMATE, days=1)
    ben = told.add("ben", CLIMATE, SPACE)
    told.address()
    with writing(told.engine) as session:
        ids = topic_ids(session, told.newsletter.id)
        less.mute_topic(session, who, ids[CITIES], until=NOW + timedelta(days=30), now=later)
        less.unmute_topic(session, ben, ids[CLIMATE])
    told.add("anna", SPACE, CITIES)
    changed = "but did not, or wanted less of it, when this was decided"
    assert reasons_of(told, "anna")[3] == f"follows Cities, {changed}"
    assert reasons_of(told, "ben")[0] == f"follows Climate, {changed}"


def reasons_of(audience: Audience, name: str) -> list[str]:
    found = explain(audience.engine, audience.issue.id, f"{name}@example.org")
    return [item.reason for item in found.items]


def test_another_newsletters_wishes_are_none_here(engine: Engine, told: Audience) -> None:
    who = told.add("anna", CLIMATE)
    other = stored_newsletter(engine, slug="daily")
    with writing(engine) as session:
        number = topic_ids(session, other.id)[CLIMATE]
        less.mute_topic(session, who, number, until=NOW + timedelta(days=30), now=NOW)
        less.set_unwanted(session, other.id, who, "Meridian", is_unwanted=True)
    told.address()
    assert told.planned == {"anna@example.org": "climate:0,1"}
