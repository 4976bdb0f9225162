from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.gather.feeds.formats import Entry, Feed, NotAFeed, read_feed
from tests.speed import costs_at_most

URL = "https://horizon.example/feed.xml"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def read(body: str | bytes, **options: str) -> Feed:
    raw = body.encode("utf-8") if isinstance(body, str) else body
    return read_feed(raw, url=URL, now=NOW, **options)


def rss(*items: str, head: str = "<title>Horizon</title><link>https://horizon.example/</link>") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"{head}{''.join(items)}</channel></rss>"
    )


def item(inner: str = "", *, link: str = "https://horizon.example/a-1", title: str = "A title") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{inner}</item>"


def atom(*entries: str) -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Weitblick</title>'
        f'<link href="https://weitblick.example/"/>{"".join(entries)}</feed>'
    )


def only(feed: Feed) -> Entry:
    (entry,) = feed.entries
    return entry


def test_an_rss_item_becomes_an_entry() -> None:
    feed = read(
        rss(
            item(
                "<description>Short.</description>"
                "<content:encoded><![CDATA[<p>The whole <b>story</b>, at length.</p>]]></content:encoded>"
                "<pubDate>Fri, 20 Nov 2026 09:30:00 +0100</pubDate><dc:creator>Anna Berg</dc:creator>"
                "<category>Energy</category><category> energy </category>"
                "<category>Grid &amp; power</category>"
                '<guid isPermaLink="false">tag:1</guid>',
                link="https://Horizon.example/a-1?utm_source=rss#top",
            ),
            head="<title>Horizon</title><link>https://horizon.example</link><language>en-GB</language>",
        )
    )
    assert (feed.title, feed.url, feed.language) == ("Horizon", "https://horizon.example/", "en")
    assert only(feed) == Entry(
        url="https://horizon.example/a-1",
        title="A title",
        published_at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        html="<p>The whole <b>story</b>, at length.</p>",
        categories=("Energy", "Grid & power"),
        author="Anna Berg",
        guid="tag:1",
    )


def test_an_atom_entry_becomes_an_entry() -> None:
    entry = only(
        read(
            atom(
                '<entry><title type="html">Strom &amp;amp; Gas</title><id>urn:1</id>'
                '<link rel="alternate" href="/2026/strom"/><link rel="self" href="https://other.example/x"/>'
                "<published>2026-11-19T06:00:00Z</published><updated>2026-11-21T06:00:00Z</updated>"
                '<author><name>Jan Weiß</name></author><category term="energie" label="Energie"/>'
                '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Ganz.</p></div></content>'
                "</entry>"
            )
        )
    )
    assert (entry.url, entry.title) == ("https://horizon.example/2026/strom", "Strom & Gas")
    assert entry.published_at == datetime(2026, 11, 19, 6, tzinfo=UTC)
    assert "<p>Ganz.</p>" in entry.html
    assert (entry.categories, entry.author, entry.language) == (("Energie",), "Jan Weiß", "de")


def test_an_rdf_feed_is_read() -> None:
    feed = read(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Old</title>'
        "<link>https://old.example/</link></channel><item rdf:about='https://old.example/1'><title>One</title>"
        "<link>https://old.example/1</link><dc:date>2026-11-01T00:00:00Z</dc:date></item></rdf:RDF>"
    )
    assert feed.title == "Old"
    assert only(feed).published_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_json_feed_is_read_with_its_own_dates_authors_and_links() -> None:
    feed = read(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "Tide & Time",
                "home_page_url": "https://tide.example",
                "language": "en-US",
                "items": [
                    {
                        "id": 7,
                        "url": "/posts/7?utm_medium=feed",
                        "title": "Is 3 < 5?",
                        "content_text": "First.\n\nSecond <b>.",
                        "date_published": "2026-11-20T10:00:00.123456789-05:00",
                        "authors": [{"name": "Mara"}, {"name": "Ole"}],
                        "tags": ["sea", "Sea", "tides"],
                    },
                    {"id": "https://tide.example/8", "summary": "Only a summary of it."},
                    {"id": "no link"},
                    "not an item",
                ],
            }
        )
    )
    assert (feed.title, feed.url, feed.language) == ("Tide & Time", "https://tide.example/", "en")
    first, second = feed.entries
    assert first == Entry(
        url="https://horizon.example/posts/7",
        title="Is 3 < 5?",
        published_at=datetime(2026, 11, 20, 15, 0, 0, 123456, tzinfo=UTC),
        html="<p>First.</p><p>Second &lt;b&gt;.</p>",
        categories=("sea", "tides"),
        author="Mara, Ole",
        guid="7",
    )
    assert (second.url, second.title) == ("https://tide.example/8", "Only a summary of it.")


