"""Links and pictures looked at over the network: each address once, politely, and within a time for all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from digest.compose.checks.links import LinkAnswer, Reach
from digest.compose.checks.pictures import TOO_HEAVY, PictureAnswer, find_pixels
from digest.domain.errors import DigestError, Disallowed, NoSuchHost, Refused
from digest.gather.fetching.fetch import ACCEPT_ANY, Looked, Looker
from digest.runtime import Runtime

SECONDS, SECONDS_EACH = 60.0, 10.0
"""How long all looks may take, and one of them."""
AT_ONCE = 40
"""Addresses looked at together; those of one host come one after the other."""

_REDIRECTED = re.compile(r"it \(redirected to (.+?)\):? ")
_CLOSED = re.compile(
    r"(?:'[^']*' may not be connected to|may not be fetched): (.+?)(?:\. If it is your own.*)?"
)
_ODD = re.compile(r"cannot be fetched: (?:'[^']*' )?(.+)")
"""How the fetcher's refusals are written."""

_ACCEPT_PICTURES = "image/*, */*;q=0.1"


@dataclass(slots=True)
class Looks:
    """What was looked at, by address. What is missing was not looked at in time."""

    links: dict[str, LinkAnswer] = field(default_factory=dict)
    pictures: dict[str, PictureAnswer] = field(default_factory=dict)
    public_url: LinkAnswer | None = None


def look_at(
    runtime: Runtime,
    links: Iterable[str],
    pictures: Iterable[str],
    *,
    own: str = "",
    seconds: float = SECONDS,
) -> Looks:
    """Look at each address once, and at `own` ('' for not) as ours; return what was seen in time."""
    seen = Looks()
    asyncio.run(_look_at(runtime, list(links), list(pictures), own, seconds, seen))
    return seen


async def _look_at(
    runtime: Runtime, links: list[str], pictures: list[str], own: str, seconds: float, seen: Looks
) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def see_link(looker: Looker, url: str) -> None:
        async with turns:
            seen.links[url] = await _link(looker, url)

    async def see_picture(looker: Looker, url: str) -> None:
        async with turns:
            seen.pictures[url] = await _picture(looker, url)

    try:
        async with (
            asyncio.timeout(seconds),
            runtime.looker(seconds=SECONDS_EACH) as looker,
            asyncio.TaskGroup() as tasks,
        ):
            if own:
                tasks.create_task(_see_own(runtime, own, seen))
            for url in links:
                tasks.create_task(see_link(looker, url))
            for url in pictures:
                tasks.create_task(see_picture(looker, url))
    except TimeoutError:
        pass  # what is missing in `seen` tells


async def _see_own(runtime: Runtime, url: str, seen: Looks) -> None:
    async with runtime.own_looker(seconds=SECONDS_EACH) as looker:
        seen.public_url, _ = await _answer(looker, url)


async def _link(looker: Looker, url: str) -> LinkAnswer:
    answer, _ = await _answer(looker, url)
    if url.startswith("http://") and answer.is_well and not answer.url.startswith("https://"):
        if urlsplit(url).port not in (None, 80):
            return answer
        better, _ = await _answer(looker, "https://" + url.removeprefix("http://"))
        return LinkAnswer(
            answer.reach, answer.status, answer.url, answer.is_moved, works_with_tls=better.is_well
        )
    return answer


async def _picture(looker: Looker, url: str) -> PictureAnswer:
    answer, looked = await _answer(looker, url, body_bytes=TOO_HEAVY + 1, accept=_ACCEPT_PICTURES)
    if looked is None:
        return PictureAnswer(answer)
    pixels = await asyncio.to_thread(find_pixels, looked.body)
    return PictureAnswer(answer, looked.content_type, looked.length, pixels)


async def _answer(
    looker: Looker, url: str, *, body_bytes: int = 0, accept: str = ACCEPT_ANY
) -> tuple[LinkAnswer, Looked | None]:
    try:
        looked = await looker.look(url, body_bytes=body_bytes, accept=accept)
    except NoSuchHost as exc:
        return LinkAnswer(Reach.NO_HOST, why=_why(exc, url)), None
    except Disallowed:
        return LinkAnswer(Reach.KEPT_OUT, why="the site's robots.txt asks programs to stay away"), None
    except Refused as exc:
        return _denied(_why(exc, url)), None
    except DigestError as exc:
        return LinkAnswer(Reach.NO_ANSWER, why=_why(exc, url)), None
    told = LinkAnswer(Reach.ANSWERED, looked.status, looked.url, is_moved=looked.moved_to is not None)
    return told, looked


def _denied(told: str) -> LinkAnswer:
    """Return the answer that a refusal tells of, in words for editors: the fetcher's are for operators."""
    redirected = _REDIRECTED.match(told)
    why = told[redirected.end() :] if redirected else told.removeprefix("it ")
    if closed := _CLOSED.fullmatch(why):
        why = f"is not looked at: {closed[1]}"
    elif odd := _ODD.fullmatch(why):
        why = odd[1]
    return LinkAnswer(Reach.DENIED, url=redirected[1] if redirected else "", why=why)


def _why(exc: DigestError, url: str) -> str:
    """Return what an error says, without the address that the finding names already."""
    return str(exc).replace(f"{url}: ", "", 1).replace(f"{url} ", "it ", 1)
