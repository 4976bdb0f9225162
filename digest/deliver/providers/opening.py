"""Which provider an address is of."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from digest.deliver.providers.account import Account
from digest.deliver.providers.mailgun import Mailgun
from digest.deliver.providers.postmark import Postmark
from digest.deliver.providers.sendgrid import SendGrid
from digest.deliver.providers.ses import Ses
from digest.deliver.providers.transport import HttpTransport, Provider

_PROVIDERS: dict[str, tuple[Callable[[Account], Provider], tuple[str, ...]]] = {
    "ses": (Ses, ("configuration_set",)),
    "postmark": (Postmark, ("stream",)),
    "mailgun": (Mailgun, ("region",)),
    "sendgrid": (SendGrid, ("region",)),
}
"""How each is made, and the options that its address may have."""

SCHEMES = frozenset(_PROVIDERS)


def open_provider(url: str, key: SecretStr, *, relay: str = "", timeout: float = 60.0) -> HttpTransport:
    """Return the transport that `mail_url` names, one of `mail_urls.PROVIDERS`.

    `relay` is its name in conversations, '' for the provider's and the account's domain or region. Raises
    `Misconfigured` with what is wrong, and never repeats the key.
    """
    make, options = _PROVIDERS[urlsplit(url).scheme]
    account = Account.from_url(url, key, options=options)
    relay = relay or ":".join(filter(None, [account.scheme, account.place]))
    return HttpTransport(make(account), relay=relay, timeout=timeout)
