"""Finding, exporting and inspecting sources."""

from __future__ import annotations

import shlex
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.cli.conftest import Digest, change_settings

RSS = """<rss version="2.0"><channel><title>Harbour Watch</title><link>/</link><language>en</language>
<ttl>90</ttl><skipDays><day>Sunday</day></skipDays><skipHours><hour>3</hour></skipHours>
<item><title>Fog & ferries</title><link>https://example.org/fog</link>
<pubDate>Fri, 20 Nov 2020 10:00:00 GMT</pubDate></item>
<item><title>Nowhere</title></item></channel></rss>"""
SITEMAP = "<urlset><url><loc>https://example.org/fog</loc><lastmod>2020-11-20</lastmod></url></urlset>"
INDEX = "<sitemapindex><sitemap><loc>https://example.org/a.xml</loc></sitemap></sitemapindex>"
LISTING = "".join(
    f'<h2><a href="https://example.org/2020/11/{name}-and-more">A headline on {name} and more</a></h2>'
    for name in ("fog", "ferries", "gulls", "ropes", "tar")
)
PAGE = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><p>Hello</html>'


def serve(server: HTTPServer, pages: dict[str, str]) -> str:
    change_settings(Path(), fetch_allow=[f"{server.host}:{server.port}"])
    for path, body in pages.items():
        server.expect_request(path).respond_with_data(body, content_type="text/html; charset=utf-8")
    server.expect_request("/robots.txt").respond_with_data("Sitemap: /sitemap.xml")
    return server.url_for("/")


