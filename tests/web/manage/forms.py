"""Forms of the managing pages, filled in as a browser would."""

from __future__ import annotations

import html
import re

from tests.web.site import Site


def fields_of(page: str, action: str) -> dict[str, str | list[str]]:
    """What the form that posts to `action` would send as it stands."""
    form = next(
        one for one in re.findall(r"<form\b.*?</form>", page, re.DOTALL) if f'action="{action}"' in one
    )
    fields: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name, kind = _attribute(tag, "name"), _attribute(tag, "type")
        if not name or (kind == "checkbox" and " checked" not in tag):
            continue
        if kind == "checkbox" and name in fields:
            fields[name] = [*_listed(fields[name]), _attribute(tag, "value")]
        else:
            fields[name] = _attribute(tag, "value")
    for opening, text in re.findall(r"(<textarea\b[^>]*>)\n?(.*?)</textarea>", form, re.DOTALL):
        fields[_attribute(opening, "name")] = html.unescape(text)
    for opening, options in re.findall(r"(<select\b[^>]*>)(.*?)</select>", form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        fields[_attribute(opening, "name")] = html.unescape(chosen[1]) if chosen else ""
    return fields


def filled_in(site: Site, path: str, action: str, **given: str | list[str]) -> dict[str, str | list[str]]:
    """What the form of a page would send once these fields were filled in; None of a list unticks a box."""
    fields = {**fields_of(site.get(path).text, action), **given}
    return {name: value for name, value in fields.items() if value != []}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
