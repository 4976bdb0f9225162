"""Readers on the managing pages: looked up, added, changed, brought back, taken out as a list."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest

from digest.domain.accounts import Role
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.intake.sign_ups.caps import mailbox_of
from digest.pipeline.managing import segments
from digest.pipeline.readers import Known, known
from digest.pipeline.sign_ups import ask_never_again
from digest.store import reader_pages
from digest.store.database import reading, writing
from digest.store.letters import list_letters
from digest.store.never_asked import mark_of
from digest.store.subscribers import left_at, set_subscription_state, subscribe
from tests.samples import CLIMATE, FOOD, SPACE
from tests.web.manage.forms import fields_of, filled_in
from tests.web.manage.test_newsletters import audited
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, BEN, EVE, FAY, NOW, contents, reader_id

HOME = "/manage/newsletters/saturday"
LIST, NEW = f"{HOME}/readers", f"{HOME}/new-reader"


def page_of(site: Site, email: str) -> str:
    return f"{LIST}/{reader_id(site.runtime.engine, email)}"


def stored(site: Site, email: str) -> Known:
    return known(site.runtime, "saturday", reader_id(site.runtime.engine, email))


def addresses(site: Site, query: str = "") -> list[str]:
    told = read(site, f"{LIST}?{query}")
    return [word.partition("@")[0] for word in told.split() if word.endswith("@example.org")]


def test_readers_stand_by_their_addresses_with_what_they_follow(still_site: Site) -> None:
    assert addresses(still_site) == ["ada", "ben", "cleo", "dan", "eve", "fay"]
    told = read(still_site, LIST)
    assert "ada@example.org climate, food" in told
    assert "dan@example.org no topic" in told
    assert "eve@example.org cities, climate, food, space · paused" in told


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=E", ["eve"]),
        ("q=le", []),
        ("q=leo@", ["cleo"]),
        ("q=example", ["ada", "ben", "cleo", "dan", "eve", "fay"]),
        ("state=paused", ["eve"]),
        ("q=a&state=paused", []),
        ("segment=hungry", ["ada", "eve", "fay"]),
        ("segment=hungry&state=active&q=fay", ["fay"]),
        ("q=%25", []),
    ],
)
def test_readers_are_found_by_address_state_and_segment(site: Site, query: str, found: list[str]) -> None:
    segments.add(site.runtime, "saturday", {"slug": "hungry", "query": "topic:food"}, by="Edith")
    assert addresses(site, query) == found
    if not found:
        assert "No reader is like that." in read(site, f"{LIST}?{query}")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("state=gone", 422, "Nobody is 'gone': choose a state above the list"),
        ("segment=gone", 404, "No segment 'gone'"),
        ("q=%00", 422, "No address holds what you look for"),
        (f"q={'x' * 321}", 422, ""),
    ],
)
def test_what_cannot_be_looked_for_is_told(still_site: Site, query: str, status: int, said: str) -> None:
    answer = still_site.get(f"{LIST}?{query}")
    assert answer.status_code == status
    assert said.lower() in text_of(answer.text).lower()


def test_a_long_list_goes_on_page_by_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(site.runtime.engine) as session:
        for number in range(120):
            language = "fi" if number == 110 else ""
            subscribe(session, 1, email=f"x{number:03}@example.org", follows=[], language=language, now=NOW)  # type: ignore[arg-type]
    seen: list[str] = []
    path = LIST
    while path:
        page = site.get(path).text
        seen += [one for one in text_of(page).split() if one.endswith("@example.org")]
        more = page.partition('<p class="more"><a href="')[2].partition('"')[0]
        path = html.unescape(more).removeprefix(site.url)
    seen = [one for one in seen if one != "reader@example.org"]
    assert len(seen) == len(set(seen)) == 126
    assert seen == sorted(seen)
    segments.add(site.runtime, "saturday", {"slug": "finns", "query": "language:fi"}, by="Edith")
    monkeypatch.setattr(reader_pages, "LOOKED_MOST", 100)
    first = site.get(f"{LIST}?segment=finns").text
    assert "None of the five thousand that were looked at." in text_of(first)
    on = html.unescape(first.partition('<p class="more"><a href="')[2].partition('"')[0])
    assert "x110@example.org" in text_of(site.get(on.removeprefix(site.url)).text)


def test_a_reader_is_added_who_asked_for_it(site: Site) -> None:
    given = {"email": "Gus@Example.org", "follows": ["climate", "food"], "attributes": "City: Oslo\r\n"}
    answer = site.submit(NEW, **{**fields_of(site.get(NEW).text, NEW), **given})
    assert answer.headers["location"] == f"{page_of(site, 'gus@example.org')}?done=reader-added"
    gus = stored(site, "gus@example.org")
    assert (gus.subscription.follows, gus.attributes) == ({CLIMATE, FOOD}, {"city": "Oslo"})
    assert audited(site)[0][1:3] == ("subscriber.added", "saturday")
    assert "They are added" in read(site, answer.headers["location"])


@pytest.mark.parametrize(
    ("given", "status", "problem"),
    [
        ({"email": "nobody"}, 422, "'nobody'"),
        ({"email": ""}, 422, ""),
        ({"timezone": "Mars/One"}, 422, "'Mars/One' is not a time zone"),
        ({"language": "German"}, 422, "is not a language tag"),
        ({"cadence": "yearly"}, 422, "'yearly' is no cadence"),
        ({"max_items": "many"}, 422, "The number of articles"),
        ({"follows": "gulls"}, 404, "No topic 'gulls'"),
        ({"attributes": "Oslo"}, 422, "'Oslo' has no colon; write each like 'city: Berlin'"),
        ({"attributes": "my city: Oslo"}, 422, "'my city' is no key"),
        ({"email": ADA}, 409, "is subscriber 1 already, and active"),
    ],
)
def test_what_is_wrong_with_a_new_reader_is_told_and_nobody_added(
    still_site: Site, given: dict[str, str], status: int, problem: str
) -> None:
    typed = {**fields_of(still_site.get(NEW).text, NEW), "email": "gus@example.org", **given}
    answer = still_site.submit(NEW, **typed)
    assert answer.status_code == status, text_of(answer.text)
    assert problem in text_of(answer.text)


def test_a_reader_is_changed_field_by_field(site: Site) -> None:
    page = page_of(site, ADA)
    typed = filled_in(
        site, page, page, name="Ada", language="de", max_items="5", follows=["food"], attributes="city: Rome"
    )
    assert site.submit(page, **typed).headers["location"] == f"{page}?done=reader-changed"
    ada = stored(site, ADA)
    assert (ada.subscription.subscriber.name, ada.subscription.subscriber.language) == ("Ada", "de")
    assert (ada.subscription.max_items, ada.subscription.follows) == (5, {FOOD})
    assert audited(site)[0][1:3] == ("subscriber.changed", "saturday: subscriber 1")
    emptied = filled_in(site, page, page, name="", language="", max_items="", attributes="plan: free")
    site.submit(page, **emptied)
    ada = stored(site, ADA)
    assert (ada.subscription.subscriber.name, ada.subscription.subscriber.language) == ("", "")
    assert (ada.subscription.max_items, ada.attributes) == (None, {"plan": "free"})
    before = len(audited(site))
    site.submit(page, **filled_in(site, page, page))
    assert len(audited(site)) == before, "nothing was changed"


def test_two_who_change_one_reader_lose_nothing_unseen(site: Site) -> None:
    page = page_of(site, BEN)
    mine = filled_in(site, page, page, name="Ben")
    site.submit(page, **filled_in(site, page, page, name="Benno"))
    answer = site.submit(page, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to Benno" in text_of(answer.text)


def test_a_reader_is_paused_unsubscribed_and_comes_back(site: Site) -> None:
    page = page_of(site, BEN)
    for move, state in (
        ("pause", SubscriptionState.PAUSED),
        ("unsubscribe", SubscriptionState.UNSUBSCRIBED),
        ("return", SubscriptionState.ACTIVE),
    ):
        answer = site.submit(f"{page}/{move}")
        assert answer.headers["location"] == f"{page}?done=reader-{move}"
        assert stored(site, BEN).subscription.state is state
        assert read(site, answer.headers["location"])
    verbs = [entry[1] for entry in audited(site)[:3]]
    assert verbs == ["subscriber.returned", "subscriber.unsubscribed", "subscriber.paused"]
    assert site.submit(f"{page}/bless").status_code == 404


def test_who_never_confirmed_cannot_be_brought_back(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        who = reader_id(site.runtime.engine, EVE)
        set_subscription_state(session, 1, who, SubscriptionState.PENDING, now=NOW)  # type: ignore[arg-type]
    page = page_of(site, EVE)
    assert "Nobody else can for them" in read(site, page)
    assert site.submit(f"{page}/return").status_code == 409


def test_who_left_long_ago_is_not_brought_back_and_what_is_changed_of_them_is_no_leaving(site: Site) -> None:
    who, page = reader_id(site.runtime.engine, BEN), page_of(site, BEN)
    left = NOW - timedelta(days=40)
    with writing(site.runtime.engine) as session:
        set_subscription_state(session, NewsletterId(1), who, SubscriptionState.UNSUBSCRIBED, now=left)
    assert site.submit(page, **filled_in(site, page, page, name="Benjamin")).status_code == 303
    with reading(site.runtime.engine) as session:
        assert left_at(session, NewsletterId(1), who) == left
    answer = site.submit(f"{page}/return")
    assert answer.status_code == 409
    assert "left too long ago for this" in text_of(answer.text)
    assert stored(site, BEN).subscription.state is SubscriptionState.UNSUBSCRIBED


def test_a_reader_who_asked_for_it_gets_another_address_and_the_old_one_is_told(site: Site) -> None:
    page, new, spared = page_of(site, BEN), "ben@new.example.org", "vic.tim@gmail.com"
    ask_never_again(site.runtime, mark_of(site.runtime.erasure_keys, mailbox_of(spared)), never=True)
    for wrong, told in (
        ("ben", "is not an e-mail address"),
        (ADA, "somebody's already"),
        (FAY, "is suppressed"),
        (BEN, "their address already"),
        (spared, "Whoever reads vic.tim@gmail.com said 'never ask me again', so nothing was changed"),
    ):
        answer = site.submit(f"{page}/address", email=wrong)
        assert answer.status_code == 422
        assert told in text_of(answer.text)
        assert f'value="{wrong}"' in answer.text
    answer = site.submit(f"{page}/address", email=new)
    assert "Their mail goes to the new address" in read(site, answer.headers["location"])
    assert stored(site, new).subscription.follows == {SPACE}
    with reading(site.runtime.engine) as session:
        assert [(one.kind, one.email) for one in list_letters(session, limit=9)] == [
            (LetterKind.OLD_ADDRESS, BEN)
        ]
    assert audited(site)[0][1] == "subscriber.moved"


def test_the_case_of_an_address_is_put_right_whatever_its_mailbox_said(site: Site) -> None:
    page = page_of(site, BEN)
    ask_never_again(site.runtime, mark_of(site.runtime.erasure_keys, mailbox_of(BEN)), never=True)
    answer = site.submit(f"{page}/address", email="Ben@example.org")
    assert "Ben@example.org" in read(site, answer.headers["location"]), "mail goes there already"


def test_readers_are_taken_out_as_a_list(site: Site) -> None:
    segments.add(site.runtime, "saturday", {"slug": "hungry", "query": "topic:food"}, by="Edith")
    answer = site.get(f"{LIST}/export?segment=hungry&state=active")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="saturday-hungry-active-readers.csv"'
    )
    assert [line.partition(",")[0] for line in answer.text.splitlines()] == ["email", ADA, "fay@example.org"]


def test_who_may_only_look_changes_nobody_and_takes_no_list(site: Site) -> None:
    for role in (Role.VIEWER, Role.EDITOR):
        with site.seen_by(role) as viewer:
            page = page_of(site, ADA)
            assert "ada@example.org" in read(viewer, page)
            assert "Add a reader" not in read(viewer, LIST)
            before = contents(site.runtime.engine)
            assert viewer.get(NEW).status_code == viewer.get(f"{LIST}/export").status_code == 403
            for path in (NEW, page, f"{page}/pause", f"{page}/address"):
                assert viewer.submit(path, email="x@example.org").status_code == 403
            assert contents(site.runtime.engine) == before


def test_there_is_no_such_reader(still_site: Site) -> None:
    assert still_site.get(f"{LIST}/999999").status_code == 404
    assert still_site.get(f"{LIST}/0").status_code == 404
