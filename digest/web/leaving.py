"""Unsubscribing: the page that asks, a mail program's one click, and what may be said or taken back after it.

Mail scanners open every link, so GET and HEAD only show. The link's token is all the authority there is, and
it leads to nothing but less mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from digest.compose.phrases import Phrases
from digest.domain.cadences import Cadence
from digest.domain.departures import UNDO_WITHIN, Departure, Reason
from digest.domain.times import zone
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.departures import find_departure, left_together, subscribed_to
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import left_at, subscription_of
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
    # The page sees by itself that it is too late, and that nobody is there.
    Change.TOO_LATE: "",
    Change.REMOVED: "",
}


@dataclass(frozen=True, slots=True)
class LeavingView:
    """What the page knows besides the subscription.

    `others` are the names of the other newsletters that the reader gets from here, `together` those they left
    in the same act as this one. `until` is the last day on which that can be taken back, '' when it cannot.
    `slower` is the slowest cadence the newsletter offers, '' when they have none slower to choose.
    """

    others: tuple[str, ...]
    together: tuple[str, ...]
    until: str
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
    spoken = pages.phrases(*reader.languages)
    left = _leaving_view(runtime, link, spoken)
    return pages.reader("unsubscribe.html", spoken, reader=reader, leaving=left, told=told)


def _leaving_view(runtime: Runtime, link: SubscriptionLink, spoken: Phrases) -> LeavingView:
    who = link.newsletter_id, link.subscriber_id
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
        subscription = subscription_of(session, *who)
        gets = subscribed_to(session, link.subscriber_id)
        since = left_at(session, *who)
        together = left_together(session, *who)[1:] if since else ()
        names = tuple(newsletter_by_id(session, one).name for one in together)
        departure = find_departure(session, *who) if since else None
    until = since + UNDO_WITHIN if since else None
    may_undo = until is not None and until >= runtime.clock()
    slowest = newsletter.cadences[-1]
    has_slowest = subscription is None or subscription.cadence is slowest
    return LeavingView(
        others=tuple(name for number, name in gets.items() if number != link.newsletter_id),
        together=names,
        until=spoken.day(until.astimezone(zone(newsletter.timezone)).date()) if until and may_undo else "",
        departure=departure,
        slower="" if has_slowest or slowest is Cadence.EVERY else slowest.value,
    )
