"""What a page says, and what can be pressed on it."""

from __future__ import annotations

import html
import re

from tests.web.site import Site


def read(site: Site, path: str, status: int = 200) -> str:
    """What a person reads of a page, on one line."""
    response = site.get(path)
    assert response.status_code == status, response.text
    return text_of(response.text)


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def buttons(site: Site, path: str) -> set[str]:
    """The words on the buttons of a page."""
    found = re.findall(r"<button[^>]*>(.*?)</button>", site.get(path).text, re.DOTALL)
    return {text_of(words) for words in found}


def follow(site: Site, path: str, **form: str | list[str]) -> str:
    """Send a form and return what the page says that it leads to."""
    response = site.submit(path, **form)
    assert response.status_code == 303, text_of(response.text)
    return read(site, response.headers["location"])
