import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address, parse_new_address


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


def test_one_that_lost_a_letter_does_not_come_in_and_can_be_found_where_it_did() -> None:
    maimed = "ann\N{REPLACEMENT CHARACTER}@example.org"
    with pytest.raises(InvalidInput, match="is not an e-mail address: a letter of it was lost"):
        parse_new_address(maimed)
    assert parse_address(maimed) == maimed
    assert parse_new_address(" Ann@Example.org ") == "Ann@example.org"


@given(
    st.from_regex(r"\A[A-Za-z0-9._+'-]{1,66}\Z", fullmatch=True),
    st.from_regex(r"\A[A-Za-z0-9.-]{1,40}\.(?:org|test|local|xn--p1ai|c|42)\Z", fullmatch=True),
)
@example("postmaster", "example.org")
@example("anna", "xn--a.org")
@example("anna", "a..org")
@example("anna", f"{'a' * 63}.{'b' * 63}.{'c' * 20}.org")
@settings(max_examples=300, deadline=None)
def test_a_plain_address_is_judged_as_every_other_is(local: str, domain: str) -> None:
    try:
        judged = validate_email(
            f"{local}@{domain}", check_deliverability=False, test_environment=True, strict=True
        )
        fit = f"{judged.local_part}@{judged.ascii_domain}"
    except EmailNotValidError:
        fit = ""
    try:
        found = parse_address(f"{local}@{domain}")
    except InvalidInput:
        found = ""
    assert found == fit
