"""The separator of a list is told by its first line."""

from __future__ import annotations

import pytest

from digest.domain.separators import separator_of


@pytest.mark.parametrize(
    ("beginning", "separator"),
    [
        ("", ","),
        ("email", ","),
        ("email;name\nben@x.org;a,b,c,d\n", ";"),
        ("\ufeff\r\n\r\nemail\tname, first\n", "\t"),
        ('"Email";Notes, tags, other\n', ";"),
        ("who;why, what, when\n", ","),
        # Old spreadsheets end a line with this alone.
        ("email;name\rben@x.org;a,b,c\rcarl@x.org;d,e,f\r", ";"),
    ],
)
def test_it_is_what_makes_columns_of_the_first_line(beginning: str, separator: str) -> None:
    assert separator_of(beginning, {"email", "name"}) == separator
