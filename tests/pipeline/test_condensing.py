"""Newsletters that want a language model: asked within limits, done without when it cannot be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from digest.compose.steps import content_of
from digest.condense.steps import Report, condense_again
from digest.domain.articles import Origin, Usage
from digest.domain.issues import IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.runs import StageOutcome
from digest.domain.schedules import Occurrence, OccurrenceState, Stage
from digest.pipeline import condensing
from digest.pipeline.condensing import condense_ahead, condense_for_a_while, condense_newsletter
from digest.pipeline.dry_run import rehearse
from digest.pipeline.run import gather_newsletter, run_newsletter
from digest.pipeline.scheduled import advance, due_occurrences
from digest.runtime import Runtime
from digest.store.answers import forget_answers
from digest.store.articles import ArticleId, ArticleRow
from digest.store.condensed import uncondensed_articles
from digest.store.condensings import versions_of
from digest.store.database import reading, writing
from digest.store.schedules import add_occurrence, add_schedule, list_occurrences
from digest.store.spending import Spent, spent_since
from digest.store.stage_runs import begin_stage, end_stage
from tests.pipeline.press import CLIMATE, Clock, Press, make_newsletter, make_runtime
from tests.servers.model_server import ModelServer, breaks_off, honest, lingers, status
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, WINDOW

TITLES = ("tides", "gulls", "ropes", "lamps", "cranes", "ferries")


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Newsroom:
    """A newsletter that wants a model, a press with articles, and a runtime that knows the model's server."""

    def __init__(
        self, engine: Engine, press: Press, sink: SmtpSink, clock: Clock, model: ModelServer
    ) -> None:
        self.engine = engine
        self.newsletter: Newsletter = make_newsletter(engine, press, llm=True)
        for title in TITLES:
            press.publish(title, CLIMATE)
        self.runtime: Runtime = make_runtime(
            engine,
            press,
            sink,
            clock,
            llm_provider="openai",
            llm_model="model-7",
            llm_url=f"{model.url}/v1",
            llm_api_key=SecretStr("key-of-the-tests"),
            llm_input_price=3.0,
            llm_output_price=15.0,
            llm_concurrency=2,
        )

    def but(self, **settings: object) -> Runtime:
        self.runtime = Runtime(self.runtime.settings.model_copy(update=settings), self.runtime.clock)
        return self.runtime

    def gather(self) -> None:
        gather_newsletter(self.runtime, self.runtime.engine, self.newsletter, WINDOW)

    def condense(self) -> Report:
        return condense_newsletter(self.runtime, self.runtime.engine, self.newsletter)

    def spent(self, *, since: datetime = NOW) -> Spent:
        with reading(self.engine) as session:
            return spent_since(session, self.newsletter.id, since)

    def for_a_while(self) -> Report:
        return condense_for_a_while(self.runtime, self.newsletter, WINDOW, due=NOW)

    def ahead(self) -> None:
        condense_ahead(self.runtime, self.newsletter, WINDOW)

    def waiting(self) -> int:
        with reading(self.engine) as session:
            return len(uncondensed_articles(session, self.newsletter.id))


@pytest.fixture
def newsroom(
    engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock, model: ModelServer
) -> Iterator[Newsroom]:
    newsroom = Newsroom(engine, press, smtp_sink, clock, model)
    yield newsroom
    newsroom.runtime.engine.dispose()


def test_a_run_takes_the_models_takeaways_and_says_what_they_cost(
    newsroom: Newsroom, model: ModelServer
) -> None:
    run = run_newsletter(newsroom.runtime, "weekly")
    report = run.condensed
    assert report is not None
    assert not report.notes
    assert report.articles == len(TITLES) == len(model.calls)
    assert set(report.takeaways) == {Origin.LLM}
    assert report.usage is not None
    assert report.usage.cost > 0
    assert not report.usage.was_cached
    assert model.most_at_once <= 2
    assert run.issue is not None
    items = content_of(newsroom.engine, run.issue.id).items
    assert all(item.takeaways for item in items)


def test_what_was_asked_before_is_not_asked_again(newsroom: Newsroom, model: ModelServer) -> None:
    newsroom.gather()
    newsroom.condense()
    asked = len(model.calls)
    condense_again(newsroom.engine, newsroom.newsletter, since=WINDOW.start)
    report = newsroom.condense()
    assert (report.articles, len(model.calls)) == (len(TITLES), asked)
    assert report.usage == Usage(0, 0, 0, was_cached=True)


