"""Topics on the managing pages: added, tried before they are saved, changed, moved, removed."""

from __future__ import annotations

import html
import re

import pytest

from digest.domain.accounts import Role
from digest.domain.topics import Topic, TopicRule
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from tests.samples import CLIMATE
from tests.web.manage.forms import fields_of, filled_in
from tests.web.manage.test_newsletters import audited
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import contents

HOME = "/manage/newsletters/saturday"
LIST, NEW = f"{HOME}/topics", f"{HOME}/new-topic"
PAGE = f"{LIST}/climate"


def topics_of(site: Site) -> dict[str, Topic]:
    with reading(site.runtime.engine) as session:
        topics = list_topics(session, get_newsletter(session, "saturday").id)
    return {topic.slug: topic for topic in topics}


def test_topics_stand_in_their_order_with_who_follows_them(still_site: Site) -> None:
    told = read(still_site, LIST)
    assert told.index("Climate & energy") < told.index("Space") < told.index("Oceans")
    assert "Climate & energy 2 follow it · no rule of its own" in told
    assert "Cities 1 follows it" in told


def test_a_topic_is_added_with_its_rule_and_articles_belong_to_it_at_once(site: Site) -> None:
    answer = site.submit(
        NEW, slug="trams", name="", phrases="tram\r\n tram line \r\n", parent="cities", query="bus NOT lorry"
    )
    assert answer.headers["location"] == f"{LIST}?done=topic-added"
    trams = topics_of(site)["trams"]
    assert (trams.name, trams.parent) == ("Trams", "cities")
    assert trams.rule == TopicRule(phrases=("tram", "tram line"), query="bus NOT lorry")
    assert audited(site)[0][1:3] == ("topic.added", "saturday: trams")


@pytest.mark.parametrize(
    ("given", "status", "problem"),
    [
        ({"slug": "Trams"}, 422, "'Trams' is not a short name"),
        (
            {"phrases": ""},
            422,
            "would match nothing: give it a word, label, the sources or the query at least",
        ),
        ({"query": "tram OR (bus"}, 422, "the '(' of column 9 is never closed"),
        ({"parent": "gulls"}, 422, "No topic 'gulls'; there is:"),
        ({"slug": "space"}, 409, "Topic 'space' exists already"),
        ({"name": "x" * 201}, 422, "The name is 201 characters long; there is room for 200"),
    ],
)
def test_what_cannot_be_a_topic_is_refused_and_kept(
    site: Site, given: dict[str, str], status: int, problem: str
) -> None:
    before = contents(site.runtime.engine)
    answer = site.submit(NEW, **{"slug": "trams", "name": "Trams", "phrases": "tram", **given})
    assert answer.status_code == status
    assert problem in text_of(answer.text)
    assert contents(site.runtime.engine) == before


def test_a_rule_is_tried_on_the_week_before_it_is_saved(site: Site) -> None:
    before = contents(site.runtime.engine)
    form = filled_in(site, PAGE, PAGE, query="lander", phrases="")
    answer = site.submit(f"{PAGE}/try", **form)
    assert answer.status_code == 200
    told = text_of(answer.text)
    assert "articles of the last 7 days" in told
    assert "Gained:" in told
    assert fields_of(answer.text, PAGE)["query"] == "lander", "what was typed stays"
    assert contents(site.runtime.engine) == before, "trying saves nothing"
    tried = fields_of(answer.text, PAGE)
    assert site.submit(PAGE, **tried).status_code == 303
    assert topics_of(site)["climate"].rule.query == "lander"


def test_a_new_topic_is_tried_before_it_is_there(site: Site) -> None:
    answer = site.submit(f"{NEW}/try", slug="", name="", phrases="tram", query="")
    assert answer.status_code == 200
    assert "It matches" in text_of(answer.text)
    answer = site.submit(f"{NEW}/try", slug="trams", phrases="", query="")
    assert "matches nothing" in text_of(answer.text)
    assert set(topics_of(site)) == {"climate", "space", "cities", "food", "oceans"}


