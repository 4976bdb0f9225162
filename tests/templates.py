"""Templates that one test had compiled are compiled for all.

Every site that a test serves would compile all of its templates anew, which takes a second: more than most
tests do. The same text becomes the same code in every environment of its kind.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from jinja2 import Environment

_compiled: dict[object, CodeType | str] = {}
_compile = Environment.compile


def share_compiled_templates() -> None:
    """Keep what `Environment.compile` returns, by what goes into it, from here on."""
    Environment.compile = _share  # type: ignore[method-assign,assignment]


def _share(
    environment: Environment, source: Any, name: str | None = None, filename: str | None = None, *more: Any
) -> CodeType | str:
    kind = (
        type(environment),
        environment.autoescape,
        environment.undefined,
        environment.finalize,
        environment.trim_blocks,
        environment.lstrip_blocks,
        tuple(environment.extensions),
        frozenset(environment.filters),
        frozenset(environment.tests),
    )
    key = (kind, source, name, filename, more)
    if key not in _compiled:
        _compiled[key] = _compile(environment, source, name, filename, *more)
    return _compiled[key]
