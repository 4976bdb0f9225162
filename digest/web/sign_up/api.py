"""Signing up for programs: JSON, without a token, and open to scripts of the sites that a newsletter names.

It tells no more than the page does, and its sign-ups come under the same caps.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.exceptions import HTTPException

from digest.compose.phrases import Phrases
from digest.compose.untrusted import plain
from digest.domain.consents import ConsentSource
from digest.domain.errors import DigestError, InvalidInput, Unfit
from digest.domain.sign_ups import SignUp, Wishes
from digest.intake.addresses import parse_new_address
from digest.intake.sign_ups.hints import hint_at
from digest.pipeline.sign_ups import Offer
from digest.web.clients import client_of
from digest.web.dependencies import ThePages, TheRuntime
from digest.web.envelope import BODY_MAX_BYTES
from digest.web.error_pages import status_of
from digest.web.sign_up.forms import EMAIL_MAX, NAME_MAX, cadence_of
from digest.web.sign_up.inbox import TheInbox
from digest.web.sign_up.offers import TheOffer
from digest.web.sign_up.views import LANGUAGES, Typed, agreed_wording, offer_view
from digest.web.speech import speaks
from digest.web.templating import Pages

PROBLEM = "application/problem+json"

_ONE_OBJECT = "send one JSON object in UTF-8, with Content-Type: application/json"
_UNREAD: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: f"The body cannot be read, so nothing was taken: {_ONE_OBJECT}.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The body is over {BODY_MAX_BYTES // 1024} KB: nothing was taken.",
}
"""What is told where the framework gives a body up before it is looked at."""

Language = Literal["en", "de", "es", "fr"]
assert set(get_args(Language)) == set(LANGUAGES)


class OfferedTopic(BaseModel):
    """A topic to choose."""

    slug: str = Field(examples=["climate"])
    name: str
    description: str
    often: str = Field(description="How often it appears, in words; '' while nothing was published.")
    articles_a_week: float | None = Field(description="Counted from the last issues; null before the first.")


class OfferedArticle(BaseModel):
    """An article of the last issue."""

    title: str
    language: str
    url: str | None = Field(description="Where the newsletter has a public archive; else null.")
    source: str
    topics: list[str]


class Offered(BaseModel):
    """What a newsletter offers to who might become its reader."""

    newsletter: str = Field(examples=["Harbour Week"])
    wording: str = Field(description="What whoever signs up agrees to: show it beside the button.")
    wording_language: str = Field(
        description="The language that `wording` and `measuring` are in: send it back with the sign-up.",
        examples=["en"],
    )
    measuring: str = Field(
        description="What `may_measure` agrees to: show it beside a box that is not ticked. '' where the "
        "newsletter asks nobody."
    )
    topics: list[OfferedTopic]
    cadences: list[str] = Field(description="How often it can be had, the most frequent first.")
    languages: list[str]
    sample: list[OfferedArticle] = Field(description="The first articles of each topic in the last issue.")


class NewSignUp(BaseModel):
    """Somebody who wants a newsletter. A mail asks them whether it was them."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=EMAIL_MAX, examples=["ada@example.org"])
    topics: list[str] = Field(min_length=1, max_length=60, examples=[["climate", "space"]])
    cadence: str = Field("", max_length=16, description="One that is on offer; '' for the first of them.")
    language: Language | None = Field(None, description="Of the pages for them; null: the newsletter's.")
    wording_language: str = Field(
        "",
        max_length=16,
        description="The `wording_language` of the answer whose words you showed: those are recorded as what "
        "they agreed to. '' where you showed the words in `language`.",
        examples=["en"],
    )
    name: str = Field("", max_length=NAME_MAX)
    may_measure: StrictBool = Field(
        False,
        description="Whether they ticked that it may be measured what they open and follow, as `measuring` "
        "says. It means nothing where the newsletter asks nobody.",
    )


class AskedToConfirm(BaseModel):
    """What is told to whoever signs up, whatever is known of the address."""

    status: Literal["asked"] = "asked"
    meant: str | None = Field(
        None, description="The address that was probably meant, where this one looks like a slip."
    )
    disposable: bool = Field(False, description="Whether the address looks like one that is soon gone.")


