"""Subscribers of a newsletter, and the topics they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictBool, StrictInt
from sqlalchemy.orm import Session

from digest.domain.accounts import Right
from digest.domain.cadences import Cadence
from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.errors import Conflict
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.segments import ATTRIBUTES_MAX
from digest.domain.subscribers import (
    MOST_ITEMS,
    SubscriberId,
    Subscription,
    SubscriptionState,
)
from digest.domain.topics import TOPICS_MAX
from digest.pipeline.managing import segments
from digest.pipeline.readdressing import move_address
from digest.pipeline.reader_pauses import pause_until
from digest.pipeline.subscribing import WantedBy, bring_back, put_subscriber, set_wishes
from digest.runtime import Runtime
from digest.store.attributes import attributes_among
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter
from digest.store.reader_pages import ReaderPage, reader_page
from digest.store.subscribers import get_subscription, subscription_by_number
from digest.track.steps import Change, unsubscribe
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor, write_cursor
from digest.web.api.shapes import (
    PATH,
    Address,
    Given,
    Language,
    Line,
    Listed,
    NewsletterName,
    Number,
    Slug,
    Told,
    whole,
)
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Subscribers"])


class Subscriber(Told):
    """A subscriber's tie to a newsletter."""

    id: int
    email: str = Field(examples=["ada@example.org"])
    name: str
    language: str = Field(description="What they read, as a BCP 47 tag; '' where nobody said.")
    timezone: str
    state: SubscriptionState
    follows: list[str] = Field(description="The topics they follow, by short name. None: they get no mail.")
    cadence: Cadence
    max_items: int | None = Field(description="Articles in a mail at most; null for all.")
    send_at: str = Field(
        description="The day and hour they want it at, by their own clock; '' for when it is sent.",
        examples=["saturday 08:00"],
    )
    text_only: bool = Field(description="Whether they want mail without HTML.")
    paused_until: datetime | None = Field(description="When a pause ends by itself; null: it does not.")
    attributes: Mapping[str, str] = Field(description="What is known of them besides, by key.")

    @classmethod
    def of(cls, one: Subscription, attributes: Mapping[str, str]) -> Subscriber:
        """Return a subscription as the API tells it."""
        who = one.subscriber
        return cls(
            id=who.id,
            email=who.email,
            name=who.name,
            language=who.language,
            timezone=who.timezone,
            state=one.state,
            follows=sorted(one.follows),
            cadence=one.cadence,
            max_items=one.max_items,
            send_at=one.send_at,
            text_only=one.text_only,
            paused_until=one.paused_until,
            attributes=attributes,
        )


