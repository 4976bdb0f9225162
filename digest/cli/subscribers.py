"""`digest subscriber`: who gets a newsletter, and which topics of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.newsletters import Slug
from digest.cli.output import JsonOption, read_text_file, say, show_json, show_table
from digest.domain.errors import Conflict
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.intake.addresses import parse_address
from digest.intake.subscribers import import_subscribers
from digest.runtime import open_runtime
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import find_subscription, get_subscription, list_subscriptions, subscribe
from digest.track.steps import unsubscribe

app = typer.Typer(help="Subscribers and the topics they follow.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="Their address.")]


@app.command()
def add(
    newsletter: Slug,
    email: Email,
    topic: Annotated[list[str] | None, typer.Option(help="A topic they follow. Repeat it.")] = None,
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    language: Annotated[str, typer.Option(help="The language they read.")] = "",
    timezone: Annotated[str, typer.Option(help="Their zone.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also when they unsubscribed before: they asked to come back.")
    ] = False,
) -> None:
    """Add a subscriber, or set the topics of one who is there."""
    address = parse_address(email)
    if timezone:
        zone(timezone)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        known = find_subscription(session, found.id, address)
        if known and known.state is SubscriptionState.UNSUBSCRIBED and not again:
            raise Conflict(f"{address} unsubscribed; add them with --again only if they asked for it")
        subscription = subscribe(
            session,
            found.id,
            email=address,
            follows=map(TopicSlug, topic or ()),
            name=name,
            language=language,
            timezone=timezone,
            now=runtime.clock(),
        )
    say(f"{address} follows {', '.join(sorted(subscription.follows)) or 'no topic, so they get no mail'}.")


@app.command("list")
def list_(
    newsletter: Slug,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    after: Annotated[str, typer.Option(help="Start after this address.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List subscribers by address."""
    with reading(open_runtime().engine) as session:
        found = list_subscriptions(session, get_newsletter(session, newsletter).id, limit=limit, after=after)
    if as_json:
        show_json(found)
        return
    show_table(
        ("address", "name", "state", "follows"),
        [(s.subscriber.email, s.subscriber.name, s.state, ", ".join(sorted(s.follows))) for s in found],
        empty=f"No subscriber yet: add one with 'digest subscriber add {newsletter} EMAIL --topic …'.",
    )
    if len(found) == limit:
        say(f"More: --after {found[-1].subscriber.email}")


@app.command()
def show(newsletter: Slug, email: Email, as_json: JsonOption = False) -> None:
    """Show one subscriber."""
    with reading(open_runtime().engine) as session:
        found = get_subscription(session, get_newsletter(session, newsletter).id, email)
    if as_json:
        show_json(found)
        return
    rows = [
        ("name", found.subscriber.name),
        ("state", found.state),
        ("follows", ", ".join(sorted(found.follows)) or "no topic"),
        ("language, zone", f"{found.subscriber.language or '-'}, {found.subscriber.timezone or '-'}"),
    ]
    show_table((found.subscriber.email, ""), rows, empty="")


@app.command()
def remove(newsletter: Slug, email: Email) -> None:
    """Unsubscribe somebody. What is still to be sent to them is cancelled."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        subscription = get_subscription(session, found.id, email)
    unsubscribe(runtime.engine, found.id, subscription.subscriber.id, now=runtime.clock())
    say(f"{subscription.subscriber.email} gets {found.name} no longer.")


@app.command("import")
def import_(
    newsletter: Slug,
    file: Annotated[Path, typer.Argument(help="CSV: email, name, topics, language, timezone.")],
) -> None:
    """Add the subscribers of a CSV file, all or none."""
    text = read_text_file(file)
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
    result = import_subscribers(runtime.engine, found.id, text, name=file.name, now=runtime.clock())
    for note in result.notes:
        say(note)
    say(f"Added {result.added} subscribers, updated {result.updated}.")
