"""What a page shows: as whom, in which form, how wide, in which colours. All of it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlencode

from fastapi import Depends, Query

from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address
from digest.web.preview.colours import Colours
from digest.web.preview.views import ChoiceView


class Part(StrEnum):
    """A form that a mail has."""

    MAIL = "mail"
    TEXT = "text"
    SOURCE = "source"


class Width(StrEnum):
    """Where a mail is read."""

    DESK = "desk"
    PHONE = "phone"


class Images(StrEnum):
    """Whether the reader's mail program shows pictures."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ReaderChosen:
    """As whom an issue is shown: a subscriber, a new reader of `topics` or, with neither, of everything."""

    email: str = ""
    topics: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """It as the query of an address, '' for a reader of everything."""
        return urlencode([("as", self.email)] if self.email else [("topic", one) for one in self.topics])

    def parsed(self) -> Self:
        """Return it with the address as it is stored. Raises `InvalidInput` for what is no address."""
        return replace(self, email=parse_address(self.email)) if self.email else self


@dataclass(frozen=True, slots=True)
class Look:
    """How a mail is shown."""

    part: Part = Part.MAIL
    width: Width = Width.DESK
    colours: Colours = Colours.LIGHT
    images: Images = Images.ON

    @property
    def query(self) -> str:
        """What of it is not as usual, as the query of an address."""
        usual = Look()
        named = {name: getattr(self, name) for name in ("part", "width", "colours", "images")}
        return urlencode({name: one for name, one in named.items() if one != getattr(usual, name)})


def address(path: str, *queries: str) -> str:
    """Return `path` with these queries, those that are '' left out."""
    query = "&".join(filter(None, queries))
    return f"{path}?{query}" if query else path


def choices(path: str, reader: ReaderChosen, look: Look) -> tuple[ChoiceView, ...]:
    """Return every other way to look at what is shown, as links that keep everything else."""

    def group(name: str, shown: Sequence[tuple[Look, str]]) -> ChoiceView:
        links = tuple(
            (words, address(path, reader.query, one.query) + "#mail", one == look) for one, words in shown
        )
        return ChoiceView(name, links)

    parts = [
        (replace(look, part=Part.MAIL), "Mail"),
        (replace(look, part=Part.TEXT), "Plain text"),
        (replace(look, part=Part.SOURCE), "Source"),
    ]
    if look.part is not Part.MAIL:
        return (group("Form", parts),)
    return (
        group("Form", parts),
        group(
            "Width",
            [(replace(look, width=Width.DESK), "Desktop"), (replace(look, width=Width.PHONE), "Phone")],
        ),
        group(
            "Colours",
            [(replace(look, colours=Colours.LIGHT), "Light"), (replace(look, colours=Colours.DARK), "Dark")],
        ),
        group(
            "Images",
            [(replace(look, images=Images.ON), "With images"), (replace(look, images=Images.OFF), "Without")],
        ),
    )


async def _reader(
    as_: Annotated[str, Query(alias="as")] = "",
    topic: Annotated[list[str] | None, Query()] = None,
) -> ReaderChosen:
    if as_.strip() and topic:
        raise InvalidInput("as and topic exclude each other: a subscriber follows what they follow")
    return ReaderChosen(as_.strip(), tuple(dict.fromkeys(topic or ())))


async def _look(
    part: Part = Part.MAIL,
    width: Width = Width.DESK,
    colours: Colours = Colours.LIGHT,
    images: Images = Images.ON,
) -> Look:
    return Look(part, width, colours, images)


TheReader = Annotated[ReaderChosen, Depends(_reader)]
TheLook = Annotated[Look, Depends(_look)]
