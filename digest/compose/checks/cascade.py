"""The styles that a piece of mail HTML ends up with: as much of CSS's cascade as colours in mails need.

Known are selectors of names, classes and descendants, `!important`, inline styles, `bgcolor`, and the media
query for dark screens. Rules under other media queries (widths) and with other selectors are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from digest.compose.markup import Element

STYLES = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CONDITIONAL = re.compile(r"<!--\[if (?!!).*?<!\[endif\]-->", re.DOTALL)
_COMPOUND = re.compile(r"([a-z][a-z0-9]*|\*)?((?:\.[\w-]+)*)", re.IGNORECASE)
_IS_DARK = re.compile(r"prefers-color-scheme:\s*dark")
_PROPERTIES = frozenset({"color", "background", "background-color", "font-size", "font-weight", "display"})
_RULES_MOST = 2_000
"""More rules than any mail has; what comes after them is passed over."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A value, and whether it is `!important`."""

    value: str
    is_important: bool


Declarations = Mapping[str, Declaration]


@dataclass(frozen=True, slots=True)
class _Compound:
    """One part of a selector: a name ('' for any) and classes."""

    name: str
    classes: frozenset[str]

    def matches(self, element: Element) -> bool:
        return self.name in ("", element.name) and self.classes <= element.classes


@dataclass(frozen=True, slots=True)
class Rule:
    """What a selector, the innermost part last, declares; `is_dark` where it holds on dark screens only."""

    selector: tuple[_Compound, ...]
    declarations: Declarations
    is_dark: bool

    @property
    def specificity(self) -> tuple[int, int]:
        """How many classes and names its selector has: of two rules the one with more wins."""
        return sum(len(part.classes) for part in self.selector), sum(
            bool(part.name) for part in self.selector
        )

    def matches(self, element: Element) -> bool:
        """Say whether the rule is about `element`."""
        *outer, last = self.selector
        if not last.matches(element):
            return False
        around = element.parent
        while outer and around is not None:
            if outer[-1].matches(around):
                outer.pop()
            around = around.parent
        return not outer


Sheet = tuple[Rule, ...]
"""Rules in the order in which later ones win."""


def style_rules(html: str) -> Sheet:
    """Return a page's rules about colours and letters, but for those for Outlook alone."""
    found: list[Rule] = []
    for style in STYLES.findall(_CONDITIONAL.sub("", html)):
        found += _rules(_COMMENT.sub(" ", style), is_dark=False)
    return tuple(sorted(found[:_RULES_MOST], key=lambda rule: rule.specificity))


def _rules(css: str, *, is_dark: bool) -> Iterator[Rule]:
    for prelude, body in _blocks(css):
        if not prelude.startswith("@"):
            yield from _rules_of(prelude, body, is_dark=is_dark)
        elif prelude.startswith("@media") and _IS_DARK.search(prelude):
            yield from _rules(body, is_dark=True)


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield what stands before and inside each outermost pair of braces."""
    depth = start = body = 0
    prelude = ""
    for place in re.finditer(r"[{}]", css):
        at = place.start()
        if place[0] == "{":
            if depth == 0:
                prelude, body = css[start:at].rpartition(";")[2].strip(), at + 1
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield prelude, css[body:at]
                start = at + 1


def _rules_of(selectors: str, body: str, *, is_dark: bool) -> Iterator[Rule]:
    declared = declarations(body)
    for text in selectors.split(",") if declared else ():
        parts = tuple(map(_compound, text.split()))
        known = tuple(part for part in parts if part is not None)
        if known and len(known) == len(parts):
            yield Rule(known, declared, is_dark)


def _compound(text: str) -> _Compound | None:
    found = _COMPOUND.fullmatch(text)
    if not found:
        return None
    name = (found[1] or "").lower()
    return _Compound("" if name == "*" else name, frozenset(filter(None, found[2].split("."))))


def declarations(css: str) -> Declarations:
    """Return the declarations of a style attribute or a rule that matter here, the last of each property."""
    found: dict[str, Declaration] = {}
    for part in css.split(";"):
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if colon and name in _PROPERTIES:
            plain, is_important, _ = value.strip().lower().partition("!important")
            earlier = found.get(name)
            if not (earlier and earlier.is_important and not is_important):
                found[name] = Declaration(plain.strip(), bool(is_important))
    return found


def cascaded(element: Element, sheet: Iterable[Rule], *, is_dark: bool) -> Mapping[str, str]:
    """Return what holds for `element` itself, by property: nothing is inherited yet."""
    normal: dict[str, str] = {}
    important: dict[str, str] = {}
    if "bgcolor" in element.attributes:
        normal["background-color"] = element.attributes["bgcolor"].lower()
    applying = [
        rule.declarations for rule in sheet if (is_dark or not rule.is_dark) and rule.matches(element)
    ]
    for declared in (*applying, declarations(element.attributes.get("style", ""))):
        for name, declaration in declared.items():
            chosen = important if declaration.is_important else normal
            # The shorthand and its longhand are one property: the later of them holds.
            chosen["background-color" if name == "background" else name] = declaration.value
    return normal | important
