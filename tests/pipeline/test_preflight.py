"""An issue checked over all its editions, with and without the network."""

from __future__ import annotations

import io
import socket

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, update

from digest.address.steps import address_issue
from digest.compose.audience import audience_of
from digest.compose.checks.editions import Reported
from digest.compose.checks.links import Reach, judge_link
from digest.compose.steps import compose, pieces_of
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.topics import TopicSlug
from digest.pipeline.approval import approve_issue
from digest.pipeline.looking import look_at
from digest.pipeline.preflight import EDITIONS_MOST, Preflight, check_issue, check_offline, check_pieces
from digest.runtime import Runtime
from digest.store.articles import ArticleRow
from digest.store.database import reading, writing
from digest.store.issues import write_texts
from digest.store.sources import list_sources
from tests.pipeline.press import CLIMATE, SPACE, Press, make_newsletter
from tests.servers.processes import free_port
from tests.stored import NOW, WINDOW, sample_article, stored_article, stored_reader


@pytest.fixture
def newsletter(engine: Engine, press: Press) -> Newsletter:
    return make_newsletter(engine, press)


def compose_week(engine: Engine, press: Press, newsletter: Newsletter, **articles: TopicSlug) -> Issue:
    """Compose a draft of articles by title and topic, their pages at the press."""
    with reading(engine) as session:
        (source,) = list_sources(session, newsletter.id)
    for title, topic in articles.items():
        press.publish(title, topic)
        article = sample_article(title, url=f"{press.url}/{title}", title=title)
        stored_article(engine, newsletter, source, article, {topic: 0.9})
    issue = compose(engine, newsletter, WINDOW, now=NOW).issue
    assert issue is not None
    return issue


@pytest.fixture
def draft(engine: Engine, press: Press, newsletter: Newsletter) -> Issue:
    """Tides and rockets; two readers follow the one, one both."""
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE)
    stored_reader(engine, newsletter, "cleo@example.org", CLIMATE, SPACE)
    return compose_week(engine, press, newsletter, tides=CLIMATE, rockets=SPACE)


def last_check(runtime: Runtime, issue_id: int) -> Preflight:
    """What the pages show of an issue's checks."""
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    return check_pieces(runtime, pieces, audience_of(runtime.engine, pieces), editions_most=EDITIONS_MOST)


def about(checked: Preflight, words: str) -> Reported:
    (found,) = [one for one in checked.findings if words in one.finding.what]
    return found


def write(engine: Engine, issue: Issue, **texts: str) -> None:
    with writing(engine) as session:
        write_texts(session, issue.id, **{"subject": "", "preheader": "", "intro": "", **texts})


def test_every_distinct_edition_is_checked_once_and_its_readers_counted(
    runtime: Runtime, draft: Issue
) -> None:
    checked = check_offline(runtime, draft.id)
    assert (checked.editions, checked.readers, checked.looked_at) == (2, 3, None)
    assert checked.errors == ()


