"""`digest account`: who may sign in to the pages, and as what."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import Yes, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, confirm, say, show_json, show_table
from digest.domain.accounts import Account, Role
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address, parse_new_address
from digest.intake.names import parse_person
from digest.pipeline.managing.given import spoken_language
from digest.store.accounts import add_account, change_role, get_account, list_accounts, remove_account
from digest.store.audit import record
from digest.store.database import reading, writing

if TYPE_CHECKING:
    from digest.admit.entering import LinkPost
    from digest.runtime import Runtime

app = new_app()

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address they sign in with.")]
Mail = Annotated[bool, typer.Option("--mail", help="Mail them the link, too.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]
_ROLES = (
    "viewer looks; editor also shapes and approves issues; ops also decides when things are sent; admin may "
    "do everything."
)


@app.command(
    epilog=examples(
        "digest account add edith@example.org --name 'Edith Ilves' --role editor",
        "digest account add ops@example.org --role ops --password < password.txt",
    )
)
def add(
    email: Email,
    role: Annotated[Role, typer.Option(metavar="ROLE", help=_ROLES)] = Role.EDITOR,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What stands beside what they do; without it, their address.")
    ] = "",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for their password now, and make no link.")
    ] = False,
    language: Annotated[
        str, typer.Option(metavar="TAG", help="Language of mails to them, such as en or de.")
    ] = "en",
    mail: Mail = False,
    by: By = "",
) -> None:
    """Make an account, and a link by which its owner comes in once and chooses a password."""
    from digest.admit.entering import INVITED_WITHIN, make_link
    from digest.admit.passwords import choose, hash_password

    address = parse_new_address(email)
    called = parse_person(name or address, "--name")
    who = decided_by(by)
    if mail and password:
        raise InvalidInput(
            "--mail and --password exclude each other: with a password there is no link to mail"
        )
    spoken = spoken_language(language, "--language")
    runtime = open_runtime()
    post = _post(runtime) if mail else None
    hashed = hash_password(choose(_asked_password(), but=(address, called))) if password else ""
    with writing(runtime.engine) as session:
        now = runtime.clock()
        made = add_account(
            session, address, name=called, role=role, by=who, now=now, password=hashed, language=spoken
        )
        record(session, by=who, what="account.added", about=made.email, detail=role, now=now)
        token = "" if password else make_link(session, made, by=who, now=now, post=post)
    if password:
        say(f"{made.name} ({made.email}) may sign in as {role} at {runtime.settings.public_url.rstrip('/')}.")
    else:
        _tell_link(made, runtime.link("enter", token), INVITED_WITHIN, is_mailed=mail)


@app.command(
    epilog=examples("digest account link edith@example.org", "digest account link edith@example.org --mail")
)
def link(email: Email, mail: Mail = False, by: By = "") -> None:
    """Make a link by which an account's owner comes in once and chooses a new password."""
    from digest.admit.entering import INVITED_WITHIN, make_link

    who = decided_by(by)
    runtime = open_runtime()
    post = _post(runtime) if mail else None
    with writing(runtime.engine) as session:
        account = get_account(session, parse_address(email))
        token = make_link(session, account, by=who, now=runtime.clock(), post=post)
    _tell_link(account, runtime.link("enter", token), INVITED_WITHIN, is_mailed=mail)


def _post(runtime: Runtime) -> LinkPost:
    from digest.pipeline.account_letters import link_post

    post = link_post(runtime)
    if post is None:
        raise InvalidInput(
            "--mail: nobody knows which address mail comes from: add a newsletter or set accounts_email, and "
            "secret_key. Nothing was changed"
        )
    return post


def _tell_link(account: Account, link: str, within: timedelta, *, is_mailed: bool) -> None:
    say(f"{account.name} ({account.email}) comes in by this link, once, within {within.days} days:")
    say(f"  {link}")
    if is_mailed:
        say("It is mailed to them, too: a running 'digest up' or worker sends it, or 'digest mail send'.")


