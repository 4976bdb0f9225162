"""What subscribers do with the links in their mail."""

from __future__ import annotations

import re

import pytest

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.store.database import writing
from digest.store.newsletters import remove_topic
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, FOOD, SPACE
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import (
    ADA,
    BEN,
    DAN,
    EVE,
    FAY,
    contents,
    follows_of,
    reader_id,
    set_state,
    state_of,
)

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


# --- preferences


def test_preferences_show_every_topic_and_tick_those_followed(still_site: Site) -> None:
    page = still_site.get(still_site.link(Purpose.PREFERENCES, ADA)).text
    assert "Moons, comets, telescopes and those who build them" in page
    assert page.count('type="checkbox"') == 5
    for slug, ticked in (("climate", True), ("space", False), ("food", True), ("oceans", False)):
        assert (f'value="{slug}" checked' in page) is ticked


def test_saved_preferences_are_followed_and_shown(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    page = site.post(link, save="topics", topic=["space", "food"]).text
    assert "Saved. From the next issue on you get Space, Food" in text_of(page)
    assert follows_of(site.runtime.engine, ADA) == {SPACE, FOOD}
    assert 'value="space" checked' in site.get(link).text


def test_following_nothing_is_possible_and_explained(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    assert "With no topic ticked no mail comes." in site.get(link).text
    assert "you follow no topic, so no mail comes" in site.post(link, save="topics").text
    assert follows_of(site.runtime.engine, ADA) == frozenset()


def test_a_post_of_nothing_unfollows_nothing(site: Site) -> None:
    response = site.client.post(site.link(Purpose.PREFERENCES, ADA))
    assert response.status_code == 422
    assert "Nothing was changed." in response.text
    assert follows_of(site.runtime.engine, ADA) == {CLIMATE, FOOD}


def test_a_topic_dropped_while_the_page_was_open_saves_nothing(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    with writing(site.runtime.engine) as session:
        remove_topic(session, NewsletterId(1), "oceans")
    response = site.post(link, save="topics", topic=["space", "oceans"])
    assert response.status_code == 422
    assert "no longer offered, so nothing was saved" in response.text
    assert "Oceans" not in response.text
    assert follows_of(site.runtime.engine, ADA) == {CLIMATE, FOOD}


def test_who_unsubscribed_or_paused_is_told_and_can_come_back(site: Site) -> None:
    set_state(site.runtime.engine, DAN, SubscriptionState.UNSUBSCRIBED)
    for email, words in ((DAN, "You are unsubscribed: no mail comes"), (EVE, "is paused: no mail comes")):
        link = site.link(Purpose.PREFERENCES, email)
        assert words in read(site, link)
        assert f'action="{link}/return"' in site.get(link).text
        assert "Welcome back" in site.post(f"{link}/return").text
        assert state_of(site.runtime.engine, email) is SubscriptionState.ACTIVE
        assert "no mail comes, whatever" not in site.get(link).text


def test_a_pause_keeps_the_topics_until_its_reader_is_back(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    assert 'id="pause"' in site.get(link).text
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE, "showing the page changes nothing"
    followed = site.get(link).text.count(" checked")
    for _ in range(2):
        paused = site.post(f"{link}/pause").text
        assert "Your subscription is paused" in paused
        assert "Pause it" not in paused
        assert "Set the end" in paused
        assert paused.count(" checked") == followed > 0
        assert state_of(site.runtime.engine, ADA) is SubscriptionState.PAUSED
    assert site.get(f"{link}/pause").status_code == 200
    assert "Welcome back" in site.post(f"{link}/return").text


def test_nobody_who_left_is_paused(site: Site) -> None:
    set_state(site.runtime.engine, DAN, SubscriptionState.UNSUBSCRIBED)
    told = site.post(f"{site.link(Purpose.PREFERENCES, DAN)}/pause").text
    assert "You are unsubscribed" in told
    assert state_of(site.runtime.engine, DAN) is SubscriptionState.UNSUBSCRIBED


def test_a_mails_link_to_pause_leads_to_its_place_on_the_page(site: Site) -> None:
    online = site.get(site.link(Purpose.ONLINE, BEN)).text
    places = set(re.findall(r'href="[^"]*/preferences/[^"#]*#([^"]+)"', online))
    assert places == {"pause"}
    page = site.get(site.link(Purpose.PREFERENCES, BEN)).text
    assert all(f'id="{place}"' in page for place in places)


def test_a_topic_is_muted_by_one_button_and_the_others_stay_as_ticked(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    ticked = re.findall(r'name="topic" value="([^"]+)" checked', site.get(link).text)
    assert len(ticked) >= 2
    assert f'value="mute:{ticked[0]}">Mute<' in site.get(link).text
    page = site.post(link, topic=ticked, save=f"mute:{ticked[0]}").text
    assert re.findall(r'name="topic" value="([^"]+)" checked', page) == ticked, "it is followed all the same"
    assert "Until 23 December your mail has nothing of Climate & energy . Then it comes back" in text_of(page)
    assert "Muted until 23 December Unmute Climate & energy" in text_of(page)
    assert f'value="mute:{ticked[0]}"' not in page
    page = site.post(link, topic=ticked, save=f"unmute:{ticked[0]}").text
    assert "from the next issue on your mail has Climate & energy again" in text_of(page)
    assert f'value="mute:{ticked[0]}">Mute<' in page


def test_what_is_chosen_beside_a_mute_is_kept_and_what_is_not_ticked_is_unfollowed(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    page = site.post(link, topic=["food", "space"], save="mute:climate").text
    assert follows_of(site.runtime.engine, ADA) == {"food", "space"}
    assert "Muted until" not in page
    assert "Saved. From the next issue on" in text_of(page)
    for save in ("mute:nothing", "unmute:nothing", "mute:", "unmute:"):
        assert site.post(link, topic="food", save=save).status_code in {200, 422}
    assert follows_of(site.runtime.engine, ADA) == {"food"}


def test_returning_confirms_nobody_who_never_confirmed(site: Site) -> None:
    set_state(site.runtime.engine, ADA, SubscriptionState.PENDING)
    told = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/return").text
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.PENDING
    assert "Welcome back" not in told
    assert "never confirmed, so nothing was changed" in told


def test_a_return_to_a_suppressed_address_promises_no_mail(site: Site) -> None:
    set_state(site.runtime.engine, FAY, SubscriptionState.UNSUBSCRIBED)
    told = text_of(site.post(f"{site.link(Purpose.PREFERENCES, FAY)}/return").text)
    assert "Welcome back" in told
    assert "comes to you again" not in told
    assert "none is sent to it at present" in told


def test_preferences_lead_to_unsubscribing(still_site: Site) -> None:
    assert (
        f'href="{still_site.link(Purpose.UNSUBSCRIBE, ADA)}"'
        in still_site.get(still_site.link(Purpose.PREFERENCES, ADA)).text
    )


# --- the mail online


def test_online_shows_the_edition_that_was_sent_whatever_is_followed_now(site: Site) -> None:
    link = site.link(Purpose.ONLINE, BEN)
    before = site.get(link)
    assert before.status_code == 200
    assert "The lander that fell over" in before.text
    assert "Kelp" not in before.text
    assert BEN in before.text
    site.post(site.link(Purpose.PREFERENCES, BEN), save="topics", topic=["food"])
    assert site.get(link).text == before.text


def test_online_does_not_lead_to_itself(still_site: Site) -> None:
    link = still_site.link(Purpose.ONLINE, BEN)
    page = still_site.get(link).text
    assert link not in page
    assert "View online" not in page


def test_online_is_nothing_for_whom_nothing_was_sent(still_site: Site) -> None:
    response = still_site.get(still_site.link(Purpose.ONLINE, DAN))
    assert response.status_code == 404
    assert "This link does not work" in response.text


# --- links that are wrong


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_of_another_purpose_is_refused(purpose: Purpose, site: Site) -> None:
    token = site.link(purpose, ADA).rpartition("/")[2]
    before = contents(site.runtime.engine)
    for other in Purpose:
        if other is not purpose:
            assert site.get(f"/{other}/{token}").status_code == 404
            assert site.post(f"/{other}/{token}", save="topics").status_code in {404, 405}
    assert contents(site.runtime.engine) == before


def test_a_link_with_any_character_changed_is_refused(site: Site) -> None:
    path = site.link(Purpose.UNSUBSCRIBE, ADA)
    start, token = path[: path.rindex("/") + 1], path[path.rindex("/") + 1 :]
    before = contents(site.runtime.engine)
    for position, character in enumerate(token):
        # Far enough in the alphabet that the last character differs in bits that count, too.
        other = "A" if character not in "ABCD" else "z"
        forged = start + token[:position] + other + token[position + 1 :]
        assert site.post(forged, **ONE_CLICK).status_code in {404, 405}, forged
    for cut in (token[:-1], token.rpartition(".")[0], "", "x", "1.1", token + "A", token * 2):
        assert site.post(start + cut, **ONE_CLICK).status_code in {404, 405}, cut
    assert contents(site.runtime.engine) == before


def test_a_wrong_link_and_one_of_a_removed_reader_say_the_same_and_no_more(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, DAN)
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, reader_id(site.runtime.engine, DAN)))
    gone, forged = site.post(link, **ONE_CLICK), site.post("/unsubscribe/1.1.forged", **ONE_CLICK)
    assert gone.status_code == forged.status_code == 404
    assert gone.text == forged.text
    assert not any(word in gone.text for word in ("Saturday", "example.org", "newsletter", "signature"))
