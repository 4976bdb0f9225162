"""What is read out of records, from tidy ones to hostile ones."""

from __future__ import annotations

import dns.rdata
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.doctor.identity.dkim import read_key
from digest.doctor.identity.dkim_check import judge_key
from digest.doctor.identity.dmarc import Walk, is_dmarc, read_dmarc, repaired
from digest.doctor.identity.dmarc_check import judge_record
from digest.doctor.identity.spf import is_spf, merged, read_spf, with_address, with_ending
from digest.doctor.identity.spf_check import judge_spf
from digest.doctor.identity.spf_tree import Found, Node
from digest.doctor.identity.tags import read_tags
from digest.doctor.identity.verdicts import Verdict
from digest.doctor.identity.zone import zone_line, zone_text
from tests.deliver.dkim.checking import ed25519_key, rsa_key
from tests.doctor.identity.asking import certain

HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text('vVspfSPF1=:;/.%{}+-~? aimxDMARCKDp0123456789\\"\x00\x1b\n,@!', max_size=300),
)


def test_tags_are_read_with_spaces_and_without_and_in_any_case() -> None:
    tags = read_tags(" v = DKIM1 ;K=rsa; t=y:s ; p=AB CD;")
    assert dict(tags.values) == {"v": "DKIM1", "k": "rsa", "t": "y:s", "p": "AB CD"}
    assert tags.problems == ()


def test_what_is_no_tag_or_there_twice_is_told_and_the_rest_counts() -> None:
    tags = read_tags("v=DMARC1;; p=none; p=reject; nonsense; 1x=2; rua=mailto:ü@x")
    assert dict(tags.values) == {"v": "DMARC1", "p": "none"}
    assert tags.problems == (
        "'' is no tag=value",
        "p= is there twice",
        "'nonsense' is no tag=value",
        "'1x=2' is no tag=value",
        "rua= holds a character that no record may hold",
    )


@pytest.mark.parametrize("text", ["v=spf1 -all", 'say "\\"', rsa_key().record, "x" * 2000, ""])
def test_lines_for_the_zone_fit_a_screen_and_say_what_was_meant(text: str) -> None:
    lines = zone_text("2026a._domainkey.news.example.org", text)
    assert max(map(len, lines.splitlines())) < 80
    origin = "$ORIGIN org.\n@ 60 IN SOA ns. root. 1 1 1 1 1\n@ 60 IN NS ns.\n$TTL 60\n"
    zone = dns.zone.from_text(origin + lines + "\n" + zone_line("x.org", "MX", "10 mx.x.org."))
    (record,) = zone.find_rdataset("2026a._domainkey.news.example", "TXT")
    assert b"".join(record.strings).decode() == text  # type: ignore[attr-defined]
    assert str(zone.find_rdataset("x", "MX")[0].exchange) in ("mx.x", "mx.x.org.")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("v=spf1", True),
        ("V=SPF1 -all", True),
        ("v=spf10 -all", False),
        ("v=spf1; -all", False),
        (" v=spf1", False),
        ("spf2.0/pra", False),
    ],
)
def test_spf_is_known_by_its_beginning(text: str, is_one: bool) -> None:
    assert is_spf(text) is is_one


def test_the_terms_of_a_record_are_read_in_their_order() -> None:
    record = read_spf(
        "v=spf1  a mx/24//64 -a:mail.example.org/28 ip4:192.0.2.0/24 ip6:2001:db8::/32 "
        "?exists:%{ir}.%{v}._spf.example.org include:_spf.example.net ptr exp=why.example.org x-y=%{d} ~all"
    )
    assert record.problems == ()
    assert [term.name for term in record.terms] == [
        *("a", "mx", "a", "ip4", "ip6", "exists", "include", "ptr", "all")
    ]
    mx, near = record.terms[1:3]
    assert (mx.prefixes, near.prefixes, near.qualifier) == ((24, 64), (28, 128), "-")
    assert record.terms[5].has_macros
    assert record.ending == "~"


