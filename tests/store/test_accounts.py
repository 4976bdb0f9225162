"""Accounts in the database: what two who act at the same moment come to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import Engine

from digest.domain.accounts import Account, Role
from digest.domain.errors import Conflict
from digest.store.accounts import add_account, change_role, list_accounts, remove_account
from digest.store.audit import list_entries, record
from digest.store.database import reading, writing

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def admins(engine: Engine, *names: str) -> list[Account]:
    with writing(engine) as session:
        return [
            add_account(session, f"{name}@example.org", name=name, role=Role.ADMIN, by="x", now=NOW)
            for name in names
        ]


def test_two_admins_who_remove_each_other_leave_one(engine: Engine) -> None:
    both = admins(engine, "ada", "ben")

    def remove(account: Account) -> bool:
        try:
            with writing(engine) as session:
                remove_account(session, account) if account.name == "ada" else change_role(
                    session, account, Role.VIEWER
                )
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, both)) == [False, True]
    with reading(engine) as session:
        assert [account.role for account in list_accounts(session)].count(Role.ADMIN) == 1


def test_of_two_who_take_one_address_one_gets_it(engine: Engine) -> None:
    def add(name: str) -> bool:
        try:
            with writing(engine) as session:
                add_account(session, "ada@example.org", name=name, role=Role.VIEWER, by="x", now=NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, "abcd")) == [False, False, False, True]


def test_the_number_of_a_removed_account_is_never_anothers(engine: Engine) -> None:
    ada, ben = admins(engine, "ada", "ben")
    with writing(engine) as session:
        remove_account(session, ben)
    (cleo,) = admins(engine, "cleo")
    assert cleo.id > ben.id > ada.id


def test_entries_are_found_by_person_and_kind_page_by_page(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(6):
            what = "issue.approved" if number % 2 else "issued_by.made"
            record(session, by="Ada\0" if number < 4 else "Ben", what=what, about=f"issue {number}", now=NOW)
    with reading(engine) as session:
        everything = list_entries(session, limit=10)
        assert [entry.about for entry in everything] == [f"issue {number}" for number in range(5, -1, -1)]
        assert len(list_entries(session, limit=10, what="issue")) == 3, "a noun is matched whole"
        assert len(list_entries(session, limit=10, what="issue.approved", by="Ben")) == 1
        assert list_entries(session, limit=2, before=everything[3].id) == everything[4:]
        assert list_entries(session, limit=10, what="%") == ()
