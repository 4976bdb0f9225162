"""What a page says about itself, and what that rests on: title, authors, day, address, language, picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.etree import _Element

from digest.domain.articles import Image
from digest.gather.feeds.entries import labels
from digest.gather.language import iso_639_1
from digest.gather.markup import text_of
from digest.gather.pages.bylines import authors_of
from digest.gather.pages.canonical import Address, address_of
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate
from digest.gather.pages.lead_images import lead_image_of
from digest.gather.pages.pagedates import PageDates, dates_of
from digest.gather.pages.survey import Survey
from digest.gather.pages.titles import page_title
from digest.gather.plain import plain_from_html

_CATEGORIES = (
    "article:section",
    "article:tag",
    "articlesection",
    "parsely-section",
    "news_keywords",
    "keywords",
)
_HEADINGS_MOST = 20


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says about itself; None, '' and empty where it says nothing that can be believed.

    `language` is declared, not yet checked against the text.
    """

    address: Address
    title: str
    titles: tuple[Candidate, ...]
    authors: tuple[str, ...]
    bylines: tuple[Candidate, ...]
    dates: PageDates
    site_name: str | None
    language: str | None
    languages: tuple[Candidate, ...]
    image: Image | None
    images: tuple[Candidate, ...]
    categories: tuple[str, ...]


def read_metadata(page: Declarations, survey: Survey) -> Metadata:
    """Return what a page says about itself. `survey` measures its tree, which is left as it is."""
    site_name = _site_name(page)
    title, titles = _title(page, site_name or "")
    authors, bylines = authors_of(page, site_name or "")
    image, images = lead_image_of(page)
    language, languages = _language(page)
    return Metadata(
        address=address_of(page, title),
        title=title,
        titles=titles,
        authors=authors,
        bylines=bylines,
        dates=dates_of(page, survey),
        site_name=site_name,
        language=language,
        languages=languages,
        image=image,
        images=images,
        categories=_categories(page),
    )


def _site_name(page: Declarations) -> str | None:
    name = page.first("og:site_name", "application-name") or page.article.text("publisher")
    return plain_from_html(name)[:100] or None


def _title(page: Declarations, site: str) -> tuple[str, tuple[Candidate, ...]]:
    head = page.tree.find(".//head/title")
    declared = [
        ("JSON-LD headline", page.article.text("headline")[:1000]),
        *(
            (f"meta {name}", page.first(name))
            for name in ("og:title", "twitter:title", "dc.title", "parsely-title")
        ),
        ("title", _text_of_title(head)),
    ]
    headings = [("h1", text) for text in _headings(page.tree)]
    title = page_title(
        declared=[text for _, text in declared], headings=[text for _, text in headings], site=site
    )
    said = [(where, plain_from_html(text)) for where, text in [*headings, *declared] if text]
    return title, _titles(said, title)


def _titles(said: list[tuple[str, str]], title: str) -> tuple[Candidate, ...]:
    candidates: list[Candidate] = []
    for where, text in said:
        is_first = text == title and not any(candidate.is_believed for candidate in candidates)
        begins = text != title and bool(title) and (text.startswith(title) or text.endswith(title))
        why = "believed without the site's name" if begins else ""
        candidates.append(Candidate(where, text[:300], is_first, why))
    return tuple(candidates)


def _text_of_title(head: _Element | None) -> str:
    """Return the text of a `<title>`, which no reader of the page sees."""
    return " ".join((head.text or "").split())[:1000] if head is not None else ""


def _headings(tree: _Element) -> list[str]:
    found = []
    for heading in list(tree.iter("h1"))[:_HEADINGS_MOST]:
        text = text_of(heading)
        if text and text not in found:
            found.append(text[:500])
    return found


def _language(page: Declarations) -> tuple[str | None, tuple[Candidate, ...]]:
    declared = [
        ("html lang", page.tree.get("lang") or ""),
        *((f"meta {name}", page.first(name)) for name in ("og:locale", "content-language", "dc.language")),
        ("JSON-LD inLanguage", page.article.text("inLanguage")),
    ]
    candidates = []
    believed: str | None = None
    for where, text in declared:
        if text:
            code = iso_639_1(text)
            why = "" if code else "it is no language tag"
            candidates.append(Candidate(where, text[:40], code is not None and believed is None, why))
            believed = believed or code
    return believed, tuple(candidates)


def _categories(page: Declarations) -> tuple[str, ...]:
    found = [*page.all(*_CATEGORIES), *page.article.texts("articleSection"), *page.article.texts("keywords")]
    return labels([part for value in found[:200] for part in re.split(r"[,;]", value[:2000])])
