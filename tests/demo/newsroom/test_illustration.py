import struct
import zlib

import pytest

from digest.demo.newsroom.illustration import HEIGHT, WIDTH, Motif, draw


def chunks(png: bytes) -> dict[bytes, bytes]:
    found, place = {}, 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length) == (zlib.crc32(kind + content),)
        found[kind] = content
        place += length + 12
    return found


@pytest.mark.parametrize("motif", Motif)
def test_a_picture_is_a_sound_png_whose_pixels_are_all_in_its_palette(motif: Motif) -> None:
    png = draw("some-article", motif)
    parts = chunks(png)
    rows = zlib.decompress(parts[b"IDAT"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", parts[b"IHDR"][:8]) == (WIDTH, HEIGHT)
    assert len(rows) == (WIDTH + 1) * HEIGHT
    assert max(rows) < len(parts[b"PLTE"]) // 3


def test_a_name_always_gets_the_same_picture_and_another_name_another() -> None:
    assert draw("a", Motif.HILLS) == draw("a", Motif.HILLS)
    assert draw("a", Motif.HILLS) != draw("b", Motif.HILLS)
