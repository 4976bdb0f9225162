"""Whatever a model's server does, the article gets takeaways and the editor a reason."""

import gzip
import json
import socket
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import Engine

from digest.condense.takeaways import condense_article
from digest.domain.articles import Condensed, Origin
from tests.condense.llm.asking import MARKET, FakeTime, ask, numbered, origins, texts
from tests.condense.samples import HARBOUR
from tests.servers.model_server import (
    Behaviour,
    Call,
    ModelServer,
    breaks_off,
    drips,
    envelope,
    hangs_up,
    honest,
    says,
    sends,
    silent,
    stalls,
    status,
    takeaways,
    writes,
)
from tests.servers.processes import free_port
from tests.stored import NOW

both = pytest.mark.parametrize("provider", ["openai", "anthropic"])


def is_extracted(condensed: Condensed) -> bool:
    return condensed.takeaways == condense_article(HARBOUR).takeaways


@both
@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(server: ModelServer, engine: Engine, provider: str, code: int) -> None:
    server.will(status(code), status(code), says(MARKET))
    time = FakeTime()
    condensed = ask(server, engine, time=time, provider=provider).one
    assert (texts(condensed, Origin.LLM), condensed.note) == ((MARKET,), "")
    assert (len(server.calls), time.pauses) == (3, [1.0, 2.0])


@both
def test_what_does_not_pass_is_asked_four_times_and_then_extracted(
    server: ModelServer, engine: Engine, provider: str
) -> None:
    server.will(status(429))
    time = FakeTime()
    condensed = ask(server, engine, time=time, provider=provider).one
    assert is_extracted(condensed)
    assert condensed.note == "the model answered 429 four times; these takeaways are extracted"
    assert (condensed.usage, len(server.calls), time.pauses) == (None, 4, [1.0, 2.0, 4.0])


def test_different_faults_are_told_by_the_last_one(server: ModelServer, engine: Engine) -> None:
    server.will(status(429), status(500), hangs_up, status(503))
    condensed = ask(server, engine).one
    assert condensed.note == "the model answered 503, after 4 attempts; these takeaways are extracted"


@pytest.mark.parametrize("value", ["7", format_datetime(NOW + timedelta(seconds=7), usegmt=True)])
def test_a_server_is_left_alone_for_as_long_as_it_asks(
    server: ModelServer, engine: Engine, value: str
) -> None:
    server.will(status(429, Retry_After=value), says(MARKET))
    time = FakeTime()
    ask(server, engine, time=time)
    assert time.pauses == [8.0]


@pytest.mark.parametrize("value", ["", "soon", "-5", "Sun, 06 Nov 1994 08:49:37 GMT", "9" * 400])
def test_a_wait_that_cannot_be_read_or_is_over_is_none(
    server: ModelServer, engine: Engine, value: str
) -> None:
    server.will(status(429, Retry_After=value), says(MARKET))
    time = FakeTime()
    ask(server, engine, time=time)
    assert time.pauses == [1.0]


def test_a_server_that_wants_to_be_left_alone_for_long_is_not_waited_for(
    server: ModelServer, engine: Engine
) -> None:
    server.will(status(503, Retry_After="3600"))
    time = FakeTime()
    condensed = ask(server, engine, time=time).one
    assert condensed.note == (
        "the model answered 503 and asks to be left alone for 3600 s; these takeaways are extracted"
    )
    assert (len(server.calls), time.pauses) == (1, [])


@both
@pytest.mark.parametrize(
    ("code", "look_at"),
    [(401, "llm_api_key"), (402, "llm_api_key"), (403, "llm_model"), (404, "llm_url"), (308, "llm_url")],
)
def test_a_wrong_setting_ends_the_asking_at_once_and_is_named(
    server: ModelServer, engine: Engine, provider: str, code: int, look_at: str
) -> None:
    server.will(status(code, Location="http://127.0.0.1:1/"))
    told = ask(server, engine, *numbered(3), one_by_one=True, provider=provider)
    assert len(server.calls) == 1
    for condensed in told.all:
        assert look_at in condensed.note
        assert f"({code})" in condensed.note
        assert set(origins(condensed)) == {Origin.EXTRACTIVE}
    assert look_at in told.stopped


