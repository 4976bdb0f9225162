"""Settle by evidence what the mail server left open: its log says which messages it took."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import IssueState
from digest.store.database import writing
from digest.store.deliveries import cancel_for_issue, count_deliveries, settle_unknown
from digest.store.issues import change_issue, lock_issue

_MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_POSTFIX_SEEN = re.compile(r"\bpostfix\S*/cleanup\S*: (\w+): message-id=(<[^<>\s]+>)")
_POSTFIX_TAKEN = re.compile(r"\bpostfix\S*/qmgr\S*: (\w+): from=.*\(queue active\)")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many unknown deliveries were found `accepted`, are sent `again`, and are still `unknown`."""

    accepted: int
    again: int
    unknown: int


def message_ids(log: bytes) -> frozenset[str]:
    """Return the Message-IDs of the messages that a mail server's log says it took.

    Postfix names a Message-ID as soon as it has read the headers, also of a message whose dot never came;
    only one that became active in its queue was taken. Of any other log, every Message-ID counts. A log
    holds other people's bytes as well; Message-IDs of ours are ASCII.
    """
    seen: dict[str, str] = {}
    taken: set[str] = set()
    found: set[str] = set()
    for line in log.decode("utf-8", "replace").splitlines():
        if match := _POSTFIX_SEEN.search(line):
            seen[match[1]] = match[2]
        elif match := _POSTFIX_TAKEN.search(line):
            taken.add(match[1])
        else:
            found.update(_MESSAGE_ID.findall(line))
    return frozenset(found | {seen[queue_id] for queue_id in taken if queue_id in seen})


def reconcile(
    engine: Engine, issue_id: int, *, accepted: Collection[str], complete: bool, now: datetime
) -> Reconciled:
    """Settle an issue's unknown deliveries by the Message-IDs that the server `accepted`.

    With `complete`, the evidence covers all the server took since the send began: what it does not name was
    never accepted, and is sent again, unless the issue was cancelled meanwhile. Raises `Conflict` when
    nothing is unknown.
    """
    with writing(engine) as session:
        # Locked, so that nobody closes the issue between the look at its state and the reopening.
        issue = lock_issue(session, issue_id)
        if not count_deliveries(session, issue.id)[DeliveryState.UNKNOWN]:
            raise Conflict(
                f"issue {issue_id} has no delivery of unknown outcome: there is nothing to settle. "
                f"'digest issue show {issue_id}' tells how its sending stands."
            )
        there, again = settle_unknown(
            session, issue.id, accepted=accepted, absent_are_pending=complete, now=now
        )
        if issue.state is IssueState.CANCELLED:
            cancel_for_issue(session, issue.id)
            again = 0
        elif again and issue.state is IssueState.SENT:
            change_issue(session, issue.id, IssueState.SENDING, now=now)
        unknown = count_deliveries(session, issue.id)[DeliveryState.UNKNOWN]
    return Reconciled(there, again, unknown)
