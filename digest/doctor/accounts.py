"""Who can sign in to the pages, and whether anybody can."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from digest.doctor.checks import Check
from digest.domain.accounts import Role
from digest.domain.counting import counted
from digest.store.accounts import list_accounts
from digest.store.database import reading
from digest.store.second_factors import accounts_with_factor


def look_at_accounts(engine: Engine) -> Iterator[Check]:
    """Count accounts and admins, and look for admins whom a stolen password is enough for."""
    with reading(engine) as session:
        accounts, with_phone = list_accounts(session), accounts_with_factor(session)
    if not accounts:
        # Nothing to see to: who installs Digest meets the link as it starts.
        yield Check("accounts", True, "nobody can sign in yet; 'digest up' prints a link for the first admin")
        return
    admins = [one for one in accounts if one.role is Role.ADMIN]
    bare = [one.email for one in admins if one.has_password and one.id not in with_phone]
    yield Check(
        "accounts",
        True,
        f"{counted(len(accounts), 'account')}, {counted(len(admins), 'admin')}",
        f"A password alone opens {', '.join(bare)}: they can add their phone at /account." if bare else "",
    )
