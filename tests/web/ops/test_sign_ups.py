"""The ops page of sign-ups: what became of them, what waits, what holds until when, and nobody's address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from digest.domain.consents import ConsentSource
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, Wishes
from digest.pipeline.sign_up_days import sign_ups_of_days
from digest.pipeline.sign_ups import confirm_sign_up, keep_sign_ups, take_in_sign_ups
from digest.store.database import reading
from digest.store.subscribers import find_subscription
from digest.track.tokens import SubscriptionLink
from tests.samples import CLIMATE
from tests.web.ops.reading import read
from tests.web.site import Site
from tests.web.world import NOW

PAGE = "/ops/sign-ups"
ONE = NewsletterId(1)


def test_before_anybody_signed_up_it_says_so(ops: Site) -> None:
    told = read(ops, PAGE)
    assert "Its page takes sign-ups. Nobody signed up in these days." in told
    assert 'href="/ops/sign-ups" aria-current="page"' in ops.get(PAGE).text.replace(ops.url, "")


def test_it_counts_by_day_and_says_what_waits_and_until_when(
    open_site: Callable[..., Site], ops_database: Path
) -> None:
    site = open_site(ops_database, sign_ups_per_newsletter_hour=2)
    wishes = Wishes(frozenset({CLIMATE}))
    emails = [f"reader-{number}@new.example.org" for number in range(5)]
    keep_sign_ups(
        site.runtime, [SignUp(ONE, email, wishes, ConsentSource.PAGE, "", "", NOW) for email in emails]
    )
    take_in_sign_ups(site.runtime)
    with reading(site.runtime.engine) as session:
        found = find_subscription(session, ONE, emails[0])
    assert found
    confirm_sign_up(
        site.runtime, SubscriptionLink(ONE, found.subscriber.id), wording="", measuring="", network=""
    )
    (alone,) = sign_ups_of_days(site.runtime, "saturday")
    assert (alone.mailed, alone.most, alone.waiting) == (2, 2, 3)
    assert sign_ups_of_days(site.runtime) == (alone,)
    told = read(site, PAGE)
    assert "2 of 2 mails that an hour allows are used until 08:00 UTC. It is full" in told
    assert "3 sign-ups wait for a cap. The next are looked at after 08:00 UTC" in told
    assert "What came of them 23 Nov Mailed a link to confirm it 2 Confirmed 1" in told
    assert "Put off: over the cap for the newsletter an hour 3" in told
    assert "So a day's numbers do not add up to people." in told
    assert "new.example.org" not in told
