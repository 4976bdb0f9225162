"""The words around an article, in the article's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from typing import Any


class Labels:
    """The labels of one language, for pages of one site. `labels["reply"]` is "Leave a Reply"."""

    def __init__(self, texts: Mapping[str, Any], site_name: str) -> None:
        self._texts = texts
        self._site_name = site_name

    def __getitem__(self, name: str) -> str:
        return str(self._texts[name]).replace("{site}", self._site_name)

    def date(self, moment: datetime) -> str:
        """Return a date as this language writes it: `7 November 2026`, `7. November 2026`."""
        month = self._texts["months"][moment.month - 1]
        return str(self._texts["date"]).format(day=moment.day, month=month, year=moment.year)


def read_labels() -> dict[str, Mapping[str, Any]]:
    """Return the texts by language code."""
    file = resources.files("digest.demo.newsroom") / "labels.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
