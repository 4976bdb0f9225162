"""What a page says, of which each of its pieces says a part: all that checks of the whole need to know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from digest.compose.markup import Element, Outline

OWN = frozenset({"unsubscribe", "preferences", "mute", "pause", "say", "online", "more"})
"""Classes of links that lead to pages of ours."""

_WIDTH = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its address, its words, its classes, and which article it is of.

    `article` counts the headings before it, from 0; -1 where none precedes it.
    """

    url: str
    words: str
    classes: frozenset[str]
    article: int

    @property
    def is_own(self) -> bool:
        """Whether it leads to a page of ours."""
        return bool(self.classes & OWN)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its address, what stands for it ('' for nothing), the width it is shown at (0: unsaid)."""

    url: str
    alt: str
    width: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page or a piece of one holds. `said` are the classes of elements that have words.

    `articles` counts the headings of articles, `headlines` those that are no more than a headline, `more` is
    what it says of articles that are online only.
    """

    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    titles: int = 0
    articles: int = 0
    headlines: int = 0
    more: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()
    has_prose: bool = False


def own_pages(links: Iterable[Link]) -> Iterator[str]:
    """Yield the addresses of our pages that are linked to, whatever the place on them."""
    return (link.url.partition("#")[0] for link in links if link.is_own)


def facts_of(found: Outline) -> Facts:
    """Return what an outline holds."""
    links: list[Link] = []
    articles = 0
    for element in found.elements:
        if element.name == "h2":
            articles += 1
        elif element.name == "a":
            words = found.text_of(element)
            links.append(Link(element.attributes.get("href", ""), words, element.classes, articles - 1))
    return Facts(
        links=tuple(links),
        pictures=tuple(map(_picture, found.named("img"))),
        titles=len(found.named("h1")),
        articles=articles,
        headlines=len(found.of_class("headline")),
        more=tuple(found.text_of(element) for element in found.of_class("more")),
        said=frozenset(
            name
            for element in found.elements
            if (classes := element.classes) and found.text_of(element)
            for name in classes
        ),
        has_prose=any(found.text_of(element) for element in found.named("p", "li")),
    )


def _picture(image: Element) -> Picture:
    width = image.attributes.get("width", "")
    return Picture(
        image.attributes.get("src", ""),
        image.attributes.get("alt", ""),
        int(width) if _WIDTH.fullmatch(width) and len(width) < 6 else 0,
    )


def joined(pieces: Iterable[Facts]) -> Facts:
    """Return the facts of a page from those of its pieces, in their order."""
    links: list[Link] = []
    pictures: list[Picture] = []
    more: list[str] = []
    said: set[str] = set()
    titles = articles = headlines = 0
    has_prose = False
    for piece in pieces:
        links += [replace(link, article=link.article + articles) for link in piece.links]
        pictures += piece.pictures
        more += piece.more
        said |= piece.said
        titles += piece.titles
        articles += piece.articles
        headlines += piece.headlines
        has_prose = has_prose or piece.has_prose
    return Facts(
        tuple(links),
        tuple(pictures),
        titles,
        articles,
        headlines,
        tuple(more),
        frozenset(said),
        has_prose,
    )
