"""What each stage of a run came to, as ops read it: a line of counts, then what was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from digest.compose.steps import Composed
from digest.condense.steps import Report
from digest.domain.counting import counted
from digest.gather.polled import Polled
from digest.pipeline.condensing import MILLION

_SHOWN = 20
"""Lines kept of what was wrong: hundreds of sources that all fail do so for one reason."""


def gathered_in_words(polled: Sequence[Polled]) -> str:
    """Say what the polls of sources came to, then which of them could not be read and why."""
    if not polled:
        return "no source was polled: all are paused or retired, or the issue is made already"
    new, changed = sum(one.new for one in polled), sum(one.updated for one in polled)
    unread = sum(one.failed for one in polled)
    failing = [f"{one.source}: {one.error}" for one in polled if one.error]
    told = [
        counted(len(polled), "source"),
        counted(new, "new article"),
        *([f"{changed} changed"] if changed else []),
        *([f"{counted(unread, 'article')} that cannot be read"] if unread else []),
        *([f"{counted(len(failing), 'source')} failing"] if failing else []),
    ]
    return _lines(", ".join(told), failing)


def condensed_in_words(report: Report) -> str:
    """Say what condensing came to, then why a language model had no part in some of it."""
    origins = ", ".join(f"{count} {origin}" for origin, count in report.takeaways.items()) or "none"
    told = [
        f"{counted(report.articles, 'article')} condensed; takeaways: {origins}",
        *([f"{report.rejected} of the model's rejected"] if report.rejected else []),
        *([f"{report.without_topic} without a topic"] if report.without_topic else []),
        *([f"US$ {report.usage.cost / MILLION:.4f}"] if report.usage and report.usage.cost else []),
        *(["its time was over, the rest follows"] if report.is_cut_short else []),
    ]
    without = (
        f"without the language model: {counted(count, 'article')}: {note}"
        for note, count in report.notes.items()
    )
    return _lines("; ".join(told), without)


def composed_in_words(composed: Composed) -> str:
    """Say what an issue holds, and how many articles it does not."""
    assert composed.issue is not None
    left = f", {counted(len(composed.left_out), 'article')} left out" if composed.left_out else ""
    return f"issue {composed.issue.id}: {counted(composed.items, 'article')}{left}"


def _lines(first: str, others: Iterable[str]) -> str:
    listed = list(others)
    more = [f"… and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    return "\n".join([first, *listed[:_SHOWN], *more])
