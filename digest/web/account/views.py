"""What the pages of accounts are given."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.compose.phrases import ENGLISH
from digest.domain.accounts import Account, AccountId, Right, Role
from digest.domain.api_tokens import ApiToken
from digest.domain.deliveries import DeliveryState
from digest.store.audit import Entry
from digest.store.letters import LetterStanding
from digest.store.second_factors import SecondFactor
from digest.store.sign_ins import SignIn, SignInId

_ISSUE = re.compile(r"issue ([0-9]{1,9})")

ROLES = {
    Role.VIEWER: "looks at everything",
    Role.EDITOR: "shapes and approves issues",
    Role.OPS: "decides when things are sent",
    Role.ADMIN: "may do everything",
}

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
"""Those that mails are translated into."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it."""

    id: int
    device: str
    network: str
    seen: str
    started: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role to choose, what it may do, and whether it is the one now."""

    name: str
    may: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as an admin sees it. `standing` says what keeps it from signing in, '' for nothing.

    `letter` says how the last link got there that was mailed, '' for none.
    """

    id: int
    name: str
    email: str
    roles: tuple[RoleView, ...]
    since: str
    standing: str
    letter: str
    has_phone: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class EntryView:
    """Something that somebody did. `moment` is for programs, `at` for people.

    `way` leads to what it was done to, '' for none.
    """

    moment: str
    at: str
    by: str
    what: str
    noun: str
    about: str
    detail: str
    way: str


@dataclass(frozen=True, slots=True)
class FactorView:
    """Somebody's second factor: since when it counts, and how many recovery codes are left."""

    since: str
    codes_left: int


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token of the API without its secret. `whose` is its owner, '' for one of the installation."""

    id: int
    name: str
    hint: str
    rights: str
    works: str
    used: str
    whose: str
    made: str
    is_over: bool


def token_views(
    tokens: Sequence[ApiToken], accounts: Sequence[Account], *, now: datetime
) -> tuple[TokenView, ...]:
    """Return tokens in words, in the order they are given."""
    names = {one.id: one.name for one in accounts}
    return tuple(
        TokenView(
            id=one.id,
            name=one.name,
            hint=one.hint,
            rights=", ".join(right.value for right in Right if right in one.rights),
            works=_works(one, now),
            used=f"used {_ago(one.last_used_at, now)}" if one.last_used_at else "never used",
            whose=names.get(one.account_id, "") if one.account_id else "",
            made=f"made by {one.made_by} on {ENGLISH.day(one.made_at.date())} {one.made_at.year}",
            is_over=not one.is_valid(now),
        )
        for one in tokens
    )


def _works(token: ApiToken, now: datetime) -> str:
    if token.expires_at is None:
        return "works until it is ended"
    day = f"{ENGLISH.day(token.expires_at.date())} {token.expires_at.year}"
    return f"works until {day}" if token.is_valid(now) else f"expired on {day}"


def factor_view(factor: SecondFactor | None) -> FactorView | None:
    """Return a second factor as its owner sees it; None for none, or one that does not count yet."""
    if factor is None or factor.since is None:
        return None
    return FactorView(moment(factor.since), factor.codes_left)


def session_views(sign_ins: Sequence[SignIn], *, this: SignInId, now: datetime) -> tuple[SessionView, ...]:
    """Return sessions as their owner sees them, the present one first."""
    views = [
        SessionView(
            one.id,
            one.device,
            one.network,
            _ago(one.seen_at, now),
            moment(one.started_at),
            one.id == this,
        )
        for one in sign_ins
    ]
    return tuple(sorted(views, key=lambda view: not view.is_this))


def role_views(chosen: Role) -> tuple[RoleView, ...]:
    """Return every role, and which one is chosen."""
    return tuple(RoleView(role.value, may, role is chosen) for role, may in ROLES.items())


def account_views(
    accounts: Sequence[Account],
    *,
    own: AccountId,
    with_phone: Collection[AccountId],
    letters: Mapping[AccountId, LetterStanding],
) -> tuple[AccountView, ...]:
    """Return accounts as an admin sees them; those `with_phone` are asked for its code.

    `letters` is the newest to each account that was ever mailed a link.
    """
    return tuple(
        AccountView(
            one.id,
            one.name,
            one.email,
            role_views(one.role),
            f"{moment(one.created_at)}, by {one.created_by}",
            "" if one.has_password else "has not come in yet: they need a link",
            _letter_in_words(letters[one.id]) if one.id in letters else "",
            one.id in with_phone,
            one.id == own,
        )
        for one in accounts
    )


def _letter_in_words(letter: LetterStanding) -> str:
    when = moment(letter.created_at)
    match letter.state:
        case DeliveryState.ACCEPTED:
            return f"A link was mailed: {when}"
        case DeliveryState.FAILED:
            return f"The link of {when} did not get there: {letter.answer}"
        case DeliveryState.UNKNOWN:
            return f"The link of {when} may have got there or not: the mail server never answered"
        case DeliveryState.CANCELLED:
            return f"The link of {when} was not mailed: it was used before, or nothing is mailed there"
        case _:
            why = f" ({letter.answer})" if letter.answer else ""
            return f"The link of {when} waits to be mailed{why}"


def entry_views(entries: Sequence[Entry]) -> tuple[EntryView, ...]:
    """Return what was done, in words."""
    return tuple(
        EntryView(
            one.at.isoformat(),
            moment(one.at),
            one.by,
            one.what.replace(".", " ").replace("_", " "),
            one.what.partition(".")[0],
            one.about,
            one.detail,
            _way_to(one),
        )
        for one in entries
    )


def _way_to(entry: Entry) -> str:
    """Return the page of what something was done to, of an edit that which tells each change; '' for none."""
    found = _ISSUE.fullmatch(entry.about)
    if found is None:
        return ""
    return f"/issues/{found[1]}{'/draft/history' if entry.what == 'issue.edited' else ''}"


def moment(at: datetime) -> str:
    """Return `16 November 2026, 07:05 UTC`."""
    return f"{ENGLISH.day(at.date())} {at.year}, {at:%H:%M} UTC"


def _ago(at: datetime, now: datetime) -> str:
    """Return when somebody was last there, no finer than it is written down."""
    past = now - at
    if past < timedelta(minutes=10):
        return "just now"
    if past < timedelta(hours=1):
        return f"{past.seconds // 60} minutes ago"
    if past < timedelta(days=1):
        hours = past.seconds // 3600
        return f"{hours} hour{'' if hours == 1 else 's'} ago"
    return f"{ENGLISH.day(at.date())} {at.year}"
