"""Accounts by command: added, changed, removed, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from digest.admit.entering import INVITED_WITHIN, enter_first, get_link
from digest.admit.passwords import is_right
from digest.admit.steps import Place
from digest.cli.first_link import tell_first_link
from digest.domain.accounts import AccountId
from digest.domain.errors import NotFound
from digest.runtime import Runtime, utc_now
from digest.settings import Settings
from digest.store.accounts import password_of
from digest.store.audit import list_entries
from digest.store.database import open_engine, reading
from tests.cli.conftest import WRONG, Digest

PASSWORD = "four calm words here\n"


@pytest.fixture
def edith(weekly: Path, digest: Digest) -> Digest:
    """The command where Edith, an admin, is the only account."""
    add = (
        "account",
        "add",
        "Edith@Example.org",
        "--name",
        "Edith",
        "--role",
        "admin",
        "--by",
        "Ben",
        "--password",
    )
    told = digest(*add, answer=PASSWORD).well().out
    assert "Edith (Edith@example.org) may sign in as admin at http" in told
    return digest


def audited(folder: Path) -> list[tuple[str, str, str, str]]:
    with reading(open_engine(f"sqlite:///{folder / 'digest.db'}")) as session:
        return [
            (one.by, one.what, one.about, one.detail)
            for one in list_entries(session, limit=50, what="account")
        ]


def test_without_an_account_the_list_says_how_to_make_one(weekly: Path, digest: Digest) -> None:
    assert "digest account add EMAIL --role admin" in digest("account", "list").well().out


def test_an_account_is_added_changed_and_removed_and_each_is_written_down(
    weekly: Path, edith: Digest
) -> None:
    edith("account", "add", "omar@example.org", "--role", "ops", "--by", "Ben").well()
    listed = edith("account", "list", "--json").json
    assert [(one["name"], one["role"], one["has_password"]) for one in listed] == [
        ("Edith", "admin", True),
        ("omar@example.org", "ops", False),
    ]
    assert (
        "was ops until now" in edith("account", "role", "OMAR@example.org", "editor", "--by", "Cy").well().out
    )
    assert "was that before" in edith("account", "role", "omar@example.org", "editor").well().out
    spoken = edith("account", "language", "omar@example.org", "de", "--by", "Cy").well().out
    assert "are in de; they were in en" in spoken
    edith("account", "language", "omar@example.org", "und").refused(2, "names no language")
    assert (
        "0 sessions ended"
        in edith("account", "password", "omar@example.org", "--by", "Cy", answer="another long password\n")
        .well()
        .out
    )
    edith("account", "remove", "omar@example.org", "--yes", "--by", "Cy").well()
    assert audited(weekly) == [
        ("Cy", "account.removed", "omar@example.org", ""),
        ("Cy", "account.password_set", "omar@example.org", ""),
        ("Cy", "account.language_changed", "omar@example.org", "en → de"),
        ("Cy", "account.role_changed", "omar@example.org", "ops → editor"),
        ("Ben", "account.link_made", "omar@example.org", ""),
        ("Ben", "account.added", "omar@example.org", "ops"),
        ("Ben", "account.added", "Edith@example.org", "admin"),
    ]


def test_the_password_is_kept_as_a_hash(weekly: Path, edith: Digest) -> None:
    with reading(open_engine(f"sqlite:///{weekly / 'digest.db'}")) as session:
        kept = password_of(session, AccountId(1))
    assert kept.startswith("$argon2id$")
    assert is_right(kept, "four calm words here")


def test_a_link_lets_its_owner_in_once_and_a_new_one_ends_it(weekly: Path, edith: Digest) -> None:
    first, second = (
        re.search(r"/enter/([\w-]+)", edith("account", "link", "edith@example.org").well().out)
        for _ in range(2)
    )
    assert first
    assert second
    engine, now = open_engine(f"sqlite:///{weekly / 'digest.db'}"), utc_now()
    with pytest.raises(NotFound, match="another was made since"):
        get_link(engine, first[1], now=now)
    with pytest.raises(NotFound):
        get_link(engine, second[1], now=now + INVITED_WITHIN)
    found = get_link(engine, second[1], now=now).account
    assert found
    assert found.name == "Edith"


def test_a_link_goes_by_mail_where_that_is_asked_for(weekly: Path, edith: Digest) -> None:
    said = edith("account", "add", "omar@example.org", "--language", "de", "--mail").well().out
    assert "It is mailed to them, too" in said
    (link,) = re.findall(r"/enter/[\w-]+", said)
    told = edith("mail", "list", "--json").json
    assert [(one["kind"], one["email"], one["newsletter"]) for one in told] == [
        ("invitation", "omar@example.org", "")
    ]
    assert "Letters: 1 sent." in edith("mail", "send").well().out
    (mail,) = (file.read_bytes() for file in (weekly / "outbox/new").iterdir())
    assert link.encode() in mail.replace(b"=\n", b"").replace(b"=\r\n", b"")
    edith("account", "link", "edith@example.org", "--mail").well()
    assert "new-password" in edith("mail", "list").well().out
    edith("account", "add", "x@example.org", "--mail", "--password").refused(2, "exclude each other")
    edith("account", "add", "x@example.org", "--language", "und").refused(2, "names no language")
    edith("newsletter", "remove", "weekly", "--yes").well()
    edith("account", "link", "edith@example.org", "--mail").refused(
        2, "accounts_email", "Nothing was changed"
    )


def test_while_nobody_can_sign_in_the_start_prints_a_link_for_the_first_admin(
    weekly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(public_url: str) -> str:
        database = f"sqlite:///{weekly / 'digest.db'}"
        runtime = Runtime(Settings(database_url=database, public_url=public_url))  # type: ignore[arg-type]
        tell_first_link(runtime, "http://127.0.0.1:8081/")
        return capsys.readouterr().err

    assert re.search(
        r"within 24 hours:\n  http://127\.0\.0\.1:8081/enter/[\w-]{43}\n", told("http://127.0.0.1:8000")
    )
    token = re.search(
        r"https://digest\.example\.org/desk/enter/([\w-]+)", told("https://digest.example.org/desk/")
    )
    assert token
    engine = open_engine(f"sqlite:///{weekly / 'digest.db'}")
    enter_first(
        engine,
        token[1],
        email="a@example.org",
        name="Ada",
        password=PASSWORD.strip(),
        place=Place(),
        now=utc_now(),
    )
    assert told("https://digest.example.org") == ""


def test_the_last_admin_stays_one(edith: Digest) -> None:
    for command in (("role", "edith@example.org", "viewer"), ("remove", "edith@example.org", "--yes")):
        edith("account", *command).refused(WRONG, "only admin")
    edith("account", "add", "omar@example.org", "--role", "admin").well()
    edith("account", "role", "edith@example.org", "viewer").well()
    edith("account", "remove", "omar@example.org", "--yes").refused(WRONG, "only admin")


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Omar", "edith@EXAMPLE.org"),
        ("edith", "omar@example.org"),
        ("  Edith ", "omar@example.org"),
        ("Ｅｄｉｔｈ", "omar@example.org"),
    ],
)
def test_two_accounts_never_look_the_same(name: str, email: str, edith: Digest) -> None:
    edith("account", "add", email, "--name", name).refused(WRONG, "already")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "too short"),
        ("elevenchars", "too short"),
        ("abababababababab", "repeats"),
        ("x" * 600, "too long"),
        ("a password\x07 with a bell", "no keyboard"),
        ("omar@example.org", "the name or the address"),
    ],
)
def test_a_password_that_protects_nothing_is_refused_and_never_repeated(
    password: str, words: str, edith: Digest
) -> None:
    answer = edith("account", "add", "omar@example.org", "--password", answer=f"{password}\n").refused(
        WRONG, words
    )
    assert not password or password not in answer.err
    assert len(edith("account", "list", "--json").json) == 1


def test_what_is_no_account_is_not_found(edith: Digest) -> None:
    for command in (("role", "nobody@example.org", "ops"), ("remove", "nobody@example.org", "--yes")):
        edith("account", *command).refused(WRONG, "no account 'nobody@example.org'")
    edith("account", "add", "nobody").refused(WRONG, "not an e-mail address")
    edith("account", "add", "o@example.org", "--name", "a\nb").refused(WRONG, "line break")
    assert edith("account", "role", "edith@example.org", "king").code == WRONG
