"""An article that an editor adds to an issue by its address: fetched, condensed, and pinned there."""

from __future__ import annotations

from dataclasses import dataclass

from digest.compose.edits import Change
from digest.compose.shape import PIN
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import IssueState
from digest.gather.urls import comparison_key
from digest.pipeline.by_hand import add_article
from digest.pipeline.condensing import condense_ahead
from digest.pipeline.shaping import shape_issue
from digest.runtime import Runtime
from digest.store.articles import ArticleId
from digest.store.database import reading
from digest.store.edits import About, Field
from digest.store.issues import get_issue
from digest.store.naming import get_named_article
from digest.store.newsletters import newsletter_by_id


@dataclass(frozen=True, slots=True)
class AddedToIssue:
    """An article that was added. `is_in` is False while it waits to be condensed, and comes in by itself."""

    id: ArticleId
    title: str
    is_in: bool


def add_to_issue(
    runtime: Runtime, issue_id: int, url: str, *, topic: str, by: str, takes_back: bool = False
) -> AddedToIssue:
    """Fetch the article at `url`, give it `topic`, and pin it in a draft, whenever it was published.

    Raises `Conflict` for an issue that is no draft, and what `add_article` does.
    """
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
    if issue.state is not IssueState.DRAFT and not (takes_back and issue.state is IssueState.APPROVED):
        raise Conflict(f"issue {issue_id} is {issue.state}: nothing can be added to it")
    if not topic:
        raise InvalidInput("choose a topic: an article of none reaches nobody; nothing was added")
    added = add_article(runtime, newsletter.slug, url, topics=[topic], by=by, window=issue.window)
    condense_ahead(runtime, newsletter, issue.window)
    keys = [comparison_key(address) for address in (added.article.url, url)]
    with reading(runtime.engine) as session:
        found = get_named_article(session, added.article.url, addresses=keys, within=newsletter.id)
    try:
        pin = Change(About(Field.WISH, found.id), PIN)
        shape_issue(runtime, issue_id, [pin], by=by, takes_back=takes_back)
    except InvalidInput:
        # It has its topic once it is condensed: a model may take its time. The draft is filled with it then.
        return AddedToIssue(found.id, found.title, is_in=False)
    return AddedToIssue(found.id, found.title, is_in=True)
