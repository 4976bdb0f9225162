"""Which of a page's several titles is the article's own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from digest.gather.plain import comparable, plain_from_html

_SITE_WORDS = 3
# Live reports are renamed all day long in one place and not in the other: a headline alone on its page is
# believed on little in common with what the head declares.
_HEADLINE_WORDS = 5
_LITTLE = 0.25
_SEPARATOR = re.compile(r"\s+(?:\||–|—|-|::|·|•|»|«|/)\s+")


def page_title(*, declared: Sequence[str], headings: Sequence[str], site: str) -> str:
    """Return the headline that readers see, '' when the page has none.

    `declared` are the titles the page's head gives, best first; `headings` its `h1`s in page order; `site`
    the site's name. An `h1` wins when it shares most words with a declared title, which rids the title of
    ' | Site' and the page of its logo; when it stands alone and shares some; or beside a title too short
    for a headline. Otherwise it is the first declared title without the site's name.
    """
    titles = [plain_from_html(title) for title in declared if title.strip()]
    plain_headings = [heading for heading in headings if heading and comparable(heading) != comparable(site)]
    scored = [
        (max((_overlap(heading, title) for title in titles), default=0.0), heading)
        for heading in plain_headings
    ]
    best = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    if best[0] >= 0.5:
        return best[1]
    only_heading = plain_headings[0] if len(plain_headings) == 1 else ""
    if len(only_heading.split()) >= _HEADLINE_WORDS and best[0] >= _LITTLE:
        return only_heading
    if not titles or len(titles[0].split()) <= _SITE_WORDS < len(only_heading.split()):
        return only_heading or next(iter(plain_headings), "")
    return _without_site(titles[0], site)


def _overlap(heading: str, title: str) -> float:
    """Return the share of the heading's words that the title has too; a one-word heading must begin it."""
    words, others = comparable(heading).split(), comparable(title).split()
    if len(words) == 1:
        return float(others[:1] == words and len(others) < 4)
    return sum(word in others for word in words) / len(words) if words else 0.0


def _without_site(title: str, site: str) -> str:
    """Return the title without a first or last part that is the site's name, or short beside the rest."""
    parts = _SEPARATOR.split(title)
    if len(parts) == 1:
        return title
    name = comparable(site)
    if name and comparable(parts[0]) == name:
        return title[_SEPARATOR.search(title).end() :]  # type: ignore[union-attr]  # split found one
    last = list(_SEPARATOR.finditer(title))[-1]
    tail = comparable(parts[-1])
    is_site = (name and (tail in name or name in tail)) or (
        len(tail.split()) <= 4 and len(parts[0].split()) >= 4
    )
    return title[: last.start()] if is_site else title
