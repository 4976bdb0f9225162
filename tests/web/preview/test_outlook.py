"""All readers of an issue on its preview: who gets how much, who nothing, and what is to be mended where."""

from __future__ import annotations

import re

import pytest

from digest.domain.accounts import Role
from digest.pipeline import outlook
from digest.store.database import writing
from digest.store.issues import write_texts
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import DRAFT, SENDING

PAGE = f"/issues/{DRAFT}/preview"


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "FEW_READERS", 1)


def test_it_says_who_gets_how_much_and_why_others_nothing(still_site: Site) -> None:
    told = text_of(still_site.get(f"/issues/{SENDING}/preview").text)
    assert "2 readers of 6 get it" in told
    assert "2 to 5 articles 1 50.0 %" in told
    assert "6 articles or more 1 50.0 %" in told
    for reason in ("follows no topic", "paused their subscription", "address is suppressed"):
        assert f"{reason} 1 25.0 %" in told


def test_a_finding_leads_to_where_it_is_mended(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        write_texts(session, DRAFT, subject="", preheader="", intro="Lorem ipsum")
    page = site.get(PAGE).text
    error = re.search(r'<li class="error">.*?</li>', page, re.DOTALL)
    assert error
    assert "looks like a placeholder" in error[0]
    assert f'<a href="/issues/{DRAFT}/draft">Mend it there</a>' in error[0]
    assert '<a href="/manage/newsletters/saturday/topics">Mend it there</a>' in page, (
        "topics without an article"
    )
    for path in re.findall(r'<a href="([^"]+)">Mend it there', page):
        assert site.get(path).status_code == 200, path


@pytest.mark.usefixtures("_many")
def test_with_many_readers_it_is_worked_out_behind_the_page_or_on_demand(site: Site) -> None:
    page = site.get(PAGE).text
    assert "It was not worked out yet" in page
    assert f'hx-get="/issues/{DRAFT}/preview/outlook" hx-trigger="every 5s"' in page
    part = site.get(f"{PAGE}/outlook").text
    assert "<html" not in part
    assert "hx-get" in part
    assert site.submit(f"{PAGE}/outlook").headers["location"] == f"{PAGE}#outlook"
    page = site.get(PAGE).text
    assert "Worked out on 23 November, 07:00 UTC." in page
    assert 'preview/outlook" hx-trigger' not in page
    with writing(site.runtime.engine) as session:
        write_texts(session, DRAFT, subject="Another subject of this week", preheader="", intro="")
    part = site.get(f"{PAGE}/outlook").text
    assert "The issue has changed since." in part
    assert "hx-get" in part


@pytest.mark.usefixtures("_many")
def test_whoever_may_only_look_has_nothing_worked_out(site: Site) -> None:
    with site.seen_by(Role.VIEWER) as viewer:
        assert "Work it out now" not in viewer.get(PAGE).text
        assert viewer.submit(f"{PAGE}/outlook").status_code == 403
    assert "Work it out now" in site.get(PAGE).text
