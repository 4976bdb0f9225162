"""What editors did to an issue, told in order, and which of it one may undo and redo next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from digest.compose.shape import DROP, PIN
from digest.domain.issues import IssueId
from digest.store.articles import ArticleId, articles_by_id
from digest.store.edits import Edit, Field, edits_of


@dataclass(frozen=True, slots=True)
class Act:
    """What one editor changed at once. `title` is the article's own headline, '' for the issue's texts.

    With `is_again` it makes once more what had been taken back.
    """

    edits: tuple[Edit, ...]
    title: str
    is_again: bool = False

    @property
    def number(self) -> int:
        """Return the number by which it is undone."""
        return self.edits[0].act

    @property
    def in_words(self) -> str:
        """Return what was done, as it follows the editor's name."""
        return _in_words(self.edits[0], self.title, is_again=self.is_again) + (
            f" and {len(self.edits) - 1} more" if len(self.edits) > 1 else ""
        )

    @property
    def before_in_words(self) -> str:
        """Return what stood there before, where that is words."""
        edit = self.edits[0]
        return "" if edit.about.field in (Field.WISH, Field.PLACE, Field.LEAD) else edit.before


@dataclass(frozen=True, slots=True)
class Stack:
    """What one editor may undo and redo next, by number; None where there is nothing."""

    undo: int | None
    redo: int | None


def history_of(session: Session, issue_id: IssueId) -> tuple[Act, ...]:
    """Return all that was done to an issue, oldest first."""
    edits = edits_of(session, issue_id)
    ids = {edit.about.article_id for edit in edits if edit.about.article_id is not None}
    titles = {id_: stored.article.title for id_, stored in articles_by_id(session, ids).items()}
    return acts_of(edits, titles)


def acts_of(
    edits: Sequence[Edit], titles: Mapping[ArticleId | None, str], *, before: Sequence[Edit] = ()
) -> tuple[Act, ...]:
    """Return changes as they were made together; `before` are those that were made before them."""
    by_act: dict[int, list[Edit]] = {}
    for edit in edits:
        by_act.setdefault(edit.act, []).append(edit)
    taking_back = {edit.act for edit in (*before, *edits) if edit.undoes is not None}
    return tuple(
        Act(tuple(made), _title(made[0], titles), made[0].undoes in taking_back) for made in by_act.values()
    )


def stack_of(edits: Sequence[Edit], by: str) -> Stack:
    """Return what `by` may undo and redo next: their own changes only, the newest first.

    A new change forgets what was undone before it, as everywhere.
    """
    done: list[int] = []
    undone: list[int] = []
    for edit in edits:
        if edit.by != by or edit.number != edit.act:
            continue
        if edit.undoes in done:
            done.remove(edit.undoes)
            undone.append(edit.act)
        elif edit.undoes in undone:
            undone.remove(edit.undoes)
            done.append(edit.act)
        else:
            done.append(edit.act)
            undone.clear()
    return Stack(done[-1] if done else None, undone[-1] if undone else None)


def _title(edit: Edit, titles: Mapping[ArticleId | None, str]) -> str:
    return titles.get(edit.about.article_id, "")


def _in_words(edit: Edit, title: str, *, is_again: bool) -> str:
    takes_back = edit.undoes is not None and not is_again
    # Of what was taken back it is told what that was: "took back: dropped", not "took back: brought back".
    made = replace(edit, before=edit.after, after=edit.before) if takes_back else edit
    words = _ABOUT_ARTICLES[made.about.field](made) if title else _of_the_issue(made)
    told = words.format(title=f"'{title}'")
    if is_again:
        return f"made again: {told}"
    return f"took back: {told}" if takes_back else told


def _of_the_issue(edit: Edit) -> str:
    if edit.about.field is Field.ONLY:
        return f"made it for the segment {edit.after} alone" if edit.after else "made it for all readers"
    if edit.about.field is Field.WITHOUT:
        return f"left out the segment {edit.after}" if edit.after else "left no segment out"
    return f"changed the {edit.about.field}" if edit.after else f"cleared the {edit.about.field}"


def _wish(edit: Edit) -> str:
    if edit.after:
        return {PIN: "pinned {title}", DROP: "dropped {title}"}[edit.after]
    return {PIN: "unpinned {title}", DROP: "brought back {title}"}[edit.before]


_ABOUT_ARTICLES: Mapping[Field, Callable[[Edit], str]] = {
    Field.WISH: _wish,
    Field.PLACE: lambda edit: "moved {title}" if edit.after else "left the place of {title} to its score",
    Field.TOPIC: lambda edit: (
        f"moved {{title}} to {edit.after}" if edit.after else "moved {title} back to its topic"
    ),
    Field.HEADLINE: lambda edit: (
        "wrote a headline for {title}" if edit.after else "went back to the publisher's headline of {title}"
    ),
    Field.LEAD: lambda edit: "let {title} lead its story" if edit.after else "let {title} lead no more",
    Field.TAKEAWAYS: lambda _: "changed the takeaways of {title}",
}