def test_a_model_that_refuses_the_key_costs_no_run(newsroom: Newsroom, model: ModelServer) -> None:
    model.will(status(401))
    run = run_newsletter(newsroom.runtime, "weekly")
    assert run.issue is not None
    assert run.issue.state is IssueState.DRAFT
    assert run.condensed is not None
    assert set(run.condensed.takeaways) == {Origin.EXTRACTIVE}
    assert sum(run.condensed.notes.values()) == len(TITLES)
    assert all("llm_api_key" in note for note in run.condensed.notes)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("llm_provider", "none", "no language model is set (llm_provider)"),
        ("llm_input_price", None, "llm_input_price is not set"),
    ],
)
def test_a_model_that_is_not_set_is_done_without_and_said_so(
    newsroom: Newsroom, model: ModelServer, setting: str, value: object, words: str
) -> None:
    newsroom.but(**{setting: value})
    newsroom.gather()
    for report in (newsroom.condense(), _again(newsroom).for_a_while()):
        assert set(report.takeaways) == {Origin.EXTRACTIVE}
        (note,) = report.notes
        assert words in note
        assert "extracted" in note
    assert model.calls == []


def _again(newsroom: Newsroom) -> Newsroom:
    condense_again(newsroom.engine, newsroom.newsletter, since=WINDOW.start)
    return newsroom


def test_a_newsletter_that_wants_no_model_asks_none(newsroom: Newsroom, model: ModelServer) -> None:
    newsroom.newsletter = replace(newsroom.newsletter, llm=False)
    newsroom.gather()
    assert newsroom.condense().notes == {}
    assert _again(newsroom).for_a_while().notes == {}
    assert model.calls == []


def test_a_dry_run_asks_no_model(newsroom: Newsroom, model: ModelServer) -> None:
    run, _ = rehearse(newsroom.runtime, "weekly")
    assert run.condensed is not None
    assert run.condensed.articles == len(TITLES)
    assert model.calls == []


def test_a_stage_that_takes_longer_than_a_task_goes_on_in_the_next(
    newsroom: Newsroom, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condensing, "BEGIN_SECONDS", 0.3)
    model.will(lingers(0.2))
    with writing(newsroom.engine) as session:
        schedule = add_schedule(
            session,
            newsroom.newsletter.id,
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=7,
            next_due=NOW,
            now=NOW,
        )

    def occurrence() -> Occurrence:
        with reading(newsroom.engine) as session:
            return list_occurrences(session, schedule.id, limit=1)[0]

    (run,) = due_occurrences(newsroom.runtime)
    assert advance(newsroom.runtime, run)
    stages = []
    while advance(newsroom.runtime, run):
        stages.append(occurrence().stage)
    assert stages.count(Stage.CONDENSE) >= 1
    assert stages[-1] is Stage.APPROVE
    assert occurrence().state is OccurrenceState.WAITING
    assert newsroom.newsletter.approval is Approval.MANUAL
    assert len(model.calls) == len(TITLES)


def test_a_model_that_is_not_asked_any_more_keeps_no_task_waiting(
    newsroom: Newsroom, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condensing, "BEGIN_SECONDS", 0.0)
    model.will(status(401))
    newsroom.but(llm_concurrency=1)
    newsroom.gather()
    report = newsroom.for_a_while()
    assert (report.articles, report.is_cut_short) == (len(TITLES), False)


def test_money_and_time_are_a_runs_however_many_tasks_it_takes(
    newsroom: Newsroom, model: ModelServer, clock: Clock
) -> None:
    newsroom.gather()
    assert (newsroom.for_a_while().usage or Usage()).cost > 0
    asked = len(model.calls)
    newsroom.newsletter = replace(newsroom.newsletter, takeaway_words=34)
    _again(newsroom).but(llm_spend_limit=0.0001)
    (note,) = newsroom.for_a_while().notes
    assert "extracted" in note
    newsroom.but(llm_spend_limit=1.0)
    clock.pass_(seconds=901)
    (note,) = _again(newsroom).for_a_while().notes
    assert "the 900 s that a run asks the model were over" in note
    assert len(model.calls) == asked
    model.will(honest)
    assert _again(newsroom).condense().notes == {}  # by hand it is a run of its own
    assert len(model.calls) == 2 * asked


