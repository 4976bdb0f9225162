"""`digest issue`: look at an issue, let it go, stop it, and settle what a mail server left open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import (
    archive,
    issue_checks,
    issue_clicks,
    issue_course,
    issue_heard,
    issue_history,
    issue_links,
    issue_looks,
    issue_opens,
    issue_progress,
    issue_resending,
    issue_shaping,
)
from digest.cli.archive import hidden_note, in_the_archive
from digest.cli.arguments import IssueNumber
from digest.cli.decisions import show_decisions
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_table
from digest.deliver.outages import outage_note
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState, Item
from digest.domain.newsletters import Newsletter
from digest.domain.pauses import Pause
from digest.domain.subscribers import SkipReason
from digest.domain.times import zone
from digest.store.archive import hidden_positions
from digest.store.articles import ArticleId, articles_by_id
from digest.store.audiences import count_editions, count_skips
from digest.store.condensings import outdated_edits
from digest.store.database import reading
from digest.store.decisions import Decision, Word, decisions_in
from digest.store.deliveries import count_deliveries
from digest.store.holds import open_holds
from digest.store.issue_segments import Limits, limits_of
from digest.store.issues import get_issue, list_issues
from digest.store.items import items_of
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.pauses import find_pause
from digest.store.told import ItemScore, scores_of

if TYPE_CHECKING:
    from digest.pipeline.contents import FrozenItem
    from digest.runtime import Runtime

_OVER = (IssueState.SENT, IssueState.CANCELLED)

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
        ("issue", "newsletter", "to readers", "covers", "state"),
        [
            (i.id, n.slug, f"number {i.number}" if i.number else "", _days(i, n.timezone), _state(i))
            for i, n in rows
        ],
        empty="No issue yet: 'digest run NEWSLETTER' makes one.",
    )


def _state(issue: Issue) -> str:
    awaits = issue.state is IssueState.APPROVED and issue.awaits_hour
    return f"{issue.state}, waits for its hour" if awaits else str(issue.state)


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
        _show_decisions(standing)
    if standing.held:
        say(f"Nothing is sent now: {standing.held}.")
    if any(standing.counts.values()):
        say(f"{standing.note}; {counted(standing.editions, 'edition')}")
    if standing.outage:
        say(standing.outage)
    if standing.limits:
        say(f"It is {standing.limits.in_words}.")
    for reason, count in standing.skips.items():
        say(f"{count} skipped: {reason.in_words}")


@dataclass(frozen=True, slots=True)
class _Standing:
    """An issue and all that is told of it.

    `outdated` says what changed under an editor's edit of an article, `hidden` which positions the archive
    does not show; `titles` are those of the articles that were `decided` on. `held` says what keeps
    everything from being sent, `outage` that no mail server is reached, `leaves` what an approved issue waits
    for; '' for nothing.
    """

    issue: Issue
    newsletter: Newsletter
    items: Sequence[Item | FrozenItem]
    counts: Mapping[DeliveryState, int]
    skips: Mapping[SkipReason, int]
    editions: int
    note: str
    hidden: Collection[int]
    outdated: Mapping[ArticleId, str]
    scores: Sequence[ItemScore]
    decided: Sequence[Decision]
    titles: Mapping[ArticleId | None, str]
    pause: Pause | None
    held: str
    outage: str
    leaves: str
    limits: Limits


def _standing(runtime: Runtime, issue_id: int, *, with_scores: bool) -> _Standing:
    from digest.pipeline.contents import draft_items, frozen_items, is_frozen
    from digest.pipeline.holding import held_in_words
    from digest.pipeline.hours import hour_of, leaves_in_words
    from digest.pipeline.sending import sending_note

    with reading(runtime.engine) as session:
        found = get_issue(session, issue_id)
    items = (frozen_items if is_frozen(found) else draft_items)(runtime.engine, found)
    with reading(runtime.engine) as session:
        chosen = [item.article_id for item in items_of(session, found.id)]
        decided = decisions_in(session, found.id) if with_scores else ()
        about = articles_by_id(session, {one.article_id for one in decided})
        return _Standing(
            issue=found,
            newsletter=newsletter_by_id(session, found.newsletter_id),
            items=items,
            counts=count_deliveries(session, found.id),
            skips=count_skips(session, found.id),
            editions=count_editions(session, found.id),
            note=sending_note(session, found, now=runtime.clock(), throttle=runtime.throttle),
            hidden=hidden_positions(session, found.id),
            outdated=outdated_edits(session, chosen if found.state is IssueState.DRAFT else ()),
            scores=scores_of(session, found.id) if with_scores else (),
            decided=decided,
            titles={id_: one.article.title for id_, one in about.items()},
            pause=find_pause(session, found.id),
            held="" if found.state in _OVER else held_in_words(open_holds(session)),
            outage=outage_note(session, found.id) if found.state is IssueState.SENDING else "",
            leaves=leaves_in_words(found, hour_of(session, found, now=runtime.clock()))
            if found.awaits_hour
            else "",
            limits=limits_of(session, found),
        )


def _as_json(standing: _Standing, *, with_scores: bool) -> dict[str, object]:
    return {
        "issue": standing.issue,
        "leaves": standing.leaves,
        "only": standing.limits.only and standing.limits.only.slug,
        "without": standing.limits.without and standing.limits.without.slug,
        "newsletter": standing.newsletter.slug,
        "items": standing.items,
        "deliveries": standing.counts,
        "skipped": standing.skips,
        "editions": standing.editions,
        "pause": standing.pause,
        "outdated": standing.outdated,
        "hidden": sorted(position + 1 for position in standing.hidden),
        **({"scores": standing.scores, "decisions": standing.decided} if with_scores else {}),
    }


def _say_standing(standing: _Standing) -> None:
    issue, newsletter = standing.issue, standing.newsletter
    say(f"{in_the_archive(issue, newsletter)}, {_days(issue, newsletter.timezone)}: {issue.state}")
    if issue.note:
        say(issue.note)
    if standing.leaves:
        say(f"{standing.leaves} 'digest send {issue.id}' sends it now.")
    if hidden := hidden_note(issue, standing.hidden):
        say(hidden)
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


_DECIDED = {Word.PIN: "pinned", Word.DROP: "dropped", Word.UNDO: "taken back:"}


def _show_decisions(standing: _Standing) -> None:
    if standing.decided:
        told = [
            (f"{_DECIDED[one.word]} '{standing.titles[one.article_id]}'", one) for one in standing.decided
        ]
        show_decisions(told, empty="", title="Pinned and dropped:")


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


for part in (
    issue_shaping,
    issue_history,
    issue_looks,
    issue_links,
    issue_checks,
    issue_course,
    issue_progress,
    issue_resending,
    issue_clicks,
    issue_opens,
    issue_heard,
    archive,
):
    app.add_typer(part.app)
