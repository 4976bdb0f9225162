"""An article's takeaways: the publisher's own when it printed some, else sentences of the article."""

from __future__ import annotations

from digest.condense.candidates import find_candidates
from digest.condense.language import get_language
from digest.condense.publisher import find_published
from digest.domain.articles import Article, Condensed, Style

MOST_PUBLISHED = 5
"""A publisher's list is taken as it stands up to here, even where fewer takeaways were asked for."""


def condense_article(
    article: Article, *, count: int = 3, max_words: int = 35, style: Style = Style.NEUTRAL
) -> Condensed:
    """Return the takeaways of an article, the same ones every time, or the reason there are none.

    The publisher's are word for word and in its order, whatever their length. Extracted ones are at most
    `count` sentences of at most `max_words` words, in the order of the article: fewer when the article is
    short, each with the whole sentence as its support. `style` prefers some sentences to others (see
    `styles`); it never leaves an article without takeaways. Raises `ValueError` when either limit is below 1.
    """
    if count < 1 or max_words < 1:
        raise ValueError(f"count={count}, max_words={max_words}: both must be at least 1")
    from digest.condense.extractive import extract  # numpy is for those who choose sentences

    takeaways = find_published(article)[: max(count, MOST_PUBLISHED)]
    takeaways = takeaways or extract(article, count=count, max_words=max_words, style=style)
    return Condensed(takeaways, None if takeaways else _why_none(article, max_words))


def _why_none(article: Article, max_words: int) -> str:
    if not article.text.strip():
        return "the article has no text"
    if find_candidates(article, get_language(article.language)):
        return f"every sentence of the article is longer than {max_words} words"
    return (
        "the text has no full sentence of news: only headings, captions, quotations or notes about the page"
    )
