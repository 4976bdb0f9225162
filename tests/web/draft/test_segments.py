"""Whom a draft is for: chosen on its page, told beside the preview, part of what is approved, undone."""

from __future__ import annotations

import pytest

from digest.compose.edits import mark_of
from digest.domain.errors import Conflict
from digest.domain.issues import IssueState
from digest.pipeline import control
from digest.pipeline.approval import Changed, approve_issue
from digest.pipeline.managing import segments
from digest.pipeline.preview import NotTheirTurn, shown_to
from digest.store.database import reading, writing
from digest.store.issue_segments import Limits, limits_of
from digest.store.issues import change_issue, get_issue
from tests.web.draft.test_pages import PATH, part, write
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, BEN, DRAFT, NOW

PREVIEW = f"/issues/{DRAFT}/preview"


@pytest.fixture
def parted(site: Site) -> Site:
    """The site with two segments."""
    for slug, query in (("hungry", "topic:food"), ("brief", "NOT topic:(food OR space)")):
        segments.add(site.runtime, "saturday", {"slug": slug, "query": query}, by="Edith")
    return site


def limits(site: Site, issue: int = DRAFT) -> Limits:
    with reading(site.runtime.engine) as session:
        return limits_of(session, get_issue(session, issue))


def test_without_segments_nothing_is_to_be_chosen(still_site: Site) -> None:
    assert "Whom it is for" not in read(still_site, PATH)


def test_whom_it_is_for_is_chosen_told_and_undone(parted: Site) -> None:
    assert "Whom it is for" in read(parted, PATH)
    assert write(parted, "only", "hungry", seen=mark_of("")) == 303
    assert write(parted, "without", "brief", seen=mark_of("")) == 303
    assert limits(parted).in_words == "for readers of the segment ‘Hungry’ alone but those of ‘Brief’"
    page = parted.get(PATH).text
    assert '<option value="hungry" selected>Hungry</option>' in page
    for path in (PREVIEW, f"/issues/{DRAFT}"):
        assert "for readers of the segment ‘Hungry’ alone but those of ‘Brief’" in read(parted, path)
    told = read(parted, f"{PREVIEW}?as={BEN}")
    assert "not among the readers that the issue is for" in told
    assert "left out the segment brief" in read(parted, f"{PATH}/history")
    parted.submit(f"{PATH}/undo")
    assert limits(parted).without is None
    assert write(parted, "only", "") == 303
    assert not limits(parted)


def test_one_part_of_the_page_is_saved_by_itself(parted: Site) -> None:
    status, told = part(parted, f"{PATH}/fields/only", to="hungry", seen=mark_of(""))
    assert (status, "Saved." in told) == (200, True)
    status, told = part(parted, f"{PATH}/fields/only", to="brief", seen=mark_of(""))
    assert status == 409
    assert "changed this" in told


@pytest.mark.parametrize(
    ("field", "to", "status", "said"),
    [
        ("only", "gone", 404, "No segment 'gone'; there is: brief, hungry"),
        ("without", "hungry", 422, "The issue names the segment 'hungry' already"),
    ],
)
def test_what_cannot_be_is_refused(parted: Site, field: str, to: str, status: int, said: str) -> None:
    write(parted, "only", "hungry")
    answer = parted.submit(f"{PATH}/fields/{field}", to=to)
    told = text_of(answer.text).lower()
    assert (answer.status_code, said.lower() in told) == (status, True), told


def test_the_counts_beside_the_preview_leave_out_whom_it_is_not_for(parted: Site) -> None:
    assert "not among the readers" not in read(parted, PREVIEW)
    write(parted, "only", "hungry")
    assert "not among the readers that the issue is for" in read(parted, PREVIEW)
    assert shown_to(parted.runtime, DRAFT, email=ADA).email == ADA
    with pytest.raises(NotTheirTurn):
        shown_to(parted.runtime, DRAFT, email=BEN)


def test_who_is_spared_a_draft_is_told_in_twenties(parted: Site) -> None:
    for slug, query in (("asleep", "NOT opened:<30"), ("awake", "followed:<30")):
        segments.add(parted.runtime, "saturday", {"slug": slug, "query": query}, by="Edith")
    page = parted.get(PATH).text
    assert (page.count('value="asleep"'), page.count('value="awake"')) == (1, 0)
    write(parted, "without", "asleep")
    assert "Fewer than 20 of all these will be left out, as they read no more" in read(parted, PREVIEW)


def test_an_approval_is_also_of_whom_it_is_for(parted: Site) -> None:
    seen = shown_to(parted.runtime, DRAFT).pieces.content_hash
    write(parted, "only", "hungry")
    with pytest.raises(Changed):
        approve_issue(parted.runtime, DRAFT, by="Ada", despite_errors=True, seen=seen)
    seen = shown_to(parted.runtime, DRAFT).pieces.content_hash
    approve_issue(parted.runtime, DRAFT, by="Ada", despite_errors=True, seen=seen)
    with pytest.raises(Conflict, match=f"issue {DRAFT} names the segment 'hungry'"):
        segments.change(parted.runtime, "saturday", "hungry", lambda _: {"query": "days:1"}, by="Ada")
    with pytest.raises(Conflict, match=f"issue {DRAFT} names the segment 'hungry'"):
        segments.remove(parted.runtime, "saturday", "hungry", by="Ada")
    assert segments.change(parted.runtime, "saturday", "hungry", lambda _: {"name": "Eaters"}, by="Ada")
    assert write(parted, "only", "") == 409, "a change takes the approval back, and has to say so"


def test_an_issue_made_again_is_for_whom_the_first_was(parted: Site) -> None:
    write(parted, "only", "hungry")
    with writing(parted.runtime.engine) as session:
        change_issue(session, DRAFT, IssueState.CANCELLED, now=NOW)
    made = control.make_again(parted.runtime, DRAFT)
    assert limits(parted, made.id) == limits(parted)
