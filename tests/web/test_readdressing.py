"""A reader's new address: both mailboxes agree, and the old one takes it back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from digest.domain.deliveries import DeliveryState
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.readdressing import move_address
from digest.pipeline.sign_ups import never_again_link
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import find_delivery
from digest.store.subscribers import SubscriberRow, subscribe, subscription_of
from digest.store.suppressions import suppress
from digest.track.tokens import Purpose
from tests.pipeline.press import Clock
from tests.web.readdressing import (
    NEW,
    address_of,
    all_letters,
    ask,
    letters,
    links,
    mailed,
    opens,
    stored_changes,
)
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, NOW, SENDING, contents, reader_id


@pytest.mark.parametrize("begins", ["new", "old"])
def test_nothing_moves_before_both_mailboxes_said_yes(site: Site, begins: str) -> None:
    who = reader_id(site.runtime.engine, ADA)
    before = site.link(Purpose.PREFERENCES, ADA)
    new, leave = links(site)
    assert letters(site) == {(LetterKind.LEAVE_ADDRESS, ADA), (LetterKind.NEW_ADDRESS, NEW)}
    shown = site.get(new)
    assert ADA not in shown.text, "whoever reads there need not be the reader"
    assert "The other mailbox has to say yes, too" in text_of(shown.text)
    assert NEW in site.get(leave).text, "whoever agrees to it knows to what"
    assert address_of(site, who) == ADA, "showing the pages changes nothing"
    first, second = (new, leave) if begins == "new" else (leave, new)
    for _ in range(2):
        told = site.post(first).text
        assert "One yes is still missing" in told
        assert "/preferences/" not in told
        assert "One yes is still missing" in site.get(first).text
        assert address_of(site, who) == ADA
    assert "has said yes already" in text_of(site.get(second).text)
    assert opens(site, before)
    for _ in range(2):
        assert "It is done" in site.post(second).text
        assert address_of(site, who) == NEW
    assert "It is done" in site.get(first).text
    assert (LetterKind.OLD_ADDRESS, ADA) in letters(site), "the old mailbox is told"


def test_links_that_the_old_mailbox_holds_open_the_settings_no_more(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    before = site.link(Purpose.PREFERENCES, ADA)
    older = f"/preferences/{site.runtime.tokens.sign(Purpose.PREFERENCES, 1, who)}"
    assert opens(site, before)
    assert opens(site, older), "as mails of an older version have it"
    new, leave = links(site)
    site.post(leave)
    told = site.post(new).text
    found = re.search(r"/preferences/[\w.-]+", told)
    assert found
    assert opens(site, found[0])
    for link in (before, older):
        assert site.get(link).status_code == site.post(f"{link}/pause").status_code == 404
    undo = mailed(site, LetterKind.OLD_ADDRESS)
    assert NEW not in site.get(undo).text
    site.post(undo)
    assert opens(site, before)
    assert not opens(site, found[0])


def test_the_copy_online_of_a_mail_to_the_old_address_leads_to_no_settings(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    with writing(site.runtime.engine) as session:
        claim_deliveries(
            session, SENDING, owner="w", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    online = site.link(Purpose.ONLINE, ADA)
    new, leave = links(site)
    site.post(leave)
    site.post(new)
    assert address_of(site, who) == NEW
    page = site.get(online).text
    assert ADA in page
    assert NEW not in page
    for found in set(re.findall(r"/preferences/[\w.-]+", page)):
        assert not opens(site, found)


def test_a_link_that_unsubscribes_works_for_good_and_names_no_new_address(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert ADA in site.get(link).text
    move_address(site.runtime, "saturday", ADA, NEW, by="Ada")
    shown, left = site.get(link), site.post(link)
    assert shown.status_code == left.status_code == 200
    assert NEW not in shown.text + left.text
    with reading(site.runtime.engine) as session:
        found = subscription_of(session, NewsletterId(1), who)
    assert found
    assert found.state is SubscriptionState.UNSUBSCRIBED


def test_the_old_mailbox_takes_back_what_the_desk_did_however_often_it_moved_on(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    move_address(site.runtime, "saturday", ADA, NEW, by="Ada")
    undo = mailed(site, LetterKind.OLD_ADDRESS)
    third = "ada@third.example.org"
    assert "goes to" in ask(site, third, of=NEW)
    site.post(mailed(site, LetterKind.LEAVE_ADDRESS))
    site.post(mailed(site, LetterKind.NEW_ADDRESS))
    assert address_of(site, who) == third
    of_second = mailed(site, LetterKind.OLD_ADDRESS)
    for _ in range(2):
        assert f"comes to {ADA}" in text_of(site.post(undo).text)
        assert address_of(site, who) == ADA
    assert "changes nothing any more" in text_of(site.post(of_second).text)
    assert address_of(site, who) == ADA


def test_what_was_asked_for_is_over_once_the_reader_moved_otherwise(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    site.post(leave)
    move_address(site.runtime, "saturday", ADA, "other@example.org", by="Ada")
    site.post(mailed(site, LetterKind.OLD_ADDRESS))
    assert address_of(site, who) == ADA
    assert "changes nothing any more" in text_of(site.post(new).text)
    assert address_of(site, who) == ADA


def test_one_change_is_asked_for_at_a_time_and_the_mails_name_it(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    first, _ = links(site)
    second, leave = links(site, "other@example.org")
    assert "other@example.org" in site.get(leave).text
    site.post(leave)
    assert "changes nothing any more" in text_of(site.post(first).text)
    assert "It is done" in site.post(second).text
    assert address_of(site, who) == "other@example.org"


def test_an_address_that_is_asked_for_once_more_is_told_when_that_was(site: Site, clock: Clock) -> None:
    links(site)
    clock.pass_(hours=3)
    told = ask(site)
    assert f"You asked for {NEW} before, on 23 November, 07:00" in told
    sent = len(all_letters(site))
    assert sent == 2
    clock.pass_(hours=22)
    new, leave = links(site)
    assert len(all_letters(site)) == 4
    clock.pass_(hours=47)
    site.post(leave)
    assert "It is done" in site.post(new).text


def test_a_yes_to_a_change_that_was_given_up_is_none_when_that_is_asked_for_again(
    site: Site, clock: Clock
) -> None:
    who = reader_id(site.runtime.engine, ADA)
    slip = "typo@example.org"
    new, leave = links(site, slip)
    site.post(leave)
    links(site, "right@example.org")
    clock.pass_(hours=3)
    told = ask(site, slip)
    assert f"goes to {ADA} , and one to {slip}" in told
    assert all_letters(site).count((LetterKind.LEAVE_ADDRESS, ADA)) == 3, "the old mailbox hears of it"
    assert "has to say yes, too" in text_of(site.get(new).text)
    assert "One yes is still missing" in site.post(new).text
    assert address_of(site, who) == ADA
    assert "has said yes already" in text_of(site.get(mailed(site, LetterKind.LEAVE_ADDRESS)).text)


def test_once_the_old_mailbox_said_yes_the_page_says_whose_yes_is_missing(site: Site, clock: Clock) -> None:
    new, leave = links(site)
    site.post(leave)
    clock.pass_(hours=25)
    told = ask(site)
    assert f"A mail with a link goes to {NEW}" in told
    assert f"The mailbox of {ADA} has said yes before" in told
    assert [email for _, email in all_letters(site)].count(NEW) == 2
    assert [email for _, email in all_letters(site)].count(ADA) == 1, "it is mailed no more"
    assert "It is done" in site.post(new).text


def test_a_yes_of_the_new_mailbox_shows_nowhere_before_the_old_one_said_it(site: Site, clock: Clock) -> None:
    new, leave = links(site)
    clock.pass_(hours=25)
    both_are_missing, stored = ask(site), stored_changes(site)
    site.post(new)
    clock.pass_(hours=25)
    assert ask(site) == both_are_missing
    (before,), (change,) = stored, stored_changes(site)
    assert change == {**before, "asked_at": change["asked_at"]}
    assert [email for _, email in all_letters(site)].count(NEW) == 2, "it is mailed no more"
    site.post(leave)
    (done,) = stored_changes(site, of=NEW)
    assert done["new_agreed_at"], "the control: this is where it stands"


def test_a_new_mailbox_that_said_yes_and_then_never_again_gets_nobodys_mail(site: Site, clock: Clock) -> None:
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    never = never_again_link(site.runtime, NEW)
    never = never[never.index("/never-again/") :]
    site.post(new)
    clock.pass_(hours=1)
    site.post(never)
    assert "The other mailbox has to say yes, too" in text_of(site.get(leave).text)
    assert "One yes is still missing" in text_of(site.post(leave).text)
    assert address_of(site, who) == ADA
    clock.pass_(hours=1)
    assert "It is done" in site.post(new).text, "they think better of it"
    assert address_of(site, who) == NEW


def test_never_again_said_once_more_takes_a_yes_back_once_more(site: Site, clock: Clock) -> None:
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    never = never_again_link(site.runtime, NEW)
    never = never[never.index("/never-again/") :]
    for link in (never, new, never):
        site.post(link)
        clock.pass_(hours=1)
    site.post(leave)
    assert address_of(site, who) == ADA
    site.post(never, ask="again")
    assert "It is done" in site.post(new).text, "they took it back"
    assert address_of(site, who) == NEW


def test_a_link_that_is_too_old_changes_nothing(site: Site, clock: Clock) -> None:
    new, leave = links(site)
    site.post(leave)
    clock.pass_(hours=49)
    for told in (text_of(site.post(new).text), text_of(site.get(leave).text)):
        assert "Nothing was changed This link is too old" in " ".join(told.split()), (
            "no question that has no button"
        )
    assert address_of(site, reader_id(site.runtime.engine, ADA)) == ADA


def test_mail_that_waits_goes_to_the_new_address_and_what_a_worker_holds_does_not(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    site.post(leave)
    site.post(new)
    with writing(site.runtime.engine) as session:
        delivery = find_delivery(session, SENDING, who)
        assert delivery
        assert (delivery.email, delivery.state) == (NEW, DeliveryState.PENDING)
        claims = claim_deliveries(
            session, SENDING, owner="w", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    assert {claim.email for claim in claims} == {NEW, BEN}
    site.post(mailed(site, LetterKind.OLD_ADDRESS))
    with reading(site.runtime.engine) as session:
        held = find_delivery(session, SENDING, who)
    assert held
    assert held.email == NEW


def test_an_address_that_was_taken_meanwhile_is_told_to_its_own_mailbox(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    site.post(leave)
    with writing(site.runtime.engine) as session:
        taken = subscribe(session, NewsletterId(1), email=NEW, follows=(), now=NOW)
    assert "cannot be used at present" in text_of(site.post(new).text)
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, taken.subscriber.id))
        suppress(session, NEW, reason="bounced", detail="", now=NOW)
    assert "cannot be used at present" in text_of(site.post(new).text)
    assert address_of(site, who) == ADA


def test_a_sign_up_that_nobody_confirmed_keeps_no_address_from_its_owner(site: Site) -> None:
    pending = SubscriptionState.PENDING
    with writing(site.runtime.engine) as session:
        subscribe(session, NewsletterId(1), email=NEW, follows=(), now=NOW, state=pending)
    who = reader_id(site.runtime.engine, ADA)
    new, leave = links(site)
    site.post(leave)
    site.post(new)
    assert address_of(site, who) == NEW
    with writing(site.runtime.engine) as session:
        subscribe(session, NewsletterId(1), email=ADA, follows=(), now=NOW, state=pending)
    site.post(mailed(site, LetterKind.OLD_ADDRESS))
    assert address_of(site, who) == ADA


def test_a_forged_link_and_one_of_somebody_removed_change_nothing(site: Site) -> None:
    new, leave = links(site)
    before = contents(site.runtime.engine)
    for link in (new, leave):
        kind = link.split("/")[1]
        for forged in (link[:-1], f"/{kind}/{link.rpartition('/')[2][::-1]}", f"{link}x"):
            assert site.post(forged).status_code == 404
        for other in {"new-address", "leave-address", "old-address"} - {kind}:
            assert site.post(link.replace(kind, other)).status_code == 404
    assert contents(site.runtime.engine) == before
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, reader_id(site.runtime.engine, ADA)))
    assert site.get(new).status_code == site.post(leave).status_code == 404
