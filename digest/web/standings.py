"""How issues stand with their readers, as the desk tells it: counted beside its pages, if that takes time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.domain.subscribers import SkipReason
from digest.pipeline.progress import holds_of_issue
from digest.runtime import Runtime
from digest.store.audiences import count_editions, count_skips
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.web.ops.tallies import Kept


@dataclass(frozen=True, slots=True)
class Standing:
    """An issue's deliveries by state, who gets none by reason, how many editions there are.

    `holds` are sentences on what keeps its mails from leaving.
    """

    states: Mapping[DeliveryState, int]
    skips: Mapping[SkipReason, int]
    editions: int
    holds: tuple[str, ...]


Standings = Kept[Standing]
"""By issues' numbers."""


def count_standing(runtime: Runtime, issue_id: int) -> Standing:
    """Count how an issue stands: of a million readers that takes half a second. Raises `NotFound`."""
    holds = holds_of_issue(runtime, issue_id)
    with reading(runtime.engine) as session:
        number = IssueId(issue_id)
        return Standing(
            count_deliveries(session, number),
            count_skips(session, number),
            count_editions(session, number),
            holds,
        )


async def _standings(request: Request) -> Standings:
    state = request.app.state
    if not hasattr(state, "standings"):
        runtime: Runtime = state.runtime
        state.standings = Kept(lambda issue_id: count_standing(runtime, issue_id))
    standings: Standings = state.standings
    return standings


TheStandings = Annotated[Standings, Depends(_standings)]
