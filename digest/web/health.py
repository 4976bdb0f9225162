"""Whether this process serves, and whether what it stands on is there."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from digest.domain.errors import DigestError, Misconfigured
from digest.runtime import Runtime
from digest.store.database import open_engine, reading
from digest.store.newsletters import list_newsletters
from digest.store.schema import schema_problem
from digest.web.broker import is_in_process, milliseconds_of
from digest.web.dependencies import READ, TheRuntime

log = structlog.get_logger(__name__)

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Part:
    """Something this process stands on, and how it is in words that everybody may read."""

    name: str
    told: str
    is_well: bool = True
    is_needed: bool = True


@router.api_route("/healthz", methods=READ)
async def healthz() -> PlainTextResponse:
    """Answer as long as this process serves.

    On the event loop: a thread pool that is busy is no reason to restart the process.
    """
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=READ)
def readyz(runtime: TheRuntime) -> PlainTextResponse:
    """Answer 200 once pages can be made, else 503, with a line for each thing they stand on.

    That is the database with this version's schema. Without the broker pages are served as ever, so that is
    told and no reason to take them out of service. The log has what only those may read who run this.
    """
    parts = (*_database(runtime), _broker(runtime))
    is_ready = all(part.is_well for part in parts if part.is_needed)
    lines = ["ready" if is_ready else "not ready", *(f"{part.name}: {part.told}" for part in parts)]
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return PlainTextResponse("\n".join(lines) + "\n", status)


def _database(runtime: Runtime) -> tuple[Part, Part]:
    try:
        problem = _schema_problem(runtime)
        if problem is None:
            with reading(runtime.engine) as session:
                list_newsletters(session)
    except DigestError as exc:
        log.warning("web.not_ready", reason=str(exc))
        return _answers(False), Part("migrations", "not known without the database", is_well=False)
    if problem is not None:
        log.warning("web.not_ready", reason=problem)
        return _answers(True), Part("migrations", problem, is_well=False)
    return _answers(True), Part("migrations", "all done")


def _schema_problem(runtime: Runtime) -> str | None:
    try:
        return schema_problem(runtime.engine)
    except Misconfigured:
        # The runtime takes none of another version's. What is wrong with it is told without its address.
        engine = open_engine(runtime.settings.database_url)
        try:
            return schema_problem(engine)
        finally:
            engine.dispose()


def _answers(is_well: bool) -> Part:
    return Part("database", "answers" if is_well else "does not answer: see the log", is_well=is_well)


def _broker(runtime: Runtime) -> Part:
    url = runtime.settings.broker_url
    if is_in_process(url):
        return Part("broker", "inside this process, nothing to ask", is_needed=False)
    if milliseconds_of(url) is None:
        log.warning("web.broker_away")
        told = "does not answer; pages are served, and workers wait for it without losing anything"
        return Part("broker", told, is_well=False, is_needed=False)
    return Part("broker", "answers", is_needed=False)
