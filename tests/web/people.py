"""Accounts for tests: one of each role, each with a session whose token is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping

from argon2 import PasswordHasher
from playwright.sync_api import Page

from digest.admit.sessions import ends_at, kept
from digest.domain.accounts import Role
from digest.runtime import Runtime
from digest.store.accounts import add_account, find_account
from digest.store.database import writing
from digest.store.sign_ins import find_sign_in, start_sign_in
from digest.web.cookies import session_cookie

TOKENS: Mapping[Role, str] = {role: f"the-session-of-the-{role}-of-these-tests" for role in Role}

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

NAMES: Mapping[Role, str] = {
    Role.VIEWER: "Vera Lind",
    Role.EDITOR: "Edith Ilves",
    Role.OPS: "Omar Haddad",
    Role.ADMIN: "Ada Admin",
}


def email_of(role: Role) -> str:
    return f"{role}@desk.example.org"


def add_session(runtime: Runtime, role: Role) -> None:
    """Store the account of a role, which has no password, and its session, unless they are there already."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        if find_sign_in(session, kept(TOKENS[role]), now=now):
            return
        account = find_account(session, email_of(role)) or add_account(
            session, email_of(role), name=NAMES[role], role=role, by="these tests", now=now
        )
        start_sign_in(
            session,
            account.id,
            kept(TOKENS[role]),
            device="Firefox on Linux",
            network="127.0.0.1",
            now=now,
            ends_at=ends_at(now, now),
        )


def cookie_header(runtime: Runtime, role: Role) -> dict[str, str]:
    """The header by which a client is signed in, over http, too."""
    return {"Cookie": f"{session_cookie(runtime).name}={TOKENS[role]}"}


def sign_in_browser(page: Page, role: Role = Role.ADMIN) -> Page:
    """Let a page's browser be signed in on every site of these tests that has this role's session."""
    page.context.add_cookies([{"name": "digest", "value": TOKENS[role], "url": "http://127.0.0.1"}])
    return page
