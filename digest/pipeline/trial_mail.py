"""An issue mailed to editors as a reader would get it, marked as a test; nothing is recorded."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from digest.compose.letters import marked_as_test
from digest.deliver.headers import mail_address
from digest.deliver.mime import EncodedEdition, EncodedIssue
from digest.deliver.transport import Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, Refused, Unavailable
from digest.domain.issues import Issue, IssueId
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter
from digest.pipeline.letters import NO_DELIVERY
from digest.pipeline.personal_mail import personal_values, recipient_of, sender_of
from digest.pipeline.preview import SPECIMEN, Shown, shown_to
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import next_number
from digest.store.subscribers import is_suppressed

MAX_ADDRESSES = 20
"""More is no test but a mailing, and those have readers who asked for them."""


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
    email: str = "",
    topics: Sequence[str] | None = None,
) -> tuple[Tested, ...]:
    """Mail an issue in any state to `addresses`, as `page_for_reader` shows it.

    It goes the way of a real mail, headers and signature included, but its personal links lead nowhere:
    whoever gets it could otherwise unsubscribe the reader it is shown as. Raises what `page_for_reader`
    does, `Conflict` for a suppressed address, and `Unavailable` or `Refused` when the mail server takes none.
    """
    runtime.require_mail()
    _require_reachable(runtime, addresses)
    shown = shown_to(runtime, issue_id, email=email, topics=topics)
    edition = _edition(runtime, shown, email=shown.email if email else "", topics=topics or ())
    mails = [(address, *_mail(runtime, shown, edition, address)) for address in dict.fromkeys(addresses)]
    return asyncio.run(_send(runtime, mails))


def _require_reachable(runtime: Runtime, addresses: Sequence[str]) -> None:
    with reading(runtime.engine) as session:
        suppressed = [address for address in addresses if is_suppressed(session, address)]
    if suppressed:
        raise Conflict(
            f"{', '.join(suppressed)}: suppressed, as mail there bounced or its reader complained. "
            "No test was sent: leave that out"
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
    )
    return encoded.edition(shown.edition)


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
