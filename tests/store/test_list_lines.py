"""Lists without the lines that name somebody; what nobody can look into goes whole."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from digest.store.list_lines import without_lines
from digest.store.mentions import Mentions

ADA = Mentions("ada@example.org")
HEAD, HERS, BENS = "email,note\r\n", "Ada@example.org,x\r\n", 'ben@example.org,"two\r\nlines"\r\n'


def zipped(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in members.items():
            packed.writestr(name.replace("_", "."), text)
    return stream.getvalue()


def without(body: bytes | str, file: str = "list.csv") -> bytes | None:
    octets = body.encode() if isinstance(body, str) else body
    rest = without_lines(zlib.compress(octets), file, ADA.are_in)
    return None if rest is None else zlib.decompress(rest)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (HEAD + HERS + BENS, HEAD + BENS),
        (HEAD + BENS, HEAD + BENS),
        (HEAD + 'ben@example.org,"a friend of\r\nada@example.org"\r\n' + BENS, HEAD + BENS),
        ("\ufeffemail;note\nben@example.org;\nada@example.org;", "\ufeffemail;note\nben@example.org;\n"),
        (
            'email\nada@example.org,"\nben@example.org\n' + "x" * 200_001,
            "email\nben@example.org\n" + "x" * 200_001,
        ),
        ("", ""),
        # A quotation mark inside of a field opens nothing, as for who reads the list.
        (
            'email,note\na@x.org,TV 5" Bob\nb@x.org,\nada@example.org,\nc@x.org,\nd@x.org,6" Dan\ne@x.org,\n',
            'email,note\na@x.org,TV 5" Bob\nb@x.org,\nc@x.org,\nd@x.org,6" Dan\ne@x.org,\n',
        ),
        (
            'email;note\na@x.org;TV, "5\nada@example.org;\nd@x.org;a, "b\n',
            'email;note\na@x.org;TV, "5\nd@x.org;a, "b\n',
        ),
        # One that is closed by another line's makes no row of the table, nor one with something behind it.
        (
            'email,note\na@x.org,"\nada@example.org,\nc@x.org,"x,y"\nd@x.org,\n',
            'email,note\na@x.org,"\nc@x.org,"x,y"\nd@x.org,\n',
        ),
        (
            'email,note\na@x.org,"\nada@example.org,\nc@x.org,",y\nd@x.org,\n',
            'email,note\na@x.org,"\nc@x.org,",y\nd@x.org,\n',
        ),
    ],
)
def test_their_lines_go_and_others_stay_as_they_are(text: str, rest: str) -> None:
    assert without(text) == rest.encode()


def test_bytes_that_are_no_text_stay_too() -> None:
    assert without(b"email\nj\xfcrgen@example.org\nada@example.org\n") == b"email\nj\xfcrgen@example.org\n"


def test_a_zip_keeps_its_other_lists_and_lines() -> None:
    rest = without(zipped(a_csv=HEAD + HERS, b_csv=HEAD + BENS, c_xlsx="packed"), "lists.zip")
    assert rest is not None
    with zipfile.ZipFile(io.BytesIO(rest)) as packed:
        told = {name: packed.read(name).decode() for name in packed.namelist()}
    assert told == {"a.csv": HEAD, "b.csv": HEAD + BENS}
    assert without(zipped(b_csv=HEAD + BENS), "lists.zip") == zipped(b_csv=HEAD + BENS)


@pytest.mark.parametrize(
    ("body", "file"),
    [
        (zipped(a_csv=HEAD), "list.csv"),
        (HEAD.encode("utf-16"), "list.csv"),
        (b"PK no zip", "list.zip"),
        (zipped(a_xlsx="packed"), "list.zip"),
    ],
)
def test_what_cannot_be_looked_into_goes_whole(body: bytes, file: str) -> None:
    assert without(body, file) is None


def test_what_is_packed_in_no_way_known_goes_whole() -> None:
    assert without_lines(b"nothing", "list.csv", ADA.are_in) is None
