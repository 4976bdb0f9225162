"""The link in a confirmation: GET shows, POST begins, once, in its time, by this link alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.letters import CONFIRM_WITHIN
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.domain.topics import Topic
from digest.intake.sign_ups.caps import month_of
from digest.pipeline.letters import write_letter
from digest.pipeline.sign_ups import take_in_sign_ups
from digest.store.attempts import attempts_among
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.letters import claim_letters
from digest.store.newsletters import add_newsletter, add_topic, change_newsletter, newsletter_by_id
from digest.store.schedules import add_schedule
from digest.store.subscribers import subscription_of
from digest.track.tokens import Purpose, Tokens
from tests.samples import CLIMATE, SPACE
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.test_sign_up import NEW, ask, mark
from tests.web.world import BEN, NOW, contents, follows_of, reader_id, set_state, state_of

ONE = NewsletterId(1)


def sign_up(site: Site, email: str = NEW, **form: str | list[str]) -> str:
    """Sign somebody up, and return the path of the link in the mail that comes of it."""
    assert ask(site, email, **form).status_code == 303
    return link_mailed(site, email)


def link_mailed(site: Site, email: str = NEW) -> str:
    """Take in the sign-up that waits, and return the path of the link in the mail that comes of it."""
    assert take_in_sign_ups(site.runtime) == 1
    with writing(site.runtime.engine) as session:
        (letter,) = claim_letters(
            session, owner="test", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    assert letter.email == email
    _, octets = write_letter(site.runtime, letter)
    link = re.search(rb"/confirm/[\w.-]+", octets.replace(b"=\r\n", b""))
    assert link
    return link[0].decode()


def test_who_confirms_is_counted_anew_by_the_cap_of_a_month(site: Site) -> None:
    runtime = site.runtime
    key = month_of(NEW, runtime.sign_up_caps)

    def counted() -> int:
        with reading(runtime.engine) as session:
            return attempts_among(session, [key], now=NOW).get(key, (0, NOW))[0]

    link = sign_up(site)
    assert counted() == 1
    site.get(link)
    assert counted() == 1
    site.post(link)
    assert counted() == 0


def test_the_link_shows_what_was_asked_for_and_changes_nothing(site: Site) -> None:
    link = sign_up(site, topic=["climate", "space"])
    before = contents(site.runtime.engine)
    for _ in range(3):
        told = read(site, link)
        assert site.client.head(link).status_code == 200
    assert contents(site.runtime.engine) == before
    assert f"Send The Saturday Reader to {NEW} ?" in told
    assert "With these topics: Climate & energy, Space ." in told
    assert "Yes, subscribe me" in told
    assert state_of(site.runtime.engine, NEW) is SubscriptionState.PENDING


def test_the_button_begins_it_and_says_what_comes_when(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        add_schedule(
            session,
            ONE,
            cron="0 7 * * 1",
            timezone="UTC",
            window_days=7,
            next_due=NOW + timedelta(days=7),
            now=NOW,
        )
    link = sign_up(site, topic=["climate", "space"])
    done = site.post(link)
    told = text_of(done.text)
    assert done.status_code == 200
    assert f"You are subscribed {NEW} gets The Saturday Reader" in told
    assert "The next issue comes on 30 November" in told
    assert state_of(site.runtime.engine, NEW) is SubscriptionState.ACTIVE
    assert follows_of(site.runtime.engine, NEW) == {CLIMATE, SPACE}
    settings = re.search(r'href="(/preferences/[^"]+)"', done.text)
    assert settings
    assert "Your settings" in read(site, settings[1])
    with reading(site.runtime.engine) as session:
        asked, confirmed = consents_of(session, ONE, reader_id(site.runtime.engine, NEW))
    assert (asked.network, confirmed.network) == ("127.0.0.1", "127.0.0.1")
    assert confirmed.wording == asked.wording


def test_two_newsletters_with_a_topic_of_one_short_name_each_name_their_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    caps = replace(site.runtime.sign_up_caps, per_address_day=2)
    monkeypatch.setitem(site.runtime.__dict__, "sign_up_caps", caps)
    with writing(site.runtime.engine) as session:
        saturday = newsletter_by_id(session, ONE)
        sunday = add_newsletter(session, replace(saturday, slug="sunday", name="The Sunday Reader"), now=NOW)
        change_newsletter(session, sunday.id, sign_up=True)
        for slug, name in ((SPACE, "The sky of a Sunday"), (CLIMATE, "Weather of a Sunday")):
            add_topic(session, sunday.id, Topic(slug, name))
    first = sign_up(site, topic=["climate", "space"])
    shown = mark(site, newsletter=sunday.id)
    assert site.post("/subscribe/sunday", email=NEW, topic=["climate"], shown=shown).status_code == 303
    second = link_mailed(site)
    assert "With these topics: Climate & energy, Space ." in read(site, first)
    assert "With these topics: Weather of a Sunday ." in read(site, second)
    site.post(second)
    site.post(first)
    assert follows_of(site.runtime.engine, NEW) == {CLIMATE, SPACE}
    with reading(site.runtime.engine) as session:
        of_second = subscription_of(session, sunday.id, reader_id(site.runtime.engine, NEW))
    assert of_second
    assert of_second.follows == {CLIMATE}


def test_twice_is_the_same_as_once(site: Site) -> None:
    link = sign_up(site)
    first = site.post(link)
    before = contents(site.runtime.engine)
    assert text_of(site.post(link).text) == text_of(first.text) == read(site, link)
    assert contents(site.runtime.engine) == before


def test_an_old_link_brings_nobody_back_who_left_since(site: Site) -> None:
    link = sign_up(site)
    site.post(link)
    site.post(site.link(Purpose.UNSUBSCRIBE, NEW))
    before = contents(site.runtime.engine)
    told = text_of(site.post(link).text)
    assert f"This link was used A link in such a mail works once, and {NEW} has left" in told
    assert contents(site.runtime.engine) == before


def test_who_left_confirms_to_come_back(site: Site) -> None:
    set_state(site.runtime.engine, BEN, SubscriptionState.UNSUBSCRIBED)
    link = sign_up(site, BEN, topic=["climate"])
    assert state_of(site.runtime.engine, BEN) is SubscriptionState.UNSUBSCRIBED
    assert f"Send The Saturday Reader to {BEN} ?" in read(site, link)
    assert "You are subscribed" in text_of(site.post(link).text)
    assert follows_of(site.runtime.engine, BEN) == {CLIMATE}


def test_a_closed_newsletter_still_takes_who_has_the_link(site: Site) -> None:
    link = sign_up(site)
    with writing(site.runtime.engine) as session:
        change_newsletter(session, ONE, sign_up=False)
    assert "Yes, subscribe me" in read(site, link)
    site.post(link)
    assert state_of(site.runtime.engine, NEW) is SubscriptionState.ACTIVE


# --- tokens


def test_a_link_is_good_for_two_days(site: Site) -> None:
    sign_up(site)
    late = NOW - CONFIRM_WITHIN - timedelta(seconds=1)
    token = site.runtime.tokens.sign_confirmation(ONE, reader_id(site.runtime.engine, NEW), now=late)
    for answer in (site.get(f"/confirm/{token}"), site.post(f"/confirm/{token}")):
        assert answer.status_code == 410
        assert "good for 48 hours. Nothing was changed." in text_of(answer.text)
        assert 'href="/subscribe/saturday"' in answer.text
    assert state_of(site.runtime.engine, NEW) is SubscriptionState.PENDING


def test_no_other_token_confirms_and_no_changed_bit(site: Site) -> None:
    link = sign_up(site)
    token = link.removeprefix("/confirm/")
    who = reader_id(site.runtime.engine, NEW)
    sign = site.runtime.tokens.sign
    forged = [sign(purpose, 1, who) for purpose in Purpose]
    forged += [site.runtime.tokens.sign_form(ONE, now=NOW), "", "x" * 5_000, token[:-2], token + "a"]
    forged += [Tokens(["another key that is long"]).sign_confirmation(ONE, who, now=NOW)]
    forged += [token[:at] + chr(ord(token[at]) ^ 1) + token[at + 1 :] for at in range(0, len(token) - 1, 3)]
    for one in forged:
        for answer in (site.get(f"/confirm/{one}"), site.post(f"/confirm/{one}")):
            assert answer.status_code in (404, 405), one
    assert state_of(site.runtime.engine, NEW) is SubscriptionState.PENDING
    for purpose in ("unsubscribe", "preferences", "online"):
        assert site.get(f"/{purpose}/{token}").status_code == 404


def test_a_link_of_a_key_that_was_replaced_is_believed(site: Site) -> None:
    sign_up(site)
    rotated = Tokens([site.runtime.settings.secret_key.get_secret_value(), "a newer key that is long"])
    link = site.runtime.tokens.sign_confirmation(ONE, reader_id(site.runtime.engine, NEW), now=NOW)
    assert rotated.read_confirmation(link, now=NOW).newsletter_id == ONE


def test_who_was_forgotten_meanwhile_is_told_that_nothing_is_here(site: Site) -> None:
    token = site.runtime.tokens.sign_confirmation(ONE, 9_999, now=NOW)  # type: ignore[arg-type]
    assert site.get(f"/confirm/{token}").status_code == 404
    assert site.post(f"/confirm/{token}").status_code == 404


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_the_pages_speak_as_was_chosen(language: str, site: Site) -> None:
    link = sign_up(site, language=language)
    for answer in (site.get(link), site.post(link)):
        assert f'<html lang="{language}"' in answer.text
