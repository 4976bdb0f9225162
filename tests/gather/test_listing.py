from __future__ import annotations

import pytest

from digest.domain.errors import InvalidInput
from digest.gather.listing import advertised_feeds, article_links

URL = "https://www.valley.example/news/"

PAGE = b"""<!doctype html><html><head><title>Valley</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml">
<link rel="alternate" type="application/atom+xml" href="https://www.valley.example/atom.xml">
<link rel="alternate" hreflang="de" href="/de/">
</head><body>
<header><nav><a href="/news/">News</a>
<a href="/a-long-link-in/the-navigation">A long link in the navigation</a></nav></header>
<main>
  <article><a href="/2026/bridge-opens"><img alt="" src="/b.jpg"></a>
    <h2><a href="/2026/bridge-opens?utm_source=front#top">Bridge opens</a></h2>
    <a href="/2026/bridge-opens">Read more</a></article>
  <article><h2>
    <a href="https://valley.example/2026/school-roof">School roof leaks again</a></h2>
    <a href="/author/anna-berg">Anna Berg</a>
    <a href="/tag/schools">Everything about our schools</a></article>
  <div class="teaser"><a href="2026/river-level">River level falls for the third week in a row</a></div>
  <p>
  <a href="https://elsewhere.example/story/one">A story that stands on another site entirely</a></p>
  <p><a href="/2026/report.pdf">The full report as a file to download</a></p>
  <p><a href="/about-us">About us</a>
    <a href="mailto:desk@valley.example">Write to the desk of this paper</a></p>
</main>
<aside class="sidebar"><a href="/2019/popular-once">What was popular once upon a time</a></aside>
<footer><a href="/terms">The terms and conditions of this site</a></footer>
</body></html>"""


def test_headlines_are_found_in_page_order_each_once_and_canonical() -> None:
    assert article_links(PAGE, url=URL, pattern=None) == (
        "https://www.valley.example/2026/bridge-opens",
        "https://valley.example/2026/school-roof",
        "https://www.valley.example/news/2026/river-level",
    )


def test_a_pattern_decides_alone_which_links_of_the_site_are_articles() -> None:
    assert article_links(PAGE, url=URL, pattern=r"/20\d\d/[a-z-]+$") == (
        "https://www.valley.example/2026/bridge-opens",
        "https://valley.example/2026/school-roof",
        "https://www.valley.example/news/2026/river-level",
        "https://www.valley.example/2019/popular-once",
    )


def test_links_are_relative_to_the_base_the_page_names() -> None:
    page = b'<base href="https://www.valley.example/x/"><h2><a href="story">A story to be told</a></h2>'
    assert article_links(page, url=URL) == ("https://www.valley.example/x/story",)


def test_a_page_without_articles_has_no_links() -> None:
    assert article_links(b"", url=URL) == ()
    assert article_links(b"<p>Nothing here.</p>", url=URL) == ()


def test_a_pattern_that_is_not_one_is_refused_with_an_example() -> None:
    with pytest.raises(InvalidInput, match=r"link pattern '\*\.html' is not a regular expression.*/news/"):
        article_links(PAGE, url=URL, pattern="*.html")


def test_the_feeds_a_page_names_are_found() -> None:
    assert advertised_feeds(PAGE, url=URL) == (
        "https://www.valley.example/feed.xml",
        "https://www.valley.example/atom.xml",
    )
