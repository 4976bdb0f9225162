"""What a page declares about itself before any of it is believed: its head, its JSON-LD, where it is."""

from __future__ import annotations

from datetime import datetime

from lxml.etree import _Element

from digest.gather.markup import base_of
from digest.gather.pages.jsonld import ArticleData
from digest.gather.plain import plain_line

_META_MOST = 1000


class Declarations:
    """A page's declarations, looked up by name. `url` is where it was fetched from, `now` when."""

    def __init__(self, tree: _Element, url: str, now: datetime) -> None:
        self.tree, self.url, self.now = tree, url, now
        self.base = base_of(tree, url)
        self.article = ArticleData(tree)
        self._meta = _meta(tree)

    def first(self, *names: str) -> str:
        """Return the first value of the first of these `<meta>` names that has one, '' without any."""
        return next((value for name in names for value in self._meta.get(name, ()) if value), "")

    def all(self, *names: str) -> list[str]:
        """Return every value of these `<meta>` names, name by name, each in page order."""
        return [value for name in names for value in self._meta.get(name, ())]

    def names(self) -> list[str]:
        """Return the names of all `<meta>` elements in page order, in lower case."""
        return list(self._meta)

    def links(self, relation: str) -> list[str]:
        """Return the targets of `<link rel=…>`, as they are written."""
        found = (
            e.get("href") or ""
            for e in self.tree.iter("link")
            if relation in (e.get("rel") or "").lower().split()
        )
        return [link.strip() for link in found if link.strip()]


def _meta(tree: _Element) -> dict[str, list[str]]:
    """Return the page's `<meta>` values by lower-case name, in page order."""
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        name = (
            element.get("property")
            or element.get("name")
            or element.get("itemprop")
            or element.get("http-equiv")
        )
        content = plain_line((element.get("content") or "")[:_META_MOST])
        if name and content:
            found.setdefault(name.lower().strip()[:_META_MOST], []).append(content)
    return found
