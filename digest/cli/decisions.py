"""How the record of editors' decisions is shown: when, who, what, and what it replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from digest.cli.output import say, show_json, show_table
from digest.store.decisions import Decision, Word, decisions_on

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from digest.store.articles import StoredArticle

_WORDS = {
    Word.YES: "belongs to {}",
    Word.NO: "does not belong to {}",
    Word.PIN: "pinned to {}",
    Word.DROP: "dropped from {}",
    Word.UNDO: "{}: taken back",
}


def show_history(session: Session, stored: StoredArticle, *, as_json: bool) -> None:
    """Print what editors decided of an article's topics and of its places in issues, newest first."""
    decisions = decisions_on(session, stored.id)
    if as_json:
        show_json(decisions)
        return
    say(f"{stored.id}  {stored.article.title}")
    show_decisions(
        [(decision_in_words(one), one) for one in decisions],
        empty="No editor decided anything of its topics or of its places in issues.",
    )


def show_decisions(told: Sequence[tuple[str, Decision]], *, empty: str, title: str = "") -> None:
    """Print decisions in these words, newest first, and what each replaced."""
    rows = [(f"{one.at:%Y-%m-%d %H:%M}", one.by, words, _before(one.before)) for words, one in reversed(told)]
    show_table(("when", "by", "decided", "before"), rows, empty=empty, title=title)


def decision_in_words(one: Decision) -> str:
    """Say what an editor decided, of a topic or of an issue."""
    return _WORDS[one.word].format(one.topic or f"issue {one.issue_id}")


def _before(one: Decision | None) -> str:
    return f"{one.word}, by {one.by}" if one else ""
