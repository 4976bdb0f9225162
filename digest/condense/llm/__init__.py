"""Takeaways written by a language model, each borne out by the article or replaced by an extracted one."""

from digest.condense.llm.condenser import LlmCondenser, open_condenser
from digest.condense.llm.options import LlmOptions, Prices, Provider

__all__ = ["LlmCondenser", "LlmOptions", "Prices", "Provider", "open_condenser"]
