"""`digest issue test`: an issue to editors, as a reader would get it."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import IssueNumber, decided_by
from digest.cli.lazy import examples
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, complain, say, show_json
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address

EXAMPLES = examples(
    "digest issue test 3 editors@example.org",
    "digest issue test 3 ed@example.org bo@example.org --as ada@example.org",
    "digest issue test 3 ed@example.org --topic climate --topic space",
    "digest issue test 3 --segment editors",
)


def mail_test(
    issue: IssueNumber,
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS…", help="Where it goes: at most 10 addresses.")
    ] = None,
    as_email: Annotated[str, typer.Option("--as", metavar="EMAIL", help="As this subscriber gets it.")] = "",
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="As a reader who follows this topic. Repeat it.")
    ] = None,
    segment: Annotated[
        str, typer.Option(metavar="SEGMENT", help="To its active readers: at most 10, such as your editors.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Mail an issue to yourself and your colleagues, marked as a test; by default with all its topics.

    It is the very mail a reader gets, under a strip that says it is a test; its subject begins with [Test].
    Drafts can be tested, too. Nothing is recorded as delivered, and the links to unsubscribe and to settings
    do nothing.
    """
    from digest.pipeline.trial_mail import send_test, trial_addresses

    if as_email and topic:
        raise InvalidInput("--as and --topic exclude each other: a subscriber follows what they follow")
    runtime = open_runtime()
    named = trial_addresses(runtime, issue, [parse_address(one) for one in addresses or ()], segment=segment)
    tested = send_test(runtime, issue, named, by=decided_by(""), email=as_email, topics=topic)
    if as_json:
        show_json(
            [{"email": one.email, "state": one.outcome.state, "answer": one.outcome.text} for one in tested]
        )
    else:
        for one in tested:
            if not one.is_accepted:
                complain(f"{one.email}: {one.outcome.code or ''} {one.outcome.text}".replace(":  ", ": "))
        count = sum(one.is_accepted for one in tested)
        say(f"Issue {issue} went to {counted(count, 'address', 'addresses')} as a test; no reader has it.")
    if not all(one.is_accepted for one in tested):
        raise typer.Exit(1)
