"""Forms that several people may have open at once: what each changed is kept, and nobody's is lost unseen.

A form carries what its fields held when it was shown. Only fields that were changed since are changed in the
database; where somebody else changed the same one meanwhile, the form is shown again with both values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Depends, Request

from digest.domain.errors import InvalidInput, Overtaken, Unfit
from digest.web.error_pages import status_of

WAS = "was"
"""The field that carries what the others held when the form was shown."""

_SEPARATOR = "\n"
NONE: Mapping[str, str] = MappingProxyType({})

Thing = TypeVar("Thing")
Save: TypeAlias = Callable[[Callable[[Thing], Mapping[str, object]]], object]

Texts = Mapping[str, str]
"""Each field's value as a person types it; several ticked values are one, a line each."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is shown: what stands in its fields, what is wrong, and what others set meanwhile.

    `was` is what the fields hold in the database by now, to be sent back. `trouble` is about no one field.
    """

    values: Texts
    was: str
    problems: Texts = field(default_factory=lambda: NONE)
    meanwhile: Texts = field(default_factory=lambda: NONE)
    trouble: str = ""
    status: int = HTTPStatus.OK

    @property
    def is_refused(self) -> bool:
        """Whether something was typed that was not taken."""
        return bool(self.problems or self.meanwhile or self.trouble)

    def has(self, name: str, value: str) -> bool:
        """Tell whether `value` is among those ticked in a field."""
        return value in self.values.get(name, "").split(_SEPARATOR)


class Meanwhile(Overtaken):
    """Somebody else changed the same fields: `theirs` are the values they have now."""

    def __init__(self, theirs: Texts) -> None:
        super().__init__("somebody else changed the same at the same moment; nothing was changed")
        self.theirs = dict(theirs)


def form_of(texts: Texts) -> Form:
    """Return a form that shows what is."""
    return Form(texts, _packed(texts))


def refused(typed: Texts, stands: Texts, problem: InvalidInput) -> Form:
    """Return the form once more with what was typed, and beside each field what keeps it from being taken.

    Fields that are not among `typed` show what is stored: sent again, they change nothing. What somebody else
    set meanwhile counts as seen then: sent again, the form puts its own in its place.
    """
    form = Form({**stands, **typed}, _packed(stands), status=status_of(problem))
    if isinstance(problem, Meanwhile):
        return replace(form, meanwhile=problem.theirs)
    if isinstance(problem, Unfit):
        return replace(form, problems=problem.problems)
    return replace(form, trouble=str(problem))


def saved(typed: Typed, texts_of: Callable[[Thing], Texts], save: Save[Thing]) -> Form | None:
    """Have `save` change what a person changed in a form, and return None; otherwise the form once more.

    `save` is given what says, of the thing as it is stored, which of its fields are to change. Raises what
    keeps the thing from being read at all.
    """
    stands: dict[str, str] = {}

    def proposed(stored: Thing) -> dict[str, object]:
        stands.update({name: text for name, text in texts_of(stored).items() if name in typed.texts})
        return dict(changes(typed.texts, typed.was, stands))

    try:
        save(proposed)
    except InvalidInput as exc:
        if not stands:
            raise
        return refused(_touched(typed.texts, typed.was), stands, exc)
    return None


def changes(typed: Texts, was: str, stands: Texts) -> dict[str, str]:
    """Return the fields that a person changed in a form which was made of `was`.

    Raises `Meanwhile` where `stands`, what is stored, differs from both, `InvalidInput` for a broken form.
    """
    before, changed = _unpacked(was), _touched(typed, was)
    theirs = {
        name: stands[name]
        for name, value in changed.items()
        if stands.get(name, "") not in (before.get(name, ""), value)
    }
    if theirs:
        raise Meanwhile(theirs)
    return changed


def _touched(typed: Texts, was: str) -> dict[str, str]:
    """Return the fields that hold something else than when the form was shown."""
    before = _unpacked(was)
    return {name: value for name, value in typed.items() if value != before.get(name, "")}


def _packed(texts: Texts) -> str:
    return json.dumps(dict(texts), ensure_ascii=False)


def _unpacked(was: str) -> dict[str, str]:
    try:
        read = json.loads(was)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
        raise InvalidInput("the form does not say what it was made from: reload the page and type again")
    return read


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form sent: its fields in the form of `Texts`, what they were, and the files with their names."""

    texts: Texts
    was: str = ""
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)

    def of(self, names: Collection[str], ticked: Collection[str] = ()) -> Typed:
        """Return these fields alone. Of `ticked` ones a browser sends nothing where none is ticked."""
        texts = {name: self.texts[name] for name in names if name in self.texts}
        missing = {name: "" for name in ticked if name not in self.texts}
        return Typed({**texts, **missing}, self.was, self.files)

    def get(self, name: str) -> str:
        """Return a field's text, '' for none."""
        return self.texts.get(name, "").strip()


async def _typed(request: Request) -> Typed:
    form = await request.form()
    texts: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for name in form:
        values = form.getlist(name)
        said = [_clean(value) for value in values if isinstance(value, str)]
        if said:
            texts[name] = _SEPARATOR.join(said)
        for value in values:
            if not isinstance(value, str) and value.filename:
                files[name] = (_clean(value.filename), await value.read())
    was = texts.pop(WAS, "")
    return Typed(texts, was, files)


def _clean(text: str) -> str:
    """Return what was typed with line ends of one kind, and without what no database keeps."""
    return text.replace("\r\n", "\n").replace("\x00", "")


TheTyped = Annotated[Typed, Depends(_typed)]
