"""`digest issue`: look at an issue, let it go, stop it, and settle what a mail server left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import issue_checks, issue_course, issue_looks, issue_shaping
from digest.cli.arguments import IssueNumber
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_table
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState, Item
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason
from digest.domain.times import zone
from digest.store.articles import ArticleId
from digest.store.audiences import count_editions, count_skips
from digest.store.condensings import outdated_edits
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import get_issue, items_of, list_issues
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.told import ItemScore, scores_of

if TYPE_CHECKING:
    from digest.pipeline.contents import FrozenItem
    from digest.runtime import Runtime

# Looking at a list of issues must not wait for the libraries that make one: what needs them imports them.
app = new_app()


@app.command("list")
def list_(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List issues, newest first."""
    with reading(open_runtime().engine) as session:
        only = get_newsletter(session, newsletter).id if newsletter else None
        found = list_issues(session, only)
        rows = [(i, newsletter_by_id(session, i.newsletter_id)) for i in found]
    if as_json:
        show_json([{"newsletter": n.slug, **plain(i)} for i, n in rows])
        return
    show_table(
        ("issue", "newsletter", "covers", "state"),
        [(i.id, n.slug, _days(i, n.timezone), i.state) for i, n in rows],
        empty="No issue yet: 'digest run NEWSLETTER' makes one.",
    )


def _days(issue: Issue, timezone: str) -> str:
    first, last = issue.window.local_days(zone(timezone))
    return f"{first} to {last}"


@app.command()
def show(
    issue: IssueNumber,
    why: Annotated[
        bool, typer.Option("--why", help="Say what the score of each article is made of.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an issue: its items, and how its sending stands."""
    standing = _standing(open_runtime(), issue, with_scores=why)
    if as_json:
        show_json(_as_json(standing, with_scores=why))
        return
    _say_standing(standing)
    if why:
        _show_scores(standing.scores)
    if any(standing.counts.values()):
        say(f"{standing.note}; {counted(standing.editions, 'edition')}")
    for reason, count in standing.skips.items():
        say(f"{count} skipped: {reason.in_words}")


@dataclass(frozen=True, slots=True)
class _Standing:
    """An issue and all that is told of it. `outdated`: what changed under an editor's edit of an article."""

    issue: Issue
    newsletter: Newsletter
    items: Sequence[Item | FrozenItem]
    counts: Mapping[DeliveryState, int]
    skips: Mapping[SkipReason, int]
    editions: int
    note: str
    outdated: Mapping[ArticleId, str]
    scores: Sequence[ItemScore]


def _standing(runtime: Runtime, issue_id: int, *, with_scores: bool) -> _Standing:
    from digest.pipeline.contents import draft_items, frozen_items, is_frozen
    from digest.pipeline.sending import sending_note

    with reading(runtime.engine) as session:
        found = get_issue(session, issue_id)
    items = (frozen_items if is_frozen(found) else draft_items)(runtime.engine, found)
    with reading(runtime.engine) as session:
        chosen = [item.article_id for item in items_of(session, found.id)]
        return _Standing(
            issue=found,
            newsletter=newsletter_by_id(session, found.newsletter_id),
            items=items,
            counts=count_deliveries(session, found.id),
            skips=count_skips(session, found.id),
            editions=count_editions(session, found.id),
            note=sending_note(session, found, now=runtime.clock()),
            outdated=outdated_edits(session, chosen if found.state is IssueState.DRAFT else ()),
            scores=scores_of(session, found.id) if with_scores else (),
        )


def _as_json(standing: _Standing, *, with_scores: bool) -> dict[str, object]:
    return {
        "issue": standing.issue,
        "newsletter": standing.newsletter.slug,
        "items": standing.items,
        "deliveries": standing.counts,
        "skipped": standing.skips,
        "editions": standing.editions,
        "outdated": standing.outdated,
        **({"scores": standing.scores} if with_scores else {}),
    }


def _say_standing(standing: _Standing) -> None:
    issue, newsletter = standing.issue, standing.newsletter
    say(f"Issue {issue.id} of {newsletter.name}, {_days(issue, newsletter.timezone)}: {issue.state}")
    if issue.note:
        say(issue.note)
    if issue.subject:
        say(f"Subject: {issue.subject}")
    _show_items(standing.items)
    for article, changed in standing.outdated.items():
        say(f"Look again at article {article}: {changed} ('digest article takeaways {article}')")


def _show_scores(scores: Sequence[ItemScore]) -> None:
    show_table(
        ("article", "score", "because"),
        [
            (
                one.title,
                f"{one.score:.2f}",
                "; ".join(f"{part.points:+.2f} {part.reason}" for part in one.parts),
            )
            for one in scores
        ],
        empty="",
    )


def _show_items(items: Sequence[Item | FrozenItem]) -> None:
    """Print the articles, and of a draft's how many takeaways each has."""
    takeaways = [[len(item.takeaways)] for item in items if isinstance(item, Item)] or [[]] * len(items)
    show_table(
        ("#", "article", "source", "topics", *(["takeaways"] if any(takeaways) else [])),
        [
            (item.position + 1, item.title, item.source, ", ".join(item.topics), *count)
            for item, count in zip(items, takeaways, strict=True)
        ],
        empty="It holds no article.",
    )


for part in (issue_shaping, issue_looks, issue_checks, issue_course):
    app.add_typer(part.app)
