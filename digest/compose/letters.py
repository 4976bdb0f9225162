"""The mails besides the digest: what each is given, and the page that its template makes of it.

All of them are written of a few values that are cleaned here. None has a reader's name in it: whoever signs
somebody else up could have us mail anything in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from digest.compose.directions import start_of
from digest.compose.render import refuse_unsafe_links
from digest.compose.templates import MessageTemplate, compile_message
from digest.compose.untrusted import find_link, plain
from digest.compose.views import MailView, mail_view, name_of
from digest.domain.errors import Misconfigured
from digest.domain.issues import Edition, IssueState
from digest.domain.letters import CONFIRM_WITHIN, OF_ACCOUNTS, UNDO_WITHIN, LetterKind
from digest.domain.mail import (
    PREHEADER_MAX,
    Fragment,
    Page,
    RenderedIssue,
    Token,
    assemble,
    escape_html,
    shorten,
)
from digest.domain.newsletters import Newsletter

OWES: Mapping[LetterKind, Collection[str]] = MappingProxyType(
    {
        LetterKind.CONFIRMATION: ("why", "postal"),
        LetterKind.WELCOME: ("unsubscribe", "preferences", "why", "postal"),
        LetterKind.PREFERENCES: ("preferences", "why", "postal"),
        LetterKind.GOODBYE: ("why", "postal"),
        LetterKind.NEW_ADDRESS: ("why", "postal"),
        LetterKind.LEAVE_ADDRESS: ("why", "postal"),
        LetterKind.OLD_ADDRESS: ("why", "postal"),
        LetterKind.INVITATION: ("why",),
        LetterKind.NEW_PASSWORD: ("why",),
        LetterKind.ALERT: ("why",),
    }
)
"""What each owes whoever gets it, as `check_page` wants it. A test owes what its issue does."""

ALERT_MAIL = mail_view("Digest", "Digest", "", "en")
"""Whose mail an alert is: the installation's own, in English like its commands."""

_LINES_MAX, _LINE_MAX = 400, 2_000
"""Of an alert: it says what a log would, and may quote what a server answered."""


@dataclass(frozen=True, slots=True)
class LetterView:
    """What a letter to a subscriber is about: `link` is the one thing to do with it.

    `topics` are names, possibly none; `unsubscribe_url` is '' where nothing is left to unsubscribe from, and
    `other` the address that is to take the place of theirs, '' where the letter is about none. `never_url`
    leads to where sign-ups are kept from mailing them, '' where none did.
    """

    email: str
    link: str
    topics: tuple[str, ...] = ()
    unsubscribe_url: str = ""
    other: str = ""
    never_url: str = ""
    hours: int = int(CONFIRM_WITHIN.total_seconds()) // 3600
    days: int = UNDO_WITHIN.days


@dataclass(frozen=True, slots=True)
class EntryView:
    """What a letter to somebody with an account is about: the link, where it leads, and until when."""

    email: str
    link: str
    site: str
    until: str


@dataclass(frozen=True, slots=True)
class StripView:
    """What marks an issue that is mailed as a test, and as whom. No `reader` and no `topics`: everything.

    `subject` is the issue's own.
    """

    subject: str
    issue: int
    state: IssueState
    reader: str
    topics: tuple[str, ...]
    start: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """What ops are told: `happened` is paragraphs of lines; `to_do` and `commands` may be empty."""

    what: str
    happened: tuple[tuple[str, ...], ...]
    to_do: str
    commands: tuple[str, ...]
    preheader: str


def letter_view(
    email: str,
    link: str,
    *,
    topics: Sequence[str] = (),
    unsubscribe_url: str = "",
    other: str = "",
    never_url: str = "",
) -> LetterView:
    """Return what a letter is given. Raises `Misconfigured` for links that no mail can carry."""
    for url in filter(None, (link, unsubscribe_url, never_url)):
        _require_link(url)
    names = tuple(name for topic in topics if (name := name_of(topic)))
    return LetterView(plain(email), link, names, unsubscribe_url, plain(other), never_url)


def entry_view(email: str, link: str, *, until: str) -> EntryView:
    """Return what a letter to an account is given. Raises `Misconfigured` as `letter_view` does."""
    _require_link(link)
    return EntryView(plain(email), link, plain(urlsplit(link).hostname or ""), until)


def _require_link(url: str) -> None:
    if find_link(url) != url:
        raise Misconfigured(f"'{plain(url)}' is not an http(s) link that a mail can carry; check public_url")


def alert_view(what: str, happened: str, *, to_do: str = "", commands: Sequence[str] = ()) -> AlertView:
    """Return what an alert is given. Blank lines part the paragraphs of `happened`."""
    lines = [shorten(plain(line), _LINE_MAX) for line in happened.splitlines()[:_LINES_MAX]]
    paragraphs: list[tuple[str, ...]] = []
    for line, before in zip(lines, ["", *lines[:-1]], strict=True):
        if line and before and paragraphs:
            paragraphs[-1] += (line,)
        elif line:
            paragraphs.append((line,))
    return AlertView(
        what=plain(what) or "something needs a person",
        happened=tuple(paragraphs),
        to_do=plain(to_do),
        commands=tuple(map(plain, commands)),
        preheader=shorten(" ".join(line for paragraph in paragraphs for line in paragraph), PREHEADER_MAX),
    )


