"""What an issue holds: what its approval froze, which is what is sent, or its draft as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from digest.address.explain import Explanation, Told, explain
from digest.domain.issues import Issue, IssueState, Item
from digest.domain.topics import TopicSlug
from digest.store.contents import addresses_of, sources_of
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.revisions import get_outline, get_rendered

# The libraries that compose are imported where a draft has to be composed: `digest why` of a sent issue only
# reads the database.


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """One article of an approved issue, as its readers get it, whatever has become of the article since.

    `source` is the one thing looked up anew: '' when no article of that title is stored any more.
    """

    position: int
    title: str
    topics: tuple[TopicSlug, ...]
    source: str


def is_frozen(issue: Issue) -> bool:
    """Return whether an approval's pieces are what this issue holds."""
    return issue.revision > 0 and issue.state is not IssueState.DRAFT


def frozen_items(engine: Engine, issue: Issue) -> tuple[FrozenItem, ...]:
    """Return the articles of an issue that `is_frozen`, in its order."""
    from digest.compose.steps import content_of

    sources = {item.title: item.source for item in content_of(engine, issue.id).items}
    told = _told(engine, issue)
    return tuple(
        FrozenItem(position, title, topics, sources.get(title, ""))
        for position, (title, topics) in enumerate(zip(told.titles, told.outline.items, strict=True))
    )


def draft_items(engine: Engine, issue: Issue) -> tuple[Item, ...]:
    """Return the articles of an issue that is not frozen, as they stand now."""
    from digest.compose.steps import content_of

    return content_of(engine, issue.id).items


def why(engine: Engine, issue_id: int, email: str) -> Explanation:
    """Say why `email` gets, or does not get, each article of an issue: also of a draft, as it stands.

    Raises `NotFound` for an unknown issue or reader.
    """
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
    return explain(engine, issue_id, email, told=_told(engine, issue))


def _told(engine: Engine, issue: Issue) -> Told:
    if is_frozen(issue):
        with reading(engine) as session:
            frozen = get_outline(session, issue), get_rendered(session, issue).titles
            return Told(*frozen, addresses_of(session, issue), sources_of(session, issue))
    from digest.compose.steps import content_of

    content = content_of(engine, issue.id)
    titles = tuple(item.title for item in content.items)
    return Told(content.outline, titles, content.addresses, content.sources)
