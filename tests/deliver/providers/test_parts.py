"""What providers that take no MIME are given: everything a mail says, as JSON has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.letters import Head, letter
from digest.deliver.providers.parts import Mailbox, message_id_of, parts_of
from digest.domain.mail import Page
from tests.deliver.ways import mail_to
from tests.stored import NOW

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=120)


def test_a_mail_is_taken_apart_without_loss_of_what_a_reader_sees() -> None:
    parts = parts_of(mail_to("anna@example.org"))
    assert parts.sender == Mailbox("news@example.org", "Hafen, Wöchentlich")
    assert parts.subject == "Hafen-Woche: Gezeiten, 6 Turbinen – und „mehr“"
    assert parts.text == "Grüße vom Hafen.\n\n.Eine Zeile mit Punkt.\n"
    assert parts.html == "<html><body><p>Grüße & <b>Küsse</b> vom Hafen.</p></body></html>\n"
    assert parts.message_id == "3.17.0a1b2c3d4e5f@example.org"
    assert parts.reply_to is None


def test_the_headers_that_no_field_is_for_are_all_there_in_one_line_each() -> None:
    assert dict(parts_of(mail_to("anna@example.org")).headers) == {
        "Message-ID": "<3.17.0a1b2c3d4e5f@example.org>",
        "Auto-Submitted": "auto-generated",
        "List-Id": "<weekly.digest.example.org>",
        "List-Unsubscribe": "<https://digest.example.org/unsubscribe/abc.def>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "3:weekly:digest:example-org",
        "Content-Language": "de",
    }


def test_a_signature_that_would_not_hold_is_left_out() -> None:
    signed = b"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n" + mail_to("anna@example.org")
    assert "dkim-signature" not in {name.lower() for name, _ in parts_of(signed).headers}


def test_an_answer_address_is_kept() -> None:
    mail = b"Reply-To: =?utf-8?q?K=C3=BCste?= <desk@example.org>\r\n" + mail_to("anna@example.org")
    assert parts_of(mail).reply_to == Mailbox("desk@example.org", "Küste")


def test_a_mail_of_text_alone_has_no_html() -> None:
    head = Head("ops@example.org", "ops@example.org", "<alert.1@example.org>", NOW)
    parts = parts_of(letter(Page("Disk full", "", "Make room.\n"), head))
    assert (parts.text, parts.html) == ("Make room.\n", "")


@given(subject=_TEXT.filter(str.strip), name=_TEXT, text=_TEXT, html=_TEXT.filter(bool))
def test_whatever_was_written_comes_out_again(subject: str, name: str, text: str, html: str) -> None:
    head = Head("a@example.org", "b@example.org", "<1@example.org>", NOW, sender_name=name)
    parts = parts_of(letter(Page(subject, html, text), head))
    assert parts.subject == " ".join(subject.split())
    assert parts.sender == Mailbox("a@example.org", " ".join(name.split()))
    assert parts.text.removesuffix("\n") == text.removesuffix("\n")
    assert parts.html.removesuffix("\n") == html.removesuffix("\n")


def test_a_message_id_is_found_wherever_it_stands_in_the_head_and_never_in_the_body() -> None:
    assert message_id_of(mail_to("anna@example.org")) == "3.17.0a1b2c3d4e5f@example.org"
    assert message_id_of(b"message-id:\r\n <1@example.org>\r\n\r\nhi\r\n") == "1@example.org"
    assert message_id_of(b"Subject: x\r\n\r\nMessage-ID: <1@example.org>\r\n") == ""
