"""How a newsletter's mail looks and is worded: colours, fonts, logo and phrases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field, StrictBool, StrictInt

from digest.domain import themes
from digest.domain.accounts import Right
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter
from digest.pipeline.mail_samples import DIGEST, sample_look
from digest.pipeline.managing import looks
from digest.pipeline.managing.given import spoken_language
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.issue_looks import Preview
from digest.web.api.shapes import Given, Language, Line, Listed, NewsletterName, Prose, Told, whole
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Looks"])

Spoken = Annotated[
    Language, Path(min_length=2, description="The language, as a BCP 47 tag.", examples=["en"])
]


class Colours(Told):
    """The colours of one scheme, as `#rrggbb`."""

    ink: str = Field(description="Text.")
    soft: str = Field(description="What stands beside the text.")
    accent: str = Field(description="Links and topics.")
    page: str = Field(description="What lies behind it all.")
    rule: str = Field(description="Thin lines.")

    @classmethod
    def of(cls, one: themes.Colours) -> Colours:
        """Return colours as the API tells them."""
        return cls(ink=one.ink, soft=one.soft, accent=one.accent, page=one.page, rule=one.rule)


class Logo(Told):
    """A picture above each mail."""

    url: str
    alt: str = Field(description="What stands in its place where pictures are off.")
    width: int
    replaces_name: bool

    @classmethod
    def of(cls, one: themes.Logo) -> Logo:
        """Return a logo as the API tells it."""
        return cls(url=one.url, alt=one.alt, width=one.width, replaces_name=one.replaces_name)


class Look(Told):
    """How a newsletter's mail looks."""

    font: str
    heading_font: str
    light: Colours
    dark: Colours
    logo: Logo | None

    @classmethod
    def of(cls, one: themes.Theme) -> Look:
        """Return a look as the API tells it."""
        return cls(
            font=one.font,
            heading_font=one.heading_font,
            light=Colours.of(one.light),
            dark=Colours.of(one.dark),
            logo=Logo.of(one.logo) if one.logo else None,
        )


class ColoursChange(Given):
    """What changes of a scheme's colours. What is left out or null stays."""

    ink: Line | None = Field(None, examples=["#1c1b1a"])
    soft: Line | None = None
    accent: Line | None = None
    page: Line | None = None
    rule: Line | None = None


class LogoChange(Given):
    """What changes of the logo. What is left out or null stays; with an empty `url` there is none."""

    url: Line | None = Field(None, examples=["https://example.org/logo.png"])
    alt: Line | None = None
    width: StrictInt | None = Field(None, ge=1, le=9_999)
    replaces_name: StrictBool | None = None


class LookChange(Given):
    """What changes of a look. What is left out or null stays."""

    font: Line | None = Field(None, examples=["Georgia, serif"])
    heading_font: Line | None = None
    light: ColoursChange | None = None
    dark: ColoursChange | None = None
    logo: LogoChange | None = None


class Sample(LookChange):
    """A look to be tried on a mail of made-up articles. What is left out is as it stands."""

    kind: str = Field(
        DIGEST,
        pattern=f"^({'|'.join((DIGEST, *(kind for kind in LetterKind if kind is not LetterKind.ALERT)))})$",
        description="Which mail.",
    )


class PhraseTold(Told):
    """A phrase that mail says in its own words."""

    name: str
    usual: str = Field(description="What it says unless the newsletter says otherwise.")
    placeholders: list[str] = Field(description="What is filled in, as `{name}`; all of them must be there.")
    own: dict[str, str] = Field(
        description="The newsletter's own words for each plural category that the language has; '': as usual."
    )


class WordingChange(Given):
    """Phrases that are to be said otherwise. What is left out stays."""

    phrases: dict[Line, dict[Line, Prose]] = Field(
        max_length=500,
        description="By the phrase's name and its plural category (`other` for most); '': as usual again.",
        examples=[{"read_more": {"other": "Read on"}}],
    )


@router.get("/newsletters/{newsletter}/look", **asks(Right.LOOK))
def show_look(runtime: TheRuntime, response: Response, newsletter: NewsletterName) -> Look:
    """Return how a newsletter's mail looks."""
    return _told(runtime, response, newsletter)


