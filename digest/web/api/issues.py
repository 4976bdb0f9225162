"""Issues: what they hold, how their sending stands, and why a reader gets what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from digest.domain import issues as domain
from digest.domain.accounts import Right
from digest.domain.deliveries import DeliveryState
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.pipeline.contents import FrozenItem, draft_items, frozen_items, is_frozen, why
from digest.pipeline.hours import leaves_at
from digest.pipeline.progress import Waits, progress_of
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issue_segments import Limits, limits_of
from digest.store.issues import get_issue, issues_page
from digest.store.newsletters import get_newsletter, list_newsletters, newsletter_by_id
from digest.web.api.access import Call, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Address, Listed, Number, Slug, Told, page, whole
from digest.web.api.versions import etag_of
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class Issue(Told):
    """An issue as it stands: of which days, in which state."""

    id: int
    newsletter: str = Field(description="The newsletter's short name.", examples=["harbour-week"])
    state: domain.IssueState
    first_day: date = Field(description="The first local day it covers.")
    last_day: date
    number: int | None = Field(description="Its number among those approved; null before.")
    subject: str = Field(description="What an editor wrote; '' where each edition names its first article.")
    preheader: str
    intro: str
    only: str = Field(description="The segment whose readers alone it is for; '' for all readers.")
    without: str = Field(description="The segment whose readers it leaves out; '' for none.")
    revision: int = Field(description="How often it was approved.")
    content_hash: str = Field(description="The SHA-256 of what the last approval froze; '' before.")
    approved_by: str
    note: str = Field(description="Why it is paused or cancelled, or was approved despite errors.")
    awaits_hour: bool = Field(description="Whether it was approved before the hour of its schedule.")
    leaves_at: datetime | None = Field(
        description="That hour; null where it waits for none, or for somebody's word."
    )
    sending_at: datetime | None = Field(description="When its sending began.")
    is_hidden: bool = Field(description="Whether it was taken out of the public archive.")

    @classmethod
    def of(
        cls, one: domain.Issue, newsletter: Newsletter, leaves_at: datetime | None, limits: Limits
    ) -> Issue:
        """Return an issue as the API tells it."""
        first_day, last_day = one.window.local_days(zone(newsletter.timezone))
        return cls(
            id=one.id,
            newsletter=newsletter.slug,
            state=one.state,
            first_day=first_day,
            last_day=last_day,
            number=one.number or None,
            subject=one.subject,
            preheader=one.preheader,
            intro=one.intro,
            only=limits.only.slug if limits.only else "",
            without=limits.without.slug if limits.without else "",
            revision=one.revision,
            content_hash=one.content_hash,
            approved_by=one.approved_by,
            note=one.note,
            awaits_hour=one.awaits_hour,
            leaves_at=leaves_at,
            sending_at=one.sending_at,
            is_hidden=one.is_hidden,
        )


class Item(Told):
    """An article in an issue. Of an approved issue, what the approval froze."""

    position: int = Field(description="Its place in the issue, from 1.")
    title: str
    source: str
    topics: list[str] = Field(description="Its topics, the strongest first.")
    url: str | None = Field(description="Where the article is; null once the issue is approved.")
    takeaways: list[str] = Field(description="Its takeaways; none once the issue is approved.")

    @classmethod
    def of(cls, one: domain.Item | FrozenItem) -> Item:
        """Return an item as the API tells it."""
        draft = one if isinstance(one, domain.Item) else None
        return cls(
            position=one.position + 1,
            title=one.title,
            source=one.source,
            topics=list(one.topics),
            url=draft.url if draft else None,
            takeaways=list(draft.takeaways) if draft else [],
        )


class Domain(Told):
    """How the newest mails to one receiving domain went."""

    domain: str
    accepted: int
    failed: int
    deferred: int


class Cause(Told):
    """What mails failed of, and what to do about it."""

    what: str
    count: int
    next_step: str


class Progress(Told):
    """How an issue's sending stands."""

    at: datetime
    state: domain.IssueState
    total: int = Field(description="Deliveries in all.")
    states: dict[DeliveryState, int] = Field(description="How many deliveries are in each state.")
    came_back: int
    complaints: int
    due: int = Field(description="Deliveries that can be sent now.")
    deferred: int = Field(description="Those that a server put off.")
    scheduled: int = Field(description="Those that wait for their reader's own hour.")
    held: int = Field(description="Those that found no turn under a cap, or whose receivers are paused.")
    next_at: datetime | None
    per_second: float | None = Field(description="Mails taken or refused in a second, over the last minute.")
    ends_in_seconds: float | None
    waits: Waits | None = Field(
        description="Why nothing moves; null while something does, or when it is over."
    )
    because: str
    holds: list[str] = Field(description="All that slows it down, in words.")
    domains: list[Domain] = Field(description="The worst first, of the newest mails.")
    causes: list[Cause] = Field(description="The most frequent first, of the newest mails.")