def test_a_draft_and_the_run_that_makes_its_issue_share_one_limit(
    newsroom: Newsroom, model: ModelServer
) -> None:
    newsroom.gather()
    newsroom.ahead()
    asked = len(model.calls)
    assert asked == len(TITLES)
    newsroom.newsletter = replace(newsroom.newsletter, takeaway_words=34)
    _again(newsroom).but(llm_spend_limit=newsroom.spent().cost / 1_000_000)
    (note,) = newsroom.for_a_while().notes
    assert "leaves too little" in note
    _again(newsroom).ahead()
    assert newsroom.waiting() == 0, "the run has no more for it either, so nothing waits"
    assert len(model.calls) == asked


def test_ahead_of_a_run_what_a_model_could_not_be_asked_about_waits(
    newsroom: Newsroom, model: ModelServer
) -> None:
    newsroom.gather()
    model.will(status(401))
    newsroom.ahead()
    assert 0 < newsroom.waiting() < len(TITLES), "it stopped asking when it knew"
    newsroom.but(llm_provider="none").engine.dispose()
    newsroom.ahead()
    assert newsroom.waiting() == 0


def test_the_limit_begins_anew_when_a_run_has_condensed(
    newsroom: Newsroom, model: ModelServer, clock: Clock
) -> None:
    newsroom.gather()
    newsroom.for_a_while()
    # A call may cost 3 cents and costs a half: with what was spent there is no room for another.
    newsroom.but(llm_spend_limit=0.05)
    newsroom.newsletter = replace(newsroom.newsletter, takeaway_words=34)
    asked = len(model.calls)
    _again(newsroom).for_a_while()
    assert len(model.calls) == asked
    with writing(newsroom.engine) as session:
        schedule = add_schedule(
            session,
            newsroom.newsletter.id,
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=7,
            next_due=NOW,
            now=NOW,
        )
        occurrence = add_occurrence(
            session,
            schedule.id,
            due_at=NOW,
            local_date=NOW.date(),
            state=OccurrenceState.RUNNING,
            note="",
            now=NOW,
        )
        assert occurrence is not None
        stage = begin_stage(session, occurrence.id, Stage.CONDENSE, attempt=1, now=NOW)
        clock.pass_(seconds=60)
        end_stage(session, stage, StageOutcome.DONE, told="", now=clock())
    clock.pass_(seconds=60)
    _again(newsroom).ahead()
    assert len(model.calls) > asked, "what the last issue spent is not this one's"


def test_money_is_counted_when_it_is_spent_also_for_takeaways_that_are_known(
    newsroom: Newsroom, clock: Clock
) -> None:
    newsroom.gather()
    newsroom.for_a_while()
    first = newsroom.spent()
    assert first.cost > 0
    clock.pass_(seconds=600)
    with writing(newsroom.engine) as session:
        forget_answers(session, before=clock())
    _again(newsroom).for_a_while()
    later = newsroom.spent(since=clock())
    assert (later.cost, later.began_at) == (first.cost, clock())
    with reading(newsroom.engine) as session:
        article = session.scalars(select(ArticleRow.id)).first()
        assert len(versions_of(session, ArticleId(article or 0)).kept) == 1


def test_calls_that_broke_off_in_one_task_count_in_the_next(newsroom: Newsroom, model: ModelServer) -> None:
    """A call may cost 3 cents and costs a half: six that broke off twice leave nothing of a limit of 50."""
    newsroom.gather()
    model.will(breaks_off)
    newsroom.but(llm_spend_limit=0.5)
    newsroom.for_a_while()
    broken, asked = newsroom.spent().cost, len(model.calls)
    assert broken >= asked * 22_500
    model.will(honest)
    newsroom.but(llm_spend_limit=broken / 1_000_000)
    report = _again(newsroom).for_a_while()
    assert all("leaves too little" in note for note in report.notes)
    assert len(model.calls) == asked


def test_the_time_of_a_run_goes_by_while_the_model_fails(
    newsroom: Newsroom, model: ModelServer, clock: Clock
) -> None:
    newsroom.gather()
    model.will(status(400))
    newsroom.for_a_while()
    asked = len(model.calls)
    clock.pass_(seconds=901)
    (note,) = _again(newsroom).for_a_while().notes
    assert "the 900 s that a run asks the model were over" in note
    assert len(model.calls) == asked
