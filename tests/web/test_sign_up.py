"""The sign-up page: what it shows, what it asks once more, and that it tells nobody who is here."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from digest.domain.cadences import Cadence
from digest.domain.consents import ConsentSource
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp
from digest.domain.subscribers import SubscriptionState
from digest.store.database import reading, writing
from digest.store.newsletters import change_newsletter
from digest.store.sign_ups import oldest_sign_ups
from digest.track.tokens import Tokens
from digest.web.sign_up import offers
from tests.samples import CLIMATE, FOOD, SPACE
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, BEN, EVE, FAY, NOW, contents, set_state

PAGE = "/subscribe/saturday"
NEW = "new@example.org"


@pytest.fixture(autouse=True)
def offers_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "FRESH_SECONDS", -1.0)


def mark(site: Site, *, ago: timedelta = timedelta(minutes=1), newsletter: int = 1) -> str:
    """What a page carries that was shown so long ago."""
    return site.runtime.tokens.sign_form(NewsletterId(newsletter), now=NOW - ago)


def ask(site: Site, email: str = NEW, **form: str | list[str]) -> httpx2.Response:
    """Send the form as its page would."""
    return site.post(PAGE, **{"email": email, "topic": ["climate"], "shown": mark(site), **form})


def kept(site: Site) -> list[SignUp]:
    with reading(site.runtime.engine) as session:
        return [one for _, one in oldest_sign_ups(session, most=100)]


def said_of(answer: httpx2.Response) -> str:
    """What an answer complains of."""
    told = re.search(r'role="alert"[^>]*>(.*?)</div>', answer.text, re.DOTALL)
    return text_of(told[1]) if told else ""


# --- what is shown


def test_the_page_shows_topics_how_often_each_appears_and_what_it_had_last(still_site: Site) -> None:
    told = read(still_site, PAGE)
    assert "Subscribe to The Saturday Reader" in told
    assert "Climate & energy about 5 articles a week Heat, power and weather" in told
    assert "Oceans none in the last issues" in told
    assert "From the last issue, 16–22 November 2026" in told
    page = still_site.get(PAGE).text
    assert re.search(r'<li class="line t0[^"]*"[^>]*>[^<]+</li>', page), "titles alone: it has no archive"
    assert "Read the whole issue" not in told


def test_with_a_public_archive_the_sample_leads_to_its_articles(archive: Site) -> None:
    page = archive.get(PAGE).text
    sample = page[page.index('class="sample"') :]
    assert 'href="/archive/saturday/3"' in sample
    assert re.search(r'<li class="line t\d[^"]*"[^>]*><a href="https?://', sample)


def test_links_may_tick_topics(still_site: Site) -> None:
    page = still_site.get(f"{PAGE}?topic=space&topic=nothing").text
    ticked = re.findall(r'value="([a-z]+)" checked', page)
    assert ticked == ["space"]


@pytest.mark.parametrize(
    ("accepted", "query", "said"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "", "The Saturday Reader abonnieren"),
        ("it", "", "Subscribe to The Saturday Reader"),
        ("de", "?language=fr", "S’abonner à The Saturday Reader"),
        ("", "?language=es", "Suscribirse a The Saturday Reader"),
        ("", "?language=xx", "Subscribe to The Saturday Reader"),
    ],
)
def test_the_page_speaks_as_its_visitor_does(accepted: str, query: str, said: str, still_site: Site) -> None:
    answer = still_site.client.get(PAGE + query, headers={"accept-language": accepted})
    assert said in text_of(answer.text)
    assert answer.headers["vary"] == "Accept-Language"


def test_the_page_asks_for_no_script_and_sets_no_cookie(still_site: Site) -> None:
    for path in (PAGE, f"{PAGE}/asked", f"{PAGE}/form"):
        answer = still_site.get(path)
        assert "<script" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("per_day", "per_month", "said"),
    [
        (1, 3, "in a day: 1 at most. Mails to one address in 30 days: 3 at most. Nothing"),
        (4, 0, "Mails to one address in a day: 4 at most. Nothing"),
        (0, 1, "settings instead. Mails to one address in 30 days: 1 at most. Nothing"),
        (0, 0, "the link to your settings instead. Nothing"),
    ],
)
def test_who_asked_is_told_how_often_an_address_is_mailed_as_it_is_set(
    per_day: int, per_month: int, said: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    caps = replace(site.runtime.sign_up_caps, per_address_day=per_day, per_address_month=per_month)
    monkeypatch.setitem(site.runtime.__dict__, "sign_up_caps", caps)
    assert said in " ".join(read(site, f"{PAGE}/asked").split())


@pytest.mark.parametrize("place", ["", "/asked", "/form", "/theme.css"])
def test_a_newsletter_that_is_closed_is_not_there(place: str, site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), sign_up=False)
    closed = site.get(PAGE + place)
    nowhere = site.get(f"/subscribe/nowhere{place}")
    assert closed.status_code == nowhere.status_code == 404
    assert closed.text == nowhere.text
    assert ask(site).status_code == 404
    assert kept(site) == []


def test_a_newsletter_without_topics_says_why_nothing_can_be_sent(
    open_site: Callable[..., Site], empty_database: Path
) -> None:
    from tests.web.world import add_sample_newsletter

    site = open_site(empty_database)
    add_sample_newsletter(site.runtime.engine, ())
    assert "It has no topics to choose from yet" in read(site, PAGE)
    assert "The newsletter has no topics yet" in read(site, f"{PAGE}/form")


# --- what is sent


def test_a_sign_up_is_kept_with_all_that_was_chosen(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), cadences="every,monthly")
    answer = ask(
        site, topic=["climate", "food", "nothing"], cadence="monthly", language="de", name=" Ada \u202eF "
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/asked?language=de")
    (found,) = kept(site)
    assert (found.email, found.at, found.is_trapped) == (NEW, NOW, False)
    assert found.wishes.topics == {CLIMATE, FOOD}
    wishes = found.wishes
    assert (wishes.cadence, wishes.language, wishes.name) == (Cadence.MONTHLY, "de", "Ada F")
    assert (found.source, found.network) == (ConsentSource.PAGE, "127.0.0.1")
    assert found.wording.startswith("Ich möchte The Saturday Reader per Mail"), "as it was said to them"
    assert "Sehen Sie in Ihr Postfach" in read(site, answer.headers["location"])


def test_everybody_is_answered_alike(site: Site) -> None:
    """A stranger, a reader, one who paused, who left, who is never mailed, who waits, and a program."""
    set_state(site.runtime.engine, BEN, SubscriptionState.UNSUBSCRIBED)
    answers = [ask(site, email) for email in (NEW, ADA, EVE, BEN, FAY, NEW)]
    answers.append(ask(site, "other@example.org", homepage="https://spam.example.org"))
    first = answers[0]
    for answer in answers:
        assert (answer.status_code, answer.content) == (303, first.content)
        assert dict(answer.headers, date="") == dict(first.headers, date="")
    assert [one.is_trapped for one in kept(site)] == [False] * 6 + [True]


def test_an_answer_costs_the_database_the_same_whoever_signs_up(site: Site) -> None:
    """Nothing that is known of an address is even looked at: the row of each is all that is written."""
    before = contents(site.runtime.engine)
    for email in (NEW, ADA):
        ask(site, email)
    after = contents(site.runtime.engine)
    assert [len(rows) for name, rows in after.items() if rows != before[name]] == [2]
    assert after["sign_ups"] != before["sign_ups"]


@pytest.mark.parametrize(
    ("email", "topics", "said"),
    [
        ("", ["climate"], "Your address is missing"),
        ("ada@", ["climate"], "ada@ is no address that mail can be sent to"),
        ("a\r\nb@example.org", ["climate"], "is no address"),
        (NEW, [], "No topic is ticked"),
        (NEW, ["nothing"], "No topic is ticked"),
    ],
)
def test_what_is_missing_is_asked_for_with_all_else_as_it_was(
    email: str, topics: list[str], said: str, site: Site
) -> None:
    answer = ask(site, email, topic=topics, name="Ada")
    assert answer.status_code == 422
    assert said in said_of(answer)
    assert 'value="Ada"' in answer.text
    assert kept(site) == []


@pytest.mark.parametrize(
    "shown",
    [
        lambda site: "",
        lambda site: "forged",
        lambda site: mark(site, ago=timedelta(seconds=1)),
        lambda site: mark(site, ago=timedelta(hours=25)),
        lambda site: mark(site, newsletter=2),
        lambda site: Tokens(["another key"]).sign_form(NewsletterId(1), now=NOW - timedelta(minutes=1)),
        lambda site: site.runtime.tokens.sign_confirmation(NewsletterId(1), 1, now=NOW),
    ],
    ids=["none", "forged", "at once", "late", "another's", "another key", "another purpose"],
)
def test_a_form_that_was_not_shown_here_in_time_is_shown_once_more(
    shown: Callable[[Site], str], site: Site
) -> None:
    answer = ask(site, shown=shown(site), name="Ada")
    assert answer.status_code == 422
    assert "Nothing was sent yet. Press the button below once more." in said_of(answer)
    assert kept(site) == []
    again = html.unescape(re.search(r'name="shown" value="([^"]+)"', answer.text)[1])  # type: ignore[index]
    assert site.runtime.tokens.read_form(NewsletterId(1), again, now=NOW) == timedelta(0)


def test_a_slip_is_asked_about_once_and_then_believed(site: Site) -> None:
    answer = ask(site, "ada@gmial.com")
    assert answer.status_code == 422
    assert "You typed ada@gmial.com . Did you mean ada@gmail.com ?" in said_of(answer)
    assert 'name="meant" value="ada@gmail.com"' in answer.text
    assert 'name="sure" value="ada@gmial.com"' in answer.text
    assert kept(site) == []
    assert ask(site, "ada@gmial.com", sure="ada@gmial.com").status_code == 303
    assert ask(site, "ada@gmial.com", meant="ada@gmail.com").status_code == 303
    assert ask(site, "ada@hotmial.com", sure="ada@gmial.com").status_code == 422, "another one is asked about"
    assert [one.email for one in kept(site)] == ["ada@gmial.com", "ada@gmail.com"]


def test_an_address_to_throw_away_is_asked_about_once(site: Site) -> None:
    answer = ask(site, "ada@mailinator.com")
    assert "ada@mailinator.com looks like an address that will soon be gone" in said_of(answer)
    assert ask(site, "ada@mailinator.com", sure="ada@mailinator.com").status_code == 303


# --- a form on another site


def test_the_form_for_other_sites_is_shown_to_be_copied_and_works_there(site: Site) -> None:
    page = site.get(f"{PAGE}/form").text
    copied = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1])  # type: ignore[index]
    assert copied in page, "it is also there to be looked at"
    assert f'action="{site.url}{PAGE}"' in copied
    assert not re.search(r"<script|style=|csrf|class=", copied)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', copied))
    assert fields == {"from": "form", "language": "en", "spoken": "en"}
    answer = site.client.post(
        PAGE,
        data={**fields, "email": NEW, "topic": ["space"], "homepage": ""},
        headers={"origin": "https://www.example.org", "sec-fetch-site": "cross-site"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/asked?language=en")
    assert "set-cookie" not in answer.headers
    (found,) = kept(site)
    assert (found.source, found.wishes.topics) == (ConsentSource.FORM, {SPACE})


def test_a_slip_in_a_form_elsewhere_is_asked_about_here(site: Site) -> None:
    answer = site.post(PAGE, email="ada@gmial.com", topic=["space"], **{"from": "form"})
    assert "Did you mean ada@gmail.com" in said_of(answer)
    assert re.findall(r'value="([a-z]+)" checked', answer.text) == ["space"]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"email=%00&topic=climate&topic=%ff", b"email[]=x&topic=", b"=&=&="]
)
def test_whatever_is_sent_is_answered_in_words(content: bytes, site: Site) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = site.client.post(PAGE, content=content, headers=headers)
    assert answer.status_code == 422
    assert said_of(answer)
    assert kept(site) == []


# --- what is recorded, and the form of other sites


def test_the_wording_that_was_read_is_recorded_not_that_of_the_language_that_was_chosen(site: Site) -> None:
    page = site.client.get(PAGE, headers={"accept-language": "en"}).text
    shown_in = re.search(r'name="spoken" value="([^"]+)"', page)
    assert shown_in
    ask(site, spoken=shown_in[1], language="fr")
    german = site.client.get(PAGE, headers={"accept-language": "de"}).text
    shown_in = re.search(r'name="spoken" value="([^"]+)"', german)
    assert shown_in
    ask(site, BEN, spoken=shown_in[1], language="es")
    english, in_german = kept(site)
    assert english.wording in text_of(page)
    assert in_german.wording in text_of(german)
    assert (english.wishes.language, in_german.wishes.language) == ("fr", "es")


def test_who_was_asked_about_an_address_is_not_asked_again_for_pressing_too_soon(site: Site) -> None:
    slip = "ada@gmial.com"
    assert "Did you mean" in said_of(ask(site, slip))
    soon = ask(site, slip, sure=slip, shown=mark(site, ago=timedelta(seconds=1)))
    assert "Press the button below once more" in said_of(soon)
    assert f'name="sure" value="{slip}"' in soon.text
    assert ask(site, slip, sure=slip).status_code == 303


def test_the_form_for_other_sites_has_all_that_the_page_asks_for(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), cadences="every,monthly")
    copied = html.unescape(site.get(f"{PAGE}/form").text)
    for part in ('name="name"', 'name="cadence"', 'value="monthly"', f'{PAGE}#sample"', 'name="spoken"'):
        assert part in copied, part
    sent = {"from": "form", "email": NEW, "topic": ["climate"], "cadence": "monthly", "name": "Ada"}
    assert site.post(PAGE, **sent, spoken="en", language="en").status_code == 303
    (one,) = kept(site)
    assert (one.wishes.cadence, one.wishes.name, one.source) == (Cadence.MONTHLY, "Ada", ConsentSource.FORM)
