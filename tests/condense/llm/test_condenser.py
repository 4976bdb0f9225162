import json

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from digest.condense.llm.prompt import VERSION
from digest.condense.takeaways import condense_article
from digest.domain.articles import Origin, Rejected, Usage
from tests.condense.llm.asking import FALSE, FLOODS, KEY, MARKET, WALL, WRITTEN, ask, numbered, origins, texts
from tests.condense.samples import HARBOUR, article, heading, item, paragraph, supports
from tests.servers.model_server import (
    Call,
    ModelServer,
    envelope,
    honest,
    refuses_shapes,
    says,
    sends,
    status,
    takeaways,
    writes,
)

both = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@both
def test_what_a_model_writes_and_the_article_bears_out_is_taken(
    server: ModelServer, engine: Engine, provider: str
) -> None:
    server.will(says(*WRITTEN))
    condensed = ask(server, engine, provider=provider).one
    assert texts(condensed, Origin.LLM) == WRITTEN
    assert condensed.usage == Usage(900, 100, 900 * 3 + 100 * 15)
    assert (condensed.rejected, condensed.note, condensed.why_none) == ((), "", None)
    for takeaway in condensed.takeaways:
        assert (takeaway.model, takeaway.prompt) == ("model-7", VERSION)
    assert "$83 million" in supports(HARBOUR, condensed.takeaways[0])


@both
def test_the_key_the_model_and_the_limits_are_sent_as_each_protocol_wants_them(
    server: ModelServer, engine: Engine, provider: str
) -> None:
    ask(server, engine, provider=provider)
    (call,) = server.calls
    assert call.body["model"] == "model-7"
    assert call.body["max_tokens"] == 1_500
    if provider == "openai":
        assert call.path == "/v1/chat/completions"
        assert call.headers["authorization"] == f"Bearer {KEY}"
        assert call.body["response_format"]["json_schema"]["strict"] is True
    else:
        assert call.path == "/v1/messages"
        assert (call.headers["x-api-key"], call.headers["anthropic-version"]) == (KEY, "2023-06-01")
        assert call.body["output_config"]["format"]["type"] == "json_schema"


def test_without_a_key_none_is_sent(server: ModelServer, engine: Engine) -> None:
    for provider in ("openai", "anthropic"):
        ask(server, engine, provider=provider, api_key=SecretStr(""))
    for call in server.calls:
        assert not {"authorization", "x-api-key"} & set(call.headers)


def test_what_the_article_does_not_bear_out_is_replaced_and_told(server: ModelServer, engine: Engine) -> None:
    server.will(says(FALSE, MARKET))
    condensed = ask(server, engine).one
    assert origins(condensed) == [Origin.LLM, Origin.EXTRACTIVE, Origin.EXTRACTIVE]
    assert texts(condensed)[0] == MARKET
    (rejected,) = condensed.rejected
    assert rejected.text == FALSE
    assert "'95 million' is not in the article" in rejected.why
    assert condensed.note == ""
    assert len(set(texts(condensed))) == 3


def test_an_extracted_replacement_repeats_no_sentence_that_is_told(
    server: ModelServer, engine: Engine
) -> None:
    server.will(says(WALL, FALSE, "The fish market will move to the Moon."))
    condensed = ask(server, engine).one
    spans = [span for takeaway in condensed.takeaways for span in takeaway.support]
    assert len(spans) == len(set(spans))
    assert len(condensed.takeaways) == 3


def test_when_nothing_stands_all_are_extracted_and_the_editor_is_told(
    server: ModelServer, engine: Engine
) -> None:
    server.will(says(FALSE))
    condensed = ask(server, engine).one
    assert condensed.takeaways == condense_article(HARBOUR).takeaways
    assert condensed.note == (
        "the article bears out nothing of what the model wrote; these takeaways are extracted"
    )
    assert len(condensed.rejected) == 1
    assert condensed.usage is not None


@pytest.mark.parametrize("nothing", ["The", "ok", "The wall", "It is what it was", "! ?"])
def test_words_that_say_nothing_take_no_takeaways_place(
    nothing: str, server: ModelServer, engine: Engine
) -> None:
    server.will(says(nothing))
    condensed = ask(server, engine).one
    assert condensed.takeaways == condense_article(HARBOUR).takeaways
    assert [rejected.text for rejected in condensed.rejected] == [nothing]


def test_takeaways_that_repeat_one_another_are_told_once(server: ModelServer, engine: Engine) -> None:
    server.will(says(MARKET, MARKET, "The flood wall will close the fish market for two seasons"))
    condensed = ask(server, engine).one
    assert texts(condensed, Origin.LLM) == (MARKET,)
    assert [rejected.why for rejected in condensed.rejected] == ["it says what another takeaway says"] * 2


def test_no_more_takeaways_than_asked_for_are_taken(server: ModelServer, engine: Engine) -> None:
    server.will(says(*WRITTEN, FLOODS))
    assert texts(ask(server, engine, count=2).one) == WRITTEN[:2]


def test_the_publishers_takeaways_are_kept_and_no_model_is_asked(server: ModelServer, engine: Engine) -> None:
    printed = article(
        heading("Key Takeaways"),
        item("The board of Port Ellery voted to build the wall."),
        item("The fish market closes for two seasons."),
        *HARBOUR.blocks,
    )
    condensed = ask(server, engine, printed).one
    assert origins(condensed) == [Origin.PUBLISHER] * 2
    assert (condensed.usage, server.calls) == (None, [])


