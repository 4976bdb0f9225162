"""The newsroom's feeds: RSS 2.0 with summaries, Atom (RFC 4287) with whole texts, JSON Feed with openings."""

from __future__ import annotations

import html
import json
from email.utils import format_datetime
from xml.etree import ElementTree

from digest.demo.newsroom.catalogue import Catalogue, Published
from digest.demo.newsroom.sites import Site

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

ElementTree.register_namespace("", _ATOM)
ElementTree.register_namespace("dc", _DC)
ElementTree.register_namespace("media", _MEDIA)


def rss(catalogue: Catalogue, site: Site) -> bytes:
    """Return the site's RSS 2.0 feed: titles, summaries and categories, no text. Links carry tracking."""
    root = ElementTree.Element("rss", version="2.0")
    channel = _child(root, "channel")
    _child(channel, "title", site.name)
    _child(channel, "link", catalogue.base_url + site.path)
    _child(channel, "description", site.tagline)
    _child(channel, "language", "en")
    for entry in catalogue.listed_by(site):
        _rss_item(channel, entry, site)
    return _document(root)


def _rss_item(channel: ElementTree.Element, entry: Published, site: Site) -> None:
    article = entry.article
    item = _child(channel, "item")
    _child(item, "title", article.title)
    _child(item, "link", entry.url_from(site))
    _child(item, "guid", f"{entry.site.slug}:{article.slug}", isPermaLink="false")
    _child(item, "pubDate", format_datetime(entry.published_at))
    _child(item, "description", article.summary)
    _child(item, f"{{{_DC}}}creator", article.byline)
    _child(item, f"{{{_DC}}}language", article.language)
    for category in article.categories:
        _child(item, "category", category)
    _child(item, f"{{{_MEDIA}}}content", url=entry.image_url, medium="image", type="image/png")


def atom(catalogue: Catalogue, site: Site) -> bytes:
    """Return the site's Atom feed, each entry with its whole text as HTML. Titles are plain text."""
    root = ElementTree.Element(f"{{{_ATOM}}}feed", {_XML_LANG: "en"})
    home = catalogue.base_url + site.path
    entries = catalogue.listed_by(site)
    _atom(root, "id", home)
    _atom(root, "title", site.name)
    _atom(root, "subtitle", site.tagline)
    _atom(root, "updated", entries[0].published_at.isoformat())
    _atom(root, "link", href=home, rel="alternate", type="text/html")
    _atom(root, "link", href=catalogue.base_url + site.index_path, rel="self", type="application/atom+xml")
    for entry in entries:
        _atom_entry(root, entry, site)
    return _document(root)


def _atom_entry(feed: ElementTree.Element, entry: Published, site: Site) -> None:
    article = entry.article
    element = _atom(feed, "entry")
    element.set(_XML_LANG, article.language)
    _atom(element, "id", f"tag:example.org,{entry.published_at:%Y}:{entry.site.slug}/{article.slug}")
    _atom(element, "title", article.title)
    _atom(element, "link", href=entry.url_from(site), rel="alternate", type="text/html")
    _atom(element, "published", entry.published_at.isoformat())
    _atom(element, "updated", entry.published_at.isoformat())
    _atom(_atom(element, "author"), "name", article.byline)
    for category in article.categories:
        _atom(element, "category", term=category)
    _atom(element, "summary", article.summary)
    _atom(element, "content", _whole_text(entry), type="html")


def json_feed(catalogue: Catalogue, site: Site) -> bytes:
    """Return the site's JSON Feed (jsonfeed.org/version/1.1), each item with its opening only."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.name,
        "description": site.tagline,
        "home_page_url": catalogue.base_url + site.path,
        "feed_url": catalogue.base_url + site.index_path,
        "language": "en",
        "items": [_json_item(entry, site) for entry in catalogue.listed_by(site)],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _json_item(entry: Published, site: Site) -> dict[str, object]:
    article, url = entry.article, entry.url_from(site)
    return {
        "id": f"{entry.site.slug}/{article.slug}",
        "url": url,
        "title": article.title,
        "summary": article.summary,
        "content_html": f'{entry.body[0]}\n<p><a href="{html.escape(url)}">Continue reading</a></p>',
        "image": entry.image_url,
        "date_published": entry.published_at.isoformat(),
        "authors": [{"name": article.byline}],
        "tags": list(article.categories),
        "language": article.language,
    }


def _whole_text(entry: Published) -> str:
    article = entry.article
    figure = (
        f'<figure><img src="{entry.image_url}" alt="{html.escape(article.alt)}">'
        f"<figcaption>{html.escape(article.caption)}</figcaption></figure>"
    )
    bullets = "".join(f"<li>{html.escape(takeaway)}</li>" for takeaway in article.takeaways)
    takeaways = f"<h3>{article.takeaways_heading}</h3><ul>{bullets}</ul>" if bullets else ""
    return "\n".join((figure, takeaways, *entry.body))


def _child(
    parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _atom(
    parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str
) -> ElementTree.Element:
    return _child(parent, f"{{{_ATOM}}}{tag}", text, **attributes)


def _document(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root, " ")
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document