def test_a_rule_is_tried_on_a_text_and_on_an_article(site: Site) -> None:
    form = filled_in(site, PAGE, PAGE, query="tram*")
    told = text_of(site.submit(f"{PAGE}/try", **{**form, "sample": "A tram returns\nIt ran."}).text)
    assert "‘A tram returns’ belongs to it, with a score of" in told
    told = text_of(site.submit(f"{PAGE}/try", **{**form, "sample": "Gulls\nThey fly."}).text)
    assert "‘Gulls’ does not belong to it." in told
    link = re.search(
        r'class="lines trial".*?href="([^"]+)"', site.submit(f"{PAGE}/try", **form).text, re.DOTALL
    )
    assert link
    told = text_of(site.submit(f"{PAGE}/try", **{**form, "sample": html.unescape(link[1])}).text)
    assert "belongs to it, with a score of" in told
    missing = site.submit(f"{PAGE}/try", **{**form, "sample": "https://example.org/nowhere"})
    assert missing.status_code == 404
    assert "was gathered for The Saturday Reader: give its text instead" in text_of(missing.text)


def test_a_query_that_cannot_be_read_is_told_while_trying(site: Site) -> None:
    answer = site.submit(f"{PAGE}/try", **filled_in(site, PAGE, PAGE, query="tram OR (bus"))
    assert answer.status_code == 422
    assert "never closed" in text_of(answer.text)


def test_a_topic_is_changed_and_keeps_who_follows_it(site: Site) -> None:
    form = filled_in(site, PAGE, PAGE, name="Climate", sources=["Meridian"])
    assert site.submit(PAGE, **form).status_code == 303
    changed = topics_of(site)["climate"]
    assert (changed.name, changed.rule.sources) == ("Climate", ("Meridian",))
    assert audited(site)[0][3] == "name: Climate & energy → Climate\nsources: – → Meridian"
    assert "2 follow it" in read(site, LIST)


def test_two_editors_of_a_topic_see_each_other(site: Site) -> None:
    mine = filled_in(site, PAGE, PAGE, name="Mine")
    site.submit(PAGE, **filled_in(site, PAGE, PAGE, name="Theirs", description="Warm"))
    answer = site.submit(PAGE, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to Theirs" in text_of(answer.text)
    assert fields_of(answer.text, PAGE)["description"] == "Warm"


def test_a_circle_of_parents_is_refused_beside_its_field(site: Site) -> None:
    space = f"{LIST}/space"
    site.submit(space, **filled_in(site, space, space, parent="climate"))
    answer = site.submit(PAGE, **filled_in(site, PAGE, PAGE, parent="space"))
    assert answer.status_code == 422
    assert "which is a circle" in text_of(answer.text)
    assert topics_of(site)["climate"].parent is None


def test_a_topic_is_moved_unless_the_order_is_another_by_then(site: Site) -> None:
    form = _move_up(site, "Space")
    assert site.submit(LIST, **form).status_code == 303
    assert list(topics_of(site)) == ["space", "climate", "cities", "food", "oceans"]
    answer = site.submit(LIST, **form)
    assert answer.status_code == 409
    assert "look at the order as it is now" in text_of(answer.text)
    assert site.submit(LIST, order="space", stood="space").status_code == 409


def _move_up(site: Site, name: str) -> dict[str, str]:
    page = site.get(LIST).text
    button = re.search(rf'name="order" value="([^"]+)" aria-label="Move {name} up"', page)
    stood = re.search(r'name="stood" value="([^"]+)"', page)
    assert button
    assert stood
    return {"order": button[1], "stood": stood[1]}


def test_a_topic_is_removed_with_its_follows_and_that_is_said_before(site: Site) -> None:
    assert "2 follow it; every follow goes with it" in read(site, PAGE)
    assert site.submit(f"{PAGE}/remove").status_code == 303
    assert CLIMATE not in topics_of(site)
    assert site.get(PAGE).status_code == 404


def test_who_only_looks_tries_and_changes_nothing(site: Site) -> None:
    with site.seen_by(Role.VIEWER) as viewer:
        assert "Move" not in viewer.get(LIST).text
        page = viewer.get(PAGE).text
        assert '<fieldset class="all" disabled>' in page
        assert "Remove this topic" not in page
        assert viewer.submit(f"{PAGE}/try").status_code == 403
