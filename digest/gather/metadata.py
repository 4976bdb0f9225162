"""What a page says about itself: title, author, day, address, language, picture, labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import _Element
from trafilatura import extract_metadata

from digest.domain.articles import Image
from digest.gather.dates import parsed_date
from digest.gather.entries import labels
from digest.gather.jsonld import ArticleData
from digest.gather.language import iso_639_1
from digest.gather.markup import base_of, text_of
from digest.gather.plain import comparable, plain_from_html, plain_line
from digest.gather.titles import page_title
from digest.gather.urls import canonical_or_none, is_http_url, joined, same_site

_DATES = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "pubdate",
    "publish-date",
    "publication_date",
    "dc.date.issued",
    "dcterms.created",
    "dc.date",
    "date",
)
_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl")
_CATEGORIES = (
    "article:section",
    "article:tag",
    "articlesection",
    "parsely-section",
    "news_keywords",
    "keywords",
)
_BYLINE = re.compile(r"^(?:by|von|par|por|di|door|av)[: ]+", re.IGNORECASE)
# File names of what sites show when an article has no picture of its own.
_NO_PICTURE = re.compile(
    r"logo|placeholder|favicon|sprite|(?<![a-z])(?:default|blank)(?![a-z])", re.IGNORECASE
)
_TRAILING_ROLE = re.compile(r"\s*[|•·]\s.*$")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says about itself; None, '' and empty where it says nothing that can be believed.

    `url` is canonical and of the page's own site. `language` is declared, not yet checked against the text.
    """

    url: str
    title: str = ""
    byline: str | None = None
    published_at: datetime | None = None
    site_name: str | None = None
    language: str | None = None
    image: Image | None = None
    categories: tuple[str, ...] = ()


def read_metadata(tree: lxml_html.HtmlElement, *, url: str, now: datetime) -> Metadata:
    """Return what the page fetched from `url` says about itself. `tree` is left as it is."""
    return _Reading(tree, url, now).metadata()


