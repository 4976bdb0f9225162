"""The command's parts put together, and every way it can end turned into words and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from digest.cli.lazy import LazyGroup, Part, examples, help_width
from digest.cli.output import complain
from digest.cli.remote.place import ServerOption, TokenFileOption, meant_by, place
from digest.domain.errors import DigestError, InvalidInput, Misconfigured

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130

_START, _ISSUE, _SETUP = "Start and check", "From sources to readers", "What a newsletter is made of"


class Root(LazyGroup):
    """All of `digest`."""

    parts = {  # noqa: RUF012 - a table, read once
        "demo": Part(_START, "digest.cli.system", "See the whole job done on sample articles and readers."),
        "init": Part(_START, "digest.cli.system", "Make digest.toml and the database in this folder."),
        "up": Part(_START, "digest.cli.system", "Run web pages, worker and scheduler in one process."),
        "web": Part(_START, "digest.cli.system", "Run the web pages alone, beside workers under Celery."),
        "migrate": Part(_START, "digest.cli.system", "Bring the database to this version's schema."),
        "doctor": Part(_START, "digest.cli.system", "Check settings, database, broker, mail and templates."),
        "purge": Part(_START, "digest.cli.purging", "Remove what is over its term: docs/retention.md."),
        "dkim": Part(_START, "digest.cli.dkim", "Print the DNS records that vouch for our signatures."),
        "account": Part(_START, "digest.cli.accounts", "Accounts: who may sign in, and as what.", True),
        "token": Part(_START, "digest.cli.tokens", "Tokens for programs that use the API.", True),
        "endpoint": Part(
            _START, "digest.cli.endpoints", "Programs of yours that are told what happens.", True
        ),
        "newsletter": Part(_SETUP, "digest.cli.newsletters", "Newsletters: who sends, what, how much.", True),
        "topic": Part(_SETUP, "digest.cli.topics", "Topics: what subscribers follow.", True),
        "source": Part(_SETUP, "digest.cli.sources", "Sources: where articles come from.", True),
        "article": Part(_SETUP, "digest.cli.articles", "Articles gathered, or added by hand.", True),
        "segment": Part(_SETUP, "digest.cli.segments", "Segments: saved questions about readers.", True),
        "subscriber": Part(_SETUP, "digest.cli.subscribers", "Subscribers and what they follow.", True),
        "sign-ups": Part(_SETUP, "digest.cli.sign_ups", "What became of sign-ups, and what waits."),
        "suppression": Part(_SETUP, "digest.cli.suppressions", "Addresses that are never mailed.", True),
        "bounces": Part(_SETUP, "digest.cli.bounces", "Bounces and complaints: take them in.", True),
        "mail": Part(
            _SETUP, "digest.cli.mails", "The mails besides the digest: confirmation, alert, …", True
        ),
        "schedule": Part(_SETUP, "digest.cli.schedules", "Schedules: when an issue is made and sent.", True),
        "run": Part(_ISSUE, "digest.cli.runs", "Do all of the following at once, up to the send."),
        "gather": Part(_ISSUE, "digest.cli.runs", "Poll the sources and keep what is new."),
        "condense": Part(_ISSUE, "digest.cli.runs", "Give new articles their takeaways and topics."),
        "compose": Part(_ISSUE, "digest.cli.runs", "Fill the draft of the week with the best articles."),
        "issue": Part(_ISSUE, "digest.cli.issues", "Issues: look at them, let them go, stop them.", True),
        "send": Part(_ISSUE, "digest.cli.sending", "Send an approved issue, or go on with one."),
        "deliver": Part(_ISSUE, "digest.cli.deliver", "Mails on their way: settle what is open.", True),
        "throttle": Part(
            _ISSUE, "digest.cli.throttle", "How fast mail leaves, to whom, why not faster.", True
        ),
        "pause": Part(_ISSUE, "digest.cli.holding", "Send nothing at all, of any issue, for now."),
        "resume": Part(_ISSUE, "digest.cli.holding", "Let everything go on that was held."),
        "why": Part(_ISSUE, "digest.cli.explaining", "Say why a reader gets each item, or does not."),
        "inspect": Part(_ISSUE, "digest.cli.inspecting", "See what is read of a feed or an article.", True),
    }

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Read the arguments, which may end in help."""
        with _reader_may_go():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _reader_may_go():
            return super().invoke(ctx)


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """End well when whoever reads our output (`| head`) has seen enough: typer takes that for a failure."""
    try:
        yield
    except BrokenPipeError as exc:
        raise typer.Exit(_reader_gone()) from exc


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=examples(
        "digest demo                     the whole job on sample data",
        "digest init                     begin one of your own",
        "digest run NEWSLETTER --dry-run who would get what",
    )
    + "\n\nExit codes: 0 done; 1 could not be done, and the message says what to do; 2 asked for wrongly.",
)


@app.callback()
def digest(server: ServerOption = "", token_file: TokenFileOption = "") -> None:
    """Gather a week's articles, condense them, and mail each subscriber what they follow."""


def main() -> None:
    """Run the command of this process and end it with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number: better than a crash in mid-sentence.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_gone()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Do what `arguments` ask for and return the exit code; what is wrong is told on standard error."""
    try:
        _refuse_undecodable(arguments)
        with meant_by(arguments) as words:
            program = _remote(words) if place().address else app
            program.info.context_settings = {
                "help_option_names": ["--help", "-h"],
                "terminal_width": help_width(),
            }
            program(words, prog_name="digest")
    except SystemExit as exc:
        return _ended(exc)
    except (InvalidInput, Misconfigured) as exc:
        complain(str(exc))
        return WRONG
    except DigestError as exc:
        complain(str(exc))
        return FAILED
    except Exception as exc:  # noqa: BLE001 - whoever runs a command gets words; the log has the rest
        return _crashed(exc)
    return DONE


def _remote(arguments: Sequence[str]) -> typer.Typer:
    """Return the commands that work on a server elsewhere. Raises `InvalidInput` for any other."""
    from digest.cli.remote.commands import app as remote

    group = typer.main.get_group(remote)
    words = [word for word in arguments[:2] if not word.startswith("-")]
    known = group.commands
    for count, word in enumerate(words, 1):
        if word not in known:
            if count == 1 and word not in Root.parts:
                break
            named = place()
            raise InvalidInput(
                f"'digest {' '.join(words[:count])}' works on the server only: run it there. "
                f"{named.named_by} says {named.address} here; without it the command works on this machine"
            )
        known = getattr(known[word], "commands", None) or {}
        if not known:
            break
    return remote


def _ended(exc: SystemExit) -> int:
    """Return the code typer ends with: its own for wrong usage, a command's, or 130 after Ctrl-C."""
    if exc.code == INTERRUPTED:
        complain("stopped by Ctrl-C")
    return exc.code if isinstance(exc.code, int) else DONE


def _refuse_undecodable(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if not argument.isprintable() and any("\udc80" <= character <= "\udcff" for character in argument):
            shown = argument.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise InvalidInput(f"'{shown}' is not UTF-8 text: give names and files in UTF-8")


def _reader_gone() -> int:
    # What is still in the buffer would fail once more when Python closes the stream.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _crashed(exc: Exception) -> int:
    import structlog

    structlog.get_logger(__name__).error("command.crashed", exc_info=exc)
    complain(f"{type(exc).__name__}: {exc}. This is a fault in Digest: please report what is above.")
    return FAILED
