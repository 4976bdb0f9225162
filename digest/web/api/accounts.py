"""Accounts: who may sign in, and as what. No token makes somebody of more rights than its own."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from digest.admit import accounts as admit
from digest.admit.entering import LinkPost, make_link
from digest.admit.second_factor import forget_phone
from digest.domain import accounts as domain
from digest.domain.accounts import AccountId, Right, Role
from digest.domain.errors import Conflict
from digest.intake.addresses import parse_new_address
from digest.intake.names import parse_person
from digest.pipeline.account_letters import link_post
from digest.pipeline.managing.given import spoken_language
from digest.runtime import Runtime
from digest.store.accounts import account_by_id, list_accounts
from digest.store.database import reading, writing
from digest.store.second_factors import accounts_with_factor, has_factor
from digest.web.api.access import Call, Caller, TheCaller, asks
from digest.web.api.problems import NOT_ALLOWED, Refusal
from digest.web.api.shapes import PATH, Address, Given, Language, Line, Listed, Number, Told, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Accounts"])


class Account(Told):
    """Somebody who signs in."""

    id: int
    email: str
    name: str = Field(description="What stands beside what they do.")
    role: Role
    language: str = Field(description="Of mails to them.")
    made_at: datetime
    made_by: str
    has_password: bool = Field(description="Without one nobody can sign in: they need a link.")
    has_phone: bool = Field(description="Whether they are asked for their phone's code, too.")

    @classmethod
    def of(cls, one: domain.Account, *, has_phone: bool) -> Account:
        """Return an account as the API tells it."""
        return cls(
            id=one.id,
            email=one.email,
            name=one.name,
            role=one.role,
            language=one.language,
            made_at=one.created_at,
            made_by=one.created_by,
            has_password=one.has_password,
            has_phone=has_phone,
        )


class NewAccount(Given):
    """Somebody to be let in."""

    email: Address = Field(examples=["edith@example.org"])
    name: Line = Field("", description="What stands beside what they do; '': their address.")
    role: Role
    language: Language = Field("en", description="Of mails to them.")
    mail: StrictBool = Field(False, description="Whether the link is mailed to them, too.")


class LinkWanted(Given):
    """How a link gets to whom it is for."""

    mail: StrictBool = Field(False, description="Whether it is mailed to them, too.")


class AccountChange(Given):
    """What changes of an account; what is left out stays."""

    role: Role | None = None
    language: Language | None = None


class LetIn(Told):
    """An account, and the link by which its owner comes in once and chooses a password. It is told once."""

    account: Account
    link: str
    is_mailed: bool = Field(description="Whether it goes by mail, too.")


class SessionsEnded(Told):
    """How many sessions were ended."""

    ended: int


@router.get("/accounts", **asks(Right.ADMINISTER))
def list_all_accounts(runtime: TheRuntime) -> Listed[Account]:
    """Return every account, by name."""
    with reading(runtime.engine) as session:
        with_phone = accounts_with_factor(session)
        return whole(list_accounts(session), lambda one: Account.of(one, has_phone=one.id in with_phone))


@router.get("/accounts/{account_id}", **asks(Right.ADMINISTER))
def show_account(runtime: TheRuntime, account_id: Number) -> Account:
    """Return an account."""
    with reading(runtime.engine) as session:
        found = account_by_id(session, account_id)
        return Account.of(found, has_phone=has_factor(session, found.id))


@router.post("/accounts", status_code=201, **asks(Right.ADMINISTER))
def add_account(runtime: TheRuntime, caller: TheCaller, response: Response, new: NewAccount) -> LetIn:
    """Make an account of no more rights than this token has, and a link for its owner."""
    _require_no_more(caller, new.role)
    address = parse_new_address(new.email)
    called = parse_person(new.name or address, "the name")
    language = spoken_language(new.language, "language")
    post = _post(runtime) if new.mail else None
    with writing(runtime.engine) as session:
        made, token = admit.let_in(
            session,
            address,
            name=called,
            role=new.role,
            language=language,
            post=post,
            now=runtime.clock(),
            **_who(caller),
        )
    response.headers["Location"] = f"{PATH}/accounts/{made.id}"
    told = Account.of(made, has_phone=False)
    return LetIn(account=told, link=runtime.link("enter", token), is_mailed=post is not None)


@router.post("/accounts/{account_id}/link", **asks(Right.ADMINISTER))
def make_account_link(
    runtime: TheRuntime, caller: TheCaller, account_id: Number, wanted: LinkWanted | None = None
) -> LetIn:
    """Make a link by which an account's owner comes in once and chooses a new password."""
    post = _post(runtime) if wanted and wanted.mail else None
    with writing(runtime.engine) as session:
        found = account_by_id(session, account_id)
        _require_no_more(caller, found.role)
        token = make_link(session, found, post=post, now=runtime.clock(), **_who(caller))
        told = Account.of(found, has_phone=has_factor(session, found.id))
    return LetIn(account=told, link=runtime.link("enter", token), is_mailed=post is not None)