@app.command("list", epilog=examples("digest account list", "digest account list --json"))
def list_(as_json: JsonOption = False) -> None:
    """List the accounts, by name."""
    with reading(open_runtime().engine) as session:
        found = list_accounts(session)
    if as_json:
        show_json(found)
        return
    show_table(
        ("name", "address", "role", "since", "made by"),
        [(one.name, one.email, one.role, f"{one.created_at:%Y-%m-%d}", one.created_by) for one in found],
        empty="Nobody may sign in yet: 'digest account add EMAIL --role admin' makes the first account.",
    )


@app.command(epilog=examples("digest account role edith@example.org admin"))
def role(
    email: Email, role: Annotated[Role, typer.Argument(metavar="ROLE", help=_ROLES)], by: By = ""
) -> None:
    """Let an account be something else, from its next page on."""
    who = decided_by(by)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        account = get_account(session, parse_address(email))
        change_role(session, account, role)
        if role is not account.role:
            told, now = f"{account.role} → {role}", runtime.clock()
            record(session, by=who, what="account.role_changed", about=account.email, detail=told, now=now)
    was = "was that before" if role is account.role else f"was {account.role} until now"
    say(f"{account.name} ({account.email}) is {role}; it {was}.")


@app.command(epilog=examples("digest account language edith@example.org de"))
def language(
    email: Email,
    tag: Annotated[str, typer.Argument(metavar="TAG", help="Such as en or de.")],
    by: By = "",
) -> None:
    """Have mails to an account in another language."""
    from digest.admit.accounts import speak

    who, spoken = decided_by(by), spoken_language(tag, "the language")
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        account = get_account(session, parse_address(email))
        speak(session, account, spoken, by=who, now=runtime.clock())
    say(f"Mails to {account.name} ({account.email}) are in {spoken}; they were in {account.language}.")


@app.command(epilog=examples("digest account password edith@example.org"))
def password(email: Email, by: By = "") -> None:
    """Give an account another password, and end all its sessions. From a pipe its first line is taken."""
    from digest.admit.passwords import choose, hash_password
    from digest.admit.steps import replace_password

    who = decided_by(by)
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        account = get_account(session, parse_address(email))
    hashed = hash_password(choose(_asked_password(), but=(account.email, account.name)))
    with writing(runtime.engine) as session:
        ended = replace_password(session, account, hashed, by=who, now=runtime.clock())
    say(f"{account.name} ({account.email}) has another password; {counted(ended, 'session')} ended.")


@app.command("forget-phone", epilog=examples("digest account forget-phone edith@example.org"))
def forget_phone(email: Email, by: By = "") -> None:
    """Let an account's password be enough again, as the phone that made its codes is gone."""
    from digest.admit import second_factor

    who = decided_by(by)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        account = get_account(session, parse_address(email))
        asked = second_factor.forget_phone(session, account, by=who, now=runtime.clock())
    if not asked:
        say(f"{account.name} ({account.email}) was asked for no code; nothing changed.")
    else:
        say(f"{account.name} ({account.email}) signs in by password alone from now on.")


@app.command(epilog=examples("digest account remove edith@example.org"))
def remove(email: Email, by: By = "", yes: Yes = False) -> None:
    """Remove an account and end its sessions. What it did stays written down."""
    who = decided_by(by)
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        account = get_account(session, parse_address(email))
    if not yes:
        confirm(f"Remove the account of {account.name} ({account.email})?")
    with writing(runtime.engine) as session:
        remove_account(session, account)
        record(session, by=who, what="account.removed", about=account.email, now=runtime.clock())
    say(f"{account.name} ({account.email}) cannot sign in any more.")


def _asked_password() -> str:
    """Return a password as it is typed twice, or the first line of what is piped in."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
        return typed
    try:
        line = sys.stdin.readline(2_000)
    except UnicodeDecodeError as exc:
        raise InvalidInput("the password on standard input is not UTF-8 text") from exc
    return line.rstrip("\r\n")
