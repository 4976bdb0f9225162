"""Where `mail_url` leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from digest.deliver.console import ConsoleTransport
from digest.deliver.eml import EmlTransport
from digest.deliver.mail_urls import FOLDERS, PROVIDERS, mail_folder, open_transport, stays_here
from digest.deliver.maildir import MaildirTransport
from digest.deliver.providers import HttpTransport
from digest.deliver.providers.opening import SCHEMES
from digest.deliver.smtp import SmtpTransport
from digest.domain.errors import Misconfigured, Unavailable
from tests.deliver.ways import send

KEY = SecretStr("ID:SECRET")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("smtp://mail.example.org", SmtpTransport),
        ("smtps://mail.example.org", SmtpTransport),
        ("maildir:outbox", MaildirTransport),
        ("eml:outbox", EmlTransport),
        ("console:", ConsoleTransport),
        ("ses://eu-central-1", HttpTransport),
        ("postmark:", HttpTransport),
        ("mailgun://mg.example.org", HttpTransport),
        ("sendgrid:", HttpTransport),
    ],
)
def test_each_form_leads_to_its_transport(url: str, kind: type) -> None:
    assert isinstance(open_transport(url, KEY), kind)
    assert stays_here(url) is (kind in (MaildirTransport, EmlTransport, ConsoleTransport))


def test_every_provider_that_an_address_may_name_is_there() -> None:
    assert PROVIDERS == SCHEMES


@pytest.mark.parametrize("url", ["https://mail.example.org", "mandrill:", "", "ses", "postmark"])
def test_any_other_address_is_refused_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"smtp://HOST:PORT.*docs/settings.md"):
        open_transport(url, KEY)


@pytest.mark.parametrize("scheme", sorted(FOLDERS))
def test_a_folder_may_be_named_from_the_root_or_from_here(scheme: str) -> None:
    assert mail_folder(f"{scheme}:outbox") == Path("outbox")
    assert mail_folder(f"{scheme}:///var/mail%20box") == Path("/var/mail box")
    assert mail_folder("smtp://mail.example.org/outbox") is None


def test_eml_files_are_whole_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    transport = EmlTransport(tmp_path / "outbox")
    for name in ("anna", "ben"):
        send(transport, f"{name}@example.org")
    names = sorted(path.name for path in (tmp_path / "outbox").iterdir())
    assert len(names) == 2
    assert all(name.endswith(".eml") for name in names)


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_armed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="mail folder"):
        send(EmlTransport(tmp_path / "file" / "outbox"))
