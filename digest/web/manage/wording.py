"""What mail says in its own words: each phrase as usual, and the newsletter's own words in its place."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from digest.compose.phrases import Phrase
from digest.domain.accounts import Right
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.topics import slug as as_slug
from digest.pipeline.mail_samples import DIGEST
from digest.pipeline.managing import looks as managing
from digest.pipeline.managing.given import spoken_language
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.manage.forms import Form, TheTyped, form_of, saved
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.views import PhraseView
from digest.web.manage.words import DONE, LANGUAGES, Choice
from digest.web.templating import Pages

router = APIRouter()
LOOK, SHAPE = needs(Right.LOOK), needs(Right.SHAPE)
PATH = "/manage/newsletters/{slug}/wording"

KINDS = (
    Choice(DIGEST, "Digest"),
    Choice(LetterKind.CONFIRMATION, "Confirmation"),
    Choice(LetterKind.WELCOME, "Welcome"),
    Choice(LetterKind.PREFERENCES, "Preferences"),
    Choice(LetterKind.GOODBYE, "Goodbye"),
    Choice(LetterKind.NEW_ADDRESS, "New address"),
    Choice(LetterKind.LEAVE_ADDRESS, "Leaving an address"),
    Choice(LetterKind.OLD_ADDRESS, "Old address"),
    Choice(LetterKind.TEST, "Test"),
)


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def wording(
    runtime: TheRuntime,
    pages: ThePages,
    slug: Slug,
    language: str = "",
    kind: str = DIGEST,
    done: str = "",
) -> HTMLResponse:
    """Show what mail says in a language, the newsletter's own if none is named."""
    stored = _stored(runtime, slug)
    tag = spoken_language(language or stored.language, "the language")
    form = form_of(managing.wording_of(runtime, stored, tag))
    return _page(runtime, pages, stored, tag, form, kind=kind, done=done)


@router.post(PATH, dependencies=[SHAPE])
def change(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    typed: TheTyped,
    slug: Slug,
    language: str = "",
    kind: str = DIGEST,
) -> Response:
    """Put the newsletter's own words in the place of the usual ones; an empty field is as ever."""
    stored = _stored(runtime, slug)
    tag = spoken_language(language or stored.language, "the language")

    def texts_of(newsletter: Newsletter) -> dict[str, str]:
        return managing.wording_of(runtime, newsletter, tag)

    form = saved(
        typed.of(tuple(texts_of(stored))),
        texts_of,
        lambda propose: managing.change_wording(runtime, stored.slug, tag, propose, by=actor.name),
    )
    if form:
        return _page(runtime, pages, stored, tag, form, kind=kind)
    return to(pages, slug, f"look-changed&language={tag}&kind={_known(kind)}", place="/wording")


def _stored(runtime: Runtime, slug: str) -> Newsletter:
    with reading(runtime.engine) as session:
        return get_newsletter(session, as_slug(slug))


def _page(
    runtime: Runtime, pages: Pages, stored: Newsletter, tag: str, form: Form, *, kind: str, done: str = ""
) -> HTMLResponse:
    usual = managing.spoken(runtime, stored, tag)
    is_translated = usual.language.partition("-")[0] == tag.partition("-")[0]
    kind = _known(kind)
    own = tuple(dict.fromkeys((stored.language, *stored.theme.wording, *LANGUAGES)))
    problems = {name.rpartition(".")[2]: said for name, said in form.problems.items()}
    return pages.desk(
        "manage/wording.html",
        status=form.status,
        newsletter=standing(runtime, stored.slug),
        tab="wording",
        form=form,
        phrases=tuple(
            PhraseView(
                name=phrase.name,
                usual=usual.unfilled(phrase),
                keys=tuple((f"{phrase.name}|{one}", one) for one in managing.categories_of(phrase, tag)),
                fills=", ".join(f"{{{name}}}" for name in sorted(phrase.placeholders)),
                problem=problems.get(phrase.name, ""),
            )
            for phrase in _shown(runtime, stored, kind, is_translated=is_translated)
        ),
        whole=next((said for name, said in form.problems.items() if name.count(".") < 2), ""),
        language=tag,
        languages=own,
        is_translated=is_translated,
        kind=kind,
        kinds=KINDS,
        done=DONE.get(done, ""),
    )


def _known(kind: str) -> str:
    return kind if kind in [one.value for one in KINDS] else DIGEST


def _shown(runtime: Runtime, stored: Newsletter, kind: str, *, is_translated: bool) -> tuple[Phrase, ...]:
    """Return the phrases of one mail, or all: a language without a translation has to be worded whole."""
    if not is_translated:
        return tuple(managing.vocabulary_of(runtime, stored).phrases)
    return managing.phrases_of(runtime, stored, stored.template if kind == DIGEST else kind)
