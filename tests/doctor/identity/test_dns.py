"""What is made of a name server's answers, and of there being none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from dns.asyncresolver import Resolver
from dns.resolver import NoResolverConfiguration

from digest.deliver import dns as asking
from digest.deliver.dns import Answer, Dns, reverse_name
from digest.domain.errors import Misconfigured, Unavailable
from tests.doctor.identity.asking import asked
from tests.servers.dns import DnsServer
from tests.servers.processes import free_port


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer({"example.org": {"TXT": ["one"], "MX": ["10 mx.example.org."]}}) as server:
        yield server


def test_strings_of_a_text_are_joined_and_texts_kept_apart(server: DnsServer) -> None:
    server.zone["example.org"] = {"TXT": [["v=spf1 ", "-all"], 'say "x\\y"', "übrig"]}
    assert sorted(asked(server, lambda dns: dns.texts("Example.ORG."))) == [
        'say "x\\y"',
        "v=spf1 -all",
        "übrig",
    ]


def test_a_name_without_the_kind_is_told_from_one_that_is_not_there(server: DnsServer) -> None:
    server.zone["a.b.example.org"] = {"TXT": ["deep"]}
    assert asked(server, lambda dns: dns.ask("example.org", "A")) == Answer(())
    assert asked(server, lambda dns: dns.ask("b.example.org", "TXT")) == Answer(())
    assert asked(server, lambda dns: dns.ask("none.example.org", "TXT")) == Answer((), exists=False)


@pytest.mark.parametrize("name", ["a" * 64 + ".example.org", "a..example.org", "x." * 130, ".", ""])
def test_a_name_that_no_zone_can_hold_is_not_there(server: DnsServer, name: str) -> None:
    assert asked(server, lambda dns: dns.ask(name, "TXT")).values == ()


def test_aliases_are_followed_and_one_that_leads_nowhere_holds_nothing(server: DnsServer) -> None:
    server.zone |= {
        "alias.example.org": {"CNAME": ["other.example.org."]},
        "other.example.org": {"CNAME": ["example.org."]},
        "lost.example.org": {"CNAME": ["none.example.org."]},
    }
    assert asked(server, lambda dns: dns.texts("alias.example.org")) == ("one",)
    assert asked(server, lambda dns: dns.ask("lost.example.org", "TXT")) == Answer((), exists=False)


def test_an_answer_too_long_for_udp_is_fetched_by_tcp(server: DnsServer) -> None:
    long = "v=DKIM1; p=" + "A" * 3000
    server.zone["key.example.org"] = {"TXT": [long]}
    assert asked(server, lambda dns: dns.texts("key.example.org")) == (long,)
    assert ("key.example.org", "TXT", True) in server.asked


def test_hosts_and_addresses_come_without_their_last_dot(server: DnsServer) -> None:
    address = ip_address("203.0.113.9")
    server.zone |= {
        "mx.example.org": {"A": ["203.0.113.9"], "AAAA": ["2001:db8::9"]},
        reverse_name(address): {"PTR": ["mx.example.org."]},
        "null.example.org": {"MX": ["0 ."]},
    }
    assert asked(server, lambda dns: dns.ask("example.org", "MX")).values == ("10 mx.example.org",)
    assert asked(server, lambda dns: dns.ask("null.example.org", "MX")).values == ("0 .",)
    assert asked(server, lambda dns: dns.addresses("mx.example.org")) == (
        address,
        ip_address("2001:db8::9"),
    )
    assert asked(server, lambda dns: dns.names_of(address)) == ("mx.example.org",)


def test_a_question_is_asked_once_however_many_want_to_know(server: DnsServer) -> None:
    async def both(dns: Dns) -> None:
        await asyncio.gather(dns.texts("example.org"), dns.texts("EXAMPLE.org."))
        await dns.texts("example.org")

    asked(server, both)
    assert server.asked == [("example.org", "TXT", False)]


@pytest.mark.parametrize(("trouble", "words"), [("failing", "SERVFAIL"), ("refused", "REFUSED")])
def test_a_server_that_fails_says_nothing_of_what_is_there(
    server: DnsServer, trouble: str, words: str
) -> None:
    getattr(server, trouble).add("example.org")
    with pytest.raises(Unavailable, match=f"example.org TXT: the name server answers {words}"):
        asked(server, lambda dns: dns.texts("example.org"))


def test_silence_is_given_up_and_so_is_everything_at_the_deadline(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS_EACH", 0.2)
    server.silent.add("example.org")
    with pytest.raises(Unavailable, match="no answer in time"):
        asked(server, lambda dns: dns.texts("example.org"))

    async def many(dns: Dns) -> list[object]:
        names = [f"{number}.example.org" for number in range(500)]
        server.silent.update(names)
        return await asyncio.gather(*(dns.texts(name) for name in names), return_exceptions=True)

    began = time.monotonic()
    answers = asked(server, many, seconds=0.5)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert time.monotonic() - began < 5
    assert "no time was left" in str(answers[-1])


def test_a_server_that_is_not_there_is_unavailable() -> None:
    async def ask() -> tuple[str, ...]:
        return await Dns(f"127.0.0.1:{free_port()}", seconds=1).texts("example.org")

    with pytest.raises(Unavailable, match=r"example\.org TXT"):
        asyncio.run(ask())


@pytest.mark.parametrize("server", ["dns.example.org", "127.0.0.1:x", "127.0.0.1:99999", "::1:53:", "/etc"])
def test_what_is_no_address_of_a_server_is_refused(server: str) -> None:
    with pytest.raises(Misconfigured, match=r"dns_resolver: '.*' is no address"):
        Dns(server, seconds=1)


@pytest.mark.parametrize("server", ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"])
def test_addresses_of_servers_are_read_with_and_without_port(server: str) -> None:
    Dns(server, seconds=1)


def test_a_system_without_a_name_server_says_which_setting_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(*_: object) -> None:
        raise NoResolverConfiguration

    monkeypatch.setattr(Resolver, "read_resolv_conf", unconfigured)
    with pytest.raises(Misconfigured, match="dns_resolver: this system names no server"):
        Dns("", seconds=1)
