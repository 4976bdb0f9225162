"""A forgotten password, at the door: one answer to everybody, and a link to the one whose address it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.admit.attempts import FOR_AN_ACCOUNT, FROM_A_NETWORK
from digest.pipeline.letters import post_letters
from digest.store.account_letters import account_letters
from digest.store.database import reading
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until
from tests.web.site import Site, serving
from tests.web.test_editor import text_of
from tests.web.test_sign_in import EMAIL, PASSWORD, add_edda, at, sign_in

NEW = "five other words stand here"


@pytest.fixture
def door(empty_database: Path, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Site]:
    """A site with one account and a way for mail, seen by nobody, behind a proxy that it trusts."""
    runtime = at(
        empty_database,
        tmp_path,
        trusted_proxies=["127.0.0.1"],
        mail_url=(smtp_sink.url,),
        accounts_email="desk@news.example.org",
    )
    with serving(runtime, free_port(), role=None) as site:
        add_edda(site)
        yield site


def ask(site: Site, email: str, *, come_from: str = "8.8.8.8") -> tuple[int, str]:
    site.client.headers["X-Forwarded-For"] = come_from
    answer = site.post("/forgot", email=email)
    return answer.status_code, answer.text


def letters(site: Site) -> int:
    with reading(site.runtime.engine) as session:
        return len(account_letters(session))


def test_who_forgot_is_led_from_the_door_to_a_new_password(door: Site, smtp_sink: SmtpSink) -> None:
    assert 'href="/forgot">Forgot your password?' in door.get("/sign-in").text
    status, page = ask(door, EMAIL)
    assert (status, "is on its way there" in page) == (200, True)
    # It is written after the answer, which says nothing by how long it takes.
    wait_until(lambda: letters(door) == 1)
    post_letters(door.runtime)
    (mail,) = smtp_sink.contents()
    token = re.search(rb"/enter/([\w-]+)", mail.replace(b"=\r\n", b""))
    assert token
    path = f"/enter/{token[1].decode()}"
    assert "Choose a password" in door.get(path).text
    assert sign_in(door).status_code == 303, "until then the old one holds"
    assert door.post(path, password=NEW).status_code == 303
    door.client.cookies.clear()
    assert sign_in(door, password=PASSWORD).status_code == 401
    assert sign_in(door, password=NEW).status_code == 303


def test_nothing_tells_whether_an_address_has_an_account(door: Site) -> None:
    known, unknown = ask(door, EMAIL), ask(door, "nobody@example.org")
    assert known[0] == unknown[0] == 200
    assert known[1].replace(EMAIL, "X") == unknown[1].replace("nobody@example.org", "X")
    wait_until(lambda: letters(door) == 1)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
def test_an_address_is_asked_for_ten_times_whether_it_has_an_account_or_not(email: str, door: Site) -> None:
    for number in range(FOR_AN_ACCOUNT):
        assert ask(door, email, come_from=f"8.8.{number}.8")[0] == 200
    status, page = ask(door, email, come_from="9.9.9.9")
    assert (status, "Try again in 15 minutes" in page) == (429, True)
    assert sign_in(door).status_code == 303, "that locks nobody out"


def test_a_network_asks_for_so_many_addresses_and_no_more(door: Site) -> None:
    for number in range(FROM_A_NETWORK):
        assert ask(door, f"reader{number}@example.org")[0] == 200
    assert ask(door, EMAIL)[0] == 429
    assert ask(door, EMAIL, come_from="9.9.9.9")[0] == 200


@pytest.mark.parametrize("email", ["", "edda", "a\x00b@example.org", "x" * 400 + "@example.org"])
def test_what_is_no_address_is_told_and_kept(email: str, door: Site) -> None:
    status, page = ask(door, email)
    assert status == 422
    assert "is not an e-mail address" in text_of(page)
    assert letters(door) == 0


def test_a_form_of_another_site_mails_nobody(door: Site) -> None:
    answer = door.client.post(
        "/forgot", data={"email": EMAIL}, headers={"Origin": "https://evil.example.org"}
    )
    assert (answer.status_code, letters(door)) == (403, 0)


def test_where_no_mail_goes_out_the_page_says_what_to_do(empty_database: Path, tmp_path: Path) -> None:
    with serving(at(empty_database, tmp_path), free_port(), role=None) as site:
        assert "Ask an admin for a link" in text_of(site.get("/forgot").text)
        assert "<form" not in site.get("/forgot").text
