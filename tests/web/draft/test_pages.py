"""The draft as editors shape it: what each form changes, what two at once do, and who may."""

from __future__ import annotations

import html
import re

import pytest

from digest.admit.sessions import csrf_of
from digest.compose.edits import mark_of
from digest.domain.accounts import Role
from digest.domain.issues import IssueState
from digest.pipeline.approval import approve_issue
from digest.pipeline.drafts import Draft, draft_of
from digest.store.articles import ArticleId
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.recording import record_stories
from tests.web.people import NAMES, TOKENS
from tests.web.site import Site
from tests.web.world import DRAFT, SENDING, contents

PATH = f"/issues/{DRAFT}/draft"


def drafted(site: Site) -> Draft:
    with reading(site.runtime.engine) as session:
        return draft_of(session, DRAFT)


def order(site: Site) -> list[ArticleId]:
    return [item.id for item in drafted(site).items]


def act(site: Site, article_id: int, do: str, **form: str) -> int:
    return site.submit(f"{PATH}/articles/{article_id}", do=do, **form).status_code


def write(site: Site, field: str, to: str, **form: str) -> int:
    return site.submit(f"{PATH}/fields/{field}", to=to, **form).status_code


def part(site: Site, path: str, **form: str) -> tuple[int, str]:
    """What htmx is answered: a part of the page."""
    assert site.role
    headers = {"HX-Request": "true"}
    answer = site.client.post(path, data={"csrf": csrf_of(TOKENS[site.role]), **form}, headers=headers)
    return answer.status_code, html.unescape(answer.text)


def test_a_draft_shows_its_articles_under_their_topics_with_what_they_say(still_site: Site) -> None:
    page = html.unescape(still_site.get(PATH).text)
    for item in drafted(still_site).items:
        assert item.candidate.stored.article.title in page
        assert all(takeaway.text in page for takeaway in item.candidate.takeaways)
    headings = re.findall(r'<h2 id="topic-([a-z]+)">', page)
    assert headings == ["climate", "space", "cities", "food", "oceans"]
    assert "As it was chosen by itself" in page


def test_what_is_pasted_with_zero_bytes_is_kept_without_them(site: Site) -> None:
    first = drafted(site).items[0].id
    assert write(site, "intro", "Good\x00 morning") == 303
    assert write(site, "takeaways", "Rain\x00 falls", article=str(first)) == 303
    assert drafted(site).issue.intro == "Good morning"
    assert [one.text for one in drafted(site).get(first).candidate.takeaways] == ["Rain falls"]


def test_an_article_is_pinned_moved_and_dropped_by_buttons_that_need_no_script(site: Site) -> None:
    under = [item.id for item in drafted(site).under(drafted(site).items[0].topic)]
    first, *_ = before = order(site)
    assert act(site, first, "pin") == 303
    assert drafted(site).shape.pin(first) is not None
    assert act(site, first, "unpin") == 303
    assert act(site, first, "drop") == 303
    assert first not in order(site)
    assert "Bring back" in site.get(PATH).text
    assert act(site, first, "bring-back") == 303
    assert order(site) == before
    if len(under) == 1:
        assert act(site, first, "down") == 422


def test_articles_change_places_within_their_topic_and_between_topics(site: Site) -> None:
    a, b, c = order(site)[:3]
    for one in (b, c):
        assert write(site, "topic", str(drafted(site).get(a).topic), article=str(one)) == 303
    assert [item.id for item in drafted(site).under(drafted(site).get(a).topic)] == [a, b, c]
    assert act(site, c, "up") == 303
    assert order(site)[:3] == [a, c, b]
    assert act(site, a, "down") == 303
    assert order(site)[:3] == [c, a, b]
    assert act(site, c, "up") == 422
    assert act(site, b, "place", after="0", before=str(c), topic="food") == 303
    assert order(site)[0] == b
    assert drafted(site).get(b).topic == "food"


def test_what_is_written_is_kept_and_what_is_the_publishers_is_no_change(site: Site) -> None:
    assert write(site, "subject", "  Trams   and tides ", seen=mark_of("")) == 303
    assert write(site, "intro", "Dear reader,\r\nthis week.") == 303
    one = drafted(site).items[0]
    theirs = one.candidate.stored.article.title
    assert write(site, "headline", "Quite another", article=str(one.id), seen=mark_of("")) == 303
    assert write(site, "takeaways", "Ours.\n\n  And   more. ", article=str(one.id)) == 303
    with reading(site.runtime.engine) as session:
        issue = get_issue(session, DRAFT)
    assert (issue.subject, issue.intro) == ("Trams and tides", "Dear reader,\nthis week.")
    page = html.unescape(site.get(f"{PATH}/articles/{one.id}").text)
    assert "Quite another" in page
    assert "What they were" in page
    assert one.candidate.takeaways[0].text in page, "what the publisher said stays visible"
    assert f"Publisher’s headline:</span> {theirs}" in html.unescape(site.get(PATH).text)
    assert write(site, "headline", theirs, article=str(one.id)) == 303
    assert drafted(site).shape.headlines == {}


