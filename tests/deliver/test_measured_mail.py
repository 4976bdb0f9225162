"""Mail of readers who agreed to be measured: one picture at its end, and links that say who followed them."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.deliver.mime import EncodedIssue, Recipient
from digest.domain.issues import Edition, IssueId
from digest.domain.layout import MAIL_ROOM
from digest.domain.mail import RenderedIssue, assemble, layout_of
from tests.compose.editions import LINKS
from tests.samples import (
    SENDER,
    SENT_AT,
    TEMPLATES,
    everything,
    issue_in,
    page_of,
    sample_issue,
    sample_recipient,
)

CONTENT = replace(sample_issue(), id=IssueId(47))
FOLLOWER = "47.12345.c2lnbmVkIGJ5IG5vYm9keSBpbiB0aGVzZSB0ZXN0cyBhdCBhbGw"
PICTURE = "https://digest.example.org/o/47.12345.YW5vdGhlciB0aGF0IGlzIHNpZ25lZCBieSBub2JvZHk"
LINK = re.compile(r"https://digest\.example\.org/c/[^\"\s]+")
IMG = re.compile(r"<img [^>]*>")
AGREED = "You agreed that we measure whether you open this mail"


@pytest.fixture(scope="module")
def template() -> EmailTemplate:
    return replace(compile_template(TEMPLATES / "digest"), counted=LINKS)


@pytest.fixture(scope="module")
def measuring(template: EmailTemplate) -> RenderedIssue:
    return render_issue(CONTENT, replace(template, measures=True))


@pytest.fixture(scope="module")
def asking_nobody(template: EmailTemplate) -> RenderedIssue:
    return render_issue(CONTENT, template)


def recipient() -> Recipient:
    return replace(sample_recipient(), follower=FOLLOWER, picture_url=PICTURE)


def raw_of(rendered: RenderedIssue, edition: Edition, to: Recipient) -> bytes:
    return EncodedIssue(rendered, SENDER, name="2026-47", date=SENT_AT).edition(edition).message(to)


def bodies_of(raw: bytes) -> dict[str, str]:
    mail = message_from_bytes(raw, policy=policy.default)
    found = {kind: mail.get_body((kind,)) for kind in ("html", "plain")}  # type: ignore[attr-defined]
    return {kind: body.get_content().replace("\r\n", "\n") for kind, body in found.items() if body}


def measured(edition: Edition) -> Edition:
    return replace(edition, is_measured=True)


@pytest.mark.parametrize("is_text", [False, True])
@pytest.mark.parametrize("most", [None, 2])
def test_an_edition_s_key_says_that_it_is_measured(is_text: bool, most: int | None) -> None:
    edition = replace(everything(CONTENT), most=most, is_text=is_text, is_measured=True)
    assert edition.key.endswith("|measured")
    assert Edition.from_key(edition.key) == edition
    other = replace(edition, is_measured=False)
    assert Edition.from_key(other.key) == other


def test_mail_of_all_others_is_octet_for_octet_as_it_was(
    measuring: RenderedIssue, asking_nobody: RenderedIssue
) -> None:
    edition = everything(CONTENT)
    for one in (edition, replace(edition, is_text=True)):
        encoded = EncodedIssue(measuring, SENDER, name="2026-47", date=SENT_AT)
        # That of who agreed is encoded first: nothing of it may stay in what editions share.
        encoded.edition(measured(one)).message(recipient())
        expected = raw_of(asking_nobody, one, sample_recipient())
        assert encoded.edition(one).message(sample_recipient()) == expected
        assert b"/o/" not in expected


def test_an_issue_that_asks_nobody_measures_nobody(asking_nobody: RenderedIssue) -> None:
    edition = everything(CONTENT)
    expected = raw_of(asking_nobody, edition, sample_recipient())
    assert raw_of(asking_nobody, measured(edition), recipient()) == expected


def test_it_has_one_picture_and_that_is_the_last_thing_in_it(measuring: RenderedIssue) -> None:
    raw = raw_of(measuring, measured(everything(CONTENT)), recipient())
    html = bodies_of(raw)["html"]
    pictures = [one for one in IMG.findall(html) if PICTURE in one]
    assert len(pictures) == 1
    assert 'alt=""' in pictures[0], "nobody who cannot see it hears of it"
    assert re.search(r"<img [^>]*/o/[^>]*>\s*</body>", html)
    assert raw.isascii()
    assert all(len(line) <= 76 for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))


def test_each_of_its_links_says_where_it_stood_and_who_follows_it(measuring: RenderedIssue) -> None:
    edition = everything(CONTENT)
    others = bodies_of(raw_of(measuring, edition, sample_recipient()))
    own = bodies_of(raw_of(measuring, measured(edition), recipient()))
    for kind in ("html", "plain"):
        links = LINK.findall(others[kind])
        assert links
        assert LINK.findall(own[kind]) == [f"{link}/{FOLLOWER}" for link in links]


def test_it_says_so_and_how_that_ends(measuring: RenderedIssue) -> None:
    edition = everything(CONTENT)
    for kind, body in bodies_of(raw_of(measuring, measured(edition), recipient())).items():
        said = " ".join(body.split())
        assert AGREED in said, kind
        assert "but not by whom" not in said, kind
        assert f"{sample_recipient().preferences_url}#measuring" in body
    for kind, body in bodies_of(raw_of(measuring, edition, sample_recipient())).items():
        assert AGREED not in " ".join(body.split()), kind


def test_text_alone_has_links_and_no_picture(measuring: RenderedIssue) -> None:
    raw = raw_of(measuring, replace(everything(CONTENT), is_text=True, is_measured=True), recipient())
    assert b"/o/" not in raw
    assert FOLLOWER.encode() in raw.replace(b"=\r\n", b"")


def test_a_page_that_is_shown_measures_nobody(measuring: RenderedIssue) -> None:
    page = page_of(measuring, measured(everything(CONTENT)))
    assert AGREED in " ".join(page.html.split())
    assert "/o/" not in page.html
    assert {link.count("/") for link in LINK.findall(page.html)} == {5}, "a token and a place"


def test_what_links_take_besides_is_reckoned_with(template: EmailTemplate) -> None:
    content = replace(issue_in("en", 40), id=IssueId(47))
    rendered = render_issue(content, replace(template, measures=True))
    edition = everything(content)
    raw = raw_of(rendered, measured(edition), recipient())
    assert len(bodies_of(raw)["html"].encode()) < 100_000
    layouts = (layout_of(rendered, one) for one in (measured(edition), edition))
    of_measured, of_others = (sum(one is not None for one in layout.values()) for layout in layouts)
    assert of_measured <= of_others
    assert sum(piece.weight for piece in assemble(rendered, measured(edition)).pieces) <= MAIL_ROOM


def test_pieces_are_stored_as_before_where_nobody_is_asked(
    measuring: RenderedIssue, asking_nobody: RenderedIssue
) -> None:
    assert '"measured"' not in asking_nobody.to_json()
    for rendered in (measuring, asking_nobody):
        assert RenderedIssue.from_json(rendered.to_json()) == rendered
