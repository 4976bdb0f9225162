"""The database, what it says about issues, accounts and who was erased, and the broker."""

from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.readers import Size, sending_issue
from digest.deliver.outages import meet_outage
from digest.doctor import examine
from digest.domain.accounts import Role
from digest.domain.erasing import ErasureKeys
from digest.domain.issues import IssueState
from digest.store.accounts import add_account
from digest.store.database import open_engine, writing
from digest.store.erasures import remember_erased
from digest.store.issues import change_issue
from tests.doctor.looking import look, write_settings
from tests.servers.processes import free_port
from tests.servers.redis import RedisServer
from tests.stored import NOW

pytestmark = pytest.mark.usefixtures("folder")


def test_a_database_is_looked_at_for_schema_and_writing(folder: Path) -> None:
    assert "writable" in look("database").found
    with open_engine("sqlite:///digest.db").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert "digest migrate" in look("database").advice
    assert "digest init" in look("database", database_url="sqlite:///other.db").advice
    assert not Path("other.db").exists()
    Path("notes.txt").write_text("some notes, and no database at all\n" * 40)
    assert "not a database" in look("database", database_url="sqlite:///notes.txt").advice
    port = free_port()
    away = look("database", database_url=f"postgresql+psycopg://u:hunter2@127.0.0.1:{port}/d")
    assert f"127.0.0.1:{port}" in away.advice
    assert "hunter2" not in str(away)


def test_a_server_of_databases_is_asked_for_its_clock_too(migrated_postgres_url: str) -> None:
    assert look("database", database_url=migrated_postgres_url).is_well
    assert look("database clock", database_url=migrated_postgres_url).is_well


def test_an_issue_that_the_mail_server_keeps_waiting_is_told(folder: Path) -> None:
    engine = open_engine("sqlite:///digest.db")
    issue_id = sending_issue(engine, Size(readers=2, topics=2, articles=2, follows=1))
    meet_outage(engine, issue_id, "mail.example.org:25 takes no mail: timed out", now=NOW)
    check = look(f"issue {issue_id}")
    assert not check.is_well
    assert "since 2026-11-23 07:00 UTC: mail.example.org:25 takes no mail: timed out." in check.advice
    with writing(engine) as session:
        change_issue(session, issue_id, IssueState.CANCELLED, now=NOW)
    assert f"issue {issue_id}" not in {check.what for check in examine()}


def test_accounts_are_counted_and_who_has_none_is_told_what_to_do(folder: Path) -> None:
    (check,) = [one for one in examine() if one.what == "accounts"]
    assert check.is_well
    assert "nobody can sign in yet; 'digest up' prints a link" in check.found
    with writing(open_engine("sqlite:///digest.db")) as session:
        for name, role in (("ada", Role.ADMIN), ("ben", Role.EDITOR)):
            add_account(
                session, f"{name}@example.org", name=name, role=role, by="x", now=NOW, password="a hash"
            )
    (check,) = [one for one in examine() if one.what == "accounts"]
    assert check.found == "2 accounts, 1 admin"
    assert "ada@example.org" in check.advice
    assert "ben@example.org" not in check.advice


def test_erased_readers_whose_key_is_gone_are_told() -> None:
    gone = ErasureKeys((b"gone",))
    engine = open_engine("sqlite:///digest.db")
    with writing(engine) as session:
        remember_erased(session, gone, "ada@example.org", now=NOW)
    engine.dispose()
    found = look("erased readers")
    assert not found.is_well
    assert "1 mark" in found.found
    assert "previous_erasure_keys" in found.advice
    write_settings(previous_erasure_keys="gone")
    assert "erased readers" not in {check.what for check in examine()}


def test_redis_is_asked_for_an_answer_and_for_its_log(redis_server: RedisServer) -> None:
    found = look("broker", broker_url=redis_server.url)
    assert found.is_well
    assert "appendonly" in found.advice
    with redis_server.client() as client:
        client.config_set("appendonly", "yes")
    try:
        assert look("broker", broker_url=redis_server.url).advice == ""
    finally:
        with redis_server.client() as client:
            client.config_set("appendonly", "no")
    wrong = look("broker", broker_url=redis_server.url.replace("only-for-tests", "hunter2"))
    assert not wrong.is_well
    assert "hunter2" not in str(wrong)


@pytest.mark.parametrize("url", ["amqp://localhost", "", "redis://127.0.0.1:99999"])
def test_a_broker_that_cannot_be_is_told(url: str) -> None:
    assert not look("broker", broker_url=url).is_well
