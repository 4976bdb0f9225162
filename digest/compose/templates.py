"""E-mail templates: MJML compiled once, then plain Jinja.

A template is a folder with `body.mjml` and `body.txt`, and some have `subject.txt`; beside it, `locale` holds
what its phrases are in other languages and `parts` what several templates include. MJML runs before anything
is known of a mail, so what articles say is never compiled, only filled in; and every error a template can
hold is found here, with file and line.

The digest is rendered in pieces: its bodies have the blocks opening, contents, entry, section, item, more and
closing. Every other mail is one piece.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jinja2 import TemplateSyntaxError, nodes
from jinja2.ext import extract_from_ast

from digest.compose.catalogues import Catalogues
from digest.compose.mjml import compile_page
from digest.compose.phrases import ARTICLES, ENGLISH, FUNCTIONS, Phrase, Phrases
from digest.compose.sandbox import FAULTS, BoundedTemplate, Sandbox
from digest.compose.specimen import specimen
from digest.compose.template_files import Source, TemplateFiles
from digest.compose.views import MailView, context
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueId
from digest.domain.mail import TOKEN_CLOSE, Fragment, Page, Token
from digest.domain.themes import USUAL, Theme

BLOCKS = ("opening", "contents", "entry", "section", "item", "more", "closing")
SUBJECT, HTML, TEXT = "subject.txt", "body.mjml", "body.txt"
TEXT_WIDTH = 72
EMAIL_WIDTH = 32
"""How long a reader's address is taken to be where lines are broken: only its token stands there then."""

