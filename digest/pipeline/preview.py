"""What one reader would get of an issue, made by the code that sends it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from digest.address.explain import Told, edition_of
from digest.compose.steps import Pieces, pieces_of
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import Edition, IssueId, edition_for
from digest.domain.mail import Assembly, Fragment, Page, Token, assemble, page_for
from digest.domain.subscribers import SkipReason, SubscriberId, Subscription
from digest.domain.topics import TopicSlug
from digest.pipeline.personal_mail import message_for, personal_values
from digest.runtime import Runtime
from digest.store.address_changes import find_reader_address
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow, edition_key_of, find_delivery
from digest.store.issues import get_issue
from digest.store.measured import measurable_among
from digest.store.newsletters import get_topic
from digest.store.revisions import get_rendered
from digest.store.subscribers import get_subscription, subscription_of

SPECIMEN = "reader@example.org", SubscriberId(0)
"""Who a preview is for when it is for nobody in particular. Their links lead nowhere."""

_LINK_ONLINE = re.compile(
    rf"<a\b[^<>]*\shref=([\"']){Token.ONLINE_URL.mark}\1[^<>]*>.*?</a>", re.DOTALL | re.IGNORECASE
)
"""A link to the copy online, as it stands in a piece before it has a reader."""


_FOR_NOTHING_IN_IT = (
    SkipReason.NOT_DUE,
    SkipReason.ALL_SENT,
    SkipReason.OUTSIDE,
    SkipReason.WANTS_LESS,
)
"""Why a reader gets nothing of an issue, whatever it is about."""


class NotTheirTurn(Conflict):
    """A subscriber gets nothing of an issue for what they were sent or asked, not for what it is about."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An issue's pieces, the edition that one reader has of them, and that reader.

    `message_id` is that of their delivery, '' where the issue was not addressed to them.
    """

    pieces: Pieces
    edition: Edition
    email: str
    who: SubscriberId
    message_id: str = ""


def page_for_reader(
    runtime: Runtime, issue_id: int, *, email: str = "", topics: Sequence[str] | None = None
) -> Page:
    """Return an issue's mail as a subscriber gets it, as one who follows `topics` would, or everything.

    Raises as `shown_to` does.
    """
    shown = shown_to(runtime, issue_id, email=email, topics=topics)
    return page_for(assemble(shown.pieces.rendered, shown.edition), _personal(runtime, shown, shown.who))


def page_to_look_at(runtime: Runtime, shown: Shown) -> Page:
    """Return a reader's mail for somebody else's eyes: its personal links lead nowhere."""
    return page_for(assemble(shown.pieces.rendered, shown.edition), _personal(runtime, shown, SPECIMEN[1]))


def source_to_look_at(runtime: Runtime, shown: Shown) -> bytes:
    """Return the whole message as the mail server is given it, but for personal links: they lead nowhere.

    A reader to whom the issue was addressed sees the Message-ID of their delivery.
    """
    pieces = shown.pieces
    domain = pieces.newsletter.sender_email.rpartition("@")[2]
    return message_for(
        runtime,
        pieces.issue,
        pieces.newsletter,
        pieces.rendered,
        shown.edition,
        personal=_personal(runtime, shown, SPECIMEN[1]),
        message_id=shown.message_id or f"<{pieces.issue.id}.{shown.who}.preview@{domain}>",
    )


def _personal(runtime: Runtime, shown: Shown, who: SubscriberId) -> Mapping[Token, str]:
    return personal_values(runtime, shown.pieces.newsletter.id, shown.pieces.issue.id, who, shown.email)


def shown_to(
    runtime: Runtime, issue_id: int, *, email: str = "", topics: Sequence[str] | None = None
) -> Shown:
    """Return what a subscriber, a reader of `topics` or one of everything has of an issue.

    Raises as `shown_of` does, and `NotFound` for an unknown issue.
    """
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    return shown_of(runtime, pieces, email=email, topics=topics)


def shown_of(
    runtime: Runtime, pieces: Pieces, *, email: str = "", topics: Sequence[str] | None = None
) -> Shown:
    """Return what a subscriber, a reader of `topics` or one of everything has of these pieces.

    A subscriber who was sent the issue sees the edition they were sent; of who agreed to be measured it is
    theirs, with all it takes. Raises `NotFound` for an unknown
    subscriber or topic, and `Conflict` when that reader gets nothing.
    """
    issue, newsletter = pieces.issue, pieces.newsletter
    with reading(runtime.engine) as session:
        subscription = get_subscription(session, newsletter.id, email) if email else None
        named = [get_topic(session, newsletter.id, slug).slug for slug in topics or ()]
        delivery = find_delivery(session, issue.id, subscription.subscriber.id) if subscription else None
        sent = _addressed(session, delivery) if delivery else None
        message_id = delivery.message_id if delivery else ""
    address, who = (subscription.subscriber.email, subscription.subscriber.id) if subscription else SPECIMEN
    follows = _follows(subscription, named, pieces.outline.topics)
    edition = sent or _would_get(runtime, pieces, subscription) or edition_for(pieces.outline, follows)
    if not edition.sections:
        raise Conflict(
            f"a reader of {', '.join(sorted(follows)) or 'no topic'} gets nothing of issue {issue.id}"
        )
    return Shown(pieces, edition, address, who, message_id)


def _addressed(session: Session, delivery: DeliveryRow) -> Edition:
    """Return the edition of a delivery: as it was sent, or as it will be when a worker claims it."""
    edition = Edition.from_key(edition_key_of(session, delivery))
    if not edition.is_measured or delivery.state not in (DeliveryState.PENDING, DeliveryState.CLAIMED):
        return edition
    mail = IssueId(delivery.issue_id), SubscriberId(delivery.subscriber_id)
    return replace(edition, is_measured=mail in measurable_among(session, [mail]))


def _would_get(runtime: Runtime, pieces: Pieces, subscription: Subscription | None) -> Edition | None:
    """Return what addressing would give a subscriber, None for nobody in particular.

    Raises `Conflict` when it is not their turn, not for them, or they were sent or muted all of it before.
    """
    if subscription is None:
        return None
    with reading(runtime.engine) as session:
        told = Told(pieces.outline, pieces.rendered.titles, pieces.addresses, pieces.sources)
        found = edition_of(session, pieces.newsletter, pieces.issue, subscription, told, now=runtime.clock())
    if isinstance(found, Edition):
        return found
    if found.reason in _FOR_NOTHING_IN_IT:
        who = subscription.subscriber.email
        raise NotTheirTurn(f"{who} gets nothing of issue {pieces.issue.id}: {found.in_words}")
    return None


def page_sent(runtime: Runtime, issue_id: IssueId, subscriber_id: SubscriberId) -> Page:
    """Return the mail a subscriber was sent, for the web: their edition, their links, their address.

    Articles for which the mail had no room are there too: it said that they are online. Its HTML has no
    link to itself.

    Raises `NotFound` when this issue was not addressed to them, or they were removed since.
    """
    with reading(runtime.engine) as session:
        delivery = find_delivery(session, issue_id, subscriber_id)
        if delivery is None:
            raise NotFound(f"issue {issue_id} was not sent to subscriber {subscriber_id}")
        edition = Edition.from_key(edition_key_of(session, delivery))
        issue, has = get_issue(session, issue_id), find_reader_address(session, subscriber_id)
        if has is None or subscription_of(session, issue.newsletter_id, subscriber_id) is None:
            # Their delivery counts on, but their address is nobody's to be shown any more.
            raise NotFound(f"subscriber {subscriber_id} was removed")
        # Where it was mailed to: who reads there need not learn of a new address. Where that is kept no more,
        # it is theirs if they never had another.
        address = delivery.email or ("" if has.moved_at else has.email)
        rendered = get_rendered(session, issue)
    personal = personal_values(runtime, issue.newsletter_id, issue_id, subscriber_id, address)
    return page_for(_without_links_online(assemble(rendered, edition, room=None)), personal)


def _without_links_online(mail: Assembly) -> Assembly:
    """Return a mail without the links to its copy online: on that very page they lead nowhere else."""
    pieces = tuple(Fragment(_LINK_ONLINE.sub("", piece.html), piece.text) for piece in mail.pieces)
    return replace(mail, pieces=pieces)


def _follows(
    subscription: Subscription | None, named: Collection[TopicSlug], everything: Collection[TopicSlug]
) -> frozenset[TopicSlug]:
    if subscription is not None:
        return subscription.follows
    return frozenset(named or everything)
