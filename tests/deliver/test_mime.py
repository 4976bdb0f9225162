import email
import email.policy
import smtplib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.render import compile_template, render_issue
from digest.deliver.mime import EncodedIssue, Sender
from digest.domain.errors import InvalidInput, Misconfigured, Refused
from digest.domain.issues import Edition, Section, edition_for
from digest.domain.mail import MEASURING_TOKENS, Fragment, Page, RenderedIssue, Token, assemble, page_for
from digest.domain.topics import TopicSlug
from tests.samples import (
    FOOD,
    PERSONAL,
    SENDER,
    SENT_AT,
    SPACE,
    TEMPLATES,
    TOPICS,
    everything,
    page_of,
    sample_issue,
    sample_recipient,
)

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co"]), max_size=120)
SLUG = TopicSlug("t")
TOKENS = [token for token in Token if token not in MEASURING_TOKENS]


@pytest.fixture(scope="module")
def rendered() -> RenderedIssue:
    return render_issue(sample_issue(), compile_template(TEMPLATES / "digest"))


@pytest.fixture(scope="module")
def encoded(rendered: RenderedIssue) -> EncodedIssue:
    return EncodedIssue(rendered, SENDER, name="2026-47", date=SENT_AT)


@pytest.fixture(scope="module")
def raw(encoded: EncodedIssue) -> bytes:
    return encoded.edition(everything(sample_issue())).message(sample_recipient())


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def decoded(raw: bytes) -> Page:
    """Return what a mail program shows."""
    message = parsed(raw)
    assert [part.defects for part in message.walk()] == [[], [], []]
    text, html = message.get_payload()
    return Page(
        str(message["Subject"]),
        html.get_payload(decode=True).decode().replace("\r\n", "\n"),
        text.get_payload(decode=True).decode().replace("\r\n", "\n"),
    )


def body_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[2].split(b"\r\n")


PLAIN = Fragment("<p>\n", "p\n")


def of_fragments(opening: Fragment, *, closing: Fragment = PLAIN, title: str = "Title") -> RenderedIssue:
    """Return an issue of an opening, a section, an item and a closing."""
    return RenderedIssue(
        newsletter="N",
        language="en",
        subject="",
        preheader="",
        opening=opening,
        sections={SLUG: PLAIN},
        items={f"0:{SLUG}": PLAIN},
        closing=closing,
        titles=(title,),
    )


ONE = Edition((Section(SLUG, (0,)),))


@pytest.mark.parametrize("follows", [{SPACE}, {FOOD, SPACE}, {topic.slug for topic in TOPICS}])
def test_what_is_previewed_is_what_is_sent(
    follows: set[TopicSlug], rendered: RenderedIssue, encoded: EncodedIssue
) -> None:
    edition = edition_for(sample_issue().outline, follows)
    assert decoded(encoded.edition(edition).message(sample_recipient())) == page_of(rendered, edition)


