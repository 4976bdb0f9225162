"""The command as people run it: a process of its own, from an empty folder to mail and back."""

import email
import email.policy
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from digest.demo.newsroom import Newsroom
from tests.cli.conftest import COMMAND, ZONE, Digest, change_settings
from tests.servers.faults import Faults
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

HEAVY = {
    "alembic",
    "aiosmtplib",
    "celery",
    "fastapi",
    "feedparser",
    "httpx2",
    "jinja2",
    "lxml",
    "mjml",
    "trafilatura",
    "uvicorn",
}


def environment(**changed: str) -> dict[str, str]:
    """Return the environment of a person who set nothing; byte code is kept, as on their machine."""
    kept = {
        n: v for n, v in os.environ.items() if not n.startswith("DIGEST_") and n != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, **changed}


def call(folder: Path, *arguments: str, code: int = 0, **changed: str) -> str:
    """Run the command in `folder`, and return what it printed."""
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(**changed),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def told(folder: Path, *arguments: str) -> Any:
    return json.loads(call(folder, *arguments, "--json"))


def test_a_newsletter_of_ones_own_from_an_empty_folder_to_mail(tmp_path: Path, newsroom: Newsroom) -> None:
    assert "digest newsletter add" in call(tmp_path, "init")
    change_settings(tmp_path, fetch_allow=[newsroom.host_port], public_url="https://digest.example.org")
    call(
        tmp_path,
        *("newsletter", "add", "week", "--name", "The Week", "--from", "editors@example.org"),
        *("--postal-address", "1 Quay Street, Harbour City", "--timezone", ZONE.key),
    )
    call(tmp_path, "topic", "add", "week", "climate", "--phrase", "energy", "--phrase", "emissions")
    call(tmp_path, "topic", "add", "week", "space", "--phrase", "moon")
    call(tmp_path, "source", "add", "week", newsroom.sources[0].url, "--name", "The Meridian Post")
    (tmp_path / "readers.csv").write_text(
        "email,name,topics\nada@example.org,Ada,climate;space\nben@example.org,Ben,space\ncy@example.org,Cy,\n"
    )
    assert "Added 3 subscribers" in call(tmp_path, "subscriber", "import", "week", "readers.csv")

    rehearsed = call(tmp_path, "run", "week", "--dry-run")
    assert "2 readers would get mail" in rehearsed

    assert "2 accepted" in call(tmp_path, "run", "week", "--approve", "Ada")
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in (tmp_path / "outbox/new").iterdir()
    ]
    assert sorted(str(mail["To"]) for mail in mails) == ["ada@example.org", "ben@example.org"]
    assert all(mail["List-Unsubscribe"].startswith("<https://digest.example.org/") for mail in mails)

    shown = told(tmp_path, "issue", "show", "1")
    assert (shown["issue"]["state"], shown["deliveries"]["accepted"]) == ("sent", 2)
    because = told(tmp_path, "why", "ben@example.org", "1")
    assert because["follows"] == ["space"]
    assert {item["is_shown"] for item in because["items"]} == {True, False}

    assert "nothing was sent again" in call(tmp_path, "run", "week", "--approve", "Ada")
    assert len(list((tmp_path / "outbox/new").iterdir())) == 2


def test_a_doctor_who_finds_something_ends_with_exit_code_1(tmp_path: Path) -> None:
    assert call(tmp_path, "doctor", "--json", code=1, DIGEST_MAIL_URL="https://mail.example.org") == ""


def test_output_nobody_reads_to_its_end_is_no_error(drafted: Path) -> None:
    for arguments in ("issue preview 1", "issue list --json", "--help"):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; '{COMMAND}' {arguments} | true"],
            cwd=drafted,
            # Links that only this machine can open would be warned about.
            env=environment(DIGEST_PUBLIC_URL="https://digest.test"),
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        assert done.returncode == 0, arguments


