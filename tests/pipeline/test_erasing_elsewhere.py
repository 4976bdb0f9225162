"""An address goes wherever else it stands: in others' words, in mails to it before, in slips."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, true, update

from digest.domain.consents import ConsentSource
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.suppressions import SuppressionReason
from digest.pipeline.erasing import (
    address_data,
    are_erasures_cut_short,
    erase_address,
    finish_erasures,
)
from digest.pipeline.readdressing import move_address
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.pipeline.suppressing import suppress_by_hand
from digest.store.address_changes import add_change
from digest.store.attributes import attributes_among, put_attributes
from digest.store.audit import list_entries, record
from digest.store.database import reading, writing
from digest.store.erasure_orders import add_order
from digest.store.erasures import is_erased
from digest.store.put_off_sign_ups import PutOff, PutOffRow, put_off
from digest.store.sign_ups import SignUpRow, put_sign_ups
from digest.store.subscribers import SubscriberRow, find_address
from digest.store.suppressions import is_suppressed, suppress
from tests.pipeline.controlled import Controlled
from tests.pipeline.erased import ADA, SAID, arm, claim_of, number_of, settle
from tests.stored import CLIMATE, NOW, stored_reader
from tests.stores_searched import columns_that_hold

CANCELLED, SENDING, UNKNOWN = DeliveryState.CANCELLED, DeliveryState.SENDING, DeliveryState.UNKNOWN


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    return Controlled.stored(engine, tmp_path)


def test_whatever_names_them_elsewhere_names_nobody(send: Controlled) -> None:
    send.address()
    with writing(send.engine) as session:
        record(
            session, by="Cy", what="suppression.added", about=ADA, now=NOW, detail=f"<{ADA.upper()}> asked"
        )
        record(session, by="Cy", what="suppression.added", about="er0@example.org", now=NOW)
        suppress(session, ADA, reason=SuppressionReason.COMPLAINT, detail=SAID, now=NOW)
    done = erase_address(send.runtime, ADA, by="Cy")
    assert (done.mentions, done.was_suppressed) == (1, True)
    assert columns_that_hold(send.engine, ADA) == ["audit.about"], "that of somebody else, which holds it"
    with reading(send.engine) as session:
        about = {entry.about: entry.detail for entry in list_entries(session, limit=9)}
    assert about["(erased)"] == "<(erased)> asked"
    assert "er0@example.org" in about


def test_what_is_known_and_was_said_of_others_names_them_no_more(send: Controlled) -> None:
    send.address()
    other = number_of(send, "r1@example.org")
    claim = claim_of(send, other)
    assert arm(send, claim)
    settle(send, claim, Outcome(DeliveryState.FAILED, 550, f"forwarded to <{ADA}>: {SAID}"))
    with writing(send.engine) as session:
        put_attributes(session, send.newsletter.id, {other: {"friend": f"Of {ADA.upper()}"}})
        session.execute(update(SubscriberRow).where(SubscriberRow.id == other).values(name=f"Ben ({ADA})"))
        wishes = Wishes(frozenset({CLIMATE}), name=f"Friend of {ADA}")
        form = SignUp(send.newsletter.id, "z@example.org", wishes, ConsentSource.PAGE, "Yes.", "", NOW)
        put_sign_ups(session, [form])
        put_off(session, send.newsletter.id, [PutOff(form, "a mark", NOW, NOW)])
    assert len(columns_that_hold(send.engine, ADA)) >= 7
    assert erase_address(send.runtime, ADA, by="Cy").mentions == 6
    assert columns_that_hold(send.engine, ADA) == []
    with reading(send.engine) as session:
        assert attributes_among(session, send.newsletter.id, [other]) == {other: {"friend": "Of (erased)"}}


def test_others_keep_all_of_theirs(send: Controlled) -> None:
    send.address()
    before = address_data(send.runtime, "r1@example.org")
    erase_address(send.runtime, ADA, by="Cy")
    assert address_data(send.runtime, "r1@example.org") == before


def test_an_address_that_lost_a_letter_before_it_came_here_is_told_changed_and_erased(
    send: Controlled,
) -> None:
    maimed = "ann\N{REPLACEMENT CHARACTER}@example.org"
    stored_reader(send.engine, send.newsletter, maimed, CLIMATE)
    assert address_data(send.runtime, maimed)["address"] == maimed
    wanted, how = WantedBy(follows=[]), {"by": "Cy", "source": ConsentSource.COMMAND}
    assert not put_subscriber(send.runtime, send.newsletter.slug, maimed, wanted, **how).subscription.follows
    assert suppress_by_hand(send.runtime, maimed, why="asked by phone", by="Cy")[1]
    erase_address(send.runtime, maimed, by="Cy")
    assert columns_that_hold(send.engine, maimed) == []
    with pytest.raises(InvalidInput, match="a letter of it was lost"):
        put_subscriber(send.runtime, send.newsletter.slug, maimed, wanted, **how, again=True)


def test_somebody_suppressed_alone_is_erased_too(send: Controlled) -> None:
    with writing(send.engine) as session:
        suppress(session, "gone@example.org", reason=SuppressionReason.BY_HAND, detail="", now=NOW)
    assert erase_address(send.runtime, "gone@example.org", by="Cy").was_suppressed
    with reading(send.engine) as session:
        assert not is_suppressed(session, "gone@example.org")
        assert is_erased(session, send.runtime.erasure_keys, "gone@example.org")


def test_an_address_they_had_before_goes_with_them(send: Controlled) -> None:
    send.address()
    new, who = "new@example.org", number_of(send)
    with writing(send.engine) as session:
        session.execute(update(SubscriberRow).where(SubscriberRow.id == who).values(email=new, email_key=new))
        suppress(session, ADA, reason=SuppressionReason.HARD_BOUNCE, detail=SAID, now=NOW)
        add_change(
            session,
            send.newsletter.id,
            who,
            old_email=ADA,
            new_email=new,
            now=NOW,
            confirmed_at=NOW,
        )
    done = erase_address(send.runtime, new, by="Cy")
    assert (done.mails, done.was_suppressed) == (1, True)
    assert columns_that_hold(send.engine, ADA, new) == []
    with reading(send.engine) as session:
        assert all(is_erased(session, send.runtime.erasure_keys, one) for one in (ADA, new))


def test_who_has_another_address_before_they_are_taken_out_goes_all_the_same(
    send: Controlled,
) -> None:
    send.address()
    new, who = "new@example.org", number_of(send)
    with writing(send.engine) as session:
        add_order(session, ADA, by="Cy", now=NOW, lease_until=None, subscriber_id=who)
    move_address(send.runtime, send.newsletter.slug, ADA, new, by="Di")
    finish_erasures(send.runtime)
    assert columns_that_hold(send.engine, ADA, new) == []
    with reading(send.engine) as session:
        assert find_address(session, who) is None
        assert all(is_erased(session, send.runtime.erasure_keys, one) for one in (ADA, new))
    assert not are_erasures_cut_short(send.runtime)


def test_who_has_the_address_since_is_left_alone(send: Controlled) -> None:
    send.address()
    who = number_of(send)
    with writing(send.engine) as session:
        add_order(session, ADA, by="Cy", now=NOW, lease_until=None, subscriber_id=who)
    move_address(send.runtime, send.newsletter.slug, ADA, "new@example.org", by="Di")
    stored_reader(send.engine, send.newsletter, ADA, CLIMATE)
    finish_erasures(send.runtime)
    with reading(send.engine) as session:
        assert find_address(session, who) is None
    assert number_of(send) != who


def test_nobody_is_given_an_address_that_was_erased(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    with pytest.raises(Conflict, match="was erased, so nothing was changed"):
        move_address(send.runtime, send.newsletter.slug, "r1@example.org", ADA, by="Di")
    with reading(send.engine) as session:
        assert is_erased(session, send.runtime.erasure_keys, ADA)


def test_an_address_they_had_before_is_erased_alone_or_left_to_whose_it_is_now(send: Controlled) -> None:
    send.address()
    new, who = "new@example.org", number_of(send)
    with writing(send.engine) as session:
        session.execute(update(SubscriberRow).where(SubscriberRow.id == who).values(email=new, email_key=new))
    stored_reader(send.engine, send.newsletter, ADA, CLIMATE)
    erase_address(send.runtime, new, by="Cy")
    assert number_of(send) != who, "somebody else has it now"
    erase_address(send.runtime, ADA, by="Cy")
    assert columns_that_hold(send.engine, ADA, new) == []


def test_who_was_named_by_a_slip_of_somebody_else_is_erased_too(send: Controlled) -> None:
    slip = "slip@example.org"
    with writing(send.engine) as session:
        add_change(session, send.newsletter.id, number_of(send), old_email=ADA, new_email=slip, now=NOW)
    with pytest.raises(NotFound):
        erase_address(send.runtime, "nobody@example.org", by="Cy")
    erase_address(send.runtime, slip, by="Cy")
    assert columns_that_hold(send.engine, slip) == []
    assert number_of(send)


def test_however_many_forms_of_one_address_wait_it_is_told_and_erased(send: Controlled) -> None:
    """More than either database takes numbers of in one statement."""
    number, many = send.newsletter.id, 66_000
    form = SignUp(number, ADA, Wishes(frozenset({CLIMATE})), ConsentSource.FORM, "", "", NOW)
    with writing(send.engine) as session:
        put_sign_ups(session, [form] * many)
        put_off(session, number, [PutOff(form, ADA, NOW, NOW)])
        copied = [column for column in PutOffRow.__table__.columns if column.name != "id"]
        copies = select(*copied, SignUpRow.id.label("one")).select_from(PutOffRow).join(SignUpRow, true())
        inner = copies.subquery()
        rows = select(*(inner.c[column.name] for column in copied))
        session.execute(insert(PutOffRow).from_select(copied, rows))
    told = address_data(send.runtime, ADA)
    assert (told["sign_ups_in_all"], told["put_off_sign_ups_in_all"]) == (many, many + 1)
    assert erase_address(send.runtime, ADA, by="Cy").sign_ups == 2 * many + 1
    assert columns_that_hold(send.engine, ADA) == []
