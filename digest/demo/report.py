"""What a demo came to, counted in the database and at the mail catcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from digest.domain.articles import Origin
from digest.domain.deliveries import DeliveryState
from digest.domain.subscribers import SkipReason
from digest.store.audiences import count_editions, count_skips
from digest.store.condensed import candidates_in
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import items_of, list_issues
from digest.store.sources import list_sources


@dataclass(frozen=True, slots=True)
class Report:
    """The demo in figures. `failed_sources` maps names to errors; `mails` is where the caught mails are.

    `newsroom` are the arguments of Python that serve the sample articles at their addresses once more.
    """

    issue: int
    sources: int
    failed_sources: Mapping[str, str]
    articles: int
    items: int
    takeaways: Mapping[Origin, int]
    editions: int
    sent: int
    caught: int
    skipped: Mapping[SkipReason, int]
    folder: Path
    mails: Path
    newsroom: tuple[str, ...]


def report_of(engine: Engine, *, caught: int, folder: Path, newsroom: tuple[str, ...]) -> Report:
    """Return the figures of the demo's one issue."""
    with reading(engine) as session:
        issue = list_issues(session)[0]
        sources = list_sources(session, issue.newsletter_id)
        candidates = candidates_in(session, issue.newsletter_id, issue.window)
        origins = [takeaway.origin for candidate in candidates for takeaway in candidate.takeaways]
        return Report(
            issue=issue.id,
            sources=len(sources),
            failed_sources={source.name: source.last_error for source in sources if source.last_error},
            articles=len(candidates),
            items=len(items_of(session, issue.id)),
            takeaways={origin: origins.count(origin) for origin in dict.fromkeys(origins)},
            editions=count_editions(session, issue.id),
            sent=count_deliveries(session, issue.id)[DeliveryState.ACCEPTED],
            caught=caught,
            skipped=count_skips(session, issue.id),
            folder=folder,
            mails=folder / "mails",
            newsroom=newsroom,
        )
