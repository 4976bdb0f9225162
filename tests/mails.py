"""A mail as its reader has it: parsed, and checked against what every mail of ours must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import Engine

from digest.domain.issues import Issue
from digest.store.articles import candidates_in
from digest.store.database import reading

_UNRESOLVED = re.compile(r"\{\{|\{%|\{#|[\ue000-\uf8ff]|\bNone\b|<built-in|<bound method")
_READ_AT = re.compile(r"^Read at .*:\n(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ReadMail:
    """One mail. `urls` are the addresses of its articles in reading order, as the text part gives them."""

    message: EmailMessage
    to: str
    text: str
    html: str
    urls: tuple[str, ...]


def read_mail(content: bytes) -> ReadMail:
    """Parse a mail, or fail with what is wrong with it."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None, "no text part"
    assert html is not None, "no HTML part"
    plain = text.get_content().replace("\r\n", "\n")
    return ReadMail(message, str(message["To"]), plain, html.get_content(), tuple(_READ_AT.findall(plain)))


def assert_well_made(mail: ReadMail) -> None:
    """No defects, one-click unsubscribing (RFC 8058), nothing unresolved, the same articles in both parts."""
    message = mail.message
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert {"From", "To", "Subject", "Date", "Message-ID"} <= set(message.keys())
    assert re.fullmatch(r"<https?://[^\s<>,]+/unsubscribe/[^\s<>,]+>", str(message["List-Unsubscribe"]))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for where in (str(message["Subject"]), mail.text, mail.html):
        assert not _UNRESOLVED.search(where)
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert link in mail.text
    assert link in mail.html
    assert mail.urls, "a mail without articles"
    assert all(url in mail.html for url in mail.urls)


def assert_only_followed(mail: ReadMail, follows: frozenset[str], topics: dict[str, frozenset[str]]) -> None:
    """Every article is of a topic its reader follows, and none is there twice.

    `topics` are those of every article by its address, see `topics_by_url`.
    """
    assert len(set(mail.urls)) == len(mail.urls), f"{mail.to} reads an article twice"
    for url in mail.urls:
        assert topics[url] & follows, f"{mail.to} follows none of {sorted(topics[url])}: {url}"


def topics_by_url(engine: Engine, issue: Issue) -> dict[str, frozenset[str]]:
    """The topics of every article of the issue's window, by its address, as the database has them."""
    with reading(engine) as session:
        candidates = candidates_in(session, issue.newsletter_id, issue.window)
    return {
        candidate.stored.article.url: frozenset(match.slug for match in candidate.topics)
        for candidate in candidates
    }
