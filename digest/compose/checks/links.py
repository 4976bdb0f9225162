"""What an editor is told of a link, from what its address answered: pure, whoever asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from digest.compose.checks.addresses import ON_THIS_MACHINE, comparable
from digest.compose.checks.findings import Finding, error, note, warning


class Reach(StrEnum):
    """How far a look at an address came."""

    ANSWERED = "answered"
    NO_HOST = "no host"
    NO_ANSWER = "no answer"
    KEPT_OUT = "kept out"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What an address answered: `status` from `url`, where redirects led; `why` in words where nothing did.

    Of what was denied `why` goes on after its address: `redirects in a circle`; that address is `url` where a
    redirect led there. `is_moved` says that all redirects were for good, `works_with_tls` that the same
    address with https answers well.
    """

    reach: Reach
    status: int = 0
    url: str = ""
    is_moved: bool = False
    works_with_tls: bool = False
    why: str = ""

    @property
    def is_well(self) -> bool:
        """Whether the page is there."""
        return self.reach is Reach.ANSWERED and 200 <= self.status < 300


_DEAD = frozenset({404, 410})
_CLOSED = {
    401: "it wants a sign-in",
    403: "it refuses programs, or everybody",
    429: "it is asked too often",
    451: "the law keeps it closed somewhere",
}
_REPLACE = "drop the article with 'digest issue drop', or look whether it has moved"


def judge_link(url: str, answer: LinkAnswer) -> Finding | None:
    """Return what to tell of a link, None when it leads where it says. `where` is left to the caller."""
    if not answer.is_well:
        return judge_absence(url, answer, "link", _REPLACE)
    if _leads_to_a_front_page(url, answer.url):
        return warning(f"{url} leads to the front page {answer.url}: the article may be gone", "", _REPLACE)
    if url.startswith("http://") and (answer.url.startswith("https://") or answer.works_with_tls):
        better = answer.url if answer.url.startswith("https://") else _with_tls(url)
        return warning(f"{url} is not https though {better} works", "", "give its source an https address")
    if answer.is_moved and comparable(answer.url) != comparable(url):
        return note(f"{url} has moved for good to {answer.url}", "")
    return None


def judge_absence(url: str, answer: LinkAnswer, what: str, next_step: str) -> Finding:
    """Return what to tell of an address that did not answer well: dead, in doubt, or not to be told."""
    if answer.reach is Reach.NO_HOST:
        return error(f"{url} leads nowhere: {answer.why}", "", next_step)
    if answer.reach is Reach.ANSWERED and answer.status in _DEAD:
        return error(f"{url} is gone: it answers {answer.status}", "", next_step)
    if answer.reach is Reach.DENIED:
        outside = f"open the {what} outside your own network: if it does not open there, {next_step}"
        return warning(_denied(url, answer), "", outside)
    if answer.reach is Reach.NO_ANSWER:
        return warning(f"{url} was not reached: {answer.why}", "", f"open the {what} yourself")
    why = answer.why or _CLOSED.get(answer.status, "that says nothing about what readers see")
    told = f"answers {answer.status}: {why}" if answer.reach is Reach.ANSWERED else f"was not asked: {why}"
    return note(f"cannot tell whether {url} works: it {told}", "", f"open the {what} yourself")


def _denied(url: str, answer: LinkAnswer) -> str:
    led = f"redirects to {answer.url}, which " if answer.url else ""
    return f"{url} {led}{answer.why}"


def _leads_to_a_front_page(url: str, end: str) -> bool:
    asked, ended = urlsplit(url), urlsplit(end)
    return asked.path.strip("/") != "" and ended.path.strip("/") == "" and not ended.query


def _with_tls(url: str) -> str:
    return "https://" + url.removeprefix("http://")


def judge_meetings(ends: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], Finding]]:
    """Yield links that lead to one place though they differ, and what to tell; `ends` is where each led."""
    by_end: dict[str, list[str]] = {}
    for url, end in ends.items():
        by_end.setdefault(comparable(end), []).append(url)
    for urls in by_end.values():
        if len({comparable(url) for url in urls}) > 1:
            told = f"{' and '.join(urls[:3])} lead to the same page"
            yield tuple(urls), warning(told, "", "drop one of the articles with 'digest issue drop'")


def check_own_links(urls: Iterable[str], public_url: str) -> Iterator[Finding]:
    """Say what is wrong with the links to our own pages, by how they are written."""
    base = public_url.rstrip("/") + "/"
    for url in dict.fromkeys(urls):
        if not url.startswith(base):
            yield error(f"{url} should begin with public_url, {base}", "own links", "correct the template")
    if ON_THIS_MACHINE.match(public_url):
        yield warning(
            f"unsubscribe and preferences lead to {public_url}, which only this machine can open",
            "own links",
            "set public_url to the address that readers reach",
        )
    elif not public_url.startswith("https://"):
        yield warning(
            f"unsubscribe and preferences lead to {public_url}: mail programs show the button to unsubscribe "
            "for https alone",
            "own links",
            "serve the pages with TLS, and set public_url to their https address",
        )


def judge_public_url(public_url: str, answer: LinkAnswer) -> Finding | None:
    """Return what to tell of our own pages: any answer but a fault of theirs will do."""
    if answer.reach is Reach.ANSWERED and answer.status < 500:
        return None
    why = answer.why or f"it answers {answer.status}"
    if answer.reach is Reach.DENIED:
        why = _denied("it", answer)
    return warning(
        f"our own pages are not reached at {public_url}: {why}; readers who cannot either cannot unsubscribe",
        "own links",
        "start 'digest web' or 'digest up', or correct public_url",
    )


def placed(finding: Finding, places: Sequence[str]) -> Finding:
    """Return a finding with the articles it concerns, the first three by name."""
    named = "; ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return replace(finding, where=named or "links")
