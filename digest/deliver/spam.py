"""What SpamAssassin makes of a message, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

SECONDS = 60.0
"""It reads all its rules first, which takes seconds on a slow machine."""

_VERDICT = re.compile(
    rb"^X-Spam-Status: \w+, score=(-?\d+(?:\.\d+)?) required=(-?\d+(?:\.\d+)?)", re.MULTILINE
)
_RULE = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s+([A-Z][A-Z0-9_]+)\s+(?:[A-Z]+: )?(\S.*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SpamRule:
    """A rule that a message meets, and what it counts."""

    points: float
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SpamScore:
    """What a message scores, from which score on it is spam, and what counts against it, worst first."""

    score: float
    required: float
    rules: tuple[SpamRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Unscored:
    """Why there is no score."""

    why: str


def spam_score(message: bytes, *, seconds: float = SECONDS) -> SpamScore | Unscored:
    """Return what SpamAssassin's local rules say of a message: nothing is asked of the network."""
    program = shutil.which("spamassassin")
    if program is None:
        return Unscored("SpamAssassin is not installed")
    command = [program, "--nocreate-prefs", "--local", "--test-mode"]
    try:
        done = subprocess.run(command, input=message, capture_output=True, timeout=seconds, check=True)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Unscored(f"SpamAssassin did not end within {seconds:g} s")
    except (OSError, subprocess.CalledProcessError) as exc:
        return Unscored(f"SpamAssassin failed: {_reason(exc)}")
    return _read(done.stdout)


def _reason(exc: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    lines = exc.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else f"exit code {exc.returncode}"


def _read(answer: bytes) -> SpamScore | Unscored:
    verdict = _VERDICT.search(answer)
    if verdict is None:
        return Unscored("SpamAssassin answered without a score")
    _, _, report = answer.rpartition(b"Content analysis details:")
    rules = (
        SpamRule(float(points), name, meaning.strip())
        for points, name, meaning in _RULE.findall(report.decode("utf-8", "replace"))
    )
    counting = sorted((rule for rule in rules if rule.points > 0), key=lambda rule: -rule.points)
    return SpamScore(float(verdict[1]), float(verdict[2]), tuple(counting))
