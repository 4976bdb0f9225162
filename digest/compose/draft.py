"""The coming issue filled anew while its days go by: looked at first, and written only where it differs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from digest.compose.steps import choose, compose
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.store.condensed import candidates_in
from digest.store.database import reading
from digest.store.issues import find_issue
from digest.store.items import items_of


def refill(engine: Engine, newsletter: Newsletter, window: Window, *, now: datetime) -> Issue | None:
    """Fill the draft of `window` with the best of its articles, and return it where that changed it.

    None where it holds these already, where there is nothing to hold, and for what is no draft any more.
    Editors' changes stay on top. Choosing is done beside other writers, as it takes some tenths of a
    second.
    """
    with reading(engine) as session:
        known = find_issue(session, newsletter.id, window)
        if known is not None and known.state is not IssueState.DRAFT:
            return None
        selection = choose(session, newsletter, window, candidates_in(session, newsletter.id, window))
        held = items_of(session, known.id) if known else ()
    if selection.items == held:
        return None
    return compose(engine, newsletter, window, now=now).issue
