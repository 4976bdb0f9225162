from __future__ import annotations

import gzip
import random
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetching.decoding import BodyDecoder
from tests.gather.fetching.packing import PACKERS, pack, raw_deflate, zstd

MIB = 1 << 20
CODINGS = sorted(PACKERS)
TEXT = b"".join(b"%d bottles on the wall. " % number for number in range(20_000))


def decode(
    received: bytes, coding: str, *, step: int = 16_384, max_bytes: int = 8 * MIB, ratio: int = 100
) -> bytes:
    decoder = BodyDecoder(coding, max_bytes=max_bytes, ratio=ratio)
    body = b"".join(decoder.feed(received[at : at + step]) for at in range(0, len(received), step))
    decoder.finish()
    return body


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("step", [1, 7, 1000, 10**9])
def test_a_body_is_decoded_however_it_arrives(coding: str, step: int) -> None:
    body = TEXT[:20_000] if step == 1 else TEXT
    assert decode(pack(body, coding), coding, step=step) == body


@pytest.mark.parametrize("coding", ["", "identity", "Identity , identity"])
def test_a_plain_body_is_left_as_it_is(coding: str) -> None:
    assert decode(TEXT, coding) == TEXT


@pytest.mark.parametrize("coding", ["gzip, gzip", "br,gzip", "deflate , identity, zstd", "zstd, br, gzip"])
def test_stacked_codings_are_undone_in_reverse(coding: str) -> None:
    applied = ",".join(name for name in coding.split(",") if "identity" not in name)
    assert decode(pack(TEXT, applied), coding) == TEXT


def test_names_of_codings_have_any_case_and_an_old_prefix() -> None:
    assert decode(pack(TEXT, "gzip"), "X-GZip") == TEXT


def test_deflate_is_read_with_and_without_its_zlib_header() -> None:
    for step in (1, 1000):
        assert decode(raw_deflate(TEXT[:5000]), "deflate", step=step) == TEXT[:5000]


@pytest.mark.parametrize("coding", CODINGS)
def test_an_empty_answer_is_empty_in_every_coding(coding: str) -> None:
    assert decode(b"", coding) == b""
    assert decode(pack(b"", coding), coding) == b""


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("step", [1, 10**9])
def test_a_body_of_several_members_is_read_to_its_end(coding: str, step: int) -> None:
    packed = pack(b"one ", coding) + pack(b"", coding) + pack(b"two", coding)
    assert decode(packed, coding, step=step) == b"one two"


def test_a_skippable_zstd_frame_is_skipped() -> None:
    frame = struct.pack("<II", 0x184D2A53, 4) + b"note"
    packed = zstd.compress(b"one ") + frame + zstd.compress(b"two")
    assert decode(packed, "zstd") == b"one two"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("rest", [b"\0" * 20, b"\n", b"<!-- cached -->", b"\x1f"])
def test_what_follows_the_end_of_the_data_is_not_read(coding: str, rest: bytes) -> None:
    for step in (1, 10**9):
        assert decode(pack(b"text", coding) + rest, coding, step=step) == b"text"


def test_brotli_data_followed_by_something_else_are_refused() -> None:
    with pytest.raises(Refused, match=r"'br' but does not decompress|br data that are damaged"):
        decode(pack(b"text", "br") + b"<!-- cached -->", "br")


@pytest.mark.parametrize("coding", CODINGS)
def test_data_that_break_off_may_be_whole_next_time(coding: str) -> None:
    packed = pack(random.Random(1).randbytes(50_000), coding)
    for length in (3, 1000, len(packed) - 1):
        with pytest.raises(Unavailable, match=f"^breaks off in the middle of its {coding} data$"):
            decode(packed[:length], coding)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_plain_page_that_claims_to_be_packed_is_refused(coding: str) -> None:
    with pytest.raises(Refused, match=f"^is labelled '{coding}' but does not decompress as such$"):
        decode(b"<!doctype html><p>Plain text, and a lie about it.</p>" * 9, coding)


def test_data_that_are_damaged_further_on_are_refused() -> None:
    packed = bytearray(gzip.compress(random.Random(1).randbytes(300_000)))
    packed[-6] ^= 1
    with pytest.raises(Refused, match=r"^sent gzip data that are damaged and do not decompress$"):
        decode(bytes(packed), "gzip")


@pytest.mark.parametrize("coding", ["compress", "gzip, lzma", "sdch", "*", "gzip;q=1", "br br"])
def test_a_coding_that_was_not_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(Refused, match="which was not asked for"):
        BodyDecoder(coding, max_bytes=MIB, ratio=100)


def test_a_body_packed_many_times_over_is_refused() -> None:
    with pytest.raises(Refused, match=r"^is compressed 4 times over: not read$"):
        BodyDecoder("gzip, gzip, gzip, gzip", max_bytes=MIB, ratio=100)


