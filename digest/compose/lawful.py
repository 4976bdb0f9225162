"""Which changes of an issue mean something: the others are refused in words before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from digest.compose.shape import DROP, PIN, YES, Place
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.issues import Issue
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate
from digest.store.edits import LIMITS, About, Field, edits_of, standing_values
from digest.store.issue_segments import Named, why_not
from digest.store.newsletters import get_topic
from digest.store.segments import get_segment

LONGEST: Mapping[Field, int] = {
    Field.HEADLINE: 300,
    Field.SUBJECT: 200,
    Field.PREHEADER: 250,
    Field.INTRO: 4_000,
}
"""Characters. An inbox shows some 60 of a subject, and 100 of a preheader."""

_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_change(
    session: Session, issue: Issue, about: About, to: str, candidates: Sequence[Candidate]
) -> None:
    """Raise `InvalidInput` for what cannot be, as `NotFound` for what is not there; nothing is changed.

    '' is always allowed: it takes back what was said. `candidates` are the articles of the issue's days.
    """
    if about.field in LONGEST:
        _check_text(about.field, to)
    if to and about.field in LIMITS:
        _check_limit(session, issue, about.field, to)
    if not to or about.article_id is None:
        return
    of_issue = {one.stored.id: one for one in candidates}
    check = _CHECKS.get(about.field)
    if about.article_id not in of_issue:
        raise InvalidInput(
            f"article {about.article_id} is not of the days of issue {issue.id}: 'digest article add' takes "
            "one of other days into the coming issue"
        )
    if check is not None:
        check(session, issue, of_issue[about.article_id], to, of_issue)


def _check_text(field: Field, to: str) -> None:
    if len(to) > LONGEST[field]:
        raise InvalidInput(
            f"the {field} is {len(to)} characters long; there is room for {LONGEST[field]}. Nothing was "
            "changed"
        )
    if field is not Field.INTRO and _NO_LINE.search(to):
        raise InvalidInput(f"the {field} stands on one line: leave out breaks and signs that are not seen")


def _check_limit(session: Session, issue: Issue, field: Field, to: str) -> None:
    """Refuse a segment that is not there, and the same one alone and left out: nobody is in both.

    And one that asks who reads, but to leave out who reads no more.
    """
    segment = get_segment(session, issue.newsletter_id, to, to_name=True)
    if why := why_not(field, Named.of(segment)):
        raise InvalidInput(f"{why}; nothing was changed")
    standing = standing_values(issue, edits_of(session, issue.id))
    if any(standing.get(About(other)) == segment.slug for other in LIMITS if other is not field):
        raise InvalidInput(
            f"the issue names the segment '{segment.slug}' already: nobody is in it and left out with it; "
            "nothing was changed"
        )


_Others = Mapping[ArticleId, Candidate]


def _check_wish(session: Session, issue: Issue, one: Candidate, to: str, _: _Others) -> None:
    if to not in (PIN, DROP):
        raise InvalidInput(f"'{to}' is no wish: an article is pinned or dropped")
    is_moved = any(
        edit.about == About(Field.TOPIC, one.stored.id) and edit.after for edit in edits_of(session, issue.id)
    )
    if to == PIN and not one.topics and not is_moved:
        raise InvalidInput(
            f"article {one.stored.id} belongs to no topic, so nobody would get it: give it one first, with "
            f"'digest issue move {issue.id} {one.stored.id} --to TOPIC'"
        )


def _check_place(_session: Session, issue: Issue, one: Candidate, to: str, others: _Others) -> None:
    try:
        place = Place.parse(to)
    except ValueError as exc:
        raise InvalidInput(f"'{to}' is no place in an issue") from exc
    for neighbour in (place.after, place.before):
        if neighbour == one.stored.id:
            raise InvalidInput("an article stands neither before nor after itself; nothing was changed")
        if neighbour is not None and neighbour not in others:
            raise NotFound(f"article {neighbour} is not of the days of issue {issue.id}; nothing was changed")


def _check_topic(session: Session, issue: Issue, _one: Candidate, to: str, _: _Others) -> None:
    get_topic(session, issue.newsletter_id, to)


def _check_lead(_session: Session, _issue: Issue, one: Candidate, to: str, others: _Others) -> None:
    if to != YES:
        raise InvalidInput(f"'{to}' says nothing of who leads a story")
    story = one.stored.story_id or one.stored.id
    reports = [other for other in others.values() if (other.stored.story_id or other.stored.id) == story]
    if len(reports) < 2:
        raise InvalidInput(
            f"article {one.stored.id} is the only report of its story in these days: it leads already"
        )


_Check = Callable[[Session, Issue, Candidate, str, _Others], None]

_CHECKS: Mapping[Field, _Check] = {
    Field.WISH: _check_wish,
    Field.PLACE: _check_place,
    Field.TOPIC: _check_topic,
    Field.LEAD: _check_lead,
}