def test_titles_are_plain_text() -> None:
    written = {
        "A &lt;b&gt;bold&lt;/b&gt; claim": "A bold claim",
        "<![CDATA[Fish &amp; <i>chips</i>]]>": "Fish & chips",
        "AT&amp;amp;T grows": "AT&T grows",
        "If 3 &amp;lt; 5": "If 3 < 5",
        "&lt;script&gt;alert(1)&lt;/script&gt; in a headline": "<script>alert(1)</script> in a headline",
        "Two\n   lines\u200b \ue000email\ue001 \u202eend": "Two lines email end",
    }
    feed = read(rss(*(item(link=f"https://h.example/{n}", title=t) for n, t in enumerate(written))))
    assert [entry.title for entry in feed.entries] == list(written.values())


def test_an_entry_without_a_title_takes_the_beginning_of_its_text() -> None:
    feed = read(rss("<item><link>https://h.example/1</link><description>Snow fell.</description></item>"))
    assert only(feed).title == "Snow fell."


@pytest.mark.parametrize(
    "date", ["Mon, 23 Nov 2026 12:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", "", "9999-99-99"]
)
def test_a_date_that_cannot_be_is_none(date: str) -> None:
    assert only(read(rss(item(f"<pubDate>{date}</pubDate>")))).published_at is None


def test_a_clock_that_is_a_little_fast_is_forgiven() -> None:
    feed = read(rss(item("<pubDate>Sun, 22 Nov 2026 12:10:00 GMT</pubDate>")))
    assert only(feed).published_at == NOW


def test_entries_that_lead_nowhere_or_twice_to_one_page_are_left_out() -> None:
    feed = read(
        rss(
            item(link="https://h.example/1", title="First"),
            item(link="https://h.example/1?utm_source=x", title="Again"),
            item(link="javascript:alert(1)"),
            "<item><title>No link</title></item>",
        )
    )
    assert [entry.title for entry in feed.entries] == ["First"]


def test_a_feed_without_entries_is_a_feed() -> None:
    assert read(rss()).entries == ()


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-8").replace(b"UTF-8", b"no-such-encoding"),
    ],
    ids=["utf-16", "latin-1", "byte order mark", "unknown encoding"],
)
def test_a_feed_is_read_in_the_encoding_it_is_in(encode: Callable[[str], bytes]) -> None:
    assert only(read(encode(rss(item(title="Grüße"))))).title == "Grüße"


@pytest.mark.parametrize(
    "damaged",
    [
        rss(item(title="Rock & roll &nbsp; more")),
        rss(item(title="Rock &amp; roll \x07 more")),
        rss(item(title="Rock &amp; roll more") + "<oops>"),
        rss(item(title="Rock &amp; roll more")).removesuffix("</channel></rss>"),
    ],
    ids=["bare ampersand and entity", "control character", "open tag", "cut off"],
)
def test_a_damaged_feed_is_mended(damaged: str) -> None:
    assert only(read(damaged)).title == "Rock & roll more"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "<!doctype html><html><head><title>All &amp; news</title>"
            '<link rel="alternate" type="application/rss+xml" href="/rss"></head></html>',
            r"an HTML page \(title 'All & news'\)\. It names the feed https://horizon\.example/rss: use that",
        ),
        ("<html><body>Hi</body></html>", "an HTML page.*add it as a page"),
        ("<?xml version='1.0'?><books/>", r"an XML document of another kind \(<books>\)"),
        ("<?xml version='1.0'?><urlset/>", "it is a sitemap"),
        ('{"items": []}', "a JSON document of another kind"),
        (
            '{"version": "https://jsonfeed.org/version/1", "items": [',
            "damaged JSON, from line 1, column 57",
        ),
        (
            '{"version": "https://jsonfeed.org/version/1", "items": 5}',
            "without a JSON Feed's version and items",
        ),
        ("Just some words.", "plain text"),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG picture"),
        (b"%PDF-1.7", "a PDF document"),
        ("  \n", "it is empty"),
        (b"\x00\x01\x02", "binary data"),
    ],
)
def test_what_is_not_a_feed_is_named_for_what_it_is(body: str | bytes, said: str) -> None:
    with pytest.raises(NotAFeed, match=said) as caught:
        read(body)
    assert str(caught.value).startswith(URL)
    assert isinstance(caught.value, InvalidInput)


XXE = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
MANY_ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(100_000))
LAUGHS = "<!DOCTYPE r [" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))


