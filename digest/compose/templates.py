"""E-mail templates: MJML compiled once, then plain Jinja blocks.

A template is a folder with `body.mjml` and `body.txt`; beside it, `locale` holds what its phrases are in
other languages. Both bodies have the blocks opening, contents, entry, section, item, more and closing. MJML
runs before any article is known, so what articles say is never compiled, only filled in; and every error a
template can hold is found here, with file and line.
"""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.ext import extract_from_ast
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.compose.catalogues import Catalogues
from digest.compose.mjml import compile_page
from digest.compose.phrases import ENGLISH, FUNCTIONS, Phrase, Phrases
from digest.compose.views import SectionView, context, issue_view, item_view
from digest.domain.articles import Image
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueContent, IssueTopic, Item, OtherSource
from digest.domain.layout import Density
from digest.domain.mail import SECTION_COUNT, Fragment, escape_html
from digest.domain.topics import TopicSlug

BLOCKS = ("opening", "contents", "entry", "section", "item", "more", "closing")
LOCALE = "locale"
"""The folder beside templates that holds their phrases in other languages."""

TEXT_WIDTH = 72


@dataclass(frozen=True, slots=True)
class EmailTemplate:
    """A compiled template: both bodies, whose blocks are rendered one by one, and how it speaks."""

    name: str
    html: Template
    text: Template
    catalogues: Catalogues

    def phrases(self, language: str) -> Phrases:
        """Return its phrases for an issue of this language. Raises `Misconfigured` for a broken catalogue."""
        return self.catalogues.phrases(language)

    def fragment(self, block: str, values: Mapping[str, object]) -> Fragment:
        """Return one block in both forms. Raises `Misconfigured` when the template cannot show `values`."""
        try:
            return Fragment(_rendered(self.html, block, values), _rendered(self.text, block, values))
        except (TemplateError, ValueError) as exc:
            raise Misconfigured(
                f"e-mail template '{self.name}', block '{block}': {exc}; correct the template"
            ) from exc


def compile_template(folder: Path) -> EmailTemplate:
    """Return the e-mail template in `folder`.

    Raises `Misconfigured`, naming file and line, when a file is missing or wrong: MJML structure, Jinja
    syntax, a missing block, or a name that is not there (found by rendering a specimen issue).
    """
    markup, text = folder / "body.mjml", folder / "body.txt"
    source = _read(markup)
    # The MJML source is tried as it stands first: its line numbers are the ones its author sees.
    _compiled(_HTML, _with_outer_blocks(source), str(markup))
    page = _with_outer_blocks(compile_page(source, markup)).replace("{% endblock", "\n{% endblock")
    return EmailTemplate(
        name=folder.name,
        html=_compiled(_HTML, page, f"{markup} (compiled)"),
        text=_compiled(_TEXT, _read(text), str(text)),
        catalogues=Catalogues(folder.parent / LOCALE),
    )


def phrases_said(folder: Path) -> tuple[Phrase, ...]:
    """Return every phrase that the template in `folder` says, in its order, each once.

    Raises `Misconfigured` for a template that cannot be read.
    """
    said: dict[Phrase, None] = {}
    for file in (folder / "body.mjml", folder / "body.txt"):
        try:
            tree = _TEXT.parse(_with_outer_blocks(_read(file)), None, str(file))
        except TemplateSyntaxError as exc:
            _refuse(str(file), exc.lineno, exc)
        calls: Iterator[tuple[int, str, Any]] = extract_from_ast(tree, FUNCTIONS, babel_style=False)
        for _, function, texts in calls:
            forms = (texts,) if isinstance(texts, str) else texts
            said[Phrase.given(function, forms)] = None
    return tuple(said)


class _Escaped(str):
    """Text that is fit for HTML already."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def _escape(value: object) -> object:
    """Escape a value as a page's tokens are escaped, so that preview and mail agree."""
    return value if hasattr(value, "__html__") else _Escaped(escape_html(str(value)))


def _wrap(text: str, first: str = "") -> str:
    """Break `text` into lines of at most 72 characters; further lines hang under the text after `first`."""
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_escape if autoescape else None,
    )
    environment.filters["wrap"] = _wrap
    return environment


_HTML = _environment(autoescape=True)
_TEXT = _environment(autoescape=False)


def _with_outer_blocks(source: str) -> str:
    """Open the first block before the page's first tag and close the last after its last: MJML cannot."""
    return "{% block opening %}" + source + "\n{% endblock %}"


def _rendered(template: Template, block: str, values: Mapping[str, object]) -> str:
    return "".join(template.blocks[block](template.new_context(dict(values))))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: cannot be read ({exc}); an e-mail template needs this file") from exc


def _compiled(environment: ImmutableSandboxedEnvironment, source: str, path: str) -> Template:
    """Return `source` compiled, having shown it the specimen."""
    try:
        code = environment.compile(source, path, path)
        template = Template.from_code(environment, code, environment.make_globals(None))
        _check_blocks(template, path)
        template.render(_specimen())
    except TemplateSyntaxError as exc:
        _refuse(path, exc.lineno, exc)
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as exc:
        frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename == path]
        _refuse(path, frames[-1].lineno if frames else None, exc)
    return template


def _refuse(path: str, line: int | None, exc: Exception) -> NoReturn:
    raise Misconfigured(f"{path} line {line or 1}: {exc}; correct the template") from exc


def _check_blocks(template: Template, path: str) -> None:
    for block in BLOCKS:
        if block not in template.blocks:
            raise Misconfigured(
                f"{path} line 1: it has no block '{block}'; a template needs the blocks {', '.join(BLOCKS)}"
            )


def _specimen() -> dict[str, Any]:
    """Return an issue in which every optional thing is there once and missing once."""
    day, topic = date(2026, 11, 16), TopicSlug("topic")
    bare = Item(0, "", "Title", "Source", (), (topic,), day, 1)
    full = Item(
        position=1,
        url="https://example.org/",
        title="Title",
        source="Source",
        takeaways=("Takeaway",),
        topics=(topic,),
        published_on=day,
        reading_minutes=2,
        image=Image("https://example.org/image.png", "Picture"),
        also=(OtherSource("Other", "https://example.net/"),),
    )
    content = IssueContent(
        "Newsletter",
        "en",
        day,
        day,
        "Sender",
        "Address",
        (IssueTopic(topic, "Topic"),),
        (bare, full),
        number=1,
    )
    section = SectionView(
        "Topic",
        tuple(
            item_view(item, "en", ENGLISH, density, also_about=("Other",))
            for item in content.items
            for density in Density
        ),
    )
    return context(issue_view(content, ENGLISH), ENGLISH, sections=(section,), section_count=SECTION_COUNT)
