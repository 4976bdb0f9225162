"""The invariants, looked up at the mail server and in the database: who got what, and what is said of it.

I1 no reader has two copies. I2 every delivery is in one state, and they add up. I3 what is said to be
accepted is at the server. I4 no more is unknown than the faults left open. I5 once the server's log was read,
nothing is unknown, and whoever was not refused or cancelled has one copy. I6 what arrived is what was frozen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from benchmarks.faults.field import Field
from benchmarks.faults.sending import settings_for
from digest.deliver.logs.evidence import Evidence
from digest.deliver.reconcile import reconcile
from digest.domain.deliveries import Claim, DeliveryId, DeliveryState
from digest.domain.subscribers import SubscriberId
from digest.pipeline.personal_mail import mail_for
from digest.runtime import Runtime, utc_now
from digest.store.audiences import EditionRow
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow
from tests.servers.smtp_sink import read_log

_NO_COPY = (DeliveryState.FAILED, DeliveryState.CANCELLED)
_COMPARED = 5_000
"""Mails whose bytes are compared with what was frozen, at most."""


@dataclass(frozen=True, slots=True)
class Toll:
    """What one or several runs came to. `broken` says in words what did not hold, nothing when all did.

    Attempts are recipients offered to the mail server. Recovery is the longest, in seconds.
    """

    runs: int = 0
    attempts: int = 0
    kills: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown_injected: int = 0
    unknown_left: int = 0
    recovery_s: float = 0.0
    broken: tuple[str, ...] = ()

    def __add__(self, other: Toll) -> Toll:
        return Toll(
            runs=self.runs + other.runs,
            attempts=self.attempts + other.attempts,
            kills=self.kills + other.kills,
            duplicates=self.duplicates + other.duplicates,
            lost=self.lost + other.lost,
            unknown_injected=self.unknown_injected + other.unknown_injected,
            unknown_left=self.unknown_left + other.unknown_left,
            recovery_s=max(self.recovery_s, other.recovery_s),
            broken=self.broken + other.broken,
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be found after a fault: so many deliveries, of which it left so many with an open outcome.

    `ahead` is how fast a worker's clock was: by it mails were armed in the future, so the server's log covers
    them only when that time has come, and is refused as complete before.
    """

    audience: int
    injected: int = 0
    ahead: timedelta = timedelta(0)


class Audit:
    """Looks at what a run left behind."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self.injected = 0
        self.lost = 0

    def settled(self, expected: Expected) -> None:
        """Look at a send that has ended, reconcile what is unknown, send what never arrived, look again."""
        field = self._field
        self.injected = expected.injected
        unknown = self.look(audience=expected.audience)
        field.must(
            unknown == expected.injected,
            f"I4: {unknown} unknown where {expected.injected} outcomes were left open",
        )
        if unknown:
            evidence = self._evidence(read_at=utc_now() + expected.ahead)
            reconcile(field.engine, field.issue_id, evidence, complete=True, now=utc_now())
            field.recover(ahead=expected.ahead)
            self.look(audience=expected.audience)
        left = field.counts()[DeliveryState.UNKNOWN]
        field.must(left == 0, f"I5: {left} are unknown although the log was read")
        self._whole()
        self._frozen()

    def _evidence(self, *, read_at: datetime) -> Evidence:
        """Return what the sink's log says of the mails whose outcome is open: it holds all that it took."""
        asked = self._field.ids_in(DeliveryState.UNKNOWN)
        log = read_log(self._field.log_file)
        taken = asked & {mail.message_id for mail in log}
        return Evidence(frozenset(asked), frozenset(taken), (), frozenset(), None, None, read_at, len(log))

    def look(self, *, audience: int) -> int:
        """Check what must hold at any time, I1 to I3; return how many are unknown."""
        field = self._field
        counts = field.counts()
        found = sum(counts.values())
        field.must(found == audience, f"I2: {found} deliveries for an audience of {audience}")
        copies = field.sink.copies()
        doubled = sum(number - 1 for number in copies.values())
        field.must(not doubled, f"I1: {doubled} copies too many")
        there = {mail.message_id for mail in field.sink.messages()}
        false = len(field.ids_in(DeliveryState.ACCEPTED) - there)
        field.must(not false, f"I3: {false} are said to be accepted and are not at the server")
        self.lost = max(self.lost, false)
        return counts[DeliveryState.UNKNOWN]

    def _whole(self) -> None:
        """Check I5: one copy for everybody who was not refused or cancelled, and none for those."""
        field = self._field
        there = {mail.message_id for mail in field.sink.messages()}
        without = field.ids_in(*_NO_COPY)
        missing = len(field.ids_in(*DeliveryState) - without - there)
        field.must(not missing, f"I5: {missing} readers have no copy")
        surplus = len(without & there)
        field.must(not surplus, f"I5: {surplus} have a copy and are said to have none")
        self.lost = max(self.lost, missing)

    def _frozen(self) -> None:
        """Check I6: each mail is, byte for byte, what the frozen issue comes to for its reader."""
        field = self._field
        arrived = {mail.message_id: mail.sha256 for mail in field.sink.messages()}
        runtime = Runtime(settings_for(field.place))
        write = mail_for(runtime, field.issue_id)
        other = sum(
            hashlib.sha256(write(claim)[1]).hexdigest() != arrived.get(claim.message_id)
            for claim in self._claims(frozenset(arrived))
        )
        runtime.engine.dispose()
        field.must(not other, f"I6: {other} mails are not what was frozen")

    def _claims(self, arrived: frozenset[str]) -> list[Claim]:
        rows = (
            select(DeliveryRow, EditionRow.key)
            .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
            .where(DeliveryRow.issue_id == self._field.issue_id)
            .order_by(DeliveryRow.id)
            .limit(_COMPARED)
        )
        with reading(self._field.engine) as session:
            return [
                Claim(
                    DeliveryId(row.id),
                    row.fence,
                    row.email,
                    row.message_id,
                    key,
                    SubscriberId(row.subscriber_id),
                    row.attempts,
                    row.created_at,
                )
                for row, key in session.execute(rows)
                if row.message_id in arrived
            ]

    def toll(self) -> Toll:
        """Return what the run came to."""
        field = self._field
        copies = field.sink.copies()
        left = field.counts()[DeliveryState.UNKNOWN] if field.issue_id else 0
        return Toll(
            runs=1,
            attempts=field.sink.offered,
            kills=field.kills,
            duplicates=sum(number - 1 for number in copies.values()),
            lost=self.lost,
            unknown_injected=self.injected,
            unknown_left=left,
            recovery_s=field.recovery_s,
            broken=tuple(f"{field.kind}: {words}" for words in field.broken),
        )
