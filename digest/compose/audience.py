"""The editions an issue's readers get, and how many readers get each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.compose.steps import Pieces
from digest.domain.addressing import NOTHING_BEFORE, Addressable, Skip, Wishes, followed
from digest.domain.cadences import Cadence
from digest.domain.issues import Edition
from digest.domain.less import NOTHING_LESS
from digest.domain.measuring import in_steps
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.store.audiences import audience, count_outside, count_wishes
from digest.store.database import reading
from digest.store.deliveries import count_by_edition
from digest.store.history import History, repeats_of
from digest.store.issue_segments import Limits, leaves_out_quiet, outside
from digest.store.less import LessAsked
from digest.store.newsletters import topic_ids
from digest.store.segment_conditions import Asked, Is


@dataclass(frozen=True, slots=True)
class Audience:
    """How many readers get each edition, and how many get none though they follow topics.

    `skipped` are those who get nothing of this issue though they may be mailed, by reason. Of an issue that
    is not addressed yet, all these numbers count who is spared it for reading no more as if they were not:
    `spared` is how many that are in twenties, rounded down, None where the issue spares nobody.
    """

    readers: Mapping[Edition, int]
    nothing_followed: int = 0
    skipped: Mapping[SkipReason, int] = field(default_factory=dict)
    spared: int | None = None


def audience_of(engine: Engine, pieces: Pieces, *, now: datetime | None = None) -> Audience:
    """Return who gets what: as the issue was addressed, or as its readers' wishes are `now`."""
    with reading(engine) as session:
        if pieces.issue.sending_at is not None:
            sent = count_by_edition(session, pieces.issue.id)
            return Audience({Edition.from_key(key): count for key, count in sent.items()})
        found: Counter[Edition | SkipReason] = Counter()
        kept, spared = _left_out(session, pieces, now or datetime.now(UTC))
        for one, readers in _decided(session, pieces, kept):
            found[one.reason if isinstance(one, Skip) else one] += readers
    return Audience(
        {one: readers for one, readers in found.items() if isinstance(one, Edition)},
        found[SkipReason.NOTHING_FOLLOWED],
        {why: count for why, count in found.items() if isinstance(why, SkipReason) and count},
        spared,
    )


def _left_out(session: Session, pieces: Pieces, now: datetime) -> tuple[Is | None, int | None]:
    """Return the condition of whom a draft is not for, and how many it spares as they read no more.

    Those are counted by themselves, whatever else limits the issue: else one who chose whom it is for would
    read off the numbers who of them reads.
    """
    newsletter, limits = pieces.newsletter, pieces.limits
    kept = outside(session, newsletter, limits, now=now)
    if limits.without is None or not leaves_out_quiet(limits):
        return kept, None
    fits = Asked.of(session, newsletter, limits.without.query, now=now).fits
    spared = in_steps(count_outside(session, newsletter.id, fits))
    return outside(session, newsletter, Limits(only=limits.only), now=now), spared


def _decided(session: Session, pieces: Pieces, kept: Is | None) -> Iterator[tuple[Edition | Skip, int]]:
    """Yield what readers who may be mailed get, and how many: all with the same wishes at once.

    One by one are only those asked whose turn or reading so far decides, or who want less of something.
    """
    newsletter = pieces.newsletter
    issue = Addressable.of(newsletter, pieces.issue, pieces.outline, pieces.sources)
    topics = topic_ids(session, newsletter.id)
    asked = LessAsked(session, newsletter.id, topics, after=pieces.issue.window.end)
    repeats = repeats_of(session, pieces.issue, pieces.addresses)
    if kept is not None:
        yield Skip(SkipReason.OUTSIDE), count_outside(session, newsletter.id, kept)
    if not repeats:
        counted = count_wishes(session, newsletter.id, topics, but=asked, outside=kept)
        for (mask, most), readers in counted.items():
            yield issue.for_reader(Wishes(followed(mask, topics), most), NOTHING_BEFORE), readers
    history = History(session, pieces.issue, repeats)
    for page in audience(session, newsletter.id, topics, beside=None if repeats else asked, outside=kept):
        ids = page[0].subscriber_id, page[-1].subscriber_id
        before, less = history.between(*ids, is_paced=True), asked.between(*ids)
        for reader in page:
            is_counted = reader.is_suppressed or reader.is_outside
            if reader.state == SubscriptionState.ACTIVE and not is_counted:
                wishes = Wishes(
                    followed(reader.follows, topics),
                    reader.most,
                    Cadence(reader.cadence),
                    less=less.get(reader.subscriber_id, NOTHING_LESS),
                )
                yield issue.for_reader(wishes, before.get(reader.subscriber_id, NOTHING_BEFORE)), 1
