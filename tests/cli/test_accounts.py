"""Accounts by command: added, changed, removed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.admit.passwords import is_right
from digest.domain.accounts import AccountId
from digest.store.accounts import password_of
from digest.store.audit import list_entries
from digest.store.database import open_engine, reading
from tests.cli.conftest import WRONG, Digest

PASSWORD = "four calm words here\n"


@pytest.fixture
def edith(weekly: Path, digest: Digest) -> Digest:
    """The command where Edith, an admin, is the only account."""
    add = ("account", "add", "Edith@Example.org", "--name", "Edith", "--role", "admin", "--by", "Ben")
    told = digest(*add, answer=PASSWORD).well().out
    assert "Edith (Edith@example.org) may sign in at http" in told
    return digest


def audited(folder: Path) -> list[tuple[str, str, str, str]]:
    with reading(open_engine(f"sqlite:///{folder / 'digest.db'}")) as session:
        return [(one.by, one.what, one.about, one.detail) for one in list_entries(session, limit=50)]


def test_without_an_account_the_list_says_how_to_make_one(weekly: Path, digest: Digest) -> None:
    assert "digest account add EMAIL --role admin" in digest("account", "list").well().out


def test_an_account_is_added_changed_and_removed_and_each_is_written_down(
    weekly: Path, edith: Digest
) -> None:
    edith("account", "add", "omar@example.org", "--role", "ops", "--by", "Ben", answer=PASSWORD).well()
    listed = edith("account", "list", "--json").json
    assert [(one["name"], one["role"], one["has_password"]) for one in listed] == [
        ("Edith", "admin", True),
        ("omar@example.org", "ops", True),
    ]
    assert (
        "was ops until now" in edith("account", "role", "OMAR@example.org", "editor", "--by", "Cy").well().out
    )
    assert "was that before" in edith("account", "role", "omar@example.org", "editor").well().out
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
        ("Cy", "account.role_changed", "omar@example.org", "ops → editor"),
        ("Ben", "account.added", "omar@example.org", "ops"),
        ("Ben", "account.added", "Edith@example.org", "admin"),
    ]


def test_the_password_is_kept_as_a_hash(weekly: Path, edith: Digest) -> None:
    with reading(open_engine(f"sqlite:///{weekly / 'digest.db'}")) as session:
        kept = password_of(session, AccountId(1))
    assert kept.startswith("$argon2id$")
    assert is_right(kept, "four calm words here")


def test_the_last_admin_stays_one(edith: Digest) -> None:
    for command in (("role", "edith@example.org", "viewer"), ("remove", "edith@example.org", "--yes")):
        edith("account", *command).refused(WRONG, "only admin")
    edith("account", "add", "omar@example.org", "--role", "admin", answer=PASSWORD).well()
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
    add = ("account", "add", email, "--name", name)
    edith(*add, answer=PASSWORD).refused(WRONG, "already")


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
    answer = edith("account", "add", "omar@example.org", answer=f"{password}\n").refused(WRONG, words)
    assert not password or password not in answer.err
    assert len(edith("account", "list", "--json").json) == 1


def test_what_is_no_account_is_not_found(edith: Digest) -> None:
    for command in (("role", "nobody@example.org", "ops"), ("remove", "nobody@example.org", "--yes")):
        edith("account", *command).refused(WRONG, "no account 'nobody@example.org'")
    edith("account", "add", "nobody", answer=PASSWORD).refused(WRONG, "not an e-mail address")
    edith("account", "add", "o@example.org", "--name", "a\nb", answer=PASSWORD).refused(WRONG, "line break")
    assert edith("account", "role", "edith@example.org", "king").code == WRONG
