"""An issue's spam score: of the message that most readers get, as it would be delivered."""

from __future__ import annotations

from collections.abc import Iterator

from digest.compose.audience import Audience
from digest.compose.checks.editions import Reported
from digest.compose.checks.findings import Finding, error, note, warning
from digest.compose.steps import Pieces
from digest.deliver.spam import SpamScore, Unscored, spam_score
from digest.domain.issues import edition_for
from digest.pipeline.personal_mail import specimen_message
from digest.runtime import Runtime

WELL = 0.5
"""A good mail scores no more."""
_RULES_MOST = 4


def judge_spam(runtime: Runtime, pieces: Pieces, audience: Audience) -> Iterator[Reported]:
    """Yield what to tell of the spam score, or why there is none."""
    readers = audience.readers
    everything = edition_for(pieces.outline, pieces.outline.topics)
    edition = max(readers, key=lambda one: readers[one]) if readers else everything
    if edition.sections:
        message = specimen_message(runtime, pieces.issue, pieces.newsletter, pieces.rendered, edition)
        yield Reported(judge_score(spam_score(message)), 1, readers.get(edition, 0))


def judge_score(score: SpamScore | Unscored) -> Finding:
    """Return what to tell of a score."""
    if isinstance(score, Unscored):
        return note(
            f"no spam score: {score.why}", "spam", "install SpamAssassin where this runs, for the score"
        )
    counting = "; ".join(f"{rule.points:+g} {rule.meaning}" for rule in score.rules[:_RULES_MOST])
    told = f"the spam score is {score.score:g}, and {score.required:g} is spam" + (
        f" ({counting})" if counting else ""
    )
    if score.score >= score.required:
        return error(told, "spam", "rewrite what counts against it")
    return warning(told, "spam", "look at what counts") if score.score > WELL else note(told, "spam")