def test_the_second_of_two_editors_sees_both_texts_and_loses_nothing(site: Site) -> None:
    with site.seen_by(Role.EDITOR) as edith:
        assert write(edith, "subject", "Edith's", seen=mark_of("")) == 303
    refused = site.submit(f"{PATH}/fields/subject", to="Ada's", seen=mark_of(""))
    assert refused.status_code == 409
    page = html.unescape(refused.text)
    assert "Edith Ilves</b> changed this" in page
    assert "Edith's" in page
    assert "Ada's</textarea>" in page
    status, told = part(site, f"{PATH}/fields/subject", to="Ada's", seen=mark_of(""))
    assert (status, "Edith's" in told, "<html" in told) == (409, True, False)
    assert write(site, "preheader", "Another field", seen=mark_of("")) == 303
    over = re.search(r'name="over" value="(\w+)"', told)
    assert over
    status, told = part(site, f"{PATH}/fields/subject", to="Ada's", seen=mark_of(""), over=over[1])
    assert (status, "Saved." in told) == (200, True)
    mark = mark_of("Ada's")
    assert f'id="subject-seen" name="seen" value="{mark}" hx-swap-oob' in told
    assert drafted(site).issue.subject == "Ada's"


def test_takeaways_and_wishes_that_another_changed_are_told_too(site: Site) -> None:
    one = drafted(site).items[0]
    seen = mark_of("\n".join(takeaway.text for takeaway in one.candidate.takeaways))
    with site.seen_by(Role.EDITOR) as edith:
        assert write(edith, "takeaways", "Edith's.", article=str(one.id), seen=seen) == 303
        assert act(edith, one.id, "pin") == 303
    answer = site.submit(f"{PATH}/fields/takeaways", to="Ada's.", article=str(one.id), seen=seen)
    assert answer.status_code == 409
    assert "Edith&#39;s." in answer.text
    assert "Ada&#39;s.</textarea>" in answer.text
    status, board = part(site, f"{PATH}/articles/{one.id}", do="drop", seen=mark_of(""))
    assert status == 409
    assert "Edith Ilves changed the wish since you looked at it" in board
    assert "Unpin" in board


def test_changes_are_undone_redone_and_told_in_history(site: Site) -> None:
    first = order(site)[0]
    act(site, first, "drop")
    write(site, "subject", "Tides")
    with site.seen_by(Role.EDITOR) as edith:
        write(edith, "preheader", "Edith's")
    assert site.submit(f"{PATH}/undo", do="undo").headers["location"].endswith(PATH)
    assert drafted(site).issue.subject == ""
    assert site.submit(f"{PATH}/undo", do="redo").status_code == 303
    assert drafted(site).issue.subject == "Tides"
    page = html.unescape(site.get(f"{PATH}/history").text)
    assert 'Edith Ilves</b> <span dir="auto">changed the preheader' in page
    assert site.submit(f"{PATH}/undo", do="undo", number="1", way="history").status_code == 303
    assert order(site)[0] == first
    refused = site.submit(f"{PATH}/undo", do="undo", number="1")
    assert (refused.status_code, "undo that first" in refused.text) == (409, True)
    status, board = part(site, f"{PATH}/undo", do="undo")
    assert (status, 'id="board"' in board) == (200, True)


def test_who_changed_an_issue_stands_in_the_record_once_a_sitting_with_the_way_to_each_change(
    site: Site,
) -> None:
    for subject in ("Tides", "Ebbs"):
        write(site, "subject", subject)
    with site.seen_by(Role.EDITOR) as edith:
        write(edith, "preheader", "Edith's")
    write(site, "intro", "A few words")
    approve_issue(site.runtime, DRAFT, by="Ben")
    write(site, "subject", "Floods", takes_back="true")
    with reading(site.runtime.engine) as session:
        found = list_entries(session, limit=9, what="issue")
    entries = [(one.by, one.what) for one in reversed(found) if one.about == f"issue {DRAFT}"]
    ada, edith = NAMES[Role.ADMIN], NAMES[Role.EDITOR]
    assert entries == [
        (ada, "issue.edited"),
        (edith, "issue.edited"),
        ("Ben", "issue.approved"),
        (ada, "issue.approval_taken_back"),
        (ada, "issue.edited"),
    ]
    page = site.get("/audit").text
    assert f'href="{PATH}/history">issue {DRAFT}</a>' in page
    assert f'href="/issues/{DRAFT}">issue {DRAFT}</a>' in page


