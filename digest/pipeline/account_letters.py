"""Links for people with an account, by mail: asked for at the door or made by an admin, written when sent."""

from __future__ import annotations

from datetime import datetime

import structlog

from digest.admit.entering import INVITED_WITHIN, OWN_WITHIN, LinkPost, mail_own_link
from digest.admit.sessions import kept
from digest.deliver.transport import Envelope
from digest.domain.errors import NotFound
from digest.domain.letters import Letter, LetterKind
from digest.domain.mail import Page
from digest.pipeline.preview import SPECIMEN
from digest.runtime import Runtime
from digest.store.accounts import account_by_id, find_account
from digest.store.database import reading, writing
from digest.store.entry_links import find_link
from digest.store.newsletters import first_sender
from digest.store.suppressions import is_suppressed

log = structlog.get_logger(__name__)

SENDER_NAME = "Digest"


def link_post(runtime: Runtime) -> LinkPost | None:
    """Return what links are mailed with, None where no address is known that mail may come from."""
    sender = _sender(runtime)
    if not sender or not runtime.settings.secret_key.get_secret_value():
        return None
    return LinkPost(runtime.door_key, sender.rpartition("@")[2])


def _sender(runtime: Runtime) -> str:
    if runtime.settings.accounts_email:
        return runtime.settings.accounts_email
    with reading(runtime.engine) as session:
        return first_sender(session)


def mail_forgotten(runtime: Runtime, email: str) -> None:
    """Mail the owner of an address a link for a new password, where it has an account; at most one a while.

    What came of it is for the log alone: who asks must not learn whether there is such an account.
    """
    post = link_post(runtime)
    with reading(runtime.engine) as session:
        account = find_account(session, email)
        suppressed = is_suppressed(session, email)
    if account is None or post is None or suppressed:
        log.info("account.link_not_mailed", known=account is not None, suppressed=suppressed)
        return
    with writing(runtime.engine) as session:
        mailed = mail_own_link(session, account, now=runtime.clock(), post=post)
    log.info("account.link_asked", account=account.id, mailed=mailed)


def write_account_letter(runtime: Runtime, letter: Letter) -> tuple[Envelope, bytes]:
    """Return a letter to an account, and its envelope.

    Raises `NotFound` when its link is good for nothing any more, `Misconfigured` when a template or setting
    is wrong.
    """
    from digest.deliver.headers import mail_address
    from digest.deliver.letters import Head
    from digest.deliver.letters import letter as written
    from digest.domain.deliveries import DeliveryId

    post, sender = link_post(runtime), _sender(runtime)
    token = post.token_of(letter.message_id) if post else ""
    with reading(runtime.engine) as session:
        account = account_by_id(session, letter.account_id or 0)
        link = find_link(session, kept(token), now=runtime.clock())
    if link is None:
        raise NotFound(
            "its link was used or is too old, another was made since, or secret_key is another now: ask for "
            "a new one"
        )
    page = _page(runtime, letter.kind, letter.email, token, link.expires_at, account.language)
    head = Head(
        sender=sender,
        sender_name=SENDER_NAME,
        to=letter.email,
        message_id=letter.message_id,
        date=letter.created_at,
        language=account.language,
    )
    envelope = Envelope(runtime.return_path(sender)(DeliveryId(0)), mail_address(letter.email))
    return envelope, written(page, head, signer=runtime.signer(sender))


def sample_account_letter(runtime: Runtime, kind: LetterKind, language: str) -> Page:
    """Return a letter of this kind to nobody, with a link that opens nothing. Raises `Misconfigured`."""
    until = runtime.clock() + (OWN_WITHIN if kind is LetterKind.NEW_PASSWORD else INVITED_WITHIN)
    return _page(runtime, kind, SPECIMEN[0], "specimen", until, language)


def _page(runtime: Runtime, kind: LetterKind, email: str, token: str, until: datetime, language: str) -> Page:
    from digest.compose.letters import entry_page, entry_view

    template = runtime.letter_template(kind)
    when = f"{template.phrases(language).day(until.date())}, {until:%H:%M} UTC"
    view = entry_view(email, runtime.link("enter", token), until=when)
    return entry_page(template, view, language)
