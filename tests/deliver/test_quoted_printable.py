import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.deliver.quoted_printable import HARD, SOFT, encode

LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def decoded(encoded: bytes) -> str:
    """Decode with the standard library, which turns no line break into another."""
    return quopri.decodestring(encoded).decode().replace("\r\n", "\n")


@given(LINES)
@example("." * 300)
@example("From " * 60)
@example("a" * 74 + "=")
@example("a" * 73 + "é" * 3)
@example(" " * 200)
@example("word \nword\t\n \n.\n..\nFrom x\n")
@example("x" * 75 + "\n" + "y" * 76 + "\n")
@example("\r\n\r \r")
def test_text_comes_back_as_it_was(text: str) -> None:
    assert quopri.decodestring(encode(text)) == text.encode().replace(b"\n", b"\r\n")


@given(LINES)
@example("." * 300)
@example("a" * 75 + "." * 75)
@example("a" * 75 + "From here")
@example("a " * 100)
def test_lines_are_short_plain_and_need_no_stuffing(text: str) -> None:
    for line in encode(text).split(HARD):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert all(char == 9 or 32 <= char <= 126 for char in line)


@given(LINES, LINES)
def test_encoded_stretches_join_on_a_soft_break(before: str, after: str) -> None:
    joined = encode(before) + SOFT + encode(after)
    assert all(len(line) <= 76 for line in joined.split(HARD))
    assert quopri.decodestring(joined) == (before + after).encode().replace(b"\n", b"\r\n")


def test_an_escape_is_never_broken_between_lines() -> None:
    lines = encode("aé" * 100).split(HARD)
    assert all(re.fullmatch(rb"(a|=C3|=A9)+=?", line) for line in lines)


@pytest.mark.parametrize("text", ["https://example.org/a", "reader@example.org", "x" * 75])
def test_what_fits_a_line_stands_as_it_is(text: str) -> None:
    assert encode(text) == text.encode()


def test_a_sentence_stays_readable() -> None:
    assert encode("Café, 38% less.\n") == b"Caf=C3=A9, 38% less.\r\n"
    assert decoded(encode("Café, 38% less.\n")) == "Café, 38% less.\n"
