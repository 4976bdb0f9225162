"""What an article may be used for: takeaways and link, or headline and link only."""

from __future__ import annotations

from collections.abc import Mapping

from digest.domain.articles import Article
from digest.domain.sources import Excerpt, Source
from digest.store.articles import StoredArticle


def why_reserved(article: Article) -> str | None:
    """Say by what its publisher reserves an article, or None when nothing of the kind was read."""
    if article.reservation:
        return f"its publisher reserves it ({article.reservation}): headline and link only"
    return None


def why_headline_only(
    stored: StoredArticle, sources: Mapping[str, Source], original: StoredArticle | None = None
) -> str | None:
    """Say why an article is for headline and link only, or None when takeaways may be made of it.

    Its publisher may reserve it, or the editor agreed with a source that lists it on no more than that.
    `sources` are by name, with those that were removed. Terms belong to the text: a copy is used as its
    `original` is, wherever it stands.
    """
    why = _why(stored, sources)
    if why is None and original is not None and (whose := _why(original, sources)):
        return f"a copy of {original.article.url}: {whose}"
    return why


def _why(stored: StoredArticle, sources: Mapping[str, Source]) -> str | None:
    limiting = (name for name in stored.sources if name in sources and _is_headline(sources[name]))
    said = next((f"{name} is used for headline and link only" for name in limiting), None)
    return why_reserved(stored.article) or said


def _is_headline(source: Source) -> bool:
    return source.excerpt is Excerpt.HEADLINE
