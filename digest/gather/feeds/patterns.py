"""The shape that the addresses of a site's articles share: dates, numbers, names in fixed places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

MIN_ALIKE = 4
"""Fewer addresses of one shape than this are alike by chance."""

_YEAR, _DAY, _DATE, _NUMBER = r"(?:19|20)\d\d", r"\d{1,2}", r"(?:19|20)\d\d-?\d\d-?\d\d", r"\d+"
_NUMBERS = tuple((re.compile(form), form) for form in (_YEAR, _DAY, _DATE, _NUMBER))
_WORD = r"[^/?#]+"
_SLUG = r"[^/?#]*-[^/?#]*"
_ENDS_IN_NUMBER = r"[^/?#]*[-_a-z]\d{4,}"
_BEGINS_WITH_NUMBER = r"\d{3,}[-_][^/?#]*"
_EXTENSION = re.compile(r"(.+?)(\.(?:s?html?|php|aspx?|jsp|amp))?", re.IGNORECASE)
_MAX_SECTIONS, _MAX_SHAPES, _MAX_NAMES = 12, 3, 2


@dataclass(frozen=True, slots=True)
class _Shape:
    """An address as a list of expressions: words that stay are literal, the rest is what varies.

    `parts` are the path's segments; those in `words` are places of literal ones. `query` names the parameters
    whose value is a number.
    """

    parts: tuple[str, ...]
    words: tuple[int, ...]
    ending: str
    query: tuple[str, ...]

    @property
    def frame(self) -> tuple[object, ...]:
        """What two shapes share that differ in their words only: the sections of one site."""
        varying = tuple("" if place in self.words else part for place, part in enumerate(self.parts))
        return varying, self.ending, self.query


def shared_pattern(articles: Sequence[str]) -> str | None:
    """Return a regular expression for whole URLs that most of `articles`, canonical URLs, match.

    None when fewer than four are of one shape, or all shapes together make less than two thirds. Words in
    a path stay words, so that `/sport/…` learnt from two sections does not take in `/author/…`.
    """
    shapes = Counter(_shape(url) for url in articles)
    frames: dict[tuple[object, ...], list[_Shape]] = {}
    for shape in shapes:
        frames.setdefault(shape.frame, []).append(shape)
    sizes = {frame: sum(shapes[shape] for shape in alike) for frame, alike in frames.items()}
    common = sorted((frame for frame in frames if sizes[frame] >= MIN_ALIKE), key=lambda frame: -sizes[frame])
    common = common[:_MAX_SHAPES]
    if not common or sum(sizes[frame] for frame in common) * 3 < len(articles) * 2:
        return None
    written = [_expression(frames[frame]) for frame in common]
    return f"^https?://[^/]+{_either(written)}$"


def without(pattern: str, unwanted: Sequence[str]) -> str:
    """Return a pattern of `shared_pattern` that does not match these of the URLs it did."""
    paths = [re.escape(url.partition("://")[2].partition("/")[2]) for url in unwanted]
    return pattern.replace("[^/]+", f"[^/]+(?!/{_either(paths)}$)", 1) if paths else pattern


def _either(written: Sequence[str]) -> str:
    return written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"


def _shape(url: str) -> _Shape:
    parsed = urlsplit(url)
    path, ending = parsed.path.rstrip("/"), ""
    segments = path.split("/")[1:] if path else []
    if segments and (match := _EXTENSION.fullmatch(segments[-1])):
        segments[-1], ending = match[1], match[2] or ""
    query = tuple(sorted(name for name, value in parse_qsl(parsed.query) if value.isdecimal()))[:_MAX_NAMES]
    last = len(segments) - 1
    parts = [_part(segment, is_last=place == last and not query) for place, segment in enumerate(segments)]
    if parts and parts[-1] == _SLUG and not {_YEAR, _DATE, _NUMBER}.isdisjoint(parts):
        parts[-1] = _WORD  # the date tells an article already: its name may be one word
    words = tuple(place for place, part in enumerate(parts) if part is None)
    literal = tuple(part or re.escape(segment) for part, segment in zip(parts, segments, strict=True))
    return _Shape(literal, words, re.escape(ending), query)


def _part(segment: str, *, is_last: bool) -> str | None:
    """Return what a segment may be in another article's address, None when it is a word that stays."""
    for form, written in _NUMBERS:
        if form.fullmatch(segment):
            return written
    if re.fullmatch(_ENDS_IN_NUMBER, segment):
        return _ENDS_IN_NUMBER
    if re.fullmatch(_BEGINS_WITH_NUMBER, segment):
        return _BEGINS_WITH_NUMBER
    if segment.count("-") + segment.count("_") >= 2 or (is_last and "-" in segment):
        return _SLUG if "-" in segment else _WORD
    return _WORD if is_last else None


def _expression(alike: Sequence[_Shape]) -> str:
    """Return one expression for shapes that differ in their words only."""
    first = alike[0]
    parts = list(first.parts)
    for place in first.words:
        sections = list(dict.fromkeys(shape.parts[place] for shape in alike))
        if len(sections) > _MAX_SECTIONS:
            parts[place] = _WORD
        else:
            parts[place] = _either(sections)
    path = "".join(f"/{part}" for part in parts) + (first.ending or "/?")
    return path + (
        rf"\?(?:.*&)?{'=[0-9]+.*&'.join(map(re.escape, first.query))}=[0-9]+.*" if first.query else ""
    )
