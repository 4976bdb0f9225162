"""Unsubscribing: the page that asks, a mail program's one click, and what may be said or taken back after it.

Mail scanners open every link, so GET and HEAD only show. The link's token is all the authority there is, and
it leads to nothing but less mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from digest.address.steps import own_zone
from digest.compose.phrases import Phrases
from digest.domain.cadences import Cadence
from digest.domain.departures import UNDO_WITHIN, Back, Departure, Left, Reason
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.runtime import Runtime
from digest.store.address_changes import find_reader_address
from digest.store.database import reading
from digest.store.departures import find_departure
from digest.store.leaving import came_back, left_together, subscribed_to
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import subscription_of
from digest.track import leaving, steps
from digest.track.steps import Change
from digest.track.tokens import SubscriptionLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.links import UnsubscribeLink
from digest.web.readers import get_subscription, reader_view
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])

HERE = "/unsubscribe/{token}"


ON_THE_PAGE = "on-the-page"
"""What our own form has in its address, as nothing of its body is read."""

_UNDONE = {
    Change.DONE: "returned",
    Change.SUPPRESSED: "returned",
    Change.ALREADY: "returned",
    Change.NOT_FROM_HERE: "not_returned",
    Change.NEVER_CONFIRMED: "not_returned",
    # The page sees by itself that it is too late, and that nobody is there.
    Change.TOO_LATE: "",
    Change.REMOVED: "",
}


@dataclass(frozen=True, slots=True)
class OneView:
    """A newsletter and how it stands once it is back: active, paused or pending.

    `paused_until` is the day on which a pause ends, '' for none.
    """

    name: str
    state: str = SubscriptionState.ACTIVE.value
    paused_until: str = ""


@dataclass(frozen=True, slots=True)
class LeavingView:
    """What the page knows besides the subscription.

    `others` are the names of the other newsletters that the reader gets from here, `left` of those they left
    in the same act as this one, it first. `undo` is exactly what can be taken back until the day `until`, ''
    when nothing can; `back` what was. `slower` is the slowest cadence the newsletter offers, '' when they
    have none slower to choose.
    """

    others: tuple[str, ...]
    left: tuple[str, ...]
    undo: tuple[OneView, ...]
    until: str
    back: tuple[OneView, ...]
    departure: Departure | None
    slower: str
    reasons: tuple[Reason, ...] = tuple(Reason)


@router.api_route(HERE, methods=READ)
# What a form's answer leaves in the address bar.
@router.api_route(f"{HERE}/undo", methods=READ)
@router.api_route(f"{HERE}/all", methods=READ)
@router.api_route(f"{HERE}/why", methods=READ)
@router.api_route(f"{HERE}/pause", methods=READ)
@router.api_route(f"{HERE}/slower", methods=READ)
def show_unsubscribe(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Ask whether to unsubscribe."""
    return _page(runtime, pages, link, "")


@router.post(HERE)
def unsubscribe(
    request: Request, runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink
) -> HTMLResponse:
    """Unsubscribe: the page's own form, and a mail program's one click (RFC 8058 §3.2).

    Whoever used the page may get a goodbye. After one click none is sent: the mail program said it for them.

    The body is not read, so no encoding of it can be wrong; nor is the answer a redirect, which mail
    programs are known to stumble over (§3.1). Twice is the same as once.
    """
    steps.unsubscribe(
        runtime.engine,
        link.newsletter_id,
        link.subscriber_id,
        now=runtime.clock(),
        says_goodbye=ON_THE_PAGE in request.query_params,
    )
    return _page(runtime, pages, link, "")


