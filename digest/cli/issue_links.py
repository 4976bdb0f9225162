"""`digest issue share`, `links` and `unshare`: an issue shown to people without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import IssueNumber, decided_by, number
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.errors import InvalidInput

if TYPE_CHECKING:
    from digest.pipeline.sharing import Share

app = new_app()

By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command(
    epilog=examples(
        "digest issue share 3",
        "digest issue share 3 --days 2 --topic climate --topic space",
        "digest issue share 3 --as ada@example.org",
    )
)
def share(
    issue: IssueNumber,
    days: Annotated[int, typer.Option(metavar="N", help="Days that the link works.")] = 7,
    as_email: Annotated[str, typer.Option("--as", metavar="EMAIL", help="As this subscriber gets it.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="As a reader who follows this topic. Repeat it.")
    ] = None,
    by: By = "",
    as_json: JsonOption = False,
) -> None:
    """Make a link by which people without an account see an issue as a reader gets it.

    Whoever has it sees nothing else and can do nothing. It names no reader, also with --as.
    """
    from digest.pipeline.sharing import share_issue

    if as_email and topic:
        raise InvalidInput("--as and --topic exclude each other: a subscriber follows what they follow")
    made = share_issue(
        open_runtime(), issue, by=decided_by(by), days=days, email=as_email, topics=topic or ()
    )
    if as_json:
        show_json(_told(made))
        return
    say(f"Link {made.link.id} shows issue {issue} as {_whom(made)}, until {_until(made)}:")
    say(f"  {made.url}")


@app.command(epilog=examples("digest issue links 3", "digest issue links 3 --json"))
def links(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """List the links that show an issue to people without an account, the newest first."""
    from digest.pipeline.sharing import shares_of

    found = shares_of(open_runtime(), issue)
    if as_json:
        show_json([_told(one) for one in found])
        return
    show_table(
        ("link", "as", "made by", "until", "address"),
        [
            (one.link.id, _whom(one), one.link.made_by, _until(one), one.url if one.is_open else "")
            for one in found
        ],
        empty=f"No link shows issue {issue}: 'digest issue share {issue}' makes one.",
    )


@app.command(epilog=examples("digest issue unshare 3 1"))
def unshare(
    issue: IssueNumber,
    link: Annotated[
        int,
        typer.Argument(metavar="LINK", callback=number, help="The link's number: see 'digest issue links'."),
    ],
    by: By = "",
) -> None:
    """Take a link back: it shows nothing from now on. Twice is the same as once."""
    from digest.pipeline.sharing import take_link_back

    take_link_back(open_runtime(), issue, link, by=decided_by(by))
    say(f"Link {link} shows nothing any more.")


def _whom(share: Share) -> str:
    removed = "a subscriber who was removed" if share.link.subscriber_id else ""
    return share.email or removed or f"a reader of {', '.join(share.link.topics) or 'everything'}"


def _until(share: Share) -> str:
    link = share.link
    if link.revoked_at:
        return f"taken back {link.revoked_at:%Y-%m-%d %H:%M} UTC by {link.revoked_by}"
    return f"{link.expires_at:%Y-%m-%d %H:%M} UTC{'' if share.is_open else ', which is over'}"


def _told(share: Share) -> dict[str, object]:
    """Return a link for programs; its address is null once it shows nothing."""
    link = share.link
    return {
        "id": link.id,
        "url": share.url if share.is_open else None,
        "email": share.email,
        "topics": list(link.topics),
        "made_by": link.made_by,
        "made_at": link.made_at,
        "expires_at": link.expires_at,
        "revoked_by": link.revoked_by,
        "revoked_at": link.revoked_at,
    }
