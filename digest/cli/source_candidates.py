"""What a search for feeds found, in words, and how to add it."""

from __future__ import annotations

import shlex

from digest.domain.sources import SourceKind
from digest.gather.feeds.discovery import Candidate

COLUMNS = ("title", "format", "entries", "newest", "text", "found")
_NAME_MAX = 200


def row_of(candidate: Candidate) -> tuple[object, ...]:
    """Return what a table says of a candidate, in the order of `COLUMNS`."""
    return (
        candidate.title or candidate.url,
        candidate.format,
        candidate.entries,
        f"{candidate.newest:%Y-%m-%d}" if candidate.newest else "no date",
        _carries(candidate),
        candidate.found_by,
    )


def _carries(candidate: Candidate) -> str:
    if candidate.is_comments:
        return "readers' comments"
    if candidate.is_finished:
        return "nothing new: it is finished"
    if candidate.kind == "sitemap":
        return "addresses"
    return "whole articles" if candidate.has_full_text else "summaries"


def how_to_add(candidate: Candidate, newsletter: str) -> str:
    """Return the command that adds a candidate; a kind that cannot be polled is only named."""
    kind = candidate.kind.value
    if kind not in [known.value for known in SourceKind]:
        return f"A {candidate.format}, which cannot be a source yet: {candidate.url}"
    option = "" if kind == SourceKind.FEED.value else f" --kind {kind}"
    name = f" --name {shlex.quote(candidate.title[:_NAME_MAX])}" if candidate.title else ""
    return f"digest source add {newsletter} {shlex.quote(candidate.url)}{option}{name}"
