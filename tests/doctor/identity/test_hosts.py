"""Hosts that take bounces, names of addresses, published keys."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

import pytest

from digest.deliver.dkim.keys import DkimKey
from digest.doctor.identity.dkim_check import look_at_key
from digest.doctor.identity.hosts import look_at_address, look_at_bounces
from digest.doctor.identity.senders import Sending, sending
from digest.doctor.identity.verdicts import Verdict
from digest.settings import Settings
from tests.deliver.dkim.checking import ed25519_key, rsa_key
from tests.doctor.identity.asking import certain, guessed, ills, seen
from tests.servers.dns import Zone

HERE = "203.0.113.9"
REVERSE = "9.113.0.203.in-addr.arpa"


def bounces(zone: Zone) -> Verdict:
    return seen(zone, lambda dns: look_at_bounces(dns, "news.example.org"))


def address(zone: Zone, from_where: Sending) -> Verdict:
    (one,) = from_where.addresses
    return seen(zone, lambda dns: look_at_address(dns, one, from_where, "news.example.org"))


def key(text: str | None, *more: str, ours: DkimKey | None = None) -> Verdict:
    ours = ours or rsa_key(selector="2026a")
    zone = {"2026a._domainkey.example.org": {"TXT": [text, *more]}} if text is not None else {}
    return seen(zone, lambda dns: look_at_key(dns, ours, "example.org"))


def written(verdict: Verdict) -> str:
    return "".join(verdict.record.split('"')[1::2])


def test_bounces_arrive_where_a_mail_host_has_an_address() -> None:
    zone = {
        "news.example.org": {"MX": ["20 b.example.org.", "5 a.example.org."]},
        "a.example.org": {"A": [HERE]},
        "b.example.org": {"AAAA": ["2001:db8::2"]},
    }
    told = bounces(zone).told()
    assert (told.is_well, told.advice, told.found) == (True, "", "5 a.example.org, 20 b.example.org")
    del zone["b.example.org"]
    assert bounces(zone).told().advice == "b.example.org has no address."
    del zone["a.example.org"]
    assert "No bounce arrives: a.example.org, b.example.org" in ills(bounces(zone))


def test_a_mail_host_is_no_alias() -> None:
    zone = {
        "news.example.org": {"MX": ["5 a.example.org."]},
        "a.example.org": {"CNAME": ["b.example.org."]},
        "b.example.org": {"A": [HERE]},
    }
    told = bounces(zone).told()
    assert told.is_well
    assert "a.example.org is an alias" in told.advice


def test_a_domain_without_a_mail_host_is_told_how_to_name_one() -> None:
    nowhere = bounces({})
    assert "Bounces go nowhere" in ills(nowhere)
    assert nowhere.record == "news.example.org. IN MX 10 mail.news.example.org."
    by_itself = bounces({"news.example.org": {"A": [HERE]}})
    assert by_itself.told().is_well
    assert by_itself.record == "news.example.org. IN MX 10 news.example.org."
    assert "null MX" in bounces({"news.example.org": {"MX": ["0 ."]}}).found[0]


def test_an_address_has_a_name_that_leads_back() -> None:
    zone = {REVERSE: {"PTR": ["a.example.org.", "out.example.org."]}, "out.example.org": {"A": [HERE]}}
    told = address(zone, certain(HERE)).told()
    assert (told.is_well, told.advice, told.found) == (True, "", "out.example.org, and back")


def test_an_address_without_a_name_or_with_one_that_leads_elsewhere_is_told() -> None:
    nameless = address({}, certain(HERE))
    assert "Have whoever gave you the address" in ills(nameless)
    assert nameless.record == f"{REVERSE}. IN PTR mail.news.example.org."
    astray = address({REVERSE: {"PTR": ["out.example.org."]}}, certain(HERE))
    assert astray.record == f"out.example.org. IN A {HERE}"
    assert not astray.told().is_well
    six = address({}, certain("2001:db8::9"))
    assert six.record.startswith("9.0.0.0.")
    assert six.record.endswith("8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail.news.example.org.")


def test_a_guessed_address_is_never_an_error_and_a_private_one_is_not_asked_for() -> None:
    guess = address({}, guessed(HERE)).told()
    assert guess.is_well
    assert guess.advice.startswith("If mail leaves from it (else set sending_addresses), have")
    assert guess.record.endswith("PTR smtp.example.net.")
    assert "private network" in address({}, certain("192.168.1.2")).told().found


@pytest.mark.parametrize(
    ("mail_url", "zone", "expected"),
    [
        ("smtp://u:p@smtp.example.net:587", {"smtp.example.net": {"A": [HERE]}}, guessed(HERE)),
        ("smtp://smtp.example.net", {"smtp.example.net": {"A": ["10.0.0.1"]}}, guessed()),
        ("smtp://smtp.example.net", {}, guessed()),
        (f"smtps://{HERE}", {}, guessed(HERE, host="")),
        ("smtp://127.0.0.1", {}, guessed(host="")),
        ("smtp://mailpit:1025", {}, guessed(host="")),
        ("maildir:outbox", {}, guessed(host="")),
        ("https://api.example.net", {"api.example.net": {"A": [HERE]}}, guessed(host="")),
    ],
)
def test_where_mail_leaves_from_is_guessed_by_the_mail_server(
    mail_url: str, zone: Zone, expected: Sending
) -> None:
    settings = Settings(mail_url=mail_url)
    assert seen(zone, lambda dns: sending(settings, dns)) == expected


def test_addresses_that_are_set_are_certain() -> None:
    settings = Settings(mail_url="smtp://smtp.example.net", sending_addresses=(HERE,))
    found = seen({}, lambda dns: sending(settings, dns))
    assert found == dataclasses.replace(certain(HERE), host="smtp.example.net")
    assert found.addresses == (ip_address(HERE),)


def test_a_key_that_is_published_is_well() -> None:
    for ours in (rsa_key(selector="2026a"), ed25519_key(selector="2026a")):
        told = key(ours.record, ours=ours).told()
        assert (told.is_well, told.advice, told.record) == (True, "", "")
        assert told.found == f"{ours.kind}; the key that signs here"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([None], "as unsigned"),
        (["v=DKIM1; p="], "was taken back"),
        ([rsa_key(selector="other").record], "not the RSA-2048 key that signs here"),
        ([ed25519_key().record], "not the RSA-2048 key"),
        ([rsa_key().record[:200]], "cannot use it"),
        (["a", "b"], "leave only this"),
        (["v=DKIM1; k=rsa; h=sha1; " + rsa_key(selector="2026a").record[15:]], "leaves out sha256"),
    ],
)
def test_a_key_that_cannot_be_used_comes_with_the_record_to_write(
    texts: list[str | None], words: str
) -> None:
    told = key(texts[0], *filter(None, texts[1:]))
    assert words in ills(told)
    assert told.record.startswith("2026a._domainkey.example.org. IN TXT (")
    assert written(told) == rsa_key(selector="2026a").record


def test_a_key_under_test_or_too_short_is_worth_a_look() -> None:
    ours = rsa_key(selector="2026a")
    testing = key(f"{ours.record}; t=y").told()
    assert testing.is_well
    assert "take t=y out" in testing.advice
    assert testing.record
    short = rsa_key(1024, selector="2026a")
    told = key(short.record, ours=short).told()
    assert "2048 bits" in told.advice
    assert told.record == ""