def test_nothing_after_all_counts_and_redirect_only_without_it() -> None:
    record = read_spf("v=spf1 redirect=_spf.example.org -ALL include:late.example.org")
    assert [term.name for term in record.terms] == ["all"]
    assert [term.name for term in read_spf("v=spf1 redirect=_spf.example.org mx").terms] == ["mx", "redirect"]
    assert read_spf("v=spf1 redirect=a.example.org redirect=b.example.org").problems


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("ip:192.0.2.1", "may be meant for ip4 or ip6"),
        ("ipv4:192.0.2.1", "may be meant for ip4"),
        ("ip4:192.0.2.256", "names no IPv4 address"),
        ("ip4:2001:db8::1", "names no IPv4 address"),
        ("ip6:192.0.2.1", "names no IPv6 address"),
        ("ip4:192.0.2.0/33", "names no IPv4 address"),
        ("ip4", "names no IPv4 address"),
        ("include", "names no domain"),
        ("include:", "names no domain"),
        ("include:localhost", "names no domain"),
        ("include:192.0.2.1", "names no domain"),
        ("include:a.example.org/24", "takes no /"),
        ("exists:%{x}.example.org", "names no domain"),
        ("a:", "names no domain"),
        ("mx/33", "no length of a prefix"),
        ("a//129", "no length of a prefix"),
        ("a/x", "no term"),
        ("all:example.org", "takes nothing behind it"),
        ("-redirect=example.org", "has no sign"),
        ("redirect=", "names no domain"),
        ("spf.example.net", "no mechanism"),
        ("“-all”", "no term"),
        ("--all", "no term"),
    ],
)
def test_what_is_wrong_with_a_term_is_said(term: str, words: str) -> None:
    (problem,) = read_spf(f"v=spf1 {term} -all").problems
    assert words in problem


def test_records_are_mended_without_losing_a_term() -> None:
    record = read_spf("v=spf1 mx include:a.example.net +all")
    assert with_ending(record, "~all") == "v=spf1 mx include:a.example.net ~all"
    other = read_spf("v=spf1 mx ip4:192.0.2.1 -all")
    assert merged([record, other]) == "v=spf1 mx include:a.example.net ip4:192.0.2.1 ~all"
    assert merged([other, other]) == "v=spf1 mx ip4:192.0.2.1 -all"
    assert with_address("v=spf1", []) == "v=spf1"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("v=DMARC1; p=none", True),
        (" v = DMARC1;p=none", True),
        ("v=DMARC1", True),
        ("v=dmarc1; p=none", False),
        ("v=DMARC12; p=none", False),
        ("p=none; v=DMARC1", False),
    ],
)
def test_dmarc_is_known_by_its_beginning(text: str, is_one: bool) -> None:
    assert is_dmarc(text) is is_one


def test_a_whole_policy_is_read() -> None:
    record = read_dmarc(
        "v=DMARC1; P=Reject; sp=quarantine; np=none; t=y; psd=n; adkim=s; aspf=S; fo=1;"
        " rua=mailto:d@example.org,mailto:a%2Bb@example.net?x=y, https://example.org/r"
    )
    assert (record.policy, record.subdomains, record.nonexistent) == ("reject", "quarantine", "none")
    assert (record.is_test, record.psd, record.is_strict_dkim, record.is_strict_spf) == (
        True,
        "n",
        True,
        True,
    )
    assert record.rua == ("d@example.org", "a%2Bb@example.net")
    assert (record.problems, record.notes) == ((), ())
    assert record.policy_below(exists=True) == "quarantine"
    assert record.policy_below(exists=False) == "none"


def test_subdomains_fall_back_to_what_is_named() -> None:
    record = read_dmarc("v=DMARC1; p=reject")
    assert record.policy_below(exists=True) == record.policy_below(exists=False) == "reject"
    assert read_dmarc("v=DMARC1; p=none; sp=reject").policy_below(exists=False) == "reject"


@pytest.mark.parametrize("tags", ["p=rejct", "p=reject; sp=x", "p=reject; np=", "sp=reject"])
def test_a_policy_that_cannot_be_read_is_none_with_reports_and_nothing_without(tags: str) -> None:
    assert read_dmarc(f"v=DMARC1; {tags}; rua=mailto:d@example.org").policy == "none"
    alone = read_dmarc(f"v=DMARC1; {tags}")
    assert alone.policy is None
    assert alone.problems


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("t=yes", "t=yes is not one of y, n"),
        ("psd=x", "psd=x"),
        ("aspf=strict", "aspf=strict"),
        ("rua=d@example.org", "write mailto:d@example.org"),
        ("rua=mailto:", "no URI that reports can go to"),
        ("ruf=mailto:nobody", "ruf: 'mailto:nobody'"),
        ("rua=mailto:a b@example.org", "no URI"),
    ],
)
def test_what_receivers_pass_over_is_said(tags: str, words: str) -> None:
    (problem,) = read_dmarc(f"v=DMARC1; p=none; {tags}").problems
    assert words in problem


