"""Where `mail_url` leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from digest.deliver.console import ConsoleTransport
from digest.deliver.eml import EmlTransport
from digest.deliver.mail_urls import (
    FOLDERS,
    PROVIDERS,
    hosts_of,
    mail_folder,
    open_relays,
    open_transport,
    require_unsigned,
    stays_here,
    transport_of,
)
from digest.deliver.maildir import MaildirTransport
from digest.deliver.providers import HttpTransport
from digest.deliver.providers.opening import SCHEMES
from digest.deliver.relays import RelaysTransport
from digest.deliver.smtp import SmtpTransport
from digest.deliver.transport import MailSession
from digest.domain.errors import Misconfigured, Unavailable
from tests.deliver.ways import hold, send

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
    assert stays_here([url]) is (kind in (MaildirTransport, EmlTransport, ConsoleTransport))


def test_every_provider_that_an_address_may_name_is_there() -> None:
    assert PROVIDERS == SCHEMES


@pytest.mark.parametrize("url", ["https://mail.example.org", "mandrill:", "", "ses", "postmark"])
def test_any_other_address_is_refused_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"smtp://HOST:PORT.*docs/settings.md"):
        open_transport(url, KEY)


def test_several_addresses_are_relays_with_a_name_and_a_share_each(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k\n")
    relays = open_relays(
        [
            "smtp://u:p@mail.example.org:587?weight=3&tls=offered",
            "smtps://[2001:db8::1]?name=backup&weight=0",
            f"mailgun://mg.example.org?region=eu&key_file={tmp_path / 'key'}",
            "postmark:",
            "maildir:out/box",
        ],
        KEY,
    )
    assert [(relay.name, relay.weight) for relay in relays] == [
        ("mail.example.org:587", 3),
        ("backup", 0),
        ("mailgun:mg.example.org", 1),
        ("postmark", 1),
        ("maildir:out/box", 1),
    ]
    assert isinstance(transport_of(relays), RelaysTransport)
    assert transport_of(relays[:1]) is relays[0].transport
    assert isinstance(relays[0].transport, SmtpTransport)
    assert relays[0].transport.server.start_tls is None


def test_a_conversation_says_whose_it_is(tmp_path: Path) -> None:
    for scheme in sorted(FOLDERS):
        relays = open_relays([f"{scheme}:{tmp_path}/{scheme}?name=here"], KEY)
        assert hold(relays[0].transport, _relay_of) == "here"
    assert hold(open_transport("console:", KEY), _relay_of) == "console"
    assert hold(open_transport(f"eml:{tmp_path}/outbox", KEY), _relay_of) == f"eml:{tmp_path}/outbox"


async def _relay_of(session: MailSession) -> str:
    return session.relay


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ([], "mail_url is empty"),
        (["smtp://a.example.org", "smtp://u:secret@a.example.org:25"], "two addresses are called"),
        (["smtp://a.example.org?name=x", "console:?name=x"], "two addresses are called x"),
        (["smtp://a.example.org?weight=0"], "nothing else"),
        (["smtp://u:secret@a.example.org?weight=-1"], "weight is a number"),
        (["smtp://u:secret@a.example.org?weight="], "weight is a number"),
        (["smtp://u:secret@a.example.org?weight=9999"], "weight is a number"),
        (["smtp://u:secret@a.example.org?name=two%20words"], "name is up to 60"),
        (["smtp://u:secret@a.example.org?name="], "name is up to 60"),
        (["smtp://u:secret@a.example.org?key_file=k"], "key_file is for providers"),
        (["postmark:?key_file=/nowhere/key"], "key_file /nowhere/key: No such file"),
        (["smtp://a.example.org", "smtp://u:secret@b.example.org?wieght=2"], "option 'wieght'"),
        (["console:", "https://u:secret@example.org"], "'https' address cannot take mail"),
    ],
)
def test_what_several_addresses_cannot_mean_is_told_without_a_password(urls: list[str], words: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        open_relays(urls, KEY)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_signatures_of_ours_must_come_through_at_every_relay() -> None:
    require_unsigned(["smtp://a.example.org", "mailgun://mg.example.org"])
    with pytest.raises(Misconfigured, match=r"Amazon SES writes headers anew.*take it out of mail_url"):
        require_unsigned(["smtp://a.example.org", "ses://eu-central-1"])


def test_the_hosts_are_those_of_mail_servers_each_once() -> None:
    urls = [
        "smtp://a.example.org",
        "smtps://a.example.org",
        "mailgun://mg.example.org",
        "smtp://192.0.2.1",
        "console:",
    ]
    assert hosts_of(urls) == ("a.example.org", "192.0.2.1")
    assert not stays_here(urls)
    assert stays_here(["console:", "maildir:outbox"])


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
