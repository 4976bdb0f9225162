"""An issue on its way to some readers, and what a test makes happen to its mails."""

from __future__ import annotations

import email
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email import policy
from pathlib import Path

from sqlalchemy import Engine

from digest.address.steps import Addressed, address_issue
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.bounces import record_refusals
from digest.store.claims import arm_deliveries, claim_deliveries, reap_leases, settle_deliveries
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from tests.pipeline.press import Clock
from tests.stored import CLIMATE, approved_issue, states, stored_crowd, stored_newsletter

OWNER = "host:7:0:abcd"
ACCEPTED = Outcome(DeliveryState.ACCEPTED, 250, "2.0.0 ok")
REFUSED = Outcome(DeliveryState.FAILED, 554, "5.6.0 no")
GONE = Outcome(DeliveryState.FAILED, 550, "5.1.1 no such user")
UNANSWERED = Outcome(DeliveryState.UNKNOWN, None, "the connection broke")


@dataclass
class Controlled:
    """An approved issue of `readers` readers, `r0@example.org` and so on; `address` begins its send."""

    runtime: Runtime
    newsletter: Newsletter
    issue: Issue

    @classmethod
    def stored(cls, engine: Engine, folder: Path, *, readers: int = 4, **settings: object) -> Controlled:
        given: dict[str, object] = {
            "database_url": engine.url.render_as_string(hide_password=False),
            "secret_key": "a key for tests that is long enough to be one",
            "mail_url": f"maildir://{folder / 'outbox'}",
            "state_dir": str(folder / "state"),
            **settings,
        }
        runtime = Runtime(Settings(**given), Clock())  # type: ignore[arg-type]
        newsletter = stored_newsletter(engine)
        stored_crowd(engine, newsletter, [f"r{number}@example.org" for number in range(readers)], CLIMATE)
        return cls(runtime, newsletter, approved_issue(engine, newsletter))

    @property
    def engine(self) -> Engine:
        return self.runtime.engine

    @property
    def clock(self) -> Clock:
        assert isinstance(self.runtime.clock, Clock)
        return self.runtime.clock

    @property
    def now(self) -> Issue:
        with reading(self.engine) as session:
            return get_issue(session, self.issue.id)

    @property
    def states(self) -> dict[DeliveryState, int]:
        return states(self.engine, self.issue)

    def address(self, issue: Issue | None = None) -> Addressed:
        return address_issue(self.engine, (issue or self.issue).id, now=self.clock())

    def claim(self, limit: int = 500) -> tuple[Claim, ...]:
        with writing(self.engine) as session:
            now = self.clock()
            return claim_deliveries(
                session,
                self.issue.id,
                owner=OWNER,
                limit=limit,
                now=now,
                lease_until=now + timedelta(minutes=5),
            )

    def settle(self, *outcomes: Outcome, which: Callable[[Claim], bool] = lambda _: True) -> list[Claim]:
        """Claim as many as there are outcomes, arm them and settle each."""
        claims = list(filter(which, self.claim(len(outcomes))))
        with writing(self.engine) as session:
            arm_deliveries(session, claims, owner=OWNER, now=self.clock())
            settled = list(zip(claims, outcomes, strict=False))
            settle_deliveries(session, settled, now=self.clock())
            record_refusals(session, settled, now=self.clock())
        return claims

    def arm_and_die(self) -> Claim:
        """Leave one delivery as a worker does that dies between dot and answer."""
        (claim,) = self.claim(1)
        with writing(self.engine) as session:
            arm_deliveries(session, [claim], owner=OWNER, now=self.clock())
        with writing(self.engine) as session:
            reap_leases(session, now=self.clock(), dead=[OWNER])
        return claim


def alerts(tmp_path: Path) -> list[str]:
    """Return the text of what ops were mailed, without its line breaks."""
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted((tmp_path / "outbox" / "new").glob("*"))
    ]
    told = [mail for mail in mails if "ops@example.org" in str(mail["To"])]
    return [" ".join(str(mail.get_body(("plain",)).get_content()).split()) for mail in told]  # type: ignore[union-attr]
