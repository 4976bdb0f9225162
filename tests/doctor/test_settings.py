"""Keys, addresses and the language model that the settings name."""

from pathlib import Path

import pytest

from digest.doctor import examine, is_loopback
from digest.store.database import open_engine
from tests.doctor.looking import KEY, look
from tests.stored import stored_newsletter

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(("key", "is_well"), [("", False), ("k" * 31, False), (KEY, True)])
def test_a_secret_key_has_at_least_32_characters(key: str, is_well: bool) -> None:
    found = look("secret key", secret_key=key)
    assert found.is_well is is_well
    assert key not in found.found or not key


@pytest.mark.parametrize(
    ("url", "mail", "is_well", "words"),
    [
        ("https://digest.example.org", "maildir:outbox", True, ""),
        ("http://digest.example.org", "maildir:outbox", True, "https"),
        ("http://127.0.0.1:8000", "maildir:outbox", True, ""),
        ("http://127.0.0.1:8000", "smtp://0.0.0.0:1", True, "public_url"),
        ("digest.example.org", "maildir:outbox", False, "https://digest.example.org"),
        ("ftp://digest.example.org", "maildir:outbox", False, "public_url"),
    ],
)
def test_the_public_address_is_one_that_readers_can_open(
    url: str, mail: str, is_well: bool, words: str
) -> None:
    found = look("public address", public_url=url, mail_url=mail)
    assert found.is_well is is_well
    assert words in found.advice
    assert bool(words) == bool(found.advice)


@pytest.mark.parametrize("host", ["localhost", "digest.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("digest.example.org")
    assert not is_loopback("10.0.0.1")


def test_the_sender_of_mail_to_accounts_is_looked_at_where_there_is_one() -> None:
    assert "sender to accounts" not in [check.what for check in examine()]
    found = look("sender to accounts", accounts_email="desk@news.example.org")
    assert (found.is_well, found.found) == (True, "desk@news.example.org")


def test_a_language_model_is_told_once_somebody_wants_one_and_never_asked(folder: Path) -> None:
    assert "language model" not in [check.what for check in examine()]
    model = {"llm_provider": "openai", "llm_model": "model-7", "llm_api_key": "hunter2"}
    prices = {"llm_input_price": "3", "llm_output_price": "15"}
    unasked = look("language model", **model, **prices)
    assert unasked.is_well
    assert "digest newsletter change" in unasked.advice
    assert "llm_input_price" in look("language model", **model).advice
    newsletter = stored_newsletter(open_engine("sqlite:///digest.db"), llm=True)
    assert look("language model", **model, **prices).advice == ""
    missing = look("language model")
    assert not missing.is_well
    assert newsletter.slug in missing.found
    assert "llm_provider" in missing.advice
    assert "hunter2" not in str(unasked)
