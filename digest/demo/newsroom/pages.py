"""The newsroom's HTML: each site's articles and front pages in that site's own markup."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from digest.demo.newsroom.catalogue import Catalogue, Published
from digest.demo.newsroom.labels import Labels, read_labels
from digest.demo.newsroom.sites import Site


class Pages:
    """Renders the pages of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._labels = read_labels()
        self._templates = Environment(
            loader=PackageLoader("digest.demo.newsroom", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def article(self, entry: Published) -> str:
        """Return an article's page."""
        return self._page(
            "article",
            entry.site,
            language=entry.article.language,
            entry=entry,
            article=entry.article,
            body=entry.body,
            structured=_structured(entry),
            related=self._catalogue.related_to(entry),
        )

    def front(self, site: Site, entries: Sequence[Published], section: str = "") -> str:
        """Return a page that lists `entries`: a site's front page, or one of its sections."""
        return self._page("front", site, entries=entries, section=section)

    def gone(self, site: Site) -> str:
        """Return what a site says when it has no such page."""
        return self._page("gone", site)

    def broken(self, site: Site) -> str:
        """Return the page a site shows in place of everything while its server is being moved."""
        return self._templates.get_template("moving.html").render(site=site)

    def _page(self, kind: str, site: Site, *, language: str = "en", **values: object) -> str:
        return self._templates.get_template(f"{site.slug}/{kind}.html").render(
            site=site,
            base_url=self._catalogue.base_url,
            language=language,
            labels=Labels(self._labels[language], site.name),
            sections=self._catalogue.sections(site),
            popular=self._catalogue.most_popular(site),
            **values,
        )


def _structured(entry: Published) -> str:
    """Return an article's schema.org description as JSON that may stand in a script element."""
    article = entry.article
    described = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.summary,
        "datePublished": entry.published_at.isoformat(),
        "inLanguage": article.language,
        "author": [{"@type": "Person", "name": article.byline}],
        "publisher": {"@type": "Organization", "name": entry.site.name},
        "image": [entry.image_url],
        "mainEntityOfPage": entry.url,
        "articleSection": list(article.categories),
    }
    return json.dumps(described, ensure_ascii=False).replace("<", "\\u003c")
