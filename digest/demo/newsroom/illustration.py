"""Pictures for the articles, drawn from their names: layered landscapes as PNG, the same every time.

A picture is 640 by 360 palette pixels. It is built column by column (a column is a sky and then the
layers in front of it), and turned into rows by slicing: about 3 ms, where a loop over pixels takes 150.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from enum import StrEnum

WIDTH, HEIGHT = 640, 360

_SHADES = 48
"""Palette entries of the sky's gradient; the sun and the layers follow them."""
_SUN = _SHADES
_LAYER = _SHADES + 1

Colour = tuple[int, int, int]
Outline = Callable[[int], float]


class Motif(StrEnum):
    """What a picture shows."""

    HILLS = "hills"
    SKYLINE = "skyline"
    WAVES = "waves"
    FIELDS = "fields"
    GRID = "grid"
    ORBIT = "orbit"


_PALETTES: dict[Motif, tuple[str, ...]] = {
    # sky above, sky below, sun, then the layers from the farthest to the nearest
    Motif.HILLS: (
        "8fb8d8 f3e3cf fff6e0 a9bccb 7393a7 486f86 27485c",
        "e8b4a0 fbe9d7 fffaf0 c9a9b4 97809b 685c80 3d3a5c",
    ),
    Motif.SKYLINE: (
        "3b4a75 f0a986 ffd9a8 8f7590 5f5478 3c3d5e 232842",
        "9cc5dd f6ecd9 fff4cf a8b8bf 7f97a3 567384 33505f",
    ),
    Motif.WAVES: (
        "cfe6e4 f7f2e4 f4b183 8cc3c0 559f9f 2f7a80 17525c",
        "dcd9ee f9efe6 f08a7a b7b5d9 8b8cc0 6265a0 40447a",
    ),
    Motif.FIELDS: (
        "bcd9ea fdf3d8 ffcf66 c9c27b a9a555 7f8b3f 56682f",
        "f4cfa4 fdf0dc f79b5b dcb56a bb8c4a 8f6a3c 5f4a30",
    ),
    Motif.GRID: (
        "1f2a44 5b4b8a ff8f73 4a4f86 3b3f70 2a2f58 191d3c",
        "0f3b45 3f8f88 ffd37a 2f7474 245d62 1a464f 10303a",
    ),
    Motif.ORBIT: (
        "070b1a 232a4d e8dcc3 4d4f63 3b3c4e 2a2b3a 191a26",
        "0b1024 3a2348 d98f6c 5b4057 463347 322638 1f1926",
    ),
}


def draw(name: str, motif: Motif) -> bytes:
    """Return the PNG of `motif` that belongs to `name`."""
    chance = random.Random(zlib.crc32(name.encode()))
    columns = _columns(motif, chance)
    rows = b"".join(b"\0" + columns[y::HEIGHT] for y in range(HEIGHT))
    return _png(rows, _palette(chance.choice(_PALETTES[motif]).split()))


def _columns(motif: Motif, chance: random.Random) -> bytes:
    sky = bytes(y * _SHADES // HEIGHT for y in range(HEIGHT))
    outlines = [_outline(motif, depth, chance) for depth in range(4)]
    radius = chance.randint(64, 86) if motif is Motif.ORBIT else chance.randint(26, 44)
    centre = chance.randint(WIDTH // 5, WIDTH * 4 // 5), chance.randint(90, 130)
    stars = [(chance.randrange(WIDTH), chance.randrange(HEIGHT * 2 // 3)) for _ in range(90)]
    canvas = bytearray()
    for x in range(WIDTH):
        column = bytearray(sky)
        if motif is Motif.ORBIT:
            _set(column, [y for star_x, y in stars if star_x == x])
        _set(column, _disc(x - centre[0], centre[1], radius))
        for depth, outline in enumerate(outlines):
            top = min(HEIGHT, max(0, int(outline(x))))
            column[top:] = bytes([_LAYER + depth]) * (HEIGHT - top)
        canvas += column
    return bytes(canvas)


def _set(column: bytearray, places: Sequence[int]) -> None:
    for y in places:
        column[y] = _SUN


def _disc(distance: int, centre: int, radius: int) -> range:
    if abs(distance) >= radius:
        return range(0)
    half = int(math.sqrt(radius**2 - distance**2))
    return range(centre - half, centre + half)


def _outline(motif: Motif, depth: int, chance: random.Random) -> Outline:
    """Return where the layer `depth` (0 is the farthest) begins, in pixels from the top."""
    base = 175 + 45 * depth
    if motif in (Motif.SKYLINE, Motif.GRID):
        return _blocks(base, 70 - 12 * depth, 22 if motif is Motif.SKYLINE else 64, chance)
    height, length = {
        Motif.HILLS: (52 - 8 * depth, 260),
        Motif.WAVES: (16, 130),
        Motif.FIELDS: (11, 420),
        Motif.ORBIT: (18 + 4 * depth, 190),
    }[motif]
    return _rolling(base, height, length, chance)


def _rolling(base: int, height: int, length: int, chance: random.Random) -> Outline:
    first, second = chance.uniform(0, math.tau), chance.uniform(0, math.tau)
    stretch = length * chance.uniform(0.8, 1.25)

    def outline(x: int) -> float:
        angle = x * math.tau / stretch
        return base + height * (0.7 * math.sin(angle + first) + 0.3 * math.sin(2.7 * angle + second))

    return outline


def _blocks(base: int, height: int, width: int, chance: random.Random) -> Outline:
    edges = [base - height * chance.random() ** 2 for _ in range(WIDTH // width + 2)]
    shift = chance.randrange(width)
    return lambda x: edges[(x + shift) // width]


def _palette(colours: Sequence[str]) -> bytes:
    above, below, *others = (tuple(bytes.fromhex(colour)) for colour in colours)
    shades = [_between(above, below, step / (_SHADES - 1)) for step in range(_SHADES)]
    return b"".join(map(bytes, [*shades, *others]))


def _between(first: Sequence[int], second: Sequence[int], share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _png(rows: bytes, palette: bytes) -> bytes:
    """Return an 8-bit palette PNG (PNG specification §5, §11.2); each row begins with its filter byte."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
