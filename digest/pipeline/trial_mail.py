"""An issue mailed to editors as a reader would get it, marked as a test; nothing is recorded."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.admit.attempts import FOR_AN_ACCOUNT, WITHIN, must_wait, tries_at
from digest.compose.letters import marked_as_test
from digest.deliver.headers import mail_address
from digest.deliver.mime import EncodedEdition, EncodedIssue
from digest.deliver.transport import Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, InvalidInput, Refused, TooOften, Unavailable
from digest.domain.issues import Issue, IssueId
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import zone
from digest.pipeline.letters import NO_DELIVERY
from digest.pipeline.managing.segments import fits
from digest.pipeline.personal_mail import personal_values, recipient_of, sender_of
from digest.pipeline.preview import SPECIMEN, Shown, shown_to
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.issues import get_issue, next_number
from digest.store.newsletters import newsletter_by_id
from digest.store.subscription_pages import list_subscriptions
from digest.store.suppressions import is_suppressed

MAX_ADDRESSES = 10
"""More is no test but a mailing, and those have readers who asked for them."""

MARK = "X-Digest-Test"
"""The header by which filters tell a test from the mail itself, whatever its subject says."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a test for one address."""

    email: str
    outcome: Outcome

    @property
    def is_accepted(self) -> bool:
        """Whether the mail server took it."""
        return self.outcome.state is DeliveryState.ACCEPTED


def send_test(
    runtime: Runtime,
    issue_id: int,
    addresses: Sequence[str],
    *,
    by: str,
    email: str = "",
    topics: Sequence[str] | None = None,
) -> tuple[Tested, ...]:
    """Mail an issue in any state to `addresses`, as `page_for_reader` shows it.

    It goes the way of a real mail, headers and signature included, but its personal links lead nowhere:
    whoever gets it could otherwise unsubscribe the reader it is shown as. Raises what `page_for_reader`
    does, `InvalidInput` for too many addresses or none, `Conflict` for a suppressed one, `TooOften` after ten
    tests of a newsletter in a quarter of an hour, and `Unavailable` or `Refused` when the mail server takes
    none.
    """
    if not 1 <= len(set(addresses)) <= MAX_ADDRESSES:
        raise InvalidInput(
            f"a test goes to 1 to {MAX_ADDRESSES} addresses, not to {len(set(addresses))}. Nothing was sent"
        )
    runtime.require_mail()
    _require_reachable(runtime, addresses)
    shown = shown_to(runtime, issue_id, email=email, topics=topics)
    edition = _edition(runtime, shown, email=shown.email if email else "", topics=topics or ())
    _require_patience(runtime, shown.pieces.newsletter, by)
    mails = [(address, *_mail(runtime, shown, edition, address)) for address in dict.fromkeys(addresses)]
    tested = asyncio.run(_send(runtime, mails))
    with writing(runtime.engine) as session:
        told = ", ".join(one.email for one in tested)
        record(
            session,
            by=by,
            what="issue.tested",
            about=f"issue {issue_id}",
            detail=told,
            now=runtime.clock(),
        )
    return tested


def trial_addresses(
    runtime: Runtime, issue_id: int, addresses: Sequence[str], *, segment: str = ""
) -> tuple[str, ...]:
    """Return whom a test goes to: these addresses, each once, or else the active readers of a segment.

    Raises `NotFound`, and `InvalidInput` where both are named or neither is, and for a segment that fits
    nobody, or more than a test goes to; `Conflict` for one that fits somebody who is suppressed.
    """
    if bool(addresses) is bool(segment):
        raise InvalidInput("say where it goes: to addresses, or to a segment. Nothing was sent")
    return _readers_of(runtime, issue_id, segment) if segment else tuple(dict.fromkeys(addresses))


def _readers_of(runtime: Runtime, issue_id: int, segment: str) -> tuple[str, ...]:
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, get_issue(session, issue_id).newsletter_id)
        found = list_subscriptions(
            session,
            newsletter.id,
            limit=MAX_ADDRESSES + 1,
            state=SubscriptionState.ACTIVE,
            fits=fits(session, runtime, newsletter, segment),
        )
    if not 1 <= len(found) <= MAX_ADDRESSES:
        many = f"more than {MAX_ADDRESSES} active readers" if found else "no active reader"
        raise InvalidInput(
            f"the segment '{segment}' fits {many}: a test goes to 1 to {MAX_ADDRESSES} addresses. "
            "Nothing was sent"
        )
    readers = tuple(sorted(one.subscriber.email for one in found))
    _require_reachable(runtime, readers)
    return readers


