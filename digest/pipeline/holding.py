"""Whether everything is held: looked at before anything is claimed or addressed."""

from __future__ import annotations

from digest.domain.errors import Conflict
from digest.domain.pauses import Hold
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.holds import open_holds


def is_held(runtime: Runtime) -> bool:
    """Return whether nothing may be sent now."""
    with reading(runtime.engine) as session:
        return bool(open_holds(session))


def refuse_when_held(runtime: Runtime) -> None:
    """Raise `Conflict` with the reason while nothing may be sent."""
    with reading(runtime.engine) as session:
        held = open_holds(session)
    if held:
        raise Conflict(f"nothing is sent now: {held_in_words(held)}")


def held_in_words(held: tuple[Hold, ...]) -> str:
    """Return who holds everything, why, since when and what ends it; '' when nobody does."""
    if not held:
        return ""
    told = "; ".join(f"{one.in_words} (since {one.since:%Y-%m-%d %H:%M} UTC)" for one in held)
    return f"everything is {told}. 'digest resume' lets it go on"