def test_the_feeds_of_a_site_are_found_and_the_printed_command_adds_one(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    site = serve(httpserver, {"/": PAGE, "/feed": RSS, "/sitemap.xml": SITEMAP})
    said = digest("source", "find", site, "--newsletter", "weekly").well().out
    assert "Harbour Watch" in said
    assert "RSS 2.0" in said
    assert f"{site}sitemap.xml" in said
    command = next(line for line in said.splitlines() if line.startswith("digest source add"))
    assert command == f"digest source add weekly {site}feed --name 'Harbour Watch'"
    digest(*shlex.split(command)[1:]).well()
    assert [source["name"] for source in digest("source", "list", "weekly", "--json").json] == [
        "Harbour Watch"
    ]


def test_what_is_found_is_told_to_programs(weekly: Path, digest: Digest, httpserver: HTTPServer) -> None:
    site = serve(httpserver, {"/": PAGE, "/feed": RSS, "/sitemap.xml": SITEMAP})
    feed, sitemap = digest("source", "find", site, "--json").well().json
    assert (feed["kind"], feed["format"], feed["entries"]) == ("feed", "RSS 2.0", 1)
    assert (sitemap["kind"], sitemap["newest"]) == ("sitemap", "2020-11-20T12:00:00+00:00")


def test_a_site_without_feeds_is_told_with_what_to_do(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    site = serve(httpserver, {"/": "<p>Hello"})
    digest("source", "find", site).refused(2, "gives no feed or sitemap", f"{site}feed.json", "--kind page")


def test_sources_that_were_exported_are_imported_to_the_same(weekly: Path, digest: Digest) -> None:
    digest(
        "source", "add", "weekly", "https://example.org/feed", "--name", "Fog & Co", "--topic", "space"
    ).well()
    pattern = ["--kind", "page", "--link-pattern", "/2026/<x>"]
    digest("source", "add", "weekly", "https://example.org/news", *pattern, "--topic", "climate").well()
    both = ["--topic", "climate", "--topic", "space"]
    digest("source", "add", "weekly", "https://example.org/both", "--name", "Both", *both).well()
    digest("source", "add", "weekly", "https://example.org/none", "--name", "None").well()
    before = kept(digest)
    assert (
        digest("source", "export", "weekly", "--output", "mine.opml").well().out
        == "Wrote 4 sources to mine.opml.\n"
    )
    assert digest("source", "export", "weekly").well().out.encode() == Path("mine.opml").read_bytes()
    for source in before:
        digest("source", "remove", "weekly", source[0]).well()
    assert digest("source", "import", "weekly", "mine.opml").well().out.startswith("Added 4 sources; 0 were")
    assert kept(digest) == before


def kept(digest: Digest) -> list[tuple[str, ...]]:
    sources = digest("source", "list", "weekly", "--json").well().json
    return sorted(
        (s["name"], s["url"], s["kind"], *sorted(s["topics"]), s["link_pattern"], s["weight"])
        for s in sources
    )


def test_a_newsletter_without_sources_has_nothing_to_export(weekly: Path, digest: Digest) -> None:
    digest("source", "export", "weekly").refused(2, "weekly has no source to export", "digest source add")


def test_a_list_that_cannot_be_written_is_named(weekly: Path, digest: Digest) -> None:
    digest("source", "add", "weekly", "https://example.org/feed").well()
    digest("source", "export", "weekly", "--output", "no/such/folder.opml").refused(2, "cannot be written")


def test_inspecting_a_feed_tells_its_format_its_wishes_and_its_faults(nowhere: Path, digest: Digest) -> None:
    Path("feed.xml").write_text(RSS)
    said = digest("inspect", "feed", "feed.xml").well().out
    for words in (
        "Harbour Watch (en)",
        "RSS 2.0, 1 entry",
        "It asks not to be read again within 90 minutes.",
        "It asks not to be read in these hours (UTC): 3.",
        "It asks not to be read on Sunday.",
        "1 entry links to nothing and is left out.",
        "Fog & ferries",
    ):
        assert words in said
    told = digest("inspect", "feed", "feed.xml", "--json").well().json
    assert (told["ttl"], told["skip_days"], told["problems"]) == (
        5400,
        [6],
        ["1 entry links to nothing and is left out"],
    )


def test_a_sitemap_and_an_index_can_be_inspected(nowhere: Path, digest: Digest) -> None:
    Path("sitemap.xml").write_text(SITEMAP)
    said = digest("inspect", "feed", "sitemap.xml").well().out
    assert "sitemap, 1 entry" in said
    assert "changed 2020-11-20 12:00" in said
    Path("index.xml").write_text(INDEX)
    assert "https://example.org/a.xml" in digest("inspect", "feed", "index.xml").well().out


def test_the_links_of_a_page_are_shown_with_the_pattern_they_are_told_by(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    page = LISTING.replace("https://example.org", "") + "<a href='/about-us'>About us</a>"
    site = serve(
        httpserver, {"/news": page, "/few": "<h2><a href='/one-thing'>One single thing here</a></h2>"}
    )
    told = digest("inspect", "links", f"{site}news", "--json").well().json
    assert len(told["takes"]) == 5
    assert told["leaves"] == [f"{site}about-us"]
    said = digest("inspect", "links", f"{site}news").well().out
    assert f"Pattern learnt from the page: {told['pattern']}" in said
    tried = digest("inspect", "links", f"{site}news", "--link-pattern", "gulls", "--json").well().json
    assert tried["takes"] == [f"{site}2020/11/gulls-and-more"]
    assert "No pattern can be learnt" in digest("inspect", "links", f"{site}few").well().out


# --- what a source is used for, and how it stands

FEED = "https://example.org/feed.xml"


def test_what_a_source_is_used_for_can_be_said_and_changed(weekly: Path, digest: Digest) -> None:
    options = ("--language", "de", "--weight", "2", "--excerpt", "headline")
    digest("source", "add", "weekly", FEED, "--name", "Watch", *options).well()
    shown = digest("source", "show", "weekly", "Watch").well().out
    for words in ("headline and link only", "2", "de", "not polled yet"):
        assert words in shown
    digest("source", "change", "weekly", "Watch", "--excerpt", "takeaways", "--topic", "space").well()
    digest("source", "change", "weekly", "Watch", "--name", "Harbour Watch", "--weight", "0.5").well()
    source = digest("source", "show", "weekly", "Harbour Watch", "--json").json
    assert (source["excerpt"], source["topics"], source["weight"]) == ("takeaways", ["space"], 0.5)
    assert (source["language"], source["url"]) == ("de", FEED)


def test_a_change_that_cannot_be_is_refused_and_changes_nothing(weekly: Path, digest: Digest) -> None:
    digest("source", "add", "weekly", FEED, "--name", "Watch").well()
    digest("source", "add", "weekly", "https://example.org/b.xml", "--name", "Other").well()
    before = digest("source", "show", "weekly", "Watch", "--json").json
    digest("source", "change", "weekly", "Watch").refused(2, "nothing to change")
    digest("source", "change", "weekly", "Watch", "--name", "Other").refused(2, "another source")
    digest("source", "change", "weekly", "Watch", "--url", "feed.xml").refused(2, "not an http(s) URL")
    digest("source", "change", "weekly", "Watch", "--weight", "99").refused(2, "between 0.1 and 10")
    digest("source", "change", "weekly", "Watch", "--topic", "tar").refused(2, "no topic 'tar'")
    digest("source", "change", "weekly", "Watch", "--language", "German!").refused(2, "not a language tag")
    assert digest("source", "show", "weekly", "Watch", "--json").json == before


def test_a_paused_source_is_not_polled_until_it_is_resumed(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    site = serve(httpserver, {"/feed": RSS})
    digest("source", "add", "weekly", f"{site}feed", "--name", "Watch").well()
    assert "Watch is paused." in digest("source", "pause", "weekly", "Watch").well().out
    assert "paused" in digest("source", "list", "weekly").well().out
    assert "No source to poll" in digest("gather", "weekly").well().out
    digest("source", "resume", "weekly", "Watch").well()
    (polled,) = digest("gather", "weekly", "--json").well().json
    assert (polled["source"], polled["listed"], polled["error"]) == ("Watch", 1, "")


def test_how_a_source_fails_is_told_where_it_is_listed(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    site = serve(httpserver, {})
    httpserver.expect_request("/gone").respond_with_data("", 410)
    httpserver.expect_request("/busy").respond_with_data("", 503, headers={"Retry-After": "3600"})
    for path in ("gone", "busy"):
        digest("source", "add", "weekly", site + path, "--name", path).well()
    digest("gather", "weekly").refused(1, "no source could be read")
    listed = digest("source", "list", "weekly").well().out
    assert "gone for good (410)" in listed
    assert "failing" in listed
    shown = digest("source", "show", "weekly", "busy").well().out
    assert "asked for quiet" in shown
    assert "left alone until" in digest("gather", "weekly").out


WORDS = "".join(
    f"<p>The {word} of the harbour was weighed on Monday, and the council wrote down what the {word} came to."
    for word in ("rope", "tar", "salt", "herring")
)
ROPES = f"<html lang=en><title>Ropes and tar</title><article><h1>Ropes and tar</h1>{WORDS}</article></html>"
BY_FEED = """<rss version="2.0"><channel><title>Watch</title>
<item><title>Ropes and tar</title><link>/ropes</link></item></channel></rss>"""


def test_articles_of_a_removed_source_go_by_its_name_and_on_its_terms(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    site = serve(httpserver, {"/feed": BY_FEED, "/ropes": ROPES})
    digest("source", "add", "weekly", f"{site}feed", "--name", "Watch", "--excerpt", "headline").well()
    digest("gather", "weekly").well()
    assert "Removed Watch. " in digest("source", "remove", "weekly", "Watch").well().out
    assert digest("source", "list", "weekly", "--json").json == []
    listed = digest("article", "list", "weekly").well().out
    assert "Watch" in listed
    assert "added by hand" not in listed
    assert "takeaways: none" in digest("condense", "weekly", "--again").well().out

    (weekly / "other.opml").write_text(
        f'<opml><body><outline text="Watch" type="rss" xmlUrl="{site}other"/></body></opml>', "utf-8"
    )
    digest("source", "import", "weekly", "other.opml").well()
    (other,) = digest("source", "list", "weekly", "--json").json
    assert other["name"].startswith("Watch (")
    assert "takeaways: none" in digest("condense", "weekly", "--again").well().out
    digest("source", "remove", "weekly", other["name"]).well()

    again = digest("source", "add", "weekly", f"{site}feed", "--name", "Watch").well().out
    assert "It was a source before, and has its articles again." in again
    assert "takeaways: none" not in digest("condense", "weekly").well().out


def test_a_source_that_is_there_under_another_spelling_is_named(weekly: Path, digest: Digest) -> None:
    digest("source", "add", "weekly", FEED, "--name", "Watch").well()
    digest("source", "add", "weekly", "https://example.org/other", "--name", "Other").well()
    for spelling in (
        "http://example.org/feed.xml",
        "feed://www.example.org/feed.xml/",
        f"{FEED}?utm_source=x",
    ):
        digest("source", "add", "weekly", spelling).refused(2, "is a source already, as 'Watch'", FEED)
    digest("source", "change", "weekly", "Other", "--url", "http://example.org/feed.xml/").refused(
        2, "is a source already, as 'Watch'", "nothing was changed"
    )
    digest("source", "change", "weekly", "Watch", "--url", "http://example.org/feed.xml").well()
    Path("feeds.opml").write_text(
        f'<opml><body><outline xmlUrl="{FEED}/"/>\n<outline text="Wrong" xmlUrl="htp://x"/>'
        '<outline text="New" xmlUrl="feed://new.example.org/feed"/></body></opml>'
    )
    said = digest("source", "import", "weekly", "feeds.opml").well().out
    assert "Added 1 source; 1 was there already." in said
    assert "Left out: feeds.opml line 2: 'htp://x' is not an http(s) URL." in said
    assert digest("source", "show", "weekly", "New", "--json").json["url"] == "http://new.example.org/feed"


def test_topics_language_and_pattern_of_a_source_can_be_taken_away(weekly: Path, digest: Digest) -> None:
    options = ("--topic", "space", "--language", "de", "--link-pattern", "/a/", "--kind", "page")
    digest("source", "add", "weekly", FEED, "--name", "Watch", *options).well()
    digest(
        "source", "change", "weekly", "Watch", "--topic", "", "--language", "", "--link-pattern", ""
    ).well()
    source = digest("source", "show", "weekly", "Watch", "--json").json
    assert (source["topics"], source["language"], source["link_pattern"]) == ([], None, "")
    assert "'': none" in digest("source", "change", "--help").well().out


def test_an_address_with_a_password_is_refused_for_that(weekly: Path, digest: Digest) -> None:
    address = "https://ada:hunter2@example.org/feed"
    for command in (
        ("source", "add", "weekly", address),
        ("source", "find", address),
        ("article", "add", "weekly", address),
        ("inspect", "article", address),
    ):
        told = digest(*command).refused(2, "'https://…@example.org/feed' carries a user name or password")
        assert "hunter2" not in told.out + told.err


def test_a_feed_that_is_finished_says_so_where_it_is_found_and_where_it_is_polled(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    item = '{"url": "/a", "title": "A", "date_published": "2020-01-01"}'
    finished = (
        f'{{"version": "https://jsonfeed.org/version/1", "title": "Old", "expired": true, "items": [{item}]}}'
    )
    page = PAGE.replace(
        "</head>", '<link rel="alternate" type="application/feed+json" href="/old.json"></head>'
    )
    site = serve(httpserver, {"/": page, "/feed": RSS, "/old.json": finished})
    found = digest("source", "find", site, "--json").well().json
    assert [(one["title"], one["is_finished"]) for one in found] == [("Harbour Watch", False), ("Old", True)]
    assert "nothing new: it is finished" in digest("source", "find", site).well().out
    digest("source", "add", "weekly", f"{site}old.json", "--name", "Old").well()
    assert "Old: it says that it is finished: nothing new will come" in digest("gather", "weekly").well().out


def test_pages_that_cannot_be_read_are_counted_as_failed_and_not_as_of_other_days(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    old = "<item><title>Old</title><link>/old</link><pubDate>Fri, 20 Nov 2020 10:00:00 GMT</pubDate></item>"
    gone = "<item><title>Gone</title><link>/gone</link></item></channel>"
    site = serve(httpserver, {"/feed": BY_FEED.replace("</channel>", old + gone), "/ropes": ROPES})
    httpserver.expect_request("/gone").respond_with_data("", 503)
    digest("source", "add", "weekly", f"{site}feed", "--name", "Watch").well()
    for new, known in ((1, 0), (0, 1)):
        (polled,) = digest("gather", "weekly", "--json").well().json
        assert (polled["listed"], polled["new"], polled["known"]) == (3, new, known)
        assert (polled["outside"], polled["failed"]) == (1, 1)
    (row,) = (
        line for line in digest("gather", "weekly").well().out.splitlines() if line.startswith("Watch ")
    )
    assert row.split()[1:7] == ["3", "0", "0", "1", "1", "1"]
