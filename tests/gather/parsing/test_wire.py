from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.articles import Article, Block, BlockKind, DateOrigin, Image, TextOrigin
from digest.domain.errors import NotFound, Refused
from digest.domain.sources import SourceId
from digest.gather.feeds.entries import Feed, NotAFeed
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.listing import article_links
from digest.gather.pages.extract import read_page
from digest.gather.parsing.wire import codec_of, read, read_error, return_type, written, written_error

TEXTS = st.text(st.characters())  # lone surrogates too: JSON feeds can hold them
ARTICLES = st.builds(
    Article,
    url=TEXTS,
    title=TEXTS,
    blocks=st.lists(st.builds(Block, st.sampled_from(BlockKind), TEXTS), max_size=4).map(tuple),
    language=st.none() | TEXTS,
    published_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    published_by=st.sampled_from(DateOrigin),
    image=st.none() | st.builds(Image, TEXTS, TEXTS),
    text_origin=st.sampled_from(TextOrigin),
    categories=st.lists(TEXTS, max_size=3).map(tuple),
    is_partial=st.booleans(),
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=14) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(ARTICLES)
def test_an_article_comes_out_as_it_went_in(article: Article) -> None:
    assert read(written(article, Article), Article) == article


@given(PLAIN | st.lists(PLAIN, min_size=14, max_size=14))
def test_whatever_else_is_said_is_no_article(plain: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the words are of many kinds)
        read(json.dumps(plain).encode(), Article)


@given(st.binary())
def test_bytes_that_are_no_json_are_a_value_error(noise: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the words are of many kinds)
        read(noise, Feed)
    with pytest.raises(ValueError):  # noqa: PT011 (the words are of many kinds)
        read_error(noise)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ((1, "a"), tuple[int, str]),
        (["a", None], list[str | None]),
        (frozenset({1, 2}), frozenset[int]),
        ({"a": (1.5,)}, dict[str, tuple[float, ...]]),
        (SourceId(7), SourceId),
        ((True, 1, "1", BlockKind.CODE), tuple[bool | int | str | BlockKind, ...]),
        (None, type(None)),
    ],
)
def test_plain_values_and_collections_keep_their_types(value: object, hint: object) -> None:
    back = read(written(value, hint), hint)
    assert (back, type(back)) == (value, type(value))
    if isinstance(value, tuple):
        assert [type(part) for part in back] == [type(part) for part in value]


@pytest.mark.parametrize("function", [read_page, read_feed, article_links])
def test_our_readers_answer_with_what_can_cross(function: object) -> None:
    assert return_type(function)  # type: ignore[arg-type]


@pytest.mark.parametrize("hint", [object, bytes, type, complex, list[object]])
def test_no_other_type_crosses(hint: object) -> None:
    with pytest.raises(TypeError, match="cannot be answered by a parser process"):
        codec_of(hint)


def test_a_number_is_no_truth_value_and_text_no_number() -> None:
    for plain, hint in ((1, bool), (True, int), ("1", int), (1.5, int), (None, str)):
        with pytest.raises(ValueError, match=f"instead of {hint.__name__}"):
            read(json.dumps(plain).encode(), hint)


def test_an_error_of_ours_keeps_its_words_cause_for_action_and_attributes() -> None:
    error = NotAFeed("https://meridian.example.org is not a feed")
    error.feeds = ("https://meridian.example.org/feed",)  # type: ignore[attr-defined]
    error.seen_at = datetime(2026, 11, 18)  # type: ignore[attr-defined]
    back = read_error(written_error(error))
    assert (type(back), str(back), vars(back)) == (NotAFeed, str(error), vars(error))


def test_an_error_that_is_not_ours_is_not_made() -> None:
    told = written_error(NotFound("no such source")).replace(b"digest.domain.errors:NotFound", b"os:system")
    with pytest.raises(ValueError, match="no error of ours"):
        read_error(told)


def test_an_attribute_that_cannot_cross_is_said_so() -> None:
    error = Refused("no")
    error.hook = print  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="is none of"):
        written_error(error)
