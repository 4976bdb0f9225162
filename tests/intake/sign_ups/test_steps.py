"""What becomes of sign-ups: who is asked, who is reminded, who hears nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.consents import ConsentAct, ConsentSource
from digest.domain.erasing import ASKED_AGAIN_AFTER, ErasureKeys
from digest.domain.letters import LetterKind
from digest.domain.sign_ups import SignUpOutcome
from digest.domain.subscribers import SubscriptionState
from digest.intake.sign_ups.caps import mailbox_of
from digest.store.database import reading, writing
from digest.store.erasing import take_reader_out
from digest.store.erasures import is_erased, remember_erased
from digest.store.never_asked import ask_again, mark_of, never_ask, never_asked_among
from digest.store.newsletters import remove_topic
from digest.store.sign_ups import oldest_sign_ups, waiting_sign_ups
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import suppress
from digest.track.steps import Change, confirm, unsubscribe
from tests.intake.sign_ups.conftest import KEYS, LATER, Door
from tests.stored import CLIMATE, FOOD, NOW, SPACE, stored_newsletter, stored_reader
from tests.stores_searched import columns_that_hold

ADA, BEN = "ada@example.org", "ben@example.org"
ASKED, REMINDED = SignUpOutcome.ASKED, SignUpOutcome.REMINDED
ACTIVE, PAUSED, PENDING, UNSUBSCRIBED = (
    SubscriptionState.ACTIVE,
    SubscriptionState.PAUSED,
    SubscriptionState.PENDING,
    SubscriptionState.UNSUBSCRIBED,
)


def reader_in(door: Door, state: SubscriptionState, email: str = ADA) -> int:
    who = stored_reader(door.engine, door.newsletter, email, FOOD)
    with writing(door.engine) as session:
        set_subscription_state(session, door.newsletter.id, who, state, now=NOW)
    return who


def test_who_is_new_is_asked_and_follows_nothing_until_they_confirm(door: Door) -> None:
    door.sign_up("Ada@Example.org", CLIMATE, SPACE, name="Ada")
    assert door.take_in() == {ASKED: 1}
    found = door.get(ADA)
    assert (found.state, found.follows, found.subscriber.name) == (PENDING, frozenset(), "")
    assert door.letters == [("Ada@Example.org", LetterKind.CONFIRMATION)]
    (consent,) = door.consents(ADA)
    assert (consent.act, consent.source, consent.at) == (ConsentAct.ASKED, ConsentSource.PAGE, NOW)
    assert (consent.wording, consent.network) == ("I want The Weekly by mail.", "192.0.2.7")
    with reading(door.engine) as session:
        assert waiting_sign_ups(session) == 0
        assert not oldest_sign_ups(session, most=9)


def test_a_confirmation_does_what_was_asked_for_and_says_so(door: Door) -> None:
    door.sign_up(ADA, CLIMATE, SPACE, name="Ada")
    door.take_in()
    who = door.get(ADA).subscriber.id
    done = confirm(door.engine, door.newsletter.id, who, now=LATER, wording="I want it.", network="192.0.2.9")
    assert done is Change.DONE
    found = door.get(ADA)
    assert (found.state, found.follows) == (ACTIVE, {CLIMATE, SPACE})
    assert (found.subscriber.name, found.subscriber.language) == ("Ada", "de")
    asked, confirmed = door.consents(ADA)
    assert asked.act is ConsentAct.ASKED
    assert (confirmed.act, confirmed.source, confirmed.at) == (
        ConsentAct.CONFIRMED,
        ConsentSource.MAIL,
        LATER,
    )
    assert (confirmed.wording, confirmed.network) == ("I want it.", "192.0.2.9")
    assert confirm(door.engine, door.newsletter.id, who, now=LATER) is Change.ALREADY
    assert len(door.consents(ADA)) == 2


@pytest.mark.parametrize("state", [ACTIVE, PAUSED])
def test_a_reader_is_sent_the_link_to_their_settings_and_stays_as_they_are(
    state: SubscriptionState, door: Door
) -> None:
    reader_in(door, state)
    before = door.get(ADA)
    door.sign_up(ADA, CLIMATE)
    assert door.take_in() == {REMINDED: 1}
    assert door.letters == [(ADA, LetterKind.PREFERENCES)]
    assert door.get(ADA) == before
    assert door.consents(ADA) == ()


def test_who_left_comes_back_by_confirming_alone(door: Door) -> None:
    who = reader_in(door, UNSUBSCRIBED)
    assert confirm(door.engine, door.newsletter.id, who, now=NOW) is Change.NOT_FROM_HERE
    door.sign_up(ADA, CLIMATE)
    assert door.take_in() == {ASKED: 1}
    assert (door.get(ADA).state, door.get(ADA).follows) == (UNSUBSCRIBED, {FOOD})
    assert door.letters == [(ADA, LetterKind.CONFIRMATION)]
    assert confirm(door.engine, door.newsletter.id, who, now=NOW) is Change.DONE
    assert (door.get(ADA).state, door.get(ADA).follows) == (ACTIVE, {CLIMATE})
    unsubscribe(door.engine, door.newsletter.id, who, now=NOW)
    assert confirm(door.engine, door.newsletter.id, who, now=NOW) is Change.NOT_FROM_HERE, "once"


def test_nobody_on_the_list_of_suppressions_is_mailed(door: Door) -> None:
    with writing(door.engine) as session:
        suppress(session, ADA, reason="complaint", detail="", now=NOW)
    door.sign_up(ADA)
    assert door.take_in() == {SignUpOutcome.SUPPRESSED: 1}
    assert (door.find(ADA), door.letters) == (None, [])


def test_what_filled_in_the_hidden_field_leads_to_nothing(door: Door) -> None:
    door.sign_up(ADA, is_trapped=True)
    assert door.take_in() == {SignUpOutcome.TRAPPED: 1}
    assert (door.find(ADA), door.letters) == (None, [])


def test_a_second_sign_up_changes_what_the_link_brings_and_mails_nothing(door: Door) -> None:
    door.sign_up(ADA, CLIMATE)
    door.sign_up(ADA, SPACE)
    assert door.take_in() == {ASKED: 1, SignUpOutcome.PER_ADDRESS: 1}
    door.sign_up(ADA, FOOD)
    assert door.take_in(now=NOW + timedelta(hours=1)) == {SignUpOutcome.PER_ADDRESS: 1}
    assert len(door.letters) == 1
    who = door.get(ADA).subscriber.id
    confirm(door.engine, door.newsletter.id, who, now=NOW)
    assert door.get(ADA).follows == {FOOD}


def test_a_day_later_another_mail_may_be_asked_for(door: Door) -> None:
    door.sign_up(ADA)
    door.take_in()
    with writing(door.engine) as session:
        session.connection().exec_driver_sql("UPDATE letters SET state = 'accepted'")
    door.sign_up(ADA, at=LATER)
    assert door.take_in(now=LATER) == {ASKED: 1}
    assert len(door.letters) == 2


@pytest.mark.parametrize("a_day", [0, 1])
def test_newsletters_with_a_topic_of_one_name_each_bring_their_own(door: Door, a_day: int) -> None:
    """With the cap that is the default, the second is not asked about, and changes nothing of the first."""
    door = door.capped(per_address_day=a_day)
    other = stored_newsletter(door.engine, slug="other")
    door.sign_up(ADA, CLIMATE, SPACE)
    door.sign_up(ADA, CLIMATE, FOOD, newsletter=other)
    door.take_in()
    who = door.get(ADA).subscriber.id
    assert confirm(door.engine, door.newsletter.id, who, now=LATER) is Change.DONE
    asked = confirm(door.engine, other.id, who, now=LATER)
    assert door.get(ADA).follows == {CLIMATE, SPACE}
    found = door.find(ADA, other)
    if a_day:
        assert (asked, found) == (Change.REMOVED, None)
    else:
        assert asked is Change.DONE
        assert found
        assert found.follows == {CLIMATE, FOOD}


def test_a_topic_that_was_dropped_meanwhile_is_left_out(door: Door) -> None:
    door.sign_up(ADA, CLIMATE, SPACE)
    door.take_in()
    with writing(door.engine) as session:
        remove_topic(session, door.newsletter.id, SPACE)
    confirm(door.engine, door.newsletter.id, door.get(ADA).subscriber.id, now=NOW)
    assert door.get(ADA).follows == {CLIMATE}


def test_a_name_that_is_known_stays(door: Door) -> None:
    other = stored_newsletter(door.engine, slug="daily")
    stored_reader(door.engine, other, ADA)
    with writing(door.engine) as session:
        session.connection().exec_driver_sql("UPDATE subscribers SET name = 'Ada Fenwick'")
    door.sign_up(ADA, name="Nobody")
    door.take_in()
    confirm(door.engine, door.newsletter.id, door.get(ADA).subscriber.id, now=NOW)
    assert door.get(ADA).subscriber.name == "Ada Fenwick"


# --- caps


def test_a_mailbox_that_wants_no_mail_of_sign_ups_gets_none_and_may_think_better_of_it(door: Door) -> None:
    mark = mark_of(KEYS, mailbox_of("Ada@example.org"))
    reader_in(door, ACTIVE, BEN)
    with writing(door.engine) as session:
        never_ask(session, mark, now=NOW)
        never_ask(session, mark, now=NOW)
        never_ask(session, mark_of(KEYS, mailbox_of(BEN)), now=NOW)
    for email in ("ada+x@example.org", BEN):
        door.sign_up(email)
    assert door.take_in() == {SignUpOutcome.NEVER_AGAIN: 2}
    assert (door.find("ada+x@example.org"), door.letters) == (None, [])
    assert columns_that_hold(door.engine, ADA) == [], "it is known by a mark alone"
    with writing(door.engine) as session:
        ask_again(session, mark)
    door.sign_up(ADA)
    assert door.take_in() == {ASKED: 1}


def test_who_asks_never_again_is_known_after_the_key_was_replaced(door: Door) -> None:
    with writing(door.engine) as session:
        never_ask(session, mark_of(KEYS, ADA), now=NOW)
        newer = ErasureKeys((b"a newer key", *KEYS.keys))
        assert never_asked_among(session, newer, {ADA, BEN}) == {ADA}
        assert not never_asked_among(session, ErasureKeys((b"another",)), {ADA})


# --- who was erased


def test_who_was_erased_is_asked_seldom_and_is_one_of_us_again_by_confirming(door: Door) -> None:
    with writing(door.engine) as session:
        remember_erased(session, KEYS, ADA, now=NOW)
    door.sign_up(ADA)
    assert door.take_in() == {ASKED: 1}
    with writing(door.engine) as session:
        session.connection().exec_driver_sql("DELETE FROM subscribers")
    door.sign_up(ADA)
    assert door.take_in(now=LATER) == {SignUpOutcome.PER_ADDRESS: 1}
    assert door.letters == []
    door.sign_up(ADA)
    assert door.take_in(now=NOW + ASKED_AGAIN_AFTER) == {ASKED: 1}
    who = door.get(ADA).subscriber.id
    with reading(door.engine) as session:
        assert is_erased(session, KEYS, ADA)
    confirm(door.engine, door.newsletter.id, who, now=NOW, erasure_keys=KEYS)
    with reading(door.engine) as session:
        assert not is_erased(session, KEYS, ADA)


def test_what_waits_of_an_address_is_erased_with_it(door: Door) -> None:
    door.sign_up(ADA)
    door.take_in()
    for email in ("Ada@Example.org", BEN):
        door.sign_up(email)
    with writing(door.engine) as session:
        take_reader_out(session, ADA)
    assert columns_that_hold(door.engine, ADA) == []
    assert door.take_in() == {ASKED: 1}
    assert [email for email, _ in door.letters] == [BEN]


def test_more_than_a_page_is_taken_in(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.intake.sign_ups.steps.PAGE", 2)
    for number in range(5):
        replace(door).sign_up(f"reader-{number}@example.org")
    assert door.take_in() == {ASKED: 5}
