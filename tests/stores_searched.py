"""A database searched for words, as they are and as mail, addresses of pages and programs write them."""

from __future__ import annotations

import base64
import quopri
import zlib
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from sqlalchemy import Column, ColumnElement, Engine, LargeBinary, cast, select
from sqlalchemy.types import Text

from digest.store.database import reading
from digest.store.tables import metadata


def spellings(word: str) -> frozenset[bytes]:
    """Every way somebody may have written a word: encoded, escaped, and in base64 wherever it begins."""
    octets = word.encode()
    local, _, domain = word.partition("@")
    found = {
        octets,
        quote(word, safe="").encode(),
        quote_plus(word).encode(),
        quopri.encodestring(octets, quotetabs=True),
        word.replace("@", "=40").encode(),
        word.replace("@", "+40").encode(),
        word.replace("@", "=").encode(),
        f"{domain}={local}".encode(),
        word.encode("utf-16-le"),
        word.encode("utf-16-be"),
        octets.hex().encode(),
    }
    for before in range(3):
        # What stands before shifts the letters: those at the edges depend on what is beside them.
        whole = base64.b64encode(b"\0" * before + octets)
        first, last = (0, 2, 3)[before], len(whole) // 4 * 4 - 4
        found |= {whole[first:last], whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(one.lower() for one in found)


def is_in(octets: bytes, words: frozenset[bytes]) -> bool:
    """Tell whether any of these stands in there, in capitals or not."""
    lower = octets.lower()
    return any(word in lower for word in words)


def columns_that_hold(engine: Engine, *words: str) -> list[str]:
    """Return the columns of the database, as `table.column`, in which one of these words stands."""
    sought = frozenset().union(*(spellings(word) for word in words))
    return sorted(set(_holding(engine, sought)))


def _holding(engine: Engine, sought: frozenset[bytes]) -> Iterator[str]:
    with reading(engine) as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(*map(_readable, table.columns))):
                for column, value in zip(table.columns, row, strict=True):
                    if value is not None and is_in(_unpacked(value), sought):
                        yield f"{table.name}.{column.name}"


def _readable(column: Column[object]) -> ColumnElement[object]:
    return column if isinstance(column.type, LargeBinary) else cast(column, Text)


def _unpacked(value: object) -> bytes:
    """Return a text as octets, or what was packed."""
    return zlib.decompress(value) if isinstance(value, bytes) else str(value).encode()
