"""`digest subscriber`: who gets a newsletter, and which topics of it."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated

import typer

from digest.cli import reader_rights, subscriber_lists
from digest.cli.arguments import Email, InSegment, Slug, pairs
from digest.cli.lazy import examples, new_app
from digest.cli.mails import in_words
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_record, show_table
from digest.cli.suppressions import reason_in_words
from digest.domain.bounces import SOFT_ISSUES_MAX
from digest.domain.cadences import Cadence
from digest.domain.consents import ConsentSource
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.subscribers import MOST_ITEMS, Subscription, SubscriptionState
from digest.intake.addresses import parse_address
from digest.pipeline.managing import segments
from digest.pipeline.managing.given import language_tag, within
from digest.store.attributes import attributes_among
from digest.store.bounces import soft_bounces_in_a_row
from digest.store.consents import consents_of
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.reader_pages import first_readers
from digest.store.subscribers import get_subscription
from digest.store.suppressions import find_suppression
from digest.track.steps import Change, unsubscribe

app = new_app()

_NO_MAIL = {
    SubscriptionState.PAUSED: "Their subscription stays paused",
    SubscriptionState.PENDING: "Their subscription still waits for them to confirm it",
}
"""What setting the topics of a subscriber leaves as it is."""


@app.command(
    epilog=examples("digest subscriber add harbour-week ada@example.org --topic climate --topic space")
)
def add(
    newsletter: Slug,
    email: Email,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A topic they follow. Repeat it.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Their name.")] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="The language they read.")] = "",
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Their zone.")] = "",
    cadence: Annotated[
        str, typer.Option(metavar="CADENCE", help="How often, of what the newsletter offers.")
    ] = "",
    max_items: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_ITEMS, metavar="N", help="Articles in a mail at most; 0: all."),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Something known of them, for segments; 'KEY=': no more."),
    ] = None,
    send_at: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="Day and hour by their clock: 'saturday 08:00'; 'any': when it is sent."
        ),
    ] = "",
    text_only: Annotated[
        bool | None, typer.Option("--text-only/--with-html", help="Whether they want mail without HTML.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also when they unsubscribed or paused: they asked to come back."),
    ] = False,
) -> None:
    """Add a subscriber, or set the wishes of one who is there: what is not named stays."""
    from digest.pipeline.subscribing import WantedBy, put_subscriber

    wanted = WantedBy(
        follows=topic or None,
        name=within(name.strip(), "--name", limit=200),
        language=language_tag(language, "--language"),
        timezone=timezone,
        cadence=cadence,
        max_items=max_items,
        send_at=send_at,
        text_only=text_only,
        attributes=pairs(attribute, "--attribute", "KEY=VALUE", at_first=True),
    )
    done = put_subscriber(
        open_runtime(),
        newsletter,
        email,
        wanted,
        by=getpass.getuser(),
        source=ConsentSource.COMMAND,
        again=again,
    )
    subscription, state = done.subscription, done.subscription.state
    address = parse_address(email)
    say(
        f"{address} follows {', '.join(sorted(subscription.follows)) or 'no topic, so they get no mail'}"
        f"{_pace(subscription)}."
    )
    if state in _NO_MAIL:
        say(f"{_NO_MAIL[state]}, so they get no mail; --again changes that, if they asked for it.")
    if done.is_welcomed:
        say("A welcome waits for them: a running 'digest up' or worker mails it, or 'digest mail send'.")


def _pace(subscription: Subscription) -> str:
    """Return how often, when and how much a subscriber wants, '' for every issue at once and all of it."""
    wishes = (
        subscription.cadence.in_words if subscription.cadence is not Cadence.EVERY else "",
        subscription.wished.in_words if subscription.send_at else "",
        f"{counted(subscription.max_items, 'article')} at most" if subscription.max_items else "",
        "without HTML" if subscription.text_only else "",
    )
    return "".join(f", {wish}" for wish in wishes if wish)


@app.command("list")
def list_(
    newsletter: Slug,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help="How many at most.")] = 50,
    after: Annotated[str, typer.Option(metavar="EMAIL", help="Start after this address.")] = "",
    segment: InSegment = "",
    as_json: JsonOption = False,
) -> None:
    """List subscribers by address, those of a segment alone where one is named."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        wanted = get_newsletter(session, newsletter)
        fits = segments.fits(session, runtime, wanted, segment) if segment else None
        found, goes_on = first_readers(session, wanted.id, limit=limit, after=after, fits=fits)
    if as_json:
        show_json(found)
        return
    show_table(
        ("address", "name", "state", "follows"),
        [(s.subscriber.email, s.subscriber.name, s.state, ", ".join(sorted(s.follows))) for s in found],
        empty=f"No subscriber comes after {after}."
        if after
        else f"Segment {segment} fits nobody."
        if segment
        else f"No subscriber yet: add one with 'digest subscriber add {newsletter} EMAIL --topic …'.",
    )
    if goes_on:
        say(f"More: --after {found[-1].subscriber.email}")


