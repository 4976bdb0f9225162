"""The archive that `archived` fills as a visitor finds it: where its pages are, and what stands on them."""

from __future__ import annotations

import html
import json
import re

from tests.web.archived import HOME
from tests.web.site import Site
from tests.web.test_editor import text_of

FEEDS = [f"{HOME}/{kind}.{form}" for kind in ("articles", "issues") for form in ("atom", "rss", "json")]
PAGES = [HOME, f"{HOME}?topic=space", f"{HOME}/topics", f"{HOME}/2", f"{HOME}/3?topic=space&topic=food"]


def titles_on(site: Site, path: str) -> list[str]:
    """The headlines of articles on a page, in its order."""
    found = re.findall(r"<h3>(.*?)</h3>", site.get(path).text)
    return [text_of(title) for title in found]


def canonical_of(page: str) -> str:
    (address,) = re.findall(r'<link rel="canonical" href="([^"]+)">', page)
    return html.unescape(address)


def told_on(site: Site, path: str) -> str:
    """What a person reads of a page, without what it tells machines."""
    response = site.get(path)
    assert response.status_code == 200, path
    return text_of(re.sub(r"<script.*?</script>", "", response.text, flags=re.DOTALL))


def schema_of(page: str) -> dict:  # type: ignore[type-arg]
    (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(told)
