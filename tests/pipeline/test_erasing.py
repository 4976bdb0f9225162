"""A reader is erased at any moment of a send: nothing is sent to them, nothing of them stays, counts hold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.endpoints import EventKind
from digest.domain.errors import NotFound
from digest.domain.issues import IssueState
from digest.domain.subscribers import email_key
from digest.intake.lists import steps
from digest.intake.lists.steps import import_text
from digest.pipeline.erasing import address_data, erase_address, erase_subscriber, subscriber_data
from digest.store.announcements import CallRow
from digest.store.audiences import add_editions
from digest.store.audit import list_entries
from digest.store.bounces import count_soft_bounce
from digest.store.claims import return_claims
from digest.store.database import reading, writing
from digest.store.deliveries import NewDelivery, add_deliveries
from digest.store.endpoints import add_endpoint
from digest.store.erasures import ErasureRow
from digest.store.issues import change_issue
from digest.store.open_outcomes import settle_unknown
from digest.store.subscribers import find_subscription
from digest.store.subscription_lists import Known, known_among
from tests.pipeline.controlled import OWNER, Controlled
from tests.pipeline.erased import ADA, SAID, arm, claim_of, mail_to, number_of, settle
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader
from tests.stores_searched import columns_that_hold

CANCELLED, SENDING, UNKNOWN = DeliveryState.CANCELLED, DeliveryState.SENDING, DeliveryState.UNKNOWN


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    return Controlled.stored(engine, tmp_path)


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


def test_who_is_on_a_list_that_comes_in_just_now_is_erased_all_the_same(
    send: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list's page was told that she is not erased, and stores her after: the erasure waits for that."""
    told, erasing = threading.Event(), threading.Event()

    def known(*args: Any, **named: Any) -> dict[str, Known]:
        found = known_among(*args, **named)
        told.set()
        assert not erasing.wait(0.5), "it waits until these are stored"
        return found

    monkeypatch.setattr(steps, "known_among", known)

    def bring() -> None:
        text = f"email\n{ADA}\n"
        import_text(
            send.engine,
            send.newsletter,
            text,
            name="r.csv",
            by="Cy",
            now=NOW,
            marked=send.runtime.erasure_keys,
        )

    def erase() -> None:
        told.wait()
        erase_address(send.runtime, ADA, by="Cy")
        erasing.set()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(bring), pool.submit(erase)]:
            done.result()
    assert columns_that_hold(send.engine, ADA) == []


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
