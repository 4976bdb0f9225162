"""What is signed holds at the receiver as our own conversation delivers it, and nothing else does."""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.compose.render import compile_template, render_issue
from digest.deliver.dkim.keys import DkimKey
from digest.deliver.dkim.signing import OVERSIGNED, Signer, relaxed
from digest.deliver.mime import EncodedIssue
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.transport import Envelope
from digest.domain.issues import edition_for
from digest.domain.mail import RenderedIssue
from digest.domain.topics import TopicSlug
from tests.deliver.dkim.checking import DOMAIN, ed25519_key, records, rsa_key, verdicts
from tests.samples import FOOD, SENDER, SPACE, TEMPLATES, TOPICS, sample_issue, sample_recipient
from tests.servers.smtp_sink import SmtpSink

DATE = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
KEYS: dict[str, tuple[DkimKey, ...]] = {
    "rsa": (rsa_key(),),
    "ed25519": (ed25519_key(),),
    "rsa and ed25519": (rsa_key(), ed25519_key()),
    "two of rsa, one short": (rsa_key(), rsa_key(1024, "old")),
    "two of ed25519 and one of rsa": (ed25519_key(), ed25519_key("e2"), rsa_key()),
}
FOLLOWS = ({SPACE}, {FOOD, SPACE}, {topic.slug for topic in TOPICS})


@pytest.fixture(scope="module")
def rendered() -> RenderedIssue:
    return render_issue(sample_issue(), compile_template(TEMPLATES / "digest"))


def signed(
    rendered: RenderedIssue,
    keys: Sequence[DkimKey],
    *,
    follows: set[TopicSlug] = FOLLOWS[-1],
    domain: str = DOMAIN,
    **recipient: str,
) -> bytes:
    issue = EncodedIssue(rendered, SENDER, name="2026-47", date=DATE, signer=Signer(domain, keys))
    edition = issue.edition(edition_for(sample_issue().outline, follows))
    return edition.message(sample_recipient(**recipient))


def delivered(sink: SmtpSink, message: bytes) -> bytes:
    async def send() -> None:
        async def arm() -> bool:
            return True

        async with SmtpTransport(SmtpServer(sink.host, sink.port, start_tls=False)).session() as session:
            await session.send(Envelope("bounces@example.org", "reader@example.com"), message, arm)

    asyncio.run(send())
    return sink.contents()[-1]


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_every_signature_holds_at_the_server_that_took_the_mail(
    keys: tuple[DkimKey, ...], rendered: RenderedIssue, smtp_sink: SmtpSink
) -> None:
    for number, follows in enumerate(FOLLOWS):
        online = f"https://digest.example.org/{'x' * number * 90}"
        message = delivered(smtp_sink, signed(rendered, keys, follows=follows, online_url=online))
        assert verdicts(message, records(keys)) == [True] * len(keys)


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_a_signature_holds_for_a_mail_without_html(
    keys: tuple[DkimKey, ...], rendered: RenderedIssue, smtp_sink: SmtpSink
) -> None:
    issue = EncodedIssue(rendered, SENDER, name="2026-47", date=DATE, signer=Signer(DOMAIN, keys))
    edition = replace(edition_for(sample_issue().outline, FOLLOWS[-1]), is_text=True)
    message = delivered(smtp_sink, issue.edition(edition).message(sample_recipient()))
    assert verdicts(message, records(keys)) == [True] * len(keys)


def test_the_domain_above_the_senders_may_sign(rendered: RenderedIssue) -> None:
    message = signed(rendered, KEYS["rsa"], domain="example.org")
    assert verdicts(message, records(KEYS["rsa"], "example.org")) == [True]
    assert verdicts(message, records(KEYS["rsa"])) == [False]


def test_a_mail_to_an_address_outside_ascii_is_signed_as_well(rendered: RenderedIssue) -> None:
    message = signed(rendered, KEYS["rsa and ed25519"], email="lektør@example.org")
    assert verdicts(message, records(KEYS["rsa and ed25519"])) == [True, True]


