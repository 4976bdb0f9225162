"""An issue that pauses itself: too much of it fails, comes back or is called spam."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil

import structlog
from sqlalchemy.orm import Session

from digest.domain.bounces import Meaning
from digest.domain.errors import Conflict
from digest.domain.issues import IssueId, IssueState
from digest.domain.pauses import PROGRAM, PauseCause
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import reading, writing
from digest.store.deliveries import is_unfinished
from digest.store.failures import EVER, FAILING, count_failed, count_returned, count_settled
from digest.store.issues import get_issue
from digest.store.pauses import accepted_until, pause_issue

log = structlog.get_logger(__name__)

_KINDS = {
    PauseCause.FAILURES: "were refused for good or came back",
    PauseCause.COMPLAINTS: "were called spam by their readers",
}


@dataclass(frozen=True, slots=True)
class Breach:
    """A share that is too large: `count` of `settled` mails, where `limit` percent are allowed."""

    cause: PauseCause
    count: int
    settled: int
    limit: float

    @property
    def in_words(self) -> str:
        """The share, in figures and words."""
        percent = 100 * self.count / self.settled
        told = f"{self.count} of {self.settled} mails ({percent:.2g} %) {_KINDS[self.cause]}"
        return f"{told}, the limit is {self.limit:g} %"


class Gauge:
    """Looks at an issue's failures, time and again.

    It remembers how many mails are known to have been settled at least, and counts them anew only when there
    are more failures than those allow: some forty times for a million mails, not once a second.
    """

    def __init__(self, settings: Settings) -> None:
        self._after = settings.pause_after
        self._limits = {
            PauseCause.FAILURES: settings.pause_failures,
            PauseCause.COMPLAINTS: settings.pause_complaints,
        }
        self._since = EVER
        self._settled = 0

    def find_breach(self, session: Session, issue_id: IssueId) -> Breach | None:
        """Return which share of the issue is too large; None while none is, or too little was settled.

        What somebody accepted by letting the issue go on is not counted again.
        """
        self._count_from(accepted_until(session, issue_id) or EVER)
        since = self._since
        counts = {
            PauseCause.FAILURES: count_failed(session, issue_id, since=since)
            + count_returned(session, issue_id, FAILING, since=since),
            PauseCause.COMPLAINTS: count_returned(session, issue_id, [Meaning.COMPLAINT], since=since),
        }
        # As many as there have to be, so that these are not too many.
        needed = {cause: ceil(100 * count / self._limits[cause]) for cause, count in counts.items()}
        most = max(needed.values())
        if most <= max(self._settled, self._after):
            return None
        self._settled = count_settled(session, issue_id, since=since, most=most)
        if self._settled < self._after:
            return None
        for cause, count in counts.items():
            if needed[cause] > self._settled and 100 * count > self._limits[cause] * self._settled:
                return Breach(cause, count, self._settled, self._limits[cause])
        return None

    def _count_from(self, since: datetime) -> None:
        if since != self._since:
            self._since, self._settled = since, 0


def pause_breached(runtime: Runtime, issue_id: IssueId, gauge: Gauge | None = None) -> bool:
    """Pause an issue that is being sent when too much of it fails; return whether this call did.

    Of many workers that see it one does. An issue of which nothing is left to send is let be.
    """
    gauge = gauge or Gauge(runtime.settings)
    with reading(runtime.engine) as session:
        if get_issue(session, issue_id).state is not IssueState.SENDING:
            return False
        breach = gauge.find_breach(session, issue_id)
        if breach is None or not is_unfinished(session, issue_id):
            return False
    try:
        with writing(runtime.engine) as session:
            pause_issue(
                session,
                issue_id,
                by=PROGRAM,
                why=breach.in_words,
                cause=breach.cause,
                now=runtime.clock(),
                only_from=(IssueState.SENDING,),
            )
    except Conflict:
        return False  # somebody else just has, or has cancelled it
    log.error("issue.paused_itself", issue=issue_id, cause=breach.cause.value, reason=breach.in_words)
    return True
