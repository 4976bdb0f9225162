"""A reader's new address: both mailboxes agree, nobody learns whose it is, the old one takes it back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.consents import ConsentSource
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.letters import write_letter
from digest.pipeline.readdressing import move_address
from digest.pipeline.sign_ups import keep_sign_ups, take_in_sign_ups
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import find_delivery
from digest.store.erasures import remember_erased
from digest.store.letters import arm_letter, claim_letters, list_letters, settle_letter
from digest.store.subscribers import SubscriberRow, subscribe, subscription_of
from digest.store.suppressions import suppress
from digest.track.tokens import Purpose
from tests.pipeline.press import Clock
from tests.samples import CLIMATE
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, FAY, NOW, SENDING, contents, reader_id

NEW = "ada@new.example.org"


def address_of(site: Site, who: int) -> str:
    with reading(site.runtime.engine) as session:
        return session.get_one(SubscriberRow, who).email


def all_letters(site: Site) -> list[tuple[LetterKind, str]]:
    with reading(site.runtime.engine) as session:
        return [(one.kind, one.email) for one in list_letters(session, limit=20)]


def letters(site: Site) -> set[tuple[LetterKind, str]]:
    return set(all_letters(site))


def mailed(site: Site, kind: LetterKind, path: str = "") -> str:
    """Have the letter of this kind that waits sent; return the path of the link in it, or of another one."""
    now = site.runtime.clock()
    with writing(site.runtime.engine) as session:
        waiting = [one for one in list_letters(session, limit=20) if one.kind is kind]
        letter_id = next(one.id for one in waiting if one.state is DeliveryState.PENDING)
        lease = now + timedelta(minutes=5)
        (letter,) = claim_letters(session, owner="w", limit=1, now=now, lease_until=lease, only=letter_id)
        assert arm_letter(session, letter, owner="w", now=now)
    _, raw = write_letter(site.runtime, letter)
    with writing(site.runtime.engine) as session:
        settle_letter(session, letter, Outcome(DeliveryState.ACCEPTED, 250, "ok"), now=now)
    text = raw.decode().replace("=\r\n", "")
    assert f"To: {letter.email}" in text
    found = re.search(rf"https?://[^/\s]+(/{path or kind}/[\w.=-]+)", text)
    assert found
    return found[1].replace("=3D", "=")


def ask(site: Site, email: str = NEW, of: str = ADA) -> str:
    return text_of(site.post(f"{site.link(Purpose.PREFERENCES, of)}/address", email=email).text)


def links(site: Site, email: str = NEW) -> tuple[str, str]:
    """Ask for this address; return the paths that the mails lead to: of the new one, of the one they have."""
    assert "goes to" in ask(site, email)
    return mailed(site, LetterKind.NEW_ADDRESS), mailed(site, LetterKind.LEAVE_ADDRESS)


def stored_changes(site: Site, of: str = ADA) -> list[dict[str, object]]:
    """Return the changes of address that whoever holds a link to a reader's settings is told."""
    told: list[dict[str, object]] = site.get(f"{site.link(Purpose.PREFERENCES, of)}/stored.json").json()[
        "address_changes"
    ]
    return told


def opens(site: Site, link: str) -> bool:
    return site.get(link).status_code == 200


