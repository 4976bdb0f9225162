"""What a template is given: an issue's content as clean, frozen, plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from digest.compose.directions import LANGUAGE_TAG, direction_of, end_of, start_of
from digest.compose.escaping import Safe
from digest.compose.phrases import Phrases
from digest.compose.untrusted import find_image, find_link, paragraphs, plain
from digest.domain.articles import Image
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueContent, Item, OtherSource
from digest.domain.layout import Density
from digest.domain.mail import MEASURING_TOKENS, Token, shorten
from digest.domain.themes import Colours, Logo, Theme

LONG_WORD = 18
"""Characters of a word that fit beside each other on a phone, as large as a newsletter's name is set."""

COMPACT_TAKEAWAYS = 2
OTHERS_MAX = 5
"""Other sources of a story that are named."""

TITLE_MAX, TAKEAWAY_MAX, NAME_MAX, ALT_MAX = 200, 400, 80, 200
"""Characters of a headline, a takeaway, the name of a source or topic, and what stands for a picture.

What a feed writes may be of any length: no one article may take the room of all others.
"""

_SYSTEM_FONTS = frozenset({"-apple-system", "BlinkMacSystemFont", "system-ui", "ui-serif", "ui-sans-serif"})

TOKENS: Mapping[str, str] = MappingProxyType(
    {token.value: token.mark for token in Token if token not in MEASURING_TOKENS}
)
"""The marks a template writes where readers or editions differ: `{{ token.email }}`."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language a template's own words are in, and which way it runs: they may not be the issue's."""

    language: str
    direction: str


@dataclass(frozen=True, slots=True)
class MailView:
    """Whose mail it is, and which way it is written; `postal_address` is lines, possibly none.

    `start` is the side on which its lines begin, left or right, and `end` the other one. With `has_long_word`
    the newsletter's name would break in mid-word on a phone unless it is set smaller, as German ones may.
    """

    newsletter: str
    sender: str
    postal_address: tuple[str, ...]
    language: str
    direction: str
    start: str
    end: str
    has_long_word: bool


@dataclass(frozen=True, slots=True)
class IssueView:
    """What opening and closing say of an issue. `number` is 0 for one that has none, `intro` paragraphs.

    With `counts_clicks` its links are counted, which the closing has to say. `id` is 0 for a sample: what
    readers say of its articles would lead nowhere. With `measures_reader` it is the closing of readers who
    agreed to be measured, which has to say that.
    """

    number: int
    days: str
    intro: tuple[str, ...]
    counts_clicks: bool = False
    id: int = 0
    measures_reader: bool = False


