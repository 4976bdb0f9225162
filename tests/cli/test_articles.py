"""Articles added by hand, and what was gathered."""

from __future__ import annotations

from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.cli.conftest import Digest, change_settings

TEXT = "".join(
    f"<p>The {word} of the harbour was weighed on Monday, and the council wrote down what the {word} came to "
    "before the tide turned and the boats went out again.</p>"
    for word in ("rope", "tar", "salt", "herring")
)
PAGE = f"<html lang=en><title>Ropes and tar</title><article><h1>Ropes and tar</h1>{TEXT}</article></html>"


def serve(server: HTTPServer) -> str:
    change_settings(Path(), fetch_allow=[f"{server.host}:{server.port}"])
    server.expect_request("/ropes").respond_with_data(PAGE, content_type="text/html; charset=utf-8")
    server.expect_request("/empty").respond_with_data(
        "<title>Hi</title>", content_type="text/html; charset=utf-8"
    )
    for nothing in ("/robots.txt", "/.well-known/tdmrep.json"):
        server.expect_request(nothing).respond_with_data("", 404)
    return server.url_for("/ropes")


def test_an_article_added_by_hand_stands_in_the_next_draft(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    url = serve(httpserver)
    said = digest("article", "add", "weekly", url, "--topic", "space").well().out
    assert "Added 'Ropes and tar', 116 words." in said
    (listed,) = digest("article", "list", "weekly", "--json").json
    assert (listed["article"]["url"], listed["given_topics"]) == (url, ["space"])
    assert "added by hand" in digest("article", "list", "weekly").well().out
    digest("condense", "weekly").well()
    digest("compose", "weekly").well()
    assert "Ropes and tar" in digest("issue", "show", "1").well().out
    assert "Known already: 'Ropes and tar'" in digest("article", "add", "weekly", url).well().out


def test_what_cannot_be_an_article_is_refused_in_words(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    url = serve(httpserver)
    digest("article", "add", "weekly", "ropes").refused(2, "'ropes' is not an http(s) URL")
    digest("article", "add", "weekly", url, "--topic", "tar").refused(2, "no topic 'tar'")
    digest("article", "add", "weekly", url.replace("ropes", "empty")).refused(1, "no text")
    digest("article", "add", "weekly", "http://10.0.0.1/").refused(1, "10.0.0.1")
    digest("article", "add", "daily", url).refused(2, "daily")
    assert digest("article", "list", "weekly", "--json").json == []
    assert "Nothing yet" in digest("article", "list", "weekly").well().out


def test_inspecting_a_reserved_page_shows_what_a_run_would_make_of_it(
    weekly: Path, digest: Digest, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    by_header = httpserver.url_for("/header")
    httpserver.expect_request("/header").respond_with_data(
        PAGE, content_type="text/html; charset=utf-8", headers={"tdm-reservation": "1"}
    )
    Path("page.html").write_text(PAGE.replace("<title>", '<meta name="robots" content="noai"><title>'))
    for where, sign in (("page.html", "noai"), (by_header, "the header tdm-reservation")):
        told = digest("inspect", "article", where, "--json").well().json
        assert told["condensed"]["takeaways"] == []
        assert sign in told["condensed"]["why_none"]
        shown = digest("inspect", "article", where).well().out
        assert "none: its publisher reserves it" in shown
        assert "headline and link only: " in shown
    digest("article", "add", "weekly", by_header).well()
    (added,) = digest("article", "list", "weekly", "--json").json
    assert added["article"]["reservation"].startswith("the header tdm-reservation")


def test_inspecting_plain_text_shows_what_was_believed_and_what_was_left_out(
    nowhere: Path, digest: Digest
) -> None:
    story = TEXT.replace("<p>", "\n\n").replace("</p>", "")
    Path("saved.txt").write_text(
        f"Ropes and tar{story}\n\nRead more:\n\n- Gulls of the quay\n- Fog at noon\n"
    )
    told = digest("inspect", "article", "saved.txt", "--json").well().json
    assert [one["value"] for one in told["reading"]["titles"]] == ["Ropes and tar"]
    assert "Gulls" not in told["text"]
    assert sum(part["words"] for part in told["reading"]["dropped"]) == 9
    shown = digest("inspect", "article", "saved.txt").well().out
    assert "the first line" in shown
    assert "Gulls of the quay" in shown
