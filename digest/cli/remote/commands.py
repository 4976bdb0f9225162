"""What can be done on a server elsewhere: the names and options of the commands that do it here."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from digest.cli import reader_rights
from digest.cli.arguments import Email, IssueNumber, Slug, Yes
from digest.cli.lazy import new_app
from digest.cli.output import JsonOption, confirm, say, show_json, show_record, show_table
from digest.cli.remote import programs, schedules
from digest.cli.remote.lists import cell, show_list
from digest.cli.remote.place import ServerOption, TokenFileOption
from digest.cli.remote.server import Server
from digest.cli.remote.sign_ups import sign_ups
from digest.domain.counting import counted

app = new_app()
newsletter, topic, source, issue, subscriber, suppression = (new_app() for _ in range(6))
for name, group, help_ in (
    ("newsletter", newsletter, "Newsletters: who sends, what, how much."),
    ("topic", topic, "Topics: what subscribers follow."),
    ("source", source, "Sources: where articles come from."),
    ("issue", issue, "Issues: look at them, let them go, stop them."),
    ("subscriber", subscriber, "Subscribers and what they follow."),
    ("suppression", suppression, "Addresses that are never mailed."),
    ("schedule", schedules.schedule, "Schedules: when an issue is made and sent."),
    ("endpoint", programs.endpoint, "Programs of yours that are told what happens."),
    ("token", programs.token, "Tokens for programs that use the API."),
):
    app.add_typer(group, name=name, help=help_)
app.command("sign-ups")(sign_ups)

Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="How many at most.")]


@app.callback()
def digest(server: ServerOption = "", token_file: TokenFileOption = "") -> None:
    """Work on a server elsewhere, over its API. Who did it is whom the token belongs to."""


@newsletter.command("list")
def list_newsletters(as_json: JsonOption = False) -> None:
    """List the newsletters."""
    columns = {
        "short name": "slug",
        "name": "name",
        "from": "sender_email",
        "zone": "timezone",
        "approval": "approval",
    }
    found = list(Server.meant().every("/newsletters"))
    show_list(found, columns, as_json=as_json, empty="No newsletter yet.")


@topic.command("list")
def list_topics(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's topics."""
    found = list(Server.meant().every(f"/newsletters/{newsletter}/topics"))
    show_list(
        found, {"topic": "slug", "name": "name", "within": "parent"}, as_json=as_json, empty="No topic yet."
    )


