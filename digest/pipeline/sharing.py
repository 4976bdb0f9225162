"""An issue shown to people without an account, by links that end and can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from digest.compose.steps import pieces_of
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.domain.issues import IssueState
from digest.pipeline.preview import SPECIMEN, Shown, shown_of
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.newsletters import get_topic
from digest.store.preview_links import (
    PreviewLink,
    add_preview_link,
    get_preview_link,
    preview_links,
    revoke_preview_link,
)
from digest.store.subscribers import get_subscription, subscription_of
from digest.track.tokens import Purpose

log = structlog.get_logger(__name__)

DAYS, DAYS_MAX = 7, 90
"""How long a link shows an issue unless somebody says otherwise, and at most."""

OPEN_MAX = 50
"""Links of one issue that are open at a time: whoever needs more has a public archive in mind."""


class Over(NotFound):
    """A link that was ours and shows nothing any more: it ended, or somebody took it back."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link as those who made it see it: its address, and as whom it shows the issue.

    `email` is the subscriber's, '' for a reader of topics and for one who was removed.
    """

    link: PreviewLink
    url: str
    email: str
    is_open: bool


def share_issue(
    runtime: Runtime,
    issue_id: int,
    *,
    by: str,
    days: int = DAYS,
    email: str = "",
    topics: Sequence[str] = (),
) -> Share:
    """Make a link that shows an issue as a subscriber, a reader of `topics` or one of everything gets it.

    Raises `InvalidInput` for a time that is none, `NotFound` for an unknown issue, subscriber or topic,
    `Conflict` when the issue is cancelled or has too many links.
    """
    if not 1 <= days <= DAYS_MAX:
        raise InvalidInput(f"a link is good for 1 to {DAYS_MAX} days, not for {days}")
    now = runtime.clock()
    with writing(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        if issue.state is IssueState.CANCELLED:
            raise Conflict(f"issue {issue_id} is cancelled: there is nothing to show")
        if sum(one.is_open(now) for one in preview_links(session, issue.id)) >= OPEN_MAX:
            raise Conflict(f"issue {issue_id} has {OPEN_MAX} preview links already: take some back first")
        subscription = get_subscription(session, issue.newsletter_id, email) if email else None
        named = [get_topic(session, issue.newsletter_id, slug).slug for slug in topics]
        link = add_preview_link(
            session,
            issue.id,
            subscriber_id=subscription.subscriber.id if subscription else None,
            topics=named,
            by=by,
            now=now,
            expires_at=now + timedelta(days=days),
        )
        record(session, by=by, what="preview.shared", about=f"issue {issue_id}", now=now)
    log.info("preview.shared", issue=issue_id, link=link.id, by=by, days=days)
    return _share(runtime, link, subscription.subscriber.email if subscription else "")


def take_link_back(runtime: Runtime, issue_id: int, link_id: int, *, by: str) -> None:
    """Let a link show nothing from now on. Twice is the same as once. Raises `NotFound`."""
    with writing(runtime.engine) as session:
        link = get_preview_link(session, issue_id, link_id)
        if revoke_preview_link(session, link.id, by=by, now=runtime.clock()):
            about = f"issue {issue_id}"
            record(session, by=by, what="preview.revoked", about=about, now=runtime.clock())
    log.info("preview.revoked", issue=issue_id, link=link_id, by=by)


def shares_of(runtime: Runtime, issue_id: int) -> tuple[Share, ...]:
    """Return an issue's links, the newest first, also those that are over. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        links = preview_links(session, issue.id)
        known = {one.subscriber_id for one in links} - {None}
        found = (subscription_of(session, issue.newsletter_id, one) for one in known if one is not None)
        emails = {one.subscriber.id: one.subscriber.email for one in found if one}
    return tuple(
        _share(runtime, one, emails.get(one.subscriber_id, "") if one.subscriber_id else "") for one in links
    )


def _share(runtime: Runtime, link: PreviewLink, email: str) -> Share:
    token = runtime.tokens.sign(Purpose.SHOWN, link.issue_id, link.id)
    return Share(link, runtime.link(Purpose.SHOWN, token), email, link.is_open(runtime.clock()))


def shared_link(runtime: Runtime, token: str) -> PreviewLink:
    """Return the link that a token is of.

    Raises `Refused` for a token that is not ours, `Over` for a link that ended or was taken back.
    """
    issue_id, link_id = runtime.tokens.read_shown(token)
    with reading(runtime.engine) as session:
        link = get_preview_link(session, issue_id, link_id)
    if not link.is_open(runtime.clock()):
        raise Over(f"preview link {link_id} is over")
    return link


def shown_by(runtime: Runtime, link: PreviewLink) -> Shown:
    """Return the issue as the link shows it. Whose address it is told to nobody: it reads as a specimen's.

    Raises `Over` where its subscriber was removed, `Conflict` when that reader gets nothing.
    """
    pieces = pieces_of(runtime.engine, link.issue_id, template_of=runtime.template)
    email = ""
    if link.subscriber_id is not None:
        with reading(runtime.engine) as session:
            found = subscription_of(session, pieces.newsletter.id, link.subscriber_id)
        if found is None:
            raise Over(f"the reader whom preview link {link.id} shows was removed")
        email = found.subscriber.email
    shown = shown_of(runtime, pieces, email=email, topics=link.topics)
    return replace(shown, email=SPECIMEN[0], who=SPECIMEN[1], message_id="")
