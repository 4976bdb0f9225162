"""Who may do what: roles, the rights they carry, and the one who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

AccountId = NewType("AccountId", int)


class Right(StrEnum):
    """What a page or a call of the API asks of whoever opens it."""

    LOOK = "look"
    """See newsletters, issues, previews and how sends stand."""
    SHAPE = "shape"
    """Change issues, takeaways, sources, topics and looks."""
    APPROVE = "approve"
    """Let an issue go to its readers."""
    OPERATE = "operate"
    """Schedules, runs, sends under way, suppressions and outcomes to judge."""
    ADMINISTER = "administer"
    """Accounts, tokens, webhooks and newsletters."""


class Role(StrEnum):
    """What an account is for."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPS = "ops"
    ADMIN = "admin"

    @property
    def rights(self) -> frozenset[Right]:
        """Return what this role may do."""
        return RIGHTS[self]


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.LOOK}),
        Role.EDITOR: frozenset({Right.LOOK, Right.SHAPE, Right.APPROVE}),
        Role.OPS: frozenset({Right.LOOK, Right.OPERATE}),
        Role.ADMIN: frozenset(Right),
    }
)
"""Neither editors nor ops stand above the other: one decides what is said, the other when it leaves."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person signed in, or a token of theirs, which may carry fewer rights."""

    name: str
    """Stored beside what was done, as the command line's `--by` is."""
    rights: frozenset[Right]
    account_id: AccountId

    def may(self, right: Right) -> bool:
        """Tell whether this one has that right."""
        return right in self.rights


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signs in. `email` is what they sign in with, `name` what stands beside what they do."""

    id: AccountId
    email: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    has_password: bool
    """Without one nobody can sign in."""
    language: str = "en"
    """Of mails to them."""
