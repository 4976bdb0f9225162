from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.gather.urls import canonical_url, comparison_key, given_url, is_http_url, joined, same_site

URLS = {
    "HTTP://News.Example.COM:80/Story": "http://news.example.com/Story",
    "https://example.com:443": "https://example.com/",
    "https://example.com:8443/a": "https://example.com:8443/a",
    "  https://example.com/a \n": "https://example.com/a",
    "https://example.com./a": "https://example.com/a",
    "https://example.com/a#comments": "https://example.com/a",
    "https://example.com/a?": "https://example.com/a",
    "https://example.com/a?utm_source=x&utm_medium=y": "https://example.com/a",
    "https://example.com/a?id=7&fbclid=abc&page=2": "https://example.com/a?id=7&page=2",
    "https://example.com/a?b=2&a=1": "https://example.com/a?b=2&a=1",
    "https://example.com/a?UTM_Campaign=x&gclid=1&mc_cid=2&mc_eid=3": "https://example.com/a",
    "https://example.com/a?ref=rss": "https://example.com/a",
    "https://example.com/a?ref=main": "https://example.com/a?ref=main",
    "https://bücher.example/straße": "https://xn--bcher-kva.example/stra%C3%9Fe",
    "https://example.com/a b": "https://example.com/a%20b",
    "https://example.com/2026/11/a-story/amp": "https://example.com/2026/11/a-story",
    "https://example.com/2026/11/a-story/amp/": "https://example.com/2026/11/a-story/",
    "https://example.com/a-story?amp=1&outputType=amp": "https://example.com/a-story",
    "https://example.com/guitars/amp": "https://example.com/guitars/amp",
    "https://news-example-com.cdn.ampproject.org/c/s/news.example.com/a-1": "https://news.example.com/a-1",
    "https://www.google.com/amp/s/news.example.com/a-1": "https://news.example.com/a-1",
    "https://example.com/a/../b/./c": "https://example.com/b/c",
    "https://m.example.com/a/": "https://m.example.com/a/",
    "https://example.com/a;jsessionid=0A1B2C?PHPSESSID=abc&b=1": "https://example.com/a?b=1",
    "https://example.com/a?sid=0123456789abcdef0123456789abcdef": "https://example.com/a",
    "https://example.com/a?sid=12": "https://example.com/a?sid=12",
    "https://example.com/#!/2026/a-story": "https://example.com/#!/2026/a-story",
    "https://example.com/a#!": "https://example.com/a",
    "http://[2001:DB8::1]:80/a": "http://[2001:db8::1]/a",
}


@pytest.mark.parametrize(("written", "canonical"), URLS.items())
def test_every_way_to_write_a_url_has_one_canonical_form(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize("url", URLS)
def test_canonical_form_is_its_own_canonical_form(url: str) -> None:
    assert canonical_url(canonical_url(url)) == canonical_url(url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "htp://x",
        "example.com/a",
        "/a",
        "mailto:anna@example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "http://",
        "http:///a",
        "http://exa mple.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://１２７.0.0.1/",
        "http://a\tb.example/",
        "https://example.com/" + "a" * 3000,
    ],
)
def test_what_is_no_http_url_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        canonical_url(text)
    assert text[:20].strip().split("\t")[0] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://ada:secret@example.com/",
        "https://ada:secret@example.com:99999/",
        "ftp://ada:secret@example.com/",
        "http://ada.example.com\\@example.org/",
        "http://ada:sec/ret@example.com/secret",
        "http://ada:sec ret@exa mple.com/",
        "http://secret@[::1/",
        "feed://ada:secret@example.com/",
    ],
)
def test_a_password_is_never_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        given_url(text)
    told = str(caught.value)
    assert "sec" not in told.partition("…@")[0]
    assert "ada" not in told
    if text.startswith(("http://ada:secret", "feed:")):
        assert told == (
            "'http://…@example.com/' carries a user name or password, with which nothing is fetched: "
            "leave it out"
        )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" https://example.com/feed ", "https://example.com/feed"),
        ("feed://example.com/feed", "http://example.com/feed"),
        ("feed:https://example.com/feed", "https://example.com/feed"),
        ("feed://https://example.com/feed", "https://example.com/feed"),
        ("FEED:http://example.com/feed", "http://example.com/feed"),
    ],
)
def test_addresses_made_for_feed_readers_are_read_as_what_they_mean(text: str, meant: str) -> None:
    assert given_url(text) == meant