@pytest.mark.parametrize("coding", ["", *CODINGS])
def test_a_body_may_be_as_large_as_the_limit_and_no_larger(coding: str) -> None:
    body = TEXT[:65_536]
    packed = pack(body, coding) if coding else body
    assert decode(packed, coding, max_bytes=65_536) == body
    with pytest.raises(Refused, match=r"^is larger than 0\.0625 MiB: not read further$"):
        decode(packed, coding, max_bytes=65_535)


@pytest.mark.parametrize("coding", CODINGS)
def test_text_that_packs_well_is_no_bomb(coding: str) -> None:
    page = b"<li>The tide comes in, and the tide goes out.</li>\n" * 15_000
    assert decode(pack(page, coding), coding) == page


def test_a_body_in_a_thousand_and_one_members_is_refused() -> None:
    for coding in ("gzip", "zstd"):
        assert decode(pack(b"", coding) * 1000, coding) == b""
        with pytest.raises(Refused, match=f"^is made of over 1000 pieces of {coding} data"):
            decode(pack(b"", coding) * 1001, coding)


def test_a_zstd_window_over_8_mib_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 24}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(bytes(20 * MIB)) + packer.flush()
    with pytest.raises(Refused, match=r"^needs a zstd window over 8 MiB: not read$"):
        decode(packed, "zstd", max_bytes=64 * MIB, ratio=10**6)


# A process of its own tells what the libraries themselves took. The bomb is packed piecewise, so that packing
# takes no memory either; the control decodes it in one go.
BOMB = """
import re, sys, zlib
from pathlib import Path
import brotli
from digest.domain.errors import Refused
from digest.gather.fetching.decoding import BodyDecoder, zstd

def peak():
    # Not ru_maxrss: that starts at what the process had before its exec, which is pytest's.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

coding, guarded = sys.argv[1], sys.argv[2] == "guarded"
zeros = bytes(1 << 20)
if coding == "br":
    packer = brotli.Compressor(quality=1)
    packed = b"".join([*(packer.process(zeros) for _ in range(128)), packer.finish()])
else:
    wbits = {"gzip": 31, "deflate": 15}.get(coding)
    packer = zlib.compressobj(wbits=wbits) if wbits else zstd.ZstdCompressor()
    packed = b"".join([*(packer.compress(zeros) for _ in range(128)), packer.flush()])
before = peak()
said = ""
if guarded:
    try:
        BodyDecoder(coding, max_bytes=8 << 20, ratio=10**9).feed(packed)
    except Refused as exc:
        said = str(exc)
else:
    unpack = {"br": brotli.decompress, "zstd": zstd.decompress}.get(coding)
    said = str(len(unpack(packed) if unpack else zlib.decompress(packed, 47)))
print(peak() - before, said)
"""


def detonate(coding: str, how: str) -> tuple[int, str]:
    """Return by how many KiB a process grew over 128 MiB of packed zeros, and what it said."""
    ran = subprocess.run(
        [sys.executable, "-c", BOMB, coding, how], capture_output=True, text=True, check=True
    )
    grown, _, said = ran.stdout.strip().partition(" ")
    return int(grown), said


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_takes_little_more_memory_than_the_limit(coding: str) -> None:
    grown, said = detonate(coding, "guarded")
    assert said == "is larger than 8 MiB: not read further"
    assert grown < 32 * 1024


def test_control_a_bomb_takes_all_its_memory_without_limits() -> None:
    grown, said = detonate("zstd", "naive")
    assert said == str(128 * MIB)
    assert grown > 100 * 1024


@given(
    st.binary(max_size=400),
    st.lists(st.sampled_from([*CODINGS, "identity", "x-gzip", "", "lzma"]), max_size=4).map(",".join),
    st.integers(1, 50),
)
def test_any_bytes_under_any_label_raise_only_our_own_errors(body: bytes, coding: str, step: int) -> None:
    with suppress(Refused, Unavailable):
        decode(body, coding, step=step)


@given(st.binary(max_size=3000), st.sampled_from(CODINGS), st.integers(0, 3000), st.integers(1, 255))
def test_a_flipped_byte_raises_only_our_own_errors(body: bytes, coding: str, at: int, flip: int) -> None:
    packed = bytearray(pack(body, coding))
    packed[at % len(packed)] ^= flip
    with suppress(Refused, Unavailable):
        decode(bytes(packed), coding)


def test_zlib_output_that_is_still_held_when_the_input_ends_is_not_lost() -> None:
    for size in range(65_530, 65_545):
        assert decode(zlib.compress(bytes(size), 9), "deflate") == bytes(size)
