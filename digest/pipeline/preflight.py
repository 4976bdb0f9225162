"""An issue checked before it goes out: every edition its audience gets, links, pictures, spam score.

What needs the network is looked at when somebody asks and before an issue approves itself. What was found is
kept, for the pages to show and for approval to heed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from digest.compose.audience import Audience, audience_of
from digest.compose.checks import Finding, Severity
from digest.compose.checks.addresses import ON_THIS_MACHINE
from digest.compose.checks.editions import CheckedEditions, Reported, by_severity, check_editions
from digest.compose.checks.findings import note
from digest.compose.checks.links import check_own_links
from digest.compose.checks.wording import check_writing
from digest.compose.steps import Pieces, pieces_of
from digest.domain.articles import Origin
from digest.domain.counting import counted
from digest.domain.issues import Edition, IssueId, IssueState, edition_for
from digest.pipeline.judging import judge_seen
from digest.pipeline.looking import SECONDS, look_at
from digest.pipeline.personal_mail import personal_values
from digest.pipeline.preview import SPECIMEN
from digest.pipeline.spam import judge_spam
from digest.runtime import Runtime
from digest.store.articles import articles_by_id
from digest.store.condensings import current_versions
from digest.store.database import reading, writing
from digest.store.items import items_of
from digest.store.newsletters import list_topics
from digest.store.preflights import StoredLook, find_look, record_look

EDITIONS_MOST = 5_000
"""Editions looked at, those of most readers first: so many take about five seconds."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found, the worst first, in how many editions for how many readers was looked.

    `links` and `pictures` were looked at over the network at `looked_at` (None: nobody looked), but for
    `not_looked_at` of them, for want of time. `is_outdated`: the issue holds other addresses now.
    """

    issue_id: IssueId
    editions: int
    readers: int
    findings: tuple[Reported, ...]
    links: int = 0
    pictures: int = 0
    not_looked_at: int = 0
    looked_at: datetime | None = None
    is_outdated: bool = False

    @property
    def errors(self) -> tuple[Reported, ...]:
        """What must keep the issue from being sent."""
        return tuple(one for one in self.findings if one.finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True)
class _Checked:
    """An issue checked without the network, and what a look over the network starts from."""

    pieces: Pieces
    audience: Audience
    editions: CheckedEditions
    preflight: Preflight

    @property
    def addresses(self) -> str:
        """The hash of all addresses the editions hold."""
        held = sorted({*(link.url for link in self.editions.links), *(p.url for p in self.editions.pictures)})
        return hashlib.sha256("\n".join(held).encode()).hexdigest()


def check_offline(runtime: Runtime, issue_id: int) -> Preflight:
    """Check an issue as far as that needs no network. Raises `NotFound`, `Misconfigured`."""
    return _checked(runtime, issue_id).preflight


def check_issue(runtime: Runtime, issue_id: int, *, seconds: float = SECONDS) -> Preflight:
    """Check an issue, look at its links and pictures and ask for its spam score; keep what was found.

    What was not looked at after `seconds` is left out and counted.
    """
    checked = _checked(runtime, issue_id)
    found = _looked(runtime, checked, seconds)
    told = json.dumps(_as_json(found), ensure_ascii=False)
    with writing(runtime.engine) as session:
        look = StoredLook(runtime.clock(), checked.addresses, told)
        record_look(session, checked.pieces.issue.id, look)
    return _with_look(checked.preflight, look, is_outdated=False)


def check_pieces(runtime: Runtime, pieces: Pieces, audience: Audience, *, editions_most: int) -> Preflight:
    """Return pieces checked for this audience, as `standing_check` checks an issue."""
    return _with_last_look(runtime, _checked_for(runtime, pieces, audience, editions_most))


def standing_check(runtime: Runtime, issue_id: int) -> Preflight:
    """Return an issue checked offline just now, with what the last look found of what it still holds."""
    return _with_last_look(runtime, _checked(runtime, issue_id))


def _with_last_look(runtime: Runtime, checked: _Checked) -> Preflight:
    """Return what was checked and what the last look found. Of an article that was dropped since: nothing."""
    with reading(runtime.engine) as session:
        look = find_look(session, checked.pieces.issue.id)
    if look is None:
        return checked.preflight
    if look.addresses == checked.addresses:
        return _with_look(checked.preflight, look, is_outdated=False)
    found = _with_look(checked.preflight, look, is_outdated=True)
    held = [*(link.url for link in checked.editions.links), *(p.url for p in checked.editions.pictures)]
    standing = [
        one
        for one in found.findings
        if one in checked.preflight.findings or any(url in one.finding.what for url in held)
    ]
    return replace(found, findings=tuple(standing))


def _checked(runtime: Runtime, issue_id: int) -> _Checked:
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    audience = audience_of(runtime.engine, pieces, now=runtime.clock())
    return _checked_for(runtime, pieces, audience, EDITIONS_MOST)


def _checked_for(runtime: Runtime, pieces: Pieces, audience: Audience, editions_most: int) -> _Checked:
    everything = edition_for(pieces.outline, pieces.outline.topics)
    # Before there is any reader, an issue is looked at as one of everything would get it.
    readers = _most_read(audience.readers, editions_most) or ({everything: 0} if everything.sections else {})
    address, who = SPECIMEN
    personal = personal_values(runtime, pieces.newsletter.id, pieces.issue.id, who, address)
    editions = check_editions(pieces.rendered, readers, personal)
    own = check_own_links(editions.own, runtime.settings.public_url)
    with reading(runtime.engine) as session:
        about = [*_about_the_issue(session, pieces, audience), *own]
    unlooked = len(audience.readers) - len(readers) if audience.readers else 0
    if unlooked:
        about.append(note(f"{counted(unlooked, 'edition')} of few readers each not looked at", "editions"))
    findings = by_severity([*editions.findings, *map(Reported, about)])
    preflight = Preflight(
        pieces.issue.id,
        editions=len(audience.readers),
        readers=sum(audience.readers.values()),
        findings=findings,
    )
    return _Checked(pieces, audience, editions, preflight)


def _most_read(readers: Mapping[Edition, int], most: int) -> dict[Edition, int]:
    """Return the editions of most readers, and the longest: it is the one that may be too long."""
    chosen = dict(sorted(readers.items(), key=lambda one: -one[1])[:most])
    longest = max(readers, key=lambda edition: len(edition.positions), default=None)
    return chosen if longest is None else chosen | {longest: readers[longest]}


def _about_the_issue(session: Session, pieces: Pieces, audience: Audience) -> Iterator[Finding]:
    """Yield what concerns the issue itself: what editors wrote, and whom it has nothing for."""
    yield from check_writing(_written(session, pieces))
    if pieces.issue.state is IssueState.DRAFT and not pieces.rendered.titles:
        yield Finding(Severity.ERROR, "it holds no article", "articles", "fill it with 'digest run'")
    used = set(pieces.outline.topics)
    empty = [topic.name for topic in list_topics(session, pieces.newsletter.id) if topic.slug not in used]
    if empty:
        named = ", ".join(empty[:8]) + (f" and {len(empty) - 8} more" if len(empty) > 8 else "")
        yield note(
            f"no article is about {named}", "topics", "widen the rules: 'digest topic test' tries them"
        )
    if audience.nothing_followed:
        get = "reader gets" if audience.nothing_followed == 1 else "readers get"
        told = f"{audience.nothing_followed:,} {get} nothing: no article is about what they follow"
        yield note(told, "topics")


def _written(session: Session, pieces: Pieces) -> dict[str, str]:
    """Return what people wrote into the issue, by where it stands."""
    issue, newsletter = pieces.issue, pieces.newsletter
    written = {
        "subject": issue.subject,
        "preheader": issue.preheader,
        "opening lines": issue.intro,
        "sender's name": newsletter.sender_name,
        "postal address": newsletter.postal_address,
    }
    ids = [item.article_id for item in items_of(session, issue.id)]
    stored = articles_by_id(session, ids)
    for article_id, version in current_versions(session, ids).items():
        edited = [one.text for one in version.condensed.takeaways if one.origin is Origin.EDITOR]
        if edited and article_id in stored:
            written[f"takeaways of '{stored[article_id].article.title}'"] = "\n".join(edited)
    return written


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look over the network found."""

    findings: tuple[Reported, ...]
    links: int
    pictures: int
    not_looked_at: int


