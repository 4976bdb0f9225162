"""What a template is given: an issue's content as clean, frozen, plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from digest.compose.directions import LANGUAGE_TAG, direction_of, end_of, start_of
from digest.compose.phrases import Phrases
from digest.compose.untrusted import find_image, find_link, paragraphs, plain
from digest.domain.articles import Image
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueContent, Item, OtherSource
from digest.domain.layout import Density
from digest.domain.mail import Token, shorten

COMPACT_TAKEAWAYS = 2
OTHERS_MAX = 5
"""Other sources of a story that are named."""

TITLE_MAX, TAKEAWAY_MAX, NAME_MAX, ALT_MAX = 200, 400, 80, 200
"""Characters of a headline, a takeaway, the name of a source or topic, and what stands for a picture.

What a feed writes may be of any length: no one article may take the room of all others.
"""

TOKENS: Mapping[str, str] = MappingProxyType({token.value: token.mark for token in Token})
"""The marks a template writes where readers or editions differ: `{{ token.email }}`."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language a template's own words are in, and which way it runs: they may not be the issue's."""

    language: str
    direction: str


@dataclass(frozen=True, slots=True)
class IssueView:
    """What opening and closing say. `intro` and `postal_address` are paragraphs and lines, possibly none.

    `start` is the side on which its lines begin, left or right, and `end` the other one. `number` is 0 for
    an issue that has none.
    """

    newsletter: str
    sender: str
    language: str
    direction: str
    start: str
    end: str
    number: int
    days: str
    intro: tuple[str, ...]
    postal_address: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One article, with as much as `density` leaves room for.

    `url` is None when its link is not safe to print; `image` only ever is https. `also_about` names its
    topics besides the one it is shown under, `also` the first of the other sources that tell its story.
    `start` is the side on which its lines begin.
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


@dataclass(frozen=True, slots=True)
class SectionView:
    """One topic's heading, and the articles under it."""

    name: str
    items: tuple[ItemView, ...] = ()


def issue_view(content: IssueContent, phrases: Phrases) -> IssueView:
    """Return what opening and closing are given. Raises `InvalidInput` for a language that is no tag."""
    if content.language == "und" or not LANGUAGE_TAG.fullmatch(content.language):
        raise InvalidInput(
            f"newsletter '{plain(content.newsletter)}': '{plain(content.language)}' is not a language tag; "
            "set its language to one such as en, fr or pt-BR"
        )
    return IssueView(
        newsletter=plain(content.newsletter) or plain(content.sender_name),
        sender=plain(content.sender_name),
        language=content.language,
        direction=direction_of(content.language),
        start=start_of(content.language),
        end=end_of(content.language),
        number=content.number,
        days=phrases.days(content.first_day, content.last_day),
        intro=paragraphs(content.intro),
        postal_address=tuple(line for part in content.postal_address.splitlines() if (line := plain(part))),
    )


def item_view(
    item: Item,
    language: str,
    phrases: Phrases,
    density: Density = Density.FULL,
    *,
    also_about: tuple[str, ...] = (),
) -> ItemView:
    """Return what an item's block is given; `language` is the issue's, for an article of unknown language."""
    spoken = item.language if item.language and LANGUAGE_TAG.fullmatch(item.language) else language
    return ItemView(
        title=shorten(title_of(item), TITLE_MAX),
        url=find_link(item.url),
        source=_source_of(item.source, item.url),
        day=phrases.day(item.published_on),
        minutes=item.reading_minutes,
        language=spoken,
        direction=direction_of(spoken),
        start=start_of(spoken),
        density=density,
        image=_image(item.image) if density is Density.FULL else None,
        takeaways=_takeaways(item, density),
        also=_others(item)[:OTHERS_MAX] if density is Density.FULL else (),
        also_about=also_about if density is Density.FULL else (),
    )


def _takeaways(item: Item, density: Density) -> tuple[str, ...]:
    if density is Density.HEADLINE:
        return ()
    said = tuple(shorten(clean, TAKEAWAY_MAX) for takeaway in item.takeaways if (clean := plain(takeaway)))
    return said if density is Density.FULL else said[:COMPACT_TAKEAWAYS]


def _others(item: Item) -> tuple[OtherSource, ...]:
    return tuple(
        OtherSource(_source_of(other.source, url), url)
        for other in item.also
        if (url := find_link(other.url))
    )


def _source_of(name: str, url: str) -> str:
    """Return a source's name, or its host's when nothing of the name is fit to print."""
    return name_of(name) or name_of(url.removeprefix("https://").removeprefix("http://").partition("/")[0])


def name_of(text: str) -> str:
    """Return the name of a source or topic, fit to print and not longer than a name is."""
    return shorten(plain(text), NAME_MAX)


def title_of(item: Item) -> str:
    """Return the item's title, or its source's name when nothing of the title is fit to print."""
    return plain(item.title) or _source_of(item.source, item.url)


def context(issue: IssueView, phrases: Phrases, **more: object) -> dict[str, Any]:
    """Return the names a block may use: issue, token, spoken, what says phrases, and those in `more`."""
    spoken = Spoken(phrases.language, phrases.direction)
    return {**phrases.names(), "issue": issue, "token": TOKENS, "spoken": spoken, **more}


def _image(image: Image | None) -> Image | None:
    url = find_image(image.url) if image else None
    return Image(url, shorten(plain(image.alt), ALT_MAX)) if image and url else None
