"""An article is paid for once."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from digest.condense.llm import prompt
from digest.domain.articles import Origin, Style, Usage
from digest.store.answers import LlmAnswerRow
from digest.store.database import open_engine, reading
from tests.condense.llm.asking import (
    FALSE,
    MARKET,
    ask,
    newsletter_of_tests,
    numbered,
    options,
    origins,
    texts,
)
from tests.condense.samples import HARBOUR, paragraph
from tests.servers.model_server import ModelServer, honest, says, status, writes


def kept(engine: Engine) -> list[LlmAnswerRow]:
    with reading(engine) as session:
        return list(session.scalars(select(LlmAnswerRow)))


def test_an_answer_that_was_paid_for_costs_nothing_again(server: ModelServer, engine: Engine) -> None:
    server.will(says(MARKET, FALSE))
    first = ask(server, engine).one
    told = ask(server, engine)
    assert told.one.takeaways == first.takeaways
    assert told.one.rejected == first.rejected
    assert told.one.usage == Usage(900, 100, 0, was_cached=True)
    assert (told.spent, len(server.calls)) == (0, 1)


def test_an_answer_is_had_when_the_money_is_spent_and_the_model_is_down(
    server: ModelServer, engine: Engine
) -> None:
    first = ask(server, engine).one
    server.will(status(401))
    told = ask(server, engine, *numbered(1), HARBOUR, one_by_one=True, spend_limit=0.0)
    assert told.all[1].takeaways == first.takeaways
    assert told.all[1].note == ""


def test_the_same_words_under_another_address_are_paid_once(server: ModelServer, engine: Engine) -> None:
    ask(server, engine)
    elsewhere = replace(HARBOUR, url="https://example.org/again", byline="A. Writer", categories=("coast",))
    assert ask(server, engine, elsewhere).one.usage == Usage(900, 100, 0, was_cached=True)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"model": "model-8"},
        {"provider": "anthropic"},
        {"answer_tokens": 2_000},
        {"count": 4},
    ],
)
def test_another_question_is_asked_anew(
    server: ModelServer, engine: Engine, change: dict[str, object]
) -> None:
    ask(server, engine)
    told = ask(server, engine, **change)  # type: ignore[arg-type]
    assert told.one.usage is not None
    assert not told.one.usage.was_cached
    assert (len(server.calls), len(kept(engine))) == (2, 2)


def test_other_limits_of_a_run_ask_nothing_anew(server: ModelServer, engine: Engine) -> None:
    ask(server, engine)
    ask(server, engine, spend_limit=5.0, timeout=9.0, concurrency=1)
    assert len(server.calls) == 1


def test_an_article_that_was_changed_is_asked_about_anew(server: ModelServer, engine: Engine) -> None:
    ask(server, engine)
    more = replace(
        HARBOUR, blocks=(*HARBOUR.blocks, paragraph("The mayor of Port Ellery resigned on Friday."))
    )
    ask(server, engine, more)
    ask(server, engine, replace(HARBOUR, title="Another title"))
    ask(server, engine, replace(HARBOUR, language=None))
    assert len(server.calls) == 4


def test_a_new_prompt_asks_anew(server: ModelServer, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(server, engine)
    monkeypatch.setattr("digest.condense.llm.condenser.VERSION", "another")
    ask(server, engine)
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    "behaviour", [status(500), writes("no JSON"), writes("{}"), writes("", ending="content_filter")]
)
def test_only_answers_that_could_be_read_are_kept(server: ModelServer, engine: Engine, behaviour) -> None:  # type: ignore[no-untyped-def]
    server.will(behaviour)
    ask(server, engine)
    assert kept(engine) == []
    server.will(honest)
    assert set(origins(ask(server, engine).one)) == {Origin.LLM}


def test_what_is_kept_is_the_answer_as_it_was_written_and_what_it_came_to(
    server: ModelServer, engine: Engine
) -> None:
    server.will(writes("no"), says(MARKET))
    ask(server, engine)
    (row,) = kept(engine)
    assert json.loads(row.text) == {"takeaways": [{"text": MARKET, "sentences": [1]}]}
    assert (row.input_tokens, row.output_tokens, row.cost) == (900, 100, 4_200)
    assert (row.model, row.prompt) == ("model-7", prompt.VERSION)


def test_a_kept_answer_is_checked_again_each_time(
    server: ModelServer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.will(says(MARKET))
    ask(server, engine)
    monkeypatch.setattr("digest.condense.llm.checking.form_problem", lambda *_: "rules are stricter now")
    condensed = ask(server, engine).one
    assert texts(condensed, Origin.LLM) == ()
    assert [rejected.why for rejected in condensed.rejected] == ["rules are stricter now"]


DIES = """
import asyncio, os, signal, sys
from pydantic import SecretStr
from digest.condense.llm import LlmOptions, Prices, Provider, condenser, open_condenser
from digest.domain.articles import Style
from digest.domain.newsletters import NewsletterId
from digest.store import tables
from digest.store.database import open_engine
from tests.condense.samples import HARBOUR

async def main(url, database):
    options = LlmOptions(Provider.OPENAI, "model-7", Prices(3.0, 15.0), url)
    async with open_condenser(options, open_engine(database), NewsletterId(1)) as llm:
        condenser.check_draft = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        await llm.condense(HARBOUR, count=3, max_words=35, style=Style.NEUTRAL)

asyncio.run(main(*sys.argv[1:]))
"""


def test_a_process_that_is_killed_after_an_answer_does_not_pay_for_it_twice(
    server: ModelServer, sqlite_url: str
) -> None:
    engine = open_engine(sqlite_url)
    assert newsletter_of_tests(engine) == 1
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", DIES, f"{server.url}/v1", sqlite_url]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = ask(server, engine)
    assert told.one.usage == Usage(900, 100, 0, was_cached=True)
    assert (len(server.calls), told.spent) == (1, 0)
    engine.dispose()


def test_the_style_is_part_of_the_question() -> None:
    words = {
        prompt.write_prompt(HARBOUR, count=3, max_words=20, style=style, fence="f").orders for style in Style
    }
    assert len(words) == 3


def test_options_show_no_key(server: ModelServer) -> None:
    assert "sk-canary" not in repr(options(server))
