from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from digest.domain.errors import InvalidInput
from digest.domain.sources import Excerpt, SourceKind
from digest.gather.feeds.opml import OpmlList, OpmlSource, read_opml, write_opml
from digest.gather.plain import plain_line

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head><title>Mine</title></head>
  <body>
    <outline text="News">
      <outline text="Europe">
        <outline type="rss" text="Horizon" xmlUrl="https://horizon.example/feed" htmlUrl="https://h.example"/>
      </outline>
      <outline type="rss" title="Tide &amp; Time" text="ignored" xmlurl=" https://tide.example/feed.json "/>
    </outline>
    <outline text="A note without a feed"/>
    <outline type="rss" xmlUrl="https://bare.example/rss"/>
    <outline type="rss" text="Horizon again" xmlUrl="https://horizon.example/feed"/>
  </body>
</opml>
"""


def read(text: str | bytes) -> tuple[OpmlSource, ...]:
    return listed(text).sources


def listed(text: str | bytes) -> OpmlList:
    return read_opml(text.encode() if isinstance(text, str) else text, name="sources.opml")


def test_feeds_come_in_the_files_order_with_their_folders() -> None:
    assert read(LIST) == (
        OpmlSource("Horizon", "https://horizon.example/feed", "News / Europe"),
        OpmlSource("Tide & Time", "https://tide.example/feed.json", "News"),
        OpmlSource("https://bare.example/rss", "https://bare.example/rss", ""),
    )


def test_every_outline_that_cannot_be_read_is_named_and_the_others_come() -> None:
    wrong = LIST.replace("https://bare.example/rss", "htp://x").replace('xmlurl=" https', 'xml=" https')
    assert listed(wrong) == OpmlList(
        read(LIST)[:1],
        ("line 9: feed 'Tide & Time' has no xmlUrl", "line 12: 'htp://x' is not an http(s) URL"),
    )


def test_of_a_list_without_any_outline_that_can_be_read_every_wrong_line_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read('<opml><body><outline xmlUrl="htp://x"/>\n<outline type="rss" text="b"/></body></opml>')
    assert str(caught.value) == (
        "sources.opml line 1: 'htp://x' is not an http(s) URL; 1 more wrong: line 2: feed 'b' has no xmlUrl; "
        "nothing was imported"
    )


def test_spellings_of_one_address_are_one_source() -> None:
    spelt = (
        "https://horizon.example/feed/",
        "feed://horizon.example/feed",
        "feed:https://www.horizon.example/feed",
        "HTTP://HORIZON.example:80/feed?utm_source=opml",
    )
    outlines = "".join(f'<outline xmlUrl="{address}"/>' for address in spelt)
    (source,) = read(f"<opml><body>{outlines}</body></opml>")
    assert source.url == spelt[0]
    assert (
        read('<opml><body><outline xmlUrl="feed://a.example/x"/></body></opml>')[0].url
        == "http://a.example/x"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "sources.opml line 1: not XML"),
        ("feeds, please", "sources.opml line 1: not XML"),
        ("<opml>\n<body>\n</opml>", "sources.opml line 3: not XML: a tag before it was never closed"),
        ("<opml>\n<body>", "sources.opml line 2: not XML: it breaks off before all its tags are closed"),
        ('<opml>\n<outline a="?b&c=1"/></opml>', "sources.opml line 2: not XML: a lone & stands there"),
        ("<opml>\n\n&nbsp;</opml>", "sources.opml line 3: not XML: XML knows no '&nbsp;'"),
        ("<opml><!-- -- --></opml>", "sources.opml line 1: not XML: its markup is damaged"),
        ("<rss version='2.0'><channel/></rss>", "sources.opml line 1: <rss> is not OPML"),
        ("<opml><body><outline text='x'/></body></opml>", "sources.opml names no feed"),
        ('<!DOCTYPE opml [<!ENTITY x "y">]><opml>&x;</opml>', "sources.opml declares a DTD"),
        ('<!DOCTYPE opml SYSTEM "http://127.0.0.1/x"><opml/>', "sources.opml declares a DTD"),
    ],
)
def test_a_file_that_is_no_list_of_feeds_says_why(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("nothing was imported")


def test_entities_that_multiply_are_not_expanded() -> None:
    values = ["ha", *(f"&l{number};" * 10 for number in range(9))]
    entities = "".join(f'<!ENTITY l{number} "{value}">' for number, value in enumerate(values))
    with pytest.raises(InvalidInput):
        read(f"<!DOCTYPE opml [{entities}]><opml><body><outline text='&l9;'/></body></opml>")


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: LIST.replace("News", text).encode()))
def test_any_bytes_are_a_list_or_refused(body: bytes) -> None:
    try:
        assert read_opml(body, name="x.opml").sources
    except InvalidInput as exc:
        assert "x.opml" in str(exc)  # noqa: PT017 (both outcomes are right)


MINE = (
    OpmlSource("Horizon", "https://horizon.example/feed", "News / Europe", ("politics", "grid & power")),
    OpmlSource("Tide & Time", "https://tide.example/feed.json", "News"),
    OpmlSource(
        "At the top", "https://top.example/rss", language="pt-BR", weight=0.12345, excerpt=Excerpt.HEADLINE
    ),
    OpmlSource(
        "Listing",
        "https://page.example/news",
        "News / Europe",
        kind=SourceKind.PAGE,
        link_pattern=r"/20\d\d/[a-z-]+$",
    ),
)


def test_a_list_that_was_written_reads_back_to_the_same() -> None:
    assert set(read(write_opml(MINE, title="Mine"))) == set(MINE)


def test_folders_are_outlines_and_a_page_is_a_link_to_other_readers() -> None:
    root = etree.fromstring(write_opml(MINE, title="Harbour & Co"))
    assert root.findtext("head/title") == "Harbour & Co"
    assert [outline.get("text") for outline in root.findall("body/outline")] == ["News", "At the top"]
    inner = root.findall("body/outline/outline/outline")
    assert [(o.get("type"), o.get("xmlUrl"), o.get("url")) for o in inner] == [
        ("rss", "https://horizon.example/feed", None),
        ("link", None, "https://page.example/news"),
    ]


def test_a_page_without_its_address_is_named() -> None:
    written = write_opml(MINE, title="x").replace(b'url="https://page.example/news"', b"")
    (problem,) = listed(written).problems
    assert problem.endswith("feed 'Listing' has no address")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (b'kind="page"', b'kind="pigeon"', "'pigeon' is no kind of source"),
        (rb"/20\d\d/[a-z-]+$", b"/20(", "'/20(' is no pattern of links"),
        (rb"/20\d\d/[a-z-]+$", b"x" * 501, f"'{'x' * 40}' is no pattern of links"),
        (b'weight="0.12345"', b'weight="99"', "'99' is no weight of a source: from 0.1 to 10"),
        (b'excerpt="headline"', b'excerpt="all"', "'all' is no use of a source: takeaways or headline"),
        (b"top.example/rss", b"top.example/" + b"x" * 3000, "is longer than 2048 characters"),
    ],
)
def test_a_source_as_none_can_be_is_left_out(right: bytes, wrong: bytes, said: str) -> None:
    found = listed(write_opml(MINE, title="x").replace(right, wrong))
    assert len(found.sources) == len(MINE) - 1
    assert said in found.problems[0]


NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12).filter(
    lambda text: "/" not in text and "," not in text and plain_line(text) == text
)


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=2)), max_size=6))
def test_whatever_sources_and_folders_are_called_they_read_back(
    told: list[tuple[str, list[str], list[str]]],
) -> None:
    sources = [
        OpmlSource(title, f"https://example.org/{place}", " / ".join(folders), tuple(labels))
        for place, (title, folders, labels) in enumerate(told)
    ]
    if sources:
        assert set(read(write_opml(sources, title="x"))) == set(sources)