_EMAIL = Token.EMAIL.mark.ljust(EMAIL_WIDTH, TOKEN_CLOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bodies:
    """Both bodies of a mail, how it speaks and how it looks."""

    name: str
    html: BoundedTemplate
    text: BoundedTemplate
    catalogues: Catalogues
    theme: Theme = USUAL

    def phrases(self, language: str) -> Phrases:
        """Return its phrases for a mail of this language. Raises `Misconfigured` for a broken catalogue."""
        return self.catalogues.phrases(language, self.theme.wording)


class CountedLinks(Protocol):
    """Makes counted links. Two that make the same links are equal, as a template is when they are."""

    def token(self, issue_id: IssueId, number: int) -> str:
        """Return what names the link of this number in an issue, and proves that it is one of ours."""

    def address(self, token: str) -> str:
        """Return the address of a counted link, which a slash and its place in the mail are to follow."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTemplate(_Bodies):
    """The digest's template, whose blocks are rendered one by one.

    `counted` makes the links of its articles counted ones, where clicks are; None leaves them as they are.
    With `measures` readers who agreed are measured.
    """

    counted: CountedLinks | None = None
    measures: bool = False

    def fragment(self, block: str, values: Mapping[str, object]) -> Fragment:
        """Return one block in both forms. Raises `Misconfigured` when the template cannot show `values`."""
        return Fragment(_rendered(self.html, values, block), _rendered(self.text, values, block))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate(_Bodies):
    """A template of one piece, which has a subject of its own."""

    subject: BoundedTemplate

    def page(self, mail: MailView, values: Mapping[str, object]) -> Page:
        """Return the mail in `mail`'s language, with `values` in it; its bodies may also say `subject`.

        Raises `Misconfigured` when the template cannot show them, or a catalogue is broken.
        """
        given = self._given(mail, values)
        subject = " ".join(_rendered(self.subject, given).split())
        given["subject"] = subject
        return Page(subject, _rendered(self.html, given), _rendered(self.text, given))

    def block(self, block: str, mail: MailView, values: Mapping[str, object]) -> str:
        """Return one block of the page by itself. Raises as `page` does."""
        return _rendered(self.html, self._given(mail, values), block)

    def _given(self, mail: MailView, values: Mapping[str, object]) -> dict[str, Any]:
        return context(mail, self.phrases(mail.language), self.theme, **values)


def compile_template(*folders: Path) -> EmailTemplate:
    """Return the digest's template in `folders`: a file in an earlier one takes the place of a later one's.

    Raises `Misconfigured`, naming file and line, when a file is missing or wrong: MJML structure, Jinja
    syntax, a missing block, or a name that is not there (found by rendering a specimen issue).
    """
    files = TemplateFiles(folders)
    values = specimen()
    html, text = _page(files, values, BLOCKS), _compiled(_TEXT, files.read(TEXT), values, BLOCKS)
    return EmailTemplate(name=files.name, html=html, text=text, catalogues=Catalogues(files.locale))


def compile_message(*folders: Path, mail: MailView, values: Mapping[str, object]) -> MessageTemplate:
    """Return the one-piece template in `folders`, which must be able to show `mail` and `values`.

    Raises `Misconfigured`, naming file and line, as `compile_template` does.
    """
    files = TemplateFiles(folders)
    given = context(mail, ENGLISH, USUAL, **values)
    subject = _compiled(_TEXT, files.read(SUBJECT), given)
    given["subject"] = "Subject"
    html, text = _page(files, given), _compiled(_TEXT, files.read(TEXT), given)
    return MessageTemplate(
        name=files.name, subject=subject, html=html, text=text, catalogues=Catalogues(files.locale)
    )


def phrases_said(*folders: Path) -> tuple[Phrase, ...]:
    """Return every phrase that the template in `folders` says, in its order, each once.

    Raises `Misconfigured` for a template that cannot be read.
    """
    files, said = TemplateFiles(folders), dict[Phrase, None]()
    for name in (SUBJECT, HTML, TEXT):
        if name == SUBJECT and not any((folder / SUBJECT).is_file() for folder in folders):
            continue
        source = files.read(name)
        try:
            tree = _TEXT.parse(_with_outer_blocks(source.text))
        except TemplateSyntaxError as exc:
            raise _wrong(source.place(exc.lineno), exc) from exc
        calls: Iterator[tuple[int, str, Any]] = extract_from_ast(tree, FUNCTIONS, babel_style=False)
        for _, function, texts in calls:
            forms = (texts,) if isinstance(texts, str) else texts
            said[Phrase.given(function, forms)] = None
        if any(name.attr == Token.ARTICLES for name in tree.find_all(nodes.Getattr)):
            said[ARTICLES] = None
    return tuple(said)


def _wrap(text: str, first: str = "") -> str:
    """Break `text` into lines of at most 72 characters; further lines hang under the text after `first`."""
    lines = textwrap.fill(
        text.replace(Token.EMAIL.mark, _EMAIL),
        TEXT_WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(_EMAIL, Token.EMAIL.mark)


_HTML, _TEXT = Sandbox(autoescape=True), Sandbox(autoescape=False)
_TEXT.filters["wrap"] = _HTML.filters["wrap"] = _wrap


def _page(
    files: TemplateFiles, values: Mapping[str, object], blocks: tuple[str, ...] = ()
) -> BoundedTemplate:
    """Return the template of the page that `body.mjml` compiles to."""
    source = files.read(HTML)
    # The MJML source is tried as it stands first: its line numbers are the ones its author sees.
    _compiled(_HTML, Source(_with_outer_blocks(source.text), source.lines), values, blocks)
    page = _with_outer_blocks(compile_page(source)).replace("{% endblock", "\n{% endblock")
    file = source.lines[0][0]
    compiled = file.with_name(f"{file.name} (compiled)")
    lines = tuple((compiled, number) for number in range(1, page.count("\n") + 2))
    return _compiled(_HTML, Source(page, lines), values, blocks)


def _with_outer_blocks(source: str) -> str:
    """Open the first block before the page's first tag and close the last after its last: MJML cannot."""
    return "{% block opening %}" + source + "{% endblock %}"


def _compiled(
    environment: Sandbox, source: Source, values: Mapping[str, object], blocks: tuple[str, ...] = ()
) -> BoundedTemplate:
    """Return `source` compiled, having seen that it has these blocks and can show `values`."""
    try:
        template = environment.compiled(source)
    except TemplateSyntaxError as exc:
        raise _wrong(source.place(exc.lineno), exc) from exc
    _check_blocks(template, source, blocks)
    _rendered(template, values)
    return template


def _rendered(template: BoundedTemplate, values: Mapping[str, object], block: str = "") -> str:
    """Return a template, or one block of it, with `values` in it.

    Raises `Misconfigured` with file and line, where it cannot show them or goes on without end.
    """
    try:
        return template.rendered(values, block)
    except FAULTS as exc:
        raise _wrong(template.place(exc), exc) from exc


def _wrong(place: str, exc: Exception) -> Misconfigured:
    return Misconfigured(f"{place}: {exc}; correct the template")


def _check_blocks(template: BoundedTemplate, source: Source, blocks: tuple[str, ...]) -> None:
    for block in blocks:
        if block not in template.blocks:
            needed = ", ".join(blocks)
            raise Misconfigured(
                f"{source.place(1)}: it has no block '{block}'; a template needs the blocks {needed}"
            )
