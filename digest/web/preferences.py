"""A reader's settings, by the link of their mail: what they get, when, how much of it, and pauses.

The link's token is all the authority there is. GET and HEAD show; what changes something is a POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.subscribers import Subscription
from digest.pipeline import muting
from digest.pipeline.choosing import Typed, read_choices, save_choices
from digest.pipeline.next_issue import next_issue_for
from digest.pipeline.reader_pauses import pause_until
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.measured import agreement_of
from digest.store.newsletters import newsletter_by_id
from digest.store.reader_choices import Choices, topics_lately
from digest.track import less, steps
from digest.track.measuring import set_measuring
from digest.track.steps import Change
from digest.track.tokens import SubscriptionLink
from digest.web.clients import client_of
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.less import less_lines, muted_days
from digest.web.links import PreferencesLink
from digest.web.measuring_words import asked_of
from digest.web.preference_views import allowed_cadences, next_view, settings_view
from digest.web.readers import get_subscription, reader_view
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])


PREVIEW = "preview"
"""What the button that only shows the next issue says."""

MUTE, UNMUTE = "mute:", "unmute:"
"""What the buttons that mute one topic, and end that, say before its name."""

_RETURN = {
    Change.DONE: "returned",
    Change.SUPPRESSED: "returned",
    Change.ALREADY: "returned",
    Change.NOT_FROM_HERE: "not_returned",
    Change.NEVER_CONFIRMED: "not_returned",
    Change.TOO_LATE: "too_late",
    # Nobody is there to be told: showing them is what says so.
    Change.REMOVED: "",
}
"""What a page tells those who come back. That their address is never mailed, it sees by itself."""

_FIELDS = ("cadence", "day", "hour", "zone", "most", "language", "form")
_FIELD_MAX = 64


async def _fields(request: Request) -> Mapping[str, str]:
    """Return the fields that the form has: not those of a page opened before there were such."""
    # Read here, as FastAPI takes a field that was emptied for one that is not there.
    form = await request.form()
    return {name: str(form[name])[:_FIELD_MAX] for name in _FIELDS if name in form}


Fields = Annotated[Mapping[str, str], Depends(_fields)]


@router.api_route("/preferences/{token}", methods=READ)
@router.api_route("/preferences/{token}/return", methods=READ)
@router.api_route("/preferences/{token}/pause", methods=READ)
@router.api_route("/preferences/{token}/measuring", methods=READ)
def show_preferences(runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str) -> HTMLResponse:
    """Show what a subscriber gets, and all they can choose."""
    return _page(runtime, pages, link, token, "")


@router.post("/preferences/{token}")
def save_preferences(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    save: Annotated[str, Form()],  # the form's button: a POST of nothing must not unfollow all
    topic: Annotated[list[str], Form(default_factory=list)],
    fields: Fields,
) -> HTMLResponse:
    """Store exactly what was chosen, and mute the topic whose own button was pressed, or end that.

    Or show what the next issue would hold with these choices, and store nothing. A form that cannot be stored
    is shown again as it was typed.
    """
    subscription = get_subscription(runtime, link)
    typed = replace(Typed.of(Choices.of(subscription)), topics=frozenset(topic), **fields)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
    choices, wrong = read_choices(typed, allowed_cadences(newsletter, subscription))
    if choices is None:
        return _page(runtime, pages, link, token, "wrong", typed=typed, wrong=wrong, status=422)
    if save == PREVIEW:
        return _page(runtime, pages, link, token, "", typed=typed, looks=(subscription, choices))
    try:
        told = _mute_or_end(runtime, link, save, choices)
        save_choices(runtime, link.newsletter_id, link.subscriber_id, choices)
    except NotFound:
        # The newsletter dropped a topic while the page was open.
        return _page(runtime, pages, link, token, "changed", typed=typed, status=422)
    return _page(runtime, pages, link, token, *told)


def _mute_or_end(runtime: Runtime, link: SubscriptionLink, save: str, choices: Choices) -> tuple[str, str]:
    """Mute the topic of the button that was pressed, or end that; return what is told, and of which topic.

    One whose tick was taken away is not followed any more, so there is nothing to mute.
    """
    who = link.newsletter_id, link.subscriber_id
    if (muted := save.removeprefix(MUTE)) != save and muted in choices.follows:
        muting.mute(runtime, *who, muted)
        return "muted", muted
    if (ended := save.removeprefix(UNMUTE)) != save:
        less.unmute(runtime.engine, *who, ended)
        return ("unmuted", ended) if ended in choices.follows else ("saved", "")
    return "saved", ""


@router.post("/preferences/{token}/pause")
def pause(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    until: Annotated[str, Form(max_length=64)] = "",
) -> HTMLResponse:
    """Send nothing until they come back, or until a day. Twice is the same as once."""
    get_subscription(runtime, link)
    try:
        day = date.fromisoformat(until) if until else None
        pause_until(runtime, link.newsletter_id, link.subscriber_id, day)
    except (InvalidInput, ValueError):
        return _page(
            runtime, pages, link, token, "wrong", wrong=frozenset({"until"}), until=until, status=422
        )
    return _page(runtime, pages, link, token, "")


@router.post("/preferences/{token}/return")
def return_from_preferences(
    runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str
) -> HTMLResponse:
    """Start the newsletter again for somebody who unsubscribed or paused."""
    change = steps.restart(runtime.engine, link.newsletter_id, link.subscriber_id, now=runtime.clock())
    return _page(runtime, pages, link, token, _RETURN[change])


@router.post("/preferences/{token}/measuring")
def choose_measuring(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    may_measure: Annotated[str, Form(max_length=3)] = "",
) -> HTMLResponse:
    """Let it be measured what they open and follow, or take that back at once. Twice is the same as once."""
    subscription = get_subscription(runtime, link)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
    spoken = pages.phrases(subscription.subscriber.language, newsletter.language)
    is_measured = set_measuring(
        runtime.engine,
        link.newsletter_id,
        link.subscriber_id,
        may_measure == "yes",
        wording=asked_of(newsletter, spoken, days=runtime.settings.keep_measured_days),
        network=client_of(request, runtime.settings.trusted_proxies),
        now=runtime.clock(),
        measured_for=timedelta(days=runtime.settings.keep_measured_days),
    )
    return _page(runtime, pages, link, token, "measured" if is_measured else "unmeasured")


def _page(
    runtime: Runtime,
    pages: Pages,
    link: SubscriptionLink,
    token: str,
    told: str,
    about: str = "",
    *,
    typed: Typed | None = None,
    wrong: frozenset[str] = frozenset(),
    looks: tuple[Subscription, Choices] | None = None,
    until: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Return the page with what is stored, or with what is `typed`; with `looks`, the next issue as well."""
    reader = reader_view(runtime, link)
    subscription = get_subscription(runtime, link)
    spoken = pages.phrases(*reader.languages)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
        lately = topics_lately(session, link.newsletter_id)
        agreed = agreement_of(session, link.newsletter_id, link.subscriber_id)
    settings = settings_view(
        newsletter,
        subscription,
        spoken,
        typed=typed or Typed.of(Choices.of(subscription)),
        wrong=wrong,
        lately=lately,
        languages=pages.languages,
        now=runtime.clock(),
    )
    if until:
        settings = replace(settings, until=until)
    # Who agreed reads the words that they agreed to.
    kept = runtime.settings.keep_measured_days
    days = min(kept, agreed.days) if agreed else kept
    if looks:
        coming = next_issue_for(runtime, link.newsletter_id, *looks)
        view = next_view(coming, newsletter, settings.typed, spoken) if coming else None
        settings = replace(settings, coming=view, has_looked=True)
    return pages.reader(
        "preferences.html",
        spoken,
        status=status,
        reader=reader,
        settings=settings,
        token=token,
        told=told,
        about=next((topic for topic in reader.topics if topic.slug == about), None),
        muted=muted_days(runtime, link, spoken),
        less=less_lines(runtime, link),
        measuring=asked_of(newsletter, spoken, days=days, may_spare=agreed is None or agreed.may_spare),
        is_measured=agreed is not None,
    )
