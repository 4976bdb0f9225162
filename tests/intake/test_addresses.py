import pytest

from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" anna@example.org ", "anna@example.org"),
        ("Anna.B+news@Example.ORG", "Anna.B+news@example.org"),
        ("anna@bücher.example.org", "anna@xn--bcher-kva.example.org"),
        ("anna@mail.test", "anna@mail.test"),
    ],
)
def test_an_address_is_kept_as_typed_with_its_domain_in_ascii(typed: str, kept: str) -> None:
    assert parse_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "anna",
        "anna@",
        "@example.org",
        "anna@localhost",
        "anna@example.org\nBcc: ben@example.org",
        "anna@[127.0.0.1]",
        "an na@example.org",
        "anna@example.org,ben@example.org",
        f"{'a' * 65}@example.org",
        f"anna@{'a' * 64}.org",
        "anna@example\x00.org",
    ],
)
def test_what_is_no_mailbox_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="is not an e-mail address"):
        parse_address(typed)
