"""Unsubscribing by one click, by the page, from everything; taking it back; saying why; less in its place."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from digest.domain.deliveries import DeliveryState
from digest.domain.departures import Reason
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.store.claims import arm_deliveries, claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import find_delivery
from digest.store.departures import find_departure
from digest.store.letters import list_letters
from digest.store.newsletters import change_newsletter, list_newsletters
from digest.store.subscribers import SubscriberRow, SubscriptionRow, find_subscription, subscribe
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, FOOD
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import (
    ADA,
    BEN,
    CLEO,
    DAN,
    FAY,
    NOW,
    SENDING,
    add_sample_newsletter,
    contents,
    follows_of,
    reader_id,
    set_state,
    state_of,
)

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def words_of(page: str) -> str:
    """What a page says, without the spaces that stand for its marks."""
    return re.sub(r" (?=[.,:?!”])|(?<=“) ", "", text_of(page))


def words_at(site: Site, path: str) -> str:
    return words_of(site.get(path).text)


def delivery_of(site: Site, email: str) -> DeliveryState:
    with reading(site.runtime.engine) as session:
        delivery = find_delivery(session, SENDING, reader_id(site.runtime.engine, email))
        assert delivery
        return DeliveryState(delivery.state)


# --- unsubscribing


def test_the_page_names_newsletter_and_address_and_asks(still_site: Site) -> None:
    told = words_at(still_site, still_site.link(Purpose.UNSUBSCRIBE, ADA))
    assert "The Saturday Reader Unsubscribe?" in told
    assert f"{ADA} will get no more issues of The Saturday Reader" in told
    assert "Nothing changes until you press the button." in told


def test_one_click_unsubscribes_and_cancels_what_is_pending(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    response = site.post(link, **ONE_CLICK)
    assert response.status_code == 200, "not a redirect: RFC 8058 §3.1"
    assert "You are unsubscribed" in response.text
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED
    assert delivery_of(site, ADA) is DeliveryState.CANCELLED
    assert delivery_of(site, BEN) is DeliveryState.PENDING


def test_one_click_works_however_a_mail_program_encodes_it(site: Site) -> None:
    path = site.url + site.link(Purpose.UNSUBSCRIBE, ADA)
    unread = site.client.post(path, content=b"\xff", headers={"Content-Type": "multipart/form-data"})
    assert unread.status_code == 200
    set_state(site.runtime.engine, ADA, SubscriptionState.ACTIVE)
    multipart = site.client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
    assert multipart.status_code == 200
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED


def test_a_mail_that_a_worker_holds_is_not_armed_any_more(site: Site) -> None:
    engine = site.runtime.engine
    with writing(engine) as session:
        claims = claim_deliveries(
            session, SENDING, owner="worker", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    assert {claim.email for claim in claims} == {ADA, BEN}
    site.post(site.link(Purpose.UNSUBSCRIBE, ADA), **ONE_CLICK)
    with writing(engine) as session:
        armed = arm_deliveries(session, claims, owner="worker", now=NOW)
    assert [claim.email for claim in armed] == [BEN]


def test_unsubscribing_twice_is_the_same_as_once(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    first = site.post(link, **ONE_CLICK)
    before = contents(site.runtime.engine)
    assert site.post(link, **ONE_CLICK).text == first.text == site.get(link).text
    assert contents(site.runtime.engine) == before


@pytest.mark.parametrize("wanted", [True, False])
def test_only_who_used_the_page_gets_a_goodbye_and_only_if_the_newsletter_wants_it(
    wanted: bool, site: Site
) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), goodbye=wanted)
    form = re.search(r'action="([^"]+)"', site.get(site.link(Purpose.UNSUBSCRIBE, ADA)).text)
    assert form
    site.post(form[1], **ONE_CLICK)
    site.post(site.link(Purpose.UNSUBSCRIBE, BEN), **ONE_CLICK)
    with reading(site.runtime.engine) as session:
        told = [(letter.kind, letter.email) for letter in list_letters(session, limit=9)]
    assert told == ([(LetterKind.GOODBYE, ADA)] if wanted else [])


def test_who_never_confirmed_gets_no_goodbye(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), goodbye=True)
    set_state(site.runtime.engine, ADA, SubscriptionState.PENDING)
    for step in ("?on-the-page", "/undo", "/all"):
        site.post(site.link(Purpose.UNSUBSCRIBE, ADA) + step)
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED
    with reading(site.runtime.engine) as session:
        assert not list_letters(session, limit=9)


def test_undo_brings_back_the_topics_followed_before(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    site.post(link, **ONE_CLICK)
    assert f'action="{link}/undo"' in site.get(link).text
    undone = site.post(f"{link}/undo")
    assert "Welcome back" in undone.text
    assert f'action="{link}?on-the-page"' in undone.text
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE
    assert follows_of(site.runtime.engine, ADA) == {CLIMATE, FOOD}
    assert delivery_of(site, ADA) is DeliveryState.CANCELLED, "this issue is over for them"


@pytest.mark.parametrize("state", [SubscriptionState.PENDING, SubscriptionState.PAUSED])
def test_undo_confirms_and_resumes_nobody(state: SubscriptionState, site: Site) -> None:
    set_state(site.runtime.engine, ADA, state)
    told = site.post(f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/undo").text
    assert state_of(site.runtime.engine, ADA) is state
    assert "Welcome back" not in told
    assert "no unsubscription to take back, so nothing was changed" in told


def test_undoing_twice_is_the_same_as_once(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    site.post(link, **ONE_CLICK)
    first = site.post(f"{link}/undo")
    before = contents(site.runtime.engine)
    assert site.post(f"{link}/undo").text == first.text
    assert contents(site.runtime.engine) == before


def test_nobody_who_was_removed_comes_back(site: Site) -> None:
    links = [f"{site.link(Purpose.UNSUBSCRIBE, DAN)}/undo", f"{site.link(Purpose.PREFERENCES, DAN)}/return"]
    with writing(site.runtime.engine) as session:
        session.delete(session.get_one(SubscriberRow, reader_id(site.runtime.engine, DAN)))
    before = contents(site.runtime.engine)
    assert [site.post(link).status_code for link in links] == [404, 404]
    assert contents(site.runtime.engine) == before


def test_who_comes_back_to_a_suppressed_address_is_told(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, FAY)
    site.post(link, **ONE_CLICK)
    assert "none is sent to it at present. Write to reader@news.example.org" in words_of(
        site.post(f"{link}/undo").text
    )


# --- from everything


def with_a_daily(site: Site, *emails: str) -> None:
    """Give the site another newsletter that these read, too."""
    daily = add_sample_newsletter(site.runtime.engine, slug="daily", name="The Daily Reader")
    with writing(site.runtime.engine) as session:
        for email in emails:
            subscribe(session, daily.id, email=email, follows=[FOOD], now=NOW)


def daily_state(site: Site, email: str) -> SubscriptionState:
    with reading(site.runtime.engine) as session:
        daily = next(one for one in list_newsletters(session) if one.slug == "daily")
        found = find_subscription(session, daily.id, email)
    assert found
    return found.state


def test_who_gets_one_newsletter_is_not_asked_about_others(still_site: Site) -> None:
    page = still_site.get(still_site.link(Purpose.UNSUBSCRIBE, ADA)).text
    assert "Unsubscribe from everything" not in page


def test_everything_stops_at_once_and_comes_back_at_once(site: Site) -> None:
    with_a_daily(site, ADA, BEN)
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert "From here you also get The Daily Reader." in words_at(site, link)
    told = words_of(site.post(f"{link}/all").text)
    assert f"{ADA} gets nothing more from here: no issue of The Saturday Reader, The Daily Reader." in told
    assert state_of(site.runtime.engine, ADA) is daily_state(site, ADA) is SubscriptionState.UNSUBSCRIBED
    assert delivery_of(site, ADA) is DeliveryState.CANCELLED
    assert state_of(site.runtime.engine, BEN) is daily_state(site, BEN) is SubscriptionState.ACTIVE
    before = contents(site.runtime.engine)
    site.post(f"{link}/all")
    assert contents(site.runtime.engine) == before, "twice is the same as once"
    site.post(f"{link}/undo")
    assert state_of(site.runtime.engine, ADA) is daily_state(site, ADA) is SubscriptionState.ACTIVE


def test_the_page_says_exactly_what_undo_brings_back_and_that_is_what_comes(site: Site) -> None:
    with_a_daily(site, ADA)
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert "Undo, keep sending it" in site.post(link, **ONE_CLICK).text
    page = words_of(site.post(f"{link}/all").text)
    assert "Undo brings back: The Saturday Reader The Daily Reader Undo This page" in page
    undone = words_of(site.post(f"{link}/undo").text)
    assert f"{ADA} gets The Saturday Reader, The Daily Reader again" in undone
    assert state_of(site.runtime.engine, ADA) is daily_state(site, ADA) is SubscriptionState.ACTIVE


def test_undo_says_which_subscription_stays_paused_or_unconfirmed(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/pause", until="2026-12-01")
    page = words_of(site.post(link, **ONE_CLICK).text)
    assert "Undo brings back: The Saturday Reader, paused until 1 December, as before" in page
    undone = words_of(site.post(f"{link}/undo").text)
    assert "As it was before The Saturday Reader is paused until 1 December, as it was before." in undone
    assert "Welcome back" not in undone
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.PAUSED
    set_state(site.runtime.engine, BEN, SubscriptionState.PENDING)
    link = site.link(Purpose.UNSUBSCRIBE, BEN)
    page = words_of(site.post(link, **ONE_CLICK).text)
    assert "Undo brings back: The Saturday Reader, still to be confirmed, as before" in page
    told = site.post(f"{site.link(Purpose.PREFERENCES, BEN)}/return").text
    assert "never confirmed, so nothing was changed" in words_of(told)
    assert state_of(site.runtime.engine, BEN) is SubscriptionState.UNSUBSCRIBED
    assert "The Saturday Reader waits to be confirmed" in words_of(site.post(f"{link}/undo").text)
    assert state_of(site.runtime.engine, BEN) is SubscriptionState.PENDING


def test_what_was_never_confirmed_is_no_part_of_everything_and_no_undo_confirms_it(site: Site) -> None:
    with_a_daily(site, ADA)
    with writing(site.runtime.engine) as session:
        session.execute(
            update(SubscriptionRow)
            .where(SubscriptionRow.newsletter_id != 1)
            .values(state=SubscriptionState.PENDING)
        )
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    for step in ("all", "undo"):
        site.post(f"{link}/{step}")
        assert daily_state(site, ADA) is SubscriptionState.PENDING
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


def test_who_left_one_may_leave_the_others_and_takes_back_only_what_that_was(site: Site) -> None:
    with_a_daily(site, ADA)
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    page = words_of(site.post(link, **ONE_CLICK).text)
    assert "From here you still get The Daily Reader." in page
    assert daily_state(site, ADA) is SubscriptionState.ACTIVE, "one click concerns one newsletter"
    site.post(f"{link}/undo")
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


def test_an_unsubscription_from_everything_says_one_goodbye(site: Site) -> None:
    with_a_daily(site, ADA)
    with writing(site.runtime.engine) as session:
        for newsletter in list_newsletters(session):
            change_newsletter(session, newsletter.id, goodbye=True)
    site.post(f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/all")
    with reading(site.runtime.engine) as session:
        assert [letter.email for letter in list_letters(session, limit=9)] == [ADA]


# --- for a while


def long_ago(site: Site, days: int) -> None:
    """Let everybody who left have left so long ago."""
    with writing(site.runtime.engine) as session:
        session.execute(
            update(SubscriptionRow)
            .where(SubscriptionRow.state == SubscriptionState.UNSUBSCRIBED)
            .values(changed_at=NOW - timedelta(days=days))
        )


def test_a_click_takes_it_back_for_thirty_days_and_says_until_when(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert "This page can take it back until 23 December." in words_of(site.post(link, **ONE_CLICK).text)
    long_ago(site, 30)
    site.post(f"{link}/undo")
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_later_only_a_new_sign_up_brings_them_back(purpose: Purpose, site: Site) -> None:
    set_state(site.runtime.engine, ADA, SubscriptionState.UNSUBSCRIBED)
    long_ago(site, 31)
    step = "undo" if purpose is Purpose.UNSUBSCRIBE else "return"
    told = words_of(site.post(f"{site.link(purpose, ADA)}/{step}").text)
    assert "That was a while ago, so this page cannot take it back any more." in told
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED
    assert "/undo" not in site.get(site.link(Purpose.UNSUBSCRIBE, ADA)).text


# --- why


def why_of(site: Site, email: str) -> tuple[Reason | None, str]:
    with reading(site.runtime.engine) as session:
        found = find_departure(session, NewsletterId(1), reader_id(site.runtime.engine, email))
    assert found
    return found.reason, found.words


def test_why_somebody_left_is_kept_and_may_be_said_anew(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert "Why did you leave? You need not say." in words_of(site.post(link, **ONE_CLICK).text)
    told = site.post(f"{link}/why", reason="too-often", words="Every week!\r\n<b>x</b>").text
    assert "Thank you: the editors read it." in told
    assert 'value="too-often" checked' in told
    assert "&lt;b&gt;x&lt;/b&gt;</textarea>" in told
    assert why_of(site, ADA) == (Reason.TOO_OFTEN, "Every week!\r\n<b>x</b>")
    site.post(f"{link}/why", reason="other")
    assert why_of(site, ADA) == (Reason.OTHER, "")


@pytest.mark.parametrize(
    "said", [{}, {"reason": "nonsense"}, {"words": "  "}, {"reason": "\x00", "words": "\r\n"}]
)
def test_who_says_nothing_is_thanked_for_nothing(said: dict[str, str], site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    site.post(link, **ONE_CLICK)
    assert "Thank you" not in site.post(f"{link}/why", **said).text
    assert why_of(site, ADA) == (None, "")


def test_words_of_any_kind_are_kept_and_of_any_length_cut(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    site.post(link, **ONE_CLICK)
    site.post(f"{link}/why", words="a\x00b" + "é" * 5_000)
    reason, words = why_of(site, ADA)
    assert reason is None
    assert words.startswith("a\ufffdbé")
    assert len(words) == 1_000


def test_who_did_not_leave_says_no_reason(site: Site) -> None:
    before = contents(site.runtime.engine)
    assert "Thank you" not in site.post(f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/why", reason="other").text
    assert contents(site.runtime.engine) == before


def test_editors_read_by_issue_who_left_and_why(site: Site) -> None:
    assert "What readers told" not in site.get(f"/issues/{SENDING}").text
    with writing(site.runtime.engine) as session:
        claims = claim_deliveries(
            session, SENDING, owner="worker", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
        arm_deliveries(session, claims, owner="worker", now=NOW)
    for email, reason in ((ADA, "too-often"), (BEN, "")):
        link = site.link(Purpose.UNSUBSCRIBE, email)
        site.post(link, **ONE_CLICK)
        site.post(f"{link}/why", reason=reason, words="<i>Too</i> much" if reason else "")
    page = site.get(f"/issues/{SENDING}").text
    assert "2 readers left after this issue, and said why:" in words_of(page)
    assert "it comes too often" in page
    assert "&lt;i&gt;Too&lt;/i&gt; much" in page
    site.post(f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/undo")
    after = words_of(site.get(f"/issues/{SENDING}").text)
    assert "1 reader left after this issue. Nobody said why." in after


def test_who_was_sent_nothing_left_after_no_issue(site: Site) -> None:
    site.post(site.link(Purpose.UNSUBSCRIBE, CLEO), **ONE_CLICK)
    assert "What readers told" not in site.get(f"/issues/{SENDING}").text


# --- less in its place


def test_a_pause_and_fewer_issues_are_offered_beside_it(site: Site) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, ADA)
    assert "/slower" not in site.get(link).text, "the newsletter offers nothing slower"
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), cadences="every,monthly")
    page = site.get(link).text
    assert "Send one issue a month" in page
    told = site.post(f"{link}/slower", cadence="monthly").text
    site.post(f"{link}/slower", cadence="every")
    assert "Send one issue a month" not in site.get(link).text, "this link leads to nothing but less"
    assert "it comes less often from now on" in told
    assert "Send one issue a month" not in told
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE
    paused = words_of(site.post(f"{link}/pause").text)
    assert "Your subscription is paused: no mail comes." in paused
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.PAUSED


@pytest.mark.parametrize("cadence", ["weekly", "never", ""])
def test_a_cadence_that_is_not_offered_changes_nothing(cadence: str, site: Site) -> None:
    before = contents(site.runtime.engine)
    assert site.post(f"{site.link(Purpose.UNSUBSCRIBE, ADA)}/slower", cadence=cadence).status_code == 422
    assert contents(site.runtime.engine) == before


@pytest.mark.parametrize("step", ["all", "undo", "why", "pause", "slower"])
def test_what_a_form_leaves_in_the_address_bar_shows_the_page_and_changes_nothing(
    step: str, still_site: Site
) -> None:
    link = f"{still_site.link(Purpose.UNSUBSCRIBE, ADA)}/{step}"
    assert "Unsubscribe?" in still_site.get(link).text
    assert still_site.client.head(link).status_code == 200
