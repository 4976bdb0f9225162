"""What people type of a topic's rule, and how a rule and a trial of one are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.output import say, show_table
from digest.domain.counting import counted
from digest.domain.topics import TopicRule

if TYPE_CHECKING:
    from digest.pipeline.topic_trial import Matched, Trial

Phrases = Annotated[
    list[str] | None,
    typer.Option("--phrase", metavar="WORDS", help="A word or phrase that says so, whole words. Repeat it."),
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="LABEL", help="A label that feeds give such articles. Repeat it."),
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME", help="A source whose every article belongs here. Repeat it."),
]
Query = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="QUERY",
        help="What says so, in words, AND, OR, NOT and fields: see docs/topics.md.",
    ),
]


def amended(
    known: TopicRule,
    phrases: list[str] | None,
    categories: list[str] | None,
    sources: list[str] | None,
    query: str | None,
) -> TopicRule:
    """Return a rule with what the options name put in the place of it; '' takes it away.

    Raises `InvalidInput` for a query that cannot be read.
    """
    from digest.pipeline.managing.topics import rule_of

    given = {"phrases": phrases, "categories": categories, "sources": sources, "query": query}
    return rule_of({part: value for part, value in given.items() if value is not None}, known)


def show_trial(trial: Trial, days: int, *, is_proposed: bool) -> None:
    """Print what a rule matches and, of a proposed one, what it would change."""
    say(
        f"{trial.topic}: {len(trial.matched)} of {counted(trial.looked_at, 'article')}, "
        f"those of the last {days} days"
    )
    signs = dict.fromkeys((one.url for one in trial.gained), "+")
    show_table(
        ("", "score", "article", "because"),
        [
            *_rows(trial.matched, signs),
            *_rows(trial.lost, dict.fromkeys((one.url for one in trial.lost), "−")),
        ],
        empty="It matches none of them.",
    )
    if not is_proposed:
        return
    say(f"+ {len(trial.gained)} gained, − {len(trial.lost)} lost against the rule that stands.")
    if not trial.into and not trial.out_of:
        say("The coming issue would hold the same articles.")
    for title in trial.into:
        say(f"into the coming issue: {title}")
    for title in trial.out_of:
        say(f"out of the coming issue: {title}")


def _rows(found: Sequence[Matched], signs: dict[str, str]) -> list[tuple[str, str, str, str]]:
    return [(signs.get(one.url, ""), f"{one.score:.2f}", one.title, one.reason) for one in found]