def test_an_account_that_is_used_up_ends_the_asking(server: ModelServer, engine: Engine) -> None:
    server.will(status(429, kind="insufficient_quota"))
    told = ask(server, engine, *numbered(2), one_by_one=True)
    assert (len(server.calls), "account is used up" in told.stopped) == (1, True)


@pytest.mark.parametrize("code", [405, 410, 451])
def test_another_refusal_is_not_repeated_and_costs_this_article_only(
    server: ModelServer, engine: Engine, code: int
) -> None:
    server.will(status(code, message="not like this"), honest)
    first, second = ask(server, engine, *numbered(2), one_by_one=True).all
    assert f"does not take the request ({code}: error not like this)" in first.note
    assert set(origins(second)) == {Origin.LLM}
    assert len(server.calls) == 2


# --- time and connections


@pytest.mark.parametrize("behaviour", [silent(), stalls(), drips])
def test_a_server_that_is_too_slow_is_cut_off(
    server: ModelServer, engine: Engine, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    condensed = ask(server, engine, timeout=0.1).one
    assert is_extracted(condensed)
    assert condensed.note == ("the model did not answer within 0.1 s twice; these takeaways are extracted")


def test_a_slow_answer_is_followed_by_a_good_one(server: ModelServer, engine: Engine) -> None:
    server.will(silent(), says(MARKET))
    assert texts(ask(server, engine, timeout=1.0).one, Origin.LLM) == (MARKET,)


@pytest.mark.parametrize("behaviour", [breaks_off, hangs_up])
def test_a_connection_that_breaks_off_is_made_again(
    server: ModelServer, engine: Engine, behaviour: Behaviour
) -> None:
    server.will(behaviour, says(MARKET))
    assert texts(ask(server, engine).one, Origin.LLM) == (MARKET,)
    server.will(behaviour)
    other = ask(server, engine, *numbered(1)).one
    assert other.note == "the connection to the model broke off twice; these takeaways are extracted"


def test_a_server_that_is_down_costs_no_takeaways(server: ModelServer, engine: Engine) -> None:
    condensed = ask(server, engine, url=f"http://127.0.0.1:{free_port()}/v1").one
    assert is_extracted(condensed)
    assert "could not be reached four times" in condensed.note


def test_a_server_that_speaks_no_http_costs_no_takeaways(server: ModelServer, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.sendall(b"220 mail.example.org ESMTP\r\n")
                connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        condensed = ask(server, engine, url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1").one
        thread.join()
    assert is_extracted(condensed)
    assert "broke off" in condensed.note


# --- answers that are none


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": [{"message": {"content": "half of an ans',
        b'{"content": "no list", "usage": {}}',
        b"[" * 100_000,
    ],
)
@both
def test_an_answer_of_the_wrong_form_is_asked_for_once_more(
    server: ModelServer, engine: Engine, provider: str, content: bytes
) -> None:
    server.will(sends(content), says(MARKET))
    assert texts(ask(server, engine, provider=provider).one, Origin.LLM) == (MARKET,)
    server.will(sends(content))
    condensed = ask(server, engine, *numbered(1), provider=provider).one
    assert len(server.calls) == 4
    assert condensed.note == (
        "the model's server answered with something that is no answer twice; these takeaways are extracted"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "with nothing"),
        (" \n", "with nothing"),
        ("The wall will cost $83 million.", "with something else than takeaways in JSON"),
        ('{"takeaways": [', "with something else than takeaways in JSON"),
        ('{"takeaways": []}', "with something else than takeaways in JSON"),
        ('{"takeaways": "many"}', "with something else than takeaways in JSON"),
        ('{"takeaways": [{"text": 5, "sentences": [1]}]}', "with something else than takeaways in JSON"),
        ('{"summary": "The wall will cost $83 million."}', "with something else than takeaways in JSON"),
        ('{"takeaways": [{"text": "' + "x" * 5_000 + '"}]}', "with something else than takeaways in JSON"),
        (takeaways(*[MARKET] * 21), "with something else than takeaways in JSON"),
        ("{" * 5_000, "with something else than takeaways in JSON"),
        ('{"a":' * 50_000, "with something else than takeaways in JSON"),
        (f'{{"takeaways": [{{"text": "a", "sentences": [{"9" * 5_000}]}}]}}', "else than takeaways in JSON"),
    ],
)
def test_words_of_the_wrong_form_are_asked_for_once_more_and_paid(
    server: ModelServer, engine: Engine, text: str, why: str
) -> None:
    server.will(writes(text))
    condensed = ask(server, engine).one
    assert is_extracted(condensed)
    assert why in condensed.note
    assert len(server.calls) == 2
    assert condensed.usage is not None
    assert (condensed.usage.input_tokens, condensed.usage.output_tokens) == (1_800, 200)


