"""An examination under settings of one's own."""

from pathlib import Path

import pytest

from digest.doctor import Check, examine

KEY = "k" * 32
TEMPLATES = (
    *("alert", "confirmation", "digest", "goodbye", "invitation", "leave-address", "new-address"),
    *("new-password", "old-address", "preferences", "test", "welcome"),
)


def write_settings(**changed: str) -> None:
    settings = {"secret_key": KEY, "mail_url": "maildir:outbox", "ops_email": "ops@example.org", **changed}
    Path("digest.toml").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))


def look(what: str, **changed: str) -> Check:
    """Examine with some settings changed, and return the one check of that name.

    Templates are compiled only for those that ask about them: it is two thirds of an examination.
    """
    write_settings(**changed)
    with pytest.MonkeyPatch.context() as patch:
        if not what.startswith("template"):
            patch.setattr("digest.doctor.examination.look_at_templates", lambda _: iter(()))
        (found,) = (check for check in examine() if check.what == what)
    return found
