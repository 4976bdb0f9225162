"""Set up, start, check: `init`, `migrate`, `up`, `web`, `doctor`, `demo`."""

from __future__ import annotations

import secrets
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.first_link import tell_first_link
from digest.cli.lazy import examples, new_app
from digest.cli.output import JsonOption, say, show_json, show_table, warn
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.runtime import Runtime, open_runtime
from digest.settings import config_file, load_settings
from digest.store.database import open_engine
from digest.store.schema import migrate as migrate_schema
from digest.store.trouble import named

if TYPE_CHECKING:
    from digest.demo.report import Report
    from digest.doctor import Check

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen at.")]
Port = Annotated[
    int, typer.Option(min=0, max=65535, metavar="PORT", help="The port to listen at; 0 takes a free one.")
]

A_READER = "carmen.ilves@example.net"
"""One of the demo's readers, who follows two of its topics."""


app = new_app()


@app.command()
def init() -> None:
    """Make digest.toml with a secret key in this folder, and the database it names."""
    file = config_file()
    if file.exists():
        load_settings()
        say(f"{file} is there already and stays as it is.")
    else:
        _write_config(file)
        say(f"Made {file}. Set mail_url, public_url and ops_email in it.")
    migrate()
    say("Next: 'digest newsletter add', then 'digest doctor'.")


def _write_config(file: Path) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            file.chmod(0o600)
            opened.write(_CONFIG.format(key=secrets.token_urlsafe(32)))
    except OSError as exc:
        raise InvalidInput(f"{file}: {exc.strerror or exc}") from exc


_CONFIG = """\
# Settings of Digest. docs/settings.md describes every one; DIGEST_… variables go before this file.
secret_key = "{key}"
database_url = "sqlite:///digest.db"
public_url = "http://127.0.0.1:8000"
# Where mail goes: a mail server, or a folder while you try things out.
mail_url = "maildir:outbox"
ops_email = ""
"""


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    settings = load_settings()
    engine = open_engine(settings.database_url)
    migrate_schema(engine)
    say(f"The database is ready: {named(engine)}")


@app.command(epilog=examples("digest up --port 8080"))
def up(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run web pages, worker and scheduler in this one process, until Ctrl-C."""
    from digest.embedded import embedded_worker

    runtime = _ready_runtime()
    with _stopped_like_ctrl_c(), embedded_worker():
        _serve(runtime, host, port)


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, also before the server listens to it; and let Ctrl-C do it.

    By default SIGTERM would end the process at once, with the worker at its first mails. And whom a shell
    starts in the background is born deaf to SIGINT, by which a worker that ended tells the main thread.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@app.command()
def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the web pages alone; workers and beat run beside it under Celery."""
    _serve(_ready_runtime(), host, port)


def _serve(runtime: Runtime, host: str, port: int) -> None:
    """Serve pages until Ctrl-C, which is how this is meant to end, however early it comes."""
    from digest.web.app import serve

    def tell(address: str) -> None:
        warn(f"The pages are at {address}. Ctrl-C stops.")
        tell_first_link(runtime, address)

    with suppress(KeyboardInterrupt):
        serve(runtime, host=host, port=port, on_listening=tell)


def _ready_runtime() -> Runtime:
    """Return a runtime whose database and mail settings are known to be usable, before anything starts."""
    runtime = open_runtime()
    _ = runtime.engine
    runtime.require_mail()
    return runtime


Sender = Annotated[
    list[str] | None,
    typer.Option(
        metavar="EMAIL",
        help="Look up only what vouches for mail from this address: SPF, DKIM, DMARC. May be repeated.",
    ),
]


@app.command(epilog=examples("digest doctor", "digest doctor --sender news@example.org"))
def doctor(sender: Sender = None, as_json: JsonOption = False) -> None:
    """Check settings, database, broker, mail server, templates and senders' DNS, each for real."""
    from digest.doctor import examine, examine_senders
    from digest.intake.addresses import parse_sender

    checks = examine_senders([parse_sender(one) for one in sender]) if sender else examine()
    if as_json:
        show_json(checks)
    else:
        show_table(("", "what", "found"), [(_verdict(c), c.what, c.found) for c in checks], empty="")
        for check in checks:
            if check.advice:
                say(f"\n{check.what}: {check.advice}")
            if check.record:
                say(f"In DNS:\n{check.record}")
    if not all(check.is_well for check in checks):
        raise typer.Exit(1)


def _verdict(check: Check) -> str:
    if not check.is_well:
        return "BAD"
    return "look" if check.advice else "ok"


@app.command(epilog=examples("digest demo", "digest demo --folder /tmp/demo --json"))
def demo(
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where mails and database are left.")] = Path(
        "demo-output"
    ),
    as_json: JsonOption = False,
) -> None:
    """Run the main job on a sample newsroom and sample subscribers, with nothing to install."""
    from digest.demo.main import run_demo

    if not as_json:
        say("Gathering a sample week, and mailing it to sample readers …")
    report = run_demo(folder)
    if as_json:
        show_json(report)
    else:
        _show_demo(report)


def _show_demo(report: Report) -> None:
    failed = "".join(f"; {name}: {error}" for name, error in report.failed_sources.items())
    origins = ", ".join(f"{count} {origin}" for origin, count in report.takeaways.items())
    skipped = ", ".join(f"{count} {reason.in_words}" for reason, count in report.skipped.items())
    left_out = ", ".join(f"{reason} ({count})" for reason, count in report.left_out.items())
    rows = [
        ("sources", report.sources, f"{len(report.failed_sources)} could not be read{failed}"),
        ("articles", report.articles, f"{report.items} in the issue; not in it: {left_out or 'none'}"),
        ("takeaways", sum(report.takeaways.values()), origins),
        ("editions", report.editions, "different mixes of articles"),
        ("sent", report.sent, f"{counted(report.caught, 'mail')} caught"),
        ("skipped", sum(report.skipped.values()), skipped),
    ]
    show_table(("", "", ""), rows, empty="")
    command, python = _this_command(), shlex.join([sys.executable, *report.newsroom])
    say(
        f"""
The mails are in {report.mails}, each as .eml and .html: open some in a browser.

What to do next:
  cd {shlex.quote(str(report.folder))}
  {command} issue show {report.issue}
  {command} why {A_READER} {report.issue}
  {command} up        the pages at http://127.0.0.1:8000; the links in the mails' footers lead there
While it runs, this link makes you the demo's admin, once:
  {report.enter}

In a second terminal, serve the sample articles once more: the mails' other links lead there.
  {python}
While they are served, they can be gathered again, in the first terminal:
  {command} gather {report.newsletter}"""
    )


def _this_command() -> str:
    """Return how this command is called from any folder: by name where PATH finds it, else by its path."""
    here = Path(sys.argv[0]).resolve()
    found = shutil.which("digest")
    return "digest" if found and Path(found).resolve() == here else shlex.quote(str(here))
