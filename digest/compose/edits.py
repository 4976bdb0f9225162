"""An editor's changes written down, and the draft filled anew with them: all of one act or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.compose.lawful import check_change
from digest.compose.steps import choose
from digest.compose.untrusted import without_marks
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueState
from digest.store.approvals import forget_request
from digest.store.audit import record, record_going_on
from digest.store.condensed import Candidate, candidates_in
from digest.store.database import writing
from digest.store.edits import TEXTS, About, Edit, Field, append_edits, edits_of, standing_values
from digest.store.issues import change_issue, get_issue, lock_issue, write_texts
from digest.store.items import items_of, replace_items
from digest.store.newsletters import newsletter_by_id

_MARK_LENGTH = 16


def mark_of(value: str) -> str:
    """Return a short text that tells whether a value is the one that was seen."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:_MARK_LENGTH]


@dataclass(frozen=True, slots=True)
class Change:
    """What an editor wants: `to` as `Field` says, '' for nothing.

    `seen` is the mark of the value it is to replace; None replaces whatever is there. `before` is that value
    where it is kept elsewhere.
    """

    about: About
    to: str
    seen: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of it: the issue as it is now, how many articles it holds, and the changes that were new."""

    issue: Issue
    items: int
    edits: tuple[Edit, ...]


class ChangedMeanwhile(Conflict):
    """Somebody else changed the same thing since it was looked at: both texts are here, none is lost.

    `edit` is the other's change, None when it was not made at the desk.
    """

    def __init__(self, change: Change, *, current: str, edit: Edit | None) -> None:
        who = edit.by if edit else "Somebody"
        super().__init__(
            f"{who} changed the {change.about.field} since you looked at it; nothing of yours was stored. "
            "Look at both and choose"
        )
        self.change = change
        self.current = current
        self.edit = edit


class Approved(Conflict):
    """The issue was approved: a change takes that back, so it has to be asked for."""


def edit_issue(
    engine: Engine,
    issue_id: int,
    changes: Sequence[Change],
    *,
    by: str,
    now: datetime,
    takes_back: bool = False,
) -> Edited:
    """Make an editor's changes, each on top of what it was to replace, and fill the draft anew.

    What is so already is no change. With `takes_back` an approved issue becomes a draft again. Raises
    `ChangedMeanwhile`, `Approved`, `Conflict` for an issue that is on its way, and `InvalidInput`.
    """
    with writing(engine) as session:
        issue = _changeable(session, issue_id, takes_back=takes_back)
        log = edits_of(session, issue.id)
        standing = standing_values(issue, log)
        candidates = _candidates(session, issue, [change.about for change in changes])
        wanted: dict[About, tuple[str, str]] = {}
        for change in changes:
            before = standing.get(change.about, "") if change.before is None else change.before
            _refuse_unseen(change, before, log)
            # What no mail prints, no editor may take for printed.
            to = without_marks(change.to)
            if to != before:
                check_change(session, issue, change.about, to, candidates)
                wanted[change.about] = (before, to)
        return _record(session, issue, wanted, candidates, by=by, now=now)


def undo_act(
    engine: Engine, issue_id: int, act: int, *, by: str, now: datetime, takes_back: bool = False
) -> Edited:
    """Change back what was changed in one act, as a new one, and fill the draft anew.

    Raises `Conflict` where something of it was changed again since, and as `edit_issue` does.
    """
    with writing(engine) as session:
        issue = _changeable(session, issue_id, takes_back=takes_back)
        log = edits_of(session, issue.id)
        made = [edit for edit in log if edit.act == act]
        if not made:
            raise Conflict(
                f"issue {issue_id} has no change {act}: 'digest issue history {issue_id}' shows all"
            )
        latest = {edit.about: edit for edit in log}
        for edit in made:
            if (newer := latest[edit.about]).number != edit.number:
                raise Conflict(
                    f"{newer.by} changed the {edit.about.field} since (change {newer.number}): undo that "
                    "first, or change it by hand"
                )
        wanted = {edit.about: (edit.after, edit.before) for edit in made}
        candidates = _candidates(session, issue, wanted)
        return _record(session, issue, wanted, candidates, by=by, now=now, undoes=act)


def _candidates(session: Session, issue: Issue, abouts: Collection[About]) -> tuple[Candidate, ...]:
    """Return the articles of the issue's days; none where nothing is about an article."""
    if all(about.article_id is None for about in abouts):
        return ()
    return candidates_in(session, issue.newsletter_id, issue.window)


def _changeable(session: Session, issue_id: int, *, takes_back: bool) -> Issue:
    issue = lock_issue(session, issue_id)
    if issue.state is IssueState.DRAFT or (takes_back and issue.state is IssueState.APPROVED):
        return issue
    if issue.state is IssueState.APPROVED:
        raise Approved(
            f"issue {issue_id} is approved, by {issue.approved_by}: a change takes that back, and it has to "
            "be approved again. Say so with --take-back"
        )
    raise Conflict(
        f"issue {issue_id} is {issue.state}: what was approved stays as it is; nothing was changed"
    )


def _refuse_unseen(change: Change, current: str, log: Sequence[Edit]) -> None:
    if change.seen is None or change.to == current or change.seen == mark_of(current):
        return
    edit = next((edit for edit in reversed(log) if edit.about == change.about), None)
    raise ChangedMeanwhile(change, current=current, edit=edit)


def _record(
    session: Session,
    issue: Issue,
    wanted: Mapping[About, tuple[str, str]],
    candidates: Sequence[Candidate],
    *,
    by: str,
    now: datetime,
    undoes: int | None = None,
) -> Edited:
    if not wanted:
        return Edited(issue, len(items_of(session, issue.id)), ())
    if issue.state is IssueState.APPROVED:
        issue = change_issue(
            session, issue.id, IssueState.DRAFT, now=now, note=f"{by} took the approval back, to change it"
        )
        forget_request(session, issue.id)
        record(session, by=by, what="issue.approval_taken_back", about=f"issue {issue.id}", now=now)
    record_going_on(session, by=by, what="issue.edited", about=f"issue {issue.id}", now=now)
    edits = append_edits(session, issue, wanted, by=by, now=now, undoes=undoes)
    said = {about.field: after for about, (_, after) in wanted.items() if about.field in TEXTS}
    if said:
        write_texts(
            session,
            issue.id,
            subject=said.get(Field.SUBJECT, issue.subject),
            preheader=said.get(Field.PREHEADER, issue.preheader),
            intro=said.get(Field.INTRO, issue.intro),
        )
    if any(about.article_id is not None for about in wanted):
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        chosen = choose(session, newsletter, issue.window, candidates)
        replace_items(session, issue.id, chosen.items)
    return Edited(get_issue(session, issue.id), len(items_of(session, issue.id)), edits)
