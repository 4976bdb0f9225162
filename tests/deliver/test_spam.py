"""SpamAssassin asked about a message, and every way in which it may not answer."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.deliver.spam import SpamRule, SpamScore, Unscored, spam_score

ANSWER = """\
X-Spam-Checker-Version: SpamAssassin 4.0.1 on host
X-Spam-Status: No, score=2.1 required=5.0 tests=DRUGS,HTML_MESSAGE
Subject: Tides

Content analysis details: 9.9 of what the mail itself says
Content analysis details:   (2.1 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RELAYS              Informational: message was not relayed via SMTP
 0.3 HTML_MESSAGE           BODY: HTML included in message
 1.8 DRUGS                  Refers to a drug
"""

Program = Callable[[str], None]


@pytest.fixture
def spamassassin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a program of that name, whose shell script is given, before all others."""

    def install(script: str) -> None:
        file = tmp_path / "spamassassin"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install


def test_a_score_comes_with_the_rules_that_count_worst_first(spamassassin: Program, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(ANSWER)
    spamassassin(f"cat > '{tmp_path}/asked'; cat '{tmp_path}/answer'")
    assert spam_score(b"Subject: Tides\r\n\r\nx") == SpamScore(
        2.1,
        5.0,
        (
            SpamRule(1.8, "DRUGS", "Refers to a drug"),
            SpamRule(0.3, "HTML_MESSAGE", "HTML included in message"),
        ),
    )
    assert (tmp_path / "asked").read_bytes() == b"Subject: Tides\r\n\r\nx"


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert spam_score(b"x") == Unscored("SpamAssassin is not installed")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no rules were found' >&2; exit 9", "SpamAssassin failed: no rules were found"),
        ("exit 9", "SpamAssassin failed: exit code 9"),
        ("cat", "SpamAssassin answered without a score"),
        ("exec sleep 30", "SpamAssassin did not end within 1 s"),
    ],
)
def test_why_there_is_no_score_is_said(script: str, why: str, spamassassin: Program) -> None:
    spamassassin(script)
    assert spam_score(b"x", seconds=1) == Unscored(why)


def test_the_real_one_tells_a_good_mail_from_the_sample_of_a_bad_one() -> None:
    head = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: The tides of the week\r\n"
    head += b"Date: Mon, 16 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1.2.3@example.org>\r\n\r\n"
    # The GTUBE string, which every filter takes for spam.
    bad = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
    scores = [spam_score(head + body) for body in (b"High water is at nine.\r\n", bad)]
    assert all(isinstance(score, SpamScore) for score in scores), scores
    good, spam = scores
    assert isinstance(good, SpamScore)
    assert isinstance(spam, SpamScore)
    assert good.score < 5 <= spam.score
    assert spam.rules[0].points >= 900
