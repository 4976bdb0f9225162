"""What readers wish for besides topics: a day and hour of their own, mail without HTML, a pause that ends."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.address.explain import explain
from digest.domain.issues import Edition
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import reading, writing
from digest.store.subscribers import get_subscription
from digest.track.steps import let_return, pause
from tests.address.test_own_hour import NEW_YORK, PARIS, leaves, scheduled, utc
from tests.address.weeks import Weeks
from tests.stored import CLIMATE, SPACE

LEAVES_AT = utc(2026, 11, 23, 6)
"""Monday, 07:00 in Paris and 01:00 in New York."""


@pytest.fixture(params=[False, True], ids=["at once", "by their own clock"])
def weeks(engine: Engine, request: pytest.FixtureRequest) -> Weeks:
    return Weeks(engine, local_time=request.param, timezone=PARIS)


def test_a_mail_waits_for_the_day_and_hour_its_reader_wants(weeks: Weeks) -> None:
    weeks.add("evening", send_at="18:00")
    weeks.add("weekend", send_at="saturday 09:00", timezone=NEW_YORK)
    weeks.add("now", send_at="monday 07:00")
    issue = scheduled(weeks, weeks.approved(0, "fog"), LEAVES_AT, PARIS)
    before = explain(weeks.engine, issue.id, "weekend@example.org")
    weeks.address(issue, now=LEAVES_AT + timedelta(minutes=5))
    assert leaves(weeks, issue) == {
        "evening": utc(2026, 11, 23, 17),
        "weekend": utc(2026, 11, 28, 14),
        "now": LEAVES_AT + timedelta(minutes=5),
    }
    told = explain(weeks.engine, issue.id, "weekend@example.org")
    assert told.verdict == "gets this issue: goes out at 09:00 America/New_York on Saturday 28 Nov"
    assert before.not_before == told.not_before == utc(2026, 11, 28, 14)


def test_a_day_alone_keeps_the_hour_of_the_issue(weeks: Weeks) -> None:
    weeks.add("tuesday", send_at="tuesday", timezone=NEW_YORK)
    issue = scheduled(weeks, weeks.approved(0, "fog"), LEAVES_AT, PARIS)
    weeks.address(issue, now=LEAVES_AT)
    hour = 7 if weeks.newsletter.local_time else 1
    assert leaves(weeks, issue) == {"tuesday": utc(2026, 11, 24, hour + 5)}


def test_who_wants_text_alone_has_an_edition_of_their_own(weeks: Weeks) -> None:
    follows: tuple[TopicSlug, ...] = (CLIMATE, SPACE)
    weeks.add("html", *follows)
    weeks.add("text", *follows, text_only=True)
    weeks.add("both", *follows, text_only=True, most=1)
    issue = weeks.approved(0, "fog", ("mars", SPACE))
    assert weeks.address(issue).editions == 3
    whole = "climate:0;space:1"
    assert weeks.planned(issue) == {"html": whole, "text": f"{whole}|text", "both": f"{whole}|1|text"}
    told = explain(weeks.engine, issue.id, "text@example.org")
    assert told.verdict == "gets this issue: waiting to be sent, as text alone"
    both = Edition.from_key(f"{whole}|1|text")
    assert (both.most, both.is_text, both.key) == (1, True, f"{whole}|1|text")


def test_a_pause_ends_by_itself_before_an_issue_is_addressed(weeks: Weeks) -> None:
    back, away = weeks.add("back"), weeks.add("away")
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    for who, days in ((back, 0), (away, 1)):
        pause(weeks.engine, weeks.newsletter.id, who, now=now, until=now + timedelta(days=days))
    issue = weeks.approved(0, "fog")
    addressed = weeks.address(issue, now=now)
    assert (addressed.deliveries, addressed.skipped) == (1, {SkipReason.PAUSED: 1})
    assert weeks.planned(issue)["away"] == "paused their subscription"


def test_who_is_away_comes_back_on_their_day_and_only_once(weeks: Weeks) -> None:
    who = weeks.add("ada")
    forever = weeks.add("ben")
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    until = now + timedelta(days=7)
    pause(weeks.engine, weeks.newsletter.id, who, now=now, until=now + timedelta(days=2))
    pause(weeks.engine, weeks.newsletter.id, who, now=now, until=until)
    pause(weeks.engine, weeks.newsletter.id, forever, now=now)
    assert let_return(weeks.engine, now=until - timedelta(seconds=1)) == 0
    with reading(weeks.engine) as session:
        found = get_subscription(session, weeks.newsletter.id, "ada@example.org")
    assert (found.state, found.paused_until) == (SubscriptionState.PAUSED, until)
    assert [let_return(weeks.engine, now=until), let_return(weeks.engine, now=until)] == [1, 0]
    with writing(weeks.engine) as session:
        found = get_subscription(session, weeks.newsletter.id, "ada@example.org")
        other = get_subscription(session, weeks.newsletter.id, "ben@example.org")
    assert (found.state, found.paused_until) == (SubscriptionState.ACTIVE, None)
    assert other.state is SubscriptionState.PAUSED
