"""The link in a confirmation: GET shows what was asked for, POST begins it. Mail scanners open every link."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from digest.compose.phrases import Phrases
from digest.compose.views import name_of
from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import Asked
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.pipeline.sign_ups import confirm_sign_up, next_due_of
from digest.runtime import Runtime
from digest.store.address_changes import find_reader_address
from digest.store.asks import find_ask
from digest.store.database import reading
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.subscribers import subscription_of
from digest.track.tokens import ConfirmationLink, TooOld
from digest.web.archive_looks import Look, look_of
from digest.web.archive_views import language_of, name_of_newsletter
from digest.web.clients import client_of
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.measuring_words import asked_of
from digest.web.sign_up.views import day_in, wording_of
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])

_WAITS = (SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED)


@dataclass(frozen=True, slots=True)
class ConfirmingView:
    """Somebody's link. `waits` while it can be confirmed; `topics` are what they get then, or get already.

    `next_day` is when the next issue leaves, '' where no schedule says so. `measuring` is what they ticked
    about being measured, '' where they did not.
    """

    token: str
    slug: str
    newsletter: str
    written_in: str
    email: str
    look: Look
    waits: bool
    is_reader: bool
    topics: tuple[str, ...]
    wording: str
    measuring: str
    next_day: str
    preferences_token: str
    takes_sign_ups: bool


@router.api_route("/confirm/{token}", methods=READ)
def show(runtime: TheRuntime, pages: ThePages, token: str) -> HTMLResponse:
    """Ask whether to begin."""
    try:
        link = runtime.tokens.read_confirmation(token, now=runtime.clock())
    except TooOld as late:
        return _late(runtime, pages, late)
    return _page(runtime, pages, link, token)


@router.post("/confirm/{token}")
def confirm(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    token: str,
    may_measure: Annotated[str, Form(max_length=3)] = "",
) -> HTMLResponse:
    """Begin a subscription, once; a second time says that it has begun.

    Who typed the address may have been somebody else: nobody is measured who did not tick that here.
    """
    try:
        link = runtime.tokens.read_confirmation(token, now=runtime.clock())
    except TooOld as late:
        return _late(runtime, pages, late)
    newsletter, (_, asked), spoken = _read(runtime, pages, link)
    confirm_sign_up(
        runtime,
        link,
        wording=wording_of(newsletter, spoken),
        measuring=_measuring(runtime, newsletter, asked, spoken) if may_measure else "",
        network=client_of(request, runtime.settings.trusted_proxies),
    )
    return _page(runtime, pages, link, token)


def _page(runtime: Runtime, pages: Pages, link: ConfirmationLink, token: str) -> HTMLResponse:
    newsletter, (subscription, asked), spoken = _read(runtime, pages, link)
    with reading(runtime.engine) as session:
        topics = list_topics(session, newsletter.id)
        next_due = next_due_of(session, newsletter)
    waits = subscription.state is SubscriptionState.PENDING or (
        asked is not None and subscription.state in _WAITS
    )
    wanted = asked.wishes.topics if asked and waits else subscription.follows
    view = ConfirmingView(
        token=token,
        slug=newsletter.slug,
        newsletter=name_of_newsletter(newsletter),
        written_in=language_of(newsletter.language, "en"),
        email=subscription.subscriber.email,
        look=look_of(newsletter.theme, f"/subscribe/{newsletter.slug}")
        if newsletter.sign_up
        else Look("", None),
        waits=waits,
        is_reader=subscription.state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED),
        topics=tuple(name_of(topic.name) for topic in topics if topic.slug in wanted),
        wording=wording_of(newsletter, spoken),
        measuring=_measuring(runtime, newsletter, asked, spoken) if waits else "",
        next_day=day_in(spoken, newsletter, next_due),
        preferences_token=runtime.tokens.sign_preferences(
            link.newsletter_id, link.subscriber_id, subscription.subscriber.email
        ),
        takes_sign_ups=newsletter.sign_up,
    )
    return pages.reader("confirm.html", spoken, reader=view)


def _read(
    runtime: Runtime, pages: Pages, link: ConfirmationLink
) -> tuple[Newsletter, tuple[Subscription, Asked | None], Phrases]:
    """Return what a link is about, and how to speak to whom it was sent.

    Raises `NotFound`, also where its reader has got another address since: the page names the one they have.
    """
    with reading(runtime.engine) as session:
        subscription = subscription_of(session, link.newsletter_id, link.subscriber_id)
        if subscription is None:
            raise NotFound(f"subscriber {link.subscriber_id} of newsletter {link.newsletter_id} was removed")
        has = find_reader_address(session, link.subscriber_id)
        if has and has.moved_at and has.moved_at >= link.signed_at:
            raise NotFound(f"subscriber {link.subscriber_id} has another address since")
        newsletter = newsletter_by_id(session, link.newsletter_id)
        asked = find_ask(session, link.newsletter_id, link.subscriber_id)
    wished = asked.wishes.language if asked else ""
    spoken = pages.phrases(wished, subscription.subscriber.language, newsletter.language)
    return newsletter, (subscription, asked), spoken


def _measuring(runtime: Runtime, newsletter: Newsletter, asked: Asked | None, spoken: Phrases) -> str:
    """Return what they agree to about being measured, '' for nothing."""
    if asked is None or not asked.wishes.may_measure:
        return ""
    return asked_of(newsletter, spoken, days=runtime.settings.keep_measured_days)


def _late(runtime: Runtime, pages: Pages, late: TooOld) -> HTMLResponse:
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, late.newsletter_id)
    spoken = pages.phrases(newsletter.language)
    return pages.reader(
        "confirm_late.html",
        spoken,
        status=HTTPStatus.GONE,
        newsletter=name_of_newsletter(newsletter),
        written_in=language_of(newsletter.language, "en"),
        slug=newsletter.slug if newsletter.sign_up else "",
    )
