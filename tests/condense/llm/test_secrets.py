"""The key goes to the configured origin and nowhere else."""

import logging

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from digest.condense.llm import LlmOptions, Prices, Provider
from digest.condense.llm.dialects import OpenAI, Shape
from digest.condense.llm.prompt import Prompt
from digest.domain.errors import Misconfigured
from digest.logs import set_up_logs
from tests.condense.llm.asking import KEY, ask, numbered, options
from tests.servers.model_server import ModelServer, breaks_off, honest, sends, silent, status, writes

FREE = Prices(0.0, 0.0)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_key_is_in_no_log_and_no_note(
    server: ModelServer, engine: Engine, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(level="debug", as_json=False)
    logging.getLogger().setLevel(logging.DEBUG)  # the libraries' own steps, too
    echo = f"invalid key {KEY} for Bearer {KEY}"
    for number, behaviour in enumerate(
        [
            honest,
            status(400, message=echo),
            status(401, message=echo),
            status(405, message=echo),
            status(429, message=echo),
            status(500, message=echo),
            sends(echo.encode()),
            sends(f"<html>{echo}".encode()),
            writes(echo),
            breaks_off,
            silent(),
        ]
    ):
        server.will(behaviour)
        told = ask(server, engine, numbered(20)[number], provider=provider, timeout=0.3)
        assert KEY not in repr(told)
    assert all(KEY in str(call.headers) for call in server.calls)
    written = capsys.readouterr()
    assert "llm.gave_up" in written.err
    assert "send_request_headers" in written.err
    assert "sk-canary" not in written.err + written.out


def test_a_redirect_is_not_followed(server: ModelServer, engine: Engine) -> None:
    with ModelServer() as other:
        for code in (301, 302, 303, 307, 308):
            server.will(status(code, Location=f"{other.url}/v1/chat/completions"))
            assert "let llm_url name the final address" in ask(server, engine).one.note
        assert other.calls == []


def test_no_proxy_of_the_environment_gets_the_key(
    server: ModelServer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        ask(server, engine)
        assert (len(proxy.calls), len(server.calls)) == (0, 1)


@pytest.mark.parametrize("key", ["sk-canary\nX-Other: 1", "sk canary", "sk-canary\x00", "sk-canäry"])
def test_a_key_that_no_header_can_hold_is_refused_without_repeating_it(server: ModelServer, key: str) -> None:
    with pytest.raises(Misconfigured, match="llm_api_key") as caught:
        options(server, api_key=SecretStr(key))
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.example.org/v1",
        "https://127.0.0.1:8443",
        "http://localhost:11434/v1",
        "http://127.0.0.1:8080/v1",
        "http://[::1]:8080/v1",
        "http://10.0.0.7/v1",
        "http://[fd00::7]/v1",
        "http://ollama:11434/v1",
        "http://llm.internal/v1",
    ],
)
def test_an_address_of_ones_own_or_with_tls_is_taken(url: str) -> None:
    assert LlmOptions(Provider.OPENAI, "m", FREE, f"{url}/").base == url


@pytest.mark.parametrize(
    "url",
    [
        "http://llm.example.org/v1",
        "http://93.184.216.34/v1",
        "http://0.0.0.0/v1",
        "http://notlocalhost.example.org",
        "ftp://localhost/v1",
        "localhost:8080",
        "https://",
        "https://user:sk-canary@llm.example.org/v1",
        "https://llm.example.org/v1?key=sk-canary",
        "https://llm.example.org/v1#sk-canary",
        "https://[::1",
        "nonsense",
    ],
)
def test_an_address_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="llm_url") as caught:
        LlmOptions(Provider.OPENAI, "m", FREE, url)
    assert "sk-canary" not in str(caught.value)


def test_each_provider_has_a_home() -> None:
    assert LlmOptions(Provider.OPENAI, "m", FREE).base == "https://api.openai.com/v1"
    assert LlmOptions(Provider.ANTHROPIC, "m", FREE).base == "https://api.anthropic.com"


def test_openais_own_server_is_told_the_limit_by_its_new_name(server: ModelServer) -> None:
    prompt = Prompt("orders", "material", ())
    home = OpenAI().body(prompt, LlmOptions(Provider.OPENAI, "m", FREE), Shape.TEXT)
    assert home["max_completion_tokens"] == 1_500
    assert "max_tokens" not in home
    assert OpenAI().body(prompt, options(server), Shape.TEXT)["max_tokens"] == 1_500


def test_a_model_without_a_name_is_refused() -> None:
    with pytest.raises(Misconfigured, match="llm_model is not set"):
        LlmOptions(Provider.OPENAI, " ", FREE)


@pytest.mark.parametrize(
    ("prices", "missing"), [((None, 1.0), "llm_input_price"), ((1.0, None), "llm_output_price")]
)
def test_prices_must_be_known_if_only_as_nothing(
    prices: tuple[float | None, float | None], missing: str
) -> None:
    with pytest.raises(Misconfigured, match=f"{missing} is not set, so llm_spend_limit could not hold"):
        Prices.given(*prices)
    assert Prices.given(0.0, 0.0).cost(10**6, 10**6) == 0


def test_a_cost_is_never_rounded_down() -> None:
    assert Prices(0.15, 0.6).cost(1, 1) == 1
    assert Prices(3.0, 15.0).cost(1_000_000, 1_000_000) == 18_000_000