def test_a_record_is_repaired_from_what_could_be_read() -> None:
    broken = read_dmarc(
        "v=DMARC1;p=reject;sp=nne;pct=50;t=maybe;adkim=s;ruf=mailto:f@example.org;rua=mailto:d@example.org!10m,x"
    )
    assert repaired(broken) == (
        "v=DMARC1; p=reject; rua=mailto:d@example.org; ruf=mailto:f@example.org; adkim=s"
    )
    again = read_dmarc(repaired(broken))
    assert (again.policy, again.problems, again.notes) == ("reject", (), ())
    assert repaired(read_dmarc("v=DMARC1; psd=y"), reports_to="d@example.org") == (
        "v=DMARC1; p=none; rua=mailto:d@example.org"
    )


def test_a_published_key_is_known_for_ours() -> None:
    for key in (rsa_key(), ed25519_key()):
        published = read_key(key.record)
        assert published.is_of(key)
        assert published.kind == key.kind
        assert (published.problems, published.is_short) == ((), False)
    assert not read_key(rsa_key().record).is_of(ed25519_key())
    assert not read_key(rsa_key(1024).record).is_of(rsa_key())
    assert read_key(rsa_key(1024).record).is_short


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=DKIM1; k=rsa; p=MII", "no base64"),
        ("v=DKIM1; k=rsa; p=MIIB", "no RSA key"),
        ("v=DKIM1; k=ed25519; p=AAAA", "32 octets"),
        ("v=DKIM1; k=dsa; p=AAAA", "k=dsa"),
        ("v=DKIM1; k=rsa", "p=, the key, is missing"),
        ("k=rsa; v=DKIM1; p=AAAA", "does not stand first"),
        ("v=DKIM2; p=AAAA", "does not stand first"),
        ("v=DKIM1; h=sha1; p=AAAA", "leaves out sha256"),
        ("v=DKIM1; s=tlsrpt; p=AAAA", "keeps the key from mail"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(record: str, words: str) -> None:
    assert any(words in problem for problem in read_key(record).problems)


def test_a_revoked_key_and_one_under_test_are_known() -> None:
    assert read_key("v=DKIM1; p=").is_revoked
    assert read_key(f"{ed25519_key().record}; t=s:y").is_test


@given(HOSTILE)
def test_no_record_makes_a_reader_fail_and_what_is_repaired_can_be_read(text: str) -> None:
    assert len(read_tags(text).values) <= len(text)
    read_key(text)
    spf = read_spf(f"v=spf1 {text}")
    assert len(spf.terms) <= len(text) + 1
    assert with_ending(spf, "~all").endswith("~all")
    assert is_spf(merged([spf, spf]))
    record = read_dmarc(f"v=DMARC1; {text}")
    assert read_dmarc(repaired(record)).problems == ()
    zone_text("example.org", text)


@given(
    st.lists(HOSTILE, max_size=3), st.sampled_from(["", "include:example.net ", "redirect=example.net a "])
)
def test_no_record_makes_a_verdict_fail_or_break_a_line_of_what_is_shown(texts: list[str], more: str) -> None:
    below = Node("example.net", tuple(read_spf(f"v=spf1 {text}") for text in texts))
    record = read_spf(f"v=spf1 {more}{texts[0] if texts else ''}")
    found = {term: Found(node=below if "example.net" in term.text else None) for term in record.terms}
    spf = judge_spf(Node("example.org", (record,), found), certain("203.0.113.9", "2001:db8::9"))
    dmarc = Verdict("DMARC")
    policy = read_dmarc(f"v=DMARC1; {texts[0] if texts else ''}")
    judge_record(dmarc, policy, Walk("a.example.org", {"example.org": policy}), exists=True)
    for check in (spf.told(), judge_key(texts, rsa_key(), "example.org").told(), dmarc.told()):
        assert check.is_well or check.advice
        assert "\n" not in check.found + check.advice
        assert all(line[0] in " )" or line.split(" ")[1] == "IN" for line in check.record.splitlines())


@pytest.mark.parametrize("reader", [read_tags, read_key, read_spf, read_dmarc])
@pytest.mark.parametrize(
    "part", ["a" * 60_000, ";" * 60_000, "a=b;" * 15_000, "a:/" * 20_000, "%{d}" * 15_000]
)
def test_the_longest_records_are_read_in_no_time(reader: object, part: str) -> None:
    reader(f"v=spf1 include:{part}")  # type: ignore[operator]
