"""Figures over time: what was sent, who came and left, and who left after which issue."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.growth import Growth, growth_of
from digest.store.issues import issues_page
from digest.store.newsletters import get_newsletter, list_newsletters
from digest.web.ops.charts import Chart, Group, stacked
from digest.web.ops.click_views import ISSUES, MAILED, ClicksView, Followed, clicks_view
from digest.web.ops.measure_views import MeasuredView, measured_view
from digest.web.ops.schedule_views import Choice
from digest.web.ops.tallies import WAIT_SECONDS, Growths, Kept, Tallies
from digest.web.words import counted

WEEKS = 26
"""How far charts of weeks go back."""


@dataclass(frozen=True, slots=True)
class FiguresView:
    """A newsletter's figures. `uncounted` is how many charts or issues are still being counted.

    `clicks` and `measured` are None while what was followed is.
    """

    newsletters: tuple[Choice, ...]
    slug: str
    name: str
    active: str
    charts: tuple[Chart, ...]
    clicks: ClicksView | None
    measured: MeasuredView | None
    uncounted: int


def figures_view(
    runtime: Runtime,
    tallies: Tallies,
    growths: Growths,
    followed: Kept[Followed],
    *,
    newsletter: str = "",
) -> FiguresView:
    """Return the figures of one newsletter, the first where none is named. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        known = list_newsletters(session)
        if not known:
            return FiguresView((), "", "", "", (), None, None, 0)
        chosen = get_newsletter(session, newsletter) if newsletter else known[0]
        found = issues_page(session, limit=ISSUES, newsletter_id=chosen.id, states=MAILED)
    issues = [issue for issue in reversed(found) if issue.sending_at]
    told = [(issue, tallies.of(issue.id)) for issue in issues]
    growth = growths.of(chosen.id, wait=WAIT_SECONDS)
    clicks = followed.of(chosen.id, wait=WAIT_SECONDS)
    today = runtime.clock().date()
    sent = [
        Group(
            _name(issue, chosen),
            (
                one.states[DeliveryState.ACCEPTED] - one.complaints,
                one.complaints,
                one.states[DeliveryState.FAILED],
            ),
        )
        for issue, one in told
        if one
    ]
    charts = [
        stacked("Mails by issue", ("accepted", "called spam", "failed"), ("accent", "wait", "bad"), sent),
        *([] if growth is None else _growth_charts(growth, issues, chosen, today)),
    ]
    return FiguresView(
        newsletters=tuple(Choice(one.slug, one.name, one.id == chosen.id) for one in known),
        slug=chosen.slug,
        name=chosen.name,
        active=counted(growth.active, "reader") if growth else "",
        charts=tuple(charts),
        clicks=clicks_view(chosen, issues, clicks, lambda issue: _name(issue, chosen)) if clicks else None,
        measured=measured_view(chosen, issues, clicks.measures, lambda issue: _name(issue, chosen))
        if clicks
        else None,
        uncounted=sum(one is None for _, one in told) + (growth is None) + (clicks is None),
    )


def _growth_charts(
    growth: Growth, issues: Sequence[Issue], newsletter: Newsletter, today: date
) -> tuple[Chart, Chart]:
    weeks = [today - timedelta(days=today.weekday(), weeks=back) for back in reversed(range(WEEKS))]
    by_week = [
        Group(f"{week:%d %b %Y}", (_between(growth.came, week, week + timedelta(weeks=1)),)) for week in weeks
    ]
    left = _by_issue(growth, issues)
    after = [Group(_name(issue, newsletter), (left[place],)) for place, issue in enumerate(issues)]
    return (
        stacked("New readers by week", ("new",), ("accent",), by_week),
        stacked("Unsubscribed after an issue, before the next", ("unsubscribed",), ("bad",), after),
    )


def _between(days: dict[date, int], start: date, end: date) -> int:
    return sum(count for day, count in days.items() if start <= day < end)


def _by_issue(growth: Growth, issues: Sequence[Issue]) -> list[int]:
    """Return how many left on the day an issue began to be sent or later, before the next began."""
    starts = [issue.sending_at.date() for issue in issues if issue.sending_at]
    left = [0] * len(starts)
    for day, count in growth.left.items():
        if place := bisect_right(starts, day):
            left[place - 1] += count
    return left


def _name(issue: Issue, newsletter: Newsletter) -> str:
    assert issue.sending_at
    local = issue.sending_at.astimezone(zone(newsletter.timezone))
    return f"{local.day} {local:%b %Y}, issue {issue.id}"


def count_growth(runtime: Runtime, newsletter_id: int) -> Growth:
    """Return who came and left in the time that charts show."""
    since = runtime.clock() - timedelta(weeks=WEEKS + 1)
    with reading(runtime.engine) as session:
        newsletter = next(one for one in list_newsletters(session) if one.id == newsletter_id)
        return growth_of(session, newsletter.id, since=_midnight(since))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
