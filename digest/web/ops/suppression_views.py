"""Suppressed addresses in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.suppressions import Suppression, SuppressionReason
from digest.web.ops.schedule_views import Choice
from digest.web.words import day


@dataclass(frozen=True, slots=True)
class SuppressionLine:
    """An address that is never mailed, and why."""

    email: str
    why: str
    since: str
    by: str
    detail: str
    issue_id: int | None
    has_complained: bool


def lines_of(found: Sequence[Suppression]) -> tuple[SuppressionLine, ...]:
    """Return suppressions in words."""
    known = {reason.value: reason.in_words for reason in SuppressionReason}
    return tuple(
        SuppressionLine(
            email=one.email,
            # Another version of Digest may have known other reasons.
            why=known.get(one.reason, one.reason or "no reason given"),
            since=f"{day(one.since.date())} {one.since.year}",
            by=one.by,
            detail=one.detail,
            issue_id=one.issue_id,
            has_complained=one.reason == SuppressionReason.COMPLAINT,
        )
        for one in found
    )


def reasons_of(chosen: str) -> tuple[Choice, ...]:
    """Return the reasons to choose from, all of them first."""
    return (
        Choice("", "All", not chosen),
        *(Choice(one.value, one.in_words.capitalize(), one == chosen) for one in SuppressionReason),
    )
