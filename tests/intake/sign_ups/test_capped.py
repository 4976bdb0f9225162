"""Sign-ups over a cap: whom a mailbox, network, domain or newsletter lets through, and who is asked later."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from digest.domain.sign_ups import SignUpOutcome
from digest.intake.sign_ups import steps
from digest.intake.sign_ups.caps import mailbox_of
from digest.store.database import reading, writing
from digest.store.erasing import take_reader_out
from digest.store.newsletters import change_newsletter
from digest.store.put_off_sign_ups import count_put_off
from digest.store.sign_ups import tallies_since
from tests.intake.sign_ups.conftest import Door
from tests.stored import CLIMATE, FOOD, NOW, SPACE, stored_newsletter
from tests.stores_searched import columns_that_hold

ADA, BEN = "ada@example.org", "ben@example.org"
ASKED = SignUpOutcome.ASKED


def test_ten_thousand_sign_ups_of_one_victim_cause_one_mail(door: Door) -> None:
    others = [stored_newsletter(door.engine, slug=f"other-{number}") for number in range(3)]
    spellings = ("victim@gmail.com", "VICTIM@gmail.com", "v.ictim@gmail.com", "victim+1@googlemail.com")
    for number in range(400):
        newsletter = (door.newsletter, *others)[number % 4]
        door.sign_up(
            spellings[number % len(spellings)], network=f"192.0.2.{number % 250}", newsletter=newsletter
        )
    done = door.take_in()
    assert (done[ASKED], done[SignUpOutcome.PER_ADDRESS]) == (1, 399)
    assert len(door.letters) == 1


def test_without_the_cap_there_would_be_as_many_mails_as_newsletters_and_spellings(door: Door) -> None:
    other = stored_newsletter(door.engine, slug="daily")
    naive = door.capped()
    for newsletter in (door.newsletter, other):
        for email in ("victim@example.org", "victim+1@example.org"):
            naive.sign_up(email, newsletter=newsletter)
    assert naive.take_in() == {ASKED: 4}
    assert len(naive.letters) == 4


@pytest.mark.parametrize(
    ("caps", "outcome"),
    [
        ({"per_network_hour": 2}, SignUpOutcome.PER_NETWORK),
        ({"per_domain_hour": 2}, SignUpOutcome.PER_DOMAIN),
        ({"per_newsletter_hour": 2}, SignUpOutcome.PER_NEWSLETTER),
    ],
)
def test_a_cap_lets_so_many_through_and_tells_ops_of_the_rest(
    caps: dict[str, int], outcome: SignUpOutcome, door: Door
) -> None:
    capped = door.capped(**caps)
    for number in range(5):
        capped.sign_up(f"reader-{number}@example.org", network="8.8.8.8")
    assert capped.take_in() == {ASKED: 2, outcome: 3}
    assert [email for email, _ in capped.letters] == ["reader-0@example.org", "reader-1@example.org"]
    assert capped.find("reader-4@example.org") is None
    with reading(door.engine) as session:
        tallies = tallies_since(session, NOW - timedelta(hours=1))
    assert tallies == {(door.newsletter.id, NOW): {ASKED: 2, outcome: 3}}
    capped.sign_up("late@example.org", network="8.8.8.8")
    assert capped.take_in(now=NOW + timedelta(minutes=59)) == {outcome: 1}
    if outcome is SignUpOutcome.PER_NETWORK:
        capped.sign_up("later@example.org", network="8.8.8.8")
        assert capped.take_in(now=NOW + timedelta(minutes=61)) == {ASKED: 1}


def waiting(door: Door) -> int:
    with reading(door.engine) as session:
        return sum(count for count, _ in count_put_off(session).values())


@pytest.mark.parametrize("cap", ["per_domain_hour", "per_newsletter_hour"])
def test_a_rush_is_asked_later_as_the_cap_allows_who_came_first_first(cap: str, door: Door) -> None:
    capped = door.capped(per_address_day=1, **{cap: 2})
    for number in range(5):
        capped.sign_up(f"reader-{number}@example.org", CLIMATE if number else SPACE)
    assert capped.take_in()[ASKED] == 2
    assert capped.take_in(now=NOW + timedelta(minutes=59)) == {}
    capped.sign_up("late@example.org", at=NOW + timedelta(minutes=61))
    assert capped.take_in(now=NOW + timedelta(minutes=61))[ASKED] == 2
    assert waiting(door) == 2
    assert [email for email, _ in capped.letters] == [f"reader-{number}@example.org" for number in range(4)]
    assert capped.take_in(now=NOW + timedelta(minutes=123)) == {ASKED: 2}
    assert waiting(door) == 0
    with reading(door.engine) as session:
        counts = tallies_since(session, NOW - timedelta(hours=1)).values()
    assert sum(count for of_hour in counts for count in of_hour.values()) == 6 + 4, "each was put off once"


def test_a_network_of_many_people_that_was_put_off_for_hours_is_asked_in_full(door: Door) -> None:
    full = door.capped(per_newsletter_hour=1, per_network_hour=2)
    full.sign_up("first@example.org", network="1.1.1.1")
    assert full.take_in() == {ASKED: 1}
    for number in range(6):
        now = NOW + timedelta(minutes=50 + 65 * (number // 2))
        full.sign_up("other@example.org", at=now, network="9.9.9.9")
        full.sign_up(f"student-{number}@example.org", at=now, network="8.8.8.8")
        assert full.take_in(now=now)[SignUpOutcome.PER_NETWORK] == 0
    mailed = {email for email, _ in door.letters}
    later = NOW + timedelta(hours=5)
    done = door.capped(per_newsletter_hour=100, per_network_hour=2).take_in(now=later)
    assert done[SignUpOutcome.PER_NETWORK] == 0
    assert waiting(door) == 0
    students = {f"student-{number}@example.org" for number in range(6)}
    assert students - mailed, "some had to wait"
    assert students <= {email for email, _ in door.letters}


def test_in_a_rush_one_network_takes_no_more_places_than_mails_it_may_cause(door: Door) -> None:
    capped = door.capped(per_newsletter_hour=1, per_network_hour=2)
    capped.sign_up("first@example.org", network="1.1.1.1")
    for number in range(9):
        capped.sign_up(f"reader-{number}@example.org", network="8.8.8.8")
    capped.sign_up("another@example.org", network="9.9.9.9")
    assert capped.take_in() == {
        ASKED: 1,
        SignUpOutcome.PER_NEWSLETTER: 3,
        SignUpOutcome.PER_NETWORK: 7,
    }
    assert waiting(door) == 3


def test_one_victim_of_a_rush_is_mailed_once_however_often_they_were_put_off(door: Door) -> None:
    capped = door.capped(per_address_day=1, per_domain_hour=1)
    capped.sign_up("other@gmail.com")
    for number in range(300):
        capped.sign_up(f"v.ictim+{number}@gmail.com", (CLIMATE, FOOD)[number % 2])
    capped.take_in()
    assert waiting(door) == 1, "a mailbox waits once"
    for hour in range(2, 60):
        capped.take_in(now=NOW + timedelta(hours=hour))
    victims = [email for email, _ in capped.letters if email.startswith("v.ictim")]
    assert victims == ["v.ictim+299@gmail.com"], "with what was asked for last"
    assert waiting(door) == 0


def test_who_waited_too_long_or_for_a_page_that_was_closed_is_given_up(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    capped = door.capped(per_newsletter_hour=1)
    for name in "abc":
        capped.sign_up(f"{name}@example.org")
    capped.take_in()
    with writing(door.engine) as session:
        change_newsletter(session, door.newsletter.id, sign_up=False)
    done = capped.take_in(now=NOW + timedelta(hours=2))
    assert done == {SignUpOutcome.GIVEN_UP: 2}
    with writing(door.engine) as session:
        change_newsletter(session, door.newsletter.id, sign_up=True)
    for name in "def":
        capped.sign_up(f"{name}@example.org")
    later = NOW + timedelta(hours=3)
    assert capped.take_in(now=later)[ASKED] == 1
    assert capped.take_in(now=later + timedelta(hours=49)) == {SignUpOutcome.GIVEN_UP: 2}
    monkeypatch.setattr(steps, "PUT_OFF_MOST", 1)
    last = later + timedelta(hours=60)
    for name in "ghi":
        capped.sign_up(f"{name}@example.org")
    assert capped.take_in(now=last) == {
        ASKED: 1,
        SignUpOutcome.PER_NEWSLETTER: 1,
        SignUpOutcome.GIVEN_UP: 1,
    }


def test_what_waits_for_a_cap_is_erased_with_its_address(door: Door) -> None:
    capped = door.capped(per_newsletter_hour=1)
    for email in (BEN, ADA):
        capped.sign_up(email)
    capped.take_in()
    assert waiting(door) == 1
    with writing(door.engine) as session:
        take_reader_out(session, ADA)
    assert columns_that_hold(door.engine, ADA) == []


def test_a_mailbox_that_never_confirms_is_asked_three_times_in_a_month(door: Door) -> None:
    capped = door.capped(per_address_day=1, per_address_month=3)
    done: Counter[SignUpOutcome] = Counter()
    for day in range(29):
        capped.sign_up(f"ada+{day}@example.org")
        done += capped.take_in(now=NOW + timedelta(days=day, hours=day))
    assert done == {ASKED: 3, SignUpOutcome.PER_MONTH: 26}
    capped.sign_up(ADA)
    assert capped.take_in(now=NOW + timedelta(days=31)) == {ASKED: 1}


def test_a_customer_of_ipv6_is_one_network_and_nobodys_address_none(door: Door) -> None:
    capped = door.capped(per_network_hour=1)
    for number, network in enumerate(("2600:1::1", "2600:1::2", "2600:1:0:1::1", "", "10.0.0.1", "10.0.0.1")):
        capped.sign_up(f"reader-{number}@example.org", network=network)
    assert capped.take_in() == {ASKED: 5, SignUpOutcome.PER_NETWORK: 1}


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("Ada@Example.org", "ada@example.org"),
        ("ada+news@example.org", "ada@example.org"),
        ("+news@example.org", "+news@example.org"),
        ("a.d.a@gmail.com", "ada@gmail.com"),
        ("a.d.a+x@googlemail.com", "ada@gmail.com"),
        ("a.d.a@example.org", "a.d.a@example.org"),
    ],
)
def test_what_reaches_one_mailbox_counts_as_one(email: str, mailbox: str) -> None:
    assert mailbox_of(email) == mailbox
