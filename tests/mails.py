"""A mail as its reader has it: parsed, and checked against what every mail of ours must be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from lxml import html as markup
from sqlalchemy import Engine

from digest.domain.issues import Issue
from digest.domain.subscribers import email_key
from digest.store.condensed import candidates_in
from digest.store.database import reading
from digest.store.newsletters import list_topics
from digest.store.subscribers import get_subscription

_UNRESOLVED = re.compile(r"\{\{|\{%|\{#|[\ue000-\uf8ff]|\bNone\b|<bound method|object at 0x")
_READ_AT = re.compile(r"^Read at .*\n(\S+)$", re.MULTILINE)
_HEADING = re.compile(r"^(.+)\n-{72}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ReadMail:
    """One mail. `urls` are its articles and `headings` its sections in reading order, as its text has them.

    `takeaways` are the bullets of each article by its address, as its HTML has them.
    """

    message: EmailMessage
    to: str
    text: str
    html: str
    urls: tuple[str, ...]
    headings: tuple[str, ...]
    takeaways: Mapping[str, tuple[str, ...]]


def read_mail(content: bytes) -> ReadMail:
    """Parse a mail, or fail with what is wrong with it."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None, "no text part"
    assert rich is not None, "no HTML part"
    text, html = plain.get_content().replace("\r\n", "\n"), rich.get_content()
    return ReadMail(
        message,
        str(message["To"]),
        text,
        html,
        tuple(_READ_AT.findall(text)),
        tuple(_HEADING.findall(text)),
        _takeaways(html),
    )


def _takeaways(html: str) -> dict[str, tuple[str, ...]]:
    articles = markup.document_fromstring(html).xpath("//div[h2/a]")
    return {
        article.xpath("h2/a/@href")[0]: tuple(item.text_content() for item in article.xpath("ul/li"))
        for article in articles
    }


def assert_well_made(mail: ReadMail) -> None:
    """No defects, one-click unsubscribing (RFC 8058), nothing unresolved, the same articles in both parts."""
    message = mail.message
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert {"From", "To", "Subject", "Date", "Message-ID"} <= set(message.keys())
    link = re.fullmatch(r"<(https?://[^\s<>,]+/unsubscribe/[^\s<>,]+)>", str(message["List-Unsubscribe"]))
    assert link, message["List-Unsubscribe"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link[1] in mail.text
    assert link[1] in mail.html
    for where in (str(message["Subject"]), mail.text, mail.html):
        assert not (found := _UNRESOLVED.search(where)), found
    assert mail.urls, "a mail without articles"
    assert tuple(mail.takeaways) == mail.urls


@dataclass(frozen=True, slots=True)
class Followed:
    """What the database says about an issue: its articles' topics by address, and the topics' names."""

    engine: Engine
    issue: Issue
    topics: Mapping[str, frozenset[str]]
    names: Mapping[str, str]

    @classmethod
    def of(cls, engine: Engine, issue: Issue) -> Followed:
        """Read what was decided about each article of the issue's days."""
        with reading(engine) as session:
            candidates = candidates_in(session, issue.newsletter_id, issue.window)
            names = {topic.slug: topic.name for topic in list_topics(session, issue.newsletter_id)}
        topics = {
            candidate.stored.article.url: frozenset(match.slug for match in candidate.topics)
            for candidate in candidates
        }
        return cls(engine, issue, topics, dict(names))

    def follows(self, email: str) -> Collection[str]:
        """The topics a subscriber follows."""
        with reading(self.engine) as session:
            return get_subscription(session, self.issue.newsletter_id, email_key(email)).follows

    def assert_only_followed(self, mail: ReadMail) -> None:
        """Every article and every section is of a topic its reader follows, and no article is there twice."""
        follows = self.follows(mail.to)
        assert len(set(mail.urls)) == len(mail.urls), f"{mail.to} gets an article twice"
        for url in mail.urls:
            assert self.topics[url] & set(follows), f"{mail.to} does not follow {self.topics[url]}: {url}"
        assert set(mail.headings) <= {self.names[topic].upper() for topic in follows}