@pytest.fixture
def clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock of the site that a test moves on."""
    clock = Clock(NOW)
    monkeypatch.setitem(site.runtime.__dict__, "clock", clock)
    return clock


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


def test_a_mailbox_that_wants_to_be_asked_never_again_is_asked_for_no_change_either(
    site: Site, clock: Clock
) -> None:
    ask(site)
    never = mailed(site, LetterKind.NEW_ADDRESS, "never-again")
    assert "as their new address" in text_of(site.post(never).text)
    clock.pass_(hours=72)
    assert "goes to" in ask(site), "answered as ever"
    assert [email for kind, email in all_letters(site) if kind is LetterKind.NEW_ADDRESS] == [NEW]
    site.post(never, ask="again")
    clock.pass_(hours=72)
    ask(site)
    assert [email for kind, email in all_letters(site) if kind is LetterKind.NEW_ADDRESS] == [NEW, NEW]


def test_a_rush_of_sign_ups_keeps_no_reader_from_a_new_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    caps = replace(site.runtime.sign_up_caps, per_domain_hour=1, per_newsletter_hour=1)
    monkeypatch.setitem(site.runtime.__dict__, "sign_up_caps", caps)
    wishes = Wishes(frozenset({CLIMATE}))
    domain = NEW.partition("@")[2]
    rush = [
        SignUp(NewsletterId(1), f"r{n}@{domain}", wishes, ConsentSource.PAGE, "", "", NOW) for n in range(3)
    ]
    keep_sign_ups(site.runtime, rush)
    take_in_sign_ups(site.runtime)
    ask(site)
    assert (LetterKind.NEW_ADDRESS, NEW) in letters(site)


def test_a_link_that_is_too_old_changes_nothing(site: Site, clock: Clock) -> None:
    new, leave = links(site)
    site.post(leave)
    clock.pass_(hours=49)
    assert "too old" in text_of(site.post(new).text)
    assert "too old" in text_of(site.get(leave).text)
    assert address_of(site, reader_id(site.runtime.engine, ADA)) == ADA


def test_whose_mailbox_takes_no_mail_is_told_what_to_do(site: Site) -> None:
    link = f"{site.link(Purpose.PREFERENCES, FAY)}/address"
    for answer in (site.get(link), site.post(link, email=NEW)):
        told = text_of(answer.text)
        assert "No mail goes to fay@example.org any more, so that mailbox cannot agree" in told
        assert "Write to reader@news.example.org from the new one" in told
        assert 'href="/subscribe/saturday"' in answer.text.replace(site.url, "")
    assert not letters(site)


def test_a_mailbox_is_written_to_once_a_day_whether_by_sign_ups_or_by_readers(site: Site) -> None:
    ask(site, "vic.tim@gmail.com")
    ask(site, "victim+1@googlemail.com", of=BEN)
    new = [email for kind, email in all_letters(site) if kind is LetterKind.NEW_ADDRESS]
    assert new == ["vic.tim@gmail.com"]
    wishes = Wishes(frozenset({CLIMATE}))
    asked = SignUp(NewsletterId(1), "victim@gmail.com", wishes, ConsentSource.PAGE, "", "", NOW)
    keep_sign_ups(site.runtime, [asked])
    take_in_sign_ups(site.runtime)
    assert not [kind for kind, _ in all_letters(site) if kind is LetterKind.CONFIRMATION]


def test_who_was_erased_is_asked_as_seldom_as_by_sign_ups(site: Site, clock: Clock) -> None:
    with writing(site.runtime.engine) as session:
        remember_erased(session, site.runtime.erasure_keys, NEW, now=NOW)
    for _ in range(3):
        ask(site)
        clock.pass_(hours=49)
    assert [kind for kind, _ in all_letters(site)].count(LetterKind.NEW_ADDRESS) == 1


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


def test_an_address_that_somebody_has_or_that_is_never_mailed_is_answered_alike(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        suppress(session, "gone@example.org", reason="bounced", detail="", now=NOW)
    theirs = (BEN, "gone@example.org", NEW)
    answers = {tuple(ask(site, email).replace(email, "X") for _ in range(2)) for email in theirs}
    assert len(answers) == 1
    assert letters(site) == {(LetterKind.NEW_ADDRESS, NEW), (LetterKind.LEAVE_ADDRESS, ADA)}
    stored = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    told = {letter["email"] for letter in stored["letters"]}
    assert told == {ADA}, "whom else we wrote to tells who reads here"


def test_the_old_mailbox_alone_learns_nothing_of_the_new_one(site: Site) -> None:
    answers = set()
    for email in (BEN, NEW):
        ask(site, email)
        leave = mailed(site, LetterKind.LEAVE_ADDRESS)
        answers.add(
            tuple(text_of(page.text).replace(email, "X") for page in (site.get(leave), site.post(leave)))
        )
    assert len(answers) == 1


def test_a_reader_asks_three_times_a_day_at_most(site: Site) -> None:
    for name in "abc":
        assert "goes to" in ask(site, f"{name}@example.org")
    before = letters(site)
    assert "asked for three times in a day" in ask(site, "other@example.org")
    assert letters(site) == before


@pytest.mark.parametrize("wrong", ["", "ada", "ada@", "a@b", "ada@example.org, ben@example.org", "x" * 390])
def test_what_is_no_address_is_told_and_stays_in_the_form(wrong: str, site: Site) -> None:
    answer = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/address", email=wrong)
    assert answer.status_code == 422
    assert "That is no address that mail can be sent to." in answer.text
    assert f'value="{wrong}"' in answer.text
    assert not letters(site)


def test_their_own_address_is_no_change(site: Site) -> None:
    assert f"Mail goes to {ADA} already" in ask(site, ADA.upper())


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
