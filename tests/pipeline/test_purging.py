"""What is over its term goes, a page at a time; what is not stays; counts hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId
from digest.domain.issues import IssueState
from digest.domain.letters import LetterKind
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.pipeline import purging
from digest.pipeline.purging import AGAIN_AFTER, look, purge
from digest.store.audit import list_entries, record
from digest.store.base import Base
from digest.store.clicks import Hit
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasures import ErasureRow, is_erased
from digest.store.feedback import FeedbackRow
from digest.store.issues import IssueRow
from digest.store.less import MutedTopicRow
from digest.store.letters import queue_letter
from digest.store.measured import agree_to_measure, agreement_of
from digest.store.measures import FollowedLinkRow, OpenRow, count_followed, count_opens
from digest.store.purges import purged_since
from digest.store.returned import NewReturned, ReturnedRow, record_returned
from digest.store.subscribers import SubscriberRow, SubscriptionRow, set_subscription_state, subscribe
from digest.track import less
from digest.track.feedback import say_useful
from digest.track.steps import unsubscribe
from tests.pipeline.controlled import ACCEPTED, Controlled
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader
from tests.stores_searched import columns_that_hold

R0, R1 = "r0@example.org", "r1@example.org"
MAIL, LEFT, UNCONFIRMED, RECORD, MEASURED = 180, 1095, 30, 730, 90


@pytest.fixture
def sent(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controlled:
    """An issue that went to four readers today. A page holds two rows."""
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    send = Controlled.stored(engine, tmp_path)
    send.address()
    send.settle(ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    with writing(engine) as session:
        session.execute(update(IssueRow).values(state=IssueState.SENT, ended_at=NOW))
    return send


def after(send: Controlled, days: float) -> dict[str, int]:
    """Purge as many days later."""
    send.clock.now = NOW + timedelta(days=days)
    return dict(purge(send.runtime))


def count(engine: Engine, table: type[Base]) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_addresses_of_old_mails_go_and_the_mails_count_on(sent: Controlled) -> None:
    states = sent.states
    assert after(sent, MAIL - 1) == {}
    assert after(sent, MAIL + 1)["addresses"] == 4
    assert sent.states == states
    assert not [one for one in columns_that_hold(sent.engine, R0, R1) if one.startswith("deliveries")]
    assert "subscribers.email" in columns_that_hold(sent.engine, R0), "they still subscribe"
    assert after(sent, MAIL + 2) == {}


@pytest.mark.parametrize("promised", [MEASURED, MEASURED - 30, MEASURED + 30])
def test_what_was_measured_goes_by_name_after_its_term_or_as_was_promised(
    sent: Controlled, promised: int
) -> None:
    term = min(promised, MEASURED)
    with writing(sent.engine) as session:
        who = SubscriberId(session.scalars(select(SubscriberRow.id).limit(1)).one())
        mail, kept = (sent.issue.id, who), {(sent.issue.id, who): timedelta(days=promised)}
        agree_to_measure(session, sent.newsletter.id, who, days=promised, now=NOW)
        count_opens(session, [(mail, NOW)], [], kept_for=kept)
        followed = Hit("", sent.issue.id, NOW, 0, "climate", "Meridian", 1, who)
        count_followed(session, [(mail, followed)], kept_for=kept)
    assert after(sent, term - 1) == ({"agreed_terms": 1} if promised > MEASURED else {})
    removed = after(sent, term + 1)
    assert (removed["opens"], removed["followed_links"]) == (1, 1)
    assert count(sent.engine, OpenRow) == count(sent.engine, FollowedLinkRow) == 0
    with reading(sent.engine) as session:
        agreed = agreement_of(session, sent.newsletter.id, who)
    assert agreed, "they agree still"
    assert agreed.days == term, "a setting that was raised again keeps it for no longer"


def test_a_term_that_was_lowered_and_raised_again_keeps_nothing_longer(sent: Controlled) -> None:
    """Two readers at a time: each has what was measured of them for the fewest days there were."""
    with writing(sent.engine) as session:
        readers = [SubscriberId(number) for number in session.scalars(select(SubscriberRow.id))]
        kept = {(sent.issue.id, who): timedelta(days=MEASURED) for who in readers}
        moment = NOW + timedelta(microseconds=7)
        for who in readers:
            agree_to_measure(session, sent.newsletter.id, who, days=MEASURED, now=NOW)
            followed = Hit("", sent.issue.id, moment, 0, "climate", "Meridian", 1, who)
            count_followed(session, [((sent.issue.id, who), followed)], kept_for=kept)
        count_opens(session, [(mail, moment) for mail in kept], [], kept_for=kept)
    lowered = sent.runtime.settings.model_copy(update={"keep_measured_days": 30})
    sent.clock.now = NOW + timedelta(days=10)
    assert purge(type(sent.runtime)(lowered, sent.clock)) == {"agreed_terms": len(readers)}
    with reading(sent.engine) as session:
        for table in (OpenRow, FollowedLinkRow):
            assert set(session.scalars(select(table.until))) == {moment + timedelta(days=30)}
    assert after(sent, 29) == {}
    assert after(sent, 31) == {"opens": len(readers), "followed_links": len(readers)}


def test_an_issue_that_has_not_ended_keeps_its_addresses(sent: Controlled) -> None:
    with writing(sent.engine) as session:
        session.execute(update(IssueRow).values(state=IssueState.PAUSED))
    assert "addresses" not in after(sent, 10 * MAIL)


def test_a_purge_that_is_stopped_goes_on_where_it_was(sent: Controlled) -> None:
    sent.clock.now = NOW + timedelta(days=MAIL + 1)
    stops = iter([False, True])
    assert dict(purge(sent.runtime, should_stop=lambda: next(stops))) == {"addresses": 2}
    assert dict(purge(sent.runtime))["addresses"] == 2


def test_what_is_done_to_its_end_rests_for_a_day_unless_it_is_wanted(sent: Controlled) -> None:
    after(sent, RECORD + 1)
    with writing(sent.engine) as session:
        record(session, by="Cy", what="issue.approved", about="issue 1", now=NOW)
    assert purge(sent.runtime) == {}
    assert purge(sent.runtime, again=True) == {"record": 1}
    sent.clock.now += AGAIN_AFTER + timedelta(hours=1)
    with writing(sent.engine) as session:
        record(session, by="Cy", what="issue.approved", about="issue 1", now=NOW)
    assert purge(sent.runtime) == {"record": 1}


def test_reports_lose_whose_they_are_and_stay(sent: Controlled) -> None:
    with reading(sent.engine) as session:
        mail = session.scalars(select(DeliveryRow.id).limit(1)).one()
    for key, at in (("old", NOW), ("new", NOW + timedelta(days=2))):
        new = NewReturned(
            key, at, "lmtp", "bounce", Meaning.SOFT, DeliveryId(mail), R0, "4.2.2", f"<{R0}> is full"
        )
        with writing(sent.engine) as session:
            record_returned(session, new)
    assert after(sent, MAIL + 1)["reports"] == 1
    with reading(sent.engine) as session:
        rows = {row.key: (row.email, row.domain, row.detail) for row in session.scalars(select(ReturnedRow))}
    assert rows == {"old": ("", "", ""), "new": (R0, "example.org", f"<{R0}> is full")}


def test_who_never_confirmed_goes_and_nothing_is_remembered(sent: Controlled) -> None:
    with writing(sent.engine) as session:
        new = subscribe(
            session,
            sent.newsletter.id,
            email="new@example.org",
            follows=[CLIMATE],
            now=NOW,
            state=SubscriptionState.PENDING,
        )
        queue_letter(session, LetterKind.CONFIRMATION, sent.newsletter.id, new.subscriber.id, now=NOW)
    assert after(sent, UNCONFIRMED - 1) == {}
    assert after(sent, UNCONFIRMED + 1) == {"unconfirmed": 1}
    assert columns_that_hold(sent.engine, "new@example.org") == []
    assert (count(sent.engine, SubscriberRow), count(sent.engine, ErasureRow)) == (4, 0)


def test_who_reads_something_else_loses_only_what_they_never_confirmed(sent: Controlled) -> None:
    with writing(sent.engine) as session:
        session.execute(update(SubscriptionRow).values(state=SubscriptionState.PENDING.value))
    other = stored_newsletter(sent.engine, slug="daily")
    stored_reader(sent.engine, other, R0, CLIMATE)
    assert after(sent, UNCONFIRMED + 1)["unconfirmed"] == 4
    assert (count(sent.engine, SubscriberRow), count(sent.engine, SubscriptionRow)) == (1, 1)


def test_who_left_everything_long_ago_goes_and_no_list_brings_them_back(sent: Controlled) -> None:
    with reading(sent.engine) as session:
        ids = dict(session.execute(select(SubscriberRow.email, SubscriberRow.id)).all())
    with writing(sent.engine) as session:
        for email, at in ((R0, NOW), (R1, NOW + timedelta(days=9))):
            set_subscription_state(
                session, sent.newsletter.id, ids[email], SubscriptionState.UNSUBSCRIBED, now=at
            )
    assert "left" not in after(sent, LEFT - 1)
    assert after(sent, LEFT + 1)["left"] == 1
    assert columns_that_hold(sent.engine, R0) == []
    assert "subscribers.email" in columns_that_hold(sent.engine, R1)
    with reading(sent.engine) as session:
        assert is_erased(session, sent.runtime.erasure_keys, R0)
    assert count(sent.engine, SubscriberRow) == 3


def test_what_is_kept_for_good_stays(sent: Controlled) -> None:
    settings = {name: 0 for name in type(sent.runtime.settings).model_fields if name.startswith("keep_")}
    runtime = type(sent.runtime)(sent.runtime.settings.model_copy(update=settings), sent.clock)
    sent.clock.now = NOW + timedelta(days=10_000)
    assert purge(runtime) == {}
    assert [one.kind.setting for one in look(runtime) if one.count is None].count("keep_mail_days") == 5


def test_a_look_tells_what_a_purge_then_removes(sent: Controlled) -> None:
    with writing(sent.engine) as session:
        record(session, by="Cy", what="issue.approved", about="issue 1", now=NOW)
    sent.clock.now = NOW + timedelta(days=RECORD + 1)
    looked = {one.kind.name: one.count for one in look(sent.runtime) if one.count}
    assert looked == {"addresses": 4, "record": 1}
    assert purge(sent.runtime) == looked
    with reading(sent.engine) as session:
        told = purged_since(session, sent.clock.now.date())
        assert {name: removed for name, (removed, _) in told.items() if removed} == looked
        assert told["letters"] == (0, sent.clock.now)
        assert list_entries(session, limit=9) == ()


def test_what_readers_said_and_why_they_left_goes_after_its_term(sent: Controlled) -> None:
    engine, weekly = sent.engine, sent.newsletter.id
    with reading(engine) as session:
        who, other = (SubscriberId(one) for one in session.scalars(select(SubscriberRow.id).limit(2)))
    for at, reader in ((0, who), (1, other)):
        say_useful(
            engine,
            weekly,
            reader,
            issue_id=sent.issue.id,
            position=0,
            source="Meridian",
            is_useful=True,
            now=NOW + timedelta(days=at * MAIL),
        )
    ends = less.mute(engine, weekly, who, CLIMATE, now=NOW)
    unsubscribe(engine, weekly, who, now=NOW)
    assert after(sent, MAIL - 1) == {}
    assert after(sent, MAIL + 1)["feedback"] == 1
    assert after(sent, MAIL + (ends - NOW).days + 1)["mutes"] == 1
    assert (count(engine, FeedbackRow), count(engine, MutedTopicRow)) == (1, 0)
    assert after(sent, RECORD + 1)["departures"] == 1


def test_an_unsubscription_is_kept_as_long_as_it_can_be_taken_back(sent: Controlled) -> None:
    short = sent.runtime.settings.model_copy(update={"keep_record_days": 1})
    sent.runtime = type(sent.runtime)(short, sent.clock)
    with reading(sent.engine) as session:
        who = SubscriberId(session.scalars(select(SubscriberRow.id).limit(1)).one())
    unsubscribe(sent.engine, sent.newsletter.id, who, now=NOW)
    assert "departures" not in after(sent, 29)
    assert after(sent, 31)["departures"] == 1
