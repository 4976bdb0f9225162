"""What an editor is told of links and pictures, by what their addresses answered."""

import io

import pytest
from PIL import Image

from digest.compose.checks.links import (
    LinkAnswer,
    Reach,
    check_own_links,
    judge_link,
    judge_meetings,
    judge_public_url,
)
from digest.compose.checks.pictures import (
    PictureAnswer,
    Pixels,
    find_pixels,
    judge_picture,
    judge_together,
)

URL = "https://a.example/2026/tides"
WELL = LinkAnswer(Reach.ANSWERED, 200, URL)


def answered(status: int, url: str = URL) -> LinkAnswer:
    return LinkAnswer(Reach.ANSWERED, status, url)


def test_a_link_that_leads_where_it_says_is_not_told() -> None:
    assert judge_link(URL, WELL) is None


@pytest.mark.parametrize(
    ("answer", "severity", "words"),
    [
        (answered(404), "error", "is gone: it answers 404"),
        (answered(410), "error", "is gone: it answers 410"),
        (LinkAnswer(Reach.NO_HOST, why="the name has no address"), "error", "leads nowhere"),
        (answered(401), "note", "cannot tell"),
        (answered(403), "note", "cannot tell"),
        (answered(429), "note", "cannot tell"),
        (answered(500), "note", "cannot tell"),
        (answered(503), "note", "cannot tell"),
        (LinkAnswer(Reach.KEPT_OUT, why="robots.txt"), "note", "was not asked: robots.txt"),
        (LinkAnswer(Reach.NO_ANSWER, why="it was silent for 10 s"), "warning", "silent for 10 s"),
        (LinkAnswer(Reach.DENIED, why="redirects in a circle"), "warning", f"{URL} redirects in a circle"),
        (
            LinkAnswer(Reach.DENIED, url="ftp://b.example/", why="is not an http(s) URL"),
            "warning",
            f"{URL} redirects to ftp://b.example/, which is not an http(s) URL",
        ),
        (answered(200, "https://b.example/"), "warning", "front page https://b.example/"),
        (answered(200, "https://a.example"), "warning", "front page"),
    ],
)
def test_only_what_is_certainly_dead_is_an_error(answer: LinkAnswer, severity: str, words: str) -> None:
    finding = judge_link(URL, answer)
    assert finding is not None
    assert finding.severity == severity
    assert words in finding.what
    assert URL in finding.what
    assert finding.next_step


def test_a_front_page_may_be_linked_to() -> None:
    assert judge_link("https://a.example/", answered(200, "https://www.a.example/")) is None


def test_a_link_in_the_clear_is_told_where_https_works() -> None:
    plain = URL.replace("https", "http")
    assert judge_link(plain, answered(200, plain)) is None
    for answer in (LinkAnswer(Reach.ANSWERED, 200, plain, works_with_tls=True), answered(200, URL)):
        finding = judge_link(plain, answer)
        assert finding is not None
        assert finding.severity == "warning"
        assert f"though {URL} works" in finding.what


def test_what_has_moved_for_good_is_a_note_with_the_new_address() -> None:
    finding = judge_link(URL, LinkAnswer(Reach.ANSWERED, 200, "https://b.example/tides", is_moved=True))
    assert finding is not None
    assert (finding.severity, finding.what) == (
        "note",
        f"{URL} has moved for good to https://b.example/tides",
    )
    assert judge_link(URL, answered(200, "https://b.example/tides")) is None
    assert judge_link(URL, LinkAnswer(Reach.ANSWERED, 200, f"{URL}/", is_moved=True)) is None


def test_links_that_end_at_one_page_are_told_together() -> None:
    ends = {
        "https://a.example/1": URL,
        "https://b.example/2": f"{URL}/",
        "https://c.example/3": "https://c.example/3",
    }
    ((urls, finding),) = judge_meetings(ends)
    assert urls == ("https://a.example/1", "https://b.example/2")
    assert "lead to the same page" in finding.what
    assert list(judge_meetings({"http://a.example/": URL, "https://www.a.example": URL})) == []


@pytest.mark.parametrize(
    ("public_url", "severities"),
    [
        ("https://digest.example.org", []),
        ("http://digest.example.org", ["warning"]),
        ("http://127.0.0.1:8000", ["warning"]),
        ("http://localhost", ["warning"]),
        ("https://other.example.org", ["error"]),
    ],
)
def test_own_links_begin_with_the_public_address(public_url: str, severities: list[str]) -> None:
    base = "https://digest.example.org" if "other" in public_url else public_url
    told = check_own_links([f"{base}/unsubscribe/t"], public_url)
    assert [finding.severity for finding in told] == severities


def test_own_pages_that_answer_anything_are_reached() -> None:
    assert judge_public_url(URL, answered(404)) is None
    for answer in (answered(502), LinkAnswer(Reach.NO_HOST, why="the name has no address")):
        finding = judge_public_url(URL, answer)
        assert finding is not None
        assert "cannot unsubscribe" in finding.what


def picture(kind: str, width: int, height: int = 10) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_pixels_are_read_from_a_pictures_beginning(kind: str) -> None:
    assert find_pixels(picture(kind, 800, 600)) == Pixels(kind, 800, 600)
    if kind != "WEBP":  # it has to be there as a whole
        assert find_pixels(picture(kind, 800, 600)[:700]) == Pixels(kind, 800, 600)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x00" * 50,
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_has_no_pixels(body: bytes) -> None:
    assert find_pixels(body) is None


def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    png = bytearray(picture("PNG", 10))
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    assert find_pixels(bytes(png)) in (None, Pixels("PNG", 60_000, 60_000))


JPEG = Pixels("JPEG", 1072, 600)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (PictureAnswer(WELL, "image/jpeg", 90_000, JPEG), []),
        (PictureAnswer(WELL, "image/jpeg", 300_001, JPEG), [("warning", "weighs 300 KB")]),
        (PictureAnswer(WELL, "image/jpeg", 1_200_000, JPEG), [("error", "weighs 1.2 MB")]),
        (PictureAnswer(WELL, "image/jpeg", None, JPEG), [("error", "more than 1.0 MB")]),
        (PictureAnswer(WELL, "image/webp", None, None), [("error", "more than 1.0 MB")]),
        (PictureAnswer(WELL, "text/html", 900, None), [("error", "no picture (text/html)")]),
        (PictureAnswer(WELL, "image/svg+xml", 900, None), [("warning", "SVG")]),
        (PictureAnswer(WELL, "image/webp", 900, Pixels("WEBP", 600, 300)), [("note", "Outlook")]),
        (PictureAnswer(WELL, "image/png", 900, Pixels("PNG", 300, 300)), [("warning", "blurred")]),
        (PictureAnswer(WELL, "image/png", 900, Pixels("PNG", 3000, 300)), [("note", "3,000 px wide")]),
        (PictureAnswer(answered(404)), [("error", "is gone")]),
        (PictureAnswer(answered(403)), [("note", "cannot tell")]),
    ],
)
def test_pictures_are_told_by_weight_kind_and_size(
    answer: PictureAnswer, told: list[tuple[str, str]]
) -> None:
    found = list(judge_picture("https://a.example/p", 536, answer))
    assert [finding.severity for finding in found] == [severity for severity, _ in told]
    assert all(words in finding.what for finding, (_, words) in zip(found, told, strict=True))


def test_all_pictures_of_an_edition_are_weighed_together() -> None:
    assert list(judge_together(2_000_000)) == []
    (finding,) = judge_together(2_600_000)
    assert "2.6 MB together" in finding.what
