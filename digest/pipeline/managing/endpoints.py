"""Endpoints as admins keep them: added, changed, paused, tested, given new secrets; each time recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from digest.domain.endpoints import Call, Endpoint, EventKind, parse_kinds
from digest.pipeline.announcing import parse_endpoint_url
from digest.pipeline.managing.given import Given, Reader, on_a_line, read_given, within
from digest.pipeline.managing.newsletters import differences
from digest.runtime import Runtime
from digest.store import endpoints as store
from digest.store.announcements import announce_to, call_again, give_up_calls
from digest.store.audit import record
from digest.store.database import writing

Propose = Callable[[Endpoint], Given]
"""Says what is to change of the endpoint as it stands, in the transaction that changes it."""

ABOUT_MAX = 200


def add(
    runtime: Runtime, given: Given, *, by: str, called: Callable[[str], str] = str
) -> tuple[Endpoint, str]:
    """Add an endpoint; return it and the secret that its calls are signed with, told once. Raises `Unfit`."""
    values = read_given({"url": "", "kinds": (), "about": "", **given}, _readers(runtime), called)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        made, secret = store.add_endpoint(session, **values, by=by, now=now)  # type: ignore[arg-type]
        _record(session, made, "added", by=by, now=now, detail=made.url)
    return made, secret


def change(
    runtime: Runtime,
    endpoint_id: int,
    propose: Propose,
    *,
    by: str,
    called: Callable[[str], str] = str,
) -> Endpoint:
    """Change what `propose` names of an endpoint; what is as it was is no change. `NotFound`, `Unfit`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        stands = store.get_endpoint(session, endpoint_id, to_change=True)
        values = read_given(propose(stands), _readers(runtime), called)
        wanted = {field: value for field, value in values.items() if value != getattr(stands, field)}
        if not wanted:
            return stands
        changed = store.change_endpoint(session, stands.id, **wanted)  # type: ignore[arg-type]
        detail = differences(texts_of(stands), texts_of(changed))
        _record(session, changed, "changed", by=by, now=now, detail=detail)
    return changed


def set_off(runtime: Runtime, endpoint_id: int, is_off: bool, *, by: str) -> Endpoint:
    """Tell an endpoint nothing more, or tell it again what happens from now on. Raises `NotFound`.

    What waits for one that is turned off is given up; its log can have that told once more.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        stands = store.get_endpoint(session, endpoint_id, to_change=True)
        if stands.is_off == is_off:
            return stands
        changed = store.change_endpoint(session, stands.id, is_off=is_off)
        if is_off:
            give_up_calls(session, stands.id)
        _record(session, changed, "paused" if is_off else "resumed", by=by, now=now)
    return changed


def rotate(runtime: Runtime, endpoint_id: int, *, by: str) -> tuple[Endpoint, str]:
    """Sign with a new secret, which is told once; for a day with the one before, too. Raises `NotFound`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        secret = store.rotate_secret(session, endpoint_id, now=now)
        found = store.get_endpoint(session, endpoint_id)
        _record(session, found, "rotated", by=by, now=now)
    return found, secret


def remove(runtime: Runtime, endpoint_id: int, *, by: str) -> Endpoint:
    """Remove an endpoint with its log; return what it was. Raises `NotFound`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        found = store.get_endpoint(session, endpoint_id)
        store.remove_endpoint(session, found.id)
        _record(session, found, "removed", by=by, now=now, detail=found.url)
    return found


def test(runtime: Runtime, endpoint_id: int, *, by: str) -> Call:
    """Tell an endpoint of a test, whatever it wants; a worker does within seconds. Raises `NotFound`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        found = store.get_endpoint(session, endpoint_id)
        told = {"endpoint": found.id, "by": by}
        call = announce_to(session, found.id, EventKind.ENDPOINT_TESTED, told, now=now)
        _record(session, found, "tested", by=by, now=now)
    return call


def tell_again(runtime: Runtime, endpoint_id: int, call_id: int, *, by: str) -> Call:
    """Tell an endpoint once more of what it took or missed, by the same id. Raises `NotFound`, `Conflict`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        found = store.get_endpoint(session, endpoint_id)
        call = call_again(session, found.id, call_id, now=now)
        _record(session, found, "told-again", by=by, now=now, detail=f"{call.kind.value} {call.event_id}")
    return call


def texts_of(endpoint: Endpoint) -> dict[str, str]:
    """Return each field as a person would type it, and `change` would read it; kinds have a line each."""
    return {
        "url": endpoint.url,
        "about": endpoint.about,
        "kinds": "\n".join(kind.value for kind in EventKind if kind in endpoint.kinds),
    }


def _record(
    session: Session, endpoint: Endpoint, what: str, *, by: str, now: datetime, detail: str = ""
) -> None:
    about = f"endpoint {endpoint.id}"
    record(session, by=by, what=f"endpoint.{what}", about=about, detail=detail, now=now)


def _readers(runtime: Runtime) -> dict[str, Reader]:
    return {
        "url": lambda value, called: within(parse_endpoint_url(runtime, str(value)), called, limit=2_000),
        "about": lambda value, called: within(on_a_line(str(value), called), called, limit=ABOUT_MAX),
        "kinds": _kinds,
    }


def _kinds(value: object, _called: str) -> frozenset[EventKind]:
    named: Iterable[str] = value.split("\n") if isinstance(value, str) else value  # type: ignore[assignment]
    return parse_kinds(one.strip() for one in named if one.strip())