@dataclass(frozen=True, slots=True)
class ThemeView:
    """How the mail looks. The fonts are fit for a style; Outlook's leave out what it cannot read."""

    light: Colours
    dark: Colours
    font: str
    heading_font: str
    outlook_font: str
    outlook_heading_font: str
    logo: Logo | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """One article, with as much as `density` leaves room for.

    `url` is None when its link is not safe to print; `image` only ever is https. `also_about` names its
    topics besides the one it is shown under, `also` the first of the other sources that tell its story.
    `start` is the side on which its lines begin, `position` names it within its issue.
    """

    title: str
    url: str | None
    source: str
    day: str
    minutes: int
    language: str
    direction: str
    start: str
    density: Density
    image: Image | None
    takeaways: tuple[str, ...]
    also: tuple[OtherSource, ...]
    also_about: tuple[str, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class SectionView:
    """One topic's heading, and the articles under it. `slug` names the topic on the reader's own page."""

    name: str
    slug: str
    items: tuple[ItemView, ...] = ()


def mail_view(newsletter: str, sender: str, postal_address: str, language: str) -> MailView:
    """Return what every mail of a newsletter is given.

    Raises `InvalidInput` for a language that is no tag.
    """
    if language == "und" or not LANGUAGE_TAG.fullmatch(language):
        raise InvalidInput(
            f"newsletter '{plain(newsletter)}': '{plain(language)}' is not a language tag; "
            "set its language to one such as en, fr or pt-BR"
        )
    name = plain(newsletter) or plain(sender)
    return MailView(
        newsletter=name,
        sender=plain(sender),
        postal_address=tuple(line for part in postal_address.splitlines() if (line := plain(part))),
        language=language,
        direction=direction_of(language),
        start=start_of(language),
        end=end_of(language),
        has_long_word=max(map(len, re.split(r"[\s-]", name))) > LONG_WORD,
    )


def issue_view(content: IssueContent, phrases: Phrases, *, counts_clicks: bool = False) -> IssueView:
    """Return what opening and closing are given."""
    days = phrases.days(content.first_day, content.last_day)
    return IssueView(content.number, days, paragraphs(content.intro), counts_clicks, content.id)


def theme_view(theme: Theme) -> ThemeView:
    """Return a theme as templates use it."""
    return ThemeView(
        light=theme.light,
        dark=theme.dark,
        font=_stack(theme.font.split(", ")),
        heading_font=_stack(theme.heading_font.split(", ")),
        outlook_font=_for_outlook(theme.font),
        outlook_heading_font=_for_outlook(theme.heading_font),
        logo=theme.logo,
    )


def _for_outlook(font: str) -> str:
    """Return a font stack without the names of systems' own fonts: Outlook takes Times for all after them."""
    return _stack(family for family in font.split(", ") if family not in _SYSTEM_FONTS)


def _stack(families: Iterable[str]) -> str:
    """Return a font stack without spaces: it stands in every headline, and a mail's bytes count."""
    return Safe(",".join(families))


def item_view(
    item: Item,
    language: str,
    phrases: Phrases,
    density: Density = Density.FULL,
    *,
    also_about: tuple[str, ...] = (),
    link: Callable[[str], str] = str,
) -> ItemView:
    """Return what an item's block is given; `language` is the issue's, for an article of unknown language.

    `link` says what stands in the mail for an address that is fit for it.
    """
    url = find_link(item.url)
    spoken = item.language if item.language and LANGUAGE_TAG.fullmatch(item.language) else language
    return ItemView(
        title=shorten(title_of(item), TITLE_MAX),
        url=link(url) if url else None,
        source=_source_of(item.source, item.url),
        day=phrases.day(item.published_on),
        minutes=item.reading_minutes,
        language=spoken,
        direction=direction_of(spoken),
        start=start_of(spoken),
        density=density,
        image=_image(item.image) if density is Density.FULL else None,
        takeaways=_takeaways(item, density),
        also=tuple(OtherSource(other.source, link(other.url)) for other in others_of(item))
        if density is Density.FULL
        else (),
        also_about=also_about if density is Density.FULL else (),
        position=item.position,
    )


def _takeaways(item: Item, density: Density) -> tuple[str, ...]:
    if density is Density.HEADLINE:
        return ()
    said = tuple(shorten(clean, TAKEAWAY_MAX) for takeaway in item.takeaways if (clean := plain(takeaway)))
    return said if density is Density.FULL else said[:COMPACT_TAKEAWAYS]


def others_of(item: Item) -> tuple[OtherSource, ...]:
    """Return the other sources of a story that are named, fit to print."""
    others = (
        OtherSource(_source_of(other.source, url), url)
        for other in item.also
        if (url := find_link(other.url))
    )
    return tuple(others)[:OTHERS_MAX]


def _source_of(name: str, url: str) -> str:
    """Return a source's name, or its host's when nothing of the name is fit to print."""
    return name_of(name) or name_of(url.removeprefix("https://").removeprefix("http://").partition("/")[0])


def name_of(text: str) -> str:
    """Return the name of a source or topic, fit to print and not longer than a name is."""
    return shorten(plain(text), NAME_MAX)


def title_of(item: Item) -> str:
    """Return the item's title, or its source's name when nothing of the title is fit to print."""
    return plain(item.title) or _source_of(item.source, item.url)


def issue_context(
    content: IssueContent, phrases: Phrases, theme: Theme, *, counts_clicks: bool = False, **more: object
) -> dict[str, Any]:
    """Return the names a block of a digest may use: those of every mail, issue, token, and those in `more`.

    Raises `InvalidInput` for a language that is no tag.
    """
    mail = mail_view(content.newsletter, content.sender_name, content.postal_address, content.language)
    issue = issue_view(content, phrases, counts_clicks=counts_clicks)
    return context(mail, phrases, theme, issue=issue, token=TOKENS, **more)


def context(mail: MailView, phrases: Phrases, theme: Theme, **more: object) -> dict[str, Any]:
    """Return the names every template may use: mail, theme, spoken, what says phrases, those in `more`."""
    spoken = Spoken(phrases.language, phrases.direction)
    return {**phrases.names(), "mail": mail, "theme": theme_view(theme), "spoken": spoken, **more}


def _image(image: Image | None) -> Image | None:
    url = find_image(image.url) if image else None
    return Image(url, shorten(plain(image.alt), ALT_MAX)) if image and url else None
