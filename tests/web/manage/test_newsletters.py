"""Newsletters on the managing pages: begun, changed, removed, and by whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digest.domain.accounts import Role
from digest.domain.cadences import Cadence
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import Newsletter
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.issues import change_issue
from digest.store.newsletters import get_newsletter, list_newsletters
from tests.web.manage.forms import filled_in
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import DRAFT, NOW, SENDING, contents

PAGE = "/manage/newsletters/saturday"
CONTENTS, IDENTITY = f"{PAGE}/contents", f"{PAGE}/identity"

NEW = {
    "name": "The Harbour Week",
    "slug": "harbour-week",
    "sender_email": "editors@example.org",
    "sender_name": "",
    "postal_address": "1 Quay Street\r\nHarbour City",
    "language": "en",
    "timezone": "Europe/Lisbon",
    "window_days": "7",
}


def stored(site: Site, slug: str = "saturday") -> Newsletter:
    with reading(site.runtime.engine) as session:
        return get_newsletter(session, slug)


def audited(site: Site) -> list[tuple[str, str, str, str]]:
    with reading(site.runtime.engine) as session:
        return [(one.by, one.what, one.about, one.detail) for one in list_entries(session, limit=5)]


def test_who_has_nothing_is_led_from_a_name_to_the_first_issue(empty_site: Site) -> None:
    assert "There is no newsletter yet" in read(empty_site, "/manage")
    assert 'href="/manage/new"' in empty_site.get("/manage").text
    answer = empty_site.submit("/manage/new", **NEW)
    assert answer.headers["location"] == "/manage/newsletters/harbour-week?done=added"
    newsletter = stored(empty_site, "harbour-week")
    assert newsletter.sender_name == "The Harbour Week"
    assert newsletter.postal_address == "1 Quay Street\nHarbour City"
    told = read(empty_site, answer.headers["location"])
    assert "It is added" in told
    assert "Before the first issue" in told
    assert audited(empty_site)[0][1:3] == ("newsletter.added", "harbour-week")


def test_everything_that_is_wrong_is_said_beside_its_field_and_kept(empty_site: Site) -> None:
    wrong = {**NEW, "name": "", "sender_email": "nobody", "timezone": "Mars/Base", "slug": "Harbour Week"}
    answer = empty_site.submit("/manage/new", **wrong)
    assert answer.status_code == 422
    told = text_of(answer.text)
    for problem in (
        "The name is empty",
        "'nobody' is not an e-mail address",
        "'Mars/Base' is not a time zone",
        "'Harbour Week' is not a short name",
    ):
        assert problem in told
    assert 'value="Mars/Base"' in answer.text
    assert 'aria-describedby="slug-problem slug-hint"' in answer.text
    with reading(empty_site.runtime.engine) as session:
        assert list_newsletters(session) == ()


def test_a_short_name_that_is_taken_is_a_conflict(site: Site) -> None:
    answer = site.submit("/manage/new", **{**NEW, "slug": "saturday"})
    assert answer.status_code == 409
    assert "newsletter 'saturday' exists already" in text_of(answer.text).replace("Newsletter", "newsletter")


def test_what_an_issue_holds_is_changed_and_recorded(site: Site) -> None:
    form = filled_in(site, PAGE, CONTENTS, max_items="20", archive="yes", cadences=["every", "weekly"])
    assert site.submit(CONTENTS, **form).status_code == 303
    newsletter = stored(site)
    assert (newsletter.max_items, newsletter.archive) == (20, True)
    assert newsletter.cadences == (Cadence.EVERY, Cadence.WEEKLY)
    by, what, about, detail = audited(site)[0]
    assert (by, what, about) == ("Ada Admin", "newsletter.changed", "saturday")
    assert detail == "max items: 30 → 20\narchive: – → yes\ncadences: every → every, weekly"


def test_where_answers_go_is_set_and_shown_beside_the_preview(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_issue(session, SENDING, IssueState.CANCELLED, now=NOW)
    preview = f"/issues/{DRAFT}/preview"
    assert "From Reader & Sons Press <reader@news.example.org> Subject" in read(site, preview)
    answer = site.submit(IDENTITY, **filled_in(site, PAGE, IDENTITY, reply_to="nobody"))
    assert answer.status_code == 422
    assert "'nobody' is not an e-mail address" in text_of(answer.text)
    form = filled_in(site, PAGE, IDENTITY, reply_to=" answers@example.org ")
    assert site.submit(IDENTITY, **form).status_code == 303
    assert stored(site).reply_to == "answers@example.org"
    assert "Answers go to answers@example.org Subject" in read(site, preview)
    assert "Reply-To: <answers@example.org>" in site.get(f"{preview}/source").text
    assert site.submit(IDENTITY, **filled_in(site, PAGE, IDENTITY, reply_to="")).status_code == 303
    assert "Answers go to" not in read(site, preview)


def test_saving_without_a_change_changes_and_records_nothing(site: Site) -> None:
    before = contents(site.runtime.engine)
    assert site.submit(CONTENTS, **filled_in(site, PAGE, CONTENTS)).status_code == 303
    assert contents(site.runtime.engine) == before


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("max_items", "0", "The number of articles is '0': give a whole number from 1 to 200"),
        ("takeaway_words", "many", "The length of takeaways is 'many': give a whole number from 8 to 80"),
        ("quiet_hours", "22-7", "'22-7' are no hours"),
        ("cadences", [], "The cadences is empty: a newsletter offers one cadence at least"),
        ("language", "klingon!", "'klingon!' is not a language tag"),
        ("takeaway_style", "loud", "'loud' is not one of plain, neutral, brief"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_stands_in_its_field(
    site: Site, field: str, value: str | list[str], problem: str
) -> None:
    before = stored(site)
    answer = site.submit(CONTENTS, **filled_in(site, PAGE, CONTENTS, **{field: value}))
    assert answer.status_code == 422
    assert problem in text_of(answer.text)
    assert stored(site) == before


def test_two_at_once_keep_what_each_changed(site: Site) -> None:
    mine = filled_in(site, PAGE, CONTENTS, max_items="20")
    theirs = filled_in(site, PAGE, CONTENTS, takeaways="4")
    assert site.submit(CONTENTS, **theirs).status_code == 303
    assert site.submit(CONTENTS, **mine).status_code == 303
    assert (stored(site).max_items, stored(site).takeaways) == (20, 4)


def test_of_two_who_change_the_same_the_second_sees_both_and_decides(site: Site) -> None:
    mine = filled_in(site, PAGE, CONTENTS, max_items="20")
    site.submit(CONTENTS, **filled_in(site, PAGE, CONTENTS, max_items="25"))
    answer = site.submit(CONTENTS, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to 25 while you were here" in text_of(answer.text)
    assert 'name="max_items" type="number" min="1" max="200" step="1" value="20"' in answer.text
    assert stored(site).max_items == 25
    again = {**mine, "was": _was(answer.text)}
    assert site.submit(CONTENTS, **again).status_code == 303
    assert stored(site).max_items == 20


def _was(page: str) -> str:
    from tests.web.manage.forms import fields_of

    was = fields_of(page, CONTENTS)["was"]
    assert isinstance(was, str)
    return was


def test_whom_mail_comes_from_stays_while_an_issue_goes_out(site: Site) -> None:
    form = filled_in(site, PAGE, IDENTITY, name="The Sunday Reader")
    answer = site.submit(IDENTITY, **form)
    assert answer.status_code == 409
    assert f"Issue {SENDING} of The Saturday Reader is sending" in text_of(answer.text)
    with writing(site.runtime.engine) as session:
        change_issue(session, IssueId(SENDING), IssueState.CANCELLED, now=NOW)
    assert site.submit(IDENTITY, **form).status_code == 303
    assert stored(site).name == "The Sunday Reader"


def test_a_zone_stays_once_issues_were_counted_in_it(site: Site, empty_site: Site) -> None:
    answer = site.submit(IDENTITY, **filled_in(site, PAGE, IDENTITY, timezone="Asia/Tokyo"))
    assert answer.status_code == 409
    assert "has issues, whose days were counted in UTC" in text_of(answer.text)
    empty_site.submit("/manage/new", **NEW)
    page = "/manage/newsletters/harbour-week"
    form = filled_in(empty_site, page, f"{page}/identity", timezone="Asia/Tokyo")
    assert empty_site.submit(f"{page}/identity", **form).status_code == 303
    assert stored(empty_site, "harbour-week").timezone == "Asia/Tokyo"


def test_an_editor_changes_what_an_issue_holds_but_not_whom_it_is_from(site: Site) -> None:
    with site.seen_by(Role.EDITOR) as editor:
        assert editor.submit(CONTENTS, **filled_in(editor, PAGE, CONTENTS, max_items="9")).status_code == 303
        assert editor.submit(IDENTITY, name="Mine").status_code == 403
        page = editor.get(PAGE).text
    assert "Admins can change this." in page
    assert f"{PAGE}/remove" not in page
    assert stored(site).max_items == 9
    with site.seen_by(Role.VIEWER) as viewer:
        assert "Editors can change this." in viewer.get(PAGE).text


def test_a_newsletter_is_removed_when_its_name_is_typed_and_nothing_goes_out(site: Site) -> None:
    assert "6 sources, 5 topics" in read(site, f"{PAGE}/remove")
    answer = site.submit(f"{PAGE}/remove", slug="sunday")
    assert answer.status_code == 422
    assert "type saturday to remove it" in text_of(answer.text)
    answer = site.submit(f"{PAGE}/remove", slug="saturday")
    assert answer.status_code == 409
    assert "let it end or cancel it first" in text_of(answer.text)
    with writing(site.runtime.engine) as session:
        change_issue(session, IssueId(SENDING), IssueState.CANCELLED, now=NOW)
    assert site.submit(f"{PAGE}/remove", slug="saturday").headers["location"] == "/manage?done=removed"
    assert "There is no newsletter yet" in read(site, "/manage?done=removed")


def test_what_is_not_there_is_said(site: Site) -> None:
    assert site.get("/manage/newsletters/nowhere").status_code == 404
    assert site.get("/manage/newsletters/No%20Where").status_code == 422
    assert site.submit("/manage/newsletters/nowhere/contents", was="{}").status_code == 404
    assert site.submit(CONTENTS, max_items="3").status_code == 422, "a form that does not say what it was"
    assert replace(stored(site)).max_items == 30