@pytest.mark.parametrize(
    ("provider", "behaviour"),
    [
        ("anthropic", writes("I cannot help with that.", ending="refusal")),
        ("openai", writes("", ending="content_filter")),
        ("openai", writes("", refusal="I cannot help with that.")),
    ],
)
def test_a_refusal_is_told_as_one_and_not_argued_with(
    server: ModelServer, engine: Engine, provider: str, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    condensed = ask(server, engine, provider=provider).one
    assert is_extracted(condensed)
    assert condensed.note == ("the model refused to write about this article; these takeaways are extracted")
    assert len(server.calls) == 1
    assert condensed.usage is not None


@pytest.mark.parametrize(("provider", "ending"), [("anthropic", "max_tokens"), ("openai", "length")])
def test_an_answer_that_is_cut_off_names_the_setting(
    server: ModelServer, engine: Engine, provider: str, ending: str
) -> None:
    server.will(writes(takeaways(MARKET), ending=ending))
    condensed = ask(server, engine, provider=provider).one
    assert is_extracted(condensed)
    assert "cut off at 1500 tokens: llm_answer_tokens allows no more" in condensed.note
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        sends(b"<!doctype html><h1>Welcome</h1>", Content_Type="text/html; charset=utf-8"),
        sends(b"\n<html>", Content_Type="application/json"),
    ],
)
def test_a_web_page_in_place_of_an_answer_names_the_setting(
    server: ModelServer, engine: Engine, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    condensed = ask(server, engine).one
    assert is_extracted(condensed)
    assert "answered with a web page: look at llm_url" in condensed.note
    assert len(server.calls) == 1


def test_an_error_page_is_told_by_its_status_alone(server: ModelServer, engine: Engine) -> None:
    server.will(sends(b"<html><script>alert(1)</script>", 502, Content_Type="text/html"))
    note = ask(server, engine).one.note
    assert note == "the model answered 502 four times; these takeaways are extracted"


def test_an_answer_is_read_whatever_type_it_says_it_has(server: ModelServer, engine: Engine) -> None:
    server.will(
        lambda call: call.send(200, envelope(call, takeaways(MARKET)), Content_Type="text/plain; charset=x")
    )
    assert texts(ask(server, engine).one, Origin.LLM) == (MARKET,)


def test_an_answer_that_is_too_long_is_not_read_to_its_end(server: ModelServer, engine: Engine) -> None:
    server.will(sends(b" " * 50_000_000))
    condensed = ask(server, engine).one
    assert is_extracted(condensed)
    assert "more than 1,000,000 bytes" in condensed.note
    assert len(server.calls) == 1


def test_a_packed_answer_is_not_unpacked(server: ModelServer, engine: Engine) -> None:
    server.will(sends(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"))
    condensed = ask(server, engine).one
    assert "packed" in condensed.note
    assert server.calls[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("count", [-5, 10**30, 2**40])
def test_tokens_that_no_server_can_have_counted_break_nothing(
    server: ModelServer, engine: Engine, count: int
) -> None:
    def answer(call: Call) -> None:
        told = json.loads(envelope(call, takeaways(MARKET)))
        told["usage"] = {"prompt_tokens": count, "completion_tokens": count}
        call.send(200, json.dumps(told).encode())

    server.will(answer)
    condensed = ask(server, engine).one
    assert is_extracted(condensed) or texts(condensed, Origin.LLM) == (MARKET,)


@pytest.mark.parametrize("words", ["\x1b[31mred\x07", "<script>alert(1)</script>", "‮evil", "a" * 5_000])
def test_a_servers_own_words_are_shown_short_and_harmless(
    server: ModelServer, engine: Engine, words: str
) -> None:
    server.will(status(405, message=words))
    note = ask(server, engine).one.note
    assert len(note) < 300
    assert not set("<>\x1b\x07‮") & set(note)