def test_news_are_told_of_others_changes_only(site: Site) -> None:
    page = site.get(PATH).text
    asked = re.search(r'hx-get="(/issues/\d+/draft/news[^"]+)"', page)
    assert asked
    news = html.unescape(asked[1])
    assert site.get(news).status_code == 204
    write(site, "subject", "Mine")
    assert site.get(news).status_code == 204
    with site.seen_by(Role.EDITOR) as edith:
        write(edith, "preheader", "Edith's")
    told = site.get(news)
    assert "Edith Ilves changed something." in told.text


def test_a_story_is_dropped_and_brought_back_whole_and_another_report_may_lead(site: Site) -> None:
    a, b, *_ = order(site)
    with writing(site.runtime.engine) as session:
        record_stories(session, [(a, b)])
    act(site, a, "pin")
    act(site, a, "unpin")
    (led,) = [item for item in drafted(site).items if item.others]
    (other,) = (candidate.stored.id for candidate in led.others)
    assert act(site, other, "lead") == 303
    assert drafted(site).get(other).chosen.also == (led.id,)
    assert act(site, other, "drop") == 303
    assert not {a, b} & set(order(site))
    assert len(re.findall(r'value="bring-back"', site.get(PATH).text)) == 1
    assert act(site, other, "bring-back") == 303
    assert drafted(site).get(other).chosen.also == (led.id,)


def test_an_approved_issue_says_what_a_change_takes_back_and_what_goes_out_is_not_to_be_changed(
    site: Site,
) -> None:
    approve_issue(site.runtime, DRAFT, by="Edda")
    page = site.get(PATH).text
    assert "Edda approved this issue. A change takes the approval back" in page
    assert 'name="takes_back" value="true"' in page
    assert write(site, "subject", "Unaware of it") == 409
    assert write(site, "subject", "Aware", takes_back="true") == 303
    assert drafted(site).issue.state is IssueState.DRAFT
    gone = site.get(f"/issues/{SENDING}/draft")
    assert (gone.status_code, gone.headers["location"]) == (303, f"/issues/{SENDING}")
    assert (
        site.submit(f"/issues/{SENDING}/draft/fields/subject", to="x", takes_back="true").status_code == 409
    )


def test_a_viewer_sees_the_draft_and_no_form(site: Site) -> None:
    before = contents(site.runtime.engine)["edits"]
    with site.seen_by(Role.VIEWER) as vera:
        page = vera.get(PATH).text
        article_id = order(site)[0]
        assert "<button" not in page.replace('<form class="out"', "")
        assert vera.get(f"{PATH}/articles/{article_id}").status_code == 200
        assert act(vera, article_id, "drop") == 403
        assert write(vera, "subject", "x") == 403
    assert contents(site.runtime.engine)["edits"] == before


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/articles/1", {"do": "pin"}, 422),
        ("/articles/999", {"do": "up"}, 404),
        ("/articles/1", {"do": "explode"}, 422),
        ("/articles/1", {}, 422),
        ("/fields/subject", {"to": "x", "article": "3"}, 422),
        ("/fields/headline", {"to": "x"}, 422),
        ("/fields/headline", {"to": "x", "article": "999"}, 404),
        ("/fields/wish", {"to": "drop", "article": "13"}, 422),
        ("/fields/wages", {"to": "x"}, 404),
        ("/fields/subject", {"to": "w" * 201}, 422),
        ("/undo", {"do": "undo"}, 409),
        ("/undo", {"do": "undo", "number": "77"}, 409),
    ],
)
def test_what_means_nothing_is_answered_in_words_and_changes_nothing(
    path: str, form: dict[str, str], status: int, site: Site
) -> None:
    before = contents(site.runtime.engine)["edits"]
    answer = site.submit(PATH + path, **form)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    if status != 404:
        told, words = part(site, PATH + path, **form)
        assert (told, "<html" in words) == (status, False)
    assert contents(site.runtime.engine)["edits"] == before
