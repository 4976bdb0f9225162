"""The command's parts put together, and every error turned into words."""

from __future__ import annotations

import sys

import structlog
import typer

from digest.cli import (
    inspecting,
    issues,
    newsletters,
    runs,
    schedules,
    sources,
    subscribers,
    system,
    topics,
)
from digest.cli.output import complain
from digest.domain.errors import DigestError, InvalidInput, Misconfigured

app = typer.Typer(
    help="Gather a week's articles, condense them, and mail each subscriber what they follow.",
    epilog="Exit codes: 0 done, 1 could not be done (the message says what to do), 2 asked for wrongly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (system, runs):
    part.add_to(app)
app.add_typer(newsletters.app, name="newsletter")
app.add_typer(sources.app, name="source")
app.add_typer(topics.app, name="topic")
app.add_typer(subscribers.app, name="subscriber")
app.add_typer(issues.app, name="issue")
app.add_typer(schedules.app, name="schedule")
app.add_typer(inspecting.app, name="inspect")


def main() -> None:
    """Run the command, and end with a message instead of a traceback when something is wrong."""
    try:
        app()
    except (InvalidInput, Misconfigured) as exc:
        complain(str(exc))
        sys.exit(2)
    except DigestError as exc:
        complain(str(exc))
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone: that is no error of ours.
        sys.stderr.close()
        sys.exit(0)
    except Exception as exc:  # noqa: BLE001 - whoever runs a command gets words; the log has the rest
        structlog.get_logger(__name__).error("command.crashed", exc_info=exc)
        complain(f"{type(exc).__name__}: {exc}. This is a fault in Digest: please report what is above.")
        sys.exit(1)
