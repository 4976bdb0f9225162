"""`digest issue`: look at an issue, let it go, stop it, and settle what a mail server left open."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import ArticleName, IssueNumber, Yes, named_article, required
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import (
    JsonOption,
    confirm,
    plain,
    read_file_bytes,
    say,
    show_json,
    show_page,
    show_table,
    warn,
)
from digest.cli.trial_mail import EXAMPLES, mail_test
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.issues import Issue, IssueState, Item
from digest.domain.times import zone
from digest.store.audiences import count_editions, count_skips
from digest.store.condensings import outdated_edits
from digest.store.database import reading, writing
from digest.store.deliveries import cancel_for_issue, count_deliveries
from digest.store.issues import change_issue, get_issue, items_of, list_issues, write_texts
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.pins import PinKind
from digest.store.told import ItemScore, scores_of

if TYPE_CHECKING:
    from digest.pipeline.contents import FrozenItem
    from digest.runtime import Runtime

# Looking at a list of issues must not wait for the libraries that make one: what needs them imports them.
app = new_app()

Undo = Annotated[bool, typer.Option("--undo", help="Take it back: its score decides again.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command("list")
def list_(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List issues, newest first."""
    with reading(open_runtime().engine) as session:
        only = get_newsletter(session, newsletter).id if newsletter else None
        found = list_issues(session, only)
        rows = [(i, newsletter_by_id(session, i.newsletter_id)) for i in found]
    if as_json:
        show_json([{"newsletter": n.slug, **plain(i)} for i, n in rows])
        return
    show_table(
        ("issue", "newsletter", "covers", "state"),
        [(i.id, n.slug, _days(i, n.timezone), i.state) for i, n in rows],
        empty="No issue yet: 'digest run NEWSLETTER' makes one.",
    )


def _days(issue: Issue, timezone: str) -> str:
    first, last = issue.window.local_days(zone(timezone))
    return f"{first} to {last}"


