"""Letters on their way: written with what is true now, sent by a worker or a command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from digest.deliver.outbox import are_letters_due, send_letters
from digest.deliver.transport import Envelope
from digest.domain.deliveries import DeliveryId, Outcome
from digest.domain.errors import Conflict, NotFound, Refused, Unavailable
from digest.domain.letters import OF_CHANGES, Letter, LetterId, LetterKind
from digest.domain.mail import Page
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState
from digest.pipeline.account_letters import write_account_letter
from digest.pipeline.holding import is_held, refuse_when_held
from digest.pipeline.personal_mail import sender_of
from digest.pipeline.sign_ups import never_again_link, take_in_sign_ups
from digest.runtime import Runtime
from digest.store.address_changes import AddressChange, change_to_tell
from digest.store.asks import find_ask
from digest.store.database import reading, writing
from digest.store.letters import LetterStanding, get_letter, hasten_letters, queue_letter
from digest.store.newsletters import get_newsletter, list_topics, newsletter_by_id
from digest.store.subscribers import get_subscription, subscription_of
from digest.store.suppressions import is_suppressed
from digest.track.tokens import Purpose

log = structlog.get_logger(__name__)

LETTER_SECONDS = 45.0
"""How long a worker sends letters before it hands on: as with issues."""

NO_DELIVERY = DeliveryId(0)
"""What stands in the return path of a mail that is no delivery: a report that comes there is nobody's."""


_WHO_SENDS = "a running 'digest up' or worker sends it, or 'digest mail send --now'"


def letters_due(runtime: Runtime) -> bool:
    """Take back what dead workers held, and return whether a letter could be sent now."""
    return are_letters_due(runtime.engine, now=runtime.clock()) and not is_held(runtime)


def post_letters(
    runtime: Runtime,
    *,
    only: LetterId | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_settled: Callable[[Outcome], None] = lambda _: None,
) -> None:
    """Send the letters that are due, or one of them, for a task's time. Raises what `send_letters` does.

    And `Conflict` while everything is held.
    """
    deadline = time.monotonic() + LETTER_SECONDS
    runtime.require_mail()
    refuse_when_held(runtime)
    asyncio.run(
        send_letters(
            runtime.engine,
            transport=runtime.transport,
            letter_for=lambda letter: write_letter(runtime, letter),
            owner=runtime.owner,
            clock=runtime.clock,
            only=only,
            should_stop=lambda: should_stop() or time.monotonic() > deadline or is_held(runtime),
            on_settled=on_settled,
        )
    )


def post_all_letters(runtime: Runtime, *, put_off_too: bool, on_settled: Callable[[Outcome], None]) -> None:
    """Send the letters that are due until none is, those that sign-ups lead to as well, as a worker does.

    `put_off_too` makes those due that wait for their next try. Raises what `send_letters` does.
    """
    if put_off_too:
        with writing(runtime.engine) as session:
            hasten_letters(session, now=runtime.clock())
    take_in_sign_ups(runtime)
    while letters_due(runtime):
        post_letters(runtime, on_settled=on_settled)


def write_letter(runtime: Runtime, letter: Letter) -> tuple[Envelope, bytes]:
    """Return a letter as it says what is true now, and its envelope.

    Raises `NotFound` when its subscriber was removed, `Misconfigured` when a template or setting is wrong.
    """
    from digest.deliver.headers import mail_address
    from digest.deliver.letters import Head
    from digest.deliver.letters import letter as written

    if letter.newsletter_id is None or letter.subscriber_id is None:
        return write_account_letter(runtime, letter)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, letter.newsletter_id)
        subscription = subscription_of(session, letter.newsletter_id, letter.subscriber_id)
        names = {topic.slug: topic.name for topic in list_topics(session, letter.newsletter_id)}
        asked = find_ask(session, letter.newsletter_id, letter.subscriber_id)
    if subscription is None:
        raise NotFound(f"{letter.email} was removed from {newsletter.name}")
    if letter.kind is LetterKind.CONFIRMATION and asked:
        follows = asked.wishes.topics
    else:
        follows = subscription.follows
    topics = tuple(name for slug, name in names.items() if slug in follows)
    page, unsubscribe_url = page_of(runtime, letter, newsletter, letter.subscriber_id, topics)
    sender = sender_of(runtime, newsletter)
    head = Head(
        sender=sender.address,
        sender_name=sender.name,
        reply_to=sender.reply_to,
        to=letter.email,
        message_id=letter.message_id,
        date=letter.created_at,
        language=newsletter.language,
        feedback_id=f"{letter.kind}:{sender.feedback_id.replace(':digest:', ':letter:')}",
        list_id=sender.list_id,
        unsubscribe_url=unsubscribe_url,
    )
    envelope = Envelope(runtime.return_path(sender.address)(NO_DELIVERY), mail_address(letter.email))
    return envelope, written(page, head, signer=runtime.signer(sender.address))


