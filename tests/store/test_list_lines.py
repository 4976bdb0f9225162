"""Lists without the lines that name somebody; what nobody can look into goes whole."""

from __future__ import annotations

import errno
import io
import tracemalloc
import zipfile
import zlib
from collections.abc import Collection

import pytest

from digest.domain.errors import Unavailable
from digest.store import list_lines
from digest.store.list_lines import without_lines
from digest.store.mentions import Mentions

ADDRESS = "ada@example.org"
ADA = Mentions(ADDRESS)
HEAD, HERS, BENS = "email,note\r\n", "Ada@example.org,x\r\n", 'ben@example.org,"two\r\nlines"\r\n'


def zipped(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in members.items():
            packed.writestr(name.replace("_", "."), text)
    return stream.getvalue()


def without(body: bytes | str, file: str = "list.csv", columns: Collection[str] = ("email",)) -> bytes | None:
    octets = body.encode() if isinstance(body, str) else body
    rest = without_lines(zlib.compress(octets), file, ADA.are_in, columns)
    return None if rest is None else zlib.decompress(rest)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (HEAD + HERS + BENS, HEAD + BENS),
        (HEAD + BENS, HEAD + BENS),
        (HEAD + 'ben@example.org,"a friend of\r\nada@example.org"\r\n' + BENS, HEAD + BENS),
        ("\ufeffemail;note\nben@example.org;\nada@example.org;", "\ufeffemail;note\nben@example.org;\n"),
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
        # One that is closed by another line's makes no row of the table.
        (
            'email,note\na@x.org,"\nada@example.org,\nc@x.org,",y\nd@x.org,\n',
            "email,note\nd@x.org,\n",
        ),
    ],
)
def test_their_lines_go_and_others_stay_as_they_are(text: str, rest: str) -> None:
    assert without(text) == rest.encode()


def test_fields_are_parted_as_whoever_brings_the_list_in_parts_them() -> None:
    head, carls = "Email Address;Notes, tags, other, more\n", 'carl@x.org;"two\nlines"\n'
    text = f'{head}ada@example.org;"5 Lighthouse Road\nLondon"\n{carls}'
    assert without(text, columns={"email address"}) == (head + carls).encode()
    assert without(text) == head.encode(), "commas make more fields of that line, and no row of any other"


HEADER, BEN_AND_CARL = "email,name,street", ("ben@x.org,Ben,Quay 1", "carl@x.org,Carl,Quay 2")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "hers",
    [
        'ada@example.org,"Ada\nFenwick","5 Lighthouse Road\nLondon"',
        'ada@example.org,Ada Fenwick,"5 Lighthouse Road\n""The Light""\nLondon",too,many',
        'ada@example.org,"Ada Fenwick\n5 Lighthouse Road, London"',
        '"Ada Fenwick\n5 Lighthouse Road",ada@example.org',
        # Without quotes a street goes on in a row of its own, or begins in one.
        "ada@example.org,Ada Fenwick,5 Lighthouse Road\nLondon",
        "ada@example.org,Ada Fenwick\n5 Lighthouse Road\n\nLondon,Harbour,Quay,too many",
        "Ada Fenwick\n5 Lighthouse Road,London\nada@example.org,x,y",
        "ada@example.org",
    ],
)
def test_whole_rows_go_however_wide_they_are_and_wherever_their_fields_end(hers: str, end: str) -> None:
    ben, carl = BEN_AND_CARL
    text = "\n".join((HEADER, ben, hers, carl, "")).replace("\n", end)
    assert without(text) == "\n".join((HEADER, ben, carl, "")).replace("\n", end).encode()
    last = "\n".join((HEADER, ben, carl, hers)).replace("\n", end)
    assert without(last) == "\n".join((HEADER, ben, carl, "")).replace("\n", end).encode()


@pytest.mark.parametrize(
    "letter",
    [
        "Dear Ada Fenwick (ada@example.org),\n5 Lighthouse Road\nLondon",
        'email,note\nada@example.org,"Ada "the light" Fenwick\n5 Lighthouse Road",\nben@x.org,\n',
        'email,note\nada@example.org,"Ada Fenwick, 5 Lighthouse Road\nben@x.org,\n',
        "email\nada@example.org\n5 Lighthouse Road" + " " * 200_001,
    ],
)
def test_what_names_them_and_is_no_table_goes_whole(letter: str) -> None:
    assert without(letter) is None


def test_prose_that_begins_like_a_table_loses_all_that_is_none() -> None:
    letter = "Hello,\nthis is about Ada Fenwick\nada@example.org\n5 Lighthouse Road\n"
    assert without(letter) == b"Hello,\n"
    assert without(letter.replace("Hello,", "Hello")) == b"Hello\n"


def test_what_is_no_table_and_names_nobody_stays() -> None:
    letter = 'Dear Ben,\n"this" is "no table\nat all'
    assert without(letter) == letter.encode()


def test_bytes_that_are_no_text_stay_too() -> None:
    assert without(b"email\nj\xfcrgen@example.org\nada@example.org\n") == b"email\nj\xfcrgen@example.org\n"


def test_a_zip_keeps_its_other_lists_and_lines() -> None:
    rest = without(zipped(a_csv=HEAD + HERS, b_csv=HEAD + BENS, c_xlsx="packed"), "lists.zip")
    assert rest is not None
    with zipfile.ZipFile(io.BytesIO(rest)) as packed:
        told = {name: packed.read(name).decode() for name in packed.namelist()}
    assert told == {"a.csv": HEAD, "b.csv": HEAD + BENS}
    assert without(zipped(b_csv=HEAD + BENS), "lists.zip") == zipped(b_csv=HEAD + BENS)


def test_a_zip_loses_what_is_no_table_where_that_names_them_or_is_called_so() -> None:
    broken, theirs = 'email,note\nben@x.org,"a "b"', HEAD + BENS
    body = zipped(a_csv=broken, b_csv=broken + ADDRESS, c_csv=theirs, **{f"{ADDRESS}_csv": theirs})
    rest = without(body, "lists.zip")
    assert rest is not None
    with zipfile.ZipFile(io.BytesIO(rest)) as packed:
        assert {name: packed.read(name).decode() for name in packed.namelist()} == {
            "a.csv": broken,
            "c.csv": theirs,
        }


def test_a_disk_without_room_is_no_fault_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(list_lines, "_unpack", full)
    with pytest.raises(Unavailable, match="No space left on device; an uploaded list is unpacked there"):
        without(HEAD + HERS)


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
    assert without_lines(b"nothing", "list.csv", ADA.are_in, ()) is None


@pytest.mark.parametrize("file", ["list.csv", "list.zip"])
def test_a_long_list_is_not_held_in_memory(file: str) -> None:
    text = HEAD + "".join(f"reader{number}@example.org,{'x' * 400}\n" for number in range(40_000)) + HERS
    packed = zlib.compress(zipped(a_csv=text) if file.endswith(".zip") else text.encode())
    tracemalloc.start()
    try:
        rest = without_lines(packed, file, ADA.are_in, ())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rest != packed
    assert most < len(text) // 2
