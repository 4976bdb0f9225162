"""Subscribers to preview as, found by a part of their address."""

from __future__ import annotations

from urllib.parse import urlencode

from digest.domain.errors import InvalidInput
from digest.domain.issues import Issue
from digest.domain.subscribers import SubscriptionState, email_key
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.reader_search import FoundReader, readers_that_begin, readers_that_hold
from digest.web.preview.views import ReaderFound, SearchView

PAGE = 12
TEXT_MAX = 320
PART_MIN = 3
"""Characters from which on a part is sought anywhere in an address: less is in all of them."""

_STATES = {
    SubscriptionState.PENDING: "not confirmed yet",
    SubscriptionState.PAUSED: "paused",
    SubscriptionState.UNSUBSCRIBED: "unsubscribed",
}


def search_view(runtime: Runtime, issue: Issue, text: str, *, after: str = "") -> SearchView:
    """Return a page of subscribers whose address begins with `text`; where few do, also who else has it.

    Raises `InvalidInput` for a text that no address holds.
    """
    text = text.strip()
    if not text:
        return SearchView(text="")
    if len(text) > TEXT_MAX or not text.isprintable():
        raise InvalidInput("no address holds what you look for: type a part of one")
    with reading(runtime.engine) as session:
        begin = readers_that_begin(session, issue.newsletter_id, text, limit=PAGE + 1, after=after)
        room = PAGE - len(begin)
        hold: tuple[FoundReader, ...] = ()
        if room > 0 and not after and len(text) >= PART_MIN:
            hold = readers_that_hold(session, issue.newsletter_id, text, limit=room)
    path = f"/issues/{issue.id}/preview"
    shown = (*begin[:PAGE], *hold)
    goes_on = urlencode({"q": text, "after": begin[PAGE - 1].key}) if len(begin) > PAGE else ""
    return SearchView(
        text=text,
        exact=next((one.email for one in shown if one.key == email_key(text)), ""),
        found=tuple(
            ReaderFound(one.email, _STATES.get(one.state, ""), f"{path}?{urlencode({'as': one.email})}#mail")
            for one in shown
        ),
        more=f"{path}?{goes_on}#readers" if goes_on else "",
    )
