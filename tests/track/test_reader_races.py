"""Readers take it back, leave and are erased while others have the same rows: nobody waits for ever.

On PostgreSQL alone: SQLite has one writer.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select, update

from digest.domain.deliveries import DeliveryState
from digest.domain.erasing import ErasureKeys
from digest.domain.issues import MEASURED, Issue
from digest.domain.measuring import Measuring
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.times import Window
from digest.store import subscription_lists, unmeasured
from digest.store.audiences import EditionRow
from digest.store.clicks import Hit, opening
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import take_reader_out
from digest.store.erasures import remember_erased
from digest.store.issues import IssueRow, lock_issue
from digest.store.measured import agree_to_measure
from digest.store.measures import measures_of, note_measured
from digest.store.newsletters import change_newsletter
from digest.store.open_outcomes import settle_unknown
from digest.store.reader_locks import await_marks
from digest.store.subscribers import SubscriptionRow, find_address, set_subscription_state
from digest.store.subscription_lists import WantedSubscription, subscribe_all
from digest.store.terms import forget_unconfirmed
from digest.track import counting, events, steps
from digest.track.counting import keep_hits, settle_hits
from digest.track.events import Event, EventKind, take_events
from digest.track.measuring import set_measuring
from digest.track.steps import Change, confirm, unsubscribe
from tests.store.sending import Sending
from tests.stored import CLIMATE, approved_issue
from tests.stores_searched import columns_that_hold
from tests.track.meetings import meet

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SENT = NOW - timedelta(hours=1)
ADA_MAIL = "r0@example.org"
WEEK_BEFORE = Window.of_days(date(2026, 11, 9), date(2026, 11, 15), ZoneInfo("UTC"))


@pytest.fixture
def sending(engine: Engine) -> Sending:
    """Two issues that were delivered to two readers, who agreed to be measured."""
    sending = Sending(engine, readers=2)
    older = approved_issue(engine, sending.newsletter, window=WEEK_BEFORE)
    sending.address(older)
    with writing(engine) as session:
        change_newsletter(session, sending.newsletter.id, measuring=Measuring.ASKED)
        accepted = {"state": DeliveryState.ACCEPTED.value, "settled_at": SENT, "armed_at": SENT}
        session.execute(update(DeliveryRow).values(accepted))
        session.execute(update(IssueRow).values(sending_at=SENT))
        session.execute(update(EditionRow).values(key=EditionRow.key + MEASURED))
        for issue in (sending.issue, older):
            note_measured(session, issue.id, html=2, text=0, has_links=True)
        for reader in sending.readers:
            agree_to_measure(session, sending.newsletter.id, reader, days=90, now=SENT)
    return sending


def take_back(sending: Sending, reader: SubscriberId) -> None:
    number = sending.newsletter.id
    set_measuring(sending.engine, number, reader, False, wording="", network="", now=NOW)


def opened(issue: Issue | int, reader: SubscriberId) -> Hit:
    number = issue if isinstance(issue, int) else issue.id
    return opening(number, reader, str(reader), NOW)  # type: ignore[arg-type]


def issue_ids(engine: Engine) -> list[int]:
    with reading(engine) as session:
        return list(session.scalars(select(IssueRow.id).order_by(IssueRow.id)))


def mails_counted(sending: Sending) -> list[int]:
    with reading(sending.engine) as session:
        found = measures_of(session, issue_ids(sending.engine))
    return [found[number].html for number in sorted(found)]


def test_who_leaves_while_they_are_erased_is_erased(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sending.readers[0]

    def erase() -> None:
        with writing(engine) as session:
            take_reader_out(session, ADA_MAIL)

    left: list[Change] = []
    meet(
        engine,
        monkeypatch,
        (steps, "lock_standing"),
        lambda: left.append(unsubscribe(engine, sending.newsletter.id, ada, now=NOW)),
        erase,
    )
    assert left == [Change.DONE]
    with reading(engine) as session:
        assert find_address(session, ada) is None


def test_who_is_erased_while_a_provider_tells_of_their_mail_is_erased(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sending.readers[0]
    with writing(engine) as session:
        mine = DeliveryRow.subscriber_id == ada, DeliveryRow.issue_id == sending.issue.id
        session.execute(update(DeliveryRow).where(*mine).values(state=DeliveryState.UNKNOWN.value))
        name = session.scalars(select(DeliveryRow.message_id).where(*mine)).one()
    told = Event("1", EventKind.UNSUBSCRIBED, (name,), ADA_MAIL)

    def erase() -> None:
        with writing(engine) as session:
            take_reader_out(session, ADA_MAIL)

    meet(
        engine,
        monkeypatch,
        (events, "accept_by_evidence"),
        lambda: take_events(engine, [told], via="webhook:ses", now=NOW),
        erase,
    )
    with reading(engine) as session:
        assert find_address(session, ada) is None
    assert columns_that_hold(engine, ADA_MAIL) == []


def test_who_is_erased_while_a_provider_tells_that_they_complained_of_another_mail_is_erased(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told of a stranger is kept with the address, after it was asked who was erased."""
    keys = ErasureKeys((b"key",))
    told = Event("1", EventKind.COMPLAINED, ("<other@example.org>",), ADA_MAIL)

    def erase() -> None:
        with writing(engine) as session:
            await_marks(session)
            take_reader_out(session, ADA_MAIL)
            remember_erased(session, keys, ADA_MAIL, now=NOW)

    meet(
        engine,
        monkeypatch,
        (events, "erased_among"),
        lambda: take_events(engine, [told], via="webhook:ses", now=NOW, keys=keys),
        erase,
    )
    assert columns_that_hold(engine, ADA_MAIL) == []


