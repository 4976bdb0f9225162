"""Mailboxes: each mail is handed over once, and marked only when it was taken."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from digest.domain.errors import Misconfigured, Refused, Unavailable
from digest.track.mailboxes import Maildir, mailbox_at
from digest.track.reports import READ_MAX
from tests.servers.certificates import write_certificate
from tests.servers.imap import PASSWORD, PLAIN_PASSWORD, USER, Mailbox, imap_server


def go_on() -> bool:
    return False


def maildir(folder: Path, *mails: bytes) -> Path:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    for number, octets in enumerate(mails):
        (folder / "new" / f"17000000{number:02}.M1.host").write_bytes(octets)
    return folder


def test_mails_of_a_maildir_are_taken_in_their_order_and_moved(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "m x", b"one", b"two", b"x" * (READ_MAX + 9))
    box = mailbox_at(f"maildir:{quote(str(folder))}")
    taken: list[bytes] = []
    assert box.read(taken.append, should_stop=go_on) == 3
    assert [octets[:3] for octets in taken] == [b"one", b"two", b"xxx"]
    assert len(taken[2]) == READ_MAX
    assert list((folder / "new").iterdir()) == []
    assert sorted(file.name for file in (folder / "cur").iterdir())[0] == "1700000000.M1.host:2,S"
    assert box.read(taken.append, should_stop=go_on) == 0


def test_what_could_not_be_taken_stays_new_and_so_does_the_rest(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "m", b"one", b"two", b"three")
    taken: list[bytes] = []

    def take(octets: bytes) -> None:
        if octets == b"two" and len(taken) == 1:
            taken.append(b"away")
            raise Unavailable("the database is away")
        taken.append(octets)

    with pytest.raises(Unavailable):
        Maildir(folder).read(take, should_stop=go_on)
    assert len(list((folder / "new").iterdir())) == 2
    assert Maildir(folder).read(take, should_stop=go_on) == 2
    assert taken == [b"one", b"away", b"two", b"three"]
    stopped = maildir(tmp_path / "n", b"one")
    assert Maildir(stopped).read(take, should_stop=lambda: True) == 0


def test_a_mail_that_another_process_has_taken_is_no_trouble(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "m", b"one", b"two")

    def take(_: bytes) -> None:
        for file in (folder / "new").iterdir():
            file.unlink()

    assert Maildir(folder).read(take, should_stop=go_on) == 1


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="needs folders new and cur"):
        Maildir(tmp_path).read(lambda _: None, should_stop=go_on)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1").write_bytes(b"one")
    with pytest.raises(Unavailable, match="cannot be moved to cur"):
        Maildir(tmp_path).read(lambda _: None, should_stop=go_on)


@pytest.mark.parametrize(
    "url",
    ["", "maildir:", "pop3://a:hunter2@x/", "imaps://host/INBOX", "imaps://a:hunter2@:99999/", "http://["],
)
def test_what_names_no_mailbox_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="bounce_mailbox_url") as told:
        mailbox_at(url)
    assert "hunter2" not in str(told.value)


def address(port: int, *, scheme: str = "imap", password: str = PASSWORD, folder: str = "") -> str:
    return f"{scheme}://{USER}:{quote(password, safe='')}@127.0.0.1:{port}/{folder}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "server.pem")


def test_mails_over_imap_are_marked_when_they_are_taken(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailbox = Mailbox("Returns")
    mailbox.mails = [b"one\r\n", b"two\r\n)", b"x" * (READ_MAX + 9)]
    mailbox.seen = {1}
    taken: list[bytes] = []

    def take(octets: bytes) -> None:
        assert len(mailbox.seen) == 1 + len(taken), "nothing is marked before it is taken"
        taken.append(octets)

    with imap_server(mailbox, certificate=certificate) as port:
        box = mailbox_at(address(port, scheme="imaps", folder="Returns"))
        assert PASSWORD not in repr(box)
        assert box.read(take, should_stop=go_on) == 2
        assert box.read(take, should_stop=go_on) == 0
    assert [octets[:3] for octets in taken] == [b"two", b"xxx"]
    assert mailbox.seen == {1, 2, 3}


def test_a_certificate_that_nobody_vouches_for_is_not_believed(certificate: Path) -> None:
    mailbox = Mailbox()
    with (
        imap_server(mailbox, certificate=certificate) as port,
        pytest.raises(Unavailable, match="certificate verify failed"),
    ):
        mailbox_at(address(port, scheme="imaps")).read(lambda _: None, should_stop=go_on)
    assert mailbox.said == [], "not a word was said, and no password"


def test_a_server_without_sasl_is_logged_in_to_with_plain_letters() -> None:
    mailbox = Mailbox(has_sasl=False)
    mailbox.mails = [b"one"]
    with imap_server(mailbox) as port:
        box = mailbox_at(address(port, password=PLAIN_PASSWORD))
        assert box.read(lambda _: None, should_stop=go_on) == 1
        with pytest.raises(Refused, match="plain letters") as told:
            mailbox_at(address(port)).read(lambda _: None, should_stop=go_on)
    assert PASSWORD not in str(told.value)


def test_no_password_goes_to_another_machine_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.track.mailboxes._is_here", lambda _: False)
    mailbox = Mailbox()
    with imap_server(mailbox) as port, pytest.raises(Unavailable):
        mailbox_at(address(port)).read(lambda _: None, should_stop=go_on)
    assert not any("LOGIN" in said or "AUTH" in said for said in mailbox.said)


def test_what_cannot_be_taken_stays_unseen() -> None:
    mailbox = Mailbox()
    mailbox.mails = [b"one"]

    def fail(_: bytes) -> None:
        raise Unavailable("the database is away")

    with imap_server(mailbox) as port:
        with pytest.raises(Unavailable, match="the database is away"):
            mailbox_at(address(port)).read(fail, should_stop=go_on)
        assert mailbox.seen == set()
        assert mailbox_at(address(port)).read(lambda _: None, should_stop=lambda: True) == 0
        assert mailbox_at(address(port)).read(lambda _: None, should_stop=go_on) == 1


def test_a_log_in_or_a_folder_that_is_wrong_is_said_without_the_password() -> None:
    with imap_server(Mailbox()) as port:
        with pytest.raises(Refused, match="refused the log-in") as told:
            mailbox_at(address(port, password="hunter2")).read(lambda _: None, should_stop=go_on)
        assert "hunter2" not in str(told.value)
        for folder in ("Nowhere", "a%0D%0Ab"):
            with pytest.raises(Refused, match=r"folder|plain letters"):
                mailbox_at(address(port, folder=folder)).read(lambda _: None, should_stop=go_on)
    with pytest.raises(Unavailable, match=r"cannot be read: Connection refused\. Check host"):
        mailbox_at(address(port)).read(lambda _: None, should_stop=go_on)


def test_a_server_that_hangs_up_is_away() -> None:
    mailbox = Mailbox()
    mailbox.mails = [b"one"]

    def break_off() -> None:
        raise ConnectionResetError

    mailbox.on_fetch = break_off
    with imap_server(mailbox) as port, pytest.raises(Unavailable, match="IMAP server 127"):
        mailbox_at(address(port)).read(lambda _: None, should_stop=go_on)
