"""What makes a mail one reader's own: the values of its tokens, who it is from, the finished message."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import lru_cache

from digest.compose.untrusted import plain
from digest.deliver.headers import mail_address
from digest.deliver.mime import MAX_EDITIONS, EncodedEdition, EncodedIssue, Recipient, Sender
from digest.deliver.steps import MailFor
from digest.deliver.transport import Envelope
from digest.domain.deliveries import Claim
from digest.domain.issues import Edition, Issue, IssueId
from digest.domain.mail import RenderedIssue, Token
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.revisions import get_rendered
from digest.track.clicks import PICTURE
from digest.track.tokens import Purpose


def personal_values(
    runtime: Runtime, newsletter_id: NewsletterId, issue_id: IssueId, who: SubscriberId, email: str
) -> Mapping[Token, str]:
    """Return a reader's own values for the tokens of a mail."""
    link, sign = runtime.link, runtime.tokens.sign
    return {
        Token.EMAIL: email,
        Token.UNSUBSCRIBE_URL: link("unsubscribe", sign(Purpose.UNSUBSCRIBE, newsletter_id, who)),
        Token.PREFERENCES_URL: link(
            "preferences", runtime.tokens.sign_preferences(newsletter_id, who, email)
        ),
        Token.ONLINE_URL: link("online", sign(Purpose.ONLINE, issue_id, who)),
    }


def measuring_values(runtime: Runtime, issue_id: IssueId, who: SubscriberId) -> Mapping[Token, str]:
    """Return what the mail of a reader who agreed to be measured has besides."""
    sign = runtime.tokens.sign
    return {
        Token.FOLLOWER: sign(Purpose.FOLLOW, issue_id, who),
        Token.PICTURE_URL: runtime.link(PICTURE, sign(Purpose.OPEN, issue_id, who)),
    }


def recipient_of(personal: Mapping[Token, str], message_id: str) -> Recipient:
    """Return who a message is spliced for, from the reader's own values."""
    return Recipient(
        email=personal[Token.EMAIL],
        message_id=message_id,
        unsubscribe_url=personal[Token.UNSUBSCRIBE_URL],
        preferences_url=personal[Token.PREFERENCES_URL],
        online_url=personal[Token.ONLINE_URL],
        follower=personal.get(Token.FOLLOWER, ""),
        picture_url=personal.get(Token.PICTURE_URL, ""),
    )


def mail_for(runtime: Runtime, issue_id: IssueId) -> MailFor:
    """Return the writer of an issue's mails: encoded once here, spliced for each reader there."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        rendered = get_rendered(session, issue)
    encoded = _encoded(runtime, issue, newsletter, rendered)
    return_path = runtime.return_path(newsletter.sender_email)

    @lru_cache(maxsize=MAX_EDITIONS)
    def edition(key: str) -> EncodedEdition:
        return encoded.edition(Edition.from_key(key))

    def write(claim: Claim) -> tuple[Envelope, bytes]:
        personal = personal_values(runtime, newsletter.id, issue_id, claim.subscriber_id, claim.email)
        shared = edition(claim.edition)
        if shared.is_measured:
            personal = {**personal, **measuring_values(runtime, issue_id, claim.subscriber_id)}
        recipient = recipient_of(personal, claim.message_id)
        envelope = Envelope(return_path(claim.id), mail_address(claim.email))
        return envelope, shared.message(recipient)

    return write


def specimen_message(
    runtime: Runtime, issue: Issue, newsletter: Newsletter, rendered: RenderedIssue, edition: Edition
) -> bytes:
    """Return the message of one edition as it would be delivered, to a reader who is nobody."""
    personal = personal_values(runtime, newsletter.id, issue.id, SubscriberId(0), "reader@example.org")
    domain = newsletter.sender_email.rpartition("@")[2]
    message_id = f"<{issue.id}.0.{secrets.token_hex(6)}@{domain}>"
    return message_for(
        runtime, issue, newsletter, rendered, edition, personal=personal, message_id=message_id
    )


def message_for(
    runtime: Runtime,
    issue: Issue,
    newsletter: Newsletter,
    rendered: RenderedIssue,
    edition: Edition,
    *,
    personal: Mapping[Token, str],
    message_id: str,
) -> bytes:
    """Return the one message of an edition for a reader with these values, as it would be delivered.

    What measures its reader measures nobody here: whoever opens it looks at somebody else's mail.
    """
    encoded = _encoded(runtime, issue, newsletter, rendered)
    personal = {**personal, **measuring_values(runtime, issue.id, SubscriberId(0))}
    return encoded.edition(edition).message(recipient_of(personal, message_id))


def sender_of(runtime: Runtime, newsletter: Newsletter) -> Sender:
    """Return who a newsletter's mail comes from."""
    domain = newsletter.sender_email.rpartition("@")[2]
    return Sender(
        name=plain(newsletter.sender_name),
        address=newsletter.sender_email,
        list_id=f"{newsletter.slug}.{domain}",
        feedback_id=f"{newsletter.slug}:digest:{_feedback_sender(domain)}",
        reply_to=newsletter.reply_to,
        owner=newsletter.sender_email,
        # Only what everybody may read is an archive: a reader's own copy online is none.
        archive_url=runtime.archive_url(newsletter) if newsletter.archive else "",
    )


def _encoded(runtime: Runtime, issue: Issue, newsletter: Newsletter, rendered: RenderedIssue) -> EncodedIssue:
    return EncodedIssue(
        rendered,
        sender_of(runtime, newsletter),
        name=str(issue.id),
        date=issue.sending_at or runtime.clock(),
        signer=runtime.signer(newsletter.sender_email),
    )


def _feedback_sender(domain: str) -> str:
    """Return the last part of a Feedback-ID: Gmail counts by it, and takes 5 to 15 characters."""
    name = domain.lower().replace(".", "-")
    return name if 5 <= len(name) <= 15 else hashlib.sha256(domain.lower().encode()).hexdigest()[:12]
