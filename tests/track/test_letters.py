"""Which letters follow from what subscribers do."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.errors import Refused
from digest.domain.letters import CONFIRM_WITHIN, LetterKind
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.database import reading, writing
from digest.store.letters import list_letters
from digest.store.subscribers import set_subscription_state, subscription_of
from digest.track.steps import Change, confirm, unsubscribe
from digest.track.tokens import Purpose, Tokens
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader

TOKENS = Tokens(["an older key that is long enough", "a key that is long enough as well"])
ONE, TWO = NewsletterId(1), SubscriberId(2)


def letters(engine: Engine) -> Counter[LetterKind]:
    with reading(engine) as session:
        return Counter(letter.kind for letter in list_letters(session, limit=100))


def reader_of(engine: Engine, newsletter: Newsletter, state: SubscriptionState) -> SubscriberId:
    reader = stored_reader(engine, newsletter, "ada@example.org", CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, reader, state, now=NOW)
    return reader


@pytest.mark.parametrize("wanted", [True, False])
def test_a_goodbye_goes_to_those_who_left_by_the_page_if_the_newsletter_wants_it(
    engine: Engine, wanted: bool
) -> None:
    newsletter = stored_newsletter(engine, goodbye=wanted)
    reader = reader_of(engine, newsletter, SubscriptionState.ACTIVE)
    for _ in range(2):
        unsubscribe(engine, newsletter.id, reader, now=NOW, says_goodbye=True)
    assert letters(engine) == (Counter({LetterKind.GOODBYE: 1}) if wanted else Counter())


def test_nobody_else_is_told_goodbye(engine: Engine) -> None:
    newsletter = stored_newsletter(engine, goodbye=True)
    reader = reader_of(engine, newsletter, SubscriptionState.ACTIVE)
    unsubscribe(engine, newsletter.id, reader, now=NOW)
    assert letters(engine) == Counter()


@pytest.mark.parametrize("state", SubscriptionState)
def test_a_confirmation_begins_what_waited_for_it_once(engine: Engine, state: SubscriptionState) -> None:
    newsletter = stored_newsletter(engine, welcome=True)
    reader = reader_of(engine, newsletter, state)
    changes = [confirm(engine, newsletter.id, reader, now=NOW) for _ in range(2)]
    waited = state is SubscriptionState.PENDING
    assert (changes[0] is Change.DONE) is waited
    assert changes[1] is not Change.DONE
    assert letters(engine) == (Counter({LetterKind.WELCOME: 1}) if waited else Counter())
    with reading(engine) as session:
        found = subscription_of(session, newsletter.id, reader)
    assert found
    assert found.state is (SubscriptionState.ACTIVE if waited else state)
    assert found.follows == {CLIMATE}


def test_a_confirmation_is_good_for_its_time_and_for_nothing_else() -> None:
    token = TOKENS.sign_confirmation(ONE, TWO, now=NOW)
    for age in (timedelta(0), CONFIRM_WITHIN):
        link = TOKENS.read_confirmation(token, now=NOW + age)
        assert (link.newsletter_id, link.subscriber_id) == (1, 2)
    with pytest.raises(Refused, match="48 hours"):
        TOKENS.read_confirmation(token, now=NOW + CONFIRM_WITHIN + timedelta(seconds=1))
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM):
        with pytest.raises(Refused, match="not complete"):
            TOKENS.read_subscription(purpose, token)
        with pytest.raises(Refused, match="not complete"):
            TOKENS.read_confirmation(TOKENS.sign(purpose, 1, 2), now=NOW)


def test_no_changed_bit_confirms_anything() -> None:
    token = TOKENS.sign_confirmation(ONE, TWO, now=NOW)
    for at in range(len(token) - 1):  # the last letter carries bits that base64 does not use
        for bit in range(7):
            forged = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]
            with pytest.raises(Refused):
                TOKENS.read_confirmation(forged, now=NOW)


def test_keys_that_were_replaced_are_still_believed() -> None:
    old = Tokens(["an older key that is long enough"]).sign_confirmation(ONE, TWO, now=NOW)
    assert TOKENS.read_confirmation(old, now=NOW).subscriber_id == TWO
    with pytest.raises(Refused):
        Tokens(["another key that is long enough"]).read_confirmation(old, now=NOW)
