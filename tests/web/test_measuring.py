"""Whether readers may be measured: asked by their newsletter, agreed to by themselves, taken back at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from digest.domain.accounts import Right
from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.issues import IssueId
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.readers import Move, move
from digest.pipeline.sign_ups import take_in_sign_ups
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.issues import IssueRow
from digest.store.measured import Agreement, MeasuredReaderRow, agreement_of
from digest.store.measures import OpenRow, count_opens
from digest.store.newsletters import change_newsletter
from digest.track.steps import pause, unsubscribe
from digest.track.tokens import Purpose
from digest.web.api import PATH
from digest.web.sign_up import offers
from tests.web.api.conftest import token_for
from tests.web.site import Site
from tests.web.test_confirming import sign_up
from tests.web.test_editor import read, text_of
from tests.web.test_sign_up import NEW, PAGE, ask, kept
from tests.web.world import ADA, BEN, NOW, contents, reader_id, set_state

ONE = NewsletterId(1)
ASKS = "may measure whether I open its mail and which of its links I follow"


@pytest.fixture(autouse=True)
def offers_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "FRESH_SECONDS", -1.0)


def let_ask(site: Site, measuring: Measuring = Measuring.ASKED) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, ONE, measuring=measuring)


@pytest.fixture
def asking(site: Site) -> Site:
    let_ask(site)
    return site


def is_measured(site: Site, email: str) -> bool:
    with reading(site.runtime.engine) as session:
        return agreement_of(session, ONE, reader_id(site.runtime.engine, email)) is not None


def acts_of(site: Site, email: str) -> list[Consent]:
    """What was recorded of a reader about being measured."""
    with reading(site.runtime.engine) as session:
        consents = consents_of(session, ONE, reader_id(site.runtime.engine, email))
    return [one for one in consents if one.act in (ConsentAct.MEASURED, ConsentAct.UNMEASURED)]


def choose(site: Site, email: str, **form: str) -> str:
    answer = site.post(f"{site.link(Purpose.PREFERENCES, email)}/measuring", **form)
    assert answer.status_code == 200
    return text_of(answer.text)


def box_of(page: str) -> str:
    """The box on a page, as it is written."""
    found = re.search(r'<input type="checkbox" name="may_measure"[^>]*>', page)
    return found[0] if found else ""


# --- nobody is asked


def test_nobody_is_asked_unless_the_newsletter_asks(site: Site) -> None:
    for path in (PAGE, f"{PAGE}/form", site.link(Purpose.PREFERENCES, ADA)):
        assert not box_of(site.get(path).text), path
        assert "measure" not in site.get(path).text, path
    assert site.get(f"{PAGE}/api").json()["measuring"] == ""
    before = contents(site.runtime.engine)
    choose(site, ADA, may_measure="yes")
    assert contents(site.runtime.engine) == before
    link = sign_up(site, may_measure="yes")
    assert ASKS not in read(site, link)
    site.post(link, may_measure="yes")
    assert not is_measured(site, NEW)
    assert not acts_of(site, NEW)


# --- where they sign up


def test_the_pages_ask_by_a_box_that_is_not_ticked(asking: Site) -> None:
    page = asking.get(PAGE).text
    assert ASKS in text_of(page)
    assert "for 90 days" in text_of(page)
    assert box_of(page)
    assert "checked" not in box_of(page)
    copied = asking.get(f"{PAGE}/form").text
    assert "name=&#34;may_measure&#34;" in copied or 'name="may_measure"' in copied
    again = ask(asking, "", may_measure="yes").text
    assert "checked" in box_of(again), "what was ticked stays so when something is asked once more"


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "90 Tage"), ("es", "90 días"), ("fr", "90 jours")],
)
def test_they_ask_in_the_reader_s_language(asking: Site, language: str, words: str) -> None:
    assert words in text_of(asking.get(f"{PAGE}?language={language}").text)
    assert words in asking.get(f"{PAGE}/api?language={language}").json()["measuring"]


def test_who_ticks_it_is_measured_once_their_mailbox_says_so(asking: Site) -> None:
    link = sign_up(asking, may_measure="yes")
    assert not is_measured(asking, NEW), "anybody may have ticked that"
    assert ASKS in read(asking, link)
    assert "checked" not in box_of(asking.get(link).text), "nobody ticked it but who reads this"
    asking.post(link, may_measure="yes")
    assert is_measured(asking, NEW)
    (agreed,) = acts_of(asking, NEW)
    assert (agreed.act, agreed.source, agreed.at) == (ConsentAct.MEASURED, ConsentSource.MAIL, NOW)
    assert ASKS in agreed.wording
    assert agreed.network == "127.0.0.1"


def test_who_leaves_the_box_of_the_confirmation_empty_reads_it_unmeasured(asking: Site) -> None:
    link = sign_up(asking, may_measure="yes")
    assert "You are subscribed" in text_of(asking.post(link).text)
    assert not is_measured(asking, NEW)


def add_again(site: Site) -> None:
    put_subscriber(
        site.runtime, "saturday", ADA, WantedBy(), by="Ed", source=ConsentSource.COMMAND, again=True
    )


def return_on_the_desk(site: Site) -> None:
    move(site.runtime, "saturday", reader_id(site.runtime.engine, ADA), Move.RETURN, by="Ed")


def return_over_the_api(site: Site) -> None:
    path = f"{PATH}/newsletters/saturday/subscribers/{reader_id(site.runtime.engine, ADA)}/return"
    token = token_for(site.runtime, frozenset({Right.OPERATE}))
    assert site.client.post(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


BY_STAFF = pytest.mark.parametrize("come_back", [add_again, return_on_the_desk, return_over_the_api])


@BY_STAFF
def test_who_is_brought_back_by_staff_is_not_measured_again(
    asking: Site, come_back: Callable[[Site], None]
) -> None:
    choose(asking, ADA, may_measure="yes")
    unsubscribe(asking.runtime.engine, ONE, reader_id(asking.runtime.engine, ADA), now=NOW)
    come_back(asking)
    assert not is_measured(asking, ADA)
    assert [one.act for one in acts_of(asking, ADA)] == [ConsentAct.MEASURED, ConsentAct.UNMEASURED]
    with reading(asking.runtime.engine) as session:
        consents = consents_of(session, ONE, reader_id(asking.runtime.engine, ADA))
    assert ConsentAct.ADDED in [one.act for one in consents], "that they asked for it stands on record"


@BY_STAFF
def test_who_had_only_paused_agrees_still(asking: Site, come_back: Callable[[Site], None]) -> None:
    choose(asking, ADA, may_measure="yes")
    pause(asking.runtime.engine, ONE, reader_id(asking.runtime.engine, ADA), now=NOW)
    come_back(asking)
    assert is_measured(asking, ADA)


def test_who_takes_it_back_themselves_that_they_left_agrees_still(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    unsubscribe(asking.runtime.engine, ONE, reader_id(asking.runtime.engine, ADA), now=NOW)
    assert asking.post(f"{asking.link(Purpose.PREFERENCES, ADA)}/return").status_code == 200
    assert is_measured(asking, ADA)


def test_who_does_not_tick_it_is_not_measured(asking: Site) -> None:
    link = sign_up(asking)
    assert ASKS not in read(asking, link)
    asking.post(link, may_measure="yes")
    assert not is_measured(asking, NEW)


def test_what_was_ticked_while_the_page_was_open_measures_nobody(asking: Site) -> None:
    link = sign_up(asking)
    ask(asking, may_measure="yes")
    take_in_sign_ups(asking.runtime)
    assert ASKS in read(asking, link), "whoever opens it now sees it"
    asking.post(link)
    assert not is_measured(asking, NEW)


def test_a_form_says_what_its_tick_agreed_to(asking: Site) -> None:
    ask(asking, may_measure="yes")
    ask(asking, BEN)
    ticked, not_ticked = kept(asking)
    assert (ticked.wishes.may_measure, not_ticked.wishes.may_measure) == (True, False)
    assert ASKS in ticked.wording
    assert ASKS not in not_ticked.wording


def test_a_program_is_told_what_to_show_and_takes_the_tick(asking: Site) -> None:
    call = f"{PAGE}/api"
    assert ASKS in asking.get(call).json()["measuring"]
    new = {"email": NEW, "topics": ["climate"]}
    assert asking.client.post(call, json={**new, "may_measure": True}).status_code == 202
    assert asking.client.post(call, json={**new, "may_measure": "yes"}).status_code == 422
    (sent,) = kept(asking)
    assert sent.wishes.may_measure
    assert ASKS in sent.wording


def test_who_reads_already_is_not_measured_because_somebody_typed_their_address(asking: Site) -> None:
    sign_up_of_a_reader = ask(asking, ADA, may_measure="yes")
    assert sign_up_of_a_reader.status_code == 303
    assert not is_measured(asking, ADA)


def test_who_comes_back_without_the_tick_is_not_measured_any_more(asking: Site) -> None:
    choose(asking, BEN, may_measure="yes")
    set_state(asking.runtime.engine, BEN, SubscriptionState.UNSUBSCRIBED)
    asking.post(sign_up(asking, BEN))
    assert not is_measured(asking, BEN)
    assert [one.act for one in acts_of(asking, BEN)] == [ConsentAct.MEASURED, ConsentAct.UNMEASURED]


@pytest.mark.parametrize(
    ("before", "measured", "is_kept"),
    [
        (Agreement(NOW - timedelta(days=9), 90), 90, True),
        (Agreement(NOW - timedelta(days=9), 120), 120, True),
        (Agreement(NOW - timedelta(days=9), 30), 30, False),
        (Agreement(NOW - timedelta(days=9), 90, may_spare=False), 90, False),
    ],
    ids=["the same", "to more days", "to fewer days", "to less"],
)
def test_who_signs_up_again_with_the_tick_agrees_to_the_words_of_now(
    asking: Site, before: Agreement, measured: int, is_kept: bool
) -> None:
    """What was measured for what they had agreed to is not used for more, nor kept longer than now told."""
    choose(asking, BEN, may_measure="yes")
    set_state(asking.runtime.engine, BEN, SubscriptionState.UNSUBSCRIBED)
    ben = reader_id(asking.runtime.engine, BEN)
    told = {"since": before.since, "days": before.days, "may_spare": before.may_spare}
    with writing(asking.runtime.engine) as session:
        session.execute(update(MeasuredReaderRow).values(told))
        mail = IssueId(session.scalars(select(IssueRow.id).limit(1)).one()), ben
        count_opens(session, [(mail, NOW)], [], kept_for={mail: timedelta(days=measured)})
    asking.post(sign_up(asking, BEN, may_measure="yes"), may_measure="yes")
    with reading(asking.runtime.engine) as session:
        opened = session.scalars(select(OpenRow.until).where(OpenRow.subscriber_id == ben)).all()
        agreed = agreement_of(session, ONE, ben)
    assert agreed == Agreement(before.since if is_kept else NOW, 90)
    assert opened == ([NOW + timedelta(days=90)] if is_kept else [])
    again = acts_of(asking, BEN)
    assert [one.act for one in again] == [ConsentAct.MEASURED, ConsentAct.MEASURED]
    assert "for 90 days" in again[-1].wording
    assert again[-1].source is ConsentSource.MAIL


# --- in their settings


def test_a_reader_agrees_and_takes_it_back_in_their_settings(asking: Site) -> None:
    link = asking.link(Purpose.PREFERENCES, ADA)
    page = asking.get(link).text
    assert ASKS in text_of(page)
    assert box_of(page)
    assert "checked" not in box_of(page)
    assert "it is measured what you open and follow" in choose(asking, ADA, may_measure="yes")
    assert is_measured(asking, ADA)
    assert "checked" in box_of(asking.get(link).text)
    assert "Nothing is measured of you, and what was measured is deleted." in choose(asking, ADA)
    assert not is_measured(asking, ADA)
    assert "checked" not in box_of(asking.get(link).text)
    agreed, took_back = acts_of(asking, ADA)
    assert (agreed.act, agreed.source) == (ConsentAct.MEASURED, ConsentSource.SETTINGS)
    assert ASKS in agreed.wording
    assert (took_back.act, took_back.source, took_back.wording) == (
        *(ConsentAct.UNMEASURED, ConsentSource.SETTINGS),
        "",
    )


def test_who_agreed_reads_the_days_that_they_agreed_to(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    with writing(asking.runtime.engine) as session:
        session.execute(update(MeasuredReaderRow).values(days=30))
    assert "for 30 days" in read(asking, asking.link(Purpose.PREFERENCES, ADA))
    assert "for 90 days" in read(asking, asking.link(Purpose.PREFERENCES, BEN))


def test_who_agreed_before_mail_might_be_spared_reads_what_they_agreed_to(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    assert "to spare me mail if I read none any more" in read(asking, asking.link(Purpose.PREFERENCES, ADA))
    with writing(asking.runtime.engine) as session:
        session.execute(update(MeasuredReaderRow).values(may_spare=False))
    page = read(asking, asking.link(Purpose.PREFERENCES, ADA))
    assert ASKS in page
    assert "to spare me mail" not in page


def test_twice_is_recorded_once(asking: Site) -> None:
    for form in ({"may_measure": "yes"}, {"may_measure": "yes"}, {}, {}):
        choose(asking, ADA, **form)
    assert [one.act for one in acts_of(asking, ADA)] == [ConsentAct.MEASURED, ConsentAct.UNMEASURED]


def test_looking_changes_nothing(asking: Site) -> None:
    before = contents(asking.runtime.engine)
    link = f"{asking.link(Purpose.PREFERENCES, ADA)}/measuring"
    assert asking.get(link).status_code == 200
    assert asking.client.head(link).status_code == 200
    assert contents(asking.runtime.engine) == before


def test_one_reader_s_choice_is_no_other_s(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    assert (is_measured(asking, ADA), is_measured(asking, BEN)) == (True, False)


def test_who_agreed_takes_it_back_also_where_nobody_is_asked_any_more(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    let_ask(asking, Measuring.OFF)
    link = asking.link(Purpose.PREFERENCES, ADA)
    assert "measures nothing of anybody at present" in read(asking, link)
    assert "measured" not in read(asking, asking.link(Purpose.PREFERENCES, BEN))
    choose(asking, ADA)
    assert not is_measured(asking, ADA)
    assert "measured" not in read(asking, link)


def test_who_left_can_take_it_back_but_not_agree(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    for email in (ADA, BEN):
        set_state(asking.runtime.engine, email, SubscriptionState.UNSUBSCRIBED)
    choose(asking, BEN, may_measure="yes")
    assert not is_measured(asking, BEN)
    assert not box_of(asking.get(asking.link(Purpose.PREFERENCES, BEN)).text)
    choose(asking, ADA)
    assert not is_measured(asking, ADA)


def test_no_other_token_chooses_for_a_reader(asking: Site) -> None:
    token = asking.link(Purpose.PREFERENCES, ADA).removeprefix("/preferences/")
    unsubscribes = asking.link(Purpose.UNSUBSCRIBE, ADA).removeprefix("/unsubscribe/")
    changed = f"{token[:-9]}{'A' if token[-9] != 'A' else 'B'}{token[-8:]}"
    for other in (unsubscribes, changed, "x"):
        assert asking.post(f"/preferences/{other}/measuring", may_measure="yes").status_code >= 400
    assert not is_measured(asking, ADA)


# --- what is stored


def test_a_reader_sees_that_they_agreed(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    stored = asking.get(f"{asking.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    assert stored["measured_readers"] == [
        {
            "newsletter_id": 1,
            "subscriber_id": reader_id(asking.runtime.engine, ADA),
            "since": NOW.isoformat(),
            "days": 90,
            "may_spare": True,
        }
    ]
    assert "Since when you may be measured" in read(asking, f"{asking.link(Purpose.PREFERENCES, ADA)}/stored")


def test_ops_see_that_they_agreed(asking: Site) -> None:
    choose(asking, ADA, may_measure="yes")
    (agreed,) = acts_of(asking, ADA)
    assert agreed.in_words.startswith("agreed to be measured in their settings, 2026-11-23 07:00 UTC")
