from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.gather.opml import OpmlSource, read_opml

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
    return read_opml(text.encode() if isinstance(text, str) else text, name="sources.opml")


def test_feeds_come_in_the_files_order_with_their_folders() -> None:
    assert read(LIST) == (
        OpmlSource("Horizon", "https://horizon.example/feed", "News / Europe"),
        OpmlSource("Tide & Time", "https://tide.example/feed.json", "News"),
        OpmlSource("https://bare.example/rss", "https://bare.example/rss", ""),
    )


def test_a_wrong_address_is_named_with_its_line_and_nothing_is_imported() -> None:
    wrong = LIST.replace("https://bare.example/rss", "htp://x")
    with pytest.raises(InvalidInput) as caught:
        read(wrong)
    assert str(caught.value) == (
        "sources.opml line 12: 'htp://x' is not an http(s) URL; nothing was imported"
    )


def test_every_wrong_line_is_named() -> None:
    wrong = LIST.replace("https://bare.example/rss", "htp://x").replace('xmlurl=" https', 'xml=" https')
    with pytest.raises(
        InvalidInput, match=r"line 9: feed 'Tide & Time' has no xmlUrl; 1 more wrong: line 12"
    ):
        read(wrong)


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
        assert read_opml(body, name="x.opml")
    except InvalidInput as exc:
        assert "x.opml" in str(exc)  # noqa: PT017 (both outcomes are right)
