"""Pages from templates: escaped, complete, and found wrong when the server starts, not when it is asked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError

from digest.admit.steps import SignedIn
from digest.compose.catalogues import Catalogues
from digest.compose.phrases import ENGLISH, Phrases
from digest.domain.errors import Misconfigured
from digest.web.assets import Assets
from digest.web.headers import DESK
from digest.web.speech import DOMAIN, Speech, speaks


class Pages:
    """Renders the templates of a folder.

    `base` is the path that the public address has before ours, such as `/digest`, '' at the root.
    Raises `Misconfigured`, with file and line, for templates and catalogues that are missing or wrong.
    """

    def __init__(self, folder: Path, *, base: str = "") -> None:
        if not folder.is_dir():
            raise Misconfigured(
                f"{folder} is not there: templates_dir must hold web/ beside email/; unset it to use "
                "those that come with Digest"
            )
        self.base = base
        self._signed_in: SignedIn | None = None
        self._catalogues = Catalogues(folder / "locale", DOMAIN)
        self.assets = Assets(folder / "static")
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {
            "base": base,
            "asset": lambda name: base + self.assets.path(name),
        }
        self._compile(folder)
        for language in self._catalogues.languages:
            self._catalogues.phrases(language)

    def _compile(self, folder: Path) -> None:
        for name in self._environment.list_templates(extensions=["html"]):
            try:
                self._environment.get_template(name)
            except TemplateSyntaxError as exc:
                raise Misconfigured(
                    f"{folder / name} line {exc.lineno}: {exc}; correct the template"
                ) from exc

    def seen_by(self, signed_in: SignedIn | None) -> Self:
        """Return the same pages as somebody sees them who is signed in, or nobody."""
        seen = copy.copy(self)
        seen._signed_in = signed_in
        return seen

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that readers' pages speak, English first."""
        return self._catalogues.languages

    def phrases(self, *languages: str) -> Phrases:
        """Return how pages speak in the first of these languages that is translated, else in English."""
        found = ((language, self._catalogues.phrases(language)) for language in languages if language)
        return next((phrases for language, phrases in found if speaks(phrases, language)), ENGLISH)

    def desk(self, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for those who make the newsletter. Templates know the `actor` and their `csrf`."""
        seen = {"is_desk": True, "audience": "desk", **self._who()}
        return self._page(name, status, DESK, ENGLISH, {**values, **seen})

    def door(self, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for who is about to come in: it looks like a reader's, and knows nobody."""
        return self._page(name, status, DESK, ENGLISH, {**values, "is_desk": False, "audience": "reader"})

    def _who(self) -> Mapping[str, object]:
        who = self._signed_in
        return {"actor": who.actor, "csrf": who.csrf} if who else {}

    def reader(self, name: str, spoken: Phrases, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for a subscriber. Its address holds their token, so it tells nobody."""
        return self._page(name, status, {}, spoken, {**values, "is_desk": False, "audience": "reader"})

    def visitor(self, name: str, spoken: Phrases, **values: object) -> str:
        """Return a page for everybody."""
        return self.text(name, spoken, **values, is_desk=False, audience="visitor")

    def text(self, name: str, spoken: Phrases, **values: object) -> str:
        """Return what a template makes of these values, its own words as `spoken` says them."""
        return self._environment.get_template(name).render(
            {"actor": None, "csrf": "", **values, **Speech(spoken).names()}
        )

    def _page(
        self,
        name: str,
        status: int,
        headers: Mapping[str, str],
        spoken: Phrases,
        values: Mapping[str, object],
    ) -> HTMLResponse:
        return HTMLResponse(self.text(name, spoken, **values), status, headers=dict(headers))