class Open(APIRoute):
    """A route that answers every error in JSON, and scripts of the sites that the newsletter names."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def answer_in_json(request: Request) -> Response:
            try:
                response = await answer(request)
            except RequestValidationError as exc:
                response = _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(map(_wrong, exc.errors())))
            except HTTPException as exc:
                status = HTTPStatus(exc.status_code)
                response = _problem(status, _UNREAD.get(status, ""))
            except Unfit as exc:
                response = _problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc))
            except DigestError as exc:
                response = _problem(status_of(exc), str(exc) if isinstance(exc, InvalidInput) else "")
            offer: Offer | None = getattr(request.state, "offer", None)
            response.headers["Vary"] = "Origin"
            if offer is not None and is_open_to(offer, request.headers.get("origin", "")):
                response.headers["Access-Control-Allow-Origin"] = request.headers["origin"]
            return response

        return answer_in_json


def is_open_to(offer: Offer, origin: str) -> bool:
    """Tell whether scripts of this site may ask for a newsletter."""
    origins = offer.newsletter.sign_up_origins
    return bool(origin) and ("*" in origins or origin.lower() in origins)


router = APIRouter(route_class=Open)

_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body cannot be read.", "content": {PROBLEM: {}}},
    404: {"description": "No newsletter of this name takes sign-ups.", "content": {PROBLEM: {}}},
    413: {"description": "The body is too long.", "content": {PROBLEM: {}}},
    422: {"description": "What was sent is wrong; `detail` says what.", "content": {PROBLEM: {}}},
    503: {"description": "Nothing was taken. Try again later.", "content": {PROBLEM: {}}},
}


@router.get("/subscribe/openapi.json", include_in_schema=False)
async def openapi_document(runtime: TheRuntime) -> JSONResponse:
    """Return the OpenAPI document of these calls."""
    document = get_openapi(
        title="Digest: signing up",
        version="1",
        description="For forms of your own. Scripts of other sites may call this where the newsletter names "
        "them (`digest newsletter change NEWSLETTER --sign-up-origin SITE`). It needs no token.",
        routes=[route for route in router.routes if getattr(route, "include_in_schema", False)],
        servers=[{"url": runtime.settings.public_url.rstrip("/")}],
    )
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return JSONResponse(document)


@router.options("/subscribe/{slug}/api", include_in_schema=False)
async def may_ask(request: Request, offer: TheOffer) -> Response:
    """Tell a browser what scripts of another site may send."""
    allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "Content-Type"}
    is_open = is_open_to(offer, request.headers.get("origin", ""))
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=allowed if is_open else {})


@router.head("/subscribe/{slug}/api", include_in_schema=False)
@router.get("/subscribe/{slug}/api", responses=_REFUSALS, tags=["Signing up"])
async def show_offer(
    pages: ThePages,
    offer: TheOffer,
    language: Annotated[str, Query(max_length=16, description="Of the words in the answer.")] = "",
) -> Offered:
    """Return what a newsletter offers: its topics, how often each appears, and what the last issue had."""
    spoken = pages.phrases(language, offer.newsletter.language)
    view = offer_view(offer, spoken, Typed())
    slugs = [topic.slug for topic in offer.topics]
    rates: Mapping[Any, float] = offer.weekly or {}
    return Offered(
        newsletter=view.name,
        wording=view.wording,
        wording_language=spoken.language,
        measuring=view.measuring,
        topics=[
            OfferedTopic(
                slug=topic.slug,
                name=topic.name,
                description=topic.description,
                often=topic.often,
                articles_a_week=None if offer.weekly is None else round(rates.get(topic.slug, 0.0), 2),
            )
            for topic in view.topics
        ],
        cadences=[cadence.value for cadence in offer.newsletter.cadences],
        languages=list(LANGUAGES),
        sample=[
            OfferedArticle(
                title=line.title,
                language=line.language,
                url=line.url,
                source=line.source,
                topics=[slugs[number] for number in line.topics],
            )
            for line in (view.sample.lines if view.sample else ())
        ],
    )


@router.post(
    "/subscribe/{slug}/api", status_code=HTTPStatus.ACCEPTED, responses=_REFUSALS, tags=["Signing up"]
)
async def sign_up(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    offer: TheOffer,
    inbox: TheInbox,
    new: NewSignUp,
) -> AskedToConfirm:
    """Ask for a newsletter. The answer is the same for every address: what comes of it, its mailbox hears."""
    email = parse_new_address(new.email)
    known = {topic.slug for topic in offer.topics}
    if unknown := [slug for slug in new.topics if slug not in known]:
        there = ", ".join(sorted(known)) or "none yet"
        raise InvalidInput(f"no topic '{plain(unknown[0])[:64]}'; there is: {there}")
    shown = _shown(pages, offer, new)
    await inbox.put(
        SignUp(
            offer.newsletter.id,
            email,
            Wishes(
                frozenset(slug for slug in known if slug in new.topics),
                cadence_of(new.cadence, offer),
                new.language or "",
                plain(new.name),
                new.may_measure,
            ),
            ConsentSource.API,
            agreed_wording(offer, shown, may_measure=new.may_measure),
            client_of(request, runtime.settings.trusted_proxies),
            runtime.clock(),
        )
    )
    hint = hint_at(email)
    return AskedToConfirm(
        meant=(hint.meant or None) if hint else None, disposable=bool(hint and hint.is_disposable)
    )


def _shown(pages: Pages, offer: Offer, new: NewSignUp) -> Phrases:
    """Return how the words were that somebody agreed to. Raises `InvalidInput` for none of ours."""
    wanted = new.wording_language
    if not wanted:
        return pages.phrases(new.language or "", offer.newsletter.language)
    shown = pages.phrases(wanted)
    if not speaks(shown, wanted):
        raise InvalidInput(
            f"wording_language: there are no words in '{plain(wanted)}'; send back what GET answered, "
            f"one of: {', '.join(pages.languages)}"
        )
    return shown


def _wrong(error: Mapping[str, Any]) -> str:
    """Return in words what is wrong with one part of a request."""
    if error["type"] == "json_invalid":
        return f"body: this is no JSON: {error['ctx']['error'].lower()} at character {error['loc'][-1]}"
    if error["loc"] == ("body",):
        return f"body: {_ONE_OBJECT}"
    return f"{error['loc'][-1]}: {error['msg'].lower()}"


def _problem(status: HTTPStatus, detail: str) -> JSONResponse:
    told = {"title": status.phrase, "status": status.value, "detail": detail or f"{status.description}."}
    return JSONResponse(told, status, media_type=PROBLEM)
