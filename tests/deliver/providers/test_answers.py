"""Whatever an answer says, it is read: nothing in it can stop a send, or pass for a mail that was taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from digest.deliver.headers import printable
from digest.deliver.providers import open_provider
from digest.deliver.providers.http import Answer
from digest.deliver.providers.verdicts import Meaning
from digest.domain.errors import Refused, Unavailable

URLS = ("ses://eu-central-1", "postmark:", "mailgun://mg.example.org", "sendgrid:")

_NAMES = st.sampled_from(
    [
        "MessageId",
        "MessageID",
        "id",
        "ErrorCode",
        "Message",
        "message",
        "__type",
        "errors",
        "field",
        "scopes",
        "SendQuota",
        "MaxSendRate",
        "SendingEnabled",
        "Name",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800\r\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)
_ANSWERS = st.builds(
    Answer,
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(["x-message-id", "retry-after", "x-amzn-errortype"]), st.text()),
    st.builds(lambda value: json.dumps(value).encode(), _VALUES) | st.binary(max_size=40),
)


def assert_shown(text: str) -> None:
    """It can stand in a column of a database and in a line of a log."""
    assert text == printable(text)
    assert 0 < len(text.encode()) < 1_200


@pytest.mark.parametrize("url", URLS)
@given(answer=_ANSWERS)
def test_every_answer_has_a_meaning_that_can_be_shown(url: str, answer: Answer) -> None:
    verdict = open_provider(url, SecretStr("a:b"))._provider.verdict(answer)
    assert_shown(verdict.text)
    assert verdict.status == answer.status
    if verdict.meaning is Meaning.TAKEN:
        assert 200 <= answer.status < 300
        scheme, _, name = verdict.text.partition(":")
        assert (scheme, bool(name)) == (url.partition(":")[0], True)


@pytest.mark.parametrize("url", URLS)
@given(answer=_ANSWERS)
def test_every_answer_to_a_greeting_is_one_of_three(url: str, answer: Answer) -> None:
    try:
        told = open_provider(url, SecretStr("a:b"))._provider.greeted(answer)
    except (Refused, Unavailable) as exc:
        told = str(exc)
    assert_shown(told)
