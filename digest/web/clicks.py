"""Counted links and opened mails: the answer comes at once, and what is counted is written after it.

GET redirects and counts, and changes nothing else. Where a link leads stands in its issue, never in itself.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from digest.compose.steps import pieces_of
from digest.domain.clicks import ArticleLink, Clicks
from digest.domain.errors import DigestError, NotFound, Refused
from digest.domain.issues import IssueId, IssueState
from digest.domain.subscribers import SubscriberId
from digest.runtime import Runtime
from digest.store.clicks import Hit, opening
from digest.track.clicks import PAGE, PICTURE, is_by_hand, is_by_opening
from digest.track.counting import keep_hits, visitor_of
from digest.track.tokens import OnlineLink, Purpose
from digest.web.clients import client_of, network_of
from digest.web.dependencies import READ, TheRuntime
from digest.web.error_pages import FOR_READERS

log = structlog.get_logger(__name__)

router = APIRouter(tags=[FOR_READERS])

FRESH_SECONDS = 30.0
"""How long it is remembered where an issue's links lead. What was approved stays; a draft may change."""

ISSUES_KEPT = 64
WAITING_MOST = 10_000
"""Hits that wait to be written while the database is slow or away; more are not counted."""

PLACE_MOST = 999

_INVISIBLE = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
"""A picture of one transparent pixel."""

_WAS_MAILED = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED})


@dataclass(frozen=True, slots=True)
class IssueLinks:
    """Where an issue's links lead, by their tokens, and whether they are counted now."""

    links: Mapping[str, ArticleLink]
    are_counted: bool
    read_at: float


class Follower:
    """What knows where links lead, and keeps who followed them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: OrderedDict[int, IssueLinks] = OrderedDict()
        self._hits: list[Hit] = []
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clicks")

    def find(self, issue_id: IssueId, token: str) -> tuple[ArticleLink, bool] | None:
        """Return where a link leads and whether it is counted, None when its issue has it no more.

        Raises `NotFound` when the issue itself is gone.
        """
        known = self._known.get(issue_id)
        is_old = known is None or time.monotonic() - known.read_at > FRESH_SECONDS
        if known is None or is_old or token not in known.links:
            known = self._read(issue_id)
            with self._lock:
                self._known[issue_id] = known
                self._known.move_to_end(issue_id)
                while len(self._known) > ISSUES_KEPT:
                    self._known.popitem(last=False)
        link = known.links.get(token)
        return (link, known.are_counted) if link else None

    def _read(self, issue_id: IssueId) -> IssueLinks:
        runtime = self._runtime
        pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
        # A draft's links stand in mails that test it, others in old mail of who has ceased to count.
        are_counted = pieces.issue.state in _WAS_MAILED and pieces.newsletter.clicks is not Clicks.OFF
        return IssueLinks(pieces.rendered.links, are_counted, time.monotonic())

    def keep(self, hit: Hit) -> None:
        """Have a hit written soon, together with others that come meanwhile."""
        with self._lock:
            if len(self._hits) >= WAITING_MOST:
                return
            self._hits.append(hit)
        self._pool.submit(self._write)

    def _write(self) -> None:
        with self._lock:
            hits, self._hits = self._hits, []
        if not hits:
            return
        try:
            keep_hits(self._runtime.engine, hits)
        except DigestError as exc:
            log.warning("clicks.not_kept", hits=len(hits), reason=str(exc))

    def flush(self) -> None:
        """Return when all that was kept is written."""
        self._pool.submit(self._write).result()


async def _follower(request: Request, runtime: TheRuntime) -> Follower:
    state = request.app.state
    if not hasattr(state, "follower"):
        state.follower = Follower(runtime)
    follower: Follower = state.follower
    return follower


TheFollower = Annotated[Follower, Depends(_follower)]


@router.api_route(f"/{PAGE}/{{token}}", methods=READ)
@router.api_route(f"/{PAGE}/{{token}}/{{place:int}}", methods=READ)
@router.api_route(f"/{PAGE}/{{token}}/{{place:int}}/{{reader:path}}", methods=READ)
def follow(
    request: Request,
    runtime: TheRuntime,
    follower: TheFollower,
    token: str,
    place: int = 0,
    reader: str = "",
) -> Response:
    """Lead on to an article. In the mail of a reader who agreed to be measured a link says who they are."""
    issue_id, _ = runtime.tokens.read_click(token)
    found = follower.find(issue_id, token)
    if found is None:
        raise NotFound(f"issue {issue_id} has no such link any more")
    link, is_counted = found
    if is_counted and is_by_hand(request.method, request.headers):
        hit = _hit(request, runtime, issue_id, link, place)
        follower.keep(replace(hit, reader=_reader_of(runtime, Purpose.FOLLOW, reader, issue_id)))
    return RedirectResponse(link.url, 302)


@router.api_route(f"/{PICTURE}/{{token}}", methods=READ)
def open_mail(request: Request, runtime: TheRuntime, follower: TheFollower, token: str) -> Response:
    """Answer with an invisible picture, the same for every token: it tells nobody who reads what."""
    if is_by_opening(request.method, request.headers) and (mail := _opened(runtime, token)):
        visitor = _visitor(request, runtime)
        follower.keep(opening(mail.issue_id, mail.subscriber_id, visitor, runtime.clock()))
    return Response(_INVISIBLE, media_type="image/gif")


def _opened(runtime: Runtime, token: str) -> OnlineLink | None:
    try:
        return runtime.tokens.read_measured(Purpose.OPEN, token)
    except Refused:
        return None


def _reader_of(runtime: Runtime, purpose: Purpose, token: str, issue_id: IssueId) -> SubscriberId | None:
    """Return whose mail a link stands in, None where it does not say so or says something wrong."""
    try:
        mail = runtime.tokens.read_measured(purpose, token)
    except Refused:
        return None
    return mail.subscriber_id if mail.issue_id == issue_id else None


def _visitor(request: Request, runtime: Runtime) -> str:
    client = network_of(client_of(request, runtime.settings.trusted_proxies))
    return visitor_of(runtime.visitor_key, client, request.headers.get("user-agent", ""))


def _hit(request: Request, runtime: Runtime, issue_id: IssueId, link: ArticleLink, place: int) -> Hit:
    return Hit(
        visitor=_visitor(request, runtime),
        issue_id=issue_id,
        at=runtime.clock(),
        position=link.position,
        topic=link.topic,
        source=link.source,
        place=place if place <= PLACE_MOST else 0,
    )
