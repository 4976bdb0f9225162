"""Signing up for programs: what is offered, what is taken, and whose scripts may read the answers."""

from __future__ import annotations

from typing import Any

import pytest

from digest.domain.consents import ConsentSource
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.store.database import writing
from digest.store.newsletters import change_newsletter
from digest.web.sign_up import offers
from tests.samples import CLIMATE
from tests.web.site import Site
from tests.web.test_sign_up import NEW, kept
from tests.web.world import ADA, FAY, NOW

CALL = "/subscribe/saturday/api"
HERE, ELSEWHERE = "https://www.example.org", "https://other.example.org"


@pytest.fixture(autouse=True)
def offers_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "FRESH_SECONDS", -1.0)


@pytest.fixture
def open_to(site: Site) -> Site:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), sign_up_origins=HERE)
    return site


def new(**fields: object) -> dict[str, object]:
    return {"email": NEW, "topics": ["climate"], **fields}


def test_what_is_offered_is_what_the_page_shows(still_site: Site) -> None:
    told: dict[str, Any] = still_site.get(f"{CALL}?language=de").json()
    assert told["newsletter"] == "The Saturday Reader"
    assert told["wording"].startswith("Ich möchte The Saturday Reader per Mail")
    first = told["topics"][0]
    assert (first["slug"], first["articles_a_week"], first["often"]) == (
        "climate",
        5.0,
        "etwa 5 Artikel pro Woche",
    )
    assert told["cadences"] == ["every"]
    assert told["sample"][0]["url"] is None, "it has no public archive"
    assert {topic for line in told["sample"] for topic in line["topics"]} <= {
        topic["slug"] for topic in told["topics"]
    }


def test_a_sign_up_is_kept_and_its_answer_tells_nothing_of_the_address(site: Site) -> None:
    answers = [site.client.post(CALL, json=new(email=email)) for email in (NEW, ADA, FAY, NEW)]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (202, '{"status":"asked","meant":null,"disposable":false}')
    }
    first = kept(site)[0]
    assert (first.email, first.source, first.at) == (NEW, ConsentSource.API, NOW)
    assert first.wishes.topics == {CLIMATE}
    assert first.wording.startswith("I want The Saturday Reader by mail")


@pytest.mark.parametrize("shown", ["", "en", "de-AT", "es"])
def test_the_words_that_were_shown_are_recorded_whatever_language_is_wanted(shown: str, site: Site) -> None:
    told = site.get(f"{CALL}?language={shown}").json()
    assert told["wording_language"] == (shown or "en")
    sent = new(language="fr", wording_language=told["wording_language"])
    assert site.client.post(CALL, json=sent).status_code == 202
    assert site.client.post(CALL, json=new(language="fr")).status_code == 202
    back, unsaid = kept(site)
    assert (back.wording, back.wishes.language) == (told["wording"], "fr")
    assert unsaid.wording.startswith("Je veux"), "who does not say is taken to have shown their language"


def test_the_words_of_the_tick_are_recorded_as_shown_too(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), measuring=Measuring.ASKED)
    told = site.get(f"{CALL}?language=de").json()
    site.client.post(CALL, json=new(language="fr", may_measure=True, wording_language="de"))
    assert kept(site)[0].wording == f"{told['wording']} {told['measuring']}"


def test_a_slip_is_hinted_at_and_taken(site: Site) -> None:
    told = site.client.post(CALL, json=new(email="ada@gmial.com")).json()
    assert told["meant"] == "ada@gmail.com"
    assert site.client.post(CALL, json=new(email="ada@yopmail.com")).json()["disposable"] is True
    assert len(kept(site)) == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (new(email="nobody"), "'nobody' is not an e-mail address"),
        (new(topics=[]), "topics: "),
        (new(topics=["sports"]), "no topic 'sports'; there is: cities, climate"),
        (new(language="xx"), "language: "),
        (
            new(wording_language="xx"),
            "there are no words in 'xx'; send back what GET answered, one of: en, de, es, fr",
        ),
        (new(wording_language=None), "wording_language: "),
        (new(homepage="x"), "homepage: "),
        ({}, "email: "),
        ([], "body: "),
    ],
)
def test_what_is_wrong_is_told_in_words(sent: object, said: str, site: Site) -> None:
    answer = site.client.post(CALL, json=sent)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert kept(site) == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"email": ', 422, "body: this is no JSON: expecting value at character 10"),
        (b'{"email": "\xff"}', 400, "The body cannot be read, so nothing was taken: send one JSON object"),
        (b'"' + b"x" * 70_000 + b'"', 413, "The body is over 64 KB: nothing was taken."),
        (b"[]", 422, "body: send one JSON object in UTF-8, with Content-Type: application/json"),
    ],
)
def test_a_body_that_is_not_read_is_answered_as_all_else_that_is_wrong(
    body: bytes, status: int, said: str, site: Site
) -> None:
    answer = site.client.post(CALL, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert kept(site) == []


def test_what_a_page_elsewhere_can_send_unasked_is_not_taken(site: Site) -> None:
    """A form, or a script without asking first, can send text: JSON needs the site's leave."""
    body = b'{"email": "new@example.org", "topics": ["climate"]}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert site.client.post(CALL, content=body, headers={"content-type": kind}).status_code == 422
    assert kept(site) == []


def test_scripts_of_the_sites_named_may_ask_and_no_others(open_to: Site) -> None:
    for origin, is_open in ((HERE, True), (ELSEWHERE, False), ("null", False)):
        headers = {"origin": origin, "access-control-request-method": "POST"}
        asked = open_to.client.request("OPTIONS", CALL, headers=headers)
        assert asked.status_code == 204
        answers = [
            asked,
            open_to.client.get(CALL, headers={"origin": origin}),
            open_to.client.post(CALL, json=new(), headers={"origin": origin}),
            open_to.client.post(CALL, json={}, headers={"origin": origin}),
        ]
        for answer in answers:
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (origin if is_open else None)
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["vary"] == "Origin"
        assert ("access-control-allow-methods" in asked.headers) is is_open


def test_a_star_opens_it_to_every_site(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), sign_up_origins="*")
    answer = site.client.get(CALL, headers={"origin": ELSEWHERE})
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE


def test_a_closed_newsletter_is_not_there(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), sign_up=False)
    answers = [site.client.post(CALL, json=new()), site.client.post("/subscribe/nothing/api", json=new())]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert kept(site) == []


def test_the_calls_are_described(still_site: Site) -> None:
    document = still_site.get("/subscribe/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/subscribe/{slug}/api"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for shape in ("Offered", "NewSignUp"):
        its = document["components"]["schemas"][shape]["properties"]["wording_language"]
        assert its["description"]
