"""Links that show an issue to people without an account, made, listed and taken back by command."""

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


def test_a_link_is_made_listed_and_taken_back(drafted: Path, digest: Digest) -> None:
    assert "No link shows issue 1: 'digest issue share 1'" in digest("issue", "links", "1").well().out
    said = digest("issue", "share", "1", "--days", "2", "--topic", "climate", "--by", "Ada").well().out
    assert said.startswith("Link 1 shows issue 1 as a reader of climate, until ")
    (url,) = (word for word in said.split() if "/shown/" in word)
    made = digest("issue", "share", "1", "--as", "ada@example.org", "--json").json
    assert (made["id"], made["email"]) == (2, "ada@example.org")
    assert "ada" not in made["url"]
    assert url in digest("issue", "links", "1").well().out
    assert [one["url"] for one in digest("issue", "links", "1", "--json").json] == [made["url"], url]
    for _ in ("once", "twice"):
        assert (
            "Link 1 shows nothing any more." in digest("issue", "unshare", "1", "1", "--by", "Ben").well().out
        )
    listed = digest("issue", "links", "1").well().out
    assert url not in listed
    assert "by Ben" in listed
    second, first = digest("issue", "links", "1", "--json").json
    assert (first["url"], first["revoked_by"], second["revoked_by"]) == (None, "Ben", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("share", "1", "--days", "0"), "a link is good for 1 to 90 days, not for 0"),
        (("share", "1", "--as", "nobody@example.org"), "nobody@example.org"),
        (("share", "1", "--topic", "moon"), "no topic 'moon'"),
        (("share", "1", "--as", "ada@example.org", "--topic", "climate"), "exclude each other"),
        (("share", "9"), "9"),
        (("links", "9"), "9"),
        (("unshare", "1", "7"), "issue 1 has no preview link 7"),
    ],
)
def test_a_link_that_cannot_be_is_refused_in_words(
    arguments: tuple[str, ...], words: str, drafted: Path, digest: Digest
) -> None:
    digest("issue", *arguments).refused(WRONG, words)
    assert digest("issue", "links", "1", "--json").json == []
