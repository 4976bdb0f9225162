from __future__ import annotations

from pathlib import Path

import pytest

from digest.domain.errors import InvalidInput
from digest.gather.fetching.files import read_file


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<!doctype html><p>x", "text/html"),
        (b"\n<!-- saved -->\n<html><body>x</body></html>", "text/html"),
        (b"<p>Only a piece of a page.</p>", "text/html"),
        (b'<?xml version="1.0"?><rss version="2.0"></rss>', "application/rss+xml"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "application/rss+xml"),
        (b'<rdf:RDF xmlns:rdf="x"/>', "application/rss+xml"),
        (b'{"version": "https:\\/\\/jsonfeed.org\\/version\\/1.1"}', "application/feed+json"),
        (b'{"a": 1}', "application/json"),
        (b"<?xml version='1.0'?><urlset/>", "application/xml"),
        (b"A headline\n\nA text.", "text/plain"),
        ("Grüße aus 5 < 6".encode("latin-1"), "text/plain"),
        (b"%PDF-1.7 x", "application/octet-stream"),
        (b"a\x00b", "application/octet-stream"),
        (bytes(range(1, 256)) * 4, "application/octet-stream"),
        (b" \n", ""),
        (b"\x1b$B%K%e!<%9\x1b(B\n" * 9, "text/plain"),
    ],
)
def test_a_file_is_known_by_its_content(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = tmp_path / "some file"
    path.write_bytes(content)
    fetched = read_file(path)
    assert (fetched.content_type, fetched.body, fetched.status) == (media_type, content, 200)
    assert fetched.url == path.as_uri()


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    huge = tmp_path / "huge.html"
    with huge.open("wb") as file:
        file.truncate((8 << 20) + 1)
    for path, said in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (huge, "larger"),
    ]:
        with pytest.raises(InvalidInput, match=said) as caught:
            read_file(path)
        assert str(path) in str(caught.value)