def test_a_port_that_is_taken_is_told(drafted: Path, newsroom: Newsroom) -> None:
    port = newsroom.host_port.rpartition(":")[2]
    said = call(drafted, "web", "--port", port, code=1)
    assert port in said
    assert "--port" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_send_that_is_stopped_ends_its_mails_and_can_go_on(
    drafted: Path, digest: Digest, smtp_sink: SmtpSink, number: signal.Signals
) -> None:
    lines = "".join(f"reader{n}@example.org,space\n" for n in range(18))
    (drafted / "more.csv").write_text(f"email,topics\n{lines}")
    change_settings(drafted, mail_url=f"smtp://127.0.0.1:{smtp_sink.port}", mail_sessions=2)
    digest("subscriber", "import", "weekly", "more.csv").well()
    digest("issue", "approve", "1").well()
    smtp_sink.slow_down(after=3)
    with subprocess.Popen(
        [COMMAND, "send", "1"], cwd=drafted, env=environment(), stderr=subprocess.PIPE, text=True
    ) as sending:
        smtp_sink.wait_for(3)
        sending.send_signal(number)
        said = sending.communicate(timeout=PATIENCE)[1]
    smtp_sink.faults = Faults()
    assert sending.returncode == 128 + number
    assert "the mails under way end first" in said
    assert "Traceback" not in said
    counts = digest("issue", "show", "1", "--json").json["deliveries"]
    assert counts["accepted"] == smtp_sink.count()
    assert counts["pending"] == 20 - smtp_sink.count() > 0
    assert counts["unknown"] == 0
    digest("send", "1").well()
    assert sorted(smtp_sink.copies().values()) == [1] * 20


def test_ctrl_c_ends_a_server_in_good_order(drafted: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [COMMAND, "up", "--port", str(port)],
        cwd=drafted,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stderr is not None
        # Not until the port answers: that is a moment earlier, and Ctrl-C in between ends it without a word.
        said = ""
        while "The pages are at" not in said and (line := serving.stderr.readline()):
            said += line
        serving.send_signal(signal.SIGINT)
        said += serving.communicate(timeout=PATIENCE)[1]
    assert f"The pages are at http://127.0.0.1:{port}/" in said
    assert "Traceback" not in said
    assert serving.returncode == 0


def test_ctrl_c_ends_a_command_with_a_sentence(drafted: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        where = silent.getsockname()
        change_settings(drafted, fetch_allow=[f"{where[0]}:{where[1]}"])
        with subprocess.Popen(
            [COMMAND, "inspect", "feed", f"http://{where[0]}:{where[1]}/"],
            cwd=drafted,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        ) as waiting:
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            # Open until the end: whose server hangs up is told of that, if it is sooner than the signal.
            with connection:
                waiting.send_signal(signal.SIGINT)
                said = waiting.communicate(timeout=PATIENCE)[1]
    assert (waiting.returncode, said) == (130, "Error: stopped by Ctrl-C\n")


@pytest.mark.parametrize(
    ("commands", "without"),
    [
        (["--help"], HEAVY | {"sqlalchemy", "pydantic", "structlog"}),
        (
            [
                "newsletter list",
                "issue list",
                "topic list weekly",
                "subscriber list weekly",
                "source list weekly",
                "schedule list",
                "why ada@example.org 1",
            ],
            HEAVY,
        ),
    ],
)
def test_a_command_that_only_looks_imports_nothing_that_makes_mail(
    drafted: Path, digest: Digest, commands: list[str], without: set[str]
) -> None:
    digest("issue", "approve", "1").well()
    program = (
        "import sys; from digest.cli.main import run; "
        "codes = [run(command.split()) for command in sys.argv[1:]]; "
        "sys.stderr.write(' '.join(sys.modules)); sys.exit(any(codes))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *commands],
        cwd=drafted,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name.partition(".")[0] for name in done.stderr.split()} & without == set()
