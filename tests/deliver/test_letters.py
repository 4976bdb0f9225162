import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.deliver.dkim.signing import Signer
from digest.deliver.letters import Head, letter
from digest.domain.errors import InvalidInput, Refused
from digest.domain.mail import Page
from tests.deliver.dkim.checking import DOMAIN, ed25519_key, records, rsa_key, verdicts

DATE = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HEAD = Head("desk@news.example.org", "ada@example.org", "<a@news.example.org>", DATE)
NEWSLETTER = replace(
    HEAD,
    sender_name="The Weekly",
    language="de",
    feedback_id="welcome:weekly:letter:news-example-org",
    list_id="weekly.news.example.org",
    unsubscribe_url="https://news.example.org/unsubscribe/1.2.abc",
)
NAMES = [
    *("From", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
    *("Content-Transfer-Encoding", "To"),
]
TWO_FORMS = [name for name in NAMES if name != "Content-Transfer-Encoding"]


def parsed(page: Page, head: Head = HEAD) -> EmailMessage:
    message = message_from_bytes(letter(page, head), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@given(st.text(max_size=200), st.text(max_size=400), st.text(max_size=200))
@example("a source =?utf-8?q?x=0D=0ABcc=3A_x=40example.org?= failed", ".\n..\nFrom x\n", "--=_0\r\n\r\nx")
@example("a\r\nBcc: x@example.org", "a\x00\ud800b\u2028c", "")
@example("", "", "")
def test_whatever_stands_in_it_a_letter_is_one_mail_with_the_same_headers(
    subject: str, text: str, html: str
) -> None:
    """A name that decodes to a line break began a header of its own before Python 3.12.5 (CVE-2024-6923)."""
    raw = letter(Page(f"[Digest] {subject}", html, text), HEAD)
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") and b"\n" not in line for line in lines)
    message = message_from_bytes(raw, policy=email.policy.compat32)
    assert message.keys() == (TWO_FORMS if html else NAMES)
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [part.get_payload(decode=True).decode().splitlines() for part in parts] == [  # type: ignore[union-attr]
        _shown(body) for body in ((text, html) if html else (text,))
    ]


def _shown(text: str) -> list[str]:
    return text.encode(errors="replace").decode().splitlines() or [""]


def test_a_letter_says_what_it_was_given_in_both_forms() -> None:
    message = parsed(Page("Überraschung", "<p>Zwei Zeilen</p>\n", "Zwei\nZeilen\n"))
    assert (message["Subject"], message["To"]) == ("Überraschung", "ada@example.org")
    assert message["Date"] == "Mon, 23 Nov 2026 07:00:00 +0000"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Zwei\r\nZeilen\r\n"
    assert html.get_content() == "<p>Zwei Zeilen</p>\r\n"
    assert [defect for part in message.walk() for defect in part.defects] == []


def test_a_page_without_html_is_a_mail_of_text_alone() -> None:
    message = parsed(Page("Ops", "", "Zwei\nZeilen"))
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "Zwei\r\nZeilen\r\n"


def test_what_nobody_can_have_too_often_has_no_headers_of_a_list() -> None:
    plain, listed = parsed(Page("a", "b", "c")), parsed(Page("a", "b", "c"), NEWSLETTER)
    for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence", "Reply-To"):
        assert name not in plain
    assert listed["List-Unsubscribe"] == f"<{NEWSLETTER.unsubscribe_url}>"
    assert listed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert listed["List-Id"] == "<weekly.news.example.org>"
    assert listed["Feedback-ID"] == NEWSLETTER.feedback_id
    assert listed["Content-Language"] == "de"
    assert plain["Auto-Submitted"] == listed["Auto-Submitted"] == "auto-generated"


def test_a_readers_own_letters_before_the_at_stay() -> None:
    raw = letter(Page("a", "b", "c"), replace(HEAD, to="zoë@bücher.example.org"))
    assert "To: zoë@xn--bcher-kva.example.org\r\n".encode() in raw


def test_a_signed_letter_holds_at_the_receiver() -> None:
    keys = (rsa_key(), ed25519_key())
    raw = letter(Page("Grüße", "<p>b</p>", "c"), NEWSLETTER, signer=Signer(DOMAIN, keys))
    assert verdicts(raw, records(keys)) == [True, True]
    assert verdicts(raw.replace(b"ada@", b"eve@"), records(keys)) == [False, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"to": "ops"}, "not a mail address"),
        ({"sender": "desk"}, "not a mail address"),
        ({"unsubscribe_url": "https://x/\r\nBcc: x@example.org"}, "List-Unsubscribe"),
        ({"message_id": "<a@b>\r\nBcc: x@example.org"}, "Message-ID"),
    ],
)
def test_what_cannot_stand_in_a_header_is_refused(change: dict[str, str], words: str) -> None:
    with pytest.raises((Refused, InvalidInput), match=words):
        letter(Page("a", "b", "c"), replace(NEWSLETTER, **change))  # type: ignore[arg-type]
