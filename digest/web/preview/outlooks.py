"""What an issue is to come to, in words: who gets how much of it, who gets nothing, what its checks find."""

from __future__ import annotations

from digest.compose.steps import Pieces
from digest.domain.issues import IssueState
from digest.pipeline.outlook import Outlook, outlook_on
from digest.runtime import Runtime
from digest.web.checks import checks_of
from digest.web.preview.views import OutlookView, ShareOfReaders
from digest.web.words import at_hour, counted, spared_in_words


def outlook_view(runtime: Runtime, found: Pieces) -> OutlookView:
    """Return the outlook on an issue as it was last worked out; `is_awaited` says that a new one is due."""
    is_over = found.issue.state in (IssueState.SENT, IssueState.CANCELLED)
    outlook = outlook_on(runtime, found) if found.outline.items else None
    if outlook is None:
        return OutlookView(is_awaited=bool(found.outline.items) and not is_over)
    readers = outlook.one + outlook.few + outlook.many
    nobody = sum(outlook.skipped.values())
    get_it = "gets it" if readers == 1 else "get it"
    return OutlookView(
        is_awaited=not outlook.is_current and not is_over,
        when=_when(outlook),
        readers=f"{counted(readers, 'reader')} of {readers + nobody:,} {get_it}",
        shares=(
            _share("1 article", outlook.one, readers),
            _share("2 to 5 articles", outlook.few, readers),
            _share("6 articles or more", outlook.many, readers),
        ),
        skipped=tuple(
            _share(reason.in_words, count, nobody)
            for reason, count in sorted(outlook.skipped.items(), key=lambda one: -one[1])
        ),
        spared=spared_in_words(outlook.spared),
        checks=None if is_over else checks_of(outlook.preflight, found),
    )


def _when(outlook: Outlook) -> str:
    since = " The issue has changed since." if not outlook.is_current else ""
    return f"Worked out on {at_hour(outlook.made_at)}.{since}"


def _share(words: str, count: int, of: int) -> ShareOfReaders:
    return ShareOfReaders(words, f"{count:,}", round(100 * count / of, 1) if of else 0.0)