def _require_reachable(runtime: Runtime, addresses: Sequence[str]) -> None:
    with reading(runtime.engine) as session:
        suppressed = [address for address in addresses if is_suppressed(session, address)]
    if suppressed:
        raise Conflict(
            f"{', '.join(suppressed)}: suppressed, as mail there bounced or its reader complained. "
            "No test was sent: leave that out"
        )


def _require_patience(runtime: Runtime, newsletter: Newsletter, by: str) -> None:
    """Count a test before it is sent: a form that mails anybody is no way to flood somebody."""
    tries = tries_at(runtime.door_key, "test mail", f"{newsletter.id} {by.casefold()}")
    now = runtime.clock()
    if wait := must_wait(runtime.engine, tries, now=now):
        again = (now + wait).astimezone(zone(newsletter.timezone))
        raise TooOften(
            f"{by} has sent {FOR_AN_ACCOUNT} tests of {newsletter.name} within "
            f"{WITHIN.total_seconds() // 60:.0f} minutes, which is enough for now. Send the next one after "
            f"{again:%H:%M} ({newsletter.timezone}). Nothing was sent",
            wait,
        )


def _edition(runtime: Runtime, shown: Shown, *, email: str, topics: Sequence[str]) -> EncodedEdition:
    newsletter, issue = shown.pieces.newsletter, shown.pieces.issue
    rendered = marked_as_test(
        shown.pieces.rendered,
        shown.edition,
        runtime.letter_template(LetterKind.TEST, newsletter),
        newsletter,
        issue=_number(runtime, issue),
        state=issue.state,
        reader=email,
        topics=topics,
    )
    encoded = EncodedIssue(
        rendered,
        sender_of(runtime, newsletter),
        name=f"{issue.id}.test",
        date=runtime.clock(),
        signer=runtime.signer(newsletter.sender_email),
        marks={MARK: f"issue {issue.id}"},
    )
    # A test names no reader, so nothing in it is measured, whoever it is made as.
    return encoded.edition(replace(shown.edition, is_measured=False))


def _number(runtime: Runtime, issue: Issue) -> int:
    """Return the number that the mail itself carries: the newsletter's count, not the issue's own number."""
    with reading(runtime.engine) as session:
        return issue.number or next_number(session, issue.newsletter_id)


def _mail(runtime: Runtime, shown: Shown, edition: EncodedEdition, address: str) -> tuple[Envelope, bytes]:
    newsletter: Newsletter = shown.pieces.newsletter
    issue_id: IssueId = shown.pieces.issue.id
    domain = newsletter.sender_email.rpartition("@")[2]
    personal = personal_values(runtime, newsletter.id, issue_id, SPECIMEN[1], address)
    recipient = recipient_of(personal, f"<test.{issue_id}.{secrets.token_hex(8)}@{domain}>")
    envelope = Envelope(runtime.return_path(newsletter.sender_email)(NO_DELIVERY), mail_address(address))
    return envelope, edition.message(recipient)


async def _send(runtime: Runtime, mails: Sequence[tuple[str, Envelope, bytes]]) -> tuple[Tested, ...]:
    """Send one after the other, each over a new conversation where the one before has ended."""
    done: list[Tested] = []
    while len(done) < len(mails):
        try:
            async with runtime.transport.session() as session:
                while session.is_open and len(done) < len(mails):
                    address, envelope, octets = mails[len(done)]
                    done.append(Tested(address, await _outcome(session, envelope, octets)))
        except (Unavailable, Refused) as exc:
            if not done:
                raise type(exc)(f"{str(exc).rstrip('.')}. No test was sent.") from exc
            rest = mails[len(done) :]
            done += [Tested(one[0], Outcome(DeliveryState.FAILED, None, str(exc))) for one in rest]
    return tuple(done)


async def _outcome(session: MailSession, envelope: Envelope, octets: bytes) -> Outcome:
    async def arm() -> bool:
        return True

    try:
        return await session.send(envelope, octets, arm)
    except (Refused, Unavailable) as exc:
        return Outcome(DeliveryState.FAILED, None, str(exc))
