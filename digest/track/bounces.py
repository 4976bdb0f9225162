"""Take in a mail that came back: whose it is, what it means, and what follows, in one transaction.

Only a signed return path tells whose it is. Addresses and Message-IDs in a report are a stranger's words:
whoever could have readers suppressed by naming them could empty a list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId
from digest.domain.errors import Refused
from digest.domain.issues import IssueId
from digest.store.database import writing
from digest.store.reader_locks import hold_reader_of
from digest.store.returned import (
    Effect,
    NewReturned,
    ReturnedDelivery,
    find_returned_delivery,
    record_returned,
    set_effect,
)
from digest.track.effects import follow_from
from digest.track.reports import Kind, Report, read_report
from digest.track.returns import ReturnPaths
from digest.track.verdicts import Verdict, judge

log = structlog.get_logger(__name__)

NOBODY = DeliveryId(0)
"""In the return paths of letters and tests, which are no deliveries."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a mail that came back was taken for and what it changed.

    `email` is the reader it is about, '' when that cannot be told, and `issue_id` the issue whose mail it
    was. `is_copy`: it was taken in before, and nothing was changed now.
    """

    kind: Kind
    meaning: Meaning
    effect: Effect
    email: str
    detail: str
    is_copy: bool = False
    issue_id: IssueId | None = None

    @property
    def domain(self) -> str:
        """The domain of the reader's address."""
        return self.email.rpartition("@")[2].lower()


def take_in(
    engine: Engine, octets: bytes, *, paths: ReturnPaths, to: Iterable[str] = (), via: str, now: datetime
) -> Taken:
    """Record a mail that came back, once, and do what follows from it; committed when this returns.

    `to` is whom its envelope names; without it, what the mail itself says counts. Raises what `told` raises:
    then nothing was recorded, and the mail has to be kept.
    """
    report = read_report(octets)
    named = _named(paths, [*to] or report.addresses)
    with writing(engine) as session:
        if named:
            hold_reader_of(session, named)
        delivery = find_returned_delivery(session, named) if named else None
        verdict = judge(report, delivery, now=now) if delivery else _nobodys(report, named)
        new = NewReturned(
            key=_key(report, named, octets),
            received_at=now,
            via=via,
            kind=report.kind,
            meaning=verdict.meaning,
            delivery_id=delivery.id if delivery else None,
            email=delivery.email if delivery else "",
            status=verdict.status,
            detail=verdict.detail,
        )
        number = record_returned(session, new)
        effect = Effect.NONE
        if number is not None and delivery is not None:
            effect = follow_from(session, verdict, delivery, now=now)
            set_effect(session, [number], effect)
    taken = Taken(
        report.kind,
        verdict.meaning,
        effect,
        new.email,
        verdict.detail,
        is_copy=number is None,
        issue_id=delivery.issue_id if delivery else None,
    )
    _log(taken, delivery, via)
    return taken


def _named(paths: ReturnPaths, addresses: Iterable[str]) -> DeliveryId | None:
    """Return the delivery of the first address that we signed, None when there is none."""
    for address in addresses:
        try:
            return paths.read(address)
        except Refused:
            continue
    return None


def _nobodys(report: Report, named: DeliveryId | None) -> Verdict:
    if named is None:
        why = "no return path that we signed: whose it is cannot be told"
        return Verdict(Meaning.UNKNOWN, detail="; ".join(filter(None, [why, report.why])))
    if named == NOBODY:
        return Verdict(Meaning.NOTHING, detail="about a letter or a test, which nobody is counted for")
    return Verdict(
        Meaning.UNKNOWN, detail=f"delivery {named} is not there any more, or its reader was erased"
    )


def _key(report: Report, named: DeliveryId | None, octets: bytes) -> str:
    """Return what copies of a report share: they differ in what servers on their ways wrote on top.

    A Message-ID alone is not enough: some servers use one for 'delayed' and for 'failed'.
    """
    said = [report.kind, *map(str, report.recipients), report.feedback, str(_sorted(report))]
    identity = report.own_id or hashlib.sha256(octets).hexdigest()
    text = json.dumps([named, identity, *said])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _sorted(report: Report) -> list[list[str]]:
    """Return what was guessed in one order: sets of text have another in every process."""
    if report.guess is None:
        return []
    return [sorted(report.guess.failed), sorted(report.guess.delayed), [report.guess.status]]


def _log(taken: Taken, delivery: ReturnedDelivery | None, via: str) -> None:
    """Log without addresses: what came back is listed where it can be erased."""
    told = {"kind": taken.kind, "meaning": taken.meaning, "effect": taken.effect, "via": via}
    if taken.is_copy:
        log.info("bounce.again", **told)
    elif taken.meaning is Meaning.UNKNOWN:
        log.warning("bounce.unread", reason=taken.detail, **told)
    else:
        log.info("bounce.taken", delivery=delivery.id if delivery else None, **told)