def _post(runtime: Runtime) -> LinkPost:
    """Return what links are mailed with. Raises `Conflict` where nobody knows whom mail comes from."""
    post = link_post(runtime)
    if post is None:
        raise Conflict(
            "no mail goes out yet: a newsletter, or the setting accounts_email, says which address it comes "
            "from. Nothing was changed"
        )
    return post


@router.patch("/accounts/{account_id}", **asks(Right.ADMINISTER))
def change_account(
    runtime: TheRuntime, caller: TheCaller, account_id: Number, change: AccountChange
) -> Account:
    """Let an account be something else, of no more rights than this token has. The last admin stays one."""
    if change.role is not None:
        _require_no_more(caller, change.role)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        found = account_by_id(session, account_id)
        if change.role is not None:
            admit.give_role(session, found, change.role, now=now, **_who(caller))
        if change.language is not None:
            spoken = spoken_language(change.language, "language")
            admit.speak(session, found, spoken, now=now, **_who(caller))
        session.expire_all()
        return Account.of(account_by_id(session, account_id), has_phone=has_factor(session, found.id))


@router.delete("/accounts/{account_id}", status_code=204, **asks(Right.ADMINISTER))
def remove_account(runtime: TheRuntime, caller: TheCaller, account_id: Number) -> None:
    """Remove an account with its sessions and tokens. What it did stays in the record."""
    with writing(runtime.engine) as session:
        found = account_by_id(session, account_id)
        admit.send_away(session, found, now=runtime.clock(), **_who(caller))


@router.post("/accounts/{account_id}/end-sessions", **asks(Right.ADMINISTER))
def end_account_sessions(runtime: TheRuntime, caller: TheCaller, account_id: Number) -> SessionsEnded:
    """End all sessions of an account, as on a device that was lost. Its tokens go on."""
    with writing(runtime.engine) as session:
        found = account_by_id(session, account_id)
        return SessionsEnded(ended=admit.end_sessions(session, found, now=runtime.clock(), **_who(caller)))


@router.post("/accounts/{account_id}/forget-phone", **asks(Right.ADMINISTER))
def forget_account_phone(runtime: TheRuntime, caller: TheCaller, account_id: Number) -> Account:
    """Let an account's password be enough again, as its phone is gone."""
    with writing(runtime.engine) as session:
        found = account_by_id(session, account_id)
        forget_phone(session, found, now=runtime.clock(), **_who(caller))
    return Account.of(found, has_phone=False)


def _require_no_more(caller: Caller, role: Role) -> None:
    """Refuse what would give away a right that the token lacks."""
    if more := role.rights - caller.rights:
        raise Refusal(
            NOT_ALLOWED, f"this token lacks '{min(more)}', which the role '{role}' has, so it cannot give it"
        )


class _Who(TypedDict):
    by: str
    account_id: AccountId | None


def _who(caller: Caller) -> _Who:
    return {"by": caller.name, "account_id": caller.account_id}