def test_every_line_is_ascii_and_short_and_needs_no_dot_stuffing(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\x00" not in raw
    assert raw.endswith(b"--\r\n")
    assert not raw.endswith(b"\r\n\r\n")
    lines = raw.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert all(len(line) <= 76 for line in body_lines(raw))


def test_only_a_link_may_make_a_header_long(raw: bytes) -> None:
    headers = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    long = [line.partition(b":")[0] for line in headers if len(line) > 76]
    assert long == [b"List-Unsubscribe", b"List-Help"]


def test_readers_values_stand_alone_on_their_lines(raw: bytes) -> None:
    # Softly broken off from what follows, or at the end of a line of text.
    alone = (b"reader@example.com=", b"reader@example.com")
    found = [line for line in body_lines(raw) if b"reader@example.com" in line]
    assert len(found) == 2
    assert set(found) <= set(alone)


def test_the_headers_say_who_what_and_how_to_leave(raw: bytes) -> None:
    message = parsed(raw)
    link = PERSONAL[Token.UNSUBSCRIBE_URL]
    assert dict(message.items()) == {
        "Subject": "The Saturday Reader: The tidal array nobody can see has now run for a…",
        "From": "The Saturday Reader <reader@news.example.org>",
        "Date": "Mon, 23 Nov 2026 07:00:00 +0000",
        "List-Id": "The Saturday Reader <saturday.news.example.org>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "2026-47:saturday:digest:example-org",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "Reply-To": "desk@example.org",
        "List-Owner": "<mailto:owner@example.org>",
        "List-Archive": "<https://digest.example.org/archive>",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
        "To": "reader@example.com",
        "Message-ID": "<d1.2026-47@news.example.org>",
        "List-Unsubscribe": f"<{link}>",
        "List-Help": f"<{PERSONAL[Token.PREFERENCES_URL]}>",
    }
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("follows", [{SPACE}, {topic.slug for topic in TOPICS}])
def test_a_mail_without_html_is_one_text_and_the_same_text(
    follows: set[TopicSlug], rendered: RenderedIssue, encoded: EncodedIssue
) -> None:
    edition = edition_for(sample_issue().outline, follows)
    raw = encoded.edition(replace(edition, is_text=True)).message(sample_recipient())
    message = parsed(raw)
    assert (message.get_content_type(), message.is_multipart(), message.defects) == ("text/plain", False, [])
    text = message.get_payload(decode=True)
    assert isinstance(text, bytes)
    shown = text.decode().replace("\r\n", "\n")
    assert shown.rstrip("\n") == page_of(rendered, edition).text.rstrip("\n")
    assert raw.endswith(b"\r\n")
    assert not raw.endswith(b"\r\n\r\n"), "DKIM's simple form leaves empty lines at the end out"
    assert all(len(line) <= 76 for line in body_lines(raw))
    whole = parsed(encoded.edition(edition).message(sample_recipient()))
    assert message.keys() == [*whole.keys()[:-4], "Content-Transfer-Encoding", *whole.keys()[-4:]]


def test_what_a_sender_lacks_is_left_out(rendered: RenderedIssue) -> None:
    bare = Sender("Reader", "reader@example.org", "list.example.org", "reader:digest:x")
    issue = EncodedIssue(rendered, bare, name="1", date=SENT_AT)
    message = parsed(issue.edition(everything(sample_issue())).message(sample_recipient()))
    assert not {"Reply-To", "List-Owner", "List-Archive"} & set(message.keys())


def test_the_same_delivery_is_the_same_bytes_on_every_attempt(rendered: RenderedIssue, raw: bytes) -> None:
    again = EncodedIssue(RenderedIssue.from_json(rendered.to_json()), SENDER, name="2026-47", date=SENT_AT)
    assert again.edition(everything(sample_issue())).message(sample_recipient()) == raw


def test_readers_of_one_edition_differ_in_their_own_values_alone(encoded: EncodedIssue, raw: bytes) -> None:
    other = sample_recipient(email="someone@example.net", message_id="<d2.2026-47@news.example.org>")
    message = encoded.edition(everything(sample_issue())).message(other)
    changed = message.replace(b"someone@example.net", b"reader@example.com").replace(b"<d2.", b"<d1.")
    assert changed == raw


def test_the_boundary_cannot_stand_in_a_body(raw: bytes) -> None:
    boundary = str(parsed(raw).get_boundary())
    forged = of_fragments(Fragment(f"\n--{boundary}\n\n<b>x</b>\n", f"\n--{boundary}--\nx\n"))
    issue = EncodedIssue(forged, SENDER, name="2026-47", date=SENT_AT)
    page = decoded(issue.edition(ONE).message(sample_recipient()))
    assert page == page_for(assemble(forged, ONE), PERSONAL)


@given(TEXT, TEXT, st.lists(st.sampled_from(TOKENS), max_size=4), TEXT, st.booleans())
def test_any_text_around_any_tokens_comes_back(
    before: str, after: str, tokens: list[Token], title: str, breaks: bool
) -> None:
    middle = ("\n" if breaks else "").join(token.mark for token in tokens)
    form = f"{before}{middle}{after}\n"
    last = Fragment(f"{middle}\n", f".{middle}\n")
    issue = of_fragments(Fragment(form, form), closing=last, title=title or "T")
    raw = EncodedIssue(issue, SENDER, name="1", date=SENT_AT).edition(ONE).message(sample_recipient())
    assert all(len(line) <= 76 for line in body_lines(raw))
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))
    expected = page_for(assemble(issue, ONE), PERSONAL)
    assert (decoded(raw).html, decoded(raw).text) == (expected.html, expected.text)


def test_an_international_domain_travels_in_a_labels_and_is_shown_as_written(encoded: EncodedIssue) -> None:
    raw = encoded.edition(everything(sample_issue())).message(sample_recipient(email="reader@bücher.example"))
    assert parsed(raw)["To"] == "reader@xn--bcher-kva.example"
    assert "at reader@bücher.example because" in " ".join(decoded(raw).text.split())


def test_a_local_part_outside_ascii_is_the_only_thing_in_a_mail_that_is(encoded: EncodedIssue) -> None:
    """RFC 6532: to be handed to a server with SMTPUTF8 only; see the tests of the conversation."""
    raw = encoded.edition(everything(sample_issue())).message(sample_recipient(email="lektør@bücher.example"))
    (header,) = [line for line in raw.split(b"\r\n") if not line.isascii()]
    assert header.decode() == "To: lektør@xn--bcher-kva.example"
    assert "at lektør@bücher.example because" in " ".join(decoded(raw).text.split())


