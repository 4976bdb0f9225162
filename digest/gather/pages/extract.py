"""One page, one text or one feed entry to an `Article`.

trafilatura finds the article in a page; what it says about itself, its furniture and its published takeaways
are read around it, from the same tree.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element

from digest.domain.articles import Article, Block, BlockKind, DateOrigin, TextOrigin
from digest.domain.errors import DigestError, InvalidInput
from digest.domain.mail import shorten
from digest.gather.encoding import decoded
from digest.gather.feeds.entries import TITLE_MAX, Entry
from digest.gather.feeds.sniff import Kind, described, kind_of
from digest.gather.fetching.fetch import Fetched
from digest.gather.language import language_of
from digest.gather.markup import parsed_page, parsed_text
from digest.gather.pages.blocks import blocks_of
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate, Dropped
from digest.gather.pages.furniture import Hints, hints_of, without_furniture
from digest.gather.pages.highlights import find_highlights, with_highlights
from digest.gather.pages.metadata import read_metadata
from digest.gather.pages.plaintext import plain_text_blocks
from digest.gather.pages.pruning import prune, strip_machinery
from digest.gather.pages.signals import reservation_of, wall_signs, why_partial
from digest.gather.pages.survey import Survey
from digest.gather.plain import plain_line
from digest.gather.urls import canonical_or_none

# It reports every page it gives up on, which an article without blocks says already.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# Characters that a language is told by: more cost time and change no answer.
_SAMPLE = 1500
BYLINE_MAX = 200


class NoArticle(DigestError):
    """What was asked for could be had, and no article is in it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An article and what it rests on: each choice among what the page says, and what was left out.

    `modified_at` is when the page says the article was changed after it was published. `syndicated_from` is
    the address on another site that the page names as its original.
    """

    article: Article
    titles: tuple[Candidate, ...] = ()
    bylines: tuple[Candidate, ...] = ()
    dates: tuple[Candidate, ...] = ()
    images: tuple[Candidate, ...] = ()
    addresses: tuple[Candidate, ...] = ()
    languages: tuple[Candidate, ...] = ()
    signals: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    modified_at: datetime | None = None
    syndicated_from: str | None = None


def read_fetched(fetched: Fetched, *, now: datetime | None = None) -> Article:
    """Return the article of what was fetched or read from a file, as `examine_fetched` does."""
    return examine_fetched(fetched, now=now).article


def examine_fetched(fetched: Fetched, *, now: datetime | None = None) -> Reading:
    """Return the article of what was fetched or read from a file: a page or plain text, told by its content.

    What the server's answer reserves holds where the page itself reserves nothing. Raises `InvalidInput` for
    a feed, and `NoArticle` for what is neither: a PDF document, a picture, nothing.
    """
    reading = _examined(fetched, now)
    if not fetched.reservation or reading.article.reservation:
        return reading
    return replace(
        reading,
        article=replace(reading.article, reservation=fetched.reservation),
        signals=(*reading.signals, fetched.reservation),
    )


def _examined(fetched: Fetched, now: datetime | None) -> Reading:
    match kind_of(fetched.body, fetched.encoding):
        case Kind.HTML:
            return examine_page(fetched.body, url=fetched.url, encoding=fetched.encoding, now=now)
        case Kind.TEXT:
            return examine_plain_text(decoded(fetched.body, fetched.encoding), url=fetched.url)
        case Kind.XML_FEED | Kind.JSON_FEED:
            raise InvalidInput(f"{fetched.url} is a feed, not an article: 'digest inspect feed' reads it")
        case _:
            what = described(fetched.body, fetched.encoding)
            raise NoArticle(f"{fetched.url} is no article: it is {what}; web pages and plain text are read")


def read_page(html: bytes, *, url: str, encoding: str | None = None, now: datetime | None = None) -> Article:
    """Return the article of the page fetched from `url` (after redirects).

    `encoding` is the transport's charset. The article's `url` is the page's canonical one when that can be
    believed. A page without an article gives one without blocks, never an error.
    """
    return examine_page(html, url=url, encoding=encoding, now=now).article


def examine_page(
    html: bytes, *, url: str, encoding: str | None = None, now: datetime | None = None
) -> Reading:
    """Return the article of a page as `read_page` does, with what it rests on."""
    tree = parsed_page(html, encoding)
    page = Declarations(tree, url, now or datetime.now(UTC))
    cut = strip_machinery(tree)
    survey = Survey(tree)
    about = read_metadata(page, survey)
    reservation = reservation_of(page)
    hints, highlights = hints_of(tree, survey), find_highlights(tree, survey)
    pruned = prune(tree, survey)
    title = about.title or _title_of((), url)
    blocks, sifted = without_furniture(
        _main_blocks(tree, url), title=title, hints=hints, authors=about.authors
    )
    blocks = with_highlights(blocks, highlights)
    why_cut = why_partial(page, blocks, lambda: parsed_page(html, encoding))
    detected = language_of(_sample(blocks), about.language)
    published_at = about.dates.published_at
    article = Article(
        url=about.address.url,
        title=shorten(about.title or _title_of(blocks, url), TITLE_MAX),
        blocks=blocks,
        language=detected,
        published_at=published_at,
        published_by=DateOrigin.PAGE if published_at else DateOrigin.FIRST_SEEN,
        byline=shorten(", ".join(about.authors), BYLINE_MAX) or None,
        site_name=about.site_name,
        image=about.image,
        text_origin=TextOrigin.PAGE,
        categories=about.categories,
        is_partial=bool(why_cut),
        reservation=reservation,
    )
    return Reading(
        article,
        titles=about.titles,
        bylines=about.bylines,
        dates=about.dates.candidates,
        images=about.images,
        addresses=about.address.claims,
        languages=(*about.languages, *_detected(detected, about.language)),
        signals=tuple(filter(None, (why_cut, *(() if why_cut else wall_signs(page)), reservation))),
        dropped=(*cut, *pruned, *sifted),
        modified_at=about.dates.modified_at,
        syndicated_from=about.address.syndicated_from,
    )


def _detected(language: str | None, declared: str | None) -> tuple[Candidate, ...]:
    """Return what the text itself reads like, where that decided."""
    if language is None or language == declared:
        return ()
    return (Candidate("the text itself", language, True, "it plainly reads as that" if declared else ""),)


def read_plain_text(text: str, *, url: str) -> Article:
    """Return the article that a page saved as plain text holds."""
    return examine_plain_text(text, url=url).article


def examine_plain_text(text: str, *, url: str) -> Reading:
    """Return the article of a plain text as `read_plain_text` does, with what it rests on."""
    title, found = plain_text_blocks(text)
    blocks, dropped = without_furniture(found, title=title)
    detected = language_of(_sample(blocks))
    article = Article(
        url=canonical_or_none(url) or url,
        title=shorten(title or _title_of(blocks, url), TITLE_MAX),
        blocks=blocks,
        language=detected,
    )
    titles = (Candidate("the first line", title, True, "it reads like no sentence"),) if title else ()
    return Reading(article, titles=titles, languages=_detected(detected, None), dropped=dropped)


def read_entry(entry: Entry, *, feed_language: str | None = None) -> Article:
    """Return the article as its feed tells it: the whole text in some feeds, a sentence or two in others."""
    tree = parsed_text(entry.html)
    strip_machinery(tree)
    survey = Survey(tree)
    hints = Hints(linked=hints_of(tree, survey).linked)
    highlights = find_highlights(tree, survey)
    body = tree.find("body")
    found = blocks_of(tree if body is None else body)
    kept, _ = without_furniture(found, title=entry.title, hints=hints)
    blocks = with_highlights(kept, highlights)
    return Article(
        url=entry.url,
        title=entry.title,
        blocks=blocks,
        language=language_of(_sample(blocks), entry.language or feed_language),
        published_at=entry.published_at,
        published_by=DateOrigin.FEED if entry.published_at else DateOrigin.FIRST_SEEN,
        byline=entry.author,
        image=entry.image,
        text_origin=TextOrigin.FEED,
        categories=entry.categories,
    )


def _main_blocks(tree: _Element, url: str) -> tuple[Block, ...]:
    """Return what trafilatura takes for the article; of a page too short for it, all that is in `main`."""
    # Imported where it is used: the process that gathers has its pages read by others, and saves 12 MB.
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    document = bare_extraction(tree, url=url, include_comments=False, include_tables=True)
    if isinstance(document, Document) and document.body is not None:
        return blocks_of(document.body)
    main = next(tree.iter("article", "main"), None)
    return () if main is None else blocks_of(main)


def _title_of(blocks: tuple[Block, ...], url: str) -> str:
    """Return a title for what has none: its first heading, its first words, or the end of its address."""
    heading = next((block.text for block in blocks if block.kind is BlockKind.HEADING), "")
    if heading or blocks:
        return heading or shorten(blocks[0].text, 80)
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]).partition(".")[0]
    return plain_line(name.replace("-", " ").replace("_", " ")).capitalize() or parts.netloc or url


def _sample(blocks: tuple[Block, ...]) -> str:
    """Return enough of the running text to tell its language by; names in headings and lists mislead."""
    paragraphs = [block.text for block in blocks if block.kind is BlockKind.PARAGRAPH]
    return " ".join(paragraphs or [block.text for block in blocks])[:_SAMPLE]
