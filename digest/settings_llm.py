"""Settings of the language model: who is asked, at what price, and how much a run may take of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class LlmSettings(BaseModel):
    """The part of `Settings` that is about the language model."""

    llm_provider: Literal["none", "openai", "anthropic"] = Field(
        "none",
        description="Who writes the takeaways of newsletters that want a language model ('digest newsletter "
        "change NEWSLETTER --llm'). none: nobody does, they are extracted from the article, and nothing "
        "leaves this machine. openai: any server that speaks OpenAI's chat completions, of your own, too. "
        "anthropic: Anthropic's messages. What is sent is an article's title and text; what comes back is "
        "checked against them.",
    )
    llm_url: str = Field(
        "",
        description="Where the model is asked; /chat/completions or /v1/messages is put behind. Empty: the "
        "provider's own, https://api.openai.com/v1 or https://api.anthropic.com. Without TLS only for "
        "localhost, a private address, a name without a dot or one in .internal, .local, .localhost or "
        ".home.arpa.",
    )
    llm_model: str = Field("", description="The model's name, as its server knows it.")
    llm_api_key: SecretStr = Field(
        SecretStr(""),
        description="What the model's server wants to see. It is sent to llm_url and nowhere else.",
    )
    llm_input_price: float | None = Field(
        None,
        ge=0,
        le=10_000,
        allow_inf_nan=False,
        description="US dollars for a million tokens that the model reads; 0 for one of your own. Needed, as "
        "the next, so that llm_spend_limit can hold.",
    )
    llm_output_price: float | None = Field(
        None,
        ge=0,
        le=10_000,
        allow_inf_nan=False,
        description="US dollars for a million tokens that the model writes.",
    )
    llm_spend_limit: float = Field(
        1.0,
        ge=0,
        le=100_000,
        allow_inf_nan=False,
        description="US dollars that one issue of a newsletter may spend on the model: its draft during the "
        "week and the run that makes it, together. What a call may cost at most is set aside before it; "
        "articles for which too little is left get extracted takeaways. A run by hand has as much again.",
    )
    llm_concurrency: int = Field(
        4, ge=1, le=64, description="How many articles a run asks the model about at once."
    )
    llm_answer_tokens: int = Field(
        1_500,
        ge=100,
        le=64_000,
        description="The most tokens of one answer. Models that think before they write need more.",
    )
    llm_timeout_seconds: float = Field(
        60.0, ge=1, le=600, description="How long one answer may take, from beginning to end."
    )
    llm_run_seconds: float = Field(
        900.0,
        ge=1,
        le=86_400,
        description="How long one run asks the model, all articles together; the rest get extracted "
        "takeaways.",
    )
