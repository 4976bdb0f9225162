"""All editions of an issue checked together: each piece read once, however many editions it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from digest.compose.checks.addresses import check_alt_texts
from digest.compose.checks.facts import Facts, Picture, facts_of, joined, own_pages
from digest.compose.checks.findings import Finding
from digest.compose.checks.page import ONLINE_ONLY, Whole, check_opening, check_piece, check_whole
from digest.compose.checks.seen import Seen, see_opening, see_piece
from digest.compose.checks.wording import of_a_topic, placeholders_in
from digest.domain.clicks import ArticleLink, target_of
from digest.domain.issues import Edition
from digest.domain.mail import (
    Assembly,
    Fragment,
    Page,
    RenderedIssue,
    Token,
    assemble,
    layout_of,
    page_for,
    shorten,
)
from digest.domain.topics import TopicSlug


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding, and in how many editions for how many readers; both 0 where it concerns the issue itself."""

    finding: Finding
    editions: int = 0
    readers: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """A link's or picture's address, whose articles' it is, in how many editions, for how many readers."""

    url: str
    where: tuple[str, ...]
    editions: int
    readers: int


@dataclass(frozen=True, slots=True)
class CheckedEditions:
    """What was found, the worst first, and the addresses that the editions hold, in their order.

    `links` are those to others' pages, `own` those to ours. `pictures` keeps how each address is shown;
    `sums` are, for each edition, the addresses of its pictures.
    """

    findings: tuple[Reported, ...]
    links: tuple[Address, ...]
    pictures: Mapping[Picture, Address]
    sums: tuple[frozenset[str], ...]
    own: tuple[str, ...]


def check_editions(
    issue: RenderedIssue, readers: Mapping[Edition, int], personal: Mapping[Token, str]
) -> CheckedEditions:
    """Return what is wrong with each of these editions, gathered over all of them.

    They are the very pages the send path makes, with `personal` in the readers' places.
    """
    pieces = _Pieces(issue, personal)
    gathered = _Gathered()
    for edition, count in readers.items():
        pieces.check(edition, count, gathered)
    pictures = gathered.pictures
    for picture, address in list(pictures.items()):
        for found in check_alt_texts([(picture.url, picture.alt)]):
            gathered.report(replace(found, where=_listed(address.where)), address.editions, address.readers)
    return CheckedEditions(
        findings=by_severity(gathered.findings()),
        links=tuple(gathered.links.values()),
        pictures=pictures,
        sums=tuple(gathered.sums),
        own=tuple(gathered.own),
    )


def by_severity(findings: Iterable[Reported]) -> tuple[Reported, ...]:
    """Return findings worst first, and of those equally bad what concerns most readers first."""
    return tuple(sorted(findings, key=lambda one: (one.finding.severity.rank, -one.readers)))


def _listed(where: Sequence[str]) -> str:
    return "; ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")


