"""Segments on the managing pages: asked while they are typed, saved, changed, removed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from digest.domain.accounts import Role
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.pipeline.managing import newsletters
from digest.pipeline.managing import segments as managing
from digest.store import segment_counts
from digest.store.database import reading, writing
from digest.store.newsletters import change_newsletter, get_newsletter
from digest.store.segments import list_segments
from digest.web.manage import segments as pages
from tests.web.manage.forms import filled_in
from tests.web.manage.test_newsletters import audited
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import NOW, contents

HOME = "/manage/newsletters/saturday"
LIST, NEW = f"{HOME}/segments", f"{HOME}/new-segment"
PAGE = f"{LIST}/hungry"
LONG_AGO = NOW - timedelta(days=400)


def queries(site: Site) -> dict[str, str]:
    with reading(site.runtime.engine) as session:
        found = list_segments(session, get_newsletter(session, "saturday").id)
    return {one.slug: one.query for one in found}


def hungry(site: Site, query: str = "topic:food") -> None:
    managing.add(site.runtime, "saturday", {"slug": "hungry", "query": query}, by="Edith")


def test_before_the_first_the_page_says_what_a_segment_is(site: Site) -> None:
    assert "No segment yet. A segment is a question about readers" in read(site, LIST)
    with site.seen_by(Role.VIEWER) as viewer:
        assert "Add the first segment" not in read(viewer, LIST)


def test_a_segment_is_added_and_counted_behind_the_pages(site: Site) -> None:
    answer = site.submit(NEW, slug="hungry", name="", query=" topic:food ")
    assert answer.headers["location"] == f"{LIST}?done=segment-added"
    assert queries(site) == {"hungry": "topic:food"}
    assert audited(site)[0][1:3] == ("segment.added", "saturday: hungry")
    assert "Hungry topic:food not counted yet" in read(site, LIST)
    assert managing.count_what_is_due(site.runtime) == 1
    assert managing.count_what_is_due(site.runtime) == 0, "readers do not come and go that fast"
    assert "Hungry topic:food 3 readers, counted just now" in read(site, LIST)


def test_a_question_is_asked_before_it_is_saved(still_site: Site) -> None:
    told = text_of(still_site.submit(f"{NEW}/try", query="topic:food").text)
    assert "3 of 6 readers, 2 of them active." in told
    assert "ada@example.org climate, food" in told
    assert "eve@example.org cities, climate, food, space · paused" in told
    assert "It fits nobody." in text_of(still_site.submit(f"{NEW}/try", query="language:fi").text)


def test_a_question_of_who_reads_is_answered_in_twenties_and_names_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = text_of(site.submit(f"{NEW}/try", query="opened:<30").text)
    assert "Fewer than 20 readers. Nobody is asked at present whether they may be measured" in told
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), measuring=Measuring.ASKED)
    hungry(site, "NOT followed:<30")
    assert "Fewer than 20 readers. It asks who reads, of readers who agreed to that" in read(site, PAGE)
    assert "All of them, as saved" not in read(site, PAGE)
    managing.count_what_is_due(site.runtime)
    assert "NOT followed:<30 fewer than 20 readers, counted just now" in read(site, LIST)
    assert 'value="hungry"' not in site.get(f"{HOME}/readers").text, "nobody is listed by it"
    for path in ("readers", "readers/export"):
        refused = site.get(f"{HOME}/{path}?segment=hungry")
        assert refused.status_code == 409
        assert "asks who reads, so it names nobody" in text_of(refused.text)
    known = text_of(site.submit(f"{NEW}/try", query="opened:<30 domain:example.org").text)
    assert "a question of who reads asks nothing else" in known
    monkeypatch.setattr(segment_counts, "in_steps", lambda _count: 40)
    monkeypatch.setattr(pages, "LEAST", 5)
    assert "At least 40 of 6 readers." in text_of(site.submit(f"{NEW}/try", query="opened:<30").text)
    assert "No issue can be for them alone, or leave them out" in text_of(
        site.submit(f"{NEW}/try", query="opened:<30").text
    )


def test_it_is_kept_since_when_a_newsletter_measures_and_counts(site: Site) -> None:
    def since(**given: str) -> tuple[datetime | None, datetime | None]:
        newsletters.change(site.runtime, "saturday", lambda _: given, by="Ada")
        with reading(site.runtime.engine) as session:
            one = get_newsletter(session, "saturday")
        return one.measuring_since, one.counting_since

    assert since(clicks="off", measuring="off") == (None, None)
    assert since(measuring="asked", max_items="9") == (NOW, None)
    assert since(clicks="counted") == (NOW, NOW)
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), measuring_since=LONG_AGO, counting_since=LONG_AGO)
    assert since(measuring="asked", clicks="counted", max_items="8") == (LONG_AGO, LONG_AGO), "it goes on"
    assert since(measuring="off", clicks="off") == (LONG_AGO, LONG_AGO)
    assert since(measuring="asked") == (NOW, LONG_AGO)


def test_of_many_readers_the_answer_says_how_it_is_known(
    still_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_counts, "FEW", 3)
    monkeypatch.setattr(segment_counts, "SAMPLE", 4)
    told = text_of(still_site.submit(f"{NEW}/try", query="domain:example.org").text)
    assert "About 6 of 6 readers" in told
    told = text_of(still_site.submit(f"{NEW}/try", query="NOT opened:<30").text)
    assert "Few or none of those looked at." in told, "300 may fit of whom none is looked at"
    assert "An estimate, from a look at 4 of them." in told


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("topic:food (", "column 13: a field with its value"),
        ("topic:gulls", "there is no topic 'gulls'; there is: climate"),
        ("", "it is empty"),
        ("x" * 4001, "there is room for 4000"),
        ('attribute.x:"<script>', "the quotation mark is never closed"),
    ],
)
def test_a_question_that_cannot_be_read_says_where(still_site: Site, query: str, problem: str) -> None:
    for path in (f"{NEW}/try", NEW):
        answer = still_site.submit(path, slug="new", name="", query=query)
        assert answer.status_code == 422
        assert problem in text_of(answer.text)
        assert "<script>" not in answer.text.replace("<script src=", "")


def test_a_segment_shows_whom_it_fits_and_is_changed_and_removed(site: Site) -> None:
    hungry(site)
    assert "3 of 6 readers" in read(site, PAGE)
    answer = site.submit(PAGE, **filled_in(site, PAGE, PAGE, query="topic:food state:active", name="Eaters"))
    assert answer.headers["location"] == f"{PAGE}?done=segment-changed"
    assert "Eaters" in read(site, PAGE)
    assert "2 of 6 readers" in text_of(site.submit(f"{PAGE}/try", query="topic:food state:active").text)
    assert audited(site)[0][1] == "segment.changed"
    assert site.submit(f"{PAGE}/remove").headers["location"] == f"{LIST}?done=segment-removed"
    assert queries(site) == {}
    assert site.get(PAGE).status_code == 404


def test_two_editors_of_one_segment_lose_nothing_unseen(site: Site) -> None:
    hungry(site)
    mine = filled_in(site, PAGE, PAGE, query="topic:food days:<9")
    site.submit(PAGE, **filled_in(site, PAGE, PAGE, query="topic:space"))
    answer = site.submit(PAGE, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to topic:space" in text_of(answer.text)
    assert queries(site) == {"hungry": "topic:space"}


def test_a_name_that_is_taken_is_told(site: Site) -> None:
    hungry(site)
    answer = site.submit(NEW, slug="hungry", name="Again", query="days:1")
    assert answer.status_code == 409
    assert "There is a segment &#39;hungry&#39; already" in answer.text


def test_who_may_only_look_changes_nothing(site: Site) -> None:
    hungry(site)
    with site.seen_by(Role.VIEWER) as viewer:
        assert "3 of 6 readers" in read(viewer, PAGE)
        assert viewer.get(NEW).status_code == 403
        before = contents(site.runtime.engine)
        for path in (NEW, PAGE, f"{PAGE}/try", f"{PAGE}/remove"):
            assert viewer.submit(path, slug="x", name="", query="days:1").status_code == 403
        assert contents(site.runtime.engine) == before
