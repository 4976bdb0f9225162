"""Settings and databases that are wrong: told by every command before it does anything."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import FAILED, WRONG, Digest, change_settings
from tests.servers.processes import free_port


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail_ulr = 'x'", ["digest.toml: 'mail_ulr' is not a setting", "'mail_url'"]),
        ("colour = 'blue'", ["digest.toml: 'colour' is not a setting", "docs/settings.md"]),
        ("mail_sessions = 0", ["digest.toml: mail_sessions", "greater than or equal to 1"]),
        ("log_level = 'loud'", ["digest.toml: log_level", "'debug', 'info'", "'loud'"]),
        (
            "database_url = 'x\nmail_url = ''",
            ["digest.toml: Found invalid character", "at line 1", "nothing was started"],
        ),
        ("fetch_allow = 1", ["digest.toml: fetch_allow", "tuple"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(
    nowhere: Path, digest: Digest, text: str, words: list[str]
) -> None:
    Path("digest.toml").write_text(text)
    digest("issue", "list").refused(WRONG, *words)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DIGEST_MAIL_ULR", "x", ["DIGEST_MAIL_ULR is not a setting", "DIGEST_MAIL_URL"]),
        ("DIGEST_MAIL_SESSIONS", "many", ["environment: DIGEST_MAIL_SESSIONS", "integer", "'many'"]),
        ("DIGEST_FETCH_ALLOW", "[127.0.0.1:80", ["environment: DIGEST_FETCH_ALLOW", "commas"]),
        ("DIGEST_CONFIG", "/no/such.toml", ["DIGEST_CONFIG names /no/such.toml", "no file"]),
        ("DIGEST_DATABASE_URL", "mysql://u:hunter2@h/d", ["database_url", "'mysql' is not supported"]),
        ("DIGEST_DATABASE_URL", "u:hunter2@h/d", ["database_url", "sqlite:///FILE"]),
    ],
)
def test_a_wrong_variable_is_named(
    home: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert "hunter2" not in digest("issue", "list").refused(WRONG, *words).err


def test_settings_that_are_no_text_are_told(nowhere: Path, digest: Digest) -> None:
    Path("digest.toml").write_bytes(b"ops_email = '\xff'")
    digest("issue", "list").refused(WRONG, "digest.toml: is not UTF-8")


def test_a_folder_in_the_place_of_the_settings_is_told_before_anything_is_done(
    nowhere: Path, digest: Digest
) -> None:
    Path("digest.toml").mkdir()
    for command in (["init"], ["issue", "list"], ["migrate"]):
        assert digest(*command).refused(WRONG, "digest.toml: is a folder, not a file").out == ""
    assert not Path("digest.db").exists()


def test_init_never_overwrites_settings(home: Path, digest: Digest) -> None:
    before = (home / "digest.toml").read_text()
    assert "stays as it is" in digest("init").well().out
    assert (home / "digest.toml").read_text() == before


def test_a_database_server_that_is_not_there_is_told_without_the_password(home: Path, digest: Digest) -> None:
    port = free_port()
    change_settings(home, database_url=f"postgresql+psycopg://digest:hunter2@127.0.0.1:{port}/digest")
    for command in (["issue", "list"], ["migrate"], ["init"]):
        told = digest(*command).refused(FAILED, f"127.0.0.1:{port}/digest", "Check that the server is up")
        assert "hunter2" not in told.err


def test_a_folder_of_the_database_that_is_missing_is_named(home: Path, digest: Digest) -> None:
    change_settings(home, database_url="sqlite:///data/digest.db")
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(FAILED, f"there is no folder {home / 'data'}", "database_url")


def test_a_file_that_is_no_database_stays_what_it_is(home: Path, digest: Digest) -> None:
    change_settings(home, database_url="sqlite:///notes.txt")
    Path("notes.txt").write_text("Not a database, but somebody's notes.\n" * 99)
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(WRONG, "notes.txt: file is not a database", "database_url")
    assert Path("notes.txt").read_text().startswith("Not a database")


def test_no_database_is_made_by_looking_for_one(home: Path, digest: Digest) -> None:
    Path("digest.db").unlink()
    digest("issue", "list").refused(WRONG, "the database is empty: run 'digest init'")
    assert not Path("digest.db").exists()


def set_schema(version: str) -> None:
    with sqlite3.connect("digest.db") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", [version])
    database.close()


def test_a_database_of_an_older_version_asks_for_its_migration(home: Path, digest: Digest) -> None:
    set_schema("0000")
    digest("issue", "list").refused(WRONG, "schema 0000", "digest migrate")


def test_a_database_of_a_newer_version_is_left_alone(home: Path, digest: Digest) -> None:
    set_schema("9999")
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(WRONG, "schema 9999", "use the version of Digest that made it")