@router.get("/newsletters/{newsletter}/subscribers", **asks(Right.LOOK))
def list_subscribers(
    runtime: TheRuntime,
    newsletter: NewsletterName,
    email: Annotated[Address | None, Query(description="Only who has this address.")] = None,
    segment: Annotated[Slug | None, Query(description="Only those of this segment.")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Subscriber]:
    """Return a newsletter's subscribers by address, also those who left.

    Of a segment that fits few, a page may hold fewer than `limit`, or nobody, and go on all the same.
    """
    after = read_cursor(cursor, str)
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        fits = segments.fits(session, runtime, found, segment) if segment else None
        begin = str(after[0]) if after else ""
        rows = (
            ReaderPage((get_subscription(session, found.id, email),))
            if email is not None
            else reader_page(session, found.id, limit=limit, after=begin, fits=fits)
        )
        known = attributes_among(session, found.id, [one.subscriber.id for one in rows.readers])

    def shape(one: Subscription) -> Subscriber:
        return Subscriber.of(one, known.get(one.subscriber.id, {}))

    goes_on = write_cursor((rows.after,)) if rows.after else None
    return Listed(items=list(map(shape, rows.readers)), next_cursor=goes_on)


@router.get("/newsletters/{newsletter}/subscribers/{subscriber_id}", **asks(Right.LOOK))
def show_subscriber(
    runtime: TheRuntime, response: Response, newsletter: NewsletterName, subscriber_id: Number
) -> Subscriber:
    """Return a subscriber."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        told = _told(session, found, subscription_by_number(session, found, subscriber_id))
    response.headers["ETag"] = etag_of(told)
    return told


AttributesGiven = Annotated[
    dict[Line, Line],
    Field(
        max_length=ATTRIBUTES_MAX,
        description="What is known of them besides, by key; '' takes one away.",
        examples=[{"city": "Berlin"}],
    ),
]

_SEND_AT = "The day and hour they want it at, by their own clock; 'any' is whenever it is sent."


class ConsentTold(Told):
    """An act by which somebody came to be a reader."""

    act: ConsentAct
    source: ConsentSource
    at: datetime
    recorded_at: datetime = Field(description="When it was written down here: an import tells of long ago.")
    wording: str = Field(description="What the page said they agree to; '' where no page of ours did.")
    network: str = Field(description="The address the request came from; '' where nobody knows it.")
    by: str = Field(description="Who added them; '' where they did it themselves.")

    @classmethod
    def of(cls, one: Consent) -> ConsentTold:
        """Return an act as the API tells it."""
        return cls(
            act=one.act,
            source=one.source,
            at=one.at,
            recorded_at=one.recorded_at,
            wording=one.wording,
            network=one.network,
            by=one.by,
        )


@router.get("/newsletters/{newsletter}/subscribers/{subscriber_id}/consents", **asks(Right.LOOK))
def list_consents(
    runtime: TheRuntime, newsletter: NewsletterName, subscriber_id: Number
) -> Listed[ConsentTold]:
    """Return what a subscriber agreed to, the first first; nothing for who came before it was recorded."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        who = subscription_by_number(session, found, subscriber_id).subscriber.id
        return whole(consents_of(session, found.id, who), ConsentTold.of)


class NewSubscriber(Given):
    """Somebody to be added, who asked for it."""

    email: Address = Field(examples=["ada@example.org"])
    follows: list[Slug] = Field(
        default_factory=list, max_length=TOPICS_MAX, description="Topics they follow, by short name."
    )
    name: Line = ""
    language: Language = ""
    timezone: Line = Field("", examples=["Europe/Paris"])
    cadence: Cadence | None = Field(None, description="One that the newsletter offers; null: every issue.")
    max_items: StrictInt | None = Field(None, ge=0, le=MOST_ITEMS, description="0 or null: all.")
    send_at: Line = Field("", examples=["saturday 08:00"], description=_SEND_AT)
    text_only: StrictBool | None = None
    attributes: AttributesGiven = Field(default_factory=dict)
    again: StrictBool = Field(
        False, description="Also when they unsubscribed or paused: they asked to come back."
    )


class SubscriberChange(Given):
    """What changes of a subscriber. What is left out, null or '' stays."""

    follows: list[Slug] | None = Field(
        None, max_length=TOPICS_MAX, description="All the topics they follow from now on."
    )
    name: Line = ""
    language: Language = ""
    timezone: Line = ""
    cadence: Cadence | None = None
    max_items: StrictInt | None = Field(None, ge=0, le=MOST_ITEMS, description="0: all.")
    send_at: Line = Field("", examples=["saturday 08:00"], description=_SEND_AT)
    text_only: StrictBool | None = None
    attributes: AttributesGiven = Field(default_factory=dict)


@router.post("/newsletters/{newsletter}/subscribers", status_code=201, **asks(Right.OPERATE))
def add_subscriber(
    runtime: TheRuntime,
    response: Response,
    caller: TheCaller,
    newsletter: NewsletterName,
    new: NewSubscriber,
) -> Subscriber:
    """Add a subscriber, who is active at once.

    Who is one already is a conflict; with `again`, who unsubscribed or paused comes back.
    """
    done = put_subscriber(
        runtime,
        newsletter,
        new.email,
        _wanted(new),
        by=caller.name,
        source=ConsentSource.API,
        again=new.again,
        is_new=True,
    )
    with reading(runtime.engine) as session:
        told = _told(session, get_newsletter(session, newsletter), done.subscription)
    response.headers["Location"] = f"{PATH}/newsletters/{newsletter}/subscribers/{told.id}"
    response.headers["ETag"] = etag_of(told)
    return told


@router.patch("/newsletters/{newsletter}/subscribers/{subscriber_id}", **asks(Right.OPERATE))
def change_subscriber(
    runtime: TheRuntime,
    response: Response,
    newsletter: NewsletterName,
    subscriber_id: Number,
    change: SubscriberChange,
    if_match: IfMatch = None,
) -> Subscriber:
    """Change what a subscriber follows and wants. Whether they get mail stays as it is."""
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        known = subscription_by_number(session, found, subscriber_id, lock=True)
        require_unchanged(if_match, _told(session, found, known))
        changed = set_wishes(
            runtime, session, found, known.subscriber.email, known, _wanted(change), state=known.state
        )
        told = _told(session, found, changed)
    response.headers["ETag"] = etag_of(told)
    return told


class PauseEnd(Given):
    """When a pause ends by itself."""

    until: date | None = Field(
        None, description="The first day on which they get mail again, by their own clock; null: none."
    )


@router.post("/newsletters/{newsletter}/subscribers/{subscriber_id}/unsubscribe", **asks(Right.OPERATE))
def unsubscribe_subscriber(
    runtime: TheRuntime, newsletter: NewsletterName, subscriber_id: Number
) -> Subscriber:
    """Stop the newsletter for a subscriber. Mail that waits for them is not sent."""
    engine, now = runtime.engine, runtime.clock()
    return _moved(runtime, newsletter, subscriber_id, lambda of, who: unsubscribe(engine, of, who, now=now))


@router.post("/newsletters/{newsletter}/subscribers/{subscriber_id}/pause", **asks(Right.OPERATE))
def pause_subscriber(
    runtime: TheRuntime, newsletter: NewsletterName, subscriber_id: Number, ends: PauseEnd | None = None
) -> Subscriber:
    """Send a subscriber nothing more until they come back, on a day by themselves where one is given.

    Of who paused before, that day is changed.
    """
    day = ends.until if ends else None
    return _moved(runtime, newsletter, subscriber_id, lambda of, who: pause_until(runtime, of, who, day))


@router.post("/newsletters/{newsletter}/subscribers/{subscriber_id}/return", **asks(Right.OPERATE))
def return_subscriber(
    runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, subscriber_id: Number
) -> Subscriber:
    """Send the newsletter again to somebody who unsubscribed or paused, and asked to come back.

    Who had unsubscribed is not measured before they agree to it anew.
    """
    by, source = caller.name, ConsentSource.API
    return _moved(
        runtime, newsletter, subscriber_id, lambda *who: bring_back(runtime, *who, by=by, source=source)
    )


class NewAddress(Given):
    """Where a subscriber's mail goes from now on."""

    email: Address = Field(examples=["ada@new.example.org"])


@router.post("/newsletters/{newsletter}/subscribers/{subscriber_id}/address", **asks(Right.OPERATE))
def move_subscriber(
    runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, subscriber_id: Number, new: NewAddress
) -> Subscriber:
    """Give a subscriber another address, as they asked for, for all their newsletters.

    The old address is told, and can take it back for two weeks. One that somebody has is a conflict.
    """
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        before = subscription_by_number(session, found, subscriber_id)
    move_address(runtime, newsletter, before.subscriber.email, new.email, by=caller.name)
    with reading(runtime.engine) as session:
        return _told(session, found, subscription_by_number(session, found, subscriber_id))


def _wanted(given: NewSubscriber | SubscriberChange) -> WantedBy:
    return WantedBy(
        follows=given.follows,
        name=given.name.strip(),
        language=given.language,
        timezone=given.timezone.strip(),
        cadence=given.cadence or "",
        max_items=given.max_items,
        send_at=given.send_at.strip(),
        text_only=given.text_only,
        attributes=given.attributes,
    )


def _told(session: Session, newsletter: Newsletter, one: Subscription) -> Subscriber:
    """Return a subscription with what else is known of its subscriber."""
    who = one.subscriber.id
    return Subscriber.of(one, attributes_among(session, newsletter.id, [who]).get(who, {}))


def _moved(
    runtime: Runtime, slug: str, subscriber_id: int, move: Callable[[NewsletterId, SubscriberId], Change]
) -> Subscriber:
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        before = subscription_by_number(session, newsletter, subscriber_id)
    change = move(newsletter.id, before.subscriber.id)
    if change is Change.NOT_FROM_HERE:
        raise Conflict(f"{before.subscriber.email} is {before.state}, which this does not lead out of")
    if change is Change.NEVER_CONFIRMED:
        raise Conflict(f"{before.subscriber.email} left and had never confirmed: they sign up anew")
    if change is Change.TOO_LATE:
        raise Conflict(f"{before.subscriber.email} left too long ago for this: they sign up anew")
    with reading(runtime.engine) as session:
        return _told(session, newsletter, subscription_by_number(session, newsletter, subscriber_id))