@dataclass(slots=True)
class _Gathered:
    """What was found so far. Findings that say the same, or of one kind, are one."""

    links: dict[str, Address] = field(default_factory=dict)
    pictures: dict[Picture, Address] = field(default_factory=dict)
    sums: list[frozenset[str]] = field(default_factory=list)
    own: dict[str, None] = field(default_factory=dict)
    _told: dict[object, Reported] = field(default_factory=dict)

    def report(self, finding: Finding, editions: int, readers: int) -> None:
        key = (finding.severity, finding.kind) if finding.kind else finding
        known = self._told.get(key)
        if known is None:
            self._told[key] = Reported(finding, editions, readers)
            return
        worse = max(known.finding, finding, key=lambda one: one.degree)
        self._told[key] = Reported(worse, known.editions + editions, known.readers + readers)

    def findings(self) -> Iterator[Reported]:
        yield from self._told.values()


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a piece holds and what is wrong with it by itself; `place` is '' for what every edition has."""

    place: str
    facts: Facts
    findings: tuple[Finding, ...]


class _Pieces:
    """An issue's pieces, each looked at when the first edition has it."""

    def __init__(self, issue: RenderedIssue, personal: Mapping[Token, str]) -> None:
        self._issue = issue
        self._personal = personal
        self._places = _places(issue)
        self._placeholders = _placeholders(issue)
        self._opening: Seen | None = None
        self._looked: dict[Fragment, _Looked] = {}

    def check(self, edition: Edition, readers: int, gathered: _Gathered) -> None:
        assembly = assemble(self._issue, edition)
        page = page_for(assembly, self._personal)
        looked = [self._look(piece, assembly) for piece in assembly.pieces]
        facts = joined(piece.facts for piece in looked)
        found = {finding: None for piece in looked for finding in piece.findings}
        found |= dict.fromkeys(check_whole(_whole(page, assembly, facts, self._issue.links)))
        for finding in found:
            if finding.kind != ONLINE_ONLY or self._lacks_room(edition):
                gathered.report(finding, 1, readers)
        gathered.sums.append(frozenset(picture.url for picture in facts.pictures))
        _gather_addresses(looked, readers, gathered)

    def _lacks_room(self, edition: Edition) -> bool:
        """Whether articles are online only though their readers want them by mail."""
        layout = layout_of(self._issue, edition)
        return any(layout[position] is None for position in edition.wanted)

    def _look(self, piece: Fragment, assembly: Assembly) -> _Looked:
        # Its first edition's subject and counts stand in it: no check of a piece asks what they are.
        if piece not in self._looked:
            self._looked[piece] = self._read(piece, replace(assembly, pieces=(piece,)))
        return self._looked[piece]

    def _read(self, piece: Fragment, alone: Assembly) -> _Looked:
        filled = page_for(alone, self._personal)
        place = self._places.get(id(piece), "")
        if self._opening is None or piece is self._issue.opening:
            seen = self._opening = see_opening(filled.html, filled.text)
            findings = [*check_opening(seen), *check_piece(seen)]
        else:
            is_last = piece in (self._issue.closing, self._issue.measured)
            seen = see_piece(filled.html, filled.text, self._opening, is_last=is_last)
            findings = [*check_piece(seen)]
        placed = [self._placed(finding, place) for finding in findings]
        return _Looked(place, self._leading(facts_of(seen.found)), tuple(dict.fromkeys(placed)))

    def _leading(self, facts: Facts) -> Facts:
        """Return facts whose counted links are those of their articles: it is them that editors can judge."""
        links = self._issue.links
        if not links:
            return facts
        return replace(
            facts, links=tuple(replace(link, url=target_of(link.url, links)) for link in facts.links)
        )

    def _placed(self, finding: Finding, place: str) -> Finding:
        if topic := self._placeholders.get(finding.kind):
            return of_a_topic(finding.kind, topic)
        return replace(finding, where=place or finding.where, kind="")


def _placeholders(issue: RenderedIssue) -> dict[str, TopicSlug]:
    """Return the placeholders that topics' names hold, as their headings say them, and whose they are."""
    return {name: topic for topic, piece in issue.sections.items() for name in placeholders_in(piece.text)}


def _places(issue: RenderedIssue) -> dict[int, str]:
    """Return what the articles' pieces are called, by identity: it holds as long as `issue` does."""
    return {
        id(piece): f"'{shorten(issue.titles[int(key.partition(':')[0])], 60)}'"
        for pieces in (issue.items, issue.compact, issue.headlines)
        for key, piece in pieces.items()
    }


def _whole(page: Page, assembly: Assembly, facts: Facts, links: Mapping[str, ArticleLink]) -> Whole:
    words = page.text.split()
    return Whole(
        subject=page.subject,
        preheader=assembly.values[Token.PREHEADER] if "preheader" in facts.said else None,
        size=len(page.html.encode()),
        facts=facts,
        words=frozenset(target_of(word, links) for word in words) if links else frozenset(words),
    )


def _gather_addresses(pieces: Iterable[_Looked], readers: int, gathered: _Gathered) -> None:
    """Add what one edition links to and shows. What it has twice is counted once."""
    links: dict[str, list[str]] = {}
    pictures: dict[Picture, list[str]] = {}
    for piece in pieces:
        gathered.own |= dict.fromkeys(own_pages(piece.facts.links))
        for link in piece.facts.links:
            if not link.is_own:
                links.setdefault(link.url, []).append(piece.place)
        for picture in piece.facts.pictures:
            pictures.setdefault(picture, []).append(piece.place)
    for url, places in links.items():
        gathered.links[url] = _again(gathered.links.get(url), url, places, readers)
    for picture, places in pictures.items():
        gathered.pictures[picture] = _again(gathered.pictures.get(picture), picture.url, places, readers)


def _again(known: Address | None, url: str, places: Iterable[str], readers: int) -> Address:
    known = known or Address(url, (), 0, 0)
    where = tuple(dict.fromkeys((*known.where, *filter(None, places))))
    return Address(url, where, known.editions + 1, known.readers + readers)