@pytest.mark.parametrize(
    "body",
    [
        XXE + rss(item(title="&x;")).partition("?>")[2],
        rss(item(title="&x;")).replace("?>", "?>" + XXE, 1),
        LAUGHS + "]><rss><channel><title>&l9;</title></channel></rss>",
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd"><rss version="2.0"><channel/></rss>',
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "rss.dtd" [<!ENTITY x "y">]>'
        + rss(item(title="&x;")),
        '<!DOCTYPE rss PUBLIC "-//Another//DTD//EN" "http://x.example/rss.dtd">' + rss(),
        '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><rss><channel/></rss>',
        XXE + "<rss><channel><item><title>&x;</title></oops>",
        (XXE + "<rss><channel/></rss>").encode("utf-16"),
    ],
)
def test_a_dtd_is_refused_however_it_is_written(body: str | bytes) -> None:
    with pytest.raises(NotAFeed):
        read(body)


def test_a_dtd_hidden_in_utf_7_is_text_and_not_a_dtd() -> None:
    hidden = b"+ADw-+ACE-DOCTYPE r+AD4-<rss><channel><title>x</title></channel></rss>"
    with pytest.raises(NotAFeed):
        read(b"<?xml version='1.0' encoding='utf-7'?>" + hidden)


def test_a_doctype_inside_an_article_is_only_text() -> None:
    text = "<description><![CDATA[<pre>&lt;p&gt; <!DOCTYPE html></pre>]]></description>"
    assert "<!DOCTYPE html>" in only(read(rss(item(text)))).html


HOSTILE = {
    "unclosed tags": rss(item("<a>" * 100_000)),
    "unclosed tags, within the limits": rss(item("<a>" * 4_900)),
    "nested tags": rss(item("<a>" * 100_000 + "</a>" * 100_000)),
    "items": rss(item() * 200_000),
    "as many items as are read": rss(item() * 5_000),
    "attributes": rss(f"<item {MANY_ATTRIBUTES}/>"),
    "attributes of an open tag": rss(f"<item {MANY_ATTRIBUTES}"),
    "attributes of many open tags": rss(f"<item {MANY_ATTRIBUTES[:8000]} " * 30),
    "empty tags": rss(item("<b/>" * 200_000)),
    "brackets": rss("<" * 1_000_000),
    "brackets, within the limits": rss("<" * 250_000),
    "ampersands": rss("&" * 1_000_000),
    "references": rss("&nbsp;" * 300_000),
    "quotes": rss('<a b="' * 300_000),
    "quotes, within the limits": rss('<a b="' * 40_000),
    "open CDATA": rss("<![CDATA[" * 100_000),
    "open comments": rss("<!--" * 200_000),
    "comments before the root": "<!---->" * 2_500 + "<x>",
    "open comments before the root": "<!-- " * 200_000 + "<rss>",
    "open instructions": "<?" * 500_000,
    "comments in a title": rss(item(title="<![CDATA[" + "<!--" * 200_000 + "]]>")),
    "over the size": "<rss>" + " " * 9_000_000,
    "a name that does not end": rss("<" + "a" * 1_000_000),
    "names that do not end": rss(("<" + "a" * 2_000 + " ") * 500),
    "tags escaped twice that do not end": rss(
        item("<description>" + "&amp;lt;p " * 100_000 + "</description>")
    ),
    "a long base for many links": "<feed xml:base='"
    + "a/" * 1_000
    + "'>"
    + "<entry><link href='c'/></entry>" * 5_000
    + "</feed>",
    "many bad links": rss(f"<item>{'<link>javascript:x</link>' * 40_000}</item>"),
    "nested arrays": '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 200_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_feed_costs_little_time(hostile: str) -> None:
    with costs_at_most(5), suppress(NotAFeed):
        read(hostile)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_feed_or_not_a_feed(body: bytes) -> None:
    with suppress(NotAFeed):
        read_feed(body, url=URL, now=NOW)


WHOLE = rss(
    item("<description>&lt;p&gt;x</description><pubDate>Fri, 20 Nov 2026 09:30:00 +0100</pubDate>"),
    item("<guid>a</guid><category>b</category>", link="/b"),
).encode()


@given(
    st.sampled_from([WHOLE, atom("<entry><link href='/a'/><title>t</title></entry>").encode()]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.binary(max_size=12)), max_size=4),
)
def test_a_feed_with_pieces_torn_out_is_a_feed_or_not_a_feed(
    body: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, length, piece in edits:
        body = body[:at] + piece + body[at + length :]
    try:
        feed = read_feed(body, url=URL, now=NOW)
    except NotAFeed:
        return
    assert all(entry.title and entry.url.startswith("http") for entry in feed.entries)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "id",
    "url",
    "title",
    "content_html",
    "content_text",
    "date_published",
    "tags",
    "authors",
    "language",
]


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), max_size=4), JSON)
def test_a_json_feed_of_any_values_is_read(items: list[object], title: object) -> None:
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": title, "items": items})
    feed = read_feed(body.encode("utf-8", "surrogatepass"), url=URL, now=NOW)
    assert all(entry.title for entry in feed.entries)
