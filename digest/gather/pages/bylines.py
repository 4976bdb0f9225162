"""Who wrote an article: the people among all that a page names as its authors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lxml.etree import _Element

from digest.gather.markup import beginning_of
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate
from digest.gather.plain import comparable, plain_from_html

MOST = 8

_META = re.compile(r"(?:^|[.:_-])(?:authors?|byl|byline|creator)(?:[._-]?names?)?$")
_NOT_META = re.compile(r"^twitter:|^generator")
_BY = re.compile(
    r"^(?:(?:written|reported|words|story|text) by|by|von|par|por|di|de|door|av|af|texte?"
    r"|autor(?:in)?|auteur)[: ]+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*[;|•·/]\s*|\s+(?:and|und|et|y|e|en|och|og|with)\s+|\s*&\s*", re.IGNORECASE)
_ROLE = re.compile(
    r"\b(?:correspondent|editor|reporter|writer|columnist|producer|journalist|critic|chief|bureau|contributor"
    r"|contributing|analyst|desk|staff|redakt\w*|korrespondent\w*|rédact\w*|journaliste|periodista"
    r"|corresponsal"
    r"|redacci[oó]n|redazione|redação|redactie|giornalista|author|team|newsroom|news|reporters?"
    r"|updated|published"
    r"|follow|watch|email|photograph\w*)\b",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"(?:the )?(?:admin\w*|web ?master|guest|staff|editors?|editorial(?: board| team| staff)?"
    r"|newsroom|anonymous"
    r"|unknown|none|null|n/?a|agenc(?:y|ies)|reuters|(?:the )?associated press|ap(?: news)?|afp|dpa"
    r"|efe|ansa|epa"
    r"|pa(?: media)?|press association|bloomberg|agence france[- ]presse|redaktion|redacción|rédaction"
    r"|la rédaction|redazione|redação|redactie|user\d*|author|by)",
    re.IGNORECASE,
)
_LEADING_ARTICLE = re.compile(r"^(?:the|der|die|das|la|le|les|el|los|il|het)\s", re.IGNORECASE)
_UNLIKE_A_NAME = re.compile(r"https?:|www\.|@|\d|[{}<>=_#]|\.(?:com|org|net)\b", re.IGNORECASE)
_MARKED = (
    ".//*[@itemprop='author']",
    ".//a[@rel='author' or contains(@class, 'author-name') or contains(@class, 'byline-link')]",
    ".//*[contains(concat(' ', normalize-space(@class), ' '), ' byline ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' author ') or @data-testid='byline']",
)
_LINE_MOST = 160


def authors_of(page: Declarations, site: str) -> tuple[tuple[str, ...], tuple[Candidate, ...]]:
    """Return the people who wrote a page's article, in the page's order, and what they were chosen from.

    `site` is the site's name, which is nobody's. Empty when only an organisation, or nobody, is named. The
    surest place with people in it is believed, unless another one names the same and more.
    """
    site = comparable(site)
    places = [(where, tuple(named), people_in(named, site)) for where, named in _named(page, site)]
    believed: tuple[str, ...] = ()
    for _, _, people in places:
        if not believed or set(map(comparable, people)) > set(map(comparable, believed)):
            believed = people
    candidates = []
    for where, named, people in places:
        why = "" if people else "it names no person"
        is_believed = bool(people) and people == believed
        candidates.append(Candidate(where, ", ".join(named)[:200], is_believed, why))
    return believed[:MOST], tuple(candidates)


def people_in(names: Iterable[str], site: str = "") -> tuple[str, ...]:
    """Return the people that lines such as "By Ada Berg and Kim Lee, Staff Writer" name, each once."""
    people = [_person(part) for name in names for part in _parts(plain_from_html(name[:1000]))]
    kept: dict[str, str] = {}
    for person in people:
        if person and comparable(person) != site:
            kept.setdefault(comparable(person), person)
    return tuple(kept.values())


def _named(page: Declarations, site: str) -> list[tuple[str, list[str]]]:
    """Return where somebody is named, and who; the surest place first."""
    creators = page.article.creators()
    found = [("JSON-LD author", [who.name for who in creators if not who.is_organisation])]
    # Beside an article that its organisation signs, the plain `author` of every page is the publisher.
    is_signed = bool(creators) and all(comparable(who.name) == site for who in creators)
    vague = {"author"} if is_signed else set()
    found += [
        (f"meta {name}", page.all(name))
        for name in page.names()
        if name not in vague and _META.search(name) and not _NOT_META.search(name)
    ]
    if not is_signed and not any(people_in(names) for _, names in found):
        found.append(("the byline", _marked(page.tree)))
    return [(where, names) for where, names in found if names]


def _marked(tree: _Element) -> list[str]:
    """Return what the page marks as its author, the names of one place: other places are other articles."""
    for path in _MARKED:
        elements = tree.xpath(path)
        if isinstance(elements, list) and elements and isinstance(elements[0], _Element):
            beside = elements[0].getparent()
            lines = [e for e in elements[:20] if isinstance(e, _Element) and e.getparent() is beside]
            return [beginning_of(line, _LINE_MOST) for line in lines]
    return []


def _parts(line: str) -> Sequence[str]:
    """Return the names in a line. "Ortega y Gasset" is one: around a word that joins stand whole names."""
    line = _BY.sub("", line)
    parts: list[str] = []
    for part in re.split(r"\s*[,;|•·/]\s*", line):
        pieces = [piece for piece in _BETWEEN.split(part) if piece]
        whole = len(pieces) > 1 and all(len(piece.split()) > 1 for piece in pieces)
        parts += pieces if whole else [part]
    return parts


def _person(name: str) -> str:
    """Return a person's name, '' for a role, an organisation, an address or a number."""
    name = _BY.sub("", name).strip(" .:-–—*")
    if not 2 <= len(name) <= 60 or len(name.split()) > 6 or _UNLIKE_A_NAME.search(name):
        return ""
    if _NOBODY.fullmatch(name) or _ROLE.search(name) or _LEADING_ARTICLE.match(name):
        return ""
    return name if name[0].isupper() or not name[0].isascii() or " " in name else ""
