"""What a mail server's log came to, in words: for the two commands that reconcile."""

from __future__ import annotations

from collections.abc import Sequence

from digest.cli.opening import open_runtime
from digest.cli.output import say, show_json, show_table
from digest.domain.counting import counted
from digest.domain.errors import Conflict
from digest.domain.issues import IssueId
from digest.domain.times import zone
from digest.pipeline.reconciling import LogReconciled, reconcile_logs


def reconcile_and_say(
    names: Sequence[str],
    *,
    issue: int | None = None,
    complete: bool = False,
    timezone: str = "",
    is_trial: bool = False,
    as_json: bool = False,
    must_be_open: bool = False,
) -> None:
    """Reconcile and tell. Raises `Conflict` when `must_be_open` and the issue has nothing unknown."""
    where = zone(timezone) if timezone else None
    number = None if issue is None else IssueId(issue)
    done = reconcile_logs(
        open_runtime(), names, issue_id=number, complete=complete, zone=where, is_trial=is_trial
    )
    if must_be_open and not done.issues and not done.bounces:
        raise Conflict(
            f"issue {issue} has no delivery of unknown outcome: there is nothing to settle. "
            f"'digest issue show {issue}' tells how its sending stands."
        )
    if as_json:
        show_json(_plain(done, is_trial=is_trial))
        return
    _say(done, is_trial=is_trial)


def _plain(done: LogReconciled, *, is_trial: bool) -> dict[str, object]:
    evidence = done.evidence
    return {
        "dry_run": is_trial,
        "servers": evidence.servers,
        "lines": evidence.lines,
        "first": evidence.first,
        "last": evidence.last,
        "issues": [
            {"issue": issue, "accepted": one.accepted, "again": one.again, "unknown": one.unknown}
            for issue, one in done.issues.items()
        ],
        "bounces": {
            "found": done.bounces,
            "changed": done.effects,
            "known": done.known,
            "strange": done.strange,
        },
    }


def _say(done: LogReconciled, *, is_trial: bool) -> None:
    if is_trial:
        say("A dry run: nothing was changed.")
    say(_covered(done))
    show_table(
        ("issue", "accepted", "sent again", "still unknown"),
        [(issue, one.accepted, one.again, one.unknown) for issue, one in done.issues.items()],
        empty="No delivery of unknown outcome: there is nothing to settle.",
    )
    if done.bounces:
        say(_bounced(done))
    for issue, one in done.issues.items():
        if one.again and not is_trial:
            say(f"'digest send {issue}' sends them, or a running worker does.")


def _covered(done: LogReconciled) -> str:
    evidence = done.evidence
    whose = " and ".join(sorted(evidence.servers)) or "A list of Message-IDs"
    lines = counted(evidence.lines, "line")
    if evidence.first is None or evidence.last is None:
        return f"{whose}, {lines}, without a time."
    return f"{whose}, {lines}, {evidence.first:%Y-%m-%d %H:%M:%S} to {evidence.last:%Y-%m-%d %H:%M:%S} UTC."


def _bounced(done: LogReconciled) -> str:
    parts = [f"{count} {effect.in_words}" for effect, count in sorted(done.effects.items())]
    parts += [f"{done.known} known already"] if done.known else []
    parts += [f"{done.strange} of mails that are not here any more"] if done.strange else []
    return f"{counted(done.bounces, 'bounce')} of ours: {', '.join(parts)}."
