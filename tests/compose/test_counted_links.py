"""Counted links: the same for all readers, alike in what is shown and sent, and judged by where they lead."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from digest.compose.checks.editions import check_editions
from digest.compose.render import EmailTemplate, render_issue
from digest.deliver.mime import EncodedIssue
from digest.domain.clicks import target_of
from digest.domain.issues import IssueContent, IssueId, edition_for
from digest.domain.mail import RenderedIssue
from tests.compose.editions import LINKS
from tests.samples import (
    CLIMATE,
    FOOD,
    PERSONAL,
    SENDER,
    SENT_AT,
    SPACE,
    everything,
    page_of,
    sample_issue,
    sample_recipient,
)

CONTENT = replace(sample_issue(), id=IssueId(47))
HREF = re.compile(r'href="(https://digest\.example\.org/c/[^"]+)"')


@pytest.fixture(scope="module")
def counted(template: EmailTemplate) -> RenderedIssue:
    return render_issue(CONTENT, replace(template, counted=LINKS))


def places(html: str) -> list[int]:
    """Which article of its mail each counted link says it stands in, in the order of the mail."""
    return [int(link.rpartition("/")[2]) for link in HREF.findall(html)]


@pytest.mark.parametrize("follows", [{CLIMATE}, {SPACE, FOOD}, {topic.slug for topic in CONTENT.topics}])
def test_what_is_previewed_is_what_is_sent_also_of_counted_links(
    counted: RenderedIssue, follows: set[str]
) -> None:
    edition = edition_for(CONTENT.outline, follows)  # type: ignore[arg-type]
    encoded = EncodedIssue(counted, SENDER, name="2026-47", date=SENT_AT)
    # One of everything is encoded first: what editions share must not keep the places of another.
    encoded.edition(everything(CONTENT))
    raw = encoded.edition(edition).message(sample_recipient())
    mail: EmailMessage = message_from_bytes(raw, policy=policy.default)  # type: ignore[assignment]
    page = page_of(counted, edition)
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    sent = [body.get_content().replace("\r\n", "\n") for body in bodies if body]
    assert sent == [page.html, page.text]
    found = places(page.html)
    assert sorted(set(found)) == list(range(1, len(edition.positions) + 1))
    assert found == sorted(found)


def test_every_article_has_one_link_under_each_of_its_topics(counted: RenderedIssue) -> None:
    leads = {(link.url, link.topic) for link in counted.links.values()}
    assert leads == {
        (url, topic)
        for item in CONTENT.items
        for topic in item.topics
        for url in (item.url, *(other.url for other in item.also))
    }
    assert {link.source for link in counted.links.values() if link.position == 0} == {
        CONTENT.items[0].source,
        *(other.source for other in CONTENT.items[0].also),
    }


def test_an_issue_keeps_where_its_links_lead(counted: RenderedIssue) -> None:
    assert RenderedIssue.from_json(counted.to_json()) == counted


def test_checks_judge_a_counted_link_by_the_article_it_leads_to(
    counted: RenderedIssue, template: EmailTemplate
) -> None:
    def checked(content: IssueContent, rendered: RenderedIssue) -> tuple[list[str], list[str]]:
        told = check_editions(rendered, {everything(content): 5}, PERSONAL)
        return [link.url for link in told.links], [one.finding.what for one in told.findings]

    assert checked(CONTENT, counted) == checked(CONTENT, render_issue(CONTENT, template))


def test_text_and_html_have_the_same_links(counted: RenderedIssue) -> None:
    page = page_of(counted, everything(CONTENT))
    in_text = {word for word in page.text.split() if "/c/" in word}
    assert in_text == set(HREF.findall(page.html))
    assert {target_of(link, counted.links) for link in in_text} >= {item.url for item in CONTENT.items}
    assert not [url for url in (item.url for item in CONTENT.items) if url in page.html + page.text]


def test_a_sample_that_is_no_issue_has_plain_links_and_says_all_the_same_what_mails_will(
    template: EmailTemplate,
) -> None:
    sample = page_of(
        render_issue(sample_issue(), replace(template, counted=LINKS)), everything(sample_issue())
    )
    assert CONTENT.items[0].url in sample.html
    assert "/c/" not in sample.html
    assert "We count how often links" in sample.html
