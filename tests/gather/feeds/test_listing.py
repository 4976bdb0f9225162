from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.gather.feeds.listing import advertised_feeds, article_links, learn_pattern, linked_feeds

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


def test_links_that_look_like_feeds_are_found_by_address_or_by_name() -> None:
    page = (
        b'<a href="/feed/">All</a><a href="/x">RSS</a><a href="/sport.rss">Sport</a>'
        b'<a href="/feedback">Write</a>'
        b'<a href="?feed=rss2">2</a><a href="/y" type="application/atom+xml">y</a><a href="/news">News</a>'
    )
    assert [url.removeprefix("https://www.valley.example") for url in linked_feeds(page, url=URL)] == [
        "/feed/",
        "/x",
        "/sport.rss",
        "/news/?feed=rss2",
        "/y",
    ]


def listed(*links: tuple[str, str], before: str = "", head: str = "") -> bytes:
    """A page of headlines, with the navigation and the footer that pages have."""
    items = "".join(f'<article><h2><a href="{href}">{text}</a></h2></article>' for href, text in links)
    return (
        f"<html><head>{head}</head><body><nav><a href='/'>Home</a><a href='/sport/'>Sport</a></nav>"
        f"<main>{before}{items}</main><footer><a href='/about-us'>About us</a>"
        "<a href='/privacy-policy'>Privacy</a>"
        "<a href='/newsletter/sign-up'>Sign up for our daily letter today</a></footer></body></html>"
    ).encode()


HEADLINES = (
    "Bridge opens after nine years",
    "School roof leaks once again",
    "River level falls for the third week",
    "A museum for things that failed",
    "Who pays for the night ferries",
)
SLUGS = ("bridge-opens", "school-roof-leaks", "river-level-falls", "museum-of-failure", "night-ferries")
LISTINGS = {
    "a news front page with sections": (
        listed(
            *((f"/{section}/{slug}-{number}", text) for section, slug, text, number in zip(
                ("politics", "sport", "politics", "culture", "economy"), SLUGS, HEADLINES,
                range(10400, 10405), strict=True)),
            before='<a href="/author/anna-berg">Anna Berg writes about the valley</a>',
        ),
        ("/politics/rates-rise-10999", "/culture/choir-10412"),
        ("/author/anna-berg", "/sport/", "/politics/"),
    ),
    "a blog's index with years and months": (
        listed(*((f"/2026/{month:02}/{slug}/", text) for month, (slug, text) in enumerate(
            zip(SLUGS, HEADLINES, strict=True), 1))),
        ("/2027/01/what-is-new/",),
        ("/2026/", "/2026/11/", "/about-us"),
    ),
    "an archive with whole days": (
        listed(*((f"/2026/11/{day}/{slug}", text) for day, slug, text in zip(
            range(10, 15), SLUGS, HEADLINES, strict=True)),
            before="<a href='/2026/10/'>October</a><a href='/2026/11/page/2'>Older entries of this list</a>"),
        ("/2026/12/01/ice",),
        ("/2026/10/", "/2026/11/page/2"),
    ),
    "press releases by date and number": (
        listed(*((f"/press/release-2026-11-{day}-{day}417.html", text) for day, text in zip(
            range(10, 15), HEADLINES, strict=True))),
        ("/press/release-2026-12-01-99417.html",),
        ("/press/", "/press/contact.html"),
    ),
    "a content management system with ids": (
        listed(*((f"/index.php?id={number}&amp;view=article", text) for number, text in zip(
            range(310, 315), HEADLINES, strict=True))),
        ("/index.php?id=99&view=article",),
        ("/index.php", "/index.php?view=list"),
    ),
    "names right under the root": (
        listed(*((f"/{slug}/", text) for slug, text in zip(SLUGS, HEADLINES, strict=True))),
        ("/something-quite-new/",),
        ("/about-us", "/privacy-policy", "/sport/"),
    ),
    "numbers alone": (
        listed(*((f"/story/{number}", text) for number, text in zip(
            range(8810, 8815), HEADLINES, strict=True))),
        ("/story/9000",),
        ("/story/archive", "/sport/"),
    ),
    "mobile pages": (
        listed(*((f"/news/{slug}.amp", text) for slug, text in zip(SLUGS, HEADLINES, strict=True))),
        ("/news/next-one.amp",),
        ("/news/", "/news/next-one.pdf"),
    ),
    "relative links": (
        listed(*((f"{number}-{slug}.html", text) for number, slug, text in zip(
            range(700, 705), SLUGS, HEADLINES, strict=True))),
        ("/news/705-rye-returns.html",),
        ("/news/index.html", "/705-rye-returns.html"),
    ),
    "links relative to a base": (
        listed(*((f"items/{slug}", text) for slug, text in zip(SLUGS, HEADLINES, strict=True)),
            head="<base href='https://www.valley.example/paper/'>"),
        ("/paper/items/one-more",),
        ("/news/items/one-more", "/paper/"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("page", "others", "not_these"), LISTINGS.values(), ids=LISTINGS)
def test_the_pattern_of_articles_is_learnt_from_a_page_that_lists_them(
    page: bytes, others: tuple[str, ...], not_these: tuple[str, ...]
) -> None:
    learnt = learn_pattern(page, url=URL)
    assert learnt is not None
    assert len(learnt.takes) == len(HEADLINES)
    assert article_links(page, url=URL) == learnt.takes
    assert article_links(page, url=URL, pattern=learnt.pattern) == learnt.takes
    matches = re.compile(learnt.pattern).search
    assert [other for other in others if not matches(f"https://www.valley.example{other}")] == []
    assert [other for other in not_these if matches(f"https://www.valley.example{other}")] == []
    assert "https://www.valley.example/about-us" in learnt.leaves
    assert not set(learnt.takes) & set(learnt.leaves)


def test_a_short_headline_is_taken_when_its_address_is_like_the_others() -> None:
    page = listed(
        *(
            (f"/news/{n}417-{slug}", text)
            for n, (slug, text) in enumerate(zip(SLUGS, HEADLINES, strict=True))
        ),
        before='<a href="/news/99417-rain">Rain</a>',
    )
    assert "https://www.valley.example/news/99417-rain" in article_links(page, url=URL)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        listed(*zip(("/a/b/one-two-three", "/x", "/2026/1", "/q?id=4"), HEADLINES[:4], strict=True)),
        listed(*((f"https://elsewhere.example/{slug}", "A headline on another site") for slug in SLUGS)),
    ],
    ids=["empty", "no two alike", "another site's"],
)
def test_nothing_is_learnt_where_the_links_share_nothing(page: bytes) -> None:
    assert learn_pattern(page, url=URL) is None


@given(st.lists(st.text("ab-1/?=&._~%20", max_size=30), min_size=4, max_size=30))
def test_what_is_learnt_from_any_links_is_a_pattern_that_takes_some_of_them(paths: list[str]) -> None:
    page = listed(*((f"/{path}", "Five words that make a headline") for path in paths))
    learnt = learn_pattern(page, url=URL)
    assert learnt is None or set(article_links(page, url=URL, pattern=learnt.pattern)) == set(learnt.takes)