@source.command("list")
def list_sources(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's sources, and what was wrong at the last poll of each."""
    found = list(Server.meant().every(f"/newsletters/{newsletter}/sources"))
    columns = {"source": "name", "kind": "kind", "state": "state", "address": "url", "wrong": "last_error"}
    show_list(found, columns, as_json=as_json, empty="No source yet.")


@issue.command("list")
def list_issues(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    limit: Limit = 50,
    as_json: JsonOption = False,
) -> None:
    """List issues, newest first."""
    found = Server.meant().first("/issues", limit=limit, newsletter=newsletter)
    columns = {
        "issue": "id",
        "newsletter": "newsletter",
        "from": "first_day",
        "to": "last_day",
        "state": "state",
    }
    show_list(found, columns, as_json=as_json, empty="No issue yet.")


@issue.command("show")
def show_issue(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Show an issue and its items."""
    server = Server.meant()
    told, items = server.get(f"/issues/{issue}"), list(server.every(f"/issues/{issue}/items"))
    if as_json:
        show_json({**told, "items": items})
        return
    say(f"Issue {issue} of {told['newsletter']}, {told['first_day']} to {told['last_day']}: {told['state']}")
    for text in (told["note"], f"Subject: {told['subject']}" if told["subject"] else ""):
        if text:
            say(text)
    columns = {"#": "position", "article": "title", "source": "source", "topics": "topics"}
    show_list(items, columns, as_json=False, empty="It holds no article.")


@issue.command("progress")
def show_progress(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Say how far a send is, where it fails, and what it waits for."""
    told = Server.meant().get(f"/issues/{issue}/progress")
    if as_json:
        show_json(told)
        return
    states = ", ".join(f"{count} {state}" for state, count in told["states"].items() if count)
    mails = ", ".join(filter(None, (counted(told["total"], "mail"), states)))
    say(f"Issue {issue} is {told['state']}: {mails}.")
    for words in (told["because"], *told["holds"]):
        if words:
            say(words)
    columns = {"mails": "count", "failed of": "what", "next": "next_step"}
    if told["causes"]:
        show_list(told["causes"], columns, as_json=False, empty="")


@issue.command()
def approve(
    issue: IssueNumber,
    despite_errors: Annotated[
        bool, typer.Option("--despite-errors", help="Let it go although its checks find errors.")
    ] = False,
) -> None:
    """Approve a draft: what you saw is what is sent."""
    _do(issue, "approve", despite_errors=despite_errors)


@issue.command()
def pause(issue: IssueNumber, why: Why = "") -> None:
    """Stop a send, or keep an approved issue from beginning."""
    _do(issue, "pause", why=why)


@issue.command()
def resume(issue: IssueNumber) -> None:
    """Go on with a paused issue, from where it was."""
    _do(issue, "resume")


@issue.command()
def cancel(issue: IssueNumber, why: Why = "", yes: Yes = False) -> None:
    """End an issue for good. Who has it keeps it; nobody else gets it."""
    server = Server.meant()
    server.get(f"/issues/{issue}")
    if not yes:
        confirm(f"Cancel issue {issue} for good?")
    done = server.send("POST", f"/issues/{issue}/cancel", body={"why": why})
    say(f"Issue {issue} is cancelled; {counted(done['cancelled'], 'mail')} will not be sent.")


def _do(issue: int, what: str, **body: object) -> None:
    told = Server.meant().send("POST", f"/issues/{issue}/{what}", body=body or None)
    say(f"Issue {issue} is {told['state']} now.")


@subscriber.command("list")
def list_subscribers(newsletter: Slug, limit: Limit = 50, as_json: JsonOption = False) -> None:
    """List subscribers by address."""
    found = Server.meant().first(f"/newsletters/{newsletter}/subscribers", limit=limit)
    columns = {"address": "email", "name": "name", "state": "state", "follows": "follows"}
    show_list(found, columns, as_json=as_json, empty="No subscriber yet.")


@subscriber.command("show")
def show_subscriber(newsletter: Slug, email: Email, as_json: JsonOption = False) -> None:
    """Show one subscriber."""
    told = _subscriber(Server.meant(), newsletter, email)
    if as_json:
        show_json(told)
        return
    show_record(told["email"], [(field, cell(told[field])) for field in told if field not in ("id", "email")])


@subscriber.command("add")
def add_subscriber(
    newsletter: Slug,
    email: Email,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A topic they follow. Repeat it.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Their name.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also when they unsubscribed or paused: they asked to come back.")
    ] = False,
) -> None:
    """Add a subscriber."""
    body = {"email": email, "follows": topic or [], "name": name, "again": again}
    told = Server.meant().send("POST", f"/newsletters/{newsletter}/subscribers", body=body)
    say(f"{told['email']} follows {', '.join(told['follows']) or 'no topic, so they get no mail'}.")


@subscriber.command("unsubscribe")
def unsubscribe(newsletter: Slug, email: Email) -> None:
    """Stop a newsletter for a subscriber."""
    server = Server.meant()
    known = _subscriber(server, newsletter, email)
    server.send("POST", f"/newsletters/{newsletter}/subscribers/{known['id']}/unsubscribe")
    say(f"{known['email']} gets {newsletter} no more.")


@subscriber.command("data")
def tell_data(email: Email, out: reader_rights.Out = None) -> None:
    """Tell all that is stored of somebody, in every newsletter, as JSON for themselves."""
    reader_rights.tell_data(Server.meant().send("POST", "/readers/data", body={"email": email}), out)


@subscriber.command("erase")
def erase(email: Email, yes: Yes = False, as_json: JsonOption = False) -> None:
    """Remove all that is stored of somebody, in every newsletter. It cannot be undone."""
    server = Server.meant()
    if not yes:
        confirm(f"Erase all that is stored of {email}, in every newsletter, for good?")
    done = server.send("POST", "/readers/erase", body={"email": email})
    if as_json:
        show_json(done)
    else:
        reader_rights.tell_erased(done)


def _subscriber(server: Server, newsletter: str, email: str) -> Any:
    return server.get(f"/newsletters/{newsletter}/subscribers", email=email)["items"][0]


@suppression.command("list")
def list_suppressions(limit: Limit = 50, as_json: JsonOption = False) -> None:
    """List the addresses that are never mailed, by address."""
    found = Server.meant().first("/suppressions", limit=limit)
    columns = {"address": "email", "why": "reason", "since": "since", "issue": "issue_id", "said": "detail"}
    show_list(found, columns, as_json=as_json, empty="No address is suppressed.")


@suppression.command("add")
def add_suppression(
    email: Email, why: Annotated[str, typer.Option(metavar="WORDS", help="Why it is never mailed again.")]
) -> None:
    """Never mail an address again, whichever newsletter it is subscribed to."""
    told = Server.meant().send("POST", "/suppressions", body={"email": email, "why": why})
    say(f"{told['email']} is never mailed again.")


@suppression.command("remove")
def remove_suppression(
    email: Email, why: Annotated[str, typer.Option(metavar="WORDS", help="Why it may be mailed again.")]
) -> None:
    """Let an address be mailed again. Who wanted that and why is kept."""
    Server.meant().send("DELETE", f"/suppressions/{quote(email, safe='@')}", query={"why": why})
    say(f"{email} may be mailed again.")


@app.command("pause")
def hold(why: Why = "") -> None:
    """Send nothing at all, of any issue, until 'digest resume'."""
    Server.meant().send("POST", "/holds", body={"why": why})
    say("Nothing is sent now. 'digest resume' lets everything go on.")


@app.command("resume")
def let_go() -> None:
    """Let everything go on that was held."""
    for one in Server.meant().send("DELETE", "/holds")["items"]:
        say(f"It was held by {one['by']}{': ' if one['why'] else ''}{one['why']}.")
    say("Everything goes on.")


@app.command("why")
def explain(email: Email, issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Say why a reader gets, or does not get, each item of an issue."""
    told = Server.meant().get(f"/issues/{issue}/why", email=email)
    if as_json:
        show_json(told)
        return
    say(f"{told['email']} {told['verdict']}.")
    rows = [("yes" if item["is_shown"] else "no", item["title"], item["reason"]) for item in told["items"]]
    show_table(("", "article", "because"), rows, empty="The issue holds no article.")
