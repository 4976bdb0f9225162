"""What a preview's forms do, who may use them, and what they say when they do not."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from digest.domain.accounts import Role
from digest.domain.issues import Issue, IssueState
from digest.pipeline.approval import ask_approval
from digest.store.audit import AuditRow
from digest.store.database import reading, writing
from digest.store.deliveries import count_deliveries
from digest.store.issues import get_issue, write_texts
from digest.store.newsletters import change_newsletter
from digest.store.preview_links import PreviewLinkRow
from tests.mails import read_mail
from tests.servers.smtp_sink import SmtpSink
from tests.web.people import NAMES
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, CLEO, DRAFT, FAY, NOW, SENDING

PAGE = f"/issues/{DRAFT}/preview"


@pytest.fixture
def sound(open_site: Callable[..., Site], filled_database: Path) -> Site:
    """A site whose draft has no error."""
    return open_site(filled_database, public_url="https://digest.test")


def standing(site: Site) -> Issue:
    with reading(site.runtime.engine) as session:
        return get_issue(session, DRAFT)


def seen_on(page: str) -> str:
    found = re.search(r'name="seen" value="(\w*)"', page)
    assert found, "there is a form to approve it"
    return found[1]


def audited(site: Site) -> list[tuple[str, str, str]]:
    with reading(site.runtime.engine) as session:
        rows = select(AuditRow).where(AuditRow.about == f"issue {DRAFT}").order_by(AuditRow.id)
        return [(row.what, row.by, row.detail) for row in session.scalars(rows)]


# --- approval


def test_what_is_shown_is_approved_by_who_is_signed_in(sound: Site) -> None:
    with sound.seen_by(Role.EDITOR) as editor:
        answer = editor.submit(f"{PAGE}/approve", seen=seen_on(editor.get(PAGE).text))
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=approved")
        page = editor.get(answer.headers["location"]).text
    approved = standing(sound)
    assert (approved.state, approved.approved_by) == (IssueState.APPROVED, NAMES[Role.EDITOR])
    assert "It is approved: what you saw is what is sent." in text_of(page)
    assert f"{NAMES[Role.EDITOR]} approved revision 1 on 23 November, 07:00 UTC." in text_of(page)
    assert f"Its fingerprint: {approved.content_hash[:12]}." in text_of(page)
    assert audited(sound) == [("issue.approved", NAMES[Role.EDITOR], "")]


def test_what_was_changed_since_it_was_looked_at_is_not_approved(sound: Site) -> None:
    seen = seen_on(sound.get(PAGE).text)
    with writing(sound.runtime.engine) as session:
        write_texts(session, DRAFT, subject="Another subject for this week", preheader="", intro="")
    answer = sound.submit(f"{PAGE}/approve", seen=seen)
    assert answer.status_code == 409
    assert "was changed since you looked at it" in text_of(answer.text)
    assert seen_on(answer.text) != seen, "the page shows what it says now, and can be approved"
    assert standing(sound).state is IssueState.DRAFT
    assert audited(sound) == []


@pytest.mark.parametrize("form", [{}, {"seen": ""}, {"seen": "0" * 64}, {"seen": "x" * 65}])
def test_an_approval_of_nothing_that_was_seen_is_refused(form: dict[str, str], sound: Site) -> None:
    assert sound.submit(f"{PAGE}/approve", **form).status_code in (409, 422)
    assert standing(sound).state is IssueState.DRAFT


def test_errors_keep_it_back_until_somebody_says_despite(sound: Site) -> None:
    with writing(sound.runtime.engine) as session:
        write_texts(session, DRAFT, subject="", preheader="", intro="Lorem ipsum")
    page = sound.get(PAGE).text
    assert 'name="despite"' not in page
    answer = sound.submit(f"{PAGE}/approve", seen=seen_on(page))
    assert answer.status_code == 409
    assert "its checks find 1 error: 'Lorem ipsum' looks like a placeholder (opening lines)" in text_of(
        answer.text
    )
    assert 'name="despite"' in answer.text
    sound.submit(f"{PAGE}/approve", seen=seen_on(answer.text), despite="true")
    assert standing(sound).state is IssueState.APPROVED
    assert f"approved by {NAMES[Role.ADMIN]} despite 1 error" in standing(sound).note


def test_a_second_pair_of_eyes_is_told_who_and_why_not(sound: Site) -> None:
    with writing(sound.runtime.engine) as session:
        change_newsletter(session, standing(sound).newsletter_id, second_eyes=True)
    with sound.seen_by(Role.EDITOR) as editor:
        editor.submit(f"{PAGE}/ask", note="the lead is new")
        told = text_of(editor.get(PAGE).text)
        name = NAMES[Role.EDITOR]
        assert f"{name} asked for its approval on 23 November, 07:00 UTC: “the lead is new”" in told
        assert f"{name} asked for it, so somebody else approves it." in told
        assert 'name="seen"' not in editor.get(PAGE).text
        seen = seen_on(sound.get(PAGE).text)
        assert editor.submit(f"{PAGE}/approve", seen=seen).status_code == 409
    assert standing(sound).state is IssueState.DRAFT
    sound.submit(f"{PAGE}/approve", seen=seen)
    assert standing(sound).approved_by == NAMES[Role.ADMIN]


def test_an_approval_is_taken_back(sound: Site) -> None:
    sound.submit(f"{PAGE}/approve", seen=seen_on(sound.get(PAGE).text))
    answer = sound.submit(f"{PAGE}/reopen")
    assert "It is a draft again." in text_of(sound.get(answer.headers["location"]).text)
    assert standing(sound).state is IssueState.DRAFT
    again = sound.submit(f"{PAGE}/reopen")
    assert again.status_code == 409
    assert f"Issue {DRAFT} is a draft already." in text_of(again.text)


def test_whoever_may_not_change_anything_sees_no_form(sound: Site) -> None:
    ask_approval(sound.runtime, DRAFT, by="Edith")
    for role, forms in ((Role.VIEWER, 0), (Role.OPS, 0), (Role.EDITOR, 4)):
        with sound.seen_by(role) as site:
            page = site.get(PAGE).text
            assert len(re.findall(r'<form method="post" action="/issues', page)) == forms, role
            assert "Edith asked for its approval" in text_of(page)


def test_an_issue_that_is_not_there_has_nothing_to_approve(sound: Site) -> None:
    for act in ("approve", "ask", "reopen", "test", "links"):
        assert sound.submit(f"/issues/77/preview/{act}", seen="x", to=ADA).status_code == 404, act


# --- a test mail


@pytest.fixture
def mailing(open_site: Callable[..., Site], filled_database: Path, smtp_sink: SmtpSink) -> Site:
    return open_site(filled_database, mail_url=smtp_sink.url)


def test_a_test_goes_where_it_is_sent_marked_and_counts_as_nothing(
    mailing: Site, smtp_sink: SmtpSink
) -> None:
    with reading(mailing.runtime.engine) as session:
        before = count_deliveries(session, SENDING)
    to = "ed@example.org, bo@example.org\ned@example.org"
    answer = mailing.submit(f"/issues/{SENDING}/preview/test", to=to, **{"as": ADA})
    assert "The mail server took 2 tests; no reader has it." in text_of(answer.text)
    assert smtp_sink.copies() == {"ed@example.org": 1, "bo@example.org": 1}
    for content in smtp_sink.contents():
        mail = read_mail(content).message
        assert mail["Subject"].startswith("[Test] ")
        assert mail["X-Digest-Test"] == f"issue {SENDING}"
    with reading(mailing.runtime.engine) as session:
        assert count_deliveries(session, SENDING) == before


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("", "Say where it goes: to addresses, or to a segment. Nothing was sent."),
        ("nobody", "'nobody' is not an e-mail address"),
        (" ".join(f"a{number}@example.org" for number in range(11)), "1 to 10 addresses, not to 11"),
        (FAY, "suppressed, as mail there bounced or its reader complained"),
    ],
)
def test_a_test_that_cannot_go_is_told_at_its_form(
    to: str, words: str, mailing: Site, smtp_sink: SmtpSink
) -> None:
    answer = mailing.submit(f"{PAGE}/test", to=to)
    assert answer.status_code in (409, 422)
    at = answer.text.index('id="test"')
    assert words in text_of(answer.text[at : answer.text.index("</section>", at)])
    assert smtp_sink.count() == 0


def test_ten_tests_are_enough_for_a_quarter_of_an_hour_and_it_says_when_again(
    mailing: Site, smtp_sink: SmtpSink
) -> None:
    for _ in range(10):
        assert mailing.submit(f"{PAGE}/test", to="ed@example.org").status_code == 200
    answer = mailing.submit(f"/issues/{SENDING}/preview/test", to="ed@example.org")
    assert answer.status_code == 429, "another issue of the same newsletter is no way around it"
    at = answer.text.index('id="test"')
    told = text_of(answer.text[at : answer.text.index("</section>", at)])
    assert "has sent 10 tests of The Saturday Reader within 15 minutes" in told
    assert "Send the next one after 07:15 (UTC). Nothing was sent." in told
    assert smtp_sink.count() == 10
    with mailing.seen_by(Role.EDITOR) as another:
        assert another.submit(f"{PAGE}/test", to="ed@example.org").status_code == 200


# --- links


def links_on(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'readonly value="([^"]+)"', page)]


def test_a_link_shows_the_mail_to_people_without_an_account_until_it_is_taken_back(site: Site) -> None:
    answer = site.submit(f"{PAGE}/links", days="7", topic="space")
    assert answer.headers["location"] == f"{PAGE}?topic=space&done=shared"
    (link,) = links_on(site.get(PAGE).text)
    path = link.removeprefix(site.url)
    with site.seen_by(None) as visitor:
        page = visitor.get(path)
        assert page.status_code == 200
        told = text_of(page.text)
        assert "Preview of 23–29 November 2026" in told
        assert f"{NAMES[Role.ADMIN]} shows it to you. The link works until 30 November, 07:00 UTC." in told
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert not re.search(r'href="/(?!static|shown)', page.text), "it leads nowhere else"
        mail = visitor.get(f"{path}/mail").text
        assert "A quiet star" in mail, "the reader it was made for"
        assert "Rewetted peat" not in mail
        site.submit(f"{PAGE}/links/1/revoke")
        for gone in (path, f"{path}/mail"):
            answer = visitor.get(gone)
            assert answer.status_code == 410
            assert "This preview is over" in answer.text
    told = text_of(site.get(PAGE).text)
    assert f"taken back by {NAMES[Role.ADMIN]} on 23 November, 07:00 UTC" in told
    assert [what for what, _, _ in audited(site)] == ["preview.shared", "preview.revoked"]


def test_a_link_does_not_tell_whose_mail_it_shows(site: Site) -> None:
    site.submit(f"/issues/{SENDING}/preview/links", **{"as": ADA})
    page = site.get(f"/issues/{SENDING}/preview").text
    assert f"As {ADA}" in text_of(page)
    (link,) = links_on(page)
    with site.seen_by(None) as visitor:
        path = link.removeprefix(site.url)
        for shown in (visitor.get(path).text, visitor.get(f"{path}/mail").text):
            assert ADA not in shown
        assert "The lander that fell over" not in shown, "it is her edition all the same"


def test_a_link_ends_by_itself(site: Site) -> None:
    site.submit(f"{PAGE}/links", days="1")
    (link,) = links_on(site.get(PAGE).text)
    with writing(site.runtime.engine) as session:
        session.execute(update(PreviewLinkRow).values(expires_at=NOW))
    assert site.get(link.removeprefix(site.url)).status_code == 410
    assert "ended 23 November, 07:00 UTC" in text_of(site.get(PAGE).text)


@pytest.mark.parametrize("forged", ["2.1.forged", "x", "2.1", "999999"])
def test_a_link_that_is_none_of_ours_shows_nothing(forged: str, still_site: Site) -> None:
    for path in (f"/shown/{forged}", f"/shown/{forged}/mail"):
        assert still_site.get(path).status_code == 404


def test_a_link_to_what_the_reader_does_not_get_says_so(site: Site) -> None:
    site.submit(f"/issues/{SENDING}/preview/links", **{"as": CLEO})
    (link,) = links_on(site.get(f"/issues/{SENDING}/preview").text)
    assert "There is nothing to show yet" in site.get(link.removeprefix(site.url)).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"days": "0"}, "good for 1 to 90 days, not for 0"),
        ({"days": "91"}, "good for 1 to 90 days"),
        ({"as": "nobody@example.org"}, "is not a subscriber"),
        ({"topic": "gardening"}, "no topic 'gardening'"),
    ],
)
def test_a_link_that_cannot_be_made_is_told(form: dict[str, str], words: str, site: Site) -> None:
    answer = site.submit(f"{PAGE}/links", **form)
    assert answer.status_code in (404, 422)
    assert words in text_of(answer.text)


def test_a_link_of_another_issue_is_not_taken_back(site: Site) -> None:
    site.submit(f"{PAGE}/links")
    assert site.submit(f"/issues/{SENDING}/preview/links/1/revoke").status_code == 404
    assert len(links_on(site.get(PAGE).text)) == 1


def test_beneath_a_path_of_the_public_address_every_way_stays_there(
    open_site: Callable[..., Site], filled_database: Path
) -> None:
    site = open_site(filled_database, public_url="https://digest.test/letters")
    asked = site.submit(f"{PAGE}/ask")
    assert asked.headers["location"] == f"/letters{PAGE}?done=asked"
    assert site.submit(f"{PAGE}/outlook").headers["location"] == f"/letters{PAGE}#outlook"
    found = site.get(f"{PAGE}?q={ADA}").headers["location"]
    assert found == f"/letters{PAGE}?as=ada%40example.org#mail"
    page = site.get(PAGE).text
    assert not re.findall(r'(?:href|action|src|hx-get)="/(?!letters/)[^"]*"', page)