_SPECIMEN_MAIL = mail_view("Newsletter", "Sender", "Address", "en")


def _specimen(kind: LetterKind) -> dict[str, object]:
    """Return values in which a template of this kind finds every name it may use."""
    if kind is LetterKind.TEST:
        return {"test": StripView("Subject", 1, IssueState.DRAFT, "reader@example.org", ("Topic",), "left")}
    if kind in OF_ACCOUNTS:
        view = EntryView("reader@example.org", "https://example.org/", "example.org", "1 May, 07:00 UTC")
        return {"letter": view}
    if kind is LetterKind.ALERT:
        return {"alert": alert_view("what", "It happened.", to_do="Do this:", commands=("digest doctor",))}
    url, reader = "https://example.org/", "reader@example.org"
    return {"letter": LetterView(reader, url, ("Topic",), url, other=reader, never_url=url)}


def compile_letter(kind: LetterKind, *folders: Path) -> MessageTemplate:
    """Return the template of a kind of mail in `folders`, as `compile_message` does.

    Raises `Misconfigured`, naming file and line; for a test also when it has no block `strip`.
    """
    mail = ALERT_MAIL if kind is LetterKind.ALERT else _SPECIMEN_MAIL
    values = _specimen(kind)
    template = compile_message(*folders, mail=mail, values=values)
    _checked(template, template.page(mail, values))
    if kind is LetterKind.TEST and "strip" not in template.html.blocks:
        raise Misconfigured(
            f"{folders[-1] / 'body.mjml'}: it has no block 'strip', which is put above a tested issue; "
            "correct the template"
        )
    return template


def mail_of(newsletter: Newsletter) -> MailView:
    """Return whose mail a newsletter's letters are. Raises `InvalidInput` for a language that is none."""
    return mail_view(newsletter.name, newsletter.sender_name, newsletter.postal_address, newsletter.language)


def letter_page(template: MessageTemplate, newsletter: Newsletter, view: LetterView) -> Page:
    """Return a letter to a subscriber, in the newsletter's language and theme. Raises `Misconfigured`."""
    return _checked(template, template.page(mail_of(newsletter), {"letter": view}))


def entry_page(template: MessageTemplate, view: EntryView, language: str) -> Page:
    """Return a letter to somebody with an account, in their language. Raises `Misconfigured`."""
    mail = mail_view("Digest", "Digest", "", language)
    return _checked(template, template.page(mail, {"letter": view}))


def alert_page(template: MessageTemplate, view: AlertView) -> Page:
    """Return what ops are told. Raises `Misconfigured`."""
    return _checked(template, template.page(ALERT_MAIL, {"alert": view}))


def _checked(template: MessageTemplate, page: Page) -> Page:
    """Return `page`. Raises `Misconfigured` for an unsafe link, and a subject or text that says nothing."""
    refuse_unsafe_links(page.html, f"e-mail template '{template.name}'")
    for said, source in ((page.subject, template.subject), (page.text, template.text)):
        if not said.strip():
            raise Misconfigured(f"{source.filename}: it says nothing, and no mail goes without; correct it")
    return page


def marked_as_test(
    rendered: RenderedIssue,
    edition: Edition,
    template: MessageTemplate,
    newsletter: Newsletter,
    *,
    issue: int,
    state: IssueState,
    reader: str = "",
    topics: Sequence[str] = (),
) -> RenderedIssue:
    """Return an issue as `edition` has it, with a strip above it that says that, and as whom, it is tested.

    `reader` also stands where the mail says whose it is, whoever it goes to. Raises `Misconfigured`.
    """
    mail = mail_of(newsletter)
    subject = assemble(rendered, edition).subject
    start = start_of(template.phrases(mail.language).language)
    values = {"test": StripView(subject, issue, state, plain(reader), tuple(map(name_of, topics)), start)}
    page = _checked(template, template.page(mail, values))
    strip = template.block("strip", mail, values)
    opening = Fragment(_above(strip, rendered.opening.html), page.text + rendered.opening.text)
    return replace(
        rendered,
        subject=page.subject,
        opening=_addressed(opening, reader),
        closing=_addressed(rendered.closing, reader),
    )


def _above(strip: str, html: str) -> str:
    """Return a page with `strip` above what is seen of it: below the preheader, if there is one."""
    end = html.find("</div>", found) if (found := html.find('class="preheader')) >= 0 else -1
    at = end + len("</div>") if end >= 0 else html.find(">", html.find("<body")) + 1
    return f"{html[:at]}\n{strip.strip()}\n{html[at:]}"


def _addressed(fragment: Fragment, reader: str) -> Fragment:
    if not reader:
        return fragment
    return Fragment(
        fragment.html.replace(Token.EMAIL.mark, escape_html(reader)),
        fragment.text.replace(Token.EMAIL.mark, reader),
    )
