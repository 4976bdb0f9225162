"""What a demo came to, counted in the database and at the mail catcher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.compose.select import select_items
from digest.domain.articles import Origin
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason
from digest.store.audiences import count_editions, count_skips
from digest.store.condensed import Candidate, candidates_in
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import list_issues
from digest.store.items import items_of
from digest.store.newsletters import newsletter_by_id
from digest.store.sources import list_sources


@dataclass(frozen=True, slots=True)
class Report:
    """The demo in figures. `failed_sources` maps names to errors; `mails` is where the caught mails are.

    `left_out` counts the week's articles that are not in the issue by the reason in words. `newsroom` are the
    arguments of Python that serve the sample articles at their addresses once more. `enter` is a link that
    makes somebody its admin, once.
    """

    newsletter: str
    issue: int
    sources: int
    failed_sources: Mapping[str, str]
    articles: int
    items: int
    left_out: Mapping[str, int]
    takeaways: Mapping[Origin, int]
    editions: int
    sent: int
    caught: int
    skipped: Mapping[SkipReason, int]
    folder: Path
    mails: Path
    newsroom: tuple[str, ...]
    enter: str


def report_of(engine: Engine, *, caught: int, folder: Path, newsroom: tuple[str, ...], enter: str) -> Report:
    """Return the figures of the demo's one issue."""
    with reading(engine) as session:
        issue = list_issues(session)[0]
        sources = list_sources(session, issue.newsletter_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        candidates = candidates_in(session, newsletter.id, issue.window)
        origins = [takeaway.origin for candidate in candidates for takeaway in candidate.takeaways]
        return Report(
            newsletter=newsletter.slug,
            issue=issue.id,
            sources=len(sources),
            failed_sources={
                source.name: source.standing.last_error for source in sources if source.standing.last_error
            },
            articles=len(candidates),
            items=len(items_of(session, issue.id)),
            left_out=_left_out(session, newsletter, issue, candidates),
            takeaways={origin: origins.count(origin) for origin in dict.fromkeys(origins)},
            editions=count_editions(session, issue.id),
            sent=count_deliveries(session, issue.id)[DeliveryState.ACCEPTED],
            caught=caught,
            skipped=count_skips(session, issue.id),
            folder=folder,
            mails=folder / "mails",
            newsroom=newsroom,
            enter=enter,
        )


def _left_out(
    session: Session, newsletter: Newsletter, issue: Issue, candidates: Sequence[Candidate]
) -> Mapping[str, int]:
    """Count why articles of the week are not in the issue, by choosing once more as composing did."""
    chosen = select_items(candidates, issue.window, max_items=newsletter.max_items, carried=())
    retold = {report for item in items_of(session, issue.id) for report in item.also}
    return Counter(
        "reports a story that is in it already" if one.article_id in retold else one.reason
        for one in chosen.left_out
    )
