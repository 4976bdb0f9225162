"""Hits are kept until those of a visitor can be judged together; then they are counts, and nothing else.

But for readers who agreed to be measured: of them it is also kept what they opened and followed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.store.clicks import Hit, count_clicks, record_hits, take_hits, waiting_hits
from digest.store.database import reading, writing
from digest.store.measured import measurable_among
from digest.store.measures import Mail, count_followed, count_opens, delivered_among, lock_measures
from digest.track.clicks import AT_LAST, QUIET, TOO_SOON, is_burst, once_each

log = structlog.get_logger(__name__)

AT_ONCE = 5_000
"""Hits judged in one transaction: half a second."""

FOR_GOOD = timedelta(days=36_500)


def visitor_of(key: bytes, client: str, agent: str) -> str:
    """Return what tells a visitor from others for some minutes, '' where their address tells nobody apart.

    With `key` unknown nobody can tell from it whose address it was.
    """
    return hmac.new(key, f"{client}\n{agent}".encode(), hashlib.sha256).hexdigest()[:32] if client else ""


def keep_hits(engine: Engine, hits: Sequence[Hit]) -> None:
    """Keep hits until they are judged, by name only of who lets themselves be measured at this moment."""
    with writing(engine) as session:
        measurable = measurable_among(session, _mails(hits), lock=True)
        record_hits(session, filter(None, (_as_agreed(hit, _mail(hit) in measurable) for hit in hits)))


def _as_agreed(hit: Hit, is_measurable: bool) -> Hit | None:
    """Return a hit with its reader where they agreed, a link without who it was, or nothing of an opening."""
    if is_measurable or hit.reader is None:
        return hit
    return None if hit.is_open else replace(hit, reader=None)


def _mail(hit: Hit) -> Mail | None:
    return None if hit.reader is None else (hit.issue_id, hit.reader)


def _mails(hits: Iterable[Hit]) -> frozenset[Mail]:
    return frozenset(mail for hit in hits if (mail := _mail(hit)))


def _delivered_at(hit: Hit, delivered: Mapping[Mail, datetime]) -> datetime | None:
    mail = _mail(hit)
    return delivered.get(mail) if mail else None


@dataclass(slots=True)
class _Judged:
    """What hits were taken for. `read` are of visitors who may be people, each link once."""

    read: list[Hit] = field(default_factory=list)
    left_out: list[Hit] = field(default_factory=list)

    def take(self, hits: Sequence[Hit], *, readable: datetime | None) -> None:
        """Judge the hits of one visitor; one whose address tells nobody apart is not judged.

        Of a link that was fetched before and after the mail was `readable`, the later is what counts.
        """
        if not hits[0].visitor:
            self.read += hits
        elif is_burst(hits):
            self.left_out += hits
        else:
            self.read += once_each(sorted(hits, key=lambda hit: readable is not None and hit.at < readable))


def settle_hits(engine: Engine, *, now: datetime, measured_for: timedelta = FOR_GOOD) -> int:
    """Judge and count the hits of all who have followed no link for a while; return how many that were.

    What waits is looked at from the oldest on, `AT_ONCE` at a time. `measured_for` is how long after a mail
    it is measured by name at most: as long as that is kept.
    """
    with reading(engine) as session:
        if not waiting_hits(session, most=1):
            return 0
    judged = _Judged()
    with writing(engine) as session:
        ripe = [group for group in _by_visitor(waiting_hits(session, most=AT_ONCE)) if _is_ripe(group, now)]
        # Before any hit: who takes it back has their own row and the numbers first, too, and then their hits.
        mails = measurable_among(session, _mails(hit for group in ripe for _, hit in group), lock=True)
        lock_measures(session, {issue for issue, _ in mails})
        delivered = delivered_among(session, mails)
        taken = take_hits(session, [number for group in ripe for number, _ in group])
        for group in ripe:
            if hits := [hit for number, hit in group if number in taken]:
                at = _delivered_at(hits[0], delivered)
                judged.take(hits, readable=at and at + TOO_SOON)
        count_clicks(session, _links(judged.read), _links(judged.left_out))
        kept_for = {mail: min(kept, measured_for) for mail, kept in mails.items()}
        _measure(session, judged, delivered, kept_for)
    if judged.left_out:
        log.info("clicks.left_out", hits=len(judged.left_out))
    return len(taken)


def _links(hits: Iterable[Hit]) -> list[Hit]:
    return [hit for hit in hits if not hit.is_open]


def _measure(
    session: Session, judged: _Judged, delivered: Mapping[Mail, datetime], kept_for: Mapping[Mail, timedelta]
) -> None:
    """Keep, and count, what was opened and followed of the mails `delivered`, whose readers still agree.

    No longer after a mail than it is kept: by then nobody knows any more who is counted.
    """

    def said(hits: Iterable[Hit]) -> list[tuple[Mail, Hit]]:
        named = [(mail, hit) for hit in hits if (mail := _mail(hit)) in delivered and mail]
        return [(mail, hit) for mail, hit in named if hit.at <= delivered[mail] + kept_for[mail]]

    read = said(judged.read)
    late = [(mail, hit) for mail, hit in read if hit.at >= delivered[mail] + TOO_SOON]
    soon = [hit for mail, hit in read if hit.at < delivered[mail] + TOO_SOON]
    by_programs = [hit.issue_id for hit in (*soon, *(hit for _, hit in said(judged.left_out))) if hit.is_open]
    opened = [(mail, hit.at) for mail, hit in late if hit.is_open]
    count_opens(session, opened, by_programs, kept_for=kept_for)
    count_followed(session, [(mail, hit) for mail, hit in late if not hit.is_open], kept_for=kept_for)


_Group = list[tuple[int, Hit]]


def _by_visitor(waiting: Sequence[tuple[int, Hit]]) -> list[_Group]:
    """Return what waits by who opened which issue's links. Who cannot be told apart is one of many.

    Readers who are measured are told apart also where they have one address.
    """
    groups: dict[object, _Group] = {}
    for number, hit in waiting:
        groups.setdefault((hit.visitor or number, hit.issue_id, hit.reader), []).append((number, hit))
    return list(groups.values())


def _is_ripe(group: _Group, now: datetime) -> bool:
    return group[-1][1].at <= now - QUIET or group[0][1].at <= now - AT_LAST