def page_of(
    runtime: Runtime, letter: Letter, newsletter: Newsletter, who: SubscriberId, topics: tuple[str, ...]
) -> tuple[Page, str]:
    """Return what a letter says, and the link that unsubscribes from more of its kind, '' for none."""
    from digest.compose.letters import letter_page, letter_view

    change = _change_of(runtime, letter, who)
    link, unsubscribe_url = links_of(
        runtime, letter.kind, newsletter.id, who, letter.email, change=change.id if change else 0
    )
    # Whoever gives an address up is told for which. The new mailbox may be a stranger's, after a slip.
    is_asking = letter.kind in (LetterKind.CONFIRMATION, LetterKind.NEW_ADDRESS)
    other = change.new_email if change and letter.kind is LetterKind.LEAVE_ADDRESS else ""
    view = letter_view(
        letter.email,
        link,
        topics=topics,
        unsubscribe_url=unsubscribe_url,
        other=other,
        never_url=never_again_link(runtime, letter.email) if is_asking else "",
    )
    return letter_page(runtime.letter_template(letter.kind, newsletter), newsletter, view), unsubscribe_url


def _change_of(runtime: Runtime, letter: Letter, who: SubscriberId) -> AddressChange | None:
    """Return the change of address that a letter is about, None for one of another kind."""
    if letter.kind not in OF_CHANGES:
        return None
    with reading(runtime.engine) as session:
        change = change_to_tell(session, letter.kind, who, letter.email)
    if change is None:
        raise NotFound(f"the change of address that a letter to {letter.email} was about is over")
    return change


def links_of(
    runtime: Runtime,
    kind: LetterKind,
    newsletter_id: NewsletterId,
    who: SubscriberId,
    email: str,
    *,
    change: int = 0,
) -> tuple[str, str]:
    """Return the link a letter of this kind is for, and what unsubscribes from its list, "" for none.

    `email` is where it goes, `change` the number of the change of address that it is about.

    Only a welcome belongs to one: a mail that was asked for, or the last one, nobody can have too often.
    """
    sign, link = runtime.tokens.sign, runtime.link
    if kind is LetterKind.CONFIRMATION:
        token = runtime.tokens.sign_confirmation(newsletter_id, who, now=runtime.clock())
        return link("confirm", token), ""
    if kind in OF_CHANGES:
        return link(kind.value, sign(Purpose(kind.value), change, who)), ""
    settings = link("preferences", runtime.tokens.sign_preferences(newsletter_id, who, email))
    if kind is LetterKind.WELCOME:
        return settings, link("unsubscribe", sign(Purpose.UNSUBSCRIBE, newsletter_id, who))
    return settings, ""


def mail_link(runtime: Runtime, slug: str, email: str) -> LetterStanding:
    """Mail a subscriber the link to their settings, and return how that letter stands then.

    Raises `NotFound` for nobody, `Conflict` where the link would reach nobody or is on its way already, and
    `Unavailable` or `Refused` when the mail server does not take it now: it waits, and is tried again.
    """
    runtime.require_mail()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        reader = get_subscription(session, newsletter.id, email)
        address = reader.subscriber.email
        _require_reachable(reader, newsletter, suppressed=is_suppressed(session, address))
        letter_id = queue_letter(
            session, LetterKind.PREFERENCES, newsletter.id, reader.subscriber.id, now=runtime.clock()
        )
        if letter_id is None:
            raise Conflict(
                f"a link for {address} waits already: {_WHO_SENDS}; 'digest mail list' tells of it"
            )
    try:
        post_letters(runtime, only=letter_id)
    except (Refused, Unavailable) as exc:
        rest = f"The link is not lost: it waits, and {_WHO_SENDS}"
        raise type(exc)(f"{str(exc).rstrip('.')}. {rest}.") from exc
    with reading(runtime.engine) as session:
        return get_letter(session, letter_id)


def _require_reachable(found: Subscription, newsletter: Newsletter, *, suppressed: bool) -> None:
    email = found.subscriber.email
    if suppressed:
        raise Conflict(
            f"{email} is suppressed: it bounced or its reader complained, so nothing is mailed there"
        )
    if found.state is SubscriptionState.UNSUBSCRIBED:
        raise Conflict(
            f"{email} unsubscribed from {newsletter.name}, so nothing is mailed there; if they asked to come "
            f"back: 'digest subscriber add {newsletter.slug} {email} --again'"
        )
    if found.state is SubscriptionState.PENDING:
        raise Conflict(f"{email} has not confirmed {newsletter.name} yet: there is nothing to change")
