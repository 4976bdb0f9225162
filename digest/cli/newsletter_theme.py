"""`digest newsletter theme`: how a newsletter's mail looks and is worded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.arguments import Slug, decided_by
from digest.cli.lazy import examples
from digest.cli.opening import open_runtime
from digest.cli.output import read_text_file, say
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.themes import DARK, LIGHT, USUAL, Theme
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter

EXAMPLES = examples(
    "digest newsletter theme harbour-week --export > theme.toml",
    "digest newsletter theme harbour-week theme.toml",
    "digest newsletter theme harbour-week --reset",
)


def theme(
    slug: Slug,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A theme in TOML: see docs/themes.md.")
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Print the theme as a file to change and give back.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Go back to how mail looks without a theme.")
    ] = False,
) -> None:
    """Set how a newsletter's mail looks and is worded: colours, fonts, logo, phrases.

    Drafts take a theme at once; what was approved stays as it was approved. Text must stand out from its page
    on light and on dark screens, or the theme is refused. Without FILE and options: tell what the theme is.
    """
    if (file is not None) + export + reset > 1:
        raise InvalidInput("FILE, --export and --reset are three different things: give one of them")
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
    if export:
        sys.stdout.write(_exported(runtime, newsletter))
    elif file is not None:
        _give(runtime, newsletter, _read(runtime, newsletter, file))
    elif reset:
        _give(runtime, newsletter, USUAL)
    else:
        say(f"Mail of {newsletter.name}: {theme_in_words(newsletter.theme)}.")
        say(f"'digest newsletter theme {slug} --export > theme.toml' writes a file to change.")


def _give(runtime: Runtime, newsletter: Newsletter, theme: Theme) -> None:
    from digest.pipeline.managing.looks import set_theme

    set_theme(runtime, newsletter.slug, theme, by=decided_by(""))
    say(f"Mail of {newsletter.name}: {theme_in_words(theme)}.")
    say("Drafts show it at once ('digest issue preview'); what was approved stays as it is.")


def theme_in_words(theme: Theme) -> str:
    """Return what a theme changes."""
    own = {
        "colours": (theme.light, theme.dark) != (LIGHT, DARK),
        "fonts": (theme.font, theme.heading_font) != (USUAL.font, USUAL.heading_font),
        "logo": theme.logo is not None,
        f"wording in {', '.join(theme.wording)}": any(theme.wording.values()),
    }
    parts = [name for name, is_own in own.items() if is_own]
    return f"own {', '.join(parts)}" if parts else "as the template has it"


def _read(runtime: Runtime, newsletter: Newsletter, file: Path) -> Theme:
    from digest.compose.themes import parse_theme
    from digest.pipeline.managing.looks import vocabulary_of

    return parse_theme(read_text_file(file), str(file), vocabulary_of(runtime, newsletter))


def _exported(runtime: Runtime, newsletter: Newsletter) -> str:
    from digest.compose.themes import write_theme
    from digest.pipeline.managing.looks import vocabulary_of

    spoken = runtime.template(newsletter).phrases(newsletter.language)
    return write_theme(newsletter.theme, spoken, vocabulary_of(runtime, newsletter))
