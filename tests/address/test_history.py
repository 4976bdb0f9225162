from collections import Counter

import pytest
from sqlalchemy import Engine

from digest.address.explain import explain
from digest.address.steps import Addressed
from digest.compose.audience import audience_of
from digest.compose.steps import Pieces
from digest.domain.cadences import Cadence
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Edition, Issue
from digest.domain.subscribers import SkipReason
from digest.store.contents import addresses_of
from digest.store.database import reading
from digest.store.revisions import get_outline, get_rendered
from tests.address.weeks import Weeks
from tests.stored import CLIMATE, FOOD, SPACE


@pytest.fixture
def weeks(engine: Engine) -> Weeks:
    return Weeks(engine)


def audience_before(weeks: Weeks, issue: Issue) -> tuple[Counter[str], dict[SkipReason, int]]:
    """Return what an approved issue's readers are said to get before it is addressed."""
    with reading(weeks.engine) as session:
        frozen = get_rendered(session, issue), get_outline(session, issue)
        pieces = Pieces(issue, weeks.newsletter, *frozen, addresses_of(session, issue))
    found = audience_of(weeks.engine, pieces)
    return Counter({edition.key: count for edition, count in found.readers.items()}), dict(found.skipped)


def verdict(weeks: Weeks, issue: Issue, name: str) -> str:
    return explain(weeks.engine, issue.id, f"{name}@example.org").verdict


# --- how often


def test_each_cadence_has_its_turn_and_whoever_waits_is_told_until_when(weeks: Weeks) -> None:
    for cadence in Cadence:
        weeks.add(cadence, cadence=cadence)
    got: list[list[str]] = []
    for week in range(6):
        issue = weeks.approved(week, f"w{week}")
        expected, skipped = audience_before(weeks, issue)
        told = {cadence: verdict(weeks, issue, cadence) for cadence in Cadence}
        addressed = weeks.address(issue, week=week)
        plan = weeks.planned(issue)
        got.append([name for name, what in plan.items() if what == "climate:0"])
        assert expected == Counter(what for what in plan.values() if what == "climate:0")
        assert skipped == addressed.skipped
        for name, what in plan.items():
            will = "will get this issue" if what == "climate:0" else f"will get nothing of this issue: {what}"
            assert told[Cadence(name)] == will
    # The issues of Monday the 23rd and 30th of November, the 7th, 14th, 21st and 28th of December.
    assert [sorted(names) for names in got] == [
        ["every", "fortnightly", "monthly", "weekly"],
        ["every", "weekly"],
        ["every", "fortnightly", "monthly", "weekly"],
        ["every", "weekly"],
        ["every", "fortnightly", "weekly"],
        ["every", "weekly"],
    ]
    assert plan == {
        "every": "climate:0",
        "weekly": "climate:0",
        "fortnightly": "not due until 2027-01-01",
        "monthly": "not due until 2027-01-01",
    }


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.UNKNOWN])
def test_an_issue_that_never_arrived_is_no_turn(weeks: Weeks, state: DeliveryState) -> None:
    who = weeks.add("ada", cadence=Cadence.FORTNIGHTLY)
    first, second = weeks.approved(0, "fog"), weeks.approved(1, "tides")
    weeks.address(first)
    weeks.settle(first, who, state)
    weeks.address(second, week=1)
    waits = "not due until 2026-12-04"
    assert weeks.planned(second) == {"ada": waits if state is DeliveryState.UNKNOWN else "climate:0"}


# --- how much


def test_a_mail_holds_the_best_of_what_they_follow_and_the_rest_is_online(weeks: Weeks) -> None:
    weeks.add("two", CLIMATE, SPACE, most=2)
    weeks.add("all", CLIMATE, SPACE)
    weeks.add("four", CLIMATE, SPACE, most=4)
    issue = weeks.approved(0, ("a", SPACE), "b", ("c", FOOD), "d", ("e", SPACE))
    expected, _ = audience_before(weeks, issue)
    assert weeks.address(issue) == Addressed(deliveries=3, editions=2)
    whole = "climate:1,3;space:0,4"
    assert weeks.planned(issue) == {"two": f"{whole}|2", "all": whole, "four": whole}
    assert expected == {f"{whole}|2": 1, whole: 2}
    assert Edition.from_key(f"{whole}|2").wanted == {0, 1}
    told = explain(weeks.engine, issue.id, "two@example.org")
    assert [item.is_shown for item in told.items] == [True, True, False, False, False]
    assert told.items[3].reason == "follows Climate; online only, over their most of 2"


# --- nothing twice


def test_what_an_earlier_mail_told_is_left_out_for_its_reader_alone(weeks: Weeks) -> None:
    weeks.add("ada", CLIMATE, SPACE)
    gone = weeks.add("gone", CLIMATE)
    weeks.add("stars", SPACE)
    first = weeks.approved(0, "fog", "ice", ("mars", SPACE))
    weeks.address(first)
    weeks.settle(first, gone, DeliveryState.FAILED)
    weeks.add("new", CLIMATE, SPACE)
    second = weeks.approved(1, ("moon", SPACE), "fog", "rain", "ice")
    expected, skipped = audience_before(weeks, second)
    addressed = weeks.address(second, week=1)
    assert weeks.planned(second) == {
        "ada": "climate:2;space:0",
        "gone": "climate:1,2,3",
        "stars": "space:0",
        "new": "climate:1,2,3;space:0",
    }
    assert addressed == Addressed(deliveries=4, editions=4)
    assert (expected, skipped) == (Counter(weeks.planned(second).values()), {})
    reasons = [item.reason for item in explain(weeks.engine, second.id, "ada@example.org").items]
    assert reasons[1] == reasons[3] == "follows Climate, but was sent it before"


def test_another_report_of_a_story_they_were_sent_is_not_sent_either(weeks: Weeks) -> None:
    weeks.add("ada")
    weeks.address(weeks.approved(0, "flood"))
    second = weeks.approved(1, "flood-again", "rain")
    weeks.are_one_story("flood", "flood-again")
    weeks.address(second, week=1)
    assert weeks.planned(second) == {"ada": "climate:1"}


def test_whoever_has_had_all_of_it_gets_nothing_and_that_is_counted(weeks: Weeks) -> None:
    weeks.add("ada")
    weeks.address(weeks.approved(0, "fog", "ice"))
    second = weeks.approved(1, "ice", ("mars", SPACE))
    _, skipped = audience_before(weeks, second)
    assert verdict(weeks, second, "ada") == "will get nothing of this issue: was sent all of it before"
    assert weeks.address(second, week=1) == Addressed(skipped={SkipReason.ALL_SENT: 1})
    assert skipped == {SkipReason.ALL_SENT: 1}


def test_what_was_online_only_may_come_by_mail(weeks: Weeks) -> None:
    weeks.add("ada", most=1)
    weeks.address(weeks.approved(0, "fog", "ice"))
    second = weeks.approved(1, "ice", "fog")
    weeks.address(second, week=1)
    assert weeks.planned(second) == {"ada": "climate:0"}
