"""A newsletter of four topics that people sign up for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.consents import Consent, ConsentSource
from digest.domain.erasing import ErasureKeys
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import SignUp, SignUpOutcome, Wishes
from digest.domain.subscribers import Subscription
from digest.domain.topics import TopicSlug
from digest.intake.sign_ups.caps import Caps
from digest.intake.sign_ups.steps import take_in
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.letters import list_letters
from digest.store.sign_ups import put_sign_ups
from digest.store.subscribers import find_subscription
from tests.stored import CLIMATE, NOW, stored_newsletter

CAPS = Caps(
    per_address_day=1,
    per_address_month=0,
    per_network_hour=0,
    per_domain_hour=0,
    per_newsletter_hour=0,
    secret=b"of these tests",
)


KEYS = ErasureKeys((b"of these tests as well",))


@dataclass
class Door:
    """A newsletter, and those who sign up for it."""

    engine: Engine
    newsletter: Newsletter
    caps: Caps = CAPS

    def sign_up(
        self,
        email: str,
        *topics: TopicSlug,
        at: datetime = NOW,
        network: str = "192.0.2.7",
        is_trapped: bool = False,
        newsletter: Newsletter | None = None,
        name: str = "",
    ) -> None:
        sign_up = SignUp(
            (newsletter or self.newsletter).id,
            email,
            Wishes(frozenset(topics or (CLIMATE,)), language="de", name=name),
            ConsentSource.PAGE,
            "I want The Weekly by mail.",
            network,
            at,
            is_trapped,
        )
        with writing(self.engine) as session:
            put_sign_ups(session, [sign_up])

    def take_in(self, *, now: datetime = NOW) -> Counter[SignUpOutcome]:
        """Take in all that waits."""
        done: Counter[SignUpOutcome] = Counter()
        while page := take_in(self.engine, self.caps, erasure_keys=KEYS, now=now):
            done += page
        return done

    def capped(self, **caps: int) -> Door:
        """The same door with these caps alone."""
        none = dict.fromkeys(("per_address_day", "per_network_hour", "per_domain_hour"), 0)
        return replace(self, caps=replace(CAPS, **{**none, "per_newsletter_hour": 0, **caps}))

    def find(self, email: str, newsletter: Newsletter | None = None) -> Subscription | None:
        with reading(self.engine) as session:
            return find_subscription(session, (newsletter or self.newsletter).id, email)

    def get(self, email: str) -> Subscription:
        found = self.find(email)
        assert found
        return found

    def consents(self, email: str) -> tuple[Consent, ...]:
        with reading(self.engine) as session:
            return consents_of(session, self.newsletter.id, self.get(email).subscriber.id)

    @property
    def letters(self) -> list[tuple[str, LetterKind]]:
        with reading(self.engine) as session:
            return sorted((one.email, one.kind) for one in list_letters(session, limit=1_000))


@pytest.fixture
def door(engine: Engine) -> Door:
    return Door(engine, stored_newsletter(engine))


LATER = NOW + timedelta(hours=25)
"""A day after, when a cap counts anew."""
