"""Where a test may go, and whom a segment that was chosen for it would mail."""

from __future__ import annotations

from dataclasses import dataclass

from digest.domain.newsletters import NewsletterId
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.segments import list_segments
from digest.web.preview.views import SegmentView, TrialView


@dataclass(frozen=True, slots=True)
class TrialChosen:
    """What a test's form said: addresses as they were typed, or a segment, and whom that fits."""

    to: str = ""
    segment: str = ""
    readers: tuple[str, ...] = ()


def trial_view(runtime: Runtime, newsletter: NewsletterId, chosen: TrialChosen) -> TrialView:
    """Return the form: what was typed or chosen stays there."""
    with reading(runtime.engine) as session:
        found = list_segments(session, newsletter)
    segments = tuple(SegmentView(one.slug, one.name, one.slug == chosen.segment) for one in found)
    return TrialView(chosen.to, segments, chosen.readers)
