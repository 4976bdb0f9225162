"""The numbers that were fitted: what a word is worth, and what a set of sentences is worth."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by the names that `worth` and `ranking` give to what they weigh."""

    worth: Mapping[str, float]
    sets: Mapping[str, float]


@cache
def fitted() -> Model:
    """Return the model that comes with the package, `weights.toml`."""
    text = resources.files("digest.condense").joinpath("weights.toml").read_text("utf-8")
    return Model(**tomllib.loads(text))
