"""Issues looked at before they go: previews, checks, what they are to come to, and tests by mail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from digest.compose.checks.findings import Severity
from digest.compose.steps import pieces_of
from digest.domain.accounts import Right
from digest.domain.errors import Conflict
from digest.domain.subscribers import SkipReason
from digest.domain.topics import TOPICS_MAX
from digest.intake.addresses import parse_address
from digest.pipeline import outlook
from digest.pipeline.preflight import Preflight, check_issue
from digest.pipeline.preview import page_to_look_at, shown_to
from digest.pipeline.trial_mail import send_test, trial_addresses
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import Address, Given, Listed, Number, Slug, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class Trial(Given):
    """A test of an issue: for some addresses, or for the readers of a segment."""

    to: list[Address] = Field(default_factory=list, max_length=10)
    segment: Slug | None = Field(
        None, description="In place of addresses: its active readers, ten at most, such as your editors."
    )
    email: Address | None = Field(None, description="As this subscriber gets it.")
    topics: list[Slug] = Field(
        default_factory=list, max_length=TOPICS_MAX, description="As a reader of these gets it."
    )


class Tested(Told):
    """What became of a test for one address."""

    email: str
    is_accepted: bool
    said: str


class Preview(Told):
    """A mail as somebody gets it."""

    subject: str
    html: str
    text: str


class IssuePreview(Preview):
    """An issue's mail as one reader gets it, and the hash of all that an approval would freeze."""

    content_hash: str = Field(
        description="Send it as `seen` to approve what you looked at, and nothing else."
    )


class Finding(Told):
    """One thing that the checks found."""

    severity: Severity
    what: str
    where: str
    next_step: str


class Checks(Told):
    """What the checks of an issue find."""

    editions: int = Field(description="Editions looked at.")
    readers: int
    findings: list[Finding] = Field(description="The worst first.")
    looked_at: datetime | None = Field(description="When links and pictures were looked at; null: never.")
    is_outdated: bool = Field(description="Whether the issue holds other addresses since.")
    made_at: datetime = Field(description="When it was worked out.")
    is_current: bool = Field(description="Whether the issue is still the same.")

    @classmethod
    def of(cls, one: Preflight, *, made_at: datetime, is_current: bool = True) -> Checks:
        """Return what was found as the API tells it."""
        found = [
            Finding(
                severity=each.finding.severity,
                what=each.finding.what,
                where=each.finding.where,
                next_step=each.finding.next_step,
            )
            for each in one.findings
        ]
        return cls(
            editions=one.editions,
            readers=one.readers,
            findings=found,
            looked_at=one.looked_at,
            is_outdated=one.is_outdated,
            made_at=made_at,
            is_current=is_current,
        )

    @classmethod
    def on(cls, one: outlook.Outlook) -> Checks:
        """Return what was found when an outlook was worked out."""
        return cls.of(one.preflight, made_at=one.made_at, is_current=one.is_current)


class Outlook(Told):
    """What an issue is to come to for its readers."""

    one: int = Field(description="Readers who get one article.")
    few: int = Field(description="Readers who get 2 to 5.")
    many: int = Field(description="Readers who get more.")
    skipped: dict[SkipReason, int] = Field(description="Readers who get nothing, by reason.")
    spared: int | None = Field(
        description="Of all these, how many or more a draft leaves out as they read no more, in twenties, "
        "rounded down; null: it leaves out none such, or was addressed."
    )
    checks: Checks
    made_at: datetime = Field(description="When it was worked out.")
    is_current: bool = Field(description="Whether the issue is still the same.")

    @classmethod
    def of(cls, one: outlook.Outlook) -> Outlook:
        """Return an outlook as the API tells it."""
        return cls(
            one=one.one,
            few=one.few,
            many=one.many,
            skipped=dict(one.skipped),
            spared=one.spared,
            checks=Checks.on(one),
            made_at=one.made_at,
            is_current=one.is_current,
        )


@router.get("/issues/{issue_id}/preview", **asks(Right.LOOK))
def preview_issue(
    runtime: TheRuntime,
    issue_id: Number,
    topic: Annotated[
        list[Slug], Query(default_factory=list, max_length=TOPICS_MAX, description="A topic. Repeat it.")
    ],
    email: Annotated[Address | None, Query(description="A subscriber's address.")] = None,
) -> IssuePreview:
    """Return the mail as a subscriber gets it, as a reader of these topics would, or with everything.

    Its personal links lead nowhere: whoever may look cannot act as the reader.
    """
    address = parse_address(email) if email else ""
    shown = shown_to(runtime, issue_id, email=address, topics=topic)
    made = page_to_look_at(runtime, shown)
    return IssuePreview(
        subject=made.subject, html=made.html, text=made.text, content_hash=shown.pieces.content_hash
    )


@router.get("/issues/{issue_id}/checks", **asks(Right.LOOK))
def show_checks(runtime: TheRuntime, issue_id: Number) -> Checks:
    """Return what the checks found when the issue was last worked out, and in the last look at links.

    A worker does that soon after each change. Where nobody did yet, it is done now.
    """
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    return Checks.on(outlook.outlook_on(runtime, pieces) or outlook.work_out(runtime, issue_id))


@router.post("/issues/{issue_id}/checks", **asks(Right.SHAPE))
def run_checks(runtime: TheRuntime, issue_id: Number) -> Checks:
    """Check an issue and look at its links and pictures. That takes some seconds."""
    return Checks.of(check_issue(runtime, issue_id), made_at=runtime.clock())


@router.get("/issues/{issue_id}/outlook", **asks(Right.LOOK))
def show_outlook(runtime: TheRuntime, issue_id: Number) -> Outlook:
    """Return what an issue is to come to, as it was last worked out: a worker does that now and then."""
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    found = outlook.outlook_on(runtime, pieces)
    if found is None:
        raise Conflict(f"nobody has worked issue {issue_id} out yet: send a POST here, or wait for a worker")
    return Outlook.of(found)


@router.post("/issues/{issue_id}/outlook", **asks(Right.SHAPE))
def work_out_outlook(runtime: TheRuntime, issue_id: Number) -> Outlook:
    """Work out now what an issue is to come to. With a million readers that takes some seconds."""
    return Outlook.of(outlook.work_out(runtime, issue_id))


@router.post("/issues/{issue_id}/test", **asks(Right.SHAPE))
def test_issue(runtime: TheRuntime, caller: TheCaller, issue_id: Number, trial: Trial) -> Listed[Tested]:
    """Mail an issue to some addresses or to a segment, marked as a test. Its personal links lead nowhere."""
    named = [parse_address(address) for address in trial.to]
    sent = send_test(
        runtime,
        issue_id,
        trial_addresses(runtime, issue_id, named, segment=trial.segment or ""),
        email=parse_address(trial.email) if trial.email else "",
        topics=trial.topics,
        by=caller.name,
    )
    return Listed(
        items=[Tested(email=one.email, is_accepted=one.is_accepted, said=one.outcome.text) for one in sent]
    )
