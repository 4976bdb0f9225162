"""A test to the readers of a segment: who would get it is shown first, and it goes to nobody else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.domain.accounts import Role
from digest.domain.topics import TopicSlug
from digest.pipeline.managing import segments
from digest.store.database import writing
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import subscribe
from tests.samples import FOOD, SPACE
from tests.servers.browser import ChromiumBrowser
from tests.servers.smtp_sink import SmtpSink
from tests.web.axe import faults
from tests.web.preview.test_forms import audited
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, DRAFT, EVE, FAY, NOW

PAGE = f"/issues/{DRAFT}/preview"


@pytest.fixture
def mailing(open_site: Callable[..., Site], filled_database: Path, smtp_sink: SmtpSink) -> Site:
    """A site whose draft can be tested, and with segments to choose from."""
    site = open_site(filled_database, mail_url=smtp_sink.url)
    for slug, query in (
        ("editors", "topic:climate"),
        ("space", "topic:space"),
        ("finns", "language:fi"),
        ("hungry", "topic:food"),
    ):
        segments.add(site.runtime, "saturday", {"slug": slug, "query": query}, by="Edith")
    return site


def follow(site: Site, topic: TopicSlug, *emails: str) -> None:
    with writing(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        for email in emails:
            subscribe(session, newsletter.id, email=email, follows=[topic], now=NOW)


def at_its_form(page: str) -> str:
    at = page.index('id="test"')
    return page[at : page.index("</section>", at)]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', at_its_form(page))
    assert found, f"the form asks with {name}"
    return html.unescape(found[1])


def test_a_segment_is_shown_by_address_before_anything_is_sent(mailing: Site, smtp_sink: SmtpSink) -> None:
    follow(mailing, SPACE, "zoe@example.org")
    assert "Show who would get it" in at_its_form(mailing.get(PAGE).text)
    asked = mailing.submit(f"{PAGE}/test", segment="space", topic="space")
    assert asked.status_code == 200
    told = text_of(at_its_form(asked.text))
    assert "Now Space fits these active readers:" in told
    assert BEN in told
    assert EVE not in told, "she is paused"
    assert "Send the test to 2 readers" in told
    assert smtp_sink.count() == 0
    assert audited(mailing) == []
    form = {name: hidden(asked.text, name) for name in ("segment", "seen", "topic")}
    sent = mailing.submit(f"{PAGE}/test", **form)
    assert "The mail server took 2 tests; no reader has it." in text_of(at_its_form(sent.text))
    assert smtp_sink.copies() == {BEN: 1, "zoe@example.org": 1}
    assert [what for what, _by, _detail in audited(mailing)] == ["issue.tested"]


def test_who_came_to_a_segment_since_it_was_shown_gets_nothing_unseen(
    mailing: Site, smtp_sink: SmtpSink
) -> None:
    asked = mailing.submit(f"{PAGE}/test", segment="space")
    follow(mailing, SPACE, "gus@example.org")
    form = {name: hidden(asked.text, name) for name in ("segment", "seen")}
    again = mailing.submit(f"{PAGE}/test", **form)
    assert again.status_code == 409
    told = text_of(at_its_form(again.text))
    assert "The segment fits others by now: look once more. Nothing was sent." in told
    assert "gus@example.org" in told
    assert smtp_sink.count() == 0
    mailing.submit(f"{PAGE}/test", segment="space", seen=hidden(again.text, "seen"))
    assert smtp_sink.copies() == {BEN: 1, "gus@example.org": 1}


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"segment": "finns"}, 422, "The segment 'finns' fits no active reader: a test goes to 1 to 10"),
        ({"segment": "gone"}, 404, "No segment 'gone'; there is: editors, finns, hungry, space"),
        ({"segment": ""}, 422, "Say where it goes: to addresses, or to a segment. Nothing was sent."),
        ({"segment": "space", "to": ADA}, 422, "Say where it goes: to addresses, or to a segment."),
        ({"segment": "hungry"}, 409, f"{FAY.capitalize()}: suppressed, as mail there bounced"),
        ({"segment": "space", "seen": "nobody"}, 422, "'nobody' is not an e-mail address"),
    ],
)
def test_a_segment_that_no_test_goes_to_is_told_at_its_form(
    form: dict[str, str], status: int, words: str, mailing: Site, smtp_sink: SmtpSink
) -> None:
    answer = mailing.submit(f"{PAGE}/test", **form)
    assert answer.status_code == status
    assert words in text_of(at_its_form(answer.text))
    assert smtp_sink.count() == 0


def test_more_than_ten_readers_are_no_test(mailing: Site, smtp_sink: SmtpSink) -> None:
    follow(mailing, FOOD, *(f"reader{number}@example.org" for number in range(11)))
    answer = mailing.submit(f"{PAGE}/test", segment="hungry")
    assert answer.status_code == 422
    told = text_of(at_its_form(answer.text))
    assert "The segment 'hungry' fits more than 10 active readers" in told
    assert "reader3@example.org" not in told
    assert smtp_sink.count() == 0


def test_a_viewer_sees_no_such_form_and_may_not_use_it(mailing: Site, smtp_sink: SmtpSink) -> None:
    with mailing.seen_by(Role.VIEWER) as viewer:
        assert "Show who would get it" not in viewer.get(PAGE).text
        answer = viewer.submit(f"{PAGE}/test", segment="space", seen=BEN)
        assert answer.status_code == 403
    assert smtp_sink.count() == 0


def test_what_was_typed_stays_when_it_is_refused(mailing: Site) -> None:
    page = at_its_form(mailing.submit(f"{PAGE}/test", to="ed@example.org nobody").text)
    assert 'value="ed@example.org nobody"' in page
    assert '<option value="finns" selected>' in mailing.submit(f"{PAGE}/test", segment="finns").text


def test_without_segments_there_are_addresses_alone(site: Site) -> None:
    assert "Show who would get it" not in site.get(PAGE).text


def test_a_test_goes_to_a_segment_by_two_presses(
    mailing: Site, smtp_sink: SmtpSink, browser: ChromiumBrowser
) -> None:
    with browser.page(width=375) as page:
        page.goto(f"{mailing.url}{PAGE}")
        page.get_by_label("Or to a segment’s active readers").select_option("Space")
        page.get_by_role("button", name="Show who would get it").click()
        send = page.get_by_role("button", name="Send the test to 1 reader", exact=True)
        send.wait_for()
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        assert smtp_sink.count() == 0
        send.click()
        page.get_by_text("The mail server took 1 test").wait_for()
    assert smtp_sink.copies() == {BEN: 1}
