"""What a template is given: an issue's content as clean, frozen, plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from digest.compose.untrusted import find_image, find_link, paragraphs, plain
from digest.domain.articles import Image
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueContent, Item, OtherSource
from digest.domain.mail import Token

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})

TOKENS: Mapping[str, str] = MappingProxyType({token.value: token.mark for token in Token})
"""The marks a template writes where readers or editions differ: `{{ token.email }}`."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """A template's own words, by name, and the twelve months of its dates."""

    words: Mapping[str, str]
    months: tuple[str, ...]

    def day(self, day: date) -> str:
        """Return `16 November`."""
        return f"{day.day} {self.months[day.month - 1]}"

    def days(self, first: date, last: date) -> str:
        """Return `16–22 November 2026`, naming month and year twice only where they differ."""
        end = f"{self.day(last)} {last.year}"
        if first == last:
            return end
        if first.year != last.year:
            return f"{self.day(first)} {first.year} – {end}"
        if first.month != last.month:
            return f"{self.day(first)} – {end}"
        return f"{first.day}–{end}"


@dataclass(frozen=True, slots=True)
class IssueView:
    """What opening and closing say. `intro` and `postal_address` are paragraphs and lines, possibly none."""

    newsletter: str
    sender: str
    language: str
    direction: str
    days: str
    intro: tuple[str, ...]
    postal_address: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One article. `url` is None when its link is not safe to print; `image` only ever is https."""

    title: str
    url: str | None
    source: str
    day: str
    minutes: int
    language: str
    direction: str
    image: Image | None
    takeaways: tuple[str, ...]
    also: tuple[OtherSource, ...]


@dataclass(frozen=True, slots=True)
class SectionView:
    """One topic's heading, and the articles under it."""

    name: str
    items: tuple[ItemView, ...] = ()


def issue_view(content: IssueContent, phrases: Phrases) -> IssueView:
    """Return what opening and closing are given. Raises `InvalidInput` for a language that is no tag."""
    if content.language == "und" or not _LANGUAGE.fullmatch(content.language):
        raise InvalidInput(
            f"newsletter '{plain(content.newsletter)}': '{plain(content.language)}' is not a language tag; "
            "set its language to one such as en, fr or pt-BR"
        )
    return IssueView(
        newsletter=plain(content.newsletter),
        sender=plain(content.sender_name),
        language=content.language,
        direction=_direction(content.language),
        days=phrases.days(content.first_day, content.last_day),
        intro=paragraphs(content.intro),
        postal_address=tuple(line for part in content.postal_address.splitlines() if (line := plain(part))),
    )


def item_view(item: Item, language: str, phrases: Phrases) -> ItemView:
    """Return what an item's block is given; `language` is the issue's, for an article of unknown language."""
    spoken = item.language if item.language and _LANGUAGE.fullmatch(item.language) else language
    return ItemView(
        title=title_of(item),
        url=find_link(item.url),
        source=plain(item.source),
        day=phrases.day(item.published_on),
        minutes=item.reading_minutes,
        language=spoken,
        direction=_direction(spoken),
        image=_image(item.image),
        takeaways=tuple(clean for takeaway in item.takeaways if (clean := plain(takeaway))),
        also=tuple(
            OtherSource(plain(other.source), url) for other in item.also if (url := find_link(other.url))
        ),
    )


def title_of(item: Item) -> str:
    """Return the item's title, or its source's name when nothing of the title is fit to print."""
    return plain(item.title) or plain(item.source)


def context(issue: IssueView, phrases: Phrases, **more: object) -> dict[str, Any]:
    """Return the names a block may use: issue, phrases and token, and those in `more`."""
    return {"issue": issue, "phrases": phrases.words, "token": TOKENS, **more}


def _direction(language: str) -> str:
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def _image(image: Image | None) -> Image | None:
    url = find_image(image.url) if image else None
    return Image(url, plain(image.alt)) if image and url else None
