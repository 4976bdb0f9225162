"""What was seen at an issue's addresses, told of the articles and readers it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digest.compose.checks.editions import Address, CheckedEditions, Reported
from digest.compose.checks.findings import Finding
from digest.compose.checks.links import judge_link, judge_meetings, judge_public_url, placed
from digest.compose.checks.pictures import TOO_HEAVY, judge_picture, judge_together
from digest.pipeline.looking import Looks


def judge_seen(editions: CheckedEditions, seen: Looks, public_url: str) -> Iterator[Reported]:
    """Yield what to tell of links and pictures."""
    yield from _links(editions, seen)
    yield from _pictures(editions, seen)
    if seen.public_url is not None and (finding := judge_public_url(public_url, seen.public_url)):
        yield Reported(finding)


def _links(editions: CheckedEditions, seen: Looks) -> Iterator[Reported]:
    addresses = {address.url: address for address in editions.links}
    for url, answer in seen.links.items():
        if finding := judge_link(url, answer):
            yield _of(finding, [addresses[url]])
    ends = {url: answer.url for url, answer in seen.links.items() if answer.is_well}
    for urls, finding in judge_meetings(ends):
        yield _of(finding, [addresses[url] for url in urls])


def _pictures(editions: CheckedEditions, seen: Looks) -> Iterator[Reported]:
    for picture, address in editions.pictures.items():
        if answer := seen.pictures.get(picture.url):
            for finding in judge_picture(picture.url, picture.width, answer):
                yield _of(finding, [address])
    weights = {
        url: TOO_HEAVY if answer.length is None else answer.length for url, answer in seen.pictures.items()
    }
    heaviest = max((sum(weights.get(url, 0) for url in urls) for urls in editions.sums), default=0)
    for finding in judge_together(heaviest):
        yield Reported(finding)


def _of(finding: Finding, addresses: Sequence[Address]) -> Reported:
    """Return a finding about addresses: of several, as many readers as the most read one has."""
    places = tuple(dict.fromkeys(place for address in addresses for place in address.where))
    most = max(addresses, key=lambda address: address.readers)
    return Reported(placed(finding, places), most.editions, most.readers)
