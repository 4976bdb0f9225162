"""An article as one reader was sent it: what a link in their mail is about."""

from __future__ import annotations

from dataclasses import dataclass

from digest.compose.untrusted import plain
from digest.compose.views import title_of
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import Edition, IssueId
from digest.domain.topics import TopicSlug
from digest.runtime import Runtime
from digest.store.contents import get_content
from digest.store.database import reading
from digest.store.deliveries import edition_key_of, find_sent
from digest.store.issues import get_issue
from digest.track.tokens import SubscriptionLink


@dataclass(frozen=True, slots=True)
class SentArticle:
    """An article of an issue that a reader was sent, and the topic it stood under in their mail.

    `source` is what its source is called, '' where that is nothing, `printed` is that as a mail prints it.
    """

    issue_id: IssueId
    position: int
    title: str
    source: str
    printed: str
    language: str
    topic: TopicSlug


def sent_article(runtime: Runtime, link: SubscriptionLink, issue_id: int, position: int) -> SentArticle:
    """Return an article that a reader was sent.

    Raises `NotFound` for any other: an issue that was not sent to them is none of their business, and a link
    to one that waits, was refused or was cancelled is none of ours.
    """
    missing = NotFound(f"subscriber {link.subscriber_id} was not sent article {position} of issue {issue_id}")
    with reading(runtime.engine) as session:
        delivery = find_sent(session, IssueId(issue_id), link.subscriber_id)
        if delivery is None:
            raise missing
        issue = get_issue(session, issue_id)
        edition = Edition.from_key(edition_key_of(session, delivery))
        under = next((one.topic for one in edition.sections if position in one.positions), None)
        if issue.newsletter_id != link.newsletter_id or under is None:
            raise missing
        try:
            content = get_content(session, issue)
        except Conflict as exc:
            raise missing from exc
    item = content.items[position]
    return SentArticle(
        issue_id=issue.id,
        position=position,
        title=title_of(item),
        source=item.source,
        printed=plain(item.source),
        language=item.language or content.language,
        topic=under,
    )