@app.command()
def show(newsletter: Slug, email: Email, as_json: JsonOption = False) -> None:
    """Show one subscriber."""
    with reading(open_runtime().engine) as session:
        newsletter_id = get_newsletter(session, newsletter).id
        found = get_subscription(session, newsletter_id, email)
        suppression = find_suppression(session, found.subscriber.email)
        soft = soft_bounces_in_a_row(session, newsletter_id, found.subscriber.id)
        consents = consents_of(session, newsletter_id, found.subscriber.id)
        attributes = attributes_among(session, newsletter_id, [found.subscriber.id])
    known = attributes.get(found.subscriber.id, {})
    if as_json:
        told = {"attributes": known, "suppression": suppression, "soft_bounces": soft, "consents": consents}
        show_json({**plain(found), **told})
        return
    rows = [
        ("name", found.subscriber.name),
        ("state", _standing(found)),
        ("follows", ", ".join(sorted(found.follows)) or "no topic"),
        ("wants", f"{found.cadence.in_words}, {_most(found)}, {_form(found)}"),
        ("when", found.wished.in_words),
        ("language, zone", f"{found.subscriber.language or '-'}, {found.subscriber.timezone or '-'}"),
    ]
    if known:
        rows.append(("attributes", ", ".join(f"{key}: {value}" for key, value in known.items())))
    rows += [("consent", one.in_words) for one in consents]
    rows += [("agreed to", one.wording) for one in consents if one.wording]
    if soft:
        rows.append(("came back", f"the last {counted(soft, 'issue')}; {SOFT_ISSUES_MAX} in a row pause it"))
    if suppression:
        issue = f", issue {suppression.issue_id}" if suppression.issue_id else ""
        rows.append(("never mailed", f"{reason_in_words(suppression)}{issue}: {suppression.detail or '-'}"))
    show_record(found.subscriber.email, rows)
    if suppression:
        say(f"'digest suppression show {found.subscriber.email}' tells more.")


def _standing(subscription: Subscription) -> str:
    until = subscription.paused_until
    back = f", back by themselves on {until:%Y-%m-%d %H:%M} UTC" if until else ""
    return f"{subscription.state}{back}"


def _form(subscription: Subscription) -> str:
    return "without HTML" if subscription.text_only else "as HTML and text"


def _most(subscription: Subscription) -> str:
    most = subscription.max_items
    return f"{counted(most, 'article')} at most" if most else "all its articles"


@app.command(epilog=examples("digest subscriber link harbour-week ada@example.org"))
def link(newsletter: Slug, email: Email, as_json: JsonOption = False) -> None:
    """Mail a subscriber the link to their own settings: topics, and unsubscribing. It needs no password."""
    from digest.pipeline.letters import mail_link

    standing = mail_link(open_runtime(), newsletter, email)
    if as_json:
        show_json(standing)
    elif standing.state is DeliveryState.ACCEPTED:
        say(f"The link is on its way to {standing.email}.")
    elif standing.state is DeliveryState.UNKNOWN:
        say(
            f"The mail server never answered, so the link may or may not have reached {standing.email}: ask "
            f"them. 'digest subscriber link {newsletter} {standing.email}' sends another."
        )
    else:
        say(f"The link to {standing.email} is {in_words(standing)}. 'digest mail list' shows how it stands.")
    if standing.state in (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.UNKNOWN):
        raise typer.Exit(1)


@app.command(epilog=examples("digest subscriber move harbour-week ada@example.org ada@new.example.org"))
def move(
    newsletter: Slug,
    email: Email,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The address their mail goes to from now on.")],
) -> None:
    """Give somebody another address, as they asked for. The old one is told, and can take it back."""
    from digest.pipeline.readdressing import move_address

    address = move_address(open_runtime(), newsletter, email, new, by=getpass.getuser())
    say(f"Their mail goes to {address} from now on, that of their other newsletters too.")


@app.command(epilog=examples("digest subscriber pause harbour-week ada@example.org --until 2027-01-10"))
def pause(
    newsletter: Slug,
    email: Email,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="The first day on which they get mail again, by their clock. Without it: once they ask.",
        ),
    ] = None,
) -> None:
    """Send somebody nothing for a while: what they follow stays. Of who paused before, the end is changed."""
    from digest.pipeline.reader_pauses import pause_until

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        who = get_subscription(session, found.id, email).subscriber
    change = pause_until(runtime, found.id, who.id, until.date() if until else None)
    if change is Change.NOT_FROM_HERE:
        raise Conflict(f"{who.email} gets nothing of {found.name}, so there is nothing to pause")
    then = f"until {until:%Y-%m-%d}" if until else "until they come back, or 'subscriber add … --again'"
    say(f"{who.email} gets no mail of {found.name} {then}.")


@app.command()
def remove(newsletter: Slug, email: Email) -> None:
    """Unsubscribe somebody. What is still to be sent to them is cancelled."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        subscription = get_subscription(session, found.id, email)
    unsubscribe(runtime.engine, found.id, subscription.subscriber.id, now=runtime.clock())
    say(f"{subscription.subscriber.email} gets {found.name} no longer.")


app.add_typer(reader_rights.app)
app.add_typer(subscriber_lists.app)
