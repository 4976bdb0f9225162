"""A draft as an editor shapes it: its articles under their topics, and what was done to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.compose.select import LeftOut
from digest.compose.shape import Shape
from digest.compose.steps import choose
from digest.compose.subjects import Headed, subjects_of
from digest.domain.errors import NotFound
from digest.domain.issues import Issue, IssueId
from digest.domain.newsletters import Newsletter
from digest.domain.segments import Segment
from digest.domain.topics import Topic, TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate, candidates_by_id, candidates_in
from digest.store.database import reading
from digest.store.edits import About, Edit, Field, edits_of, standing_values
from digest.store.issues import get_issue
from digest.store.items import ChosenItem, items_of
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.segments import list_segments


@dataclass(frozen=True, slots=True)
class Drafted:
    """An article of a draft: as condense left it, as editors moved it, and the other reports of its story."""

    chosen: ChosenItem
    candidate: Candidate
    moved: Candidate
    others: tuple[Candidate, ...]

    @property
    def id(self) -> ArticleId:
        """Return the article's number."""
        return self.chosen.article_id

    @property
    def topic(self) -> TopicSlug | None:
        """Return the topic it stands under, None where it belongs to none and reaches nobody."""
        return self.moved.topics[0].slug if self.moved.topics else None


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue with everything that shapes it. `topics` are in the newsletter's order."""

    issue: Issue
    newsletter: Newsletter
    topics: tuple[Topic, ...]
    items: tuple[Drafted, ...]
    dropped: tuple[Candidate, ...]
    edits: tuple[Edit, ...]
    shape: Shape
    standing: Mapping[About, str]
    segments: tuple[Segment, ...] = ()

    def under(self, topic: TopicSlug | None) -> tuple[Drafted, ...]:
        """Return the articles that stand under a topic, in order."""
        return tuple(item for item in self.items if item.topic == topic)

    def get(self, article_id: int) -> Drafted:
        """Return one of its articles. Raises `NotFound`."""
        for item in self.items:
            if item.id == article_id:
                return item
        raise NotFound(f"issue {self.issue.id} holds no article {article_id}: it may have been dropped since")

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return subjects that its headlines suggest, but for the one it has."""
        headed = [
            Headed(self.shape.headline(item.candidate), item.topic) for item in self.items if item.topic
        ]
        return tuple(one for one in subjects_of(headed) if one != self.issue.subject)

    def dropped_with(self, article_id: ArticleId) -> tuple[ArticleId, ...]:
        """Return which articles were dropped together with one, itself first: the reports of its story."""
        wishes = {edit.about.article_id: edit.act for edit in self.edits if edit.about.field is Field.WISH}
        act = wishes.get(article_id)
        others = [one.stored.id for one in self.dropped if wishes[one.stored.id] == act]
        return (article_id, *(one for one in others if one != article_id))

    @property
    def last_edit(self) -> int:
        """Return the number of the last change, 0 for none."""
        return self.edits[-1].number if self.edits else 0


def draft_of(session: Session, issue_id: int) -> Draft:
    """Return an issue as an editor shapes it. Raises `NotFound`."""
    issue = get_issue(session, issue_id)
    edits = edits_of(session, issue.id)
    shape = Shape.of(edits)
    chosen = items_of(session, issue.id)
    dropped = [article_id for article_id in shape.wishes if shape.drop(article_id)]
    held = {one for item in chosen for one in (item.article_id, *item.also)}
    found = candidates_by_id(session, held.union(dropped))
    return Draft(
        issue=issue,
        newsletter=newsletter_by_id(session, issue.newsletter_id),
        topics=list_topics(session, issue.newsletter_id),
        items=tuple(_drafted(item, found, shape) for item in chosen if item.article_id in found),
        dropped=tuple(found[article_id] for article_id in dropped if article_id in found),
        edits=edits,
        shape=shape,
        standing=standing_values(issue, edits),
        segments=list_segments(session, issue.newsletter_id),
    )


def left_out_of(engine: Engine, issue_id: int) -> tuple[LeftOut, ...]:
    """Return the articles of an issue's days that it does not hold, and why, as it would be filled now."""
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        candidates = candidates_in(session, newsletter.id, issue.window)
        return choose(session, newsletter, issue.window, candidates).left_out


def held_of(session: Session, issue_id: IssueId) -> tuple[ArticleId, ...]:
    """Return which articles an issue holds, in order: others than before mean that it was filled anew."""
    return tuple(item.article_id for item in items_of(session, issue_id))


def _drafted(item: ChosenItem, found: Mapping[ArticleId, Candidate], shape: Shape) -> Drafted:
    candidate = found[item.article_id]
    others: Sequence[Candidate] = [found[other] for other in item.also if other in found]
    return Drafted(item, candidate, shape.moved(candidate), tuple(others))
