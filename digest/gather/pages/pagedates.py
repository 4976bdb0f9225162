"""When a page says its article was published, and when changed: every date it gives, in falling trust."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import _Element

from digest.gather.dates import believable, noon, parsed_date
from digest.gather.days import day_in_line
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate
from digest.gather.pages.survey import Survey

_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "dcsext.articlefirstpublished",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "published-date",
    "publication_date",
    "publication-date",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date.created",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "datecreated",
    "date",
)
_MODIFIED = (
    "article:modified_time",
    "og:article:modified_time",
    "og:updated_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
)
_DAY_IN_PATH = re.compile(
    r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[/-]?"
    r"(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CHANGED = re.compile(r"updat|modif|aktualis|actuali|aggiorn|bijgewerkt|atualiz", re.IGNORECASE)
_DATED = re.compile(r"date|time|publish|posted|byline|meta|datum|fecha", re.IGNORECASE)
_SHORT = 120
_LOOKED_AT = 60
_GUESSED_IN = 10_000


@dataclass(frozen=True, slots=True)
class PageDates:
    """When an article was published and last changed, None where no believable date is given."""

    published_at: datetime | None
    modified_at: datetime | None
    candidates: tuple[Candidate, ...]


def dates_of(page: Declarations, survey: Survey) -> PageDates:
    """Return the dates of a page. `survey` measures its tree, read where nothing is declared."""
    candidates: list[Candidate] = []
    published: datetime | None = None
    for where, text in _stated(page):
        moment = _moment(text, page.now)
        why = "" if moment else "it is no date, or one in the future or before 1990"
        is_believed = moment is not None and published is None
        published = published or moment
        candidates.append(Candidate(where, text[:80], is_believed, why))
    if published is None:
        day = _visible(page.tree, survey)
        published = believable(noon(day), page.now) if day else None
        where = "the text"
        if published is None:
            published, where = _guessed(page), "anywhere in the page (htmldate)"
        if published:
            candidates.append(Candidate(where, f"{published:%Y-%m-%d}", True))
    modified_at, changes = _changed(page, published)
    return PageDates(published, modified_at, (*candidates, *changes))


def _stated(page: Declarations) -> Iterator[tuple[str, str]]:
    """Yield where a date of publication stands, and as what; the surest place first."""
    yield from (("JSON-LD datePublished", text) for text in page.article.texts("datePublished")[:2])
    for name in _PUBLISHED:
        yield from ((f"meta {name}", text) for text in page.all(name)[:1])
    times = [e for e in page.tree.iter("time") if _is_of_the_article(e) and not _says_changed(e)]
    marked = sorted(times[:_LOOKED_AT], key=lambda e: not _says_published(e))
    yield from (("time datetime", text) for e in marked[:3] if (text := e.get("datetime") or ""))
    found = _DAY_IN_PATH.search(urlsplit(page.url).path)
    if found:
        yield "the address", _day(found)


def _day(found: re.Match[str]) -> str:
    month = found[2].lower()
    return f"{found[1]}-{_MONTHS.index(month) + 1 if month in _MONTHS else int(month):02d}-{found[3]}"


def _visible(tree: _Element, survey: Survey) -> date | None:
    """Return the first day in words from a short line whose element is called a date or a byline."""
    lines = (e for e in tree.iter("time", "p", "span", "div", "li", "small", "address") if _is_dated(e))
    looked_at = 0
    for line in lines:
        text = survey.short_text(line, _SHORT)
        if not text or not _is_of_the_article(line):
            continue
        looked_at += 1
        day = day_in_line(text)
        if day and not _CHANGED.search(text):
            return day
        if looked_at >= _LOOKED_AT:
            break
    return None


def _is_dated(element: _Element) -> bool:
    name = f"{element.get('class') or ''} {element.get('id') or ''}"[:_SHORT]
    return element.tag == "time" or bool(_DATED.search(name))


def _changed(page: Declarations, published: datetime | None) -> tuple[datetime | None, list[Candidate]]:
    """Return when the article was last changed: not before it was published."""
    stated = [("JSON-LD dateModified", text) for text in page.article.texts("dateModified")[:1]]
    for name in _MODIFIED:
        stated += [(f"meta {name}", text) for text in page.all(name)[:1]]
    modified: datetime | None = None
    candidates = []
    for where, text in stated:
        moment = _moment(text, page.now)
        is_later = moment is not None and (published is None or moment >= published)
        candidates.append(
            Candidate(where, text[:80], False, "when it was changed" if is_later else "not a later date")
        )
        modified = modified or (moment if is_later else None)
    return modified, candidates


def _moment(text: str, now: datetime) -> datetime | None:
    if len(text) > _SHORT:
        return None
    day = day_in_line(text)
    return parsed_date(text, now) or (believable(noon(day), now) if day else None)


def _guessed(page: Declarations) -> datetime | None:
    """Return what htmldate makes of the page where nothing states a date."""
    if next(islice(page.tree.iter(), _GUESSED_IN, None), None) is not None:
        return None  # it takes time that grows faster than the page
    from trafilatura import extract_metadata  # as in `extract`: the process that gathers does without

    found = extract_metadata(page.tree, default_url=page.url, extensive=False).date
    return parsed_date(found, page.now) if found else None


def _is_of_the_article(element: _Element) -> bool:
    return not any(ancestor.tag in ("aside", "nav", "footer") for ancestor in element.iterancestors())


def _says_published(element: _Element) -> bool:
    told = f"{element.get('itemprop') or ''} {element.get('class') or ''}"
    return element.get("pubdate") is not None or "publish" in told.casefold()


def _says_changed(element: _Element) -> bool:
    told = f"{element.get('itemprop') or ''} {element.get('class') or ''}"
    return bool(_CHANGED.search(told)) and "publish" not in told.casefold()
