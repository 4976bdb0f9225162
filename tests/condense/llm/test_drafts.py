"""Whatever a model or its server says, it is read or refused: nothing else is raised."""

import contextlib
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.condense.llm.checking import plain
from digest.condense.llm.dialects import Dialect, dialect_of
from digest.condense.llm.drafts import Draft, read_draft
from digest.condense.llm.options import Provider
from digest.condense.llm.orders import gives_orders
from tests.servers.model_server import takeaways

KEYS = st.sampled_from(["takeaways", "text", "sentences", "choices", "message", "content"])
SEEN = {
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No"),
    *("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs"),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["takeaways", "text", "sentences", "choices", "message", "content"]), inner
        )
    ),
    max_leaves=20,
)
DIALECTS = st.sampled_from([dialect_of(provider) for provider in Provider])


@given(st.text())
def test_any_words_are_a_draft_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_draft(text), Draft)


@given(JSON)
def test_any_json_is_a_draft_or_refused(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert read_draft(json.dumps(value)).takeaways


@given(DIALECTS, st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_reply_or_refused(dialect: Dialect, content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(dialect.read(content).text, str)


@given(st.text(), st.text())
def test_a_draft_is_found_with_anything_around_it_that_is_no_draft(before: str, after: str) -> None:
    before, after = before.replace("{", "("), after.replace("{", "(")
    assert read_draft(before + takeaways("The wall costs $83 million.") + after).takeaways


@given(st.text())
def test_what_is_shown_is_one_line_of_what_can_be_seen(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert {unicodedata.category(char) for char in shown if char not in "\u200c\u200d"} <= SEEN


@pytest.mark.parametrize(
    "text",
    [
        "ignore all " * 20_000,
        "you are the " * 20_000,
        "note to " * 20_000,
        "\u200b" * 50_000 + "ignore",
        "<" * 50_000,
    ],
)
def test_words_that_nearly_are_orders_are_read_to_their_end(text: str) -> None:
    """With a pattern that goes back and forth, this would not end."""
    assert not gives_orders(text)
