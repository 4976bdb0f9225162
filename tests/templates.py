"""Templates that one test had compiled are compiled for all.

Every site that a test serves would compile all of its templates anew, which takes a second: more than most
tests do. The same text becomes the same code in every environment of its kind. Templates of mails have one
environment for each body in all of a process, and there the same source becomes the same template: to read
and compile the digest's takes 70 ms, half of what a test takes that renders an issue.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from jinja2 import Environment

from digest.compose.sandbox import BoundedTemplate, Sandbox
from digest.compose.template_files import Source

_compiled: dict[object, CodeType | str] = {}
_compile = Environment.compile

_bounded: dict[tuple[Sandbox, Source], BoundedTemplate] = {}
_compile_bounded = Sandbox.compiled


def share_compiled_templates() -> None:
    """Keep what the two ways to compile a template return, by what goes into them, from here on."""
    Environment.compile = _share  # type: ignore[method-assign,assignment]
    Sandbox.compiled = _share_bounded  # type: ignore[method-assign]


def _share(
    environment: Environment, source: Any, name: str | None = None, filename: str | None = None, *more: Any
) -> CodeType | str:
    if not isinstance(source, str):  # a tree, which equals no other
        return _compile(environment, source, name, filename, *more)
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


def _share_bounded(environment: Sandbox, source: Source) -> BoundedTemplate:
    key = (environment, source)
    if key not in _bounded:
        _bounded[key] = _compile_bounded(environment, source)
    return _bounded[key]