BAD_RECIPIENTS = {
    "a second header": {"email": "reader@example.org\r\nBcc: x@example.org"},
    "a second address": {"email": "reader@example.org,x@example.org"},
    "a Message-ID without brackets": {"message_id": "d1@example.org"},
    "a Message-ID that breaks the line": {"message_id": "<d1@example.org>\r\nBcc: x@example.org"},
    "a link that breaks the line": {"unsubscribe_url": "https://example.org/\r\nBcc: x@example.org"},
    "two links": {"unsubscribe_url": "https://example.org/>, <https://example.net/"},
    "a link that is a script": {"preferences_url": "javascript:alert(1)"},
    "a link with a space": {"online_url": "https://example.org/a b"},
    "a link outside ASCII": {"online_url": "https://example.org/ä"},
    "no link": {"unsubscribe_url": ""},
    "a link that no line holds": {"unsubscribe_url": f"https://example.org/{'a' * 900}"},
    "a local part with a line break": {"email": "lekt\r\nør@example.org"},
    "a local part with a right-to-left override": {"email": "lekt\u202eør@example.org"},
}


@pytest.mark.parametrize("fault", BAD_RECIPIENTS)
def test_a_recipient_who_cannot_be_written_is_refused(fault: str, encoded: EncodedIssue) -> None:
    edition = encoded.edition(everything(sample_issue()))
    with pytest.raises(Refused):
        edition.message(sample_recipient(**BAD_RECIPIENTS[fault]))


BAD_SENDERS: dict[str, Callable[[], Sender]] = {
    "an address that is none": lambda: replace(SENDER, address="nobody"),
    "a name with a line break": lambda: replace(SENDER, name="A\r\nBcc: x@example.org"),
    "a list id with a space": lambda: replace(SENDER, list_id="a list"),
    "an empty list id": lambda: replace(SENDER, list_id=""),
    "a feedback id with an empty field": lambda: replace(SENDER, feedback_id="a::b"),
    "an archive link that is none": lambda: replace(SENDER, archive_url="archive"),
    "an owner that is none": lambda: replace(SENDER, owner="me"),
    "a reply address that is none": lambda: replace(SENDER, reply_to="<x>"),
}


@pytest.mark.parametrize("fault", BAD_SENDERS)
def test_a_sender_who_cannot_be_written_is_a_matter_of_settings(fault: str, rendered: RenderedIssue) -> None:
    with pytest.raises(Misconfigured, match="The Saturday Reader"):
        EncodedIssue(rendered, BAD_SENDERS[fault](), name="1", date=SENT_AT)


def test_a_subject_with_a_line_break_is_refused(rendered: RenderedIssue) -> None:
    issue = EncodedIssue(replace(rendered, subject="a\r\nBcc: b"), SENDER, name="1", date=SENT_AT)
    with pytest.raises(InvalidInput, match="control character"):
        issue.edition(everything(sample_issue()))


def test_a_date_without_a_zone_is_refused(rendered: RenderedIssue) -> None:
    with pytest.raises(ValueError, match="naive"):
        EncodedIssue(rendered, SENDER, name="1", date=datetime(2026, 11, 23))


def test_a_date_in_another_zone_is_written_in_utc(rendered: RenderedIssue) -> None:
    local = SENT_AT.astimezone(tz=None)
    issue = EncodedIssue(rendered, SENDER, name="1", date=local)
    raw = issue.edition(everything(sample_issue())).message(sample_recipient())
    assert parsed(raw)["Date"].datetime == SENT_AT.astimezone(UTC)


def test_a_fragment_that_would_run_into_the_next_is_refused() -> None:
    issue = EncodedIssue(of_fragments(Fragment("<p>", "p")), SENDER, name="1", date=SENT_AT)
    with pytest.raises(ValueError, match="line break"):
        issue.edition(ONE)


def test_an_edition_of_another_issue_is_refused(encoded: EncodedIssue) -> None:
    with pytest.raises(KeyError):
        encoded.edition(Edition((Section(SPACE, (99,)),)))


class _Catcher:
    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert envelope.original_content is not None
        self.contents.append(envelope.original_content)
        return "250 OK"


@pytest.fixture
def catcher() -> Iterator[tuple[_Catcher, Controller]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    handler = _Catcher()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, controller
    controller.stop()


def test_a_server_receives_the_very_bytes(catcher: tuple[_Catcher, Controller], raw: bytes) -> None:
    handler, controller = catcher
    with smtplib.SMTP(controller.hostname, controller.port) as client:
        client.sendmail("bounce@example.org", ["reader@example.com"], raw)
    assert handler.contents == [raw]
