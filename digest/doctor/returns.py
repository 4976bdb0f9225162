"""The ways by which bounces and complaints come in: webhooks of mail providers, a mailbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.deliver.smtp.server import is_loopback
from digest.doctor.checks import Check
from digest.domain.errors import DigestError, Misconfigured, Unavailable
from digest.pipeline.hooks import WEBHOOKS, guarded_fetch, webhooks_wanted
from digest.runtime import Runtime
from digest.track.mailboxes import Maildir, mailbox_at

_ASKED = {
    "ses": "an Amazon SNS topic (hook_sns_topics)",
    "postmark": "hook_postmark_secret",
    "mailgun": "hook_mailgun_key",
    "sendgrid": "hook_sendgrid_key",
}


def look_at_webhooks(runtime: Runtime) -> Iterator[Check]:
    """Look at the setting of each webhook, and at providers that mail leaves by and that tell us nothing."""
    wanted = webhooks_wanted(runtime, guarded_fetch(runtime))
    for provider, make in wanted.items():
        what = f"webhook of {WEBHOOKS[provider]}"
        try:
            make()
            _require_own_key(runtime, provider)
        except Misconfigured as exc:
            yield Check(what, False, "its setting is of no use", f"{str(exc).rstrip('.')}.")
            continue
        url = runtime.settings.public_url.rstrip("/")
        yield Check(what, True, f"taken in at {url}/hooks/{provider}", _advice(url, WEBHOOKS[provider]))
    for provider in sorted(_providers(runtime) - wanted.keys()):
        name = WEBHOOKS[provider]
        advice = (
            f"What {name} tells of bounces and complaints goes unheard: set {_ASKED[provider]}, unless they "
            "come back as mail."
        )
        yield Check(f"webhook of {name}", True, "none", advice)


def _require_own_key(runtime: Runtime, provider: str) -> None:
    """Raise `Misconfigured` for Mailgun's API key: what it signs webhooks with is another one."""
    key = runtime.settings.mail_key.get_secret_value().strip()
    if provider == "mailgun" and key and key == runtime.settings.hook_mailgun_key.get_secret_value().strip():
        raise Misconfigured(
            "hook_mailgun_key: is the same as mail_key; webhooks are signed with another key, the 'HTTP "
            "webhook signing key' of the account"
        )


def _advice(url: str, name: str) -> str:
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return f"{name} cannot reach this machine by it: set public_url to an address that others can reach."
    if parts.scheme != "https":
        return "Use https: what comes in unencrypted can be read and changed on the way."
    return ""


def _providers(runtime: Runtime) -> set[str]:
    """Return the providers whose HTTP API mail leaves by."""
    return {urlsplit(url).scheme for url in runtime.settings.mail_url} & WEBHOOKS.keys()


def look_at_mailbox(runtime: Runtime) -> Iterator[Check]:
    """Open the mailbox that bounces come to, and take nothing in; nothing where there is none."""
    url, what = runtime.settings.bounce_mailbox_url, "bounce mailbox"
    if not url:
        return
    try:
        mailbox = mailbox_at(url)
        mailbox.read(lambda _: None, should_stop=lambda: True)
        if isinstance(mailbox, Maildir) and not os.access(mailbox.folder / "cur", os.W_OK):
            raise Unavailable(f"{mailbox.folder / 'cur'} cannot be written, where what is taken in is kept")
    except DigestError as exc:
        yield Check(what, False, "cannot be read", f"{str(exc).rstrip('.')}.")
        return
    place = urlsplit(url)
    advice = (
        ""
        if "*" in runtime.settings.return_path
        else "Set return_path with a * in it, as in b+*@bounces.example.org: without it nobody can tell "
        "whose mail came back."
    )
    yield Check(what, not advice, f"{place.hostname or place.path} can be read", advice)