@app.command()
def show(
    issue: IssueNumber,
    why: Annotated[
        bool, typer.Option("--why", help="Say what the score of each article is made of.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an issue: its items, and how its sending stands."""
    from digest.pipeline.contents import draft_items, frozen_items, is_frozen
    from digest.pipeline.sending import sending_note

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_issue(session, issue)
        newsletter = newsletter_by_id(session, found.newsletter_id)
        counts = count_deliveries(session, found.id)
        skips = count_skips(session, found.id)
        editions = count_editions(session, found.id)
        note = sending_note(session, found, now=runtime.clock())
        chosen = [item.article_id for item in items_of(session, found.id)]
        outdated = outdated_edits(session, chosen if found.state is IssueState.DRAFT else ())
        scores = scores_of(session, found.id) if why else ()
    items = frozen_items(runtime.engine, found) if is_frozen(found) else draft_items(runtime.engine, found)
    if as_json:
        show_json(
            {
                "issue": found,
                "newsletter": newsletter.slug,
                "items": items,
                "deliveries": counts,
                "skipped": skips,
                "editions": editions,
                "outdated": outdated,
                **({"scores": scores} if why else {}),
            }
        )
        return
    say(f"Issue {found.id} of {newsletter.name}, {_days(found, newsletter.timezone)}: {found.state}")
    if found.note:
        say(found.note)
    if found.subject:
        say(f"Subject: {found.subject}")
    _show_items(items)
    for article_id, changed in outdated.items():
        say(f"Look again at article {article_id}: {changed} ('digest article takeaways {article_id}')")
    if why:
        _show_scores(scores)
    if any(counts.values()):
        say(f"{note}; {counted(editions, 'edition')}")
    for reason, count in skips.items():
        say(f"{count} skipped: {reason.in_words}")


def _show_scores(scores: Sequence[ItemScore]) -> None:
    show_table(
        ("article", "score", "because"),
        [
            (
                one.title,
                f"{one.score:.2f}",
                "; ".join(f"{part.points:+.2f} {part.reason}" for part in one.parts),
            )
            for one in scores
        ],
        empty="",
    )


def _show_items(items: Sequence[Item | FrozenItem]) -> None:
    """Print the articles, and of a draft's how many takeaways each has."""
    takeaways = [[len(item.takeaways)] for item in items if isinstance(item, Item)] or [[]] * len(items)
    show_table(
        ("#", "article", "source", "topics", *(["takeaways"] if any(takeaways) else [])),
        [
            (item.position + 1, item.title, item.source, ", ".join(item.topics), *count)
            for item, count in zip(items, takeaways, strict=True)
        ],
        empty="It holds no article.",
    )


@app.command(
    "pin",
    epilog=examples(
        "digest issue pin 3 41",
        "digest issue pin 3 https://example.org/2026/11/tides",
        "digest issue pin 3 41 --undo",
    ),
)
def pin_(issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "") -> None:
    """Have an article in a draft whatever it scores, first in its topic."""
    _wish(issue, article, None if undo else PinKind.PIN, by)


@app.command(epilog=examples("digest issue drop 3 41", "digest issue drop 3 41 --undo"))
def drop(issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "") -> None:
    """Keep an article out of a draft, however often it is filled anew."""
    _wish(issue, article, None if undo else PinKind.DROP, by)


_WISHED = {
    PinKind.PIN: "is pinned",
    PinKind.DROP: "is dropped",
    None: "is neither pinned nor dropped any more",
}


def _wish(issue: int, article: str, kind: PinKind | None, by: str) -> None:
    from digest.compose.steps import pin

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter_id = get_issue(session, issue).newsletter_id
    found = named_article(runtime.engine, article, within=newsletter_id)
    who = required(by or getpass.getuser(), "--by")
    composed = pin(runtime.engine, issue, found.id, kind, by=who, now=runtime.clock())
    say(f"'{found.title}' {_WISHED[kind]}; issue {issue} holds {counted(composed.items, 'article')}.")


@app.command()
def edit(
    issue: IssueNumber,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its first article.")
    ] = None,
    preheader: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its others.")
    ] = None,
    intro: Annotated[str | None, typer.Option(metavar="TEXT", help="A few lines above the articles.")] = None,
) -> None:
    """Change a draft's subject, preheader or opening lines."""
    if subject is None and preheader is None and intro is None:
        raise InvalidInput("there is nothing to change: give --subject, --preheader or --intro")
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_issue(session, issue)
        write_texts(
            session,
            found.id,
            subject=found.subject if subject is None else subject,
            preheader=found.preheader if preheader is None else preheader,
            intro=found.intro if intro is None else intro,
        )
    say(f"Issue {issue} changed. Look at it with 'digest issue preview {issue}'.")


@app.command(
    epilog=examples(
        "digest issue preview 3 --text",
        "digest issue preview 3 --as ada@example.org --out ada    writes ada.html and ada.txt",
    )
)
def preview(
    issue: IssueNumber,
    as_email: Annotated[str, typer.Option("--as", metavar="EMAIL", help="As this subscriber gets it.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="As a reader who follows this topic. Repeat it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PREFIX", help="Write PREFIX.html and PREFIX.txt.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the text part, not the HTML.")] = False,
) -> None:
    """Show an issue exactly as a reader gets it: by default, one who follows everything."""
    from digest.compose.checks import check_page
    from digest.pipeline.preview import page_for_reader

    if as_email and topic:
        raise InvalidInput("--as and --topic exclude each other: a subscriber follows what they follow")
    runtime = open_runtime()
    page = page_for_reader(runtime, issue, email=as_email, topics=topic)
    for finding in check_page(page):
        warn(f"{finding.severity}: {finding.what} ({finding.where})")
    _warn_of_crowding(runtime, issue)
    show_page(page, out, text=text)


app.command("test", epilog=EXAMPLES)(mail_test)


def _warn_of_crowding(runtime: Runtime, issue_id: int) -> None:
    """Say how many readers an issue is too long for."""
    from digest.compose.room import crowded
    from digest.compose.steps import pieces_of

    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, get_issue(session, issue_id).newsletter_id)
    pieces = pieces_of(runtime.engine, issue_id, template=runtime.template(newsletter))
    found = crowded(runtime.engine, pieces)
    if found.readers:
        readers = f"{counted(found.readers, 'reader')} ({counted(found.editions, 'edition')})"
        online = f", {found.online_only} of them some online only" if found.online_only else ""
        warn(f"for want of room, {readers} get some articles as headlines{online}")


@app.command()
def approve(
    issue: IssueNumber,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who approves it.")] = "command line",
) -> None:
    """Approve a draft. Its pieces are frozen: what you saw is what is sent, byte for byte."""
    from digest.pipeline.run import approve_issue

    approved = approve_issue(open_runtime(), issue, by=required(by, "--by"))
    say(
        f"Issue {issue} is approved (revision {approved.revision}, {approved.content_hash[:12]}). A running "
        f"'digest up' or worker sends it within seconds; without one: 'digest send {issue}'."
    )


@app.command()
def pause(
    issue: IssueNumber,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")] = "",
) -> None:
    """Stop a send. What is under way ends; nothing new is armed."""
    _change(issue, IssueState.PAUSED, f"Issue {issue} is paused. 'digest issue resume {issue}' goes on.", why)


@app.command()
def resume(issue: IssueNumber) -> None:
    """Go on with a paused send. Nobody gets it twice."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        change_issue(session, issue, IssueState.SENDING, now=runtime.clock(), only_from=(IssueState.PAUSED,))
    say(f"Issue {issue} goes on: by a running worker, or with 'digest send {issue}'.")


@app.command()
def cancel(
    issue: IssueNumber,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")] = "",
    yes: Yes = False,
) -> None:
    """End an issue for good. Who has it keeps it; nobody else gets it."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        get_issue(session, issue)
    if not yes:
        confirm(f"Cancel issue {issue} for good?")
    with writing(runtime.engine) as session:
        found = change_issue(session, issue, IssueState.CANCELLED, now=runtime.clock(), note=why)
        cancelled = cancel_for_issue(session, found.id)
    say(
        f"Issue {issue} is cancelled; "
        + (f"{counted(cancelled, 'mail')} will not be sent." if cancelled else "no mail was waiting.")
    )


def _change(issue: int, to: IssueState, told: str, note: str) -> None:
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        change_issue(session, issue, to, now=runtime.clock(), note=note)
    say(told)


@app.command()
def reconcile(
    issue: IssueNumber,
    log: Annotated[
        Path, typer.Option(metavar="FILE", help="The mail server's log: text with the Message-IDs it took.")
    ],
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="The log holds everything the server took since the send began: what is not in it was never "
            "accepted, and is sent again.",
        ),
    ] = False,
) -> None:
    """Settle the deliveries whose answer never came, by what the mail server's log says."""
    from digest.deliver.reconcile import message_ids
    from digest.deliver.reconcile import reconcile as settle

    accepted = message_ids(read_file_bytes(log))
    runtime = open_runtime()
    done = settle(runtime.engine, issue, accepted=accepted, complete=complete, now=runtime.clock())
    say(f"{done.accepted} accepted, {done.again} to be sent again, {done.unknown} still unknown.")
    if done.again:
        say(f"'digest send {issue}' sends them, or a running worker does.")
