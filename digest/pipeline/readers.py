"""Readers as whoever keeps a newsletter adds and changes them, one at a time, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentSource
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import MOST_ITEMS, Subscription
from digest.domain.suppressions import Suppression
from digest.domain.times import zone
from digest.intake.addresses import parse_address
from digest.pipeline.managing.given import Given, Reader, language_tag, read_given, whole, within
from digest.pipeline.subscribing import Subscribed, WantedBy, bring_back, put_subscriber, set_wishes
from digest.runtime import Runtime
from digest.store.along import written_along
from digest.store.attributes import attributes_among, checked_attributes
from digest.store.audit import record
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import forget, subscription_by_number
from digest.store.suppressions import find_suppression
from digest.track.steps import Change, pause, unsubscribe

Propose = Callable[["Known"], Given]
"""Says what is to change of a reader as they stand, in the transaction that changes it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A reader: what they want, what is known of them, why they are never mailed, what they agreed to."""

    subscription: Subscription
    attributes: Mapping[str, str]
    suppression: Suppression | None = None
    consents: tuple[Consent, ...] = ()


class Move(StrEnum):
    """What is done about whether somebody gets a newsletter."""

    UNSUBSCRIBE = "unsubscribe"
    PAUSE = "pause"
    RETURN = "return"


_TOLD = {
    Move.UNSUBSCRIBE: "subscriber.unsubscribed",
    Move.PAUSE: "subscriber.paused",
    Move.RETURN: "subscriber.returned",
}


def known(runtime: Runtime, slug: str, number: int) -> Known:
    """Return a reader by number. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        return _known(session, get_newsletter(session, slug), number)


def add(
    runtime: Runtime, slug: str, given: Given, *, by: str, called: Callable[[str], str] = str
) -> Subscribed:
    """Add a reader, who asked for it. Raises `Unfit`, and `Conflict` for one who is there or has left."""
    values = read_given({"email": "", **given}, READERS, called)
    with written_along(_recorder(runtime, slug, "subscriber.added", by)):
        return put_subscriber(
            runtime,
            slug,
            str(values["email"]),
            _wanted(values),
            by=by,
            source=ConsentSource.DESK,
            is_new=True,
        )


def change(
    runtime: Runtime,
    slug: str,
    number: int,
    propose: Propose,
    *,
    by: str,
    called: Callable[[str], str] = str,
) -> bool:
    """Change what `propose` names of a reader; return whether anything was another then.

    Whether they get mail stays as it is. Raises `NotFound`, `Unfit`.
    """
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        before = _known(session, newsletter, number, lock=True)
        values = read_given(propose(before), READERS, called)
        wanted = _wanted(values, before.attributes)
        stands = before.subscription
        set_wishes(runtime, session, newsletter, stands.subscriber.email, stands, wanted, state=stands.state)
        emptied = [field for field in ("name", "language", "timezone") if values.get(field) == ""]
        forget(session, stands.subscriber.id, emptied)
        if _known(session, newsletter, number) == before:
            return False
        _recorder(runtime, slug, "subscriber.changed", by, number)(session)
    return True


def move(runtime: Runtime, slug: str, number: int, what: Move, *, by: str) -> Change:
    """Unsubscribe a reader, pause them or let them come back. Raises `NotFound`, `Conflict`."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        before = subscription_by_number(session, newsletter, number)
    who, now = (newsletter.id, before.subscriber.id), runtime.clock()
    with written_along(_recorder(runtime, slug, _TOLD[what], by, number)):
        match what:
            case Move.UNSUBSCRIBE:
                done = unsubscribe(runtime.engine, *who, now=now)
            case Move.PAUSE:
                done = pause(runtime.engine, *who, now=now)
            case Move.RETURN:
                done = bring_back(runtime, *who, by=by, source=ConsentSource.DESK)
    if done is Change.NOT_FROM_HERE:
        raise Conflict(f"{before.subscriber.email} is {before.state}, which this does not lead out of")
    if done in (Change.TOO_LATE, Change.NEVER_CONFIRMED):
        why = "left too long ago for this" if done is Change.TOO_LATE else "left and had never confirmed"
        raise Conflict(
            f"{before.subscriber.email} {why}: they sign up anew, or, if they asked you to, "
            f"'digest subscriber add {slug} {before.subscriber.email} --again'"
        )
    return done


def texts_of(reader: Known) -> dict[str, str]:
    """Return each field as a person would type it, and `change` would read it; lists have a line for each."""
    who, wants = reader.subscription.subscriber, reader.subscription
    return {
        "name": who.name,
        "language": who.language,
        "timezone": who.timezone,
        "follows": "\n".join(sorted(wants.follows)),
        "cadence": wants.cadence.value,
        "max_items": str(wants.max_items or ""),
        "attributes": "\n".join(f"{key}: {value}" for key, value in reader.attributes.items()),
    }


def _known(session: Session, newsletter: Newsletter, number: int, *, lock: bool = False) -> Known:
    found = subscription_by_number(session, newsletter, number, lock=lock)
    who = found.subscriber
    attributes = attributes_among(session, newsletter.id, [who.id]).get(who.id, {})
    suppression = find_suppression(session, who.email)
    return Known(found, attributes, suppression, consents_of(session, newsletter.id, who.id))


def _recorder(
    runtime: Runtime, slug: str, what: str, by: str, number: int | None = None
) -> Callable[[Session], None]:
    """Return what writes down what was done, a reader by number: addresses have to be forgotten."""
    about = f"{slug}: subscriber {number}" if number else slug

    def write(session: Session) -> None:
        record(session, by=by, what=what, about=about, now=runtime.clock())

    return write


def _wanted(values: Mapping[str, object], before: Mapping[str, str] | None = None) -> WantedBy:
    """Return what was read of a form. Attributes that it does not hold any more are taken away."""
    told: dict[str, str] = dict(values.get("attributes") or {})  # type: ignore[call-overload]
    if "attributes" in values:
        told |= {key: "" for key in before or {} if key not in told}
    return WantedBy(
        follows=values.get("follows"),  # type: ignore[arg-type]
        name=str(values.get("name") or ""),
        language=str(values.get("language") or ""),
        timezone=str(values.get("timezone") or ""),
        cadence=str(values.get("cadence") or ""),
        max_items=values.get("max_items"),  # type: ignore[arg-type]
        attributes=told,
    )


def _attributes(value: object, called: str) -> dict[str, str]:
    """Read a line for each, `city: Berlin`."""
    told: dict[str, str] = {}
    for line in filter(None, map(str.strip, str(value).split("\n"))):
        key, sign, said = line.partition(":")
        if not sign:
            raise InvalidInput(f"{called}: '{line[:40]}' has no colon; write each like 'city: Berlin'")
        told[key] = said
    return checked_attributes(told)


def _timezone(value: object, _called: str) -> str:
    return zone(str(value).strip()).key if str(value).strip() else ""


def _follows(value: object, _called: str) -> tuple[str, ...]:
    return tuple(filter(None, str(value).split("\n")))


def _most(value: object, called: str) -> int:
    return whole(value, called, (0, MOST_ITEMS)) if str(value).strip() else 0


READERS: dict[str, Reader] = {
    "email": lambda value, _called: parse_address(str(value)),
    "name": lambda value, called: within(str(value).strip(), called, limit=200),
    "language": lambda value, called: language_tag(str(value).strip(), called),
    "timezone": _timezone,
    "follows": _follows,
    "cadence": lambda value, _called: str(value),
    "max_items": _most,
    "attributes": _attributes,
}
"""How each field is read."""
