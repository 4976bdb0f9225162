"""The sign-up page of a newsletter, and a form for other sites. No session, no cookie, no script.

Whoever signs up is answered alike, in the same time: what is known of an address shows in its mailbox alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.compose.phrases import Phrases
from digest.pipeline.sign_ups import Offer
from digest.web import archive_looks
from digest.web.archive_looks import stylesheet
from digest.web.clients import client_of
from digest.web.conditional import answer
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.headers import FEED
from digest.web.sign_up.forms import problem_with, sign_up_of, typed_in
from digest.web.sign_up.inbox import TheInbox
from digest.web.sign_up.offers import TheOffer
from digest.web.sign_up.views import LANGUAGES, Problem, Typed, agreed_wording, offer_view
from digest.web.speech import accepted_languages
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])

Language = Annotated[str, Query(max_length=16)]
_VARYING = {"Vary": "Accept-Language"}


@router.api_route("/subscribe/{slug}", methods=READ)
async def show(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    offer: TheOffer,
    topic: Annotated[list[str], Query(default_factory=list)],
    language: Language = "",
) -> HTMLResponse:
    """Show what a newsletter offers, with these topics ticked."""
    typed = Typed(topics=frozenset(topic), language=language)
    return _page(
        request, runtime.tokens.sign_form(offer.newsletter.id, now=runtime.clock()), pages, offer, typed
    )


@router.post("/subscribe/{slug}")
async def ask(
    request: Request, runtime: TheRuntime, pages: ThePages, offer: TheOffer, inbox: TheInbox
) -> Response:
    """Keep a sign-up, and lead to the page that says what comes next. Forms of other sites come here, too."""
    typed, now = typed_in(await request.form()), runtime.clock()
    spoken = _spoken(request, pages, offer, typed.language)
    if problem := problem_with(typed, offer, runtime.tokens, now=now):
        # A page that was open for long gets a new mark; one that was sent at once keeps its old one.
        shown = runtime.tokens.sign_form(offer.newsletter.id, now=now)
        return _page(request, shown, pages, offer, typed, problem=problem)
    network = client_of(request, runtime.settings.trusted_proxies)
    # What is recorded is what was read: the words of the page, not those of the language chosen on it.
    shown_in = pages.phrases(typed.spoken, offer.newsletter.language) if typed.spoken else spoken
    wording = agreed_wording(offer, shown_in, may_measure=typed.may_measure)
    await inbox.put(sign_up_of(typed, offer, wording=wording, network=network, now=now))
    chosen = f"?language={typed.language}" if typed.language in LANGUAGES else ""
    place = f"{pages.base}/subscribe/{offer.newsletter.slug}/asked{chosen}"
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


@router.api_route("/subscribe/{slug}/asked", methods=READ)
async def asked(
    request: Request, runtime: TheRuntime, pages: ThePages, offer: TheOffer, language: Language = ""
) -> HTMLResponse:
    """Say that a mail is on its way, to whoever asks."""
    spoken = _spoken(request, pages, offer, language)
    view = offer_view(offer, spoken, Typed())
    caps = runtime.sign_up_caps
    page = pages.reader(
        "sign_up_asked.html",
        spoken,
        offer=view,
        per_day=caps.per_address_day,
        per_month=caps.per_address_month,
    )
    return _varying(page)


@router.api_route("/subscribe/{slug}/form", methods=READ)
async def form(runtime: TheRuntime, pages: ThePages, offer: TheOffer) -> HTMLResponse:
    """Show a form to be copied into pages of other sites, in the newsletter's language."""
    spoken = pages.phrases(offer.newsletter.language)
    view = offer_view(offer, spoken, Typed())
    address = runtime.sign_up_url(offer.newsletter)
    copied = pages.text("sign_up_snippet.html", spoken, offer=view, address=address)
    return pages.reader("sign_up_form.html", spoken, offer=view, copied=copied.strip())


@router.api_route(f"/subscribe/{{slug}}/{archive_looks.NAME}", methods=READ)
async def theme(request: Request, offer: TheOffer) -> Response:
    """Return the newsletter's own colours for its sign-up pages."""
    css = stylesheet(offer.newsletter.theme)
    return answer(request, css.encode(), media_type="text/css", headers=FEED)


def _page(
    request: Request,
    shown: str,
    pages: Pages,
    offer: Offer,
    typed: Typed,
    *,
    problem: Problem | None = None,
) -> HTMLResponse:
    spoken = _spoken(request, pages, offer, typed.language)
    view = offer_view(offer, spoken, typed, problem=problem)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return _varying(pages.reader("sign_up.html", spoken, status=status, offer=view, shown=shown))


def _spoken(request: Request, pages: Pages, offer: Offer, language: str) -> Phrases:
    """Return how a page speaks: as was chosen, else as the browser asks for, else as the newsletter does."""
    accepted = accepted_languages(request.headers.get("accept-language", ""))
    return pages.phrases(language, *accepted, offer.newsletter.language)


def _varying(page: HTMLResponse) -> HTMLResponse:
    page.headers.update(_VARYING)
    return page
