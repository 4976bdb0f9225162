"""The editor's pages over HTTP: what they say of newsletters, issues and what a reader gets."""

from __future__ import annotations

import html
import json
import re
import shlex
import threading
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from digest.cli.main import app as command
from digest.compose.steps import content_of
from digest.deliver.outages import meet_outage
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.domain.times import Window
from digest.pipeline.control import hold
from digest.runtime import Runtime
from digest.store.articles import ArticleRow
from digest.store.database import writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import change_issue, ensure_issue, write_texts
from digest.store.newsletters import get_newsletter
from digest.store.preflights import StoredLook, record_look
from digest.web import standings
from digest.web.ops import tallies
from tests.samples import ITEMS
from tests.waiting import PATIENCE, wait_until
from tests.web.site import Site
from tests.web.world import (
    DRAFT,
    NOW,
    SENDING,
    THIS_WEEK,
    add_sample_newsletter,
)


def text_of(page: str) -> str:
    """What a person reads of a page, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def read(site: Site, path: str) -> str:
    response = site.get(path)
    assert response.status_code == 200, response.text
    return text_of(response.text)


def commands_on(page: str) -> list[str]:
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", block)) for block in blocks]


# --- the front page


def test_the_front_page_lists_newsletters_with_their_issues_in_words(still_site: Site) -> None:
    told = read(still_site, "/")
    assert "The Saturday Reader 7 days an issue · 6 sources · 5 topics · UTC" in told
    assert "23–29 November 2026 Issue 2 · 3 articles Draft, waits for approval" in told
    assert "16–22 November 2026 Issue 1 · 12 articles · 2 waiting" in told
    assert told.index("23–29 November") < told.index("16–22 November"), "the newest comes first"


def test_windows_are_told_in_the_newsletters_own_days(empty_site: Site) -> None:
    newsletter = add_sample_newsletter(empty_site.runtime.engine, timezone="Pacific/Auckland")
    window = Window.before(NOW, 3, ZoneInfo("Pacific/Auckland"))
    with writing(empty_site.runtime.engine) as session:
        ensure_issue(session, newsletter.id, window, now=NOW)
    assert "20–22 November 2026" in read(empty_site, "/")


def test_old_issues_stand_on_the_newsletters_own_page(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        for weeks in range(1, 10):
            days = timedelta(weeks=weeks)
            window = Window(THIS_WEEK.start - days, THIS_WEEK.end - days)
            ensure_issue(session, newsletter.id, window, now=NOW)
    front, own = site.get("/").text, site.get("/?newsletter=saturday").text
    assert front.count("/issues/") == 8
    assert "3 earlier" in front
    assert own.count("/issues/") == 11
    assert "earlier" not in own


def test_deliveries_are_told_by_state(site: Site) -> None:
    states = (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
    with writing(site.runtime.engine) as session:
        for number, state in enumerate(states, 1):
            session.execute(update(DeliveryRow).where(DeliveryRow.id == number).values(state=state))
    assert "12 articles · 1 accepted · 1 without an answer" in read(site, "/")
    assert '<progress value="2" max="2"' in site.get("/").text
    assert f"digest issue reconcile {SENDING} --log FILE" in commands_on(site.get("/issues/1").text)


def test_a_page_does_not_wait_for_mails_to_be_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = threading.Event()

    def count(runtime: Runtime, issue_id: int) -> standings.Standing:
        assert counted.wait(PATIENCE)
        return count_standing(runtime, issue_id)

    count_standing = standings.count_standing
    monkeypatch.setattr(tallies, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(standings, "count_standing", count)
    for path in ("/", f"/issues/{SENDING}"):
        told = read(site, path)
        assert "Its mails are being counted. Load the page again in a moment." in told
        assert "2 waiting" not in told
        assert "Going out" in told
    counted.set()
    wait_until(lambda: "12 articles · 2 waiting" in read(site, "/"))


def test_a_paused_issue_says_why(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_issue(session, SENDING, IssueState.PAUSED, now=NOW, note="the mail server is being moved")
    assert "the mail server is being moved" in read(site, "/")
    assert commands_on(site.get("/issues/1").text) == ["digest issue resume 1", "digest issue cancel 1"]


def test_an_issue_under_way_says_what_keeps_its_mails(site: Site) -> None:
    meet_outage(site.runtime.engine, IssueId(SENDING), "mail.example.org:25 takes no mail", now=NOW)
    hold(site.runtime, by="Ada", why="the address is being moved")
    told = read(site, f"/issues/{SENDING}")
    assert "mail.example.org:25 takes no mail. A worker tries again at" in told
    assert "Everything is held by Ada: the address is being moved: 'digest resume' lets it go on." in told


def test_the_commands_of_the_empty_page_lead_to_a_first_issue(
    empty_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_DATABASE_URL", empty_site.runtime.settings.database_url)
    given = commands_on(empty_site.get("/").text)
    assert len(given) == 5
    for position, line in enumerate(given[:-1]):
        program, *arguments = shlex.split(line)
        assert program == "digest"
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, (line, done.output, done.exception)
        left = commands_on(empty_site.get("/").text)
        assert left == given[position + 1 :], "each step done is a step less"
    assert given[-1] == "digest run weekly"


def test_an_unknown_newsletter_is_told_with_those_there_are(still_site: Site) -> None:
    response = still_site.get("/?newsletter=sunday")
    assert response.status_code == 404
    assert "no newsletter 'sunday'; there is: saturday" in text_of(response.text)


# --- an issue


def test_an_issue_shows_its_articles_with_takeaways_and_topics(still_site: Site) -> None:
    told = read(still_site, f"/issues/{SENDING}")
    for item in ITEMS:
        assert item.title in told
        assert all(takeaway in told for takeaway in item.takeaways)
    assert "Seville writes shade into its building code Northlight · 22 November" in told
    assert "The first plan to fail was the city’s own. Cities Climate & energy" in told


def test_an_issue_says_who_gets_it_and_who_does_not(still_site: Site) -> None:
    told = read(still_site, f"/issues/{SENDING}")
    assert "Approval Edith approved revision 1 on 23 November, 07:00 UTC." in told
    assert "Addressed to 2 readers in 2 editions" in told
    for reason in ("follows no topic", "no article in the topics", "paused", "address is suppressed"):
        assert f"1 {reason}" in told


def test_what_can_be_done_with_a_draft_is_edit_and_approve(still_site: Site) -> None:
    given = commands_on(still_site.get(f"/issues/{DRAFT}").text)
    assert [shlex.split(line)[:4] for line in given] == [
        ["digest", "issue", "edit", "2"],
        ["digest", "issue", "approve", "2"],
    ]


def test_an_article_changed_after_the_approval_is_pointed_out(site: Site) -> None:
    words = "Some of these changed after the issue was approved."
    assert words not in read(site, f"/issues/{SENDING}")
    with writing(site.runtime.engine) as session:
        session.execute(update(ArticleRow).where(ArticleRow.id == 1).values(title="Another title"))
    assert words in read(site, f"/issues/{SENDING}")


@pytest.mark.parametrize(
    "path", ["/issues/77", "/issues/77/preview", f"/issues/{2**31}", "/issues/0", "/issues/last", "/nowhere"]
)
def test_what_is_not_there_is_a_page_that_leads_back(path: str, still_site: Site) -> None:
    response = still_site.get(path)
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert 'href="/"' in response.text


def test_an_issue_without_articles_says_so(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        window = Window(THIS_WEEK.end + timedelta(7), THIS_WEEK.end + timedelta(14))
        empty = ensure_issue(session, newsletter.id, window, now=NOW)
    page = site.get(f"/issues/{empty.id}").text
    assert "It holds no article." in page
    assert commands_on(page) == ["digest run saturday"]
    preview = site.get(f"/issues/{empty.id}/preview").text
    assert "This issue holds no article yet, so nobody gets anything." in preview
    assert "<iframe" not in preview


# --- its checks


def test_the_checks_of_all_editions_stand_beside_the_preview_and_in_short_on_the_issues_page(
    site: Site,
) -> None:
    with writing(site.runtime.engine) as session:
        write_texts(session, DRAFT, subject="News", preheader="", intro="Lorem ipsum <b>dolor</b>")
    short = "1 error and 2 warnings in 2 editions for 2 readers"
    page = read(site, f"/issues/{DRAFT}")
    assert f"Checks {short} · read them beside the preview" in page
    assert "placeholder" not in page, "the findings stand in one place"
    told = read(site, f"/issues/{DRAFT}/preview")
    assert short in told
    assert "error 'Lorem ipsum' looks like a placeholder opening lines → rewrite the opening lines" in told
    assert "warning the subject has 4 characters; 10 to 78 show best 2 editions, 2 readers · subject" in told
    assert "note no article is about Cities, Food, Oceans" in told
    assert f"were not looked at yet. digest issue check {DRAFT} looks at them" in told


def test_what_the_last_look_found_stands_there_with_its_time(site: Site) -> None:
    held = content_of(site.runtime.engine, DRAFT).items[0].url
    dead = {
        "severity": "error",
        "told": [f"{held} is gone: it answers 404", "'A <i>title</i>'", "drop it"],
        "editions": 2,
        "readers": 41_000,
    }
    dropped = {**dead, "told": ["https://x.example/ is gone: it answers 404", "'Dropped since'", ""]}
    told = json.dumps({"findings": [dead, dropped], "links": 30, "pictures": 4, "not_looked_at": 2})
    with writing(site.runtime.engine) as session:
        record_look(session, DRAFT, StoredLook(NOW, "of other addresses", told))
    page = read(site, f"/issues/{DRAFT}/preview")
    assert f"error {held} is gone: it answers 404 2 editions, 41,000 readers · 'A <i>title</i>'" in page
    assert "x.example" not in page, "an approval passes over what is not in it any more, and so does its page"
    assert (
        "30 links and 4 pictures were looked at on 23 November, 07:00 UTC; "
        "2 more were not, for want of time. "
        "The issue holds others since then." in page
    )


def test_an_issue_that_is_over_has_no_checks(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_issue(session, DRAFT, IssueState.CANCELLED, now=NOW)
    for page in ("", "/preview"):
        assert "Checks" not in read(site, f"/issues/{DRAFT}{page}")
        assert 'id="checks"' not in site.get(f"/issues/{DRAFT}{page}").text
