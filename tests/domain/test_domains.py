"""Names of domains in either form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.domains import ascii_domain, unicode_domain
from digest.intake.addresses import parse_address


@pytest.mark.parametrize(
    ("written", "in_ascii"),
    [
        ("example.org", "example.org"),
        ("Bücher.Example.org", "xn--bcher-kva.example.org"),
        ("straße.example.org", "xn--strae-oqa.example.org"),
        ("例え。example。org", "xn--r8jz45g.example.org"),
        ("xn--bcher-kva.example.org", "xn--bcher-kva.example.org"),
        ("bu\u0308cher.example.org", "xn--bcher-kva.example.org"),
    ],
)
def test_a_domain_is_read_as_addresses_are(written: str, in_ascii: str) -> None:
    assert ascii_domain(written) == in_ascii
    assert parse_address(f"ada@{written}") == f"ada@{in_ascii}"


@pytest.mark.parametrize(
    ("in_ascii", "written"),
    [
        ("xn--bcher-kva.example.org", "bücher.example.org"),
        ("xn--strae-oqa.example.org", "straße.example.org"),
        ("example.org", "example.org"),
        ("xn--.example.org", ".example.org"),
        ("xn--a-\x80.org", "xn--a-\x80.org"),
    ],
)
def test_a_domain_is_told_as_people_write_it(in_ascii: str, written: str) -> None:
    assert unicode_domain(in_ascii) == written


@given(st.text(st.sampled_from("xn-.abz0189ü"), max_size=20))
def test_whatever_is_asked_has_an_answer_that_can_be_stored(text: str) -> None:
    assert ascii_domain(text).isascii()
    unicode_domain(f"xn--{text}").encode()
