"""`digest doctor` on senders: what DNS says of them, shown, copied, and not known while DNS is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import dns.zone
import pytest

from tests.cli.conftest import WRONG, Answer, Digest, change_settings
from tests.deliver.dkim.checking import ed25519_key, pem, rsa_key
from tests.servers.dns import DnsServer
from tests.servers.processes import free_port
from tests.waiting import PATIENCE

HERE = "203.0.113.9"
REVERSE = "9.113.0.203.in-addr.arpa"
KEYS = {"2026a": rsa_key(selector="2026a"), "2026e": ed25519_key("2026e")}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", PATIENCE)  # a busy machine is not an ailing one


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """The DNS of a sender at example.org for whom all is well."""
    zone = {
        "example.org": {"TXT": [f"v=spf1 ip4:{HERE} -all"], "MX": ["10 mx.example.org."]},
        "mx.example.org": {"A": [HERE]},
        "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org"]},
        REVERSE: {"PTR": ["mx.example.org."]},
        **{f"{key.selector}._domainkey.example.org": {"TXT": [key.record]} for key in KEYS.values()},
    }
    with DnsServer(zone) as server:
        yield server


def set_up(folder: Path, server: DnsServer, **more: object) -> None:
    settings = {
        "dns_resolver": server.address,
        "sending_addresses": [HERE],
        "dkim_keys": [f"{selector}={pem(key)}" for selector, key in KEYS.items()],
        "ops_email": "ops@example.org",
        "mail_url": f"smtp://127.0.0.1:{free_port()}",
        "public_url": f"http://127.0.0.1:{free_port()}",
        **more,
    }
    change_settings(folder, **settings)


def by_what(answer: Answer) -> dict[str, dict[str, object]]:
    return {check["what"]: check for check in answer.json}


def test_one_sender_is_looked_up_alone_before_there_is_a_newsletter(
    home: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(home, server)
    found = by_what(digest("doctor", "--sender", "news@example.org", "--json").well())
    assert list(found) == [
        *("SPF of example.org", "DKIM 2026a of example.org", "DKIM 2026e of example.org"),
        *("DMARC of example.org", "alignment of example.org", "bounces to example.org"),
        *(f"address {HERE}", "one-click unsubscribe"),
    ]
    del found["one-click unsubscribe"]  # it is not served here, which at home is no error
    assert {(check["is_well"], check["advice"], check["record"]) for check in found.values()} == {
        (True, "", "")
    }


def test_every_senders_domain_of_the_newsletters_is_looked_up_once(
    weekly: Path, digest: Digest, server: DnsServer
) -> None:
    for slug, sender in (("second", "b@example.org"), ("third", "c@news.example.net")):
        postal = ("--postal-address", "1 Quay Street")
        digest("newsletter", "add", slug, "--name", slug, "--from", sender, *postal).well()
    set_up(weekly, server)
    answer = digest("doctor", "--json")
    assert answer.code == 1
    names = [check["what"] for check in answer.json]
    assert names.count("SPF of example.org") == names.count("SPF of news.example.net") == 1
    found = by_what(answer)
    assert found["DMARC of example.org"]["is_well"]
    assert not found["DMARC of news.example.net"]["is_well"]
    assert names.index("disk") < names.index("SPF of example.org")


def test_where_nothing_is_mailed_nothing_is_looked_up_unless_it_is_asked_for(
    weekly: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(weekly, server, mail_url="maildir:outbox")
    assert not any("DMARC" in check["what"] for check in digest("doctor", "--json").well().json)
    assert server.asked == []
    digest("doctor", "--sender", "news@example.org").well()
    assert server.asked


def test_return_path_and_signature_are_looked_up_where_they_are(
    home: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(home, server, return_path="bounces+*@b.example.org", dkim_domain="example.org")
    found = by_what(digest("doctor", "--sender", "news@bücher.example.org", "--json"))
    assert {"SPF of b.example.org", "bounces to b.example.org", "DKIM 2026a of example.org"} < set(found)
    assert "DMARC of xn--bcher-kva.example.org" in found
    assert found["alignment of xn--bcher-kva.example.org"]["is_well"]


def test_what_is_to_be_written_can_be_copied_into_a_zone_and_is_then_well(
    home: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(home, server, dns_resolver="")
    server.zone.clear()
    change_settings(home, dns_resolver=server.address)
    told = digest("doctor", "--sender", "news@example.org", "--json")
    assert told.code == 1
    records = "\n".join(check["record"] for check in told.json if check["record"])
    head = "$ORIGIN .\n@ 60 IN SOA ns. root. 1 1 1 1 1\n@ 60 IN NS ns.\n$TTL 60\n"
    zone = dns.zone.from_text(head + records + f"\nmail.example.org. IN A {HERE}\n", origin=".")
    for kind in ("TXT", "MX", "PTR", "A"):
        for node, rdataset in zone.iterate_rdatasets(kind):
            name, (value,) = node.to_text(), rdataset
            strings = [string.decode() for string in getattr(value, "strings", ())]
            written = [strings] if strings else [_absolute(value.to_text())]
            server.zone[name] = {**server.zone.get(name, {}), kind: written}
    found = by_what(digest("doctor", "--sender", "news@example.org", "--json").well())
    assert [what for what, check in found.items() if check["advice"]] == ["one-click unsubscribe"]


def _absolute(text: str) -> str:
    return text if text[-1].isdigit() else f"{text.rstrip('.')}."


def test_records_are_shown_in_lines_that_fit_a_terminal(
    home: Path, digest: Digest, server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(home, server)
    del server.zone["2026a._domainkey.example.org"]
    monkeypatch.setenv("COLUMNS", "80")
    told = digest("doctor", "--sender", "news@example.org")
    assert told.code == 1
    table, _, rest = told.out.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    _, _, record = rest.partition("In DNS:\n")
    lines = record.partition(")")[0].splitlines()
    assert lines[0] == "2026a._domainkey.example.org. IN TXT ("
    assert max(map(len, lines)) < 80
    assert "".join(line.strip().strip('"') for line in lines[1:]) == KEYS["2026a"].record


def test_dns_that_is_away_is_not_known_instead_of_wrong(
    home: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(home, server)
    server.failing.update(["example.org", "_dmarc.example.org", "2026a._domainkey.example.org", REVERSE])
    found = by_what(digest("doctor", "--sender", "news@example.org", "--json").well())
    unknown = [what for what, check in found.items() if str(check["found"]).startswith("could not ask")]
    assert unknown == [
        *("SPF of example.org", "DKIM 2026a of example.org", "DMARC of example.org"),
        *("alignment of example.org", "bounces to example.org", f"address {HERE}"),
    ]
    assert all("Nothing is known of it" in str(found[what]["advice"]) for what in unknown)


def test_a_name_server_that_never_answers_costs_seconds_and_no_more(
    home: Path, digest: Digest, server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(home, server)
    server.silent.update(["example.org", "_dmarc.example.org", "_dmarc.org", "org", REVERSE])
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", 5.0)
    began = time.monotonic()
    digest("doctor", "--sender", "news@example.org", "--json").well()
    assert time.monotonic() - began < 10


def test_nothing_set_leaves_the_mail_server_to_sign_and_the_addresses_unknown(
    home: Path, digest: Digest, server: DnsServer
) -> None:
    set_up(home, server, dkim_keys=[], sending_addresses=[])
    found = by_what(digest("doctor", "--sender", "news@example.org", "--json").well())
    assert "the mail server has to sign" in str(found["DKIM of example.org"]["found"])
    assert "dkim=pass" in str(found["DKIM of example.org"]["advice"])
    assert "Set sending_addresses" in str(found["sending addresses"]["advice"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dns_resolver": "dns.example.org"}, "dns_resolver: 'dns.example.org' is no address"),
        ({"return_path": "bounces@ö ö"}, "return_path: 'ö ö' is not the name of a domain"),
        ({"dkim_keys": ["a=none.pem"]}, "'none.pem' cannot be read"),
    ],
)
def test_settings_that_leave_nothing_to_ask_are_named(
    home: Path, digest: Digest, server: DnsServer, settings: dict[str, object], words: str
) -> None:
    set_up(home, server, **settings)
    answer = digest("doctor", "--sender", "news@example.org", "--json")
    assert answer.code == 1
    (check,) = answer.json
    assert not check["is_well"]
    assert words in check["advice"]


def test_what_is_no_address_is_refused(home: Path, digest: Digest) -> None:
    digest("doctor", "--sender", "example.org").refused(WRONG, "'example.org' is not an e-mail address")
    change_settings(home, sending_addresses=["mail.example.org"])
    digest("doctor", "--sender", "news@example.org").refused(
        WRONG, "sending_addresses: 'mail.example.org' is no IP address"
    )
