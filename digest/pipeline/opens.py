"""How many readers who agreed opened an issue or followed a link of it, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass

from digest.domain.clicks import Clicks
from digest.domain.issues import IssueId
from digest.domain.measuring import Measuring, Rate
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.measures import measures_of
from digest.store.newsletters import newsletter_by_id


@dataclass(frozen=True, slots=True)
class IssueOpens:
    """What was measured of an issue. A rate is None where too few agreed for it to be told.

    With `is_asked` readers of its newsletter are asked now. `measured` mails went to readers who agreed and
    were delivered. `left_out` pictures were loaded by programs. Without `has_links` its links cannot tell who
    follows them: its clicks are not counted.
    """

    issue_id: IssueId
    is_asked: bool
    measured: int
    opened: Rate | None
    followed: Rate | None
    left_out: int
    has_links: bool


def opens_in(runtime: Runtime, issue_id: int) -> IssueOpens:
    """Return what was measured of an issue. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        found = measures_of(session, [issue.id]).get(issue.id)
        if found is None:
            is_counting = newsletter.clicks is not Clicks.OFF
            is_asked = newsletter.measuring is Measuring.ASKED
            return IssueOpens(issue.id, is_asked, 0, None, None, 0, is_counting)
    return IssueOpens(
        issue.id,
        newsletter.measuring is Measuring.ASKED,
        found.html + found.text,
        found.open_rate,
        found.follow_rate,
        found.left_out,
        found.has_links,
    )
