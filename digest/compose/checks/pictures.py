"""What an editor is told of a picture, from what its address answered."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from digest.compose.checks.findings import Finding, error, note, warning
from digest.compose.checks.links import LinkAnswer, judge_absence

HEAVY, TOO_HEAVY = 300_000, 1_000_000
"""Bytes from which a picture is slow on a phone, and from which many never see it."""
HEAVY_TOGETHER = 2_000_000
"""Bytes of all pictures of one edition."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP")
_SHOWN_EVERYWHERE = frozenset({"PNG", "JPEG", "GIF"})
_FAR_TOO_WIDE = 4
_NEXT = "change the picture at its page, or leave it"


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture's format and its real size."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """What a picture's address answered: `length` in bytes, None for more than were read."""

    answer: LinkAnswer
    content_type: str = ""
    length: int | None = 0
    pixels: Pixels | None = None


def find_pixels(body: bytes) -> Pixels | None:
    """Return what a picture's first bytes say of it, None when they are no picture's. Nothing is decoded."""
    try:
        with warnings.catch_warnings():
            # A claimed size that would be a bomb to decode is only a number here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body), formats=_FORMATS) as picture:
                return Pixels(picture.format or "", *picture.size)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        OverflowError,
    ):
        return None


def judge_picture(url: str, width: int, picture: PictureAnswer) -> Iterator[Finding]:
    """Yield what to tell of a picture shown at `width` (0: not said). `where` is left to the caller."""
    if not picture.answer.is_well:
        yield judge_absence(
            url, picture.answer, "picture", "readers see an empty frame: drop the article, or wait"
        )
        return
    is_whole = picture.length is not None and picture.length <= TOO_HEAVY
    if picture.pixels is None and (is_whole or not picture.content_type.startswith("image/")):
        told = picture.content_type or "no type"
        what = (
            "a drawing (SVG), which most mail programs do not show"
            if "svg" in told
            else f"no picture ({told})"
        )
        yield (warning if "svg" in told else error)(f"{url} is {what}", "", _NEXT)
        return
    yield from _judge_weight(url, picture.length)
    # Some formats show their size only when all of the picture is there.
    if picture.pixels is not None:
        yield from _judge_pixels(url, width, picture.pixels)


def _judge_weight(url: str, length: int | None) -> Iterator[Finding]:
    if length is None or length > TOO_HEAVY:
        weight = kilobytes(length) if length else f"more than {kilobytes(TOO_HEAVY)}"
        yield error(f"{url} weighs {weight}; {kilobytes(TOO_HEAVY)} are the most", "", _NEXT)
    elif length > HEAVY:
        yield warning(f"{url} weighs {kilobytes(length)}; {kilobytes(HEAVY)} load well", "", _NEXT)


def _judge_pixels(url: str, width: int, pixels: Pixels) -> Iterator[Finding]:
    if pixels.format not in _SHOWN_EVERYWHERE:
        yield note(f"{url} is {pixels.format}, which Outlook on Windows does not show", "")
    if pixels.width < width:
        yield warning(
            f"{url} is {pixels.width} px wide and shown at {width}: it will look blurred", "", _NEXT
        )
    elif width and pixels.width > _FAR_TOO_WIDE * width:
        yield note(
            f"{url} is {pixels.width:,} px wide where {width} are shown: a smaller one would load faster", ""
        )


def judge_together(length: int) -> Iterator[Finding]:
    """Yield what to tell of all pictures of one edition, which weigh `length` bytes."""
    if length > HEAVY_TOGETHER:
        told = f"the pictures of one edition weigh {kilobytes(length)} together"
        yield warning(told, "pictures", "choose articles with lighter pictures")


def kilobytes(length: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{length / 1_000_000:.1f} MB" if length >= 1_000_000 else f"{length / 1000:,.0f} KB"
