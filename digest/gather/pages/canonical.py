"""Which address is an article's own: what its page claims, and whether that can be believed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate
from digest.gather.urls import canonical_or_none, comparison_key, joined, same_site

_LANGUAGE_PART = re.compile(r"[a-z]{2}(?:-[a-z]{2})?", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{4,}")
_NUMBER = re.compile(r"\d{5,}")
_PREFIX = 4
_INDEX = re.compile(r"/(?:index|default)\.\w{2,5}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """An article's address and what it was chosen from.

    `syndicated_from` is the address on another site that the page names as its original, None without one:
    it is not believed as the article's own, since anyone can write it, but tells that both are one story.
    """

    url: str
    claims: tuple[Candidate, ...]
    syndicated_from: str | None


def address_of(page: Declarations, title: str) -> Address:
    """Return the address the page gives itself when it is plausible, else the one it was fetched from."""
    own = canonical_or_none(page.url)
    if own is None:
        return Address(page.url, (), None)
    claims: list[Candidate] = []
    believed, elsewhere = own, None
    for where, link in _claimed(page):
        named = own if link == own else joined(page.base, link)
        doubt = "it is not an http(s) address" if named is None else _doubt(own, named, title)
        is_believed = not doubt and not any(claim.is_believed for claim in claims)
        claims.append(Candidate(where, named or link[:200], is_believed, doubt))
        if named and is_believed:
            believed = named
        elif named and doubt == _OTHER_SITE:
            elsewhere = elsewhere or named
    fetched = Candidate("where it was fetched", own, believed is own)
    return Address(believed, (*claims, fetched), elsewhere)


_OTHER_SITE = "it is on another site: the original of a syndicated article, perhaps"


def _claimed(page: Declarations) -> list[tuple[str, str]]:
    links = [("link rel=canonical", link) for link in page.links("canonical")]
    return [*links[:5], *(("meta og:url", link) for link in page.all("og:url")[:2])]


def _doubt(own: str, named: str, title: str) -> str:
    """Return why a claimed address is not believed, '' when it is."""
    if own == named:
        return ""
    if not same_site(own, named):
        return _OTHER_SITE
    if comparison_key(own) == comparison_key(named):
        return ""
    path, other = (_INDEX.sub("/", urlsplit(url).path) for url in (own, named))
    if other == "/":
        is_front = not urlsplit(named).query and path != "/"
        return "it is the site's front page" if is_front else ""
    if path.startswith(other.rstrip("/") + "/") and not _is_variant(path, other):
        return "it is the section that the article is in"
    if _is_other_language(path, other):
        return "it is the same in another language"
    return "" if _about_the_same(own, named, title) else "it shares nothing with the title or the address"


def _is_variant(path: str, other: str) -> bool:
    """Say whether what `path` has more than `other` is a way to show it: `/amp`, `/print`, `/2`."""
    rest = path[len(other.rstrip("/")) :].strip("/").casefold()
    return bool(re.fullmatch(r"amp|amp\.html|print|mobile|\d{1,2}|page/\d{1,2}", rest))


def _is_other_language(path: str, other: str) -> bool:
    first, second = (part.strip("/").partition("/")[0] for part in (path, other))
    both = _LANGUAGE_PART.fullmatch(first) and _LANGUAGE_PART.fullmatch(second)
    return bool(both) and first[:2].casefold() != second[:2].casefold()


def _about_the_same(own: str, named: str, title: str) -> bool:
    """Say whether an address can be of this article: a word or a number in common, or none to compare."""
    words = _words(_slug(named))
    known = _words(_slug(own)) | _words(title)
    if not words or not known or words & known:
        return True
    return not set(_NUMBER.findall(own)).isdisjoint(_NUMBER.findall(named))


def _slug(url: str) -> str:
    """Return the longest part of a path: what names the article."""
    return max(unquote(urlsplit(url).path).split("/"), key=len)


def _words(text: str) -> set[str]:
    """Return the beginnings of a text's Latin words, without accents; 'ü' may be written 'ue'."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_SPELT_OUT))
    return {word[:_PREFIX] for word in _WORD.findall(folded.encode("ascii", "ignore").decode())}


_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"})
