"""The settings that need a second look: keys, the public address, who is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.deliver.mail_urls import stays_here
from digest.deliver.smtp.server import is_loopback
from digest.doctor.checks import Check
from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address, parse_sender
from digest.settings import PREFIX, Settings, config_file

KEY_LENGTH = 32
"""Characters a secret key needs at least: 'digest init' writes 43, which are 256 random bits."""


def look_at_settings(settings: Settings) -> Iterator[Check]:
    """Look at where the settings come from, and at those that are easily left wrong."""
    file = config_file()
    variables = sum(name.startswith(PREFIX) for name in os.environ)
    if file.exists():
        yield Check("settings", True, f"{file.resolve()}, {variables} from the environment")
    else:
        advice = "" if variables else "Run 'digest init' to make digest.toml in this folder."
        yield Check("settings", True, f"no {file} here, {variables} from the environment", advice)
    yield _secret_key(settings.secret_key.get_secret_value())
    yield _public_url(settings)
    yield _ops(settings.ops_email)
    if settings.accounts_email:
        yield _accounts(settings.accounts_email)


def _secret_key(key: str) -> Check:
    advice = (
        "Set secret_key (or DIGEST_SECRET_KEY) to the output of 'openssl rand -hex 32'. Keep an old key that "
        "signed mails in previous_secret_keys."
    )
    if not key:
        return Check("secret key", False, "not set, so links in mails cannot be signed", advice)
    if len(key) < KEY_LENGTH:
        return Check("secret key", False, f"{len(key)} characters: short enough to be guessed", advice)
    return Check("secret key", True, f"{len(key)} characters")


def _public_url(settings: Settings) -> Check:
    what, url = "public address", settings.public_url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Check(
            what, False, f"'{url}' is no http(s) URL", "Set public_url, as in https://digest.example.org."
        )
    if is_loopback(parts.hostname):
        urls = settings.mail_url
        if stays_here(urls) or all(is_loopback(urlsplit(url).hostname or "") for url in urls):
            return Check(what, True, f"{url}, this machine alone")
        # Not bad in itself: a catcher of mail may well have a name of its own.
        advice = "Links in mails lead there: set public_url to an address your readers can reach."
        return Check(what, True, f"{url}, reached from this machine alone", advice)
    if parts.scheme == "http":
        advice = "Use https: without it mail programs show no one-click unsubscribe (RFC 8058 §3.1)."
        return Check(what, True, f"{url}, unencrypted", advice)
    return Check(what, True, url)


def _ops(address: str) -> Check:
    what = "ops address"
    if not address:
        advice = "Set ops_email: what needs a person (a missed run, an empty week) is only logged now."
        return Check(what, True, "not set", advice)
    try:
        return Check(what, True, parse_address(address))
    except InvalidInput as exc:
        return Check(what, False, f"'{address}'", f"ops_email: {exc}")


def _accounts(address: str) -> Check:
    what = "sender to accounts"
    try:
        return Check(what, True, parse_sender(address))
    except InvalidInput as exc:
        return Check(what, False, f"'{address}'", f"accounts_email: {exc}")
