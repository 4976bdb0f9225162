"""Issues for some readers alone: what addressing, counting and explaining make of it is one and the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement

from digest.address.explain import explain
from digest.compose import audience as audience_counts
from digest.compose.audience import audience_of
from digest.compose.steps import Pieces
from digest.domain.addressing import Skip
from digest.domain.cadences import Cadence
from digest.domain.errors import Conflict
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.store import segment_conditions
from digest.store.attributes import put_attributes
from digest.store.audiences import count_withheld
from digest.store.database import reading, writing
from digest.store.edits import About, Field, append_edits
from digest.store.issue_segments import Limits, limits_of
from digest.store.issues import get_issue
from digest.store.left_out import forget_old_left_out
from digest.store.revisions import get_outline, get_rendered
from digest.store.segments import add_segment, change_segment, remove_segment
from digest.store.subscribers import SubscriptionRow, subscribe
from tests.address.audience import Audience
from tests.stored import CITIES, CLIMATE, NOW, SPACE

OUTSIDE = SkipReason.OUTSIDE
WITHHELD = {SkipReason.SUPPRESSED: 1, SkipReason.PAUSED: 1}


@pytest.fixture
def berliners(audience: Audience) -> Audience:
    """Anna and Ben are of Berlin, Carl of Bonn; Ben wants a month's first issue, Dora paused, Eve is gone."""
    ids = {name: audience.add(name, CLIMATE) for name in ("anna", "ben", "carl", "dora", "eve")}
    audience.set(ids["dora"], SubscriptionState.PAUSED)
    audience.suppress("eve@example.org")
    with writing(audience.engine) as session:
        subscribe(
            session,
            audience.newsletter.id,
            email="ben@example.org",
            follows=[CLIMATE],
            cadence=Cadence.MONTHLY,
            now=NOW,
        )
        cities = {ids["anna"]: "Berlin", ids["ben"]: "Berlin", ids["carl"]: "Bonn"}
        known = {who: {"city": city} for who, city in cities.items()}
        put_attributes(session, audience.newsletter.id, known)
        for slug, query in (("berlin", "attribute.city:Berlin"), ("monthly", "cadence:monthly")):
            add_segment(session, audience.newsletter.id, slug=slug, name=slug.title(), query=query)
    return audience


def limit(audience: Audience, **to: str) -> None:
    told = {About(Field(field)): ("", slug) for field, slug in to.items()}
    with writing(audience.engine) as session:
        append_edits(session, audience.issue, told, by="Edith", now=NOW)


def limits(audience: Audience) -> Limits:
    with reading(audience.engine) as session:
        return limits_of(session, get_issue(session, audience.issue.id))


def counted(audience: Audience) -> dict[SkipReason | str, int]:
    """How many readers the preview says get it, and how many nothing, by reason."""
    with reading(audience.engine) as session:
        issue = get_issue(session, audience.issue.id)
        frozen = get_rendered(session, issue), get_outline(session, issue)
        pieces = Pieces(issue, audience.newsletter, *frozen, limits=limits_of(session, issue))
    found = audience_of(audience.engine, pieces, now=NOW)
    with reading(audience.engine) as session:
        nobody = {**found.skipped, **count_withheld(session, audience.newsletter.id)}
    spared = {} if found.spared is None else {"spared": found.spared}
    return {"mailed": sum(found.readers.values()), **nobody, **spared}


def verdict(audience: Audience, name: str) -> str:
    return explain(audience.engine, audience.issue.id, f"{name}@example.org", now=NOW).verdict


@pytest.mark.parametrize(
    ("to", "mailed", "outside"),
    [
        ({}, {"anna", "ben", "carl"}, set()),
        ({"only": "berlin"}, {"anna", "ben"}, {"carl"}),
        ({"without": "berlin"}, {"carl"}, {"anna", "ben"}),
        ({"only": "berlin", "without": "monthly"}, {"anna"}, {"ben", "carl"}),
        ({"only": "monthly", "without": "berlin"}, set(), {"anna", "ben", "carl"}),
    ],
)
def test_an_issue_goes_to_those_it_is_for(
    berliners: Audience, to: dict[str, str], mailed: set[str], outside: set[str]
) -> None:
    limit(berliners, **to)
    before = counted(berliners)
    told = {name: verdict(berliners, name) for name in mailed | outside}
    done = berliners.address()
    assert set(berliners.planned) == {f"{name}@example.org" for name in mailed}
    assert done.skipped.get(OUTSIDE, 0) == len(outside)
    assert {email for email, why in berliners.skipped.items() if why is OUTSIDE} == {
        f"{name}@example.org" for name in outside
    }
    assert before == {"mailed": len(mailed), **done.skipped}, "what was told before is what was done"
    assert all(told[name].startswith("will get this issue") for name in mailed)
    assert all("not among the readers that the issue is for" in told[name] for name in outside)
    for name in outside:
        assert "was sent nothing of this issue: not among the readers" in verdict(berliners, name)


