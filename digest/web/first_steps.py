"""What to do next, as the very commands: up to a first issue, and from an issue's state onwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic
from digest.web.views import Step

_EXAMPLE = "weekly"

NO_NEWSLETTER = Step(
    "Name your newsletter, and who it comes from",
    f"digest newsletter add {_EXAMPLE} --name 'The Weekly' --from weekly@example.org "
    "--postal-address '12 Quay Street, Harbourtown'",
)


def first_steps() -> tuple[Step, ...]:
    """Return the whole way to a first issue."""
    return (NO_NEWSLETTER, *_steps(_EXAMPLE, "", topic="", has_sources=False, has_subscribers=False))


def steps_to_first_issue(
    newsletter: Newsletter, topics: Sequence[Topic], *, has_sources: bool, has_subscribers: bool
) -> tuple[Step, ...]:
    """Return what this newsletter still lacks for its first issue, in order."""
    first = topics[0].slug if topics else ""
    home = f"/manage/newsletters/{newsletter.slug}"
    return _steps(
        newsletter.slug, home, topic=first, has_sources=has_sources, has_subscribers=has_subscribers
    )


def _steps(slug: str, home: str, *, topic: str, has_sources: bool, has_subscribers: bool) -> tuple[Step, ...]:
    """Return the steps; `home` is the path of the newsletter's pages, '' while it has none."""
    steps = []
    if not topic:
        steps.append(
            Step(
                "Add a topic that readers can follow, with words that tell it",
                f"digest topic add {slug} climate --name Climate --phrase 'heat pump' --phrase emissions",
                home and f"{home}/topics",
            )
        )
    if not has_sources:
        steps.append(
            Step(
                "Add a feed, or import many from your feed reader with ‘digest source import’",
                f"digest source add {slug} https://example.org/feed.xml",
                home and f"{home}/sources",
            )
        )
    if not has_subscribers:
        steps.append(
            Step(
                "Add yourself as the first reader",
                f"digest subscriber add {slug} you@example.org --topic {topic or 'climate'}",
            )
        )
    steps.append(
        Step("Gather the week and make the first issue", f"digest run {slug}", home and "/ops/schedules")
    )
    return tuple(steps)


def steps_of(
    issue: Issue, newsletter: Newsletter, articles: int, counts: Mapping[DeliveryState, int]
) -> tuple[Step, ...]:
    """Return what can be done with an issue now. Empty: nothing needs anybody."""
    number = issue.id
    if issue.state is IssueState.DRAFT and not articles:
        return (Step("It holds no article yet: gather and compose again", f"digest run {newsletter.slug}"),)
    steps = list(_BY_STATE.get(issue.state, ()))
    if issue.state is IssueState.APPROVED and issue.awaits_hour:
        steps[:1] = [Step("It waits for its hour; to send it before", "digest send {number}", _SEND)]
    if counts[DeliveryState.UNKNOWN]:
        steps.append(
            Step(
                "Settle the mails that were never answered, by the mail server’s log",
                "digest issue reconcile {number} --log FILE",
                "/ops/sends/{number}/unknown",
            )
        )
    return tuple(
        Step(step.why, step.command.format(number=number), step.path.format(number=number)) for step in steps
    )


_SEND = "/ops/sends/{number}"

_BY_STATE: Mapping[IssueState, tuple[Step, ...]] = {
    IssueState.DRAFT: (
        Step(
            "Give it a subject and opening lines of your own",
            "digest issue edit {number} --subject '…' --intro '…'",
            "/issues/{number}/draft",
        ),
        Step(
            "Approve it: what its preview shows is then frozen and sent",
            "digest issue approve {number}",
            "/issues/{number}/preview",
        ),
    ),
    IssueState.APPROVED: (
        Step("A running worker sends it within seconds; without one", "digest send {number}"),
        Step("Stop it for good", "digest issue cancel {number}", _SEND),
    ),
    IssueState.SENDING: (
        Step("See how fast it goes, and why mails fail", "digest issue progress {number}", _SEND),
        Step("Stop the send for now", "digest issue pause {number}", _SEND),
        Step("A running worker goes on by itself; without one", "digest send {number}"),
    ),
    IssueState.PAUSED: (
        Step("Go on; nobody gets it twice", "digest issue resume {number}", _SEND),
        Step("Stop it for good", "digest issue cancel {number}", _SEND),
    ),
}
