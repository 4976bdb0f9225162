"""What is wrong with a finished page, before anyone is sent it: `mail.md`'s rules, as values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from digest.compose.checks.addresses import (
    check_images,
    check_links,
    check_repeated,
    is_in_the_clear,
)
from digest.compose.checks.contrast import check_contrast
from digest.compose.checks.facts import Facts, facts_of, own_pages
from digest.compose.checks.findings import Finding, Severity, error, warning
from digest.compose.checks.links import check_own_links
from digest.compose.checks.parity import check_parity
from digest.compose.checks.seen import Seen, see_page
from digest.compose.checks.structure import check_document, check_safety, check_sizes, check_structure
from digest.compose.checks.wording import (
    check_placeholders,
    check_preheader,
    check_preheader_markup,
    check_subject,
    find_preheader,
)
from digest.domain.counting import counted
from digest.domain.mail import Page

HTML_MAX_BYTES = 100_000
"""Gmail cuts a mail's HTML at about 102 KB, and the unsubscribe link with it."""


DIGEST_OWES = ("unsubscribe", "preferences", "online", "why", "postal")
"""What an issue's mail owes its reader, by the class that a template marks it with."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A page as a whole: its subject, what its preheader says (None without one), its weight, what it holds.

    `words` are those of its text form, `owes` what must stand in it, by class.
    """

    subject: str
    preheader: str | None
    size: int
    facts: Facts
    words: Collection[str]
    owes: Collection[str] = DIGEST_OWES


def check_page(
    page: Page, *, owes: Collection[str] = DIGEST_OWES, public_url: str = ""
) -> tuple[Finding, ...]:
    """Return what is wrong with `page`, errors first. No error: it may be sent.

    `owes` is what must stand in it: other mails owe their reader less than an issue does. Its links to our
    own pages are looked at where `public_url` says what these are reached at.
    """
    seen = see_page(page.html, page.text)
    facts = facts_of(seen.found)
    whole = Whole(
        subject=page.subject,
        preheader=find_preheader(seen),
        size=len(page.html.encode()),
        facts=facts,
        words=frozenset(page.text.split()),
        owes=owes,
    )
    own = check_own_links(own_pages(facts.links), public_url) if public_url else ()
    return sorted_findings([*check_opening(seen), *check_piece(seen), *check_whole(whole), *own])


def sorted_findings(findings: Collection[Finding]) -> tuple[Finding, ...]:
    """Return each finding once, the worst first."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.severity.rank))


def check_opening(seen: Seen) -> Iterator[Finding]:
    """Look at what a page begins with."""
    yield from check_document(seen)
    yield from check_preheader_markup(seen)


_OF_A_PIECE: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    check_placeholders,
    check_structure,
    check_safety,
    check_links,
    check_images,
    check_sizes,
    check_contrast,
    check_parity,
)


def check_piece(seen: Seen) -> Iterator[Finding]:
    """Look at what is true of a piece of a page wherever it stands, and so of a whole page."""
    for check in _OF_A_PIECE:
        yield from check(seen)


def check_whole(whole: Whole) -> Iterator[Finding]:
    """Look at what only a page as a whole shows."""
    for check in _OF_THE_WHOLE:
        yield from check(whole)


def _check_size(whole: Whole) -> Iterator[Finding]:
    if whole.size >= HTML_MAX_BYTES:
        yield Finding(
            Severity.ERROR,
            f"{whole.size:,} bytes of HTML; mail programs cut it at {HTML_MAX_BYTES:,}",
            "html",
            "show fewer articles: 'digest issue drop' takes one out",
            kind="size",
            degree=whole.size,
        )


def _check_inbox(whole: Whole) -> Iterator[Finding]:
    yield from check_subject(whole.subject)
    if whole.preheader is not None:
        yield from check_preheader(whole.preheader)


def _check_heading(whole: Whole) -> Iterator[Finding]:
    if whole.facts.titles != 1:
        yield error(f"{whole.facts.titles} <h1> where there must be one")


def _check_links(whole: Whole) -> Iterator[Finding]:
    yield from check_repeated(whole.facts.links)
    in_the_clear = [link.url for link in whole.facts.links if is_in_the_clear(link.url)]
    if in_the_clear:
        yield Finding(
            Severity.WARNING,
            f"{counted(len(in_the_clear), 'link')} not https, first {in_the_clear[0]}",
            "links",
            kind="links in the clear",
            degree=len(in_the_clear),
        )


_OWED = {
    "unsubscribe": "no unsubscribe link",
    "preferences": "no link to the reader's preferences",
    "online": "no link to the mail online",
    "why": "it does not say why the reader got it",
}
"""What is said where it lacks; a missing postal address is for an editor to judge."""


def _check_footer(whole: Whole) -> Iterator[Finding]:
    for name, missing in _OWED.items():
        if name in whole.owes and name not in whole.facts.said:
            yield error(f"{missing}: mark it class={name}", "footer", "correct the template")
    if "postal" in whole.owes and "postal" not in whole.facts.said:
        yield warning("no postal address: mark it class=postal", "footer")


def _check_layout(whole: Whole) -> Iterator[Finding]:
    """Say what this edition had no room for: nothing is wrong with it, but an editor should know."""
    headlines = whole.facts.headlines
    if headlines:
        are = "is" if headlines == 1 else "are"
        yield Finding(
            Severity.WARNING,
            f"{counted(headlines, 'article')} {are} only a headline here, for want of room",
            "layout",
            kind="headlines",
            degree=headlines,
        )
    for more in whole.facts.more:
        yield Finding(
            Severity.WARNING, f"the mail does not hold all articles: '{more}'", "layout", kind=ONLINE_ONLY
        )


ONLINE_ONLY = "online only"
"""The kind of what is said of articles that a mail names by their number alone."""

_IN_BOTH_FORMS = frozenset({"unsubscribe", "preferences", "mute", "pause", "say", "online", "act"})
"""Links, by their class, that the text form must have as well: `act` is what a letter is for."""


def _check_words(whole: Whole) -> Iterator[Finding]:
    if whole.facts.pictures and not whole.facts.has_prose:
        yield error("it is all pictures: whoever does not load them sees nothing")
    if not whole.words:
        yield error("the text form is empty", "text")
        return
    for link in whole.facts.links:
        if link.classes & _IN_BOTH_FORMS and link.url not in whole.words:
            yield error(f"the text form lacks the link {link.url}", "text")


_OF_THE_WHOLE: tuple[Callable[[Whole], Iterator[Finding]], ...] = (
    _check_size,
    _check_inbox,
    _check_heading,
    _check_links,
    _check_footer,
    _check_layout,
    _check_words,
)
