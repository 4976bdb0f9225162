"""Who opened and followed, by issue: of readers who agreed to be measured, and never of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from digest.domain.issues import Issue, IssueId
from digest.domain.measuring import LEAST, Measuring, Rate
from digest.domain.newsletters import Newsletter
from digest.store.measures import IssueMeasures
from digest.web.ops.charts import Chart, Group, stacked


@dataclass(frozen=True, slots=True)
class MeasuredView:
    """What was measured. Of `too_few` issues, with fewer than `least` readers who agreed, nothing is told.

    Without charts `is_asked` says whether readers are asked at all.
    """

    is_asked: bool
    charts: tuple[Chart, ...]
    too_few: int
    least: int = LEAST


def measured_view(
    newsletter: Newsletter,
    issues: Sequence[Issue],
    measures: Mapping[IssueId, IssueMeasures],
    name: Callable[[Issue], str],
) -> MeasuredView:
    """Return the charts of what was measured.

    `issues` are in the order of time, `name` says what one is called.
    """
    opened: list[Group] = []
    followed: list[Group] = []
    too_few = 0
    for issue in issues:
        one = measures.get(issue.id)
        if one is None:
            continue
        too_few += one.open_rate is None and one.follow_rate is None
        opened += _group(name(issue), one.open_rate)
        followed += _group(name(issue), one.follow_rate)
    looks = ("accent", "rest")
    others = "others who agreed"
    charts = (
        stacked("Opened, by readers who agreed", ("opened it", others), looks, opened),
        stacked("Links followed, by readers who agreed", ("followed one", others), looks, followed),
    )
    told = tuple(chart for chart in charts if chart.groups)
    return MeasuredView(newsletter.measuring is Measuring.ASKED, told, too_few)


def _group(name: str, rate: Rate | None) -> list[Group]:
    if rate is None:
        return []
    told = f"{name}: {rate.percent} % of {rate.of:,} readers who agreed"
    return [Group(told, (rate.did, rate.of - rate.did))]