@router.patch("/newsletters/{newsletter}/look", **asks(Right.SHAPE))
def change_look(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    change: LookChange,
    if_match: IfMatch = None,
) -> Look:
    """Change how a newsletter's mail looks. What was approved keeps the look it had."""

    def propose(stands: Newsletter) -> Mapping[str, object]:
        require_unchanged(if_match, Look.of(stands.theme))
        return _texts(change)

    looks.change_look(runtime, newsletter, propose, by=caller.name)
    return _told(runtime, response, newsletter)


@router.delete("/newsletters/{newsletter}/look", status_code=204, **asks(Right.SHAPE))
def reset_look(runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName) -> None:
    """Let mail look as it does unless somebody says otherwise. Its wording stays."""
    usual = looks.look_of(themes.USUAL)
    looks.change_look(runtime, newsletter, lambda _: usual, by=caller.name)


@router.post("/newsletters/{newsletter}/look/sample", **asks(Right.SHAPE))
def show_sample(runtime: TheRuntime, newsletter: NewsletterName, sample: Sample | None = None) -> Preview:
    """Return a mail of made-up articles in a look that is not saved."""
    wanted = sample or Sample()
    with reading(runtime.engine) as session:
        stands = get_newsletter(session, newsletter)
    theme = looks.with_look(runtime, stands, {name: str(text) for name, text in _texts(wanted).items()})
    made = sample_look(runtime, newsletter, theme, kind=wanted.kind)
    return Preview(subject=made.subject, html=made.html, text=made.text)


@router.get("/newsletters/{newsletter}/wording/{language}", **asks(Right.LOOK))
def show_wording(runtime: TheRuntime, newsletter: NewsletterName, language: Spoken) -> Listed[PhraseTold]:
    """Return what a newsletter's mails say in a language."""
    return _phrases(runtime, newsletter, spoken_language(language, "the language"))


@router.patch("/newsletters/{newsletter}/wording/{language}", **asks(Right.SHAPE))
def change_wording(
    runtime: TheRuntime,
    caller: TheCaller,
    newsletter: NewsletterName,
    language: Spoken,
    change: WordingChange,
) -> Listed[PhraseTold]:
    """Put the newsletter's own words in the place of the usual ones."""
    tag = spoken_language(language, "the language")
    texts = {
        f"{name}|{category}": words
        for name, forms in change.phrases.items()
        for category, words in forms.items()
    }
    looks.change_wording(runtime, newsletter, tag, lambda _: texts, by=caller.name)
    return _phrases(runtime, newsletter, tag)


def _texts(change: LookChange) -> dict[str, object]:
    """Return what changes by the names of a theme's values, with dots between."""
    given = change.model_dump(exclude_none=True, exclude={"kind"})
    texts: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, dict):
            texts |= {f"{name}.{part}": one for part, one in value.items()}
        else:
            texts[name] = value
    if "logo.replaces_name" in texts:
        texts["logo.replaces_name"] = "yes" if texts["logo.replaces_name"] else ""
    if texts.get("logo.url") == "":
        texts |= {"logo.alt": "", "logo.width": "", "logo.replaces_name": ""}
    return texts


def _told(runtime: Runtime, response: Response, newsletter: str) -> Look:
    with reading(runtime.engine) as session:
        told = Look.of(get_newsletter(session, newsletter).theme)
    response.headers["ETag"] = etag_of(told)
    return told


def _phrases(runtime: Runtime, newsletter: str, tag: str) -> Listed[PhraseTold]:
    with reading(runtime.engine) as session:
        stands = get_newsletter(session, newsletter)
    usual = looks.spoken(runtime, stands, tag)
    own = looks.wording_of(runtime, stands, tag)
    return whole(
        looks.vocabulary_of(runtime, stands).phrases,
        lambda phrase: PhraseTold(
            name=phrase.name,
            usual=usual.unfilled(phrase),
            placeholders=sorted(phrase.placeholders),
            own={category: own[f"{phrase.name}|{category}"] for category in looks.categories_of(phrase, tag)},
        ),
    )
