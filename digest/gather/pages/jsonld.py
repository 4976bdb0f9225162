"""What a page says of its article in JSON-LD (schema.org/Article)."""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element

MAX_BYTES = 512 * 1024
MAX_NODES = 500
_MAX_VISITS = 20_000

_ARTICLE_TYPES = re.compile(
    r"(?:News|Blog|Opinion|Analysis|Report|Review|Background|Satirical|Tech|Scholarly|Advertiser|Social|Live)\w*"
    r"|Article|BlogPosting"
)
_PAGE_TYPES = frozenset({"WebPage", "ItemPage", "AboutPage"})
_PERSON_LESS = frozenset({"Organization", "NewsMediaOrganization", "Corporation", "Brand", "WebSite"})
_BROKEN = re.compile(r"[\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Creator:
    """Who is named as an author, and whether the page says that it is an organisation."""

    name: str
    is_organisation: bool


class ArticleData:
    """The article that a page's JSON-LD describes, and what it says of it; empty without one.

    The first article with a headline is meant; without any article, what describes the page itself.
    """

    def __init__(self, tree: _Element) -> None:
        nodes = list(_nodes(tree))
        articles = [node for node in nodes if _is_article(node)]
        pages = [node for node in nodes if not _PAGE_TYPES.isdisjoint(_types(node))]
        with_headline = [node for node in articles if node.get("headline")]
        self._node: dict[str, Any] = next(iter([*with_headline, *articles, *pages]), {})
        self._page: dict[str, Any] = next(iter(pages), {})
        self._identified: dict[str, dict[str, Any]] = {}
        for node in nodes:
            if "@id" in node and len(node) > len(self._identified.get(str(node["@id"]), {})):
                self._identified[str(node["@id"])] = node
        self.is_article = bool(articles)

    def text(self, name: str) -> str:
        """Return a property as text, the first of several, '' when it is missing."""
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """Return a property's values as text: strings, and the `name` or `url` of objects."""
        return [text for value in self._values(name) if (text := self._text(value))]

    def creators(self) -> list[Creator]:
        """Return the authors (without any, the creators) that have a name, in order."""
        values = self._values("author") or self._values("creator")
        found = []
        for value in map(self._resolved, values):
            names = _as_list(value.get("name")) if isinstance(value, dict) else [value]
            organised = isinstance(value, dict) and not _PERSON_LESS.isdisjoint(_types(value))
            found += [Creator(text, organised) for name in names if (text := self._text(name))]
        return found

    def urls(self, name: str) -> list[str]:
        """Return a property's values as URLs: strings, and the `url` of objects."""
        found: list[str] = []
        for value in map(self._resolved, self._values(name)):
            if isinstance(value, dict):
                value = value.get("url") or value.get("contentUrl") or value.get("@id")
                value = next(iter(_as_list(value)), None)
            if isinstance(value, str):
                found.append(html.unescape(value).strip())
        return found

    @property
    def is_free(self) -> bool | None:
        """Whether everyone may read all of it (`isAccessibleForFree`), None where that is not said."""
        said = [_truth(value) for value in self._values("isAccessibleForFree")]
        said += [
            _truth(value) for part in self._parts() for value in _as_list(part.get("isAccessibleForFree"))
        ]
        told = [value for value in said if value is not None]
        return all(told) if told else None

    def closed_selectors(self) -> list[str]:
        """Return the CSS selectors of the parts that are said to be closed (`hasPart`, `cssSelector`)."""
        return [
            str(selector)
            for part in self._parts()
            if any(_truth(value) is False for value in _as_list(part.get("isAccessibleForFree")))
            for selector in _as_list(part.get("cssSelector"))
        ]

    @property
    def words(self) -> int:
        """How many words the whole article has by `wordCount` or `articleBody`, 0 where that is not said."""
        counted = self.text("wordCount")
        if counted.isascii() and counted.isdigit() and len(counted) < 7:
            return int(counted)
        body = self._node.get("articleBody")
        return len(body.split()) if isinstance(body, str) else 0

    def _parts(self) -> list[dict[str, Any]]:
        return [part for part in self._values("hasPart") if isinstance(part, dict)]

    def _values(self, name: str) -> list[Any]:
        return _as_list(self._node.get(name)) or _as_list(self._page.get(name))

    def _resolved(self, value: Any) -> Any:
        """Return an object with what its `@id` says elsewhere on the page."""
        if isinstance(value, dict) and "@id" in value:
            return self._identified.get(str(value["@id"]), {}) | value
        return value

    def _text(self, value: Any) -> str:
        value = self._resolved(value)
        if isinstance(value, dict):
            value = value.get("name") or value.get("url") or value.get("contentUrl")
            value = next(iter(_as_list(value)), None)
        is_text = isinstance(value, str | int) and not isinstance(value, bool)
        return html.unescape(str(value)).strip() if is_text else ""


def _nodes(tree: _Element) -> Iterator[dict[str, Any]]:
    """Yield the objects of every JSON-LD script, `@graph` and lists unfolded, at most 500."""
    count = visits = 0
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        waiting = deque([_loaded(script.text or "")])
        while waiting and count < MAX_NODES and visits < _MAX_VISITS:
            node = waiting.popleft()
            visits += 1
            if isinstance(node, list):
                waiting.extend(node[:_MAX_VISITS])
            elif isinstance(node, dict):
                count += 1
                yield node
                waiting.extend([node.get("@graph"), node.get("mainEntity"), node.get("mainEntityOfPage")])


def _loaded(text: str) -> Any:
    """Return the parsed script, None when it is damaged; line breaks inside strings are common and mended."""
    if len(text) > MAX_BYTES:
        return None
    try:
        return json.loads(_BROKEN.sub(" ", text.strip().removesuffix(";")))
    except (ValueError, RecursionError):
        return None


def _is_article(node: dict[str, Any]) -> bool:
    return any(_ARTICLE_TYPES.fullmatch(kind) for kind in _types(node))


def _types(node: dict[str, Any]) -> list[str]:
    """Return an object's types without the vocabulary they are sometimes written with."""
    return [kind.rpartition("/")[2] for kind in _as_list(node.get("@type")) if isinstance(kind, str)]


def _truth(value: Any) -> bool | None:
    text = str(value).strip().rpartition("/")[2].casefold()
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