def test_an_address_that_no_column_holds_is_refused_whatever_its_canonical_form() -> None:
    with pytest.raises(InvalidInput, match="is longer than 2048 characters"):
        given_url(f"https://example.org/feed?utm_source={'x' * 2048}")


def test_an_address_without_its_scheme_says_so() -> None:
    with pytest.raises(InvalidInput, match="give the whole address, with https:// before it"):
        given_url("example.com/feed")


def test_is_http_url_tells_web_addresses_from_others() -> None:
    assert is_http_url("https://example.com/feed")
    assert not is_http_url("htp://x")


def test_a_relative_link_is_resolved_and_made_canonical() -> None:
    base = "https://example.com/news/index.html"
    assert joined(base, "../a?utm_source=x#top") == "https://example.com/a"
    assert joined(base, "//cdn.example.org/b") == "https://cdn.example.org/b"
    assert joined(base, "javascript:alert(1)") is None
    assert joined(base, "https://[") is None


def test_hosts_of_one_site_belong_together_and_ports_part_them() -> None:
    assert same_site("https://www.example.com/a", "https://example.com/b")
    assert same_site("https://m.example.com/a", "https://www.example.com/b")
    assert same_site("https://blog.example.com/a", "https://example.com/")
    assert not same_site("https://example.com/a", "https://badexample.com/a")
    assert not same_site("http://127.0.0.1:8001/a", "http://127.0.0.1:8002/a")


@given(st.text(max_size=80) | st.text(max_size=80).map("http://{}".format))
def test_any_text_is_a_url_with_a_stable_canonical_form_or_refused(text: str) -> None:
    try:
        canonical = canonical_url(text)
    except InvalidInput:
        return
    assert canonical_url(canonical) == canonical
    assert canonical.isascii()


@pytest.mark.parametrize(
    "other",
    [
        "http://example.com/2026/a-story",
        "https://www.example.com/2026/a-story",
        "https://m.example.com/2026/a-story/",
        "https://amp.example.com/2026/a-story/amp",
        "https://example.com/2026/a-story/index.html",
        "https://example.com//2026/a-story?print=1",
        "https://example.com/2026/a-story/print/",
        "https://example.com/2026/a%2Dstory?utm_source=x",
    ],
)
def test_addresses_that_one_article_may_have_compare_as_one(other: str) -> None:
    assert comparison_key(other) == comparison_key("https://example.com/2026/a-story")


def test_the_order_of_parameters_does_not_tell_articles_apart_but_their_values_do() -> None:
    key = comparison_key("https://example.com/a?id=7&lang=de")
    assert key == comparison_key("https://example.com/a?lang=de&id=7")
    assert key != comparison_key("https://example.com/a?id=8&lang=de")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a", "https://example.com/b"),
        ("https://example.com/a", "https://example.org/a"),
        ("https://example.com/a", "https://news.example.com/a"),
        ("https://example.com/a", "https://example.com:8443/a"),
        ("https://example.com/#!/a", "https://example.com/#!/b"),
        ("https://example.com/print", "https://example.com/"),
        ("https://example.com/a?view=list", "https://example.com/a"),
    ],
)
def test_addresses_of_two_articles_never_compare_as_one(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


_PARTS = st.text(st.characters(codec="utf-8", exclude_characters="#?"), max_size=12)


@given(st.builds("https://example.com/{}/{}?{}={}#{}".format, _PARTS, _PARTS, _PARTS, _PARTS, _PARTS))
def test_the_comparison_key_of_the_canonical_form_is_that_of_the_address(url: str) -> None:
    try:
        canonical = canonical_url(url)
    except InvalidInput:
        return
    assert canonical_url(canonical) == canonical
    assert comparison_key(canonical) == comparison_key(url)


@given(st.text(max_size=60).map("http://{}".format) | st.text(max_size=60))
def test_no_text_makes_a_comparison_key_fail_but_as_invalid_input(text: str) -> None:
    try:
        assert comparison_key(text)
    except InvalidInput:
        return
