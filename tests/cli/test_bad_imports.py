"""Lists of readers and feeds that are wrong: their line is named, and nothing of them is imported."""

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["readers.csv line 1", "'email'"]),
        (b"mail,name\na@example.org,A\n", ["readers.csv line 1", "'mail'", "'email'"]),
        (b"email\na@example.org\nnot-an-address\n", ["readers.csv line 3", "'not-an-address'"]),
        (b"email,topics\na@example.org,sports\n", ["readers.csv line 2", "no topic 'sports'", "climate"]),
        (b"email,name\na@example.org\n", ["readers.csv line 2", "1 field ", "2 columns"]),
        (b'email,name\na@example.org,"A\n', ["readers.csv line 2", "not CSV"]),
        (b"a@example.org;A\n", ["readers.csv line 1", "looks like a subscriber", "'email,name,topics'"]),
        (b"email\nd@example.org\n\xff@example.org\n", ["readers.csv line 3", "not UTF-8"]),
        (b"email,timezone\na@example.org,Mars/Base\n", ["readers.csv line 2", "'Mars/Base'"]),
    ],
)
def test_of_a_wrong_csv_file_nothing_is_imported(
    weekly: Path, digest: Digest, content: bytes, words: list[str]
) -> None:
    Path("readers.csv").write_bytes(content)
    told = digest("subscriber", "import", "weekly", "readers.csv").refused(WRONG, *words)
    assert "othing was" in told.err
    assert len(digest("subscriber", "list", "weekly", "--json").json) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["feeds.opml line 1", "not XML"]),
        ("<opml><body>\n<outline>\n</body></opml>", ["feeds.opml line 3", "not XML"]),
        ("<rss/>", ["feeds.opml line 1", "<rss> is not OPML"]),
        ("<opml><body/></opml>", ["feeds.opml names no feed"]),
        (
            '<opml><body><outline text="a"/>\n<outline text="b" xmlUrl="htp://x"/></body></opml>',
            ["feeds.opml line 2", "'htp://x' is not an http(s) URL"],
        ),
    ],
)
def test_of_a_wrong_opml_file_nothing_is_imported(
    weekly: Path, digest: Digest, content: str, words: list[str]
) -> None:
    Path("feeds.opml").write_text(content)
    told = digest("source", "import", "weekly", "feeds.opml").refused(WRONG, *words)
    assert "nothing was imported" in told.err
    assert digest("source", "list", "weekly", "--json").json == []


@pytest.mark.parametrize("what", ["subscriber", "source"])
def test_a_file_that_is_missing_or_a_folder_is_told(weekly: Path, digest: Digest, what: str) -> None:
    digest(what, "import", "weekly", "none").refused(WRONG, "none cannot be read: No such file")
    digest(what, "import", "weekly", ".").refused(WRONG, ". cannot be read: Is a directory")