class _Reading:
    """The page's declarations, each looked up in falling order of trust."""

    def __init__(self, tree: lxml_html.HtmlElement, url: str, now: datetime) -> None:
        self._tree, self._url, self._now = tree, url, now
        self._base = base_of(tree, url)
        self._meta = _declarations(tree)
        self._article = ArticleData(tree)

    def metadata(self) -> Metadata:
        site_name = self._site_name()
        return Metadata(
            url=self._canonical(),
            title=self._title(site_name),
            byline=self._byline(site_name),
            published_at=self._published_at(),
            site_name=site_name,
            language=self._language(),
            image=self._image(),
            categories=self._categories(),
        )

    def _first(self, *names: str) -> str:
        return next((value for name in names for value in self._meta.get(name, ()) if value), "")

    def _canonical(self) -> str:
        """Return the address the page gives itself, if it is of the same site and not the front page."""
        own = canonical_or_none(self._url)
        if own is None:
            return self._url
        links = [e.get("href") or "" for e in self._tree.iter("link") if "canonical" in _words(e.get("rel"))]
        for link in [*links, self._first("og:url")]:
            named = joined(self._base, link) if link else None
            if named and same_site(own, named) and (named.count("/") > 3 or not _is_front(named)):
                return named
        return own

    def _title(self, site_name: str | None) -> str:
        head = self._tree.find(".//head/title")
        return page_title(
            declared=[
                self._article.text("headline"),
                self._first("og:title", "twitter:title", "dc.title", "parsely-title"),
                text_of(head) if head is not None else "",
            ],
            headings=[text_of(heading) for heading in self._tree.iter("h1")],
            site=site_name or "",
        )

    def _byline(self, site_name: str | None) -> str | None:
        named = self._article.texts("author") or [
            author
            for name in _AUTHORS
            for author in self._meta.get(name, ())
            if not author.startswith("http")
        ]
        cleaned = [_person(name) for name in named or [_marked_author(self._tree)]]
        people = list(dict.fromkeys(name for name in cleaned if name and name != site_name))
        return ", ".join(people[:5])[:200] or None

    def _published_at(self) -> datetime | None:
        for text in self._dates():
            moment = parsed_date(text, self._now)
            if moment:
                return moment
        guessed = extract_metadata(self._tree, default_url=self._url, extensive=False).date
        return parsed_date(guessed, self._now) if guessed else None

    def _dates(self) -> Iterator[str]:
        yield from self._article.texts("datePublished")
        yield self._first(*_DATES)
        times = [e.get("datetime") or "" for e in self._tree.iter("time") if _is_of_the_article(e)]
        yield next((text for text in times if text), "")

    def _site_name(self) -> str | None:
        name = self._first("og:site_name", "application-name") or self._article.text("publisher")
        return plain_from_html(name)[:100] or None

    def _language(self) -> str | None:
        declared = [self._tree.get("lang") or "", self._first("og:locale", "content-language", "dc.language")]
        return next(
            (code for text in [*declared, self._article.text("inLanguage")] if (code := iso_639_1(text))),
            None,
        )

    def _image(self) -> Image | None:
        named = [*self._meta.get("og:image:secure_url", ()), *self._meta.get("og:image", ())]
        named += [*self._meta.get("twitter:image", ()), *self._article.urls("image")]
        for link in named:
            url = _picture_url(self._base, link)
            if url:
                alt = self._first("og:image:alt", "twitter:image:alt") or self._alt_of(url)
                return Image(url, plain_from_html(alt)[:300])
        return None

    def _alt_of(self, url: str) -> str:
        """Return the alternative text of the same file where the page shows it, in whatever size."""
        file = _file_name(url)
        shown = (e for e in self._tree.iter("img") if file and file in (e.get("src") or ""))
        return next((alt for image in shown if (alt := image.get("alt"))), "")

    def _categories(self) -> tuple[str, ...]:
        found = [value for name in _CATEGORIES for value in self._meta.get(name, ())]
        found += [*self._article.texts("articleSection"), *self._article.texts("keywords")]
        return labels([part for value in found for part in re.split(r"[,;]", value)])


def _declarations(tree: _Element) -> dict[str, list[str]]:
    """Return the page's `<meta>` values by lower-case name, in page order."""
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        name = (
            element.get("property")
            or element.get("name")
            or element.get("itemprop")
            or element.get("http-equiv")
        )
        content = plain_line(element.get("content") or "")
        if name and content:
            found.setdefault(name.lower().strip(), []).append(content)
    return found


def _marked_author(tree: _Element) -> str:
    marked = tree.xpath(
        "(//*[@itemprop='author'] | //a[@rel='author'] | //*[contains(concat(' ', @class, ' '), ' byline ')]"
        " | //*[contains(concat(' ', @class, ' '), ' author ')])[1]"
    )
    return (
        text_of(marked[0]) if isinstance(marked, list) and marked and isinstance(marked[0], _Element) else ""
    )


def _person(name: str) -> str:
    """Return a person's name out of a byline, '' when it is too long, an address or a number."""
    name = _TRAILING_ROLE.sub("", _BYLINE.sub("", plain_from_html(name)))
    is_name = 0 < len(name.split()) <= 12 and not re.search(r"https?:|@|^\d+$", name)
    return name if is_name and comparable(name) not in ("admin", "editor", "staff") else ""


def _file_name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _picture_url(base: str, link: str) -> str | None:
    """Return a picture's absolute URL as it is written: a signed query would not survive canonical form."""
    try:
        url = urljoin(base, link.strip())
    except ValueError:
        return None
    return url if is_http_url(url) and not _NO_PICTURE.search(_file_name(url)) else None


def _is_of_the_article(element: _Element) -> bool:
    return not any(ancestor.tag in ("aside", "nav", "footer") for ancestor in element.iterancestors())


def _is_front(url: str) -> bool:
    return url.endswith("/") and url.count("/") == 3


def _words(value: str | None) -> list[str]:
    return (value or "").lower().split()
