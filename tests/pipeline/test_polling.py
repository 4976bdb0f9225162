from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source, SourceState, Standing
from digest.pipeline.by_hand import add_article
from digest.pipeline.dry_run import rehearse
from digest.pipeline.polling import are_sources_due, coming_articles, poll_due
from digest.pipeline.run import run_newsletter
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.polls import claim_due_sources, record_standing
from digest.store.recording import Recorded
from digest.store.sources import change_source, get_source
from tests.pipeline.press import CLIMATE, SPACE, Clock, Press, make_newsletter
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, WINDOW, stored_reader


@pytest.fixture
def newsletter(engine: Engine, press: Press) -> Newsletter:
    press.publish("tides")
    return make_newsletter(engine, press)


def source_of(engine: Engine, newsletter: Newsletter) -> Source:
    with reading(engine) as session:
        return get_source(session, newsletter.id, "Press")


def requests(press: Press, path: str) -> int:
    return sum(request.path == path for request, _ in press.server.log)


def test_a_source_that_is_due_is_polled_and_then_left_alone_until_it_is_again(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press, clock: Clock
) -> None:
    assert are_sources_due(runtime)
    (polled,) = poll_due(runtime)
    assert polled.new == 1
    assert not are_sources_due(runtime)
    assert poll_due(runtime) == ()
    clock.pass_(hours=2)
    press.publish("currents", day=NOW + timedelta(hours=1))
    assert are_sources_due(runtime)
    (polled,) = poll_due(runtime)
    assert (polled.new, polled.known) == (1, 1)
    assert requests(press, "/feed") == 2
    assert [one.article.title for one in coming_articles(runtime, "weekly")] == ["currents", "tides"]


def test_robots_txt_is_read_once_a_day(
    runtime: Runtime, newsletter: Newsletter, press: Press, clock: Clock
) -> None:
    for _ in range(4):
        poll_due(runtime)
        clock.pass_(hours=5)
    assert requests(press, "/robots.txt") == 1
    clock.pass_(hours=24)
    poll_due(runtime)
    assert requests(press, "/robots.txt") == 2


def test_what_robots_txt_forbids_is_not_fetched_and_said(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press
) -> None:
    press.server.clear_all_handlers()
    press.server.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /feed")
    (polled,) = poll_due(runtime)
    assert "robots.txt" in polled.error
    assert requests(press, "/feed") == 0
    assert "robots.txt" in source_of(engine, newsletter).standing.last_error


def test_a_paused_source_is_not_polled(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press
) -> None:
    with writing(engine) as session:
        change_source(session, source_of(engine, newsletter).id, state=SourceState.PAUSED)
    assert not are_sources_due(runtime)
    assert run_newsletter(runtime, "weekly").polled == ()
    assert requests(press, "/feed") == 0


def test_two_workers_never_poll_one_source_at_once(
    runtime: Runtime, engine: Engine, newsletter: Newsletter
) -> None:
    with writing(engine) as session:
        claimed = claim_due_sources(session, now=NOW, lease=timedelta(minutes=2), limit=10)
    assert len(claimed) == 1
    assert poll_due(runtime) == ()


def test_a_source_whose_worker_died_is_due_again(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, clock: Clock
) -> None:
    with writing(engine) as session:
        claim_due_sources(session, now=NOW, lease=timedelta(minutes=2), limit=10)
    clock.pass_(minutes=3)
    assert len(poll_due(runtime)) == 1


def test_ops_are_told_once_of_a_source_that_keeps_failing(
    runtime: Runtime, newsletter: Newsletter, press: Press, clock: Clock, smtp_sink: SmtpSink
) -> None:
    press.status = 503
    for _ in range(20):
        poll_due(runtime)
        clock.pass_(hours=2)
    (mail,) = smtp_sink.contents()
    assert b"a source keeps failing" in mail
    assert b"503" in mail
    assert b"digest source show weekly" in mail
    press.status = 200
    clock.pass_(days=2)
    poll_due(runtime)
    press.status = 503
    for _ in range(20):
        clock.pass_(hours=3)
        poll_due(runtime)
    assert smtp_sink.copies() == {"ops@example.org": 2}


def test_ops_are_told_that_a_source_is_gone_once_it_is_recorded_and_not_by_a_dry_run(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press, smtp_sink: SmtpSink
) -> None:
    press.status = 410
    rehearse(runtime, "weekly")
    assert smtp_sink.count() == 0
    poll_due(runtime)
    (mail,) = smtp_sink.contents()
    assert b"gone for good (410)" in mail
    assert source_of(engine, newsletter).state is SourceState.RETIRED


def test_a_week_gathered_in_the_background_needs_no_page_fetched_at_the_run(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press, clock: Clock
) -> None:
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    poll_due(runtime)
    clock.pass_(hours=3)
    run = run_newsletter(runtime, "weekly")
    assert run.composed is not None
    assert run.composed.items == 1
    assert requests(press, "/tides") == 1


def test_the_source_that_weighs_more_leads_a_topic(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press
) -> None:
    source = source_of(engine, newsletter)
    assert source.weight == 1.0
    with writing(engine) as session:
        change_source(session, source.id, weight=4.0)
        record_standing(session, source, Standing(), reservation="")
    run_newsletter(runtime, "weekly")
    (stored,) = coming_articles(runtime, "weekly")
    assert stored.weight == 4.0


# --- by hand


def test_an_article_added_by_hand_stands_in_the_coming_issue_however_old_it_is(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press
) -> None:
    press.publish("atlas", label="none", day=NOW - timedelta(days=400))
    press.articles.pop("atlas")  # no feed lists it
    added = add_article(runtime, "weekly", f"{press.url}/atlas", topics=["space"], by="ada")
    assert (added.recorded, added.window) == (Recorded.NEW, WINDOW)
    run = run_newsletter(runtime, "weekly")
    assert run.composed is not None
    assert run.composed.items == 2
    (stored,) = [one for one in coming_articles(runtime, "weekly") if one.article.title == "atlas"]
    assert stored.given_topics == (SPACE,)


def test_an_article_added_after_the_issue_was_sent_waits_for_the_next(
    runtime: Runtime, engine: Engine, newsletter: Newsletter, press: Press, clock: Clock
) -> None:
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    run_newsletter(runtime, "weekly", approve_by="ada")
    press.publish("atlas")
    added = add_article(runtime, "weekly", f"{press.url}/atlas", topics=["space"], by="ada")
    assert added.window.start == WINDOW.end
    clock.pass_(days=7)
    run = run_newsletter(runtime, "weekly", approve_by="ada")
    assert run.composed is not None
    assert run.composed.items == 1


def test_an_article_added_twice_is_one(runtime: Runtime, newsletter: Newsletter, press: Press) -> None:
    press.publish("atlas")
    for recorded in (Recorded.NEW, Recorded.KNOWN):
        added = add_article(runtime, "weekly", f"{press.url}/atlas", topics=[], by="ada")
        assert added.recorded is recorded