def test_how_many_are_spared_a_draft_is_told_in_twenties_and_by_itself(
    berliners: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ben is made one who reads no more: an issue for Berliners does not tell that one of them is."""

    def is_monthly(*_: object, **__: object) -> ColumnElement[bool]:
        return SubscriptionRow.cadence == Cadence.MONTHLY.value

    monkeypatch.setattr(segment_conditions, "did_not_lately", is_monthly)
    with writing(berliners.engine) as session:
        add_segment(session, berliners.newsletter.id, slug="asleep", name="Asleep", query="NOT opened:<30")
    limit(berliners, only="berlin", without="asleep")
    assert counted(berliners) == {"mailed": 2, "spared": 0} | WITHHELD | {OUTSIDE: 1}
    monkeypatch.setattr(audience_counts, "in_steps", lambda count: 20 * count)
    assert counted(berliners)["spared"] == 20
    done = berliners.address()
    assert (set(berliners.planned), done.skipped[OUTSIDE]) == ({"anna@example.org"}, 2)


def test_whoever_is_suppressed_or_paused_is_told_that_first(berliners: Audience) -> None:
    limit(berliners, only="monthly")
    assert "suppressed" in verdict(berliners, "eve")
    assert "paused" in verdict(berliners, "dora")
    berliners.address()
    assert berliners.skipped["eve@example.org"] is SkipReason.SUPPRESSED
    assert berliners.skipped["dora@example.org"] is SkipReason.PAUSED


def test_whom_it_was_for_stays_with_an_issue_that_was_addressed(berliners: Audience) -> None:
    limit(berliners, only="berlin")
    berliners.address()
    with writing(berliners.engine) as session:
        segment = add_segment(session, berliners.newsletter.id, slug="bonn", name="Bonn", query="days:1")
        change_segment(session, segment.id, name="x", query="days:2")
    told = limits(berliners)
    assert told.only
    assert (told.only.slug, told.only.query) == ("berlin", "attribute.city:Berlin")
    assert told.in_words == "for readers of the segment ‘Berlin’ alone"


def test_a_segment_that_is_gone_sends_nothing_to_anybody(berliners: Audience) -> None:
    with writing(berliners.engine) as session:
        gone = add_segment(session, berliners.newsletter.id, slug="gone", name="Gone", query="days:<9")
    limit(berliners, only="gone")
    with writing(berliners.engine) as session:
        remove_segment(session, gone.id)
    assert limits(berliners).in_words == "for readers of the segment ‘gone’ alone"
    with pytest.raises(Conflict, match="the segment 'gone' is not there any more: choose another one"):
        berliners.address()
    assert berliners.planned == {}


def test_a_reader_who_is_outside_is_told_even_what_they_follow(berliners: Audience) -> None:
    limit(berliners, without="berlin")
    told = explain(berliners.engine, berliners.issue.id, "anna@example.org", now=NOW)
    assert told.items[0].reason == "follows Climate, but not among the readers that the issue is for"
    assert Skip(OUTSIDE).in_words in told.verdict


def test_who_may_have_been_left_out_is_not_told_to_have_come_later(
    berliners: Audience,
) -> None:
    with writing(berliners.engine) as session:
        add_segment(session, berliners.newsletter.id, slug="asleep", name="Asleep", query="NOT opened:<30")
    limit(berliners, without="asleep")
    berliners.address()
    berliners.add("late", CLIMATE)
    told = "left out, or subscribed after its audience was fixed: which of them is not kept any more"
    assert verdict(berliners, "late") == f"gets nothing of this issue: {told}"
    with writing(berliners.engine) as session:
        while forget_old_left_out(session, NOW + timedelta(days=9_999), 9) is not None:
            continue
    assert verdict(berliners, "late") == f"gets nothing of this issue: {told}"


def test_topics_and_segments_both_decide(berliners: Audience) -> None:
    berliners.add("frida", SPACE)
    berliners.add("gerd", CITIES)
    limit(berliners, only="berlin")
    berliners.address()
    assert set(berliners.planned) == {"anna@example.org", "ben@example.org"}
