"""What an issue is to come to: how many readers get how much of it, who gets nothing, what its checks find.

With a million readers that takes seconds, so it is worked out behind the pages, by a worker or when somebody
asks, and kept with its time. With few readers a page works it out itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from sqlalchemy.orm import Session

from digest.compose.audience import Audience, audience_of
from digest.compose.steps import Pieces, pieces_of
from digest.domain.errors import DigestError
from digest.domain.issues import IssueId, IssueState
from digest.domain.subscribers import SkipReason
from digest.pipeline.preflight import Preflight, check_pieces, preflight_from, preflight_told
from digest.runtime import Runtime
from digest.store.audiences import count_skips, count_withheld, has_more_readers_than
from digest.store.database import reading, writing
from digest.store.issues import issues_in
from digest.store.outlooks import StoredOutlook, find_outlook, record_outlook
from digest.store.preflights import find_look

log = structlog.get_logger(__name__)

EDITIONS_MOST = 500
"""Editions looked at for an outlook, those of most readers: half a second. The command looks at more."""

FEW_READERS = 500
"""With so many readers at most, and so few articles, a page works the outlook out itself in under 0.1 s."""
FEW_ARTICLES = 40

STALE_AFTER = timedelta(minutes=15)
"""Readers come and go: an outlook on an issue that is not addressed yet is worked out anew then."""

OLD_AFTER = timedelta(days=14)
"""A draft whose days ended longer ago waits for nobody."""

FEW_ITEMS = 5
"""Up to so many articles are a short mail."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many readers get one article, 2 to 5, or more, in the mail itself; and how many nothing, by reason.

    `made_at` is when it was worked out; `is_current` says that the issue is still the same. `spared` is as in
    `Audience`.
    """

    preflight: Preflight
    one: int
    few: int
    many: int
    skipped: Mapping[SkipReason, int]
    made_at: datetime
    is_current: bool = True
    spared: int | None = None


def outlook_on(runtime: Runtime, pieces: Pieces) -> Outlook | None:
    """Return the outlook on an issue as it was last worked out, or now where that takes no time.

    None: nobody worked it out yet.
    """
    with reading(runtime.engine) as session:
        stored = find_outlook(session, pieces.issue.id)
        is_current = stored is not None and stored.stamp == _stamp(session, pieces)
        is_large = len(pieces.outline.items) > FEW_ARTICLES or has_more_readers_than(
            session, pieces.newsletter.id, FEW_READERS
        )
    if stored is not None and (is_current or is_large):
        return _from_told(stored, pieces.issue.id, is_current=is_current)
    return None if is_large else _worked_out(runtime, pieces)


def work_out(runtime: Runtime, issue_id: int) -> Outlook:
    """Work an issue's outlook out and keep it. Raises `NotFound`, `Misconfigured`."""
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    outlook = _worked_out(runtime, pieces)
    told = json.dumps(_told(outlook), ensure_ascii=False)
    with writing(runtime.engine) as session:
        stored = StoredOutlook(_stamp(session, pieces), outlook.made_at, told)
        record_outlook(session, pieces.issue.id, stored)
    return outlook


def work_out_what_is_due(runtime: Runtime, *, seconds: float = 40.0) -> int:
    """Work out the outlooks that are missing or old, for so long at most; return how many were.

    An issue whose template is broken is passed over: its page says so.
    """
    until = monotonic() + seconds
    done = 0
    for issue_id in _in_hand(runtime):
        if monotonic() > until:
            break
        try:
            if _is_due(runtime, issue_id):
                work_out(runtime, issue_id)
                done += 1
        except DigestError as exc:
            log.warning("outlook.failed", issue=issue_id, reason=str(exc))
    return done


def _in_hand(runtime: Runtime) -> tuple[IssueId, ...]:
    states = (IssueState.DRAFT, IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED)
    since = runtime.clock() - OLD_AFTER
    with reading(runtime.engine) as session:
        return tuple(one.id for one in issues_in(session, *states) if one.window.end > since)


def _is_due(runtime: Runtime, issue_id: IssueId) -> bool:
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    if not pieces.outline.items:
        return False
    with reading(runtime.engine) as session:
        stored = find_outlook(session, issue_id)
        if stored is None or stored.stamp != _stamp(session, pieces):
            return True
    return pieces.issue.sending_at is None and stored.made_at < runtime.clock() - STALE_AFTER


def _stamp(session: Session, pieces: Pieces) -> str:
    """Return the hash of all that an outlook depends on, but for who its readers are."""
    look = find_look(session, pieces.issue.id)
    looked_at = look.looked_at.isoformat() if look else ""
    of = f"{pieces.content_hash} {pieces.issue.sending_at is not None} {looked_at} {pieces.limits.in_words}"
    return hashlib.sha256(of.encode()).hexdigest()


def _worked_out(runtime: Runtime, pieces: Pieces) -> Outlook:
    audience = audience_of(runtime.engine, pieces, now=runtime.clock())
    one, few, many = shares_of(audience)
    with reading(runtime.engine) as session:
        skipped = skipped_of(session, pieces, audience)
    return Outlook(
        preflight=check_pieces(runtime, pieces, audience, editions_most=EDITIONS_MOST),
        one=one,
        few=few,
        many=many,
        skipped=skipped,
        made_at=runtime.clock(),
        spared=audience.spared,
    )


def shares_of(audience: Audience) -> tuple[int, int, int]:
    """Return how many readers get one article, 2 to 5, or more, in the mail itself."""
    counts: Counter[str] = Counter()
    for edition, readers in audience.readers.items():
        shown = len(edition.wanted)
        counts["one" if shown == 1 else "few" if shown <= FEW_ITEMS else "many"] += readers
    return counts["one"], counts["few"], counts["many"]


def skipped_of(session: Session, pieces: Pieces, audience: Audience) -> Mapping[SkipReason, int]:
    """Return how many get nothing of an issue, by reason."""
    if pieces.issue.sending_at is not None:
        return count_skips(session, pieces.issue.id)
    return {**audience.skipped, **count_withheld(session, pieces.newsletter.id)}


def _told(outlook: Outlook) -> dict[str, object]:
    return {
        "readers": [outlook.one, outlook.few, outlook.many],
        "skipped": {reason.value: count for reason, count in outlook.skipped.items()},
        "spared": outlook.spared,
        "preflight": preflight_told(outlook.preflight),
    }


def _from_told(stored: StoredOutlook, issue_id: IssueId, *, is_current: bool) -> Outlook:
    told = json.loads(stored.told)
    one, few, many = told["readers"]
    return Outlook(
        preflight=preflight_from(issue_id, told["preflight"]),
        one=one,
        few=few,
        many=many,
        skipped={SkipReason(reason): count for reason, count in told["skipped"].items()},
        made_at=stored.made_at,
        is_current=is_current,
        spared=told.get("spared"),
    )
