"""What the buttons of an article ask for, as changes of the issue."""

from __future__ import annotations

from enum import StrEnum

from digest.compose.edits import Change
from digest.compose.shape import DROP, PIN, YES, Place
from digest.domain.errors import InvalidInput
from digest.pipeline.drafts import Draft, Drafted
from digest.store.articles import ArticleId
from digest.store.edits import About, Field


class Do(StrEnum):
    """What is done to an article with one button, or by dragging it."""

    PIN = "pin"
    UNPIN = "unpin"
    DROP = "drop"
    BRING_BACK = "bring-back"
    UP = "up"
    DOWN = "down"
    PLACE = "place"
    LEAD = "lead"


_WISHES = {Do.PIN: PIN, Do.UNPIN: "", Do.DROP: DROP, Do.BRING_BACK: ""}


def changes_of(
    draft: Draft,
    do: Do,
    article_id: ArticleId,
    *,
    seen: str | None,
    after: int = 0,
    before: int = 0,
    topic: str = "",
) -> list[Change]:
    """Return what a button asks for: `after` and `before` are the neighbours it was dragged between.

    Dragged under another topic, an article is moved there, too. To drop one is to drop its whole story:
    otherwise another report of it would come up. Raises `InvalidInput` where it cannot go further.
    """
    if do is Do.LEAD:
        return [Change(About(Field.LEAD, article_id), YES)]
    if do in _WISHES:
        reports = _together(draft, do, article_id)
        others = [Change(About(Field.WISH, one), _WISHES[do]) for one in reports]
        return [Change(About(Field.WISH, article_id), _WISHES[do], seen=seen), *others]
    item = draft.get(article_id)
    if do is Do.PLACE:
        return _dragged(item, Place(_id(after), _id(before)), topic)
    return [Change(About(Field.PLACE, article_id), str(_step(draft, item, up=do is Do.UP)))]


def _together(draft: Draft, do: Do, article_id: ArticleId) -> tuple[ArticleId, ...]:
    """Return the other reports of a story that are dropped, or brought back, with one."""
    if do is Do.BRING_BACK:
        return draft.dropped_with(article_id)[1:]
    if do is not Do.DROP:
        return ()
    return next((item.chosen.also for item in draft.items if item.id == article_id), ())


def _dragged(item: Drafted, place: Place, topic: str) -> list[Change]:
    changes = []
    if topic and topic != item.topic:
        own = item.candidate.topics[0].slug if item.candidate.topics else None
        changes.append(Change(About(Field.TOPIC, item.id), "" if topic == own else topic))
    if place != Place():
        changes.append(Change(About(Field.PLACE, item.id), str(place)))
    if not changes:
        raise InvalidInput("it stands there already; nothing was changed")
    return changes


def _step(draft: Draft, item: Drafted, *, up: bool) -> Place:
    """Return the place one further up or down among the articles of its topic."""
    under = draft.under(item.topic)
    others = [one.id for one in under if one.id != item.id]
    at = [one.id for one in under].index(item.id) + (-1 if up else 1)
    if not 0 <= at <= len(others):
        raise InvalidInput(f"it stands {'first' if up else 'last'} in its topic already; nothing was changed")
    return Place(
        after=others[at - 1] if at else None,
        before=others[at] if at < len(others) else None,
    )


def _id(number: int) -> ArticleId | None:
    return ArticleId(number) if number else None
