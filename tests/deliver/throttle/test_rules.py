"""The rules by themselves: what ops may write, who is one receiver, and what answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from digest.deliver.dns import Dns
from digest.deliver.throttle.caps import USUAL_RAMP, WarmUp, read_caps, read_warm_up
from digest.deliver.throttle.groups import group_of_servers, registered_domain, require_group
from digest.deliver.throttle.lookups import look_up
from digest.deliver.throttle.slowing import Complaint, Tally, complaint_in, halved, rate_of, reduced_rate
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import InvalidInput
from digest.domain.rates import Rate, rate_in_words
from digest.store.receivers import Receiver
from digest.store.throttles import Capped, Scope
from tests.servers.dns import DnsServer

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_caps_are_on_everything_on_relays_and_on_groups() -> None:
    caps = read_caps(["100/s", "google: 20 / sec", "relay MX1.example.org: 5000/h", "example.org:3/min"])
    assert {(capped.scope, capped.name): str(rate) for capped, rate in caps.items()} == {
        ("all", ""): "100/s",
        ("group", "google"): "20/s",
        ("relay", "mx1.example.org"): "5000/h",
        ("group", "example.org"): "3/min",
    }
    assert read_caps(["relay:mx1.example.org: 1/h"]) == {Capped(Scope.RELAY, "mx1.example.org"): Rate(1, "h")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fast", "'fast' is no rate: write a number of mails and a unit"),
        ("0/s", "'0/s' would send nothing, ever"),
        ("-5/s", "is no rate"),
        ("1.5/s", "is no rate"),
        ("5/day", "is no rate"),
        ("٣/s", "is no rate"),
        ("gogle: 5/s", "'gogle' is no group of receivers: did you mean 'google'"),
        ("gmail.com: 5/s", "'gmail.com' is mailed together with others as 'google'"),
        ("everyone: 5/s", "name one of google, microsoft, yahoo, apple or a domain"),
        ("relay: 5/s", "names no relay"),
        ("10/s,all: 20/s", "everything has two rates"),
    ],
)
def test_what_is_no_cap_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_caps(text.split(","))


def test_rates_are_told_in_a_unit_that_fits() -> None:
    rates = (250, 12.34, 2.5, 0.05, 1 / 60, 0.0033)
    assert [rate_in_words(rate) for rate in rates] == ["250/s", "12/s", "2.5/s", "3/min", "1/min", "12/h"]


def test_a_warm_up_doubles_from_day_to_day_and_ends() -> None:
    warm_up = read_warm_up("2026-11-23")
    assert warm_up == WarmUp(date(2026, 11, 23), USUAL_RAMP)
    days = [warm_up.cap_on(date(2026, 11, 22) + timedelta(days=n)) for n in (0, 1, 2, 4, 13, 14)]
    assert days == [50, 50, 100, 1_000, 512_000, None]
    assert warm_up.days_for(1_000_000, today=date(2026, 11, 23), gone=0) == 13
    assert warm_up.days_for(51, today=date(2026, 11, 23), gone=20) == 2
    assert warm_up.days_for(0, today=date(2026, 11, 23), gone=0) == 0
    with pytest.raises(InvalidInput, match="no date"):
        read_warm_up("next week")


@pytest.mark.parametrize(
    ("servers", "group"),
    [
        ([(1, "aspmx.l.google.com."), (5, "alt1.aspmx.l.google.com.")], "google"),
        ([(1, "SMTP.GOOGLE.COM")], "google"),
        ([(0, "club-example.mail.protection.outlook.com")], "microsoft"),
        ([(0, "club-example.o-v1.mx.microsoft")], "microsoft"),
        ([(1, "mta7.am0.yahoodns.net")], "yahoo"),
        ([(10, "mx.hoster.example.net"), (20, "aspmx.l.google.com")], "example.net"),
        ([(10, "b.other.co.uk"), (10, "a.mail.other.co.uk")], "other.co.uk"),
        ([(10, "google.com.evil.example")], "evil.example"),
        ([(0, ".")], "club.example"),
        ([], "club.example"),
    ],
)
def test_a_domain_belongs_to_who_runs_its_first_mail_server(
    servers: list[tuple[int, str]], group: str
) -> None:
    assert group_of_servers("club.example", servers) == group


def test_names_of_groups_are_operators_and_domains() -> None:
    assert require_group(" Google ") == "google"
    assert require_group("club.example.org") == "club.example.org"
    assert registered_domain("localhost") == ""
    for name in ("", "two words.org", "http://x.org", "-.org", "x.1", "a" * 300 + ".org"):
        with pytest.raises(InvalidInput, match="is no group of receivers"):
            require_group(name)


@pytest.fixture(scope="module")
def dns_server() -> Iterator[DnsServer]:
    zone = {
        "club.club": {"MX": ["10 aspmx2.googlemail.com.", "5 aspmx.l.google.com."]},
        "none.club": {"MX": ["0 ."]},
        "bare.club": {"A": ["192.0.2.1"]},
    }
    with DnsServer(zone) as server:
        server.failing.add("away.club")
        yield server


def test_dns_tells_groups_and_where_it_says_nothing_a_domain_is_left_out(dns_server: DnsServer) -> None:
    domains = ["club.club", "none.club", "bare.club", "gone.club", "away.club", "reader.example.org", "x..y"]

    async def ask() -> dict[str, str]:
        return await look_up(Dns(dns_server.address, seconds=30), domains)

    found = asyncio.run(ask())
    assert found == {domain: domain for domain in domains if domain != "away.club"} | {"club.club": "google"}
    assert not any(name.endswith("example.org") for name, _, _ in dns_server.asked), "nobody's name"


@pytest.mark.parametrize(
    ("code", "text", "complaint"),
    [
        (421, "closing", Complaint.TOO_FAST),
        (451, "4.7.650 rate", Complaint.TOO_FAST),
        (451, "4.3.0 disk", None),
        (550, "5.7.26 unauthenticated", Complaint.UNWANTED),
        (554, "5.7.1 refused", Complaint.UNWANTED),
        (550, "5.1.1 unknown, was 5.7.1", None),
        (250, "4.7.1", None),
        (None, "5.7.1 from nobody", None),
    ],
)
def test_only_answers_about_us_are_complaints(
    code: int | None, text: str, complaint: Complaint | None
) -> None:
    state = DeliveryState.ACCEPTED if code == 250 else DeliveryState.PENDING
    assert complaint_in(Outcome(state, code, text)) is complaint


def test_a_share_of_answers_slows_down_or_pauses_and_single_ones_do_not() -> None:
    assert Tally(20, slowed=1).is_too_fast
    assert not Tally(21, slowed=1).is_too_fast
    assert Tally(20, refused=5).is_unwanted
    assert not Tally(4, refused=4).is_unwanted
    assert not Tally(21, refused=5).is_unwanted
    assert not Tally().is_too_fast


def test_a_halved_rate_is_won_back_by_a_tenth_a_minute() -> None:
    receiver = Receiver("google", halved_at=NOW, reduced=5.0, full=10.0)
    rates = [rate_of(receiver, Rate(10, "s"), now=NOW + timedelta(minutes=n)) for n in (0, 1, 3, 5, 60)]
    assert rates == pytest.approx([5, 6, 8, 10, 10])
    assert reduced_rate(receiver, now=NOW + timedelta(minutes=5)) is None
    assert rate_of(receiver, None, now=NOW + timedelta(minutes=9)) is None
    assert rate_of(receiver, Rate(4, "s"), now=NOW) == 4.0
    assert halved(0.001) == 1 / 60
