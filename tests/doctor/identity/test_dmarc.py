"""Which DMARC record holds, and whose domains are one organisation's (RFC 9989 §4.10, with its examples)."""

from __future__ import annotations

import pytest

from digest.deliver.dns import Dns
from digest.doctor.identity.dmarc import Walk, are_aligned, names_walked, read_dmarc
from digest.doctor.identity.dmarc_check import look_at_alignment, look_at_dmarc, walk_from
from digest.doctor.identity.senders import Identity
from digest.doctor.identity.verdicts import Verdict
from digest.domain.errors import Unavailable
from tests.doctor.identity.asking import asked, ills, seen
from tests.servers.dns import DnsServer, Zone

RUA = "rua=mailto:dmarc@example.org"


def walk(domain: str, **records: str) -> Walk:
    """A walk that found these records; `__` stands for a dot."""
    return Walk(
        domain, {name.replace("__", "."): read_dmarc(f"v=DMARC1; {text}") for name, text in records.items()}
    )


def policies(**records: str) -> dict[str, dict[str, list[str]]]:
    return {f"_dmarc.{name.replace('__', '.')}": {"TXT": [text]} for name, text in records.items()}


def look(zone: Zone, domain: str = "news.example.org", ops: str = "") -> Verdict:
    return seen(zone, lambda dns: look_at_dmarc(dns, domain, ops))


def test_a_walk_asks_eight_names_at_most() -> None:
    assert names_walked("a.Mail.example.com.") == (
        *("a.mail.example.com", "mail.example.com", "example.com", "com"),
    )
    assert names_walked("com") == ("com",)
    assert names_walked("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        *("g.h.i.j.mail.example.com", "h.i.j.mail.example.com", "i.j.mail.example.com"),
        *("j.mail.example.com", "mail.example.com", "example.com", "com"),
    )
    assert len(names_walked("a.b.c.d.e.f.example.com")) == 8
    assert names_walked("a.b.c.d.e.f.example.com")[1] == "b.c.d.e.f.example.com"


@pytest.mark.parametrize(
    ("records", "organisation"),
    [
        ({"mail__example__com": "p=none", "example__com": "p=none"}, "example.com"),
        ({"mail__example__com": "p=none; psd=n", "example__com": "p=none"}, "mail.example.com"),
        ({"com": "p=none; psd=y"}, "example.com"),
        ({"mail__example__com": "p=none", "com": "p=none; psd=y"}, "example.com"),
        ({"example__com": "p=none; psd=y"}, "mail.example.com"),
        ({"a__mail__example__com": "p=none; psd=y", "example__com": "p=none"}, "a.mail.example.com"),
        ({"a__mail__example__com": "p=none"}, "a.mail.example.com"),
        ({}, "a.mail.example.com"),
    ],
)
def test_the_organisation_is_what_the_records_on_the_way_up_say(
    records: dict[str, str], organisation: str
) -> None:
    assert walk("a.mail.example.com", **records).organisation == organisation


def test_a_record_of_its_own_goes_before_the_organisations_and_that_before_a_registrys() -> None:
    assert walk("a.example.com", a__example__com="p=none", example__com="p=reject").source == "a.example.com"
    assert walk("a.example.com", example__com="p=none", com="p=reject; psd=y").source == "example.com"
    assert walk("a.example.com", com="p=reject; psd=y").source == "com"
    assert walk("a.example.com").source == ""


def test_alignment_is_by_organisation_unless_it_is_to_be_exact() -> None:
    author = walk("news.example.com", example__com="p=none")
    below = walk("b.example.com", example__com="p=none")
    elsewhere = walk("example.net", example__net="p=none")
    assert are_aligned(author, below, is_strict=False)
    assert not are_aligned(author, below, is_strict=True)
    assert are_aligned(author, author, is_strict=True)
    assert not are_aligned(author, elsewhere, is_strict=False)
    assert not are_aligned(walk("a.example.com"), walk("b.example.com"), is_strict=False)


