"""What receivers make of SPF: followed over a real name server, computed as RFC 7208 has it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from digest.deliver.dns import reverse_name
from digest.doctor.identity.senders import Sending
from digest.doctor.identity.spf_check import look_at_spf
from digest.doctor.identity.spf_result import cost_of, result_for
from digest.doctor.identity.spf_tree import TERMS_MAX, Node, grow
from digest.doctor.identity.verdicts import Verdict
from tests.doctor.identity.asking import NOWHERE, asked, certain, guessed, ills, seen
from tests.servers.dns import DnsServer, Zone

HERE = "203.0.113.9"


def zone(record: str, **others: str) -> dict[str, dict[str, list[str]]]:
    """A zone of `example.org` with this record, and of one-word names under it with theirs."""
    texts = {f"{name}.example.org": {"TXT": [text]} for name, text in others.items()}
    return {"example.org": {"TXT": [record]}, **texts}


def tree(held: Zone) -> Node:
    return seen(held, lambda dns: grow(dns, "example.org"))


def look(held: Zone, from_where: Sending = NOWHERE) -> Verdict:
    return seen(held, lambda dns: look_at_spf(dns, "example.org", from_where))


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:203.0.113.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 ip4:198.51.100.0/24 ~all", "softfail"),
        ("v=spf1 ip6:2001:db8::/32 ?all", "neutral"),
        ("v=spf1", "neutral"),
        ("v=spf1 -ip4:203.0.113.9 +all", "fail"),
        ("v=spf1 a -all", "pass"),
        ("v=spf1 a:other.example.org -all", "fail"),
        ("v=spf1 a:other.example.org/24 -all", "pass"),
        ("v=spf1 mx -all", "pass"),
        ("v=spf1 exists:other.example.org -all", "pass"),
        ("v=spf1 exists:none.example.org -all", "fail"),
        ("v=spf1 include:in.example.org -all", "pass"),
        ("v=spf1 include:out.example.org ~all", "softfail"),
        ("v=spf1 -include:in.example.org +all", "fail"),
        ("v=spf1 include:none.example.org -all", "permerror"),
        ("v=spf1 include:broken.example.org -all", "permerror"),
        ("v=spf1 include:example.org -all", "permerror"),
        ("v=spf1 redirect=out.example.org", "fail"),
        ("v=spf1 redirect=none.example.org", "permerror"),
        ("v=spf1 redirect=in.example.org -all", "fail"),
        ("v=spf1 exists:%{i}.example.org -all", "unknown"),
        ("v=spf1 exists:%{i}.example.org a -all", "pass"),
        ("v=spf1 ptr ~all", "unknown"),
        ("v=spf1 foo -all", "permerror"),
    ],
)
def test_an_address_gets_the_result_that_receivers_give_it(record: str, result: str) -> None:
    held = zone(
        record, **{"in": "v=spf1 ip4:203.0.113.9 -all", "out": "v=spf1 -all", "broken": "v=spf1 ip4:x"}
    )
    held["example.org"] |= {"A": [HERE], "MX": ["10 mx.example.org."]}
    held |= {"mx.example.org": {"A": [HERE]}, "other.example.org": {"A": ["203.0.113.77"]}}
    assert result_for(tree(held), ip_address(HERE)) == result


def test_every_question_counts_also_those_of_what_is_included() -> None:
    held = zone(
        "v=spf1 a mx include:one.example.org exists:%{i}.x.example.org ptr redirect=two.example.org",
        one="v=spf1 a:none.example.org include:two.example.org -all",
        two="v=spf1 ip4:192.0.2.1 mx:none.example.org -all a:late.example.org",
    )
    cost = cost_of(tree(held))
    # a, mx, include, exists, ptr, redirect; in one: a, include; in two, reached twice: mx.
    assert cost.lookups == 6 + 2 + 2
    assert cost.voids == 5
    assert not cost.is_endless


def test_a_record_that_is_missing_is_written_from_the_addresses_that_are_known() -> None:
    for_certain = look({}, certain(HERE, "2001:db8::9"))
    assert ills(for_certain) == "Receivers cannot tell who may send for it"
    assert for_certain.record == 'example.org. IN TXT "v=spf1 ip4:203.0.113.9 ip6:2001:db8::9 ~all"'
    by_host = look({}, guessed())
    assert by_host.record == 'example.org. IN TXT "v=spf1 a:smtp.example.net ~all"'
    assert "include:" in ills(by_host)
    nothing_known = look({})
    assert "sending_addresses" in ills(nothing_known)
    assert nothing_known.record == ""


def test_two_records_are_none_and_one_is_made_of_them() -> None:
    held = zone("v=spf1 mx -all")
    held["example.org"]["TXT"].append("v=spf1 include:_spf.example.net ~all")
    told = look(held)
    assert told.found == ["2 SPF records, so receivers take none"]
    assert '"v=spf1' in told.record
    assert {"mx", "include:_spf.example.net"} < set(told.record.replace('"', "").split())
    assert told.record.endswith('~all"')


def test_a_good_record_is_well_and_tells_what_it_costs() -> None:
    told = look(zone("v=spf1 ip4:203.0.113.0/24 a:none.example.org -all"), certain(HERE)).told()
    assert (told.is_well, told.advice, told.record) == (True, "", "")
    assert told.found == (
        "v=spf1 ip4:203.0.113.0/24 a:none.example.org -all; 1 of 10 lookups; 203.0.113.9: pass"
    )


def test_an_address_that_does_not_pass_is_let_before_anything_is_asked() -> None:
    held = zone("v=spf1 include:in.example.org -all", **{"in": "v=spf1 -all"})
    told = look(held, certain(HERE))
    assert ills(told) == "Mail from 203.0.113.9 does not pass: let it"
    assert told.record == 'example.org. IN TXT "v=spf1 ip4:203.0.113.9 include:in.example.org -all"'
    guess = look(held, guessed(HERE)).told()
    assert guess.is_well
    assert "the address of smtp.example.net, would not pass" in guess.advice
    assert "sending_addresses" in guess.advice


def test_a_private_address_is_not_tried() -> None:
    told = look(zone("v=spf1 -all"), certain("10.1.2.3")).told()
    assert told.is_well
    assert "10.1.2.3" not in told.found + told.advice


@pytest.mark.parametrize(
    ("record", "is_well", "words"),
    [("mx +all", False, "lets everybody"), ("mx ?all", True, "in ?all"), ("mx", True, "without all")],
)
def test_an_ending_that_keeps_nobody_out_is_mended(record: str, is_well: bool, words: str) -> None:
    held = zone(f"v=spf1 {record}")
    held["example.org"]["MX"] = ["10 mx.example.org."]
    told = look(held).told()
    assert told.is_well is is_well
    assert words in told.advice
    assert told.record == 'example.org. IN TXT "v=spf1 mx ~all"'
    assert look(zone("v=spf1 redirect=to.example.org", to="v=spf1 -all")).told().advice == ""


def test_too_many_lookups_are_told_with_what_costs_most() -> None:
    many = " ".join(f"a:h{number}.example.org" for number in range(8))
    held = zone("v=spf1 mx include:big.example.org ~all", big=f"v=spf1 {many} ~all")
    held["example.org"]["MX"] = ["10 h1.example.org."]
    held |= {f"h{number}.example.org": {"A": ["192.0.2.1"]} for number in range(8)}
    assert look(held).told().is_well
    held["big.example.org"] = {"TXT": [f"v=spf1 {many} a:h1.example.org ~all"]}
    told = look(held)
    assert "11 of 10 lookups" in told.found
    assert "include:big.example.org takes 10, mx takes 1" in ills(told)


def test_names_that_hold_nothing_are_counted() -> None:
    voids = " ".join(f"a:h{number}.example.org" for number in range(3))
    assert "3 of its names hold nothing" in ills(look(zone(f"v=spf1 {voids} ~all")))
    assert look(zone("v=spf1 a:h1.example.org a:h2.example.org ~all")).told().is_well


def test_what_is_included_has_to_be_whole() -> None:
    told = look(zone("v=spf1 include:none.example.org include:bad.example.org ~all", bad="v=spf1 ip4:x ~all"))
    assert "none.example.org, which it includes, has no SPF record" in ills(told)
    assert "bad.example.org, which it includes, is broken: 'ip4:x'" in ills(told)
    assert "Receivers take none of it: 'ip4:x'" in ills(look(zone("v=spf1 ip4:x ~all")))


def test_a_circle_and_a_tree_without_end_are_left() -> None:
    circle = zone("v=spf1 include:one.example.org ~all", one="v=spf1 include:example.org ~all")
    assert "leads in a circle" in ills(look(circle))
    deep = {
        "example.org": {"TXT": ["v=spf1 include:0.example.org include:1.example.org ~all"]},
        **{
            f"{number}.example.org": {
                "TXT": [f"v=spf1 include:{2 * number + 2}.example.org include:{2 * number + 3}.example.org"]
            }
            for number in range(500)
        },
    }
    with DnsServer(deep) as server:
        told = asked(server, lambda dns: look_at_spf(dns, "example.org", NOWHERE))
        assert "far too deep" in ills(told)
        assert len(server.asked) <= TERMS_MAX + 1


def test_a_part_that_could_not_be_asked_for_is_no_error_and_decides_nothing() -> None:
    held = zone("v=spf1 include:away.example.org -all")
    with DnsServer(held) as server:
        server.failing.add("away.example.org")
        told = asked(server, lambda dns: look_at_spf(dns, "example.org", certain(HERE))).told()
    assert told.is_well
    assert "203.0.113.9: temperror" in told.found
    assert "Could not ask all it leads to (away.example.org TXT" in told.advice
    assert told.record == ""


def test_ten_mail_hosts_are_asked_for_and_no_more() -> None:
    held = zone("v=spf1 mx -all")
    held["example.org"]["MX"] = [f"10 h{number:02}.example.org." for number in range(12)]
    node = tree(held)
    assert cost_of(node).is_endless


def test_the_name_of_an_address_turned_round_is_what_ptr_stands_under() -> None:
    assert reverse_name(ip_address(HERE)) == "9.113.0.203.in-addr.arpa"
