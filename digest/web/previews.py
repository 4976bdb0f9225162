"""An issue as one reader gets it, for an editor to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from digest.address.explain import explain
from digest.compose.checks import HTML_MAX_BYTES, check_page
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueContent, IssueState
from digest.domain.mail import Page
from digest.intake.addresses import parse_address
from digest.pipeline.preview import NotTheirTurn, page_for_reader
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import list_topics
from digest.store.subscribers import find_subscription
from digest.web.views import FindingView, PreviewView, TopicView
from digest.web.words import standing_of


def mail_as(runtime: Runtime, issue_id: int, *, email: str, topics: Sequence[str]) -> Page:
    """Return the mail of a subscriber, of a reader of `topics` or, with neither, of one of everything.

    Raises `InvalidInput` and its kind, in words, for a reader who is not there or gets nothing.
    """
    address = parse_address(email) if email else ""
    return page_for_reader(runtime, issue_id, email=address, topics=topics)


def preview_view(
    runtime: Runtime, issue_id: int, content: IssueContent, *, email: str, topics: Sequence[str]
) -> PreviewView:
    """Return what that reader gets, or in `problem` why they get nothing."""
    ticked = () if email else tuple(topics)
    choices = _choices(runtime, issue_id, content, ticked)
    view = PreviewView(
        who=email or _who(ticked, choices),
        topics=choices,
        email=email,
        source=_source(issue_id, email, ticked),
    )
    if not content.items:
        return replace(view, problem="This issue holds no article yet, so nobody gets anything.")
    try:
        if email:
            view = replace(view, standing=_standing(runtime, issue_id, parse_address(email)))
        page = mail_as(runtime, issue_id, email=email, topics=ticked)
        return _shown(view, page, runtime.settings.public_url)
    except NotTheirTurn as exc:
        return replace(view, problem=f"{exc}, so no mail is made.")
    except Conflict:
        theirs = "the topics they follow" if email else "these topics"
        return replace(view, problem=f"No article of this issue belongs to {theirs}, so no mail is made.")
    except InvalidInput as exc:
        return replace(view, problem=str(exc))


def _shown(view: PreviewView, page: Page, public_url: str) -> PreviewView:
    findings = tuple(
        FindingView(one.severity.value, one.what, one.where, one.next_step, "")
        for one in check_page(page, public_url=public_url)
    )
    return replace(view, subject=page.subject, text=page.text, size=_size(page), findings=findings)


def _size(page: Page) -> str:
    weight = len(page.html.encode()) / 1000
    return f"{weight:.0f} KB of the {HTML_MAX_BYTES // 1000} KB that mail programs show"


def _choices(
    runtime: Runtime, issue_id: int, content: IssueContent, ticked: Collection[str]
) -> tuple[TopicView, ...]:
    counts = Counter(topic for item in content.items for topic in item.topics)
    with reading(runtime.engine) as session:
        topics = list_topics(session, get_issue(session, issue_id).newsletter_id)
    return tuple(
        TopicView(topic.slug, topic.name, topic.description, topic.slug in ticked, str(counts[topic.slug]))
        for topic in topics
    )


def _who(ticked: Sequence[str], choices: Sequence[TopicView]) -> str:
    names: dict[str, str] = {choice.slug: choice.name for choice in choices}
    followed = " and ".join(names.get(slug, slug) for slug in ticked)
    return f"a reader of {followed or 'everything'}"


def _source(issue_id: int, email: str, topics: Sequence[str]) -> str:
    query = urlencode([("as", email)] if email else [("topic", topic) for topic in topics])
    return f"/issues/{issue_id}/preview" + (f"?{query}" if query else "")


def _standing(runtime: Runtime, issue_id: int, email: str) -> str:
    """Return what else decides whether this subscriber gets the issue, or '' when nothing does."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        subscription = find_subscription(session, issue.newsletter_id, email)
    if subscription is None:
        return ""
    if _is_frozen(issue):
        told = explain(runtime.engine, issue_id, email).verdict
    else:
        told = standing_of(subscription.state)
    return f"{subscription.subscriber.email} {told}." if told else ""


def _is_frozen(issue: Issue) -> bool:
    return bool(issue.revision) and issue.state is not IssueState.DRAFT