def test_records_that_are_several_count_for_none() -> None:
    held = policies(example__org=f"v=DMARC1; p=none; {RUA}")
    held["_dmarc.news.example.org"] = {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none", "other"]}
    walked = seen(held, lambda dns: walk_from(dns, "news.example.org"))
    assert walked.walk.source == "example.org"
    assert walked.several == ("news.example.org",)
    assert "_dmarc.news.example.org has several records" in ills(look(held))


def test_a_policy_that_is_well_is_told_as_it_holds_for_the_sender() -> None:
    held = {**policies(example__org=f"v=DMARC1; p=reject; sp=quarantine; t=y; {RUA}"), "news.example.org": {}}
    told = look(held).told()
    assert (told.is_well, told.advice, told.record) == (True, "", "")
    assert told.found == (
        f"_dmarc.example.org: v=DMARC1; p=reject; sp=quarantine; t=y; {RUA}; p=quarantine for "
        "news.example.org; test mode (t=y): one step milder than it says"
    )
    gone = policies(example__org=f"v=DMARC1; p=none; sp=none; np=reject; {RUA}")
    assert "p=reject for news.example.org" in look(gone).found


@pytest.mark.parametrize(
    ("ops", "reports_to"),
    [
        ("", "postmaster@news.example.org"),
        ("ops@news.example.org", "ops@news.example.org"),
        ("ops@example.org", "ops@example.org"),
        ("ops@example.net", "postmaster@news.example.org"),
        ("o,p!s+x@example.org", "o%2Cp%21s+x@example.org"),
    ],
)
def test_a_record_that_is_missing_is_written_with_reports_to_the_senders_own(
    ops: str, reports_to: str
) -> None:
    told = look({}, ops=ops).told()
    assert not told.is_well
    assert told.found == "no DMARC record"
    written = "".join(told.record.split('"')[1::2])
    assert told.record.startswith("_dmarc.news.example.org. IN TXT")
    assert written == f"v=DMARC1; p=none; rua=mailto:{reports_to}"


@pytest.mark.parametrize(
    ("record", "is_well", "words", "written"),
    [
        ("p=rejct", False, "pass it over", "v=DMARC1; p=none; rua=mailto:postmaster@example.org"),
        ("p=reject; t=x; " + RUA, False, "t=x is not one of", f"v=DMARC1; p=reject; {RUA}"),
        ("p=reject; psd=y; " + RUA, False, "for registries", f"v=DMARC1; p=reject; {RUA}"),
        ("p=none", True, "Nobody gets reports", "v=DMARC1; p=none; rua=mailto:postmaster@example.org"),
        ("p=none; pct=10; " + RUA, True, "pct= is no longer part", f"v=DMARC1; p=none; {RUA}"),
        (f"p=none; {RUA}!10m", True, "a size behind", f"v=DMARC1; p=none; {RUA}"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_and_mended(
    record: str, is_well: bool, words: str, written: str
) -> None:
    told = look(policies(example__org=f"v=DMARC1; {record}"), "example.org").told()
    assert told.is_well is is_well
    assert words in told.advice
    assert "".join(told.record.split('"')[1::2]) == written


def test_reports_to_another_organisation_need_its_consent() -> None:
    held = policies(
        example__org="v=DMARC1; p=none; rua=mailto:a@sub.example.org,mailto:b@reports.example.net"
    )
    told = look(held, "example.org")
    assert told.record == 'example.org._report._dmarc.reports.example.net. IN TXT "v=DMARC1"'
    assert "Reports to reports.example.net are not sent" in told.told().advice
    held["example.org._report._dmarc.reports.example.net"] = {"TXT": ["v=DMARC1"]}
    assert look(held, "example.org").told().advice == ""


def test_a_walk_that_could_not_be_asked_for_is_not_taken_for_one_without_records() -> None:
    with DnsServer() as server:
        server.failing.add("_dmarc.org")
        with pytest.raises(Unavailable, match=r"_dmarc\.org TXT: the name server answers SERVFAIL"):
            asked(server, lambda dns: look_at_dmarc(dns, "example.org", ""))


@pytest.mark.parametrize(
    ("bounces", "signer", "signs", "tags", "is_well", "advice"),
    [
        ("b.example.org", "example.org", True, "", True, ""),
        ("b.example.org", "example.org", False, "", True, ""),
        ("bounces.example.net", "example.org", True, "", True, "DMARC rests on the signature alone"),
        ("bounces.example.net", "", False, "", True, "DMARC rests on the mail server's signature alone"),
        ("b.example.org", "example.net", True, "", True, "DMARC rests on SPF alone"),
        ("bounces.example.net", "example.net", True, "", False, "No mail passes DMARC"),
        ("b.example.org", "example.org", True, "aspf=s; adkim=s", False, "No mail passes DMARC"),
        ("news.example.org", "news.example.org", True, "aspf=s; adkim=s", True, ""),
    ],
)
def test_return_path_and_signature_have_to_be_the_senders(
    bounces: str, signer: str, signs: bool, tags: str, is_well: bool, advice: str
) -> None:
    held = policies(example__org=f"v=DMARC1; p=reject; {tags}", example__net="v=DMARC1; p=none")
    identity = Identity("news.example.org", bounces, signer or "news.example.org")

    async def check(dns: Dns) -> Verdict:
        return await look_at_alignment(dns, identity, signs=signs)

    told = seen(held, check).told()
    assert told.is_well is is_well
    assert told.advice.startswith(advice)
    assert bool(told.advice) == bool(advice)
