"""The managing pages on PostgreSQL: every kind of change once."""

from __future__ import annotations

from digest.domain.issues import IssueId, IssueState
from digest.store.database import writing
from digest.store.issues import change_issue
from tests.web.manage.forms import filled_in
from tests.web.manage.test_looks import LOOK, theme_of
from tests.web.manage.test_newsletters import CONTENTS, PAGE, audited, stored
from tests.web.manage.test_sources import FIRST, LIST, sources_of
from tests.web.manage.test_topics import _move_up, topics_of
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.test_postgres import postgres_site as postgres_site  # a fixture
from tests.web.world import NOW, SENDING


def test_everything_is_managed_on_postgresql(postgres_site: Site) -> None:
    site = postgres_site
    assert "articles in 4 weeks, 100% used" in read(site, LIST)
    assert "2 follow it" in read(site, f"{PAGE}/topics")
    assert site.submit(CONTENTS, **filled_in(site, PAGE, CONTENTS, max_items="20")).status_code == 303
    assert stored(site).max_items == 20
    mine = filled_in(site, FIRST, FIRST, name="Mine\x00")
    site.submit(FIRST, **filled_in(site, FIRST, FIRST, name="Theirs"))
    answer = site.submit(FIRST, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to Theirs" in text_of(answer.text)
    assert sources_of(site)[1].name == "Theirs"
    site.submit(f"{PAGE}/topics", **_move_up(site, "Space"))
    assert next(iter(topics_of(site))) == "space"
    trams = f"{PAGE}/new-topic"
    assert site.submit(trams, slug="trams", name="", phrases="tram", query="").status_code == 303
    assert site.submit(f"{PAGE}/topics/trams/remove").status_code == 303
    assert site.submit(LOOK, **filled_in(site, LOOK, LOOK, font="Verdana, serif")).status_code == 303
    assert theme_of(site).font == "Verdana, serif"
    assert len(audited(site)) == 5
    with writing(site.runtime.engine) as session:
        change_issue(session, IssueId(SENDING), IssueState.CANCELLED, now=NOW)
    assert site.submit(f"{PAGE}/remove", slug="saturday").status_code == 303
    assert "There is no newsletter yet" in read(site, "/manage")
