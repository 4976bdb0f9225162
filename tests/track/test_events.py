"""What providers tell changes what it says, once, in any order, and for nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId, DeliveryState, Outcome
from digest.domain.errors import Refused
from digest.domain.subscribers import SubscriptionState
from digest.store.claims import arm_deliveries, claim_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.returned import Effect, Returned, list_returned
from digest.store.suppressions import find_suppression
from digest.store.webhooks import WebhookEventRow
from digest.track.events import REMEMBERED_FOR, Event, EventKind, EventsTaken, Token, take_events
from tests.readership import Readership

ADA = "ada@example.org"
VIA = "webhook:ses"


class Mailed(Readership):
    """A reader whose mails a provider tells of."""

    def take(self, *events: Event, token: Token | None = None) -> EventsTaken:
        now = self.now + timedelta(hours=1)
        return take_events(self.engine, events, via=VIA, now=now, token=token)

    def effects(self, *events: Event) -> list[Effect]:
        return [one.effect for one in self.take(*events).told]

    def put(self, delivery: DeliveryId, state: DeliveryState, **values: object) -> DeliveryId:
        """Let a delivery stand as if its answer had not come, armed."""
        changed = {"state": state, "armed_at": self.now, "smtp_code": None, "smtp_text": None, **values}
        with writing(self.engine) as session:
            session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery).values(**changed))
        return delivery

    def row(self, delivery: DeliveryId) -> DeliveryRow:
        with reading(self.engine) as session:
            return session.get_one(DeliveryRow, delivery)

    def event(self, delivery: DeliveryId, kind: EventKind, identity: str = "1", **fields: object) -> Event:
        return Event(identity, kind, (self.row(delivery).message_id,), ADA, **fields)  # type: ignore[arg-type]

    @property
    def returned(self) -> tuple[Returned, ...]:
        with reading(self.engine) as session:
            return list_returned(session, limit=100)

    @property
    def suppression(self) -> str:
        with reading(self.engine) as session:
            found = find_suppression(session, ADA)
        return found.reason if found else ""


@pytest.fixture
def ada(engine: Engine) -> Mailed:
    return Mailed(engine)


GONE = {"status": "5.1.1", "diagnostic": "550 5.1.1 no such user"}


@pytest.mark.parametrize("kind", [EventKind.DELIVERED, EventKind.BOUNCED])
@pytest.mark.parametrize(
    "state", [DeliveryState.UNKNOWN, DeliveryState.SENDING, DeliveryState.CLAIMED, DeliveryState.PENDING]
)
def test_whatever_became_of_a_mail_it_was_accepted(
    kind: EventKind, state: DeliveryState, ada: Mailed
) -> None:
    delivery = ada.put(ada.sent(), state)
    fence = ada.row(delivery).fence
    assert ada.take(ada.event(delivery, kind, **GONE)).settled == 1
    row = ada.row(delivery)
    assert (row.state, row.fence, row.owner) == (DeliveryState.ACCEPTED, fence + 1, None)
    (told,) = ada.returned
    assert told.effect is (Effect.SETTLED if kind is EventKind.DELIVERED else Effect.SUPPRESSED)
    assert ada.take(ada.event(delivery, kind, **GONE)) == EventsTaken(1, 1, 0, ())


def test_what_settles_a_mail_leaves_its_name_for_what_is_told_later(ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), DeliveryState.SENDING)
    names = (ada.row(delivery).message_id, "ses:0100-z")
    ada.take(Event("1", EventKind.TAKEN, names, ADA))
    assert (ada.row(delivery).smtp_code, ada.row(delivery).smtp_text) == (200, "ses:0100-z")
    assert ada.effects(Event("2", EventKind.BOUNCED, ("ses:0100-z",), ADA, **GONE)) == [Effect.SUPPRESSED]


def test_a_delivery_that_never_was_armed_is_not_believed_to_have_arrived(ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), DeliveryState.PENDING, armed_at=None)
    assert ada.take(ada.event(delivery, EventKind.DELIVERED)).settled == 0
    assert ada.row(delivery).state == DeliveryState.PENDING


def test_what_an_older_database_holds_for_unknown_is_settled_though_it_knows_of_no_arm(ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), DeliveryState.UNKNOWN, armed_at=None)
    assert ada.take(ada.event(delivery, EventKind.DELIVERED)).settled == 1
    assert ada.row(delivery).state == DeliveryState.ACCEPTED


@pytest.mark.parametrize("state", [DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.CANCELLED])
def test_what_is_settled_stays_and_good_news_of_it_is_not_kept(state: DeliveryState, ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), state)
    assert ada.take(ada.event(delivery, EventKind.DELIVERED)) == EventsTaken(1, 1, 0, ())
    assert (ada.row(delivery).state, ada.returned) == (state, ())


def test_a_worker_that_holds_what_has_arrived_neither_arms_nor_settles_it(ada: Mailed) -> None:
    issue = ada.address()
    with writing(ada.engine) as session:
        lease = ada.now + timedelta(minutes=5)
        (claim,) = claim_deliveries(session, issue.id, owner="w", limit=9, now=ada.now, lease_until=lease)
        assert arm_deliveries(session, [claim], owner="w", now=ada.now)
    assert ada.take(ada.event(claim.id, EventKind.DELIVERED)).settled == 1
    with writing(ada.engine) as session:
        assert not arm_deliveries(session, [claim], owner="w", now=ada.now)
        assert settle_deliveries(session, [(claim, Outcome(DeliveryState.PENDING))], now=ada.now) == 0
    assert ada.row(claim.id).state == DeliveryState.ACCEPTED


def test_a_mail_is_known_by_the_provider_s_own_name_too(ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), DeliveryState.ACCEPTED, smtp_code=200, smtp_text="ses:0100-x")
    other = ada.put(ada.sent(), DeliveryState.ACCEPTED, smtp_code=250, smtp_text="ses:0100-y")
    for name in ("ses:0100-x", "ses:0100-y", "ses:0100-\0", "ses:"):
        ada.take(Event(f"of {name}", EventKind.BOUNCED, (name,), ADA, **GONE))
    known = [one for one in ada.returned if one.issue_id]
    assert [one.issue_id for one in known] == [ada.row(delivery).issue_id]
    assert ada.row(other).state == DeliveryState.ACCEPTED


def test_the_provider_s_name_is_looked_up_by_an_index(ada: Mailed) -> None:
    """A million deliveries lie beside the one that is meant."""
    asked = "SELECT id FROM deliveries WHERE smtp_text IN ('ses:1', 'ses:2') AND smtp_code < 220"
    with ada.engine.connect() as connection:
        if ada.engine.dialect.name == "sqlite":
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
        else:
            connection.execute(text("SET enable_seqscan = off"))
            plan = connection.execute(text(f"EXPLAIN {asked}")).all()
    assert "ix_deliveries_provider_name" in str(plan)


def test_a_mailbox_that_is_gone_is_suppressed_and_copies_count_once(ada: Mailed) -> None:
    bounce = ada.event(ada.sent(), EventKind.BOUNCED, **GONE)
    assert ada.effects(bounce, bounce) == [Effect.SUPPRESSED]
    assert ada.effects(bounce) == []
    assert ada.suppression == "hard_bounce"
    (told,) = ada.returned
    assert (told.via, told.kind, told.meaning, told.status) == (VIA, "bounced", Meaning.GONE, "5.1.1")


def test_after_ops_took_an_address_off_the_list_a_copy_does_not_put_it_back(ada: Mailed) -> None:
    complaint = ada.event(ada.sent(), EventKind.COMPLAINED)
    assert ada.effects(complaint) == [Effect.SUPPRESSED]
    with writing(ada.engine) as session:
        session.execute(text("DELETE FROM suppressions"))
    assert ada.effects(complaint) == []
    assert ada.suppression == ""


@pytest.mark.parametrize(
    ("fields", "effect"),
    [
        ({"status": "5.2.2"}, Effect.COUNTED),
        ({"status": "5.7.1", "otherwise": Meaning.GONE}, Effect.TOLD),
        ({"diagnostic": "550 5.1.1 gone"}, Effect.SUPPRESSED),
        ({"otherwise": Meaning.GONE}, Effect.SUPPRESSED),
        ({"otherwise": Meaning.REFUSES_US}, Effect.TOLD),
        ({"status": "5.0.0", "otherwise": Meaning.GONE}, Effect.SUPPRESSED),
        ({"status": "5.2.2", "otherwise": Meaning.GONE}, Effect.COUNTED),
        ({"otherwise": Meaning.ABOUT_MAIL}, Effect.NONE),
    ],
)
def test_the_receiver_s_code_counts_before_the_provider_s_word(
    fields: dict[str, object], effect: Effect, ada: Mailed
) -> None:
    assert ada.effects(ada.event(ada.sent(), EventKind.BOUNCED, **fields)) == [effect]


def test_a_mailbox_that_mail_was_passed_on_to_is_not_the_reader_s(ada: Mailed) -> None:
    for number, fields in enumerate((GONE, {"otherwise": Meaning.GONE})):
        name = ada.row(ada.sent()).message_id
        passed_on = Event(str(number), EventKind.BOUNCED, (name,), "bob@example.net", **fields)  # type: ignore[arg-type]
        assert ada.effects(passed_on) == [Effect.COUNTED]
    assert ada.suppression == ""


def test_three_issues_that_bounce_softly_pause_in_whatever_order_they_are_told(ada: Mailed) -> None:
    sent = [ada.sent() for _ in range(3)]
    events = [
        ada.event(delivery, EventKind.BOUNCED, str(delivery), status="4.2.2") for delivery in reversed(sent)
    ]
    good = [ada.event(delivery, EventKind.DELIVERED, f"d{delivery}") for delivery in sent]
    assert ada.effects(*events[:1], *good, *events[1:]).count(Effect.PAUSED) == 1
    assert ada.state is SubscriptionState.PAUSED


def test_a_delay_is_nothing_until_it_is_three_days_old(ada: Mailed) -> None:
    delivery = ada.sent()
    assert ada.effects(ada.event(delivery, EventKind.DELAYED, status="4.2.2")) == []
    ada.weeks += 1
    assert ada.effects(ada.event(delivery, EventKind.DELAYED, "2", status="4.2.2")) == [Effect.COUNTED]


def test_who_unsubscribes_at_the_provider_gets_no_more_of_this_newsletter(ada: Mailed) -> None:
    delivery, next_one = ada.sent(), ada.address()
    event = ada.event(delivery, EventKind.UNSUBSCRIBED)
    assert ada.effects(event, event) == [Effect.UNSUBSCRIBED]
    assert ada.state is SubscriptionState.UNSUBSCRIBED
    assert ada.effects(ada.event(delivery, EventKind.UNSUBSCRIBED, "2")) == [Effect.KNOWN]
    with reading(ada.engine) as session:
        states = session.scalars(select(DeliveryRow.state).where(DeliveryRow.issue_id == next_one.id)).all()
    assert states == [DeliveryState.CANCELLED]
    assert ada.suppression == ""


def test_of_a_mail_that_is_not_ours_a_complaint_counts_and_the_rest_is_only_listed(ada: Mailed) -> None:
    kinds = (EventKind.BOUNCED, EventKind.UNSUBSCRIBED, EventKind.DELIVERED, EventKind.DELAYED)
    events = [Event(kind, kind, ("<shop@example.net>",), ADA, **GONE) for kind in kinds]
    assert ada.effects(*events) == [Effect.NONE, Effect.NONE]
    assert {one.meaning for one in ada.returned} == {Meaning.UNKNOWN}
    assert (ada.suppression, ada.state) == ("", SubscriptionState.ACTIVE)
    complaint = Event("c", EventKind.COMPLAINED, ("<shop@example.net>",), "Ada@Example.org")
    assert ada.effects(complaint, Event("n", EventKind.COMPLAINED, (), "")) == [
        Effect.NONE,
        Effect.SUPPRESSED,
    ]
    assert ada.suppression == "complaint"


def test_a_token_is_good_for_one_event(ada: Mailed) -> None:
    delivery = ada.put(ada.sent(), DeliveryState.UNKNOWN)
    complaint = ada.event(delivery, EventKind.COMPLAINED)
    ada.take(token=Token("t", "digest of another"))
    with pytest.raises(Refused, match="used before"):
        ada.take(complaint, token=Token("t", "digest of this"))
    assert (ada.row(delivery).state, ada.suppression, ada.returned) == (DeliveryState.UNKNOWN, "", ())
    ada.take(complaint, token=Token("u", "digest of this"))
    assert ada.take(complaint, token=Token("u", "digest of this")).told == ()
    assert ada.suppression == "complaint"


def test_what_is_too_old_to_be_believed_is_forgotten(ada: Mailed) -> None:
    ada.take(ada.event(ada.sent(), EventKind.BOUNCED, **GONE), token=Token("t", ""))
    ada.weeks += 1
    assert timedelta(weeks=1) > REMEMBERED_FOR
    ada.take(token=Token("u", ""))
    with reading(ada.engine) as session:
        assert session.scalar(select(func.count()).select_from(WebhookEventRow)) == 1


def test_pages_that_come_at_once_count_each_event_once(ada: Mailed) -> None:
    full = {"status": "5.2.2"}
    events = [ada.event(ada.sent(), EventKind.BOUNCED, str(number), **full) for number in range(3)]
    pages: Sequence[Sequence[Event]] = (events, events[::-1], events, events[::-1])
    with ThreadPoolExecutor(4) as pool:
        effects = [effect for found in pool.map(lambda page: ada.effects(*page), pages) for effect in found]
    assert sorted(effects) == [Effect.COUNTED, Effect.COUNTED, Effect.PAUSED]
    assert ada.in_a_row == 3
