"""A sign-up form read: what was typed, what is wrong with it, and the sign-up that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.datastructures import FormData

from digest.compose.untrusted import plain
from digest.domain.cadences import Cadence
from digest.domain.consents import ConsentSource
from digest.domain.errors import InvalidInput
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.topics import TopicSlug
from digest.intake.addresses import parse_new_address
from digest.intake.sign_ups.hints import hint_at
from digest.pipeline.sign_ups import Offer
from digest.track.tokens import Tokens
from digest.web.sign_up.views import LANGUAGES, Problem, Typed

TRAP = "homepage"
"""A field that people do not see. Programs that fill in forms fill in this one, too."""

QUICKEST, SLOWEST = timedelta(seconds=2), timedelta(hours=24)
"""Nobody reads and fills in the page faster; one that was open for longer is shown once more."""

FORM = "form"
"""What the form for other sites says of itself. It is copied once, so it cannot say when it was shown."""

EMAIL_MAX, NAME_MAX = 320, 200


def typed_in(form: FormData) -> Typed:
    """Return what a form holds, cut to what there is room for."""

    def text(name: str, most: int) -> str:
        value = form.get(name, "")
        return value.replace("\x00", "").strip()[:most] if isinstance(value, str) else ""

    return Typed(
        email=text("meant", EMAIL_MAX) or text("email", EMAIL_MAX),
        topics=frozenset(value for value in form.getlist("topic") if isinstance(value, str)),
        cadence=text("cadence", 16),
        language=text("language", 16),
        name=plain(text("name", NAME_MAX)),
        sure=text("sure", EMAIL_MAX),
        shown=text("shown", 200),
        spoken=text("spoken", 16),
        trap=text(TRAP, 200),
        is_form=text("from", 16) == FORM,
        may_measure=text("may_measure", 3) == "yes",
    )


def problem_with(typed: Typed, offer: Offer, tokens: Tokens, *, now: datetime) -> Problem | None:
    """Return what has to be asked once more, None for a form that can be taken.

    It depends on what was typed and on nothing that is known of the address: so it tells nobody who is here.
    """
    try:
        email = parse_new_address(typed.email)
    except InvalidInput:
        return Problem("address" if typed.email else "no_address")
    if not _topics(typed, offer):
        return Problem("no_topic")
    if typed.trap:
        # Answered as if all were well: who wrote the program learns nothing from it.
        return None
    if not typed.is_form:
        age = tokens.read_form(offer.newsletter.id, typed.shown, now=now)
        if age is None or not QUICKEST <= age <= SLOWEST:
            return Problem("once_more")
    hint = hint_at(email)
    if hint is None or typed.sure == typed.email:
        return None
    return Problem("disposable") if hint.is_disposable else Problem("mistyped", hint.meant)


def sign_up_of(typed: Typed, offer: Offer, *, wording: str, network: str, now: datetime) -> SignUp:
    """Return the sign-up that a form without problems makes. Raises `InvalidInput` for one with some."""
    return SignUp(
        offer.newsletter.id,
        parse_new_address(typed.email),
        Wishes(
            _topics(typed, offer),
            cadence_of(typed.cadence, offer),
            _language(typed),
            typed.name,
            typed.may_measure,
        ),
        ConsentSource.FORM if typed.is_form else ConsentSource.PAGE,
        wording,
        network,
        now,
        is_trapped=bool(typed.trap),
    )


def cadence_of(wanted: str, offer: Offer) -> Cadence | None:
    """Return one of the cadences on offer: the first where another was named, or none."""
    offered: Mapping[str, Cadence] = {cadence.value: cadence for cadence in offer.newsletter.cadences}
    return offered.get(wanted, next(iter(offered.values()), None))


def _topics(typed: Typed, offer: Offer) -> frozenset[TopicSlug]:
    """Return the topics that were ticked and that there are; one that was dropped meanwhile is left out."""
    return frozenset(topic.slug for topic in offer.topics if topic.slug in typed.topics)


def _language(typed: Typed) -> str:
    return typed.language if typed.language in LANGUAGES else ""