def test_who_is_erased_while_a_list_names_them_is_erased(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sending.readers[0]
    told = WantedSubscription(ADA_MAIL, frozenset({CLIMATE}), max_items=3)

    def bring_in() -> None:
        with writing(engine) as session:
            subscribe_all(session, sending.newsletter.id, [told], now=NOW)

    def erase() -> None:
        with writing(engine) as session:
            take_reader_out(session, ADA_MAIL)

    meet(engine, monkeypatch, (subscription_lists, "_pace"), bring_in, erase)
    with reading(engine) as session:
        assert find_address(session, ada) is None


def test_who_takes_it_back_while_others_are_counted_is_taken_off_all_issues(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted comes to the newer issue first, and what is taken back to the older."""
    ada, ben = sending.readers
    first, last = issue_ids(engine)
    followed = Hit("ben", first, NOW, 0, "climate", "Meridian", 1, ben)  # type: ignore[arg-type]
    keep_hits(engine, [opened(last, ben), followed])
    meet(
        engine,
        monkeypatch,
        (counting, "count_opens"),
        lambda: settle_hits(engine, now=NOW + timedelta(minutes=1)),
        lambda: take_back(sending, ada),
    )
    assert mails_counted(sending) == [1, 1]


def test_who_left_takes_it_back_while_their_own_hits_are_judged(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = sending.readers
    keep_hits(engine, [opened(sending.issue, ada), opened(sending.issue, ben)])
    with writing(engine) as session:
        set_subscription_state(session, sending.newsletter.id, ada, SubscriptionState.UNSUBSCRIBED, now=NOW)
    meet(
        engine,
        monkeypatch,
        (counting, "take_hits"),
        lambda: settle_hits(engine, now=NOW + timedelta(minutes=1)),
        lambda: take_back(sending, ada),
    )
    assert mails_counted(sending) == [1, 1]


def test_who_takes_it_back_while_a_log_settles_their_mail_gets_no_measured_one(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sending.readers[0]
    with writing(engine) as session:
        mine = update(DeliveryRow).where(DeliveryRow.subscriber_id == ada)
        session.execute(mine.values(state=DeliveryState.UNKNOWN.value))

    def reconcile() -> None:
        with writing(engine) as session:
            lock_issue(session, sending.issue.id)
            settle_unknown(session, sending.issue.id, accepted=(), absent_are_pending=True, now=NOW)

    meet(engine, monkeypatch, (unmeasured, "_edition_ids"), lambda: take_back(sending, ada), reconcile)
    with reading(engine) as session:
        keys = session.scalars(
            select(EditionRow.key)
            .join(DeliveryRow, DeliveryRow.edition_id == EditionRow.id)
            .where(DeliveryRow.subscriber_id == ada)
        ).all()
    assert len(keys) == 2
    assert not any(key.endswith(MEASURED) for key in keys)


def test_who_confirms_while_the_unconfirmed_are_forgotten_stays(
    engine: Engine, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, number = sending.readers[0], sending.newsletter.id
    with writing(engine) as session:
        set_subscription_state(session, number, ada, SubscriptionState.PENDING, now=NOW)

    def forget() -> None:
        with writing(engine) as session:
            forget_unconfirmed(session, NOW + timedelta(days=90), 100)

    meet(engine, monkeypatch, (steps, "take_ask"), lambda: confirm(engine, number, ada, now=NOW), forget)
    with reading(engine) as session:
        mine = SubscriptionRow.subscriber_id == ada
        assert session.scalar(select(SubscriptionRow.state).where(mine)) == SubscriptionState.ACTIVE.value