def test_an_article_without_text_is_not_asked_about(server: ModelServer, engine: Engine) -> None:
    condensed = ask(server, engine, article()).one
    assert (condensed.why_none, condensed.takeaways) == ("the article has no text", ())
    assert server.calls == []


def test_a_model_writes_where_no_sentence_is_short_enough_to_extract(
    server: ModelServer, engine: Engine
) -> None:
    long = "The harbour board of Port Ellery voted to build a flood wall" + ", and said so again" * 12 + "."
    text = "The harbour board of Port Ellery voted to build a flood wall."
    server.will(says(text))
    condensed = ask(server, engine, article(paragraph(long))).one
    assert (texts(condensed), condensed.why_none) == ((text,), None)


@pytest.mark.parametrize(
    ("provider", "refused", "taken"),
    [
        ("openai", ["schema"], "object"),
        ("openai", ["schema", "object"], "text"),
        ("anthropic", ["schema"], "tool"),
        ("anthropic", ["schema", "tool"], "text"),
    ],
)
def test_a_server_that_knows_no_structured_output_is_asked_for_less_and_that_is_remembered(
    server: ModelServer, engine: Engine, provider: str, refused: list[str], taken: str
) -> None:
    server.will(refuses_shapes(*refused))
    told = ask(server, engine, *numbered(3), one_by_one=True, provider=provider)
    assert [call.shape for call in server.calls] == [*refused, taken, taken, taken]
    for condensed in told.all:
        assert set(origins(condensed)) == {Origin.LLM}


def test_one_article_that_is_refused_in_every_shape_does_not_change_how_others_are_asked(
    server: ModelServer, engine: Engine
) -> None:
    too_long = status(400, message="context length exceeded")
    server.will(too_long, too_long, too_long, honest)
    first, second = ask(server, engine, *numbered(2), one_by_one=True).all
    assert first.note == (
        "the model's server does not take the request (400: error context length exceeded); "
        "these takeaways are extracted"
    )
    assert set(origins(second)) == {Origin.LLM}
    assert [call.shape for call in server.calls] == ["schema", "object", "text", "schema"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```json\n", "\n```"),
        ("Here are the takeaways:\n", "\nLet me know if you need more."),
        ('<think>First {"takeaways": []} or {"a": {"b": 1}}? No, {</think>', ""),
        (takeaways("The fish market is to stay open for ever.") + " No, rather:\n", ""),
    ],
)
def test_json_is_found_in_what_a_model_says_around_it(
    server: ModelServer, engine: Engine, before: str, after: str
) -> None:
    server.will(writes(before + takeaways(MARKET) + after))
    condensed = ask(server, engine).one
    assert (texts(condensed, Origin.LLM), condensed.rejected) == ((MARKET,), ())


def test_fields_that_nobody_asked_for_are_passed_over(server: ModelServer, engine: Engine) -> None:
    server.will(writes(takeaways(MARKET, title="Port Ellery", confidence=0.9)))
    assert texts(ask(server, engine).one, Origin.LLM) == (MARKET,)


def test_a_server_that_counts_no_tokens_is_reckoned_by_size(server: ModelServer, engine: Engine) -> None:
    server.will(says(MARKET, usage=None))
    usage = ask(server, engine).one.usage
    assert usage is not None
    assert usage.input_tokens > 900
    assert usage.cost == usage.input_tokens * 3 + usage.output_tokens * 15


def test_tokens_read_from_a_providers_cache_are_counted(server: ModelServer, engine: Engine) -> None:
    def answer(call: Call) -> None:
        told = json.loads(envelope(call, takeaways(MARKET)))
        told["usage"] |= {"cache_read_input_tokens": 50, "cache_creation_input_tokens": 7}
        call.send(200, json.dumps(told).encode())

    server.will(answer)
    usage = ask(server, engine, provider="anthropic").one.usage
    assert usage == Usage(957, 100, 957 * 3 + 1_500)


def test_a_takeaway_in_the_articles_language_is_taken(server: ModelServer, engine: Engine) -> None:
    german = article(
        paragraph("Der Stadtrat von Niederauen beschloss am Dienstag, den Brunnen bis 2028 zu sanieren."),
        paragraph("Die Arbeiten kosten 4,2 Millionen Euro und beginnen im März."),
        paragraph("Anwohner klagten über trübes Wasser, das seit zwei Jahren aus den Leitungen kommt."),
        title="Niederauen saniert den Brunnen",
        language="de",
    )
    text = "Der Stadtrat von Niederauen saniert den Brunnen bis 2028 für 4,2 Millionen Euro."
    server.will(says(text))
    assert texts(ask(server, engine, german).one, Origin.LLM) == (text,)
    assert "Write in German." in server.calls[0].orders


def test_one_rejected_takeaway_is_not_shown_at_any_length(server: ModelServer, engine: Engine) -> None:
    server.will(says("word " * 350))
    (rejected,) = ask(server, engine).one.rejected
    assert len(rejected.text) == 300
    assert rejected == Rejected(rejected.text, "it has 350 words, and 35 were asked for at most")


def test_an_answer_in_bytes_that_are_no_text_is_no_answer(server: ModelServer, engine: Engine) -> None:
    server.will(sends(b"\xff\xfe\x00{"))
    assert "something that is no answer" in ask(server, engine).one.note
