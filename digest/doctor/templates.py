"""The e-mail templates: ours, and those that newsletters have of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from digest.doctor.checks import Check
from digest.domain.errors import Misconfigured
from digest.domain.letters import LetterKind
from digest.runtime import Runtime


def look_at_templates(runtime: Runtime) -> Iterator[Check]:
    """Compile every template. Raises `Misconfigured` where a folder of templates is none."""
    folder = runtime.settings.templates / "email"
    names = sorted(body.parent.name for body in folder.glob("*/body.mjml"))
    if not names:
        raise Misconfigured(f"{folder} holds no e-mail template: check templates_dir")
    for name in names:
        yield _template(f"template {name}", folder / name)
    own = runtime.own_templates
    for place in sorted(own.glob("*/*/")) if own else ():
        what = f"template {place.name} of {place.parent.name}"
        if place.name in names:
            yield _template(what, place, folder / place.name)
        elif place.name != "parts":
            stands_for = f"those it may stand for are {', '.join(names)}"
            yield Check(what, False, "is nobody's", f"{place}: {stands_for}; rename it or remove it")


def _template(what: str, *folders: Path) -> Check:
    from digest.compose.letters import compile_letter
    from digest.compose.templates import compile_template

    kind = next((kind for kind in LetterKind if kind == folders[-1].name), None)
    try:
        compile_letter(kind, *folders) if kind else compile_template(*folders)
    except Misconfigured as exc:
        return Check(what, False, "does not compile", str(exc))
    return Check(what, True, f"compiles, and shows a sample {'mail' if kind else 'issue'}")
