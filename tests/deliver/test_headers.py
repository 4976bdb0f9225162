import email
import email.policy
from email.headerregistry import AddressHeader
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.deliver.headers import ascii_address, assert_headers, mailbox, structured, unstructured
from digest.domain.errors import InvalidInput, Refused

PRINTABLE = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], include_characters=" ")
SUBJECTS = st.text(PRINTABLE, min_size=1, max_size=150).map(lambda text: " ".join(text.split()) or "x")
CONTROLS = ("a\r\nBcc: x@example.org", "a\nb", "a\x00b", "a\x85b", "a\u2028b", "a\ud800b")
NO_HEADERS = (
    b"Subject: a\nBcc: b\r\n",
    b"Subject: a\r\n\r\nbody\r\n",
    b"Subject: \xc3\xa9\r\n",
    b"Subject: a\x00\r\n",
    b"Subject: a",
    b"",
)


def parsed(header: bytes, name: str) -> str:
    message = email.message_from_bytes(header + b"\r\n", policy=email.policy.default)
    assert message.keys() == [name]
    assert not message[name].defects
    return str(message[name])


@given(SUBJECTS)
@example("The Saturday Reader: The tidal array nobody can see has now run for a thousand days and more")
@example("Überraschung: der Strom kommt künftig aus dem Meer, und keiner hat es je gesehen")
@example("潮流発電所が千日間稼働した。潮流発電所が千日間稼働した。潮流発電所が千日間稼働した。")
@example("👩\u200d🚀" * 20)
@example("x" * 150)
@example("=?utf-8?q?fake?= word")
def test_a_subject_comes_back_as_it_was_from_short_lines(text: str) -> None:
    header = unstructured("Subject", text)
    assert all(len(line) <= 76 for line in header.split(b"\r\n"))
    assert parsed(header, "Subject") == text


def test_an_ascii_subject_stays_readable() -> None:
    assert unstructured("Subject", "Hello, world") == b"Subject: Hello, world\r\n"


@pytest.mark.parametrize("text", CONTROLS)
def test_a_control_character_in_a_subject_is_refused(text: str) -> None:
    """Encoded, it would pass every gateway and break the line where it is decoded (CVE-2024-6923)."""
    with pytest.raises(InvalidInput, match="control character"):
        unstructured("Subject", text)
    with pytest.raises(InvalidInput, match="control character"):
        mailbox("From", text, "a@example.org")


@given(SUBJECTS)
@example("Reader, Weekly")
@example('The "Reader"')
@example("back\\slash")
@example("Reader <evil@example.net>")
@example("=?utf-8?q?evil?=")
@example("Le Journal de l’été, édition du samedi matin et de toute la semaine passée au bord de la mer")
def test_a_display_name_never_changes_the_address(name: str) -> None:
    header = mailbox("From", name, "reader@news.example.org")
    assert all(len(line) <= 76 for line in header.split(b"\r\n"))
    message = email.message_from_bytes(header + b"\r\n", policy=email.policy.default)
    (address,) = cast(AddressHeader, message["From"]).addresses
    assert address.addr_spec == "reader@news.example.org"
    # Python 3.11 leaves the space between two encoded words of a name in place, against RFC 2047 §6.2.
    assert address.display_name.replace(" ", "") == name.replace(" ", "")


def test_a_mailbox_without_a_name_is_the_address() -> None:
    assert mailbox("Reply-To", "", "a@example.org") == b"Reply-To: <a@example.org>\r\n"


@pytest.mark.parametrize("block", NO_HEADERS)
def test_bytes_that_are_no_headers_are_stopped(block: bytes) -> None:
    with pytest.raises(InvalidInput, match="nothing was sent"):
        assert_headers(block)


def test_a_structured_header_that_breaks_the_line_is_stopped() -> None:
    with pytest.raises(InvalidInput):
        structured("List-Help", "<https://example.org>\r\nBcc: x@example.org")


def test_a_structured_header_that_no_line_holds_is_stopped() -> None:
    assert len(structured("List-Archive", f"<{'a' * 982}>")) == 1000
    with pytest.raises(InvalidInput, match="too long"):
        structured("List-Archive", f"<{'a' * 983}>")


@pytest.mark.parametrize(
    ("address", "ascii_form"),
    [
        ("reader@example.org", "reader@example.org"),
        ("o'brien+news@mail.example.org", "o'brien+news@mail.example.org"),
        ("reader@bücher.example", "reader@xn--bcher-kva.example"),
    ],
)
def test_an_international_domain_is_written_in_a_labels(address: str, ascii_form: str) -> None:
    assert ascii_address(address) == ascii_form


def test_an_international_local_part_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="SMTPUTF8"):
        ascii_address("lektør@example.org")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "reader",
        "reader@example.org\r\nBcc: x@example.org",
        "reader@example.org\n",
        "a@b@example.org",
        "reader @example.org",
        "reader@example.org, x@example.org",
        "<reader@example.org>",
        "@relay.example.org:reader@example.org",
        "reader@exam\x00ple.org",
        "reader\ud800@example.org",
        "reader@",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        ascii_address(address)
