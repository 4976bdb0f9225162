"""The field's own checks of mail, each started once for many pages: npm's (tools/mail) and SpamAssassin."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from tests.servers.processes import MissingProgram, program

MAIL_TOOLS = Path(__file__).resolve().parents[2] / "tools" / "mail"
PACKAGES = MAIL_TOOLS / "node_modules"


def run_node(script: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script of `tools/mail` with `given` on its standard input; it may end as it likes."""
    node = PACKAGES / ".bin" / "node"
    if not node.exists():
        raise MissingProgram("the npm packages that check mail are not installed: run tools/mail-tools.sh")
    command = [str(node), str(MAIL_TOOLS / script), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8")


def compile_mjml(source: str) -> str:
    """Return the HTML of npm's mjml 5; Jinja is left as it stands."""
    done = run_node("compile.mjs", given=source)
    done.check_returncode()
    return done.stdout


@dataclass(frozen=True, slots=True)
class MarkupReport:
    """What html-validate finds on each page, and which features of a page which mail programs do not know.

    `unsupported` has clients such as `gmail.ios` by feature, as caniemail.com calls both.
    """

    faults: Mapping[str, Sequence[str]]
    unsupported: Mapping[str, Sequence[str]]


def check_markup(pages: Mapping[str, str]) -> MarkupReport:
    """Return what html-validate and caniemail say of HTML pages by name."""
    done = run_node("check.mjs", given=json.dumps(pages))
    done.check_returncode()
    return MarkupReport(**json.loads(done.stdout))


_SENDER = b"From sender@example.org Mon Nov 23 07:00:00 2026\n"
"""What parts the mails of a box; a line of a mail that begins so would be taken for it."""


@dataclass(frozen=True, slots=True)
class SpamScore:
    """SpamAssassin's points for a mail, and the rules they come from, as `HTML_MESSAGE=0.001`."""

    points: float
    rules: tuple[str, ...]


def spam_scores(mails: Iterable[bytes], *, home: Path) -> dict[str, SpamScore]:
    """Return each mail's score by its Message-ID: the package's own rules, no network, nothing learnt.

    What SpamAssassin writes it writes in `home`.
    """
    command = [program("spamassassin", package="spamassassin"), "--local", "--mbox"]
    shown = "--cf=add_header all Status _YESNO_ score=_SCORE_ tests=_TESTSSCORES(,)_"
    done = subprocess.run(
        [*command, shown, "--cf=use_bayes 0"],
        input=b"".join(_SENDER + _in_box(mail) for mail in mails),
        capture_output=True,
        env={**os.environ, "HOME": str(home)},
    )
    assert done.returncode == 0, done.stderr.decode()
    # SpamAssassin sorts the mails by their date.
    parts = done.stdout.split(_SENDER.rstrip())[1:]
    headers = [message_from_bytes(part.lstrip(b"\n"), policy=policy.default) for part in parts]
    return {str(header["Message-ID"]): _score(str(header["X-Spam-Status"])) for header in headers}


def _score(status: str) -> SpamScore:
    found = re.fullmatch(r"\w+ score=(-?[\d.]+) tests=(.*)", status)
    assert found, status
    return SpamScore(float(found[1]), tuple("".join(found[2].split()).split(",")))


def _in_box(mail: bytes) -> bytes:
    return re.sub(rb"^From ", b">From ", mail.replace(b"\r\n", b"\n"), flags=re.MULTILINE) + b"\n\n"
