"""What a topic's rule, as it was typed, does to the articles of the week or to a single one, in words."""

from __future__ import annotations

from collections.abc import Iterable

from digest.compose.untrusted import find_link, plain
from digest.domain.topics import TopicRule, TopicSlug
from digest.pipeline.managing.topics import rule_of
from digest.pipeline.topic_trial import Matched, TextTrial, Trial, try_text, try_topic
from digest.runtime import Runtime
from digest.web.manage.forms import Texts
from digest.web.manage.views import TrialLine, TrialView
from digest.web.manage.words import called
from digest.web.words import counted

DAYS = 7
_SHOWN = 60


def trial_of(runtime: Runtime, slug: str, topic: str, typed: Texts) -> TrialView:
    """Return what the rule that was typed matches, beside the one that stands.

    Raises `Unfit` for a rule that cannot be read.
    """
    rule = rule_of(typed, TopicRule(), called=called)
    if rule == TopicRule():
        return TrialView("A rule without words, labels, sources or query matches nothing.", (), "", (), ())
    return _view(try_topic(runtime, slug, TopicSlug(topic), lambda _: rule, days=DAYS))


def told_of(runtime: Runtime, slug: str, topic: str, typed: Texts, text: str) -> str:
    """Return whether the rule that was typed puts an article or text into the topic, and why.

    Raises `Unfit` for a rule that cannot be read, `NotFound` for an address that was not gathered.
    """
    rule = rule_of(typed, TopicRule(), called=called)
    return _told(try_text(runtime, slug, TopicSlug(topic), lambda _: rule, text))


def _told(trial: TextTrial) -> str:
    title = plain(trial.title)
    if trial.match is None:
        return f"‘{title}’ does not belong to it."
    return f"‘{title}’ belongs to it, with a score of {trial.match.score:.2f}: {trial.match.reason}."


def _view(trial: Trial) -> TrialView:
    gained, lost = ({one.url for one in part} for part in (trial.gained, trial.lost))
    kept = [one for one in trial.matched if one.url not in gained]
    lines = (
        *_lines("+", (one for one in trial.matched if one.url in gained)),
        *_lines("−", (one for one in trial.lost if one.url in lost)),
        *_lines("", kept),
    )
    words = (
        f"It matches {len(trial.matched)} of {counted(trial.looked_at, 'article')} of the last {DAYS} days: "
        f"{len(trial.gained)} more and {len(trial.lost)} fewer than the rule that stands."
    )
    more = len(lines) - _SHOWN
    return TrialView(
        words,
        lines[:_SHOWN],
        f"and {counted(more, 'article')} more" if more > 0 else "",
        tuple(map(plain, trial.into)),
        tuple(map(plain, trial.out_of)),
    )


def _lines(sign: str, found: Iterable[Matched]) -> Iterable[TrialLine]:
    for one in found:
        yield TrialLine(
            sign, f"{one.score:.2f}", plain(one.title), find_link(one.url) or "", plain(one.reason)
        )
