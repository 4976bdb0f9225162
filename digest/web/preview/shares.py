"""Links to a preview in words: as whom they show the issue, until when, and who made them."""

from __future__ import annotations

from digest.compose.steps import Pieces
from digest.pipeline.sharing import Share, shares_of
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import list_topics
from digest.web.preview.views import ShareView
from digest.web.words import at_hour


def shares_view(runtime: Runtime, found: Pieces) -> tuple[ShareView, ...]:
    """Return an issue's links, those that are open first."""
    shares = sorted(shares_of(runtime, found.issue.id), key=lambda one: not one.is_open)
    if not shares:
        return ()
    with reading(runtime.engine) as session:
        names: dict[str, str] = {
            topic.slug: topic.name for topic in list_topics(session, found.newsletter.id)
        }
    return tuple(_view(one, names) for one in shares)


def _view(share: Share, names: dict[str, str]) -> ShareView:
    link = share.link
    if link.revoked_at:
        until = f"taken back by {link.revoked_by} on {at_hour(link.revoked_at)}"
    else:
        until = f"{'until' if share.is_open else 'ended'} {at_hour(link.expires_at)}"
    followed = " and ".join(names.get(topic, topic) for topic in link.topics)
    removed = "a subscriber who was removed" if link.subscriber_id else ""
    whom = share.email or removed or f"a new reader of {followed or 'everything'}"
    return ShareView(
        id=link.id,
        url=share.url if share.is_open else "",
        whom=f"As {whom}",
        made=f"made by {link.made_by} on {at_hour(link.made_at)}",
        until=until,
        is_open=share.is_open,
    )
