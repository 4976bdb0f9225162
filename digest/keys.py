"""The keys that settings give: those that sign, and those that are derived from them for one purpose each."""

import hmac

from digest.domain.erasing import ErasureKeys
from digest.domain.errors import Misconfigured
from digest.settings import Settings


def secret_keys(settings: Settings) -> list[str]:
    """Return the keys in falling age, as those who sign with them want them: the last one signs.

    Raises `Misconfigured` when there is none.
    """
    key = settings.secret_key.get_secret_value()
    if not key:
        raise Misconfigured(
            "secret_key is not set, so links in mails cannot be signed: run 'digest init', which writes "
            "one into digest.toml, or set DIGEST_SECRET_KEY to 32 random characters or more"
        )
    older = [previous.get_secret_value() for previous in settings.previous_secret_keys]
    return [*older, key]


def key_for(settings: Settings, purpose: str) -> bytes:
    """Return the key of one purpose: who learns it can do nothing with it elsewhere. Raises as above."""
    return _derived(secret_keys(settings)[-1], purpose)


def erasure_keys(settings: Settings) -> ErasureKeys:
    """Return what tells who was erased; without any key of the settings it tells nobody, and marks nobody."""
    own = [key.get_secret_value() for key in (settings.erasure_key, *settings.previous_erasure_keys)]
    secret = [key.get_secret_value() for key in (settings.secret_key, *settings.previous_secret_keys)]
    derived = [_derived(key, "erasures") for key in secret if key]
    return ErasureKeys((*(key.encode() for key in own if key), *derived))


def _derived(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"digest.{purpose}".encode(), "sha256")
