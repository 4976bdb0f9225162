import pytest

from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SkipReason, email_key
from digest.domain.topics import slug


@pytest.mark.parametrize("text", ["a", "climate", "a-b-c", "2026", "x9"])
def test_a_short_name_is_taken_as_it_is(text: str) -> None:
    assert slug(text) == text


@pytest.mark.parametrize("text", ["", "A", "a--b", "-a", "a-", "a b", "ä", "a\n", "a_b", "a;b", "a:b"])
def test_what_is_no_short_name_is_told_the_rule(text: str) -> None:
    with pytest.raises(InvalidInput, match="use lower-case letters, digits and single hyphens"):
        slug(text)


def test_spellings_of_one_mailbox_share_a_key() -> None:
    assert email_key(" Anna.B@Example.ORG ") == email_key("anna.b@example.org") == "anna.b@example.org"
    assert email_key("anna@example.org") != email_key("ann.a@example.org")


def test_every_reason_to_skip_has_words() -> None:
    assert all(reason.in_words for reason in SkipReason)
