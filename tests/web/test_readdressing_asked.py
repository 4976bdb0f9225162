"""Who asks for a new address: what they are told, which mailboxes are mailed, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digest.domain.consents import ConsentSource
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, Wishes
from digest.pipeline.sign_ups import keep_sign_ups, take_in_sign_ups
from digest.store.database import writing
from digest.store.erasures import remember_erased
from digest.store.suppressions import suppress
from digest.track.tokens import Purpose
from tests.pipeline.press import Clock
from tests.samples import CLIMATE
from tests.web.readdressing import (
    NEW,
    all_letters,
    ask,
    letters,
    mailed,
)
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, FAY, NOW


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
