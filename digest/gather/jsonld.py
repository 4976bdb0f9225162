"""What a page says of its article in JSON-LD (schema.org/Article)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.etree import _Element

MAX_BYTES = 512 * 1024
MAX_NODES = 500

_ARTICLE_TYPES = re.compile(
    r"(?:News|Blog|Opinion|Analysis|Report|Review|Background|Satirical|Tech|Scholarly|Advertiser|Social|Live)\w*"
    r"|Article|BlogPosting"
)
_BROKEN = re.compile(r"[\x00-\x1f]+")


class ArticleData:
    """The first article that a page's JSON-LD describes, and what it says of it; empty without one."""

    def __init__(self, tree: _Element) -> None:
        nodes = list(_nodes(tree))
        articles = [node for node in nodes if _is_article(node)]
        self._node: dict[str, Any] = next((node for node in articles if "headline" in node), {}) or next(
            iter(articles), {}
        )
        self._named = {str(node["@id"]): node for node in nodes if "@id" in node and "name" in node}

    def text(self, name: str) -> str:
        """Return a property as text, the first of several, '' when it is missing."""
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """Return a property's values as text: strings, and the `name` or `url` of objects."""
        return [text for value in _as_list(self._node.get(name)) if (text := self._text(value))]

    def _text(self, value: Any) -> str:
        if isinstance(value, dict):
            value = self._named.get(str(value.get("@id")), {}) | value
            value = value.get("name") or value.get("url") or value.get("contentUrl")
        return html.unescape(str(value)).strip() if isinstance(value, str | int) else ""

    def urls(self, name: str) -> list[str]:
        """Return a property's values as URLs: strings, and the `url` of objects."""
        values = _as_list(self._node.get(name))
        found = [
            value.get("url") or value.get("contentUrl") if isinstance(value, dict) else value
            for value in values
        ]
        return [url.strip() for url in found if isinstance(url, str)]


def _nodes(tree: _Element) -> Iterator[dict[str, Any]]:
    """Yield the objects of every JSON-LD script, `@graph` and lists unfolded, at most 500."""
    count = 0
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            stack = [_loaded(script.text or "")]
            while stack and count < MAX_NODES:
                node = stack.pop(0)
                if isinstance(node, list):
                    stack.extend(node)
                elif isinstance(node, dict):
                    count += 1
                    yield node
                    stack.extend([node.get("@graph"), node.get("mainEntity"), node.get("mainEntityOfPage")])


def _loaded(text: str) -> Any:
    """Return the parsed script, None when it is damaged; line breaks inside strings are common and mended."""
    if len(text) > MAX_BYTES:
        return None
    try:
        return json.loads(_BROKEN.sub(" ", text.strip().removesuffix(";")))
    except (ValueError, RecursionError):
        return None


def _is_article(node: dict[str, Any]) -> bool:
    return any(
        isinstance(kind, str) and _ARTICLE_TYPES.fullmatch(kind) for kind in _as_list(node.get("@type"))
    )


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