def test_another_key_under_the_selector_does_not_fit(rendered: RenderedIssue) -> None:
    message = signed(rendered, KEYS["rsa and ed25519"])
    other = records([rsa_key(1024, "r1"), ed25519_key()])
    assert verdicts(message, other) == [False, True]


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_changed_letter_anywhere_breaks_the_signature(kind: str, rendered: RenderedIssue) -> None:
    message, published = signed(rendered, KEYS[kind]), records(KEYS[kind])
    letters = [at for at, byte in enumerate(message) if chr(byte) in string.ascii_letters + string.digits]
    # Not the last of the signature: its base64 has bits that mean nothing.
    letters = [at for at in letters if message[at + 1 : at + 2] != b"="]
    changed = [*letters[:900:9], *letters[900::400]]
    assert len(changed) > 150
    assert [at for at in changed if True in verdicts(_with_another_letter(message, at), published)] == []


def _with_another_letter(message: bytes, at: int) -> bytes:
    # Never the same letter in another case: names of headers may change theirs.
    other = b"7" if message[at : at + 1].isalpha() else b"q"
    return message[:at] + other + message[at + 1 :]


def test_every_header_is_signed_and_those_that_are_shown_cannot_be_added(rendered: RenderedIssue) -> None:
    message, published = signed(rendered, KEYS["ed25519"]), records(KEYS["ed25519"])
    headers = message.partition(b"\r\n\r\n")[0].split(b"\r\nSubject:")
    names = [line.split(b":")[0] for line in relaxed(b"Subject:" + headers[1]).splitlines()]
    listed = re.search(rb"h=([^;]*)", headers[0])
    assert listed is not None
    assert re.sub(rb"\s", b"", listed[1]).split(b":") == [*names, *OVERSIGNED]
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id", b"list-help"} <= set(names)
    for name in OVERSIGNED:
        assert verdicts(name + b": x\r\n" + message, published) == [False], name
        below = message.replace(b"\r\n\r\n", b"\r\n" + name + b": x\r\n\r\n", 1)
        assert verdicts(below, published) == [False], name


def test_what_relays_do_to_a_mail_leaves_the_signature_whole(rendered: RenderedIssue) -> None:
    message, published = signed(rendered, KEYS["rsa and ed25519"]), records(KEYS["rsa and ed25519"])
    traced = b"Received: from a by b;\r\n Mon, 5 Jan 2026 07:00:00 +0000\r\n" + message
    assert verdicts(traced, published) == [True, True]
    folded = message.replace(b"Auto-Submitted: auto", b"AUTO-submitted:  \r\n\t auto")
    assert folded != message
    assert verdicts(folded, published) == [True, True]
    assert verdicts(message + b"\r\n\r\n", published) == [True, True]
    assert verdicts(message + b"x\r\n", published) == [False, False]


def test_a_signed_mail_is_the_unsigned_one_behind_its_signatures(rendered: RenderedIssue) -> None:
    plain = EncodedIssue(rendered, SENDER, name="2026-47", date=DATE)
    edition = plain.edition(edition_for(sample_issue().outline, FOLLOWS[-1]))
    unsigned = edition.message(sample_recipient())
    message = signed(rendered, KEYS["rsa and ed25519"])
    assert message.endswith(unsigned)
    signatures = message.removesuffix(unsigned)
    assert signatures.count(b"DKIM-Signature: v=1; a=") == 2
    assert all(len(line) <= 76 for line in signatures.split(b"\r\n"))


def test_a_signed_delivery_is_the_same_bytes_on_every_attempt(rendered: RenderedIssue) -> None:
    again = RenderedIssue.from_json(rendered.to_json())
    assert signed(again, KEYS["rsa and ed25519"]) == signed(rendered, KEYS["rsa and ed25519"])


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (b"A: X\r\nB : Y\t\r\n\tZ  \r\n", b"a:X\r\nb:Y Z\r\n"),  # RFC 6376 §3.4.5
        (b"Subject:  a\r\n  b \t c\r\n", b"subject:a b c\r\n"),
        (b"X:\r\n", b"x:\r\n"),
        (b"X: a:b : c\r\n", b"x:a:b : c\r\n"),
    ],
)
def test_relaxed_is_what_the_standard_says(header: bytes, form: bytes) -> None:
    assert relaxed(header) == form
