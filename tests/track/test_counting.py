"""Hits become counts once they are judged, and nothing is left that says whose they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from benchmarks.readers import Size, sending_issue
from digest.domain.issues import IssueId
from digest.store.clicks import Hit, HitRow, clicks_of, followed_since
from digest.store.database import reading
from digest.track.clicks import AT_LAST, QUIET
from digest.track.counting import keep_hits, settle_hits, visitor_of

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def issue_id(engine: Engine) -> IssueId:
    return sending_issue(engine, Size(readers=1, topics=2, articles=4, follows=2))


def hit(issue_id: IssueId, second: float, position: int, visitor: str = "ada", place: int = 1) -> Hit:
    return Hit(visitor, issue_id, NOW + timedelta(seconds=second), position, "climate", "Meridian", place)


def waiting(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(HitRow)) or 0


def counted(engine: Engine, issue_id: IssueId) -> dict[tuple[int, int], tuple[int, int]]:
    """How many followed and were left out, by item and place."""
    with reading(engine) as session:
        return {
            (one.position, one.place): (one.followed, one.left_out) for one in clicks_of(session, [issue_id])
        }


def test_people_are_counted_and_a_program_that_opens_everything_is_not(
    engine: Engine, issue_id: IssueId
) -> None:
    scanned = [hit(issue_id, 3 + n / 10, n, "scanner", n + 1) for n in range(4)]
    read = [
        hit(issue_id, 0, 0),
        hit(issue_id, 1, 0),
        hit(issue_id, 9, 2, place=3),
        hit(issue_id, 4, 0, "ben"),
    ]
    keep_hits(engine, [*scanned, *read])
    assert settle_hits(engine, now=LATER) == 8
    assert counted(engine, issue_id) == {(0, 1): (2, 1), (1, 2): (0, 1), (2, 3): (1, 1), (3, 4): (0, 1)}
    assert waiting(engine) == 0, "who followed a link is kept no longer than it takes to judge"
    with reading(engine) as session:
        assert list(followed_since(session, NOW.replace(minute=0)).values()) == [3]
        assert followed_since(session, NOW + timedelta(hours=1)) == {}


def test_nobody_is_judged_while_they_may_go_on(engine: Engine, issue_id: IssueId) -> None:
    keep_hits(engine, [hit(issue_id, 0, 0), hit(issue_id, 12, 1)])
    assert settle_hits(engine, now=NOW + QUIET) == 0
    assert settle_hits(engine, now=NOW + QUIET + timedelta(seconds=12)) == 2


def test_who_never_rests_is_judged_all_the_same(engine: Engine, issue_id: IssueId) -> None:
    keep_hits(engine, [hit(issue_id, 5 * n, n % 4) for n in range(130)])
    assert settle_hits(engine, now=NOW + AT_LAST + timedelta(seconds=45)) == 130


def test_where_nobody_can_be_told_apart_each_is_counted(engine: Engine, issue_id: IssueId) -> None:
    keep_hits(engine, [hit(issue_id, n / 10, n % 4, "") for n in range(8)])
    settle_hits(engine, now=LATER)
    assert sum(followed for followed, _ in counted(engine, issue_id).values()) == 8


def test_counts_of_an_hour_add_up(engine: Engine, issue_id: IssueId) -> None:
    for minute, visitor in enumerate(("ada", "ben", "cleo")):
        keep_hits(engine, [hit(issue_id, 60 * minute, 0, visitor)])
        settle_hits(engine, now=LATER + timedelta(minutes=minute))
    assert counted(engine, issue_id) == {(0, 1): (3, 0)}


def test_a_visitor_is_told_apart_by_a_key_that_nobody_else_has() -> None:
    ada = visitor_of(b"key", "203.0.113.7", "Firefox")
    assert ada == visitor_of(b"key", "203.0.113.7", "Firefox")
    others = [
        (b"key", "203.0.113.8", "Firefox"),
        (b"key", "203.0.113.7", "Chrome"),
        (b"yek", "203.0.113.7", "Firefox"),
    ]
    assert ada not in {visitor_of(*other) for other in others}
    assert visitor_of(b"key", "", "Firefox") == "", "an address of nobody in particular"
