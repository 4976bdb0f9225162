"""A reader is erased at any moment of a send: nothing is sent to them, nothing of them stays, counts hold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select, update

from digest.domain.consents import ConsentSource
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.endpoints import EventKind
from digest.domain.erasing import ASKED_AGAIN_AFTER, ErasureKeys
from digest.domain.errors import Conflict, Misconfigured, NotFound
from digest.domain.issues import IssueState
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.domain.suppressions import SuppressionReason
from digest.intake.lists.outcomes import Outcome as Became
from digest.intake.lists.steps import import_text
from digest.pipeline.erasing import address_data, erase_address, erase_subscriber, subscriber_data
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.pipeline.suppressing import suppress_by_hand, suppress_listed
from digest.store.address_changes import add_change
from digest.store.announcements import CallRow
from digest.store.attributes import attributes_among, put_attributes
from digest.store.audiences import add_editions
from digest.store.audit import list_entries, record
from digest.store.bounces import count_soft_bounce, record_refusals
from digest.store.claims import arm_deliveries, return_claims, settle_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, NewDelivery, add_deliveries
from digest.store.endpoints import add_endpoint
from digest.store.erasures import ErasureRow, is_erased, may_be_asked
from digest.store.issues import change_issue
from digest.store.open_outcomes import settle_unknown
from digest.store.put_off_sign_ups import PutOff, put_off
from digest.store.sign_ups import put_sign_ups
from digest.store.subscribers import SubscriberRow, find_subscription, subscribe
from digest.store.suppressions import is_suppressed, suppress
from digest.track.steps import confirm
from tests.pipeline.controlled import OWNER, Controlled
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader
from tests.stores_searched import columns_that_hold

ADA = "r0@example.org"
SAID = f"5.1.1 <{ADA}> is not here"
CANCELLED, SENDING, UNKNOWN = DeliveryState.CANCELLED, DeliveryState.SENDING, DeliveryState.UNKNOWN


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    return Controlled.stored(engine, tmp_path)


def number_of(send: Controlled, email: str = ADA) -> SubscriberId:
    with reading(send.engine) as session:
        found = session.scalars(select(SubscriberRow.id).where(SubscriberRow.email_key == email)).one()
    return SubscriberId(found)


def claim_of(send: Controlled, who: SubscriberId) -> Claim:
    (found,) = [claim for claim in send.claim() if claim.subscriber_id == who]
    return found


def arm(send: Controlled, claim: Claim) -> bool:
    with writing(send.engine) as session:
        return bool(arm_deliveries(session, [claim], owner=OWNER, now=NOW))


def settle(send: Controlled, claim: Claim, outcome: Outcome) -> int:
    with writing(send.engine) as session:
        count = settle_deliveries(session, [(claim, outcome)], now=NOW)
        record_refusals(session, [(claim, outcome)], now=NOW)
    return count


def mail_to(send: Controlled, who: SubscriberId) -> DeliveryRow:
    with reading(send.engine) as session:
        return session.scalars(select(DeliveryRow).where(DeliveryRow.subscriber_id == who)).one()


def test_what_waits_for_them_is_not_sent_and_the_issue_counts_as_many(send: Controlled) -> None:
    send.address()
    done = erase_address(send.runtime, ADA.upper(), by="Cy")
    assert (done.newsletters, done.mails, done.stopped, done.has_account) == (1, 1, 1, False)
    assert send.states == {CANCELLED: 1, DeliveryState.PENDING: 3}
    assert columns_that_hold(send.engine, ADA) == []
    with reading(send.engine) as session:
        (entry,) = list_entries(session, limit=9)
    assert (entry.by, entry.what) == ("Cy", "reader.erased")


def test_who_is_claimed_is_not_armed(send: Controlled) -> None:
    send.address()
    claim = claim_of(send, number_of(send))
    erase_address(send.runtime, ADA, by="Cy")
    assert not arm(send, claim)
    with writing(send.engine) as session:
        return_claims(session, [claim], owner=OWNER)
    assert send.states == {CANCELLED: 1, DeliveryState.CLAIMED: 3}


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(DeliveryState.ACCEPTED, 250, f"2.0.0 queued for {ADA}"),
        Outcome(DeliveryState.FAILED, 550, SAID),
        Outcome(UNKNOWN, None, f"no answer about {ADA}"),
    ],
    ids=lambda outcome: outcome.state,
)
def test_of_what_was_armed_before_the_state_is_kept_and_no_words(send: Controlled, outcome: Outcome) -> None:
    send.address()
    who = number_of(send)
    claim = claim_of(send, who)
    assert arm(send, claim)
    assert erase_address(send.runtime, ADA, by="Cy").stopped == 0
    assert mail_to(send, who).state == SENDING
    assert settle(send, claim, outcome) == 1
    assert mail_to(send, who).state == outcome.state
    assert columns_that_hold(send.engine, ADA) == []
    with writing(send.engine) as session:
        assert count_soft_bounce(session, claim.id, detail=SAID, now=NOW) is None
    assert columns_that_hold(send.engine, ADA) == []


def test_what_is_put_off_or_found_never_to_have_left_is_not_tried_again(send: Controlled) -> None:
    send.address()
    who = number_of(send)
    claim = claim_of(send, who)
    assert arm(send, claim)
    erase_address(send.runtime, ADA, by="Cy")
    settle(send, claim, Outcome(UNKNOWN, None, "no answer"))
    with writing(send.engine) as session:
        settle_unknown(session, send.issue.id, accepted=(), absent_are_pending=True, now=NOW)
    assert mail_to(send, who).state == DeliveryState.PENDING
    assert send.claim() == (), "there is nobody to send it to"
    assert mail_to(send, who).state == CANCELLED


def test_who_is_being_addressed_just_now_is_erased_all_the_same(send: Controlled) -> None:
    """Addressing read the reader before, and stores their mail after: the erasure waits for that."""
    who = number_of(send)
    stored, erasing = threading.Event(), threading.Event()

    def address() -> None:
        with writing(send.engine) as session:
            change_issue(session, send.issue.id, IssueState.SENDING, now=NOW)
            (edition,) = add_editions(session, send.issue.id, ["climate:0"], after=0).values()
            new = NewDelivery(who, ADA, email_key(ADA), "<1@news.example.org>", edition)
            add_deliveries(session, send.issue.id, [new], now=NOW)
            stored.set()
            assert not erasing.wait(0.5), "it waits until this is stored"

    def erase() -> None:
        stored.wait()
        erase_address(send.runtime, ADA, by="Cy")
        erasing.set()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(address), pool.submit(erase)]:
            done.result()
    assert mail_to(send, who).state == CANCELLED
    assert columns_that_hold(send.engine, ADA) == []


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


def test_no_list_brings_them_back(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys, newsletter = send.runtime.erasure_keys, send.newsletter
    done = import_text(
        send.engine,
        newsletter,
        f"email\n{ADA}\nnew@example.org\n",
        name="r.csv",
        by="Cy",
        now=NOW,
        marked=keys,
    )
    assert (done.counts[Became.ERASED], done.added) == (1, 1)
    assert suppress_listed(send.runtime, f"{ADA}\nother@example.org", by="Cy").added == 1
    with pytest.raises(Conflict, match="was erased"):
        suppress_by_hand(send.runtime, ADA, why="again", by="Cy")
    with pytest.raises(Conflict, match="--again only if they asked"):
        put_subscriber(
            send.runtime,
            newsletter.slug,
            ADA,
            WantedBy(follows=[CLIMATE]),
            by="Cy",
            source=ConsentSource.COMMAND,
        )
    assert columns_that_hold(send.engine, ADA) == []


def test_they_themselves_may_come_back_as_somebody_new(send: Controlled) -> None:
    before = number_of(send)
    erase_address(send.runtime, ADA, by="Cy")
    wanted = WantedBy(follows=[CLIMATE])
    put_subscriber(
        send.runtime,
        send.newsletter.slug,
        ADA,
        wanted,
        by="Cy",
        source=ConsentSource.COMMAND,
        again=True,
    )
    assert number_of(send) != before
    with reading(send.engine) as session:
        assert not is_erased(session, send.runtime.erasure_keys, ADA)


def test_who_confirmed_that_they_come_back_is_treated_as_everybody(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys, newsletter = send.runtime.erasure_keys, send.newsletter
    with writing(send.engine) as session:
        new = subscribe(
            session, newsletter.id, email=ADA, follows=[CLIMATE], now=NOW, state=SubscriptionState.PENDING
        )
    with reading(send.engine) as session:
        assert is_erased(session, keys, ADA), "anybody may have filled in the form"
    confirm(send.engine, newsletter.id, new.subscriber.id, now=NOW)
    with reading(send.engine) as session:
        assert not is_erased(session, keys, ADA)
    assert suppress_by_hand(send.runtime, ADA, why="asked by phone", by="Cy")[1]


def test_a_form_asks_whom_it_was_erased_seldom_and_others_always(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys = send.runtime.erasure_keys
    with writing(send.engine) as session:
        asked = [may_be_asked(session, keys, ADA, now=NOW + timedelta(days=day)) for day in range(3)]
        assert asked == [True, False, False]
        assert may_be_asked(session, keys, ADA, now=NOW + ASKED_AGAIN_AFTER)
        assert [may_be_asked(session, keys, "r1@example.org", now=NOW) for _ in range(3)] == [True] * 3


def test_a_mark_is_known_by_every_key_and_made_by_the_newest(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    newer = ErasureKeys((b"newer", *send.runtime.erasure_keys.keys))
    with reading(send.engine) as session:
        (row,) = session.scalars(select(ErasureRow))
        assert (row.mark, row.key) == (
            send.runtime.erasure_keys.mark(ADA),
            send.runtime.erasure_keys.names[0],
        )
        assert is_erased(session, newer, ADA)
        assert not is_erased(session, ErasureKeys((b"another",)), ADA)
        assert not is_erased(session, newer, "r1@example.org")
    assert newer.mark(ADA) != row.mark
    assert b"newer" not in repr(newer).encode()


def test_without_a_key_nobody_is_erased(send: Controlled) -> None:
    keyless = type(send.runtime)(send.runtime.settings.model_copy(update={"secret_key": SecretStr("")}))
    with pytest.raises(Misconfigured, match="DIGEST_ERASURE_KEY"):
        erase_address(keyless, ADA, by="Cy")
    assert number_of(send)


def test_who_is_not_there_is_not_erased(send: Controlled) -> None:
    who = number_of(send)
    with pytest.raises(NotFound, match="look for a slip"):
        erase_address(send.runtime, "nobody@example.org", by="Cy")
    erase_subscriber(send.runtime, who)
    with pytest.raises(NotFound, match="was removed"):
        erase_subscriber(send.runtime, who)
    with pytest.raises(NotFound, match="erased before"):
        erase_address(send.runtime, ADA, by="Cy")
    with pytest.raises(NotFound, match="erased before"):
        address_data(send.runtime, ADA)
    with reading(send.engine) as session:
        assert session.scalar(select(func.count()).select_from(ErasureRow)) == 1


def test_in_every_newsletter_at_once_and_programs_are_told(send: Controlled) -> None:
    other = stored_newsletter(send.engine, slug="daily")
    who = stored_reader(send.engine, other, ADA, CLIMATE)
    with writing(send.engine) as session:
        add_endpoint(
            session,
            url="https://hooks.example.org/",
            kinds=frozenset({EventKind.SUBSCRIBER_ERASED}),
            about="",
            by="Cy",
            now=NOW,
        )
    assert erase_address(send.runtime, ADA, by="Cy").newsletters == 2
    with reading(send.engine) as session:
        assert find_subscription(session, other.id, ADA) is None
        (call,) = session.scalars(select(CallRow))
    assert f'"subscriber":{who}' in call.body
    assert ADA not in call.body


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


def test_all_that_is_stored_of_somebody_is_told_to_them(send: Controlled) -> None:
    send.address()
    who = number_of(send)
    send.settle(Outcome(DeliveryState.FAILED, 550, SAID), which=lambda claim: claim.subscriber_id == who)
    data = dict(subscriber_data(send.runtime, who))
    assert data == address_data(send.runtime, ADA)
    assert data["address"] == ADA
    (reader,), (tie,), (mail,) = data["reader"], data["subscriptions"], data["mails"]  # type: ignore[misc]
    assert (reader["email"], tie["newsletter"], tie["state"]) == (ADA, "weekly", "active")
    assert data["follows"] == [{"newsletter": "weekly", "topic": "climate"}]
    assert (mail["newsletter"], mail["state"], mail["edition"]) == ("weekly", "failed", "climate:0")
    assert data["never_mailed"][0]["reason"] == "hard_bounce"  # type: ignore[index]
    told = str(data)
    assert "r1@example.org" not in told
    assert OWNER not in told