def test_what_editors_wrote_is_looked_through(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    write(engine, draft, subject="News", intro="Lorem ipsum")
    checked = check_offline(runtime, draft.id)
    assert [one.finding.where for one in checked.errors] == ["opening lines"]
    short = about(checked, "the subject has 4 characters")
    assert (short.editions, short.readers) == (2, 3)
    assert checked.findings[0] is checked.errors[0]


def test_topics_without_an_article_are_noted(
    engine: Engine, runtime: Runtime, press: Press, newsletter: Newsletter
) -> None:
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", SPACE)
    issue = compose_week(engine, press, newsletter, tides=CLIMATE)
    checked = check_offline(runtime, issue.id)
    assert about(checked, "no article is about Space").finding.severity == "note"
    assert about(checked, "1 reader gets nothing")
    assert (checked.editions, checked.readers) == (1, 1)


def test_an_issue_without_readers_is_checked_as_one_of_everything_would_get_it(
    engine: Engine, runtime: Runtime, press: Press, newsletter: Newsletter
) -> None:
    issue = compose_week(engine, press, newsletter, tides=CLIMATE)
    write(engine, issue, subject="News")
    checked = check_offline(runtime, issue.id)
    assert (checked.editions, checked.readers) == (0, 0)
    assert about(checked, "the subject has 4 characters")


def test_an_issue_on_its_way_is_checked_as_it_was_addressed(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    approve_issue(runtime, draft.id, by="Edda")
    address_issue(engine, draft.id, now=NOW)
    stored_reader(engine, newsletter, "late@example.org", SPACE)
    checked = check_offline(runtime, draft.id)
    assert (checked.editions, checked.readers) == (2, 3)


def test_links_are_looked_at_and_told_with_their_articles_and_readers(
    runtime: Runtime, draft: Issue, press: Press, httpserver: HTTPServer
) -> None:
    httpserver.clear()
    press.__post_init__()
    press.publish("tides", CLIMATE)
    httpserver.expect_request("/rockets").respond_with_data("", 410)
    checked = check_issue(runtime, draft.id)
    assert (checked.links, checked.pictures, checked.not_looked_at) == (2, 0, 0)
    gone = about(checked, f"{press.url}/rockets is gone: it answers 410")
    assert (gone.finding.where, gone.editions, gone.readers) == ("'rockets'", 1, 1)
    assert checked.errors == (gone,)
    assert about(checked, "no spam score: SpamAssassin is not installed").finding.severity == "note"
    asked = [request.path for request, _ in httpserver.log if request.path in ("/tides", "/rockets")]
    assert sorted(asked) == ["/rockets", "/tides"]


def test_what_the_last_look_found_is_kept_until_the_next(
    engine: Engine, runtime: Runtime, draft: Issue, press: Press, httpserver: HTTPServer
) -> None:
    assert last_check(runtime, draft.id).looked_at is None
    httpserver.clear()
    press.__post_init__()
    press.publish("tides", CLIMATE)
    httpserver.expect_request("/rockets").respond_with_data("", 404)
    told = check_issue(runtime, draft.id)
    assert last_check(runtime, draft.id) == told
    assert told.looked_at == NOW
    with writing(engine) as session:
        moved = update(ArticleRow).where(ArticleRow.title == "tides").values(url=f"{press.url}/tides-two")
        session.execute(moved)
    assert last_check(runtime, draft.id).is_outdated
    httpserver.clear()
    press.__post_init__()
    press.publish("rockets", SPACE)
    press.publish("tides-two", CLIMATE)
    assert check_issue(runtime, draft.id).errors == ()


def picture(width: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, 10)).save(stream, "PNG")
    return stream.getvalue()


def test_pictures_are_looked_at_with_their_size_and_weight(runtime: Runtime, press: Press) -> None:
    body = picture(640)
    press.server.expect_request("/a.png").respond_with_data(body, content_type="image/png")
    press.server.expect_request("/huge.png").respond_with_data(
        body + b"\0" * 2_000_000, content_type="image/png"
    )
    urls = [f"{press.url}/{name}.png" for name in ("a", "huge", "gone")]
    press.server.expect_request("/gone.png").respond_with_data("", 404)
    good, huge, gone = map(look_at(runtime, [], urls).pictures.__getitem__, urls)
    assert (good.content_type, good.length) == ("image/png", len(body))
    assert good.pixels is not None
    assert good.pixels.width == 640
    assert huge.length == len(body) + 2_000_000
    assert gone.answer.status == 404


def test_what_cannot_be_asked_is_told_from_what_is_dead(
    runtime: Runtime, press: Press, httpserver: HTTPServer
) -> None:
    httpserver.clear()
    httpserver.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /closed")
    httpserver.expect_request("/.well-known/tdmrep.json").respond_with_data("", 404)
    nobody = f"http://127.0.0.1:{free_port()}/"
    answers = look_at(runtime, [f"{press.url}/closed", nobody, "http://10.0.0.1/"], []).links
    assert [answer.reach for answer in answers.values()].count(Reach.DENIED) == 2
    assert answers[f"{press.url}/closed"].reach is Reach.KEPT_OUT
    assert "http://10.0.0.1/" not in answers["http://10.0.0.1/"].why


def test_a_redirect_that_is_not_followed_says_from_where_to_where_why_and_what_next(
    runtime: Runtime, press: Press, httpserver: HTTPServer
) -> None:
    other = f"http://127.0.0.1:{free_port()}/"
    told = {
        "http://10.0.0.1/x?a=(b)": "which is not looked at: 10.0.0.1 is a private network",
        "http://localhost/": "which is not looked at: 127.0.0.1 is this machine",
        other: f"which is not looked at: port {other[17:-1]} is neither 80 nor 443",
        "javascript:alert(1)": "which is not an http(s) URL",
    }
    for number, to in enumerate([*told, f"{press.url}/4"]):
        httpserver.expect_request(f"/{number}").respond_with_data("", 302, {"Location": to})
    links = {f"{press.url}/{number}": to for number, to in enumerate(told)}
    answers = look_at(runtime, [*links, f"{press.url}/4", "http://10.0.0.1/"], []).links
    found = {url: finding for url in answers if (finding := judge_link(url, answers[url]))}
    circle = f"{press.url}/4"
    assert {url: finding.what for url, finding in found.items()} == {
        **{url: f"{url} redirects to {to}, {told[to]}" for url, to in links.items()},
        circle: f"{circle} redirects in a circle: {circle} → {circle}",
        "http://10.0.0.1/": "http://10.0.0.1/ is not looked at: 10.0.0.1 is a private network",
    }
    begun = "open the link outside your own network: if it does not open there, drop the article"
    assert all(finding.next_step.startswith(begun) for finding in found.values())


def test_our_own_pages_are_reached_wherever_they_are_and_strangers_are_not(
    runtime: Runtime, press: Press, httpserver: HTTPServer
) -> None:
    closed = Runtime(runtime.settings.model_copy(update={"fetch_allow": ()}), runtime.clock)
    httpserver.expect_request("/").respond_with_data("ours")
    own = Runtime(closed.settings.model_copy(update={"public_url": press.url}), runtime.clock)
    looks = look_at(own, [f"{press.url}/"], [], own=f"{press.url}/")
    own.engine.dispose()
    assert looks.public_url is not None
    assert looks.public_url.is_well
    assert looks.links[f"{press.url}/"].reach is Reach.DENIED


def test_when_the_time_is_over_what_was_not_looked_at_is_missing(
    runtime: Runtime, press: Press, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/fast").respond_with_data("x")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host_port = f"127.0.0.1:{silent.getsockname()[1]}"
        allowed = runtime.settings.model_copy(update={"fetch_allow": (press.host_port, host_port)})
        patient = Runtime(allowed, runtime.clock)
        looks = look_at(patient, [f"http://{host_port}/slow", f"{press.url}/fast"], [], seconds=4)
        patient.engine.dispose()
    assert list(looks.links) == [f"{press.url}/fast"]
