"""How mail looks: colours, fonts and logo, each change shown on a real mail before it is saved."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.themes import CONTRAST_MIN, USUAL, Theme, contrast
from digest.domain.topics import slug as as_slug
from digest.pipeline.mail_samples import DIGEST, sample_look
from digest.pipeline.managing import looks as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.headers import PREVIEW
from digest.web.manage.forms import Form, TheTyped, form_of, saved
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.views import Contrast
from digest.web.manage.words import DONE
from digest.web.preview.colours import Colours, in_colours
from digest.web.templating import Pages

router = APIRouter()
LOOK, SHAPE = needs(Right.LOOK), needs(Right.SHAPE)
PATH = "/manage/newsletters/{slug}/look"

FIELDS = tuple(managing.look_of(USUAL))
_TICKED = ("logo.replaces_name",)
COLOURS = (
    ("ink", "Text"),
    ("soft", "Beside the text"),
    ("accent", "Links and topics"),
    ("page", "Page"),
    ("rule", "Thin lines"),
)


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def look(runtime: TheRuntime, pages: ThePages, slug: Slug, done: str = "") -> HTMLResponse:
    """Show how a newsletter's mail looks."""
    return _page(runtime, pages, slug, form_of(managing.look_of(_stored(runtime, slug).theme)), done=done)


@router.post(PATH, dependencies=[SHAPE])
def change(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Change how mail looks."""
    form = saved(
        typed.of(FIELDS, _TICKED),
        _texts_of,
        lambda propose: managing.change_look(runtime, as_slug(slug), propose, by=actor.name),
    )
    return _page(runtime, pages, slug, form) if form else to(pages, slug, "look-changed", place="/look")


@router.post(PATH + "/reset", dependencies=[SHAPE])
def reset(runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug) -> Response:
    """Let mail look as it does without a theme; its wording stays."""
    usual = managing.look_of(USUAL)
    managing.change_look(runtime, as_slug(slug), lambda _: usual, by=actor.name)
    return to(pages, slug, "look-reset", place="/look")


@router.api_route(PATH + "/mail", methods=READ, dependencies=[LOOK])
def mail(runtime: TheRuntime, slug: Slug, kind: str = DIGEST, language: str = "") -> HTMLResponse:
    """Return a mail of made-up articles as it looks now, for a sandboxed frame."""
    page = sample_look(runtime, as_slug(slug), _stored(runtime, slug).theme, kind=kind, language=language)
    return HTMLResponse(page.html, headers=dict(PREVIEW))


@router.post(PATH + "/mail", dependencies=[SHAPE])
def mail_as_typed(runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug) -> HTMLResponse:
    """Return the same mail in the look that was typed, or what is wrong with it; nothing is saved."""
    given = typed.of(FIELDS, _TICKED)
    try:
        theme = managing.with_look(runtime, _stored(runtime, slug), given.texts)
    except InvalidInput as exc:
        return _told(pages, exc)
    html = sample_look(runtime, as_slug(slug), theme).html
    shown = in_colours(html, Colours.DARK if typed.get("scheme") == Colours.DARK else Colours.LIGHT)
    return HTMLResponse(shown, headers=dict(PREVIEW))


def _told(pages: Pages, problem: InvalidInput) -> HTMLResponse:
    """Return what is wrong in the place of a mail."""
    page = pages.desk("manage/no_look.html", status=status_of(problem), problems=str(problem).split("; "))
    page.headers["X-Frame-Options"] = "SAMEORIGIN"
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = policy.replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    return page


def _texts_of(newsletter: Newsletter) -> dict[str, str]:
    return managing.look_of(newsletter.theme)


def _stored(runtime: Runtime, slug: str) -> Newsletter:
    with reading(runtime.engine) as session:
        return get_newsletter(session, as_slug(slug))


def _page(runtime: Runtime, pages: Pages, slug: str, form: Form, *, done: str = "") -> HTMLResponse:
    return pages.desk(
        "manage/look.html",
        status=form.status or HTTPStatus.OK,
        newsletter=standing(runtime, slug),
        tab="look",
        form=form,
        colours=COLOURS,
        contrasts=_contrasts(_stored(runtime, slug).theme),
        done=DONE.get(done, ""),
    )


def _contrasts(theme: Theme) -> tuple[Contrast, ...]:
    """Return how well each colour of text stands out from its page as it is stored."""
    names = dict(COLOURS)
    return tuple(
        Contrast(names[name], scheme, f"{ratio:.1f}:1", ratio >= CONTRAST_MIN)
        for scheme, colours in (("light", theme.light), ("dark", theme.dark))
        for name in ("ink", "soft", "accent")
        for ratio in [contrast(getattr(colours, name), colours.page)]
    )