def _looked(runtime: Runtime, checked: _Checked, seconds: float) -> _Found:
    links = [address.url for address in checked.editions.links]
    pictures = list(dict.fromkeys(picture.url for picture in checked.editions.pictures))
    own = runtime.settings.public_url
    seen = look_at(runtime, links, pictures, own="" if ON_THIS_MACHINE.match(own) else own, seconds=seconds)
    missing = len(links) - len(seen.links) + len(pictures) - len(seen.pictures)
    findings = [*judge_seen(checked.editions, seen, own)]
    findings += judge_spam(runtime, checked.pieces, checked.audience)
    return _Found(tuple(findings), len(seen.links), len(seen.pictures), missing)


def _with_look(offline: Preflight, look: StoredLook, *, is_outdated: bool) -> Preflight:
    told = json.loads(look.told)
    found = _findings_from(told["findings"])
    return replace(
        offline,
        findings=by_severity([*offline.findings, *found]),
        links=told["links"],
        pictures=told["pictures"],
        not_looked_at=told["not_looked_at"],
        looked_at=look.looked_at,
        is_outdated=is_outdated,
    )


def _as_json(found: _Found) -> dict[str, object]:
    return {
        "findings": _findings_told(found.findings),
        "links": found.links,
        "pictures": found.pictures,
        "not_looked_at": found.not_looked_at,
    }


def _findings_told(findings: Iterable[Reported]) -> list[dict[str, object]]:
    return [
        {
            "severity": one.finding.severity.value,
            "told": [one.finding.what, one.finding.where, one.finding.next_step],
            "editions": one.editions,
            "readers": one.readers,
        }
        for one in findings
    ]


def _findings_from(told: Iterable[Mapping[str, Any]]) -> list[Reported]:
    return [
        Reported(Finding(Severity(one["severity"]), *one["told"]), one["editions"], one["readers"])
        for one in told
    ]


def preflight_told(preflight: Preflight) -> dict[str, object]:
    """Return a preflight as JSON knows it."""
    return {
        "findings": _findings_told(preflight.findings),
        "editions": preflight.editions,
        "readers": preflight.readers,
        "links": preflight.links,
        "pictures": preflight.pictures,
        "not_looked_at": preflight.not_looked_at,
        "looked_at": preflight.looked_at.isoformat() if preflight.looked_at else "",
        "is_outdated": preflight.is_outdated,
    }


def preflight_from(issue_id: IssueId, told: Mapping[str, Any]) -> Preflight:
    """Read back what `preflight_told` returned."""
    looked_at = datetime.fromisoformat(told["looked_at"]) if told["looked_at"] else None
    plain = {name: told[name] for name in ("editions", "readers", "links", "pictures", "not_looked_at")}
    findings = tuple(_findings_from(told["findings"]))
    is_outdated = bool(told["is_outdated"])
    return Preflight(issue_id, findings=findings, looked_at=looked_at, is_outdated=is_outdated, **plain)
