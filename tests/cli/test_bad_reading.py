"""Feeds, pages and sources that cannot be read, and the week that is empty for that."""

from pathlib import Path

from tests.cli.conftest import FAILED, WRONG, Digest
from tests.servers.processes import free_port


def test_a_page_given_as_a_feed_is_told_with_the_feed_it_names(weekly: Path, digest: Digest) -> None:
    Path("page.html").write_text(
        '<html><head><link rel="alternate" type="application/rss+xml" href="https://example.org/feed.xml">'
        "</head><body><p>News</p></body></html>"
    )
    digest("inspect", "feed", "page.html").refused(WRONG, "is not a feed", "https://example.org/feed.xml")


def test_a_feed_given_as_an_article_is_told(weekly: Path, digest: Digest) -> None:
    Path("feed.xml").write_text('<rss version="2.0"><channel><title>T</title></channel></rss>')
    digest("inspect", "article", "feed.xml").refused(WRONG, "not an article", "digest inspect feed")


def test_what_holds_no_article_is_told_and_ends_with_1(nowhere: Path, digest: Digest) -> None:
    files = {
        "zero.html": b"",
        "frame.html": b"<html><head><title>Tides</title></head><body><div id=app></div></body></html>",
        "noise.bin": bytes(range(1, 256)) * 9,
        "scan.pdf": b"%PDF-1.7",
    }
    words = ["it is empty", "holds no text that reads like an article", "it is binary data", "a PDF document"]
    for (name, content), said in zip(files.items(), words, strict=True):
        Path(name).write_bytes(content)
        for flags in [], ["--json"]:
            told = digest("inspect", "article", name, *flags).refused(FAILED, name, said)
            assert told.out == ""


def test_a_page_inside_the_network_is_not_fetched(weekly: Path, digest: Digest) -> None:
    digest("inspect", "article", f"http://127.0.0.1:{free_port()}/").refused(
        FAILED, "may not be fetched", "fetch_allow"
    )


def test_sources_that_cannot_be_read_are_told_with_the_empty_week(weekly: Path, digest: Digest) -> None:
    digest("source", "add", "weekly", f"http://127.0.0.1:{free_port()}/feed", "--name", "Inside").well()
    digest("gather", "weekly").refused(FAILED, "no source could be read", "digest source list weekly")
    for flags, outcome in ([], "nobody was mailed"), (["--dry-run"], "nobody mailed. This is a dry run"):
        digest("run", "weekly", *flags).refused(
            FAILED, "The Weekly has nothing to send", "Inside could not", outcome
        )
    assert digest("issue", "list", "--json").json == []


def test_a_week_without_articles_makes_no_issue(weekly: Path, digest: Digest) -> None:
    for command in (["run", "weekly"], ["compose", "weekly"], ["run", "weekly", "--json"]):
        told = digest(*command).refused(FAILED, "nothing to send", "digest topic list weekly")
        assert ("digest source add weekly URL" in told.err) == (command[0] == "run")
    assert digest("issue", "list", "--json").json == []
