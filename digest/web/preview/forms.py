"""What a preview's forms do: approve the issue, ask for that or take it back, test it, show it to others."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Response
from fastapi.responses import RedirectResponse

from digest.domain.accounts import Actor, Right
from digest.domain.errors import DigestError, InvalidInput
from digest.intake.addresses import parse_address
from digest.pipeline.approval import SameEyes, Unsound, approve_issue, ask_approval, take_back
from digest.pipeline.outlook import work_out
from digest.pipeline.sharing import DAYS, share_issue, take_link_back
from digest.pipeline.trial_mail import Tested, send_test, trial_addresses
from digest.runtime import Runtime
from digest.web.access import TheActor, needs
from digest.web.dependencies import ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.preview.chosen import ReaderChosen, address
from digest.web.preview.place import Number, router
from digest.web.preview.trials import TrialChosen
from digest.web.preview.views import Said
from digest.web.preview.whole import whole_page
from digest.web.templating import Pages
from digest.web.words import counted

_APPROVE, _SHAPE = [needs(Right.APPROVE)], [needs(Right.SHAPE)]


async def _reader(
    as_: Annotated[str, Form(alias="as")] = "",
    topic: Annotated[list[str] | None, Form()] = None,
) -> ReaderChosen:
    return ReaderChosen(as_.strip(), tuple(dict.fromkeys(topic or ())))


TheReader = Annotated[ReaderChosen, Depends(_reader)]


@router.post("/approve", dependencies=_APPROVE)
def approve(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    seen: Annotated[str, Form(max_length=64)] = "",
    despite: Annotated[bool, Form()] = False,
) -> Response:
    """Approve the issue as it was looked at, and no other."""
    try:
        if not seen:
            raise InvalidInput("the form does not say what you looked at: reload the page")
        approve_issue(runtime, issue_id, by=actor.name, despite_errors=despite, seen=seen)
    except Unsound as exc:
        words = f"It was not approved, for its checks find {exc.told}. Correct that, or approve it anyway."
        said = Said("approval", words, is_bad=True, offers="despite")
        return whole_page(runtime, pages, issue_id, actor, said=said, status=status_of(exc))
    except SameEyes as exc:
        said = Said("approval", f"{exc.why}, so somebody else approves it.", is_bad=True)
        return whole_page(runtime, pages, issue_id, actor, said=said, status=status_of(exc))
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "approval", exc)
    return _done(pages, issue_id, "approved")


@router.post("/ask", dependencies=_SHAPE)
def ask(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    note: Annotated[str, Form()] = "",
) -> Response:
    """Say that the draft is ready."""
    try:
        ask_approval(runtime, issue_id, by=actor.name, note=note)
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "approval", exc)
    return _done(pages, issue_id, "asked")


@router.post("/reopen", dependencies=_APPROVE)
def reopen(runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number) -> Response:
    """Take the approval back."""
    try:
        take_back(runtime, issue_id, by=actor.name)
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "approval", exc)
    return _done(pages, issue_id, "reopened")


@router.post("/test", dependencies=_SHAPE)
def mail_test(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    reader: TheReader,
    to: Annotated[str, Form(max_length=5_000)] = "",
    segment: Annotated[str, Form(max_length=64)] = "",
    seen: Annotated[str, Form(max_length=5_000)] = "",
) -> Response:
    """Mail the issue to these addresses, marked as a test, and say what became of each.

    To a segment it goes once the form says in `seen` whom that fits, as the page did before.
    """
    trial = TrialChosen(to, segment)
    try:
        chosen = reader.parsed()
        wanted = trial_addresses(runtime, issue_id, _addresses(to), segment=segment)
        if segment and _addresses(seen) != wanted:
            trial = TrialChosen(to, segment, wanted)
            return _asked(runtime, pages, issue_id, actor, reader, trial, is_again=bool(seen))
        tested = send_test(runtime, issue_id, wanted, by=actor.name, email=chosen.email, topics=chosen.topics)
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "test", exc, reader, trial)
    said = Said("test", _tested(tested), is_bad=not all(one.is_accepted for one in tested))
    return whole_page(runtime, pages, issue_id, actor, reader=reader, said=said)


def _asked(
    runtime: Runtime,
    pages: Pages,
    issue_id: int,
    actor: Actor,
    reader: ReaderChosen,
    trial: TrialChosen,
    *,
    is_again: bool,
) -> Response:
    """Show whom a test would go to, with a button that sends it; `is_again`: it was somebody else before."""
    words = "The segment fits others by now: look once more. Nothing was sent."
    said = Said("test", words, is_bad=True) if is_again else None
    status = HTTPStatus.CONFLICT if is_again else HTTPStatus.OK
    return whole_page(runtime, pages, issue_id, actor, reader=reader, said=said, trial=trial, status=status)


def _addresses(told: str) -> tuple[str, ...]:
    return tuple(parse_address(one) for one in re.split(r"[\s,;]+", told) if one)


def _tested(tested: tuple[Tested, ...]) -> str:
    taken = sum(one.is_accepted for one in tested)
    told = [f"The mail server took {counted(taken, 'test')}; no reader has it."]
    for one in tested:
        if not one.is_accepted:
            said = f"{one.outcome.code or ''} {one.outcome.text}".strip(". ")
            told.append(f"Not sent to {one.email}: {said}.")
    return " ".join(told)


@router.post("/outlook", dependencies=_SHAPE)
def look_ahead(runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number) -> Response:
    """Work out now what the issue is to come to: with a million readers that takes some seconds."""
    try:
        work_out(runtime, issue_id)
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "outlook", exc)
    return RedirectResponse(f"{pages.base}/issues/{issue_id}/preview#outlook", HTTPStatus.SEE_OTHER)


@router.post("/links", dependencies=_SHAPE)
def share(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    reader: TheReader,
    days: Annotated[int, Form()] = DAYS,
) -> Response:
    """Make a link that shows the preview to people without an account."""
    try:
        chosen = reader.parsed()
        share_issue(runtime, issue_id, by=actor.name, days=days, email=chosen.email, topics=chosen.topics)
    except DigestError as exc:
        return _refused(runtime, pages, issue_id, actor, "links", exc, reader)
    return _done(pages, issue_id, "shared", reader)


@router.post("/links/{link_id}/revoke", dependencies=_SHAPE)
def revoke(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number, link_id: Number
) -> Response:
    """Let a link show nothing any more."""
    take_link_back(runtime, issue_id, link_id, by=actor.name)
    return _done(pages, issue_id, "revoked")


def _done(pages: Pages, issue_id: int, what: str, reader: ReaderChosen | None = None) -> RedirectResponse:
    """Lead back to the page, which says what was done: a reload does nothing twice."""
    query = reader.query if reader else ""
    place = address(f"{pages.base}/issues/{issue_id}/preview", query, f"done={what}")
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _refused(
    runtime: TheRuntime,
    pages: ThePages,
    issue_id: int,
    actor: TheActor,
    place: str,
    exc: DigestError,
    reader: ReaderChosen | None = None,
    trial: TrialChosen | None = None,
) -> Response:
    """Show the page with the reason at its form; an issue that is not there has its own page."""
    words = str(exc).rstrip(".")
    said = Said(place, f"{words[:1].upper()}{words[1:]}.", is_bad=True)
    status = status_of(exc)
    return whole_page(runtime, pages, issue_id, actor, reader=reader, said=said, trial=trial, status=status)
