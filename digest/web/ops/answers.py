"""What a change answers: the page it was made on, with a sentence that says what is so now."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from fastapi.responses import RedirectResponse

from digest.web.templating import Pages

DONE: Mapping[str, str] = MappingProxyType(
    {
        "schedule-made": "The schedule is made.",
        "schedule-changed": "The schedule is changed.",
        "schedule-removed": "The schedule is removed. Its issues stay.",
        "schedule-paused": "The schedule rests. What would come due meanwhile is not made up for.",
        "schedule-resumed": "The schedule runs again, from its next date on.",
        "date-skipped": "The next date is left out. The one after it stays.",
        "date-back": "The date is due again.",
        "run-begun": "Today’s run has begun. A worker takes it up within seconds.",
        "dry-run-asked": "The dry run is asked for. Nothing is sent and nothing changed by it.",
        "run-retried": "The run goes on where it stopped. A worker takes it up within seconds.",
        "missed-run": "The missed run is on its way. A worker takes it up within seconds.",
        "missed-skipped": "The missed run is left out.",
        "sent-now": "It does not wait for its hour any more. A worker sends it within seconds.",
        "send-paused": "The send is paused. What was under way ends; nothing new leaves.",
        "send-resumed": "The send goes on where it was. Nobody gets it twice.",
        "send-cancelled": "The send is ended for good. Who has it keeps it; nobody else gets it.",
        "failed-resent": "What failed and may arrive now is sent once more.",
        "unknown-resent": "These mails are sent once more, with the same Message-ID.",
        "unknown-arrived": "These mails count as arrived. Nothing was sent.",
        "nothing-unknown": "None of these is of unknown outcome any more; nothing was changed.",
        "nothing-resent": "There was nothing to send once more.",
        "suppressed": "The address is never mailed again.",
        "suppressed-before": "The address was on the list before and stays there; nothing changed.",
        "unsuppressed": "The address may be mailed again.",
        "complainer-back": "The address may be mailed again. They called a mail of yours spam: mail them "
        "only if they asked for it since.",
        "erased": "All that was stored of them is gone. Nothing is sent to them any more.",
        "erased-but-account": "All that was stored of them as a reader is gone. Their address still signs "
        "in: remove the account, if that is to end as well.",
        "erasing": "They are being erased. It takes some minutes more: look them up again then.",
        "all-held": "Everything is held: nothing is sent until you let it go on.",
        "all-going": "Everything goes on.",
    }
)
"""Named in addresses, so that nobody puts words of their own onto our pages."""


def answer(pages: Pages, path: str, what: str) -> RedirectResponse:
    """Lead to `path`, which then says what was done. Reloading it does nothing again."""
    assert what in DONE
    mark = "&" if "?" in path else "?"
    return RedirectResponse(f"{pages.base}{path}{mark}done={what}", HTTPStatus.SEE_OTHER)


def said(what: str) -> str:
    """Return the sentence for what was done, '' for what never was."""
    return DONE.get(what, "")
