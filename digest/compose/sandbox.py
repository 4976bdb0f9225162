"""Where templates run: no further than their values, and not without end.

A newsletter may have templates of its own, and a slip in one must not hold a worker: every step of a loop and
every call counts, and so does what is written. A mail of 100 articles takes a hundredth of what is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateRuntimeError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.compose.escaping import escaped
from digest.compose.template_files import Source

STEPS_MAX = 100_000
SECONDS_MAX = 5.0
"""Of this thread's own time: a busy machine is no template's fault."""
WRITTEN_MAX = 2_000_000
"""Characters. A mail may have 100,000 bytes."""

_LOOK_AT_CLOCK = 100
"""Steps from one look at the clock to the next: it takes 1 µs, and few templates come this far."""

FAULTS = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
"""What a template that is wrong may raise when it is rendered."""


@dataclass(slots=True)
class _Spent:
    """What one rendering has taken so far."""

    steps: int = 0
    since: float | None = None

    def step(self) -> None:
        """Count a step of a loop or a call. Raises `TemplateRuntimeError` after too many or too long."""
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise TemplateRuntimeError(f"it goes on for more than {STEPS_MAX:,} steps of loops and calls")
        if self.steps % _LOOK_AT_CLOCK == 0:
            now = time.thread_time()
            self.since = now if self.since is None else self.since
            if now - self.since > SECONDS_MAX:
                raise TemplateRuntimeError(f"it takes more than {SECONDS_MAX:g} seconds")


_spent: ContextVar[_Spent] = ContextVar("_spent")


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which loops and calls are counted."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=escaped if autoescape else None,
        )
        self.filters[_COUNTED] = _counted

    def compiled(self, source: Source) -> BoundedTemplate:
        """Return `source` compiled. Raises `TemplateSyntaxError`."""
        path = str(source.lines[0][0])
        tree = self.parse(source.text, path, path)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        tree.set_environment(self)
        template = BoundedTemplate.from_code(self, self.compile(tree, path, path), self.make_globals(None))
        assert isinstance(template, BoundedTemplate)
        template.source = source
        return template

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function for a template, macros included, which may call themselves."""
        _spent.get().step()
        return super().call(context, function, *args, **kwargs)


_COUNTED = "counted"


@pass_context
def _counted(_context: Context, values: Iterable[object]) -> Iterator[object]:
    """Yield `values`, each as a step. The context is asked for so that no loop is run by the compiler."""
    spent = _spent.get()
    for value in values:
        spent.step()
        yield value


class BoundedTemplate(Template):
    """A compiled template that knows where its lines stand. It is rendered by `rendered` alone."""

    source: Source

    def rendered(self, values: Mapping[str, object], block: str = "") -> str:
        """Return the template, or one block of it, with `values` in it. Raises one of `FAULTS`."""
        write = self.blocks[block] if block else self.root_render_func
        before = _spent.set(_Spent())
        try:
            return "".join(_limited(write(self.new_context(dict(values)))))
        finally:
            _spent.reset(before)

    def place(self, fault: Exception) -> str:
        """Return where in the template a fault arose that `rendered` has raised."""
        at, line = fault.__traceback__, 1
        while at is not None:
            if at.tb_frame.f_code.co_filename == self.filename:
                line = self.get_corresponding_lineno(at.tb_lineno)
            at = at.tb_next
        return self.source.place(line)


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    """Yield what a template writes; too much is raised within it, so that the line is known."""
    written = 0
    for piece in pieces:
        written += len(piece)
        if written > WRITTEN_MAX:
            pieces.throw(TemplateRuntimeError(f"it writes more than {WRITTEN_MAX:,} characters"))  # type: ignore[attr-defined]
        yield piece
