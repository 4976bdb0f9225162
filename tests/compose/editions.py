"""Editions of every size and look that templates must bear: what the checks of finished mails are made on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from digest.compose.render import EmailTemplate, render_issue
from digest.deliver.mime import EncodedIssue
from digest.domain.issues import IssueContent, IssueId
from digest.domain.mail import Page, RenderedIssue
from digest.track.clicks import ClickLinks
from digest.track.tokens import Tokens
from tests.samples import SENDER, SENT_AT, everything, issue_in, page_of, sample_recipient

SIZES = (1, 3, 12, 40, 100)
LANGUAGES = ("en", "de", "ar")
COUNTED = "de"
"""The language whose editions have counted links: they must pass all that the others do."""

LINKS = ClickLinks("https://digest.example.org", Tokens(["a key for links that nobody follows"]))
KINDS = tuple(product(SIZES, LANGUAGES, (True, False)))
"""Articles of the issue, its language, and whether its articles have pictures."""


@dataclass(frozen=True, slots=True)
class MadeEdition:
    """An edition for a reader of everything, as pieces and as the page they see."""

    content: IssueContent
    rendered: RenderedIssue
    page: Page

    def mail(self, message_id: str) -> bytes:
        """Return it as it goes to the mail server, not signed."""
        issue = EncodedIssue(self.rendered, SENDER, name="2026-47", date=SENT_AT)
        return issue.edition(everything(self.content)).message(sample_recipient(message_id=message_id))


def name_of(size: int, language: str, pictures: bool) -> str:
    """Return what tests and screenshots call an edition: `en-40`, `en-40-bare`."""
    return f"{language}-{size}" if pictures else f"{language}-{size}-bare"


NAMES = tuple(name_of(*kind) for kind in KINDS)


def make_editions(template: EmailTemplate) -> Mapping[str, MadeEdition]:
    """Return every edition by its name."""
    return {name_of(*kind): _made(template, *kind) for kind in KINDS}


def _made(template: EmailTemplate, size: int, language: str, pictures: bool) -> MadeEdition:
    content = issue_in(language, size, pictures=pictures)
    if language == COUNTED:
        content, template = replace(content, id=IssueId(47)), replace(template, counted=LINKS)
    rendered = render_issue(content, template)
    return MadeEdition(content, rendered, page_of(rendered, everything(content)))
