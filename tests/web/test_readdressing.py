"""A reader's new address: nobody learns whose it is, it is confirmed there, taken back from the old one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from digest.domain.deliveries import DeliveryState
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.letters import write_letter
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import find_delivery
from digest.store.letters import arm_letter, claim_letters, list_letters
from digest.store.subscribers import SubscriberRow, subscribe, suppress
from digest.track.tokens import Purpose
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, NOW, SENDING, contents, reader_id

NEW = "ada@new.example.org"


def address_of(site: Site, who: int) -> str:
    with reading(site.runtime.engine) as session:
        return session.get_one(SubscriberRow, who).email


def letters(site: Site) -> list[tuple[LetterKind, str]]:
    with reading(site.runtime.engine) as session:
        return [(one.kind, one.email) for one in list_letters(session, limit=9)]


def link_in(site: Site, kind: LetterKind) -> str:
    """Return the path of the link in the letter of this kind that waits, as it would be sent."""
    now = site.runtime.clock()
    with writing(site.runtime.engine) as session:
        claimed = claim_letters(session, owner="w", limit=9, now=now, lease_until=now + timedelta(minutes=5))
        (letter,) = (one for one in claimed if one.kind is kind)
        assert arm_letter(session, letter, owner="w", now=now)
    _, raw = write_letter(site.runtime, letter)
    text = raw.decode().replace("=\r\n", "")
    assert f"To: {letter.email}" in text
    found = re.search(rf"https?://[^/\s]+(/{kind}/[\w.=-]+)", text)
    assert found
    return found[1].replace("=3D", "=")


def asked(site: Site, email: str = NEW) -> str:
    return text_of(site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/address", email=email).text)


def test_an_address_is_changed_from_the_new_one_and_taken_back_from_the_old_one(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    assert f"We write to {NEW}" in asked(site)
    assert letters(site) == [(LetterKind.NEW_ADDRESS, NEW)]
    link = link_in(site, LetterKind.NEW_ADDRESS)
    shown = site.get(link)
    assert ADA not in shown.text, "whoever reads there need not be the reader"
    assert address_of(site, who) == ADA, "showing the page changes nothing"
    for _ in range(2):
        assert f"comes to {NEW}" in text_of(site.post(link).text)
        assert address_of(site, who) == NEW
    assert letters(site)[0] == (LetterKind.OLD_ADDRESS, ADA)
    back = link_in(site, LetterKind.OLD_ADDRESS)
    assert NEW not in site.get(back).text, "whoever has the old mailbox need not learn the new one"
    assert address_of(site, who) == NEW
    for _ in range(2):
        assert f"comes to {ADA}" in text_of(site.post(back).text)
        assert address_of(site, who) == ADA
    assert "changes nothing any more" in text_of(site.post(link).text)
    assert address_of(site, who) == ADA


def test_mail_that_waits_goes_to_the_new_address_and_what_a_worker_holds_does_not(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    asked(site)
    link = link_in(site, LetterKind.NEW_ADDRESS)
    site.post(link)
    with writing(site.runtime.engine) as session:
        delivery = find_delivery(session, SENDING, who)
        assert delivery
        assert (delivery.email, delivery.state) == (NEW, DeliveryState.PENDING)
        claims = claim_deliveries(
            session, SENDING, owner="w", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    assert {claim.email for claim in claims} == {NEW, BEN}
    site.post(link_in(site, LetterKind.OLD_ADDRESS))
    with reading(site.runtime.engine) as session:
        held = find_delivery(session, SENDING, who)
    assert held
    assert held.email == NEW


def test_an_address_that_somebody_has_or_that_is_never_mailed_is_answered_alike(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        suppress(session, "gone@example.org", reason="bounced", detail="", now=NOW)
    answers = {asked(site, email).replace(email, "X") for email in (BEN, "gone@example.org", NEW)}
    assert len(answers) == 1
    assert letters(site) == [(LetterKind.NEW_ADDRESS, NEW)]
    stored = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    assert "letters" not in stored, "whom we wrote to tells who reads here"


def test_one_address_is_written_to_once_a_day_and_a_reader_asks_three_times(site: Site) -> None:
    for _ in range(3):
        assert f"We write to {NEW}" in asked(site)
    assert letters(site) == [(LetterKind.NEW_ADDRESS, NEW)]
    assert "asked for three times today" in asked(site, "other@example.org")
    assert letters(site) == [(LetterKind.NEW_ADDRESS, NEW)]


@pytest.mark.parametrize("wrong", ["", "ada", "ada@", "a@b", "ada@example.org, ben@example.org", "x" * 390])
def test_what_is_no_address_is_told_and_stays_in_the_form(wrong: str, site: Site) -> None:
    answer = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/address", email=wrong)
    assert answer.status_code == 422
    assert "That is no address that mail can be sent to." in answer.text
    assert f'value="{wrong}"' in answer.text
    assert letters(site) == []


def test_their_own_address_is_no_change(site: Site) -> None:
    assert f"Mail goes to {ADA} already" in asked(site, ADA.upper())


def test_a_link_is_good_for_two_days_and_for_an_address_that_is_still_free(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    asked(site)
    link = link_in(site, LetterKind.NEW_ADDRESS)
    with writing(site.runtime.engine) as session:
        taken = subscribe(session, NewsletterId(1), email=NEW, follows=(), now=NOW)
    assert "cannot be used at present" in text_of(site.post(link).text)
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, taken.subscriber.id))
        suppress(session, NEW, reason="bounced", detail="", now=NOW)
    assert "cannot be used at present" in text_of(site.post(link).text)
    assert address_of(site, who) == ADA


def test_a_sign_up_that_nobody_confirmed_keeps_no_address_from_its_owner(site: Site) -> None:
    pending = SubscriptionState.PENDING
    with writing(site.runtime.engine) as session:
        subscribe(session, NewsletterId(1), email=NEW, follows=(), now=NOW, state=pending)
    who = reader_id(site.runtime.engine, ADA)
    asked(site)
    site.post(link_in(site, LetterKind.NEW_ADDRESS))
    assert address_of(site, who) == NEW
    with writing(site.runtime.engine) as session:
        subscribe(session, NewsletterId(1), email=ADA, follows=(), now=NOW, state=pending)
    site.post(link_in(site, LetterKind.OLD_ADDRESS))
    assert address_of(site, who) == ADA


def test_a_forged_link_and_one_of_somebody_removed_change_nothing(site: Site) -> None:
    asked(site)
    link = link_in(site, LetterKind.NEW_ADDRESS)
    before = contents(site.runtime.engine)
    for forged in (link[:-1], f"/new-address/{link.rpartition('/')[2][::-1]}", f"{link}x"):
        assert site.post(forged).status_code == 404
    assert site.post(link.replace("new-address", "old-address")).status_code == 404
    assert contents(site.runtime.engine) == before
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, reader_id(site.runtime.engine, ADA)))
    assert site.get(link).status_code == site.post(link).status_code == 404
