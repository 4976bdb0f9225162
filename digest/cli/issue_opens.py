"""`digest issue opens`: how many readers who agreed to be measured opened it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_record
from digest.domain.counting import counted
from digest.domain.measuring import LEAST, Rate

if TYPE_CHECKING:
    from digest.pipeline.opens import IssueOpens

app = new_app()


@app.command()
def opens(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Show how many readers who agreed to be measured opened an issue, and how many followed a link of it."""
    from digest.pipeline.opens import opens_in

    runtime = open_runtime()
    found = opens_in(runtime, issue)
    if as_json:
        show_json({**plain(found), "opened": _told(found.opened), "followed": _told(found.followed)})
        return
    if not found.measured:
        say(_nothing(found))
        return
    if found.opened is None and found.followed is None:
        say(
            f"Issue {issue} reached {counted(found.measured, 'reader')} who agreed to be measured. Of fewer "
            f"than {LEAST} nothing is told, so that nobody is singled out."
        )
        return
    rows = [("opened it", _rate(found.opened))]
    rows.append(
        ("followed a link", _rate(found.followed) if found.has_links else "its links are not counted")
    )
    rows.append(("pictures loaded by programs, left out", str(found.left_out)))
    show_record(f"issue {issue}", rows)


def _told(rate: Rate | None) -> dict[str, int] | None:
    return None if rate is None else {**plain(rate), "percent": rate.percent}


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return f"fewer than {LEAST} of those who agreed have such a mail"
    return f"{rate.did} of {counted(rate.of, 'reader')} who agreed, {rate.percent} %"


def _nothing(found: IssueOpens) -> str:
    if found.is_asked:
        return (
            f"Issue {found.issue_id} was delivered to nobody who had agreed to be measured. Readers are "
            "asked where they sign up and in their settings."
        )
    return (
        f"Nothing is measured of issue {found.issue_id}: 'digest newsletter change NEWSLETTER --measuring "
        "asked' asks readers, and of who agrees it is measured from the next approval on."
    )
