"""Whether the plain text says what the HTML says, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digest.compose.checks.findings import Finding, error, warning
from digest.compose.checks.seen import Seen
from digest.domain.mail import shorten


def check_parity(seen: Seen) -> Iterator[Finding]:
    """Look in the text for each article's title, takeaways and link, in the HTML's order."""
    if not seen.text.strip():
        return
    found = seen.found
    text = f" {' '.join(seen.text.split())} "
    headings = found.named("h2")
    if not headings:
        return
    titles = [found.text_of(heading) for heading in headings]
    points = [found.text_of(point) for point in found.named("li") if point.number > headings[0].number]
    links = [link.attributes.get("href", "") for link in found.named("a") if "h2" in link.inside]
    # An address may be the beginning of another: it has to stand by itself.
    yield from _compared(text, [f" {link} " for link in links], "the link")
    yield from _compared(text, titles, "the title")
    yield from _compared(text, points, "the takeaway")


def _compared(text: str, said: Sequence[str], what: str) -> Iterator[Finding]:
    """Yield what the text lacks, and the first thing it says in another place than the HTML."""
    at, is_in_order = 0, True
    for one in filter(None, said):
        place = text.find(one, at)
        if place >= 0:
            at = place + len(one.strip())
        elif one not in text:
            yield error(
                f"the text form lacks {what} {_told(one)}", "text", "correct body.txt of the template"
            )
        elif is_in_order:
            is_in_order = False
            yield warning(f"the text form has {what} {_told(one)} in another place", "text")


def _told(one: str) -> str:
    return one.strip() if one.startswith(" ") else f"'{shorten(one, 60)}'"