class Reason(Told):
    """Why a reader gets an article, or does not."""

    title: str
    is_shown: bool
    reason: str


class Explanation(Told):
    """Why a reader gets what they get of an issue."""

    email: str
    verdict: str = Field(description="The answer in one sentence.")
    follows: list[str]
    delivery: DeliveryState | None = Field(description="Their delivery's state; null while there is none.")
    not_before: datetime | None = Field(description="The hour it waits for.")
    items: list[Reason]


State = Annotated[
    list[domain.IssueState], Query(default_factory=list, description="Only in this state. Repeat it.")
]


@router.get("/issues", **asks(Right.LOOK))
def list_issues(
    runtime: TheRuntime,
    state: State,
    newsletter: Annotated[Slug | None, Query(description="Only this newsletter's.")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Issue]:
    """Return issues, the newest first."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        of = get_newsletter(session, newsletter) if newsletter else None
        known = {one.id: one for one in ([of] if of else list_newsletters(session))}
        found = issues_page(
            session,
            limit=limit + 1,
            newsletter_id=of.id if of else None,
            states=state,
            before=int(after[0]) if after else None,
        )
        hours = {one.id: leaves_at(session, one, now=runtime.clock()) for one in found if one.awaits_hour}
        limits = {one.id: limits_of(session, one) for one in found}
    return page(
        found,
        lambda one: Issue.of(one, known[one.newsletter_id], hours.get(one.id), limits[one.id]),
        limit=limit,
        key=lambda one: (one.id,),
    )


@router.get("/issues/{issue_id}", **asks(Right.LOOK))
def show_issue(runtime: TheRuntime, response: Response, issue_id: Number) -> Issue:
    """Return an issue."""
    told = issue_now(runtime, issue_id)
    response.headers["ETag"] = etag_of(told)
    return told


@router.get("/issues/{issue_id}/items", **asks(Right.LOOK))
def list_items(runtime: TheRuntime, issue_id: Number) -> Listed[Item]:
    """Return the articles of an issue in its order: of a draft as they stand, else as they were approved."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
    if is_frozen(issue):
        return whole(frozen_items(runtime.engine, issue), Item.of)
    return whole(draft_items(runtime.engine, issue), Item.of)


@router.get("/issues/{issue_id}/progress", **asks(Right.LOOK))
def show_progress(runtime: TheRuntime, issue_id: Number) -> Progress:
    """Return how an issue's sending stands now."""
    found = progress_of(runtime, issue_id)
    return Progress(
        at=found.at,
        state=found.issue.state,
        total=found.total,
        states=dict(found.states),
        came_back=found.came_back,
        complaints=found.complaints,
        due=found.due,
        deferred=found.deferred,
        scheduled=found.scheduled,
        held=found.held,
        next_at=found.next_at,
        per_second=found.rate,
        ends_in_seconds=found.ends_in.total_seconds() if found.ends_in else None,
        waits=found.waits,
        because=found.because,
        holds=list(found.holds),
        domains=[
            Domain(domain=one.domain, accepted=one.accepted, failed=one.failed, deferred=one.deferred)
            for one in found.domains
        ],
        causes=[Cause(what=one.in_words, count=one.count, next_step=one.next_step) for one in found.causes],
    )


@router.get("/issues/{issue_id}/why", **asks(Right.LOOK))
def explain_reader(
    runtime: TheRuntime,
    issue_id: Number,
    email: Annotated[Address, Query(description="A subscriber's address.", examples=["ada@example.org"])],
) -> Explanation:
    """Say why a reader gets, or does not get, each article of an issue."""
    found = why(runtime.engine, issue_id, email)
    return Explanation(
        email=found.email,
        verdict=found.verdict,
        follows=list(found.follows),
        delivery=found.delivery,
        not_before=found.not_before,
        items=[Reason(title=one.title, is_shown=one.is_shown, reason=one.reason) for one in found.items],
    )


def issue_now(runtime: Runtime, issue_id: int) -> Issue:
    """Return an issue as it stands. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        found = get_issue(session, issue_id)
    return issue_of(runtime, found)


def issue_of(runtime: Runtime, issue: domain.Issue) -> Issue:
    """Return an issue as the API tells it, with its newsletter's name looked up."""
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        hour = leaves_at(session, issue, now=runtime.clock())
        return Issue.of(issue, newsletter, hour, limits_of(session, issue))
