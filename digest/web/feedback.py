"""Whether an article was useful: a mail's links lead here, and only the buttons say anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.feedback import find_feedback
from digest.track.feedback import say_useful
from digest.track.tokens import SubscriptionLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.less import IssueNumber, Position
from digest.web.links import PreferencesLink
from digest.web.readers import reader_view
from digest.web.sent_articles import SentArticle, sent_article
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])

USEFUL = "/preferences/{token}/useful/{issue_id}/{position}"

_SAID = {"useful": True, "not-useful": False, "nothing": None}


@router.api_route(USEFUL, methods=READ)
def show_useful(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    issue_id: IssueNumber,
    position: Position,
) -> HTMLResponse:
    """Ask whether an article was useful, by its buttons alone."""
    return _page(runtime, pages, link, token, sent_article(runtime, link, issue_id, position))


@router.post(USEFUL)
def say(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    issue_id: IssueNumber,
    position: Position,
    say: Annotated[str, Form()],
) -> HTMLResponse:
    """Keep what a reader says of an article. Twice is the same as once, and the last word counts."""
    article = sent_article(runtime, link, issue_id, position)
    if say in _SAID:
        say_useful(
            runtime.engine,
            link.newsletter_id,
            link.subscriber_id,
            issue_id=article.issue_id,
            position=article.position,
            source=article.source,
            is_useful=_SAID[say],
            now=runtime.clock(),
        )
    return _page(runtime, pages, link, token, article)


def _page(
    runtime: Runtime, pages: Pages, link: SubscriptionLink, token: str, article: SentArticle
) -> HTMLResponse:
    reader = reader_view(runtime, link)
    with reading(runtime.engine) as session:
        said = find_feedback(
            session, link.subscriber_id, issue_id=article.issue_id, position=article.position
        )
    return pages.reader(
        "feedback.html",
        pages.phrases(*reader.languages),
        reader=reader,
        token=token,
        article=article,
        said={True: "useful", False: "not-useful", None: ""}[said],
    )
