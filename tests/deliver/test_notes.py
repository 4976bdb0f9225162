import email.policy
from datetime import UTC, datetime
from email import message_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.deliver.notes import note
from digest.domain.errors import Refused

DATE = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
NAMES = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
    "Content-Transfer-Encoding",
]


@given(st.text(max_size=200), st.text(max_size=400))
@example("a source =?utf-8?q?x=0D=0ABcc=3A_x=40example.org?= failed", ".\n..\nFrom x\n")
@example("a\r\nBcc: x@example.org", "a\x00\ud800b\u2028c")
@example("", "")
def test_whatever_stands_in_it_a_note_is_one_mail_with_the_same_headers(subject: str, text: str) -> None:
    """A name that decodes to a line break began a header of its own before Python 3.12.5 (CVE-2024-6923)."""
    raw = note("ops@example.org", f"[Digest] {subject}", text, message_id="a@example.org", date=DATE)
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") and b"\n" not in line for line in lines)
    message = message_from_bytes(raw, policy=email.policy.compat32)
    assert message.keys() == NAMES
    assert message.get_payload(decode=True).decode().splitlines() == _shown(text)  # type: ignore[union-attr]


def _shown(text: str) -> list[str]:
    return text.encode(errors="replace").decode().splitlines() or [""]


def test_a_note_says_what_it_was_given() -> None:
    raw = note("ops@example.org", "[Digest] Überraschung", "Zwei\nZeilen", message_id="a@b", date=DATE)
    message = message_from_bytes(raw, policy=email.policy.default)
    assert (message["Subject"], message["To"]) == ("[Digest] Überraschung", "ops@example.org")
    assert message["Date"] == "Mon, 23 Nov 2026 07:00:00 +0000"
    assert message.get_content() == "Zwei\r\nZeilen\r\n"  # type: ignore[attr-defined]


def test_a_note_to_what_is_no_address_is_refused() -> None:
    with pytest.raises(Refused, match="not a mail address"):
        note("ops", "a", "b", message_id="a@b", date=DATE)