@router.post(f"{HERE}/all")
def unsubscribe_from_all(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Unsubscribe from everything this installation sends. Twice is the same as once."""
    get_subscription(runtime, link)
    leaving.unsubscribe_from_all(
        runtime.engine, link.newsletter_id, link.subscriber_id, now=runtime.clock(), says_goodbye=True
    )
    return _page(runtime, pages, link, "left_all")


@router.post(f"{HERE}/undo")
def undo_unsubscribe(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Take an unsubscription back, and those of the other newsletters that were left with it."""
    change = leaving.resubscribe(runtime.engine, link.newsletter_id, link.subscriber_id, now=runtime.clock())
    return _page(runtime, pages, link, _UNDONE[change])


@router.post(f"{HERE}/why")
def say_why(
    runtime: TheRuntime,
    pages: ThePages,
    link: UnsubscribeLink,
    reason: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Keep why somebody left; what is no reason of ours is none."""
    known = next((one for one in Reason if one == reason), None)
    if not known and not words.strip():
        return _page(runtime, pages, link, "")
    is_kept = leaving.say_why(
        runtime.engine, link.newsletter_id, link.subscriber_id, reason=known, words=words
    )
    return _page(runtime, pages, link, "thanks" if is_kept else "")


@router.post(f"{HERE}/pause")
def pause(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Send nothing until they come back, in place of never again."""
    steps.pause(runtime.engine, link.newsletter_id, link.subscriber_id, now=runtime.clock())
    return _page(runtime, pages, link, "")


@router.post(f"{HERE}/slower")
def slow_down(
    runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink, cadence: Annotated[str, Form()]
) -> HTMLResponse:
    """Send it less often, in place of never again."""
    leaving.slow_down(runtime.engine, link.newsletter_id, link.subscriber_id, cadence)
    return _page(runtime, pages, link, "slower")


def _page(runtime: Runtime, pages: Pages, link: SubscriptionLink, told: str) -> HTMLResponse:
    reader = reader_view(runtime, link)
    with reading(runtime.engine) as session:
        has = find_reader_address(session, link.subscriber_id)
    if has and has.moved_at:
        # The link may be of a mail to an address they had: whoever reads there need not learn of the new one.
        reader = replace(reader, email=f"{has.email[:1]}…@…")
    spoken = pages.phrases(*reader.languages)
    left = _leaving_view(runtime, link, spoken)
    return pages.reader("unsubscribe.html", spoken, reader=reader, leaving=left, told=told)


def _leaving_view(runtime: Runtime, link: SubscriptionLink, spoken: Phrases) -> LeavingView:
    who, now = (link.newsletter_id, link.subscriber_id), runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
        subscription = subscription_of(session, *who)
        gets = subscribed_to(session, link.subscriber_id)
        left = left_together(session, *who, now=now)
        back = came_back(session, *who)
        names = {one: newsletter_by_id(session, one).name for one in _numbers(left, back)}
        departure = find_departure(session, *who) if left else None

    tz = own_zone(subscription.subscriber.timezone if subscription else "", newsletter)

    def one_view(one: Left | Back) -> OneView:
        ends = one.paused_until
        return OneView(names[one.newsletter_id], one.state.value, day_of(ends) if ends else "")

    def day_of(moment: datetime) -> str:
        return spoken.day(moment.astimezone(tz).date())

    undo = tuple(one for one in left if one.can_come_back(now))
    slowest = newsletter.cadences[-1]
    has_slowest = subscription is None or subscription.cadence is slowest
    return LeavingView(
        others=tuple(name for number, name in gets.items() if number != link.newsletter_id),
        left=tuple(names[one.newsletter_id] for one in left),
        undo=tuple(map(one_view, undo)),
        until=day_of(min(one.at for one in undo) + UNDO_WITHIN) if undo else "",
        # Of who is here, and never left: they get it, all the same.
        back=tuple(map(one_view, back)) or (() if left else (OneView(newsletter.name),)),
        departure=departure,
        slower="" if has_slowest or slowest is Cadence.EVERY else slowest.value,
    )


def _numbers(*those: Iterable[Left | Back]) -> frozenset[NewsletterId]:
    return frozenset(one.newsletter_id for part in those for one in part)
