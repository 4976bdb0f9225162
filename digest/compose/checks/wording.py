"""The words of a mail: its subject and preheader, and what was meant to be replaced and was not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from digest.compose.checks.findings import Finding, Severity, error, warning
from digest.compose.checks.seen import Seen
from digest.domain.counting import counted
from digest.domain.mail import PREHEADER_MAX, PREHEADER_MIN, SUBJECT_MAX, TOKEN_CLOSE, TOKEN_OPEN

SUBJECT_MIN = 10

_UNRESOLVED = re.compile(r"\{\{|\{%|\{#")
_PLACEHOLDER = re.compile(r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|\{#.{0,80}?#\}", re.DOTALL)
_PALE = re.compile(r"(?<!-)color:\s*(?:#fff(?:fff)?\b|white\b|transparent\b)", re.IGNORECASE)
_PADDING = "\u034f"

_FORGOTTEN: tuple[tuple[re.Pattern[str], Severity], ...] = (
    # What mail programs of others fill in, and what stands for text that is to come.
    (re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\*\|\w+\|\*|%%\w+%%|<<\w[\w ]*>>", re.DOTALL), Severity.ERROR),
    (re.compile(r"\{\w*(?:[nN]ame|NAME|[mM]ail|MAIL)\w*\}|%[A-Z][A-Z_]{2,}%|\[\[\w+\]\]"), Severity.ERROR),
    (re.compile(r"\blorem ipsum\b", re.IGNORECASE), Severity.ERROR),
    (re.compile(r"\{[a-z]+(?:_[a-z]+)*\}|\b(?:TODO|FIXME|TBD|TBC)\b|\b[xX]{3,}\b"), Severity.WARNING),
    (re.compile(r"\[\s*(?:…|\.{3}|[A-Z][A-Z ]{2,})\s*\]"), Severity.WARNING),
    (
        re.compile(r"\[(?:(?:first|last|full) )?name\]|\[(?:your|insert) [\w ]+\]", re.IGNORECASE),
        Severity.WARNING,
    ),
    (re.compile(r"\binsert (?:\w+ ){1,3}here\b", re.IGNORECASE), Severity.WARNING),
    (re.compile(r"https?://(?:[\w-]+\.)*example\.(?:com|org|net)\b\S*", re.IGNORECASE), Severity.WARNING),
)


def check_placeholders(seen: Seen) -> Iterator[Finding]:
    """Look for tokens and template code that nobody filled in."""
    for where, body in (("html", seen.html), ("text", seen.text)):
        if TOKEN_OPEN in body or TOKEN_CLOSE in body:
            yield error("a token was left without a value", where)
    if left := _UNRESOLVED.search(seen.html):
        yield error(f"an unresolved placeholder: '{_shown_from(seen.html, left.start())}'")
    for name, start in placeholders_in(seen.text).items():
        # An article may rightly speak of braces; in HTML those are escaped, in plain text nobody can tell.
        yield Finding(
            Severity.WARNING,
            f"'{_shown_from(seen.text, start)}' looks like a placeholder",
            "text",
            "leave it if an article speaks of braces; rewrite it otherwise",
            kind=name,
        )


def placeholders_in(text: str) -> dict[str, int]:
    """Return what looks like a placeholder in plain text, and where each begins first.

    They are written one way: a heading has its topic's name in capitals, and lines are broken.
    """
    found: dict[str, int] = {}
    for left in _UNRESOLVED.finditer(text):
        whole = _PLACEHOLDER.match(text, left.start())
        name = whole[0] if whole else _shown_from(text, left.start())
        found.setdefault(" ".join(name.split()).casefold(), left.start())
    return found


def of_a_topic(name: str, topic: str) -> Finding:
    """Return what to tell of a placeholder in the name of `topic`: it stands under each of its articles."""
    return warning(
        f"'{name}' in the name of the topic '{topic}' looks like a placeholder",
        "topics",
        "leave it if that is its name; 'digest topic change --name' gives it another",
    )


def _shown_from(body: str, start: int) -> str:
    """Return the rest of the line at `start`, in 40 characters at most."""
    return body[start : start + 40].partition("\n")[0].rstrip()


def check_writing(texts: Mapping[str, str]) -> Iterator[Finding]:
    """Look through what editors wrote, by where it stands, for what was meant to be replaced."""
    for where, text in texts.items():
        told = ""
        for pattern, severity in _FORGOTTEN:
            if (found := pattern.search(text)) and found[0] not in told:
                told += f" {found[0]}"
                yield Finding(
                    severity, f"'{found[0][:60]}' looks like a placeholder", where, f"rewrite the {where}"
                )


def check_subject(subject: str) -> Iterator[Finding]:
    """Say when a subject is left without a value, or is shorter or longer than shows well."""
    if TOKEN_OPEN in subject or TOKEN_CLOSE in subject:
        yield error("a token was left without a value", "subject")
    if not SUBJECT_MIN <= len(subject) <= SUBJECT_MAX:
        yield _length("subject", len(subject), SUBJECT_MIN, SUBJECT_MAX)


def check_preheader(said: str) -> Iterator[Finding]:
    """Say when a preheader is shorter or longer than inboxes show."""
    if not PREHEADER_MIN <= len(said) <= PREHEADER_MAX:
        yield _length("preheader", len(said), PREHEADER_MIN, PREHEADER_MAX)


def _length(name: str, length: int, least: int, most: int) -> Finding:
    return Finding(
        Severity.WARNING,
        f"the {name} has {counted(length, 'character')}; {least} to {most} show best",
        name,
        f"write one with 'digest issue edit --{name}'",
        kind=f"{name} too {'short' if length < least else 'long'}",
        degree=max(least - length, length - most),
    )


def check_preheader_markup(seen: Seen) -> Iterator[Finding]:
    """Look at how the preheader is made: there, kept apart from what follows, and not white on white."""
    preheader = next(iter(seen.found.of_class("preheader")), None)
    if preheader is None:
        yield warning("no preheader: mark it class=preheader", "preheader")
        return
    if _PADDING not in seen.found.text_of(preheader):
        yield warning("nothing keeps the text after the preheader out of the inbox's list", "preheader")
    if _PALE.search(preheader.attributes.get("style", "")):
        yield warning("the preheader is white on white: spam filters count that", "preheader")


def find_preheader(seen: Seen) -> str | None:
    """Return what a page's preheader says, without its padding; None when it has none."""
    preheader = next(iter(seen.found.of_class("preheader")), None)
    return None if preheader is None else seen.found.text_of(preheader).partition(_PADDING)[0].strip()
