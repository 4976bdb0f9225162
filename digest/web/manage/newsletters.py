"""Newsletters: the list of them, a new one, and what each one's mail says, holds and comes from."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from digest.domain.accounts import Actor, Right
from digest.domain.articles import Style
from digest.domain.cadences import Cadence
from digest.domain.clicks import Clicks
from digest.domain.errors import InvalidInput
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Approval
from digest.domain.topics import slug as as_slug
from digest.pipeline.managing import newsletters as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.manage.forms import Form, TheTyped, Typed, form_of, refused, saved
from digest.web.manage.overview import kept, standing
from digest.web.manage.words import DONE, LANGUAGES, Choice, called, zones
from digest.web.templating import Pages

router = APIRouter()

LOOK, ADMINISTER = needs(Right.LOOK), needs(Right.ADMINISTER)
SHAPE = needs(Right.SHAPE)

CONTENTS = (
    "language",
    "window_days",
    "max_items",
    "takeaways",
    "takeaway_words",
    "takeaway_style",
    "llm",
    "cadences",
    "quiet_hours",
    "local_time",
    "welcome",
    "goodbye",
    "archive",
    "sign_up",
    "sign_up_origins",
    "clicks",
    "measuring",
)
"""What an editor may change."""
IDENTITY = (
    "name",
    "sender_name",
    "sender_email",
    "reply_to",
    "postal_address",
    "timezone",
    "approval",
    "second_eyes",
)
"""What only an admin may: whom mail comes from, and who lets it go."""
_TICKED = ("llm", "cadences", "local_time", "welcome", "goodbye", "archive", "sign_up")
_NEW = (
    "slug",
    "name",
    "sender_email",
    "sender_name",
    "postal_address",
    "language",
    "timezone",
    "window_days",
)

STYLES = (
    Choice(Style.NEUTRAL, "Neutral: no judging words"),
    Choice(Style.PLAIN, "Plain: simple words"),
    Choice(Style.BRIEF, "Brief: few words"),
)
APPROVALS = (
    Choice(Approval.MANUAL, "when somebody approved it"),
    Choice(Approval.AUTOMATIC, "by itself, unless its checks find an error"),
    Choice(Approval.DEADLINE, "by itself when it is due, even with errors"),
)
CLICKS = (
    Choice(Clicks.OFF, "not counted"),
    Choice(Clicks.COUNTED, "counted, without who it was"),
)
MEASURING = (
    Choice(Measuring.OFF, "not measured"),
    Choice(Measuring.ASKED, "measured of readers who agree"),
)
CADENCES = tuple(Choice(cadence, cadence.in_words.capitalize()) for cadence in Cadence)

Slug = Annotated[str, Path(max_length=64)]


@router.api_route("/manage", methods=READ, dependencies=[LOOK])
def overview(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show every newsletter, what it has and what it lacks."""
    return pages.desk("manage/newsletters.html", newsletters=kept(runtime), done=DONE.get(done, ""))


@router.api_route("/manage/new", methods=READ, dependencies=[ADMINISTER])
def new(pages: ThePages) -> HTMLResponse:
    """Show the form of a newsletter that is not there yet."""
    usual = {"language": "en", "timezone": "UTC", "window_days": "7"}
    return pages.desk("manage/new_newsletter.html", form=form_of(usual), languages=LANGUAGES, zones=zones())


@router.post("/manage/new", dependencies=[ADMINISTER])
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped) -> Response:
    """Add a newsletter, and lead on to its topics."""
    given = typed.of(_NEW)
    try:
        newsletter = managing.add(runtime, given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        form = refused(given.texts, {}, exc)
        return pages.desk(
            "manage/new_newsletter.html", status=form.status, form=form, languages=LANGUAGES, zones=zones()
        )
    return to(pages, newsletter.slug, "added")


@router.api_route("/manage/newsletters/{slug}", methods=READ, dependencies=[LOOK])
def newsletter(runtime: TheRuntime, pages: ThePages, slug: Slug, done: str = "") -> HTMLResponse:
    """Show how a newsletter is set."""
    return _page(runtime, pages, slug, done=done)


@router.post("/manage/newsletters/{slug}/contents", dependencies=[SHAPE])
def change_contents(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug
) -> Response:
    """Change what issues hold and when they leave."""
    form = _refusal(runtime, actor, slug, typed.of(CONTENTS, _TICKED))
    return _page(runtime, pages, slug, contents=form) if form else to(pages, slug, "changed")


@router.post("/manage/newsletters/{slug}/identity", dependencies=[ADMINISTER])
def change_identity(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug
) -> Response:
    """Change whom mail comes from and who approves it."""
    form = _refusal(runtime, actor, slug, typed.of(IDENTITY, ["second_eyes"]))
    return _page(runtime, pages, slug, identity=form) if form else to(pages, slug, "changed")


@router.api_route("/manage/newsletters/{slug}/remove", methods=READ, dependencies=[ADMINISTER])
def ask(runtime: TheRuntime, pages: ThePages, slug: Slug) -> HTMLResponse:
    """Say what goes with a newsletter before it is removed."""
    return _ask(runtime, pages, slug)


@router.post("/manage/newsletters/{slug}/remove", dependencies=[ADMINISTER])
def remove(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Remove a newsletter whose short name was typed once more."""
    if typed.get("slug") != slug:
        problem = f"That is not its short name: type {slug} to remove it. Nothing was removed."
        return _ask(runtime, pages, slug, status=422, problem=problem)
    try:
        managing.remove(runtime, as_slug(slug), by=actor.name)
    except InvalidInput as exc:
        return _ask(runtime, pages, slug, status=status_of(exc), problem=str(exc))
    return RedirectResponse(f"{pages.base}/manage?done=removed", 303)


def to(pages: Pages, slug: str, done: str, *, place: str = "") -> Response:
    """Return the way to a newsletter's page, or one below it, which then says what was done."""
    return RedirectResponse(f"{pages.base}/manage/newsletters/{slug}{place}?done={done}", 303)


def _ask(runtime: Runtime, pages: Pages, slug: str, *, status: int = 200, problem: str = "") -> HTMLResponse:
    return pages.desk(
        "manage/remove_newsletter.html", status=status, newsletter=standing(runtime, slug), problem=problem
    )


def _refusal(runtime: Runtime, actor: Actor, slug: str, typed: Typed) -> Form | None:
    """Save one of a newsletter's forms; return it where it was not taken."""
    return saved(
        typed,
        managing.texts_of,
        lambda propose: managing.change(runtime, as_slug(slug), propose, by=actor.name, called=called),
    )


def _page(
    runtime: Runtime,
    pages: Pages,
    slug: str,
    *,
    done: str = "",
    contents: Form | None = None,
    identity: Form | None = None,
) -> HTMLResponse:
    with reading(runtime.engine) as session:
        stored = get_newsletter(session, as_slug(slug))
    texts = managing.texts_of(stored)
    return pages.desk(
        "manage/newsletter.html",
        status=next((form.status for form in (contents, identity) if form), HTTPStatus.OK),
        tab="settings",
        newsletter=standing(runtime, slug),
        contents=contents or form_of({name: texts[name] for name in CONTENTS}),
        identity=identity or form_of({name: texts[name] for name in IDENTITY}),
        archive_url=runtime.archive_url(stored),
        sign_up_url=runtime.sign_up_url(stored),
        has_model=runtime.settings.llm_provider != "none",
        styles=STYLES,
        cadences=CADENCES,
        clicks=CLICKS,
        measuring=MEASURING,
        approvals=APPROVALS,
        languages=LANGUAGES,
        zones=zones(),
        done=DONE.get(done, ""),
    )
