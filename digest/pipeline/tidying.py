"""What a schedule leaves behind that is changed: a draft of days that nothing makes any more."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueId
from digest.domain.schedules import Schedule
from digest.pipeline.hours import Course, hour_of
from digest.store.audit import record
from digest.store.issues import get_issue
from digest.store.untouched import find_untouched, remove_draft

log = structlog.get_logger(__name__)

_UNMADE = (Course.BY_HAND, Course.LEFT_OUT)


def find_filled(session: Session, schedule: Schedule) -> IssueId | None:
    """Return the draft that filled itself for a schedule's next date, None where somebody touched it.

    Asked before the schedule is changed: `tidy` then says whether something still makes it.
    """
    try:
        window = schedule.covered_at(schedule.next_due)
    except InvalidInput:
        # Its zone has left the zone database, and no draft was filled for it.
        return None
    return find_untouched(session, schedule.newsletter_id, window)


def tidy(session: Session, draft: IssueId | None, *, by: str, now: datetime) -> None:
    """Remove a draft that nobody touched where no schedule makes an issue of its days any more.

    What an editor has worked on stays, and its page says that no schedule sends it.
    """
    if draft is None or hour_of(session, get_issue(session, draft), now=now).course not in _UNMADE:
        return
    remove_draft(session, draft)
    record(session, by=by, what="issue.removed", about=f"issue {draft}", now=now, detail="untouched draft")
    log.info("draft.removed", issue=draft, by=by)
