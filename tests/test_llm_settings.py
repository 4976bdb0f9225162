"""What settings make of a language model."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from digest.domain.articles import Condensed, Origin, Style
from digest.domain.errors import Misconfigured
from digest.domain.newsletters import NewsletterId
from digest.runtime import Runtime
from digest.settings import Settings, load_settings
from digest.store.database import open_engine
from tests.condense.llm.asking import KEY, newsletter_of_tests
from tests.condense.samples import HARBOUR
from tests.servers.model_server import ModelServer


def condensed(settings: Settings) -> Condensed | None:
    """Ask about an article as the settings say; None when they name no model."""

    async def run() -> Condensed | None:
        async with Runtime(settings).llm(NewsletterId(1)) as llm:
            if llm is None:
                return None
            return await llm.condense(HARBOUR, count=3, max_words=35, style=Style.NEUTRAL)

    return asyncio.run(run())


def test_without_a_provider_no_model_is_asked() -> None:
    assert condensed(Settings()) is None


@pytest.mark.parametrize(("provider", "path"), [("openai", "/v1"), ("anthropic", "")])
def test_the_model_that_settings_name_is_asked(sqlite_url: str, provider: str, path: str) -> None:
    engine = open_engine(sqlite_url)
    assert newsletter_of_tests(engine) == 1
    engine.dispose()
    with ModelServer() as server:
        settings = Settings(
            database_url=sqlite_url,
            llm_provider=provider,  # type: ignore[arg-type]
            llm_url=f" {server.url}{path}/ ",
            llm_model="model-7",
            llm_api_key=SecretStr(f"{KEY}\n"),
            llm_input_price=3,
            llm_output_price=15,
        )
        found = condensed(settings)
        assert found is not None
        assert {takeaway.origin for takeaway in found.takeaways} == {Origin.LLM}
        assert found.usage is not None
        assert found.usage.cost == 4_200
        assert KEY in str(server.calls[0].headers)
        assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"llm_model": ""}, "llm_model is not set"),
        ({"llm_input_price": None}, "llm_input_price is not set"),
        ({"llm_url": "http://llm.example.org"}, "llm_url: llm.example.org is not https"),
    ],
)
def test_a_setting_that_is_missing_is_named_before_anything_is_asked(
    given: dict[str, object], told: str
) -> None:
    named = {"llm_provider": "openai", "llm_model": "m", "llm_input_price": 0, "llm_output_price": 0}
    with pytest.raises(Misconfigured, match=told):
        condensed(Settings(**(named | given)))  # type: ignore[arg-type]


def test_a_key_of_the_wrong_kind_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "digest.toml").write_text("llm_api_key = 123456789\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match="llm_api_key") as caught:
        load_settings()
    assert "123456789" not in str(caught.value)
