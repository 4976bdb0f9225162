"""What a mail that came back means for the reader whose delivery it is about. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.bounces import (
    Meaning,
    is_about_us,
    meaning_of_delay,
    meaning_of_status,
    statuses_in,
)
from digest.domain.subscribers import email_key
from digest.store.returned import ReturnedDelivery
from digest.track.guesses import Guess
from digest.track.reports import Action, Kind, RecipientReport, Report

_OWN_FORM = re.compile(r"<\d+\.\d+\.[0-9a-f]{12}@[^<>@\s]+>")
"""How our Message-IDs look. Some relays put one of their own in its place: that is no contradiction."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report means: `status` is the code that decided, '' for none, `detail` what was said."""

    meaning: Meaning
    status: str = ""
    detail: str = ""


def judge(report: Report, delivery: ReturnedDelivery, *, now: datetime) -> Verdict:
    """Return what a report means that came to the signed return path of `delivery`."""
    if _OWN_FORM.fullmatch(report.about) and report.about != delivery.message_id:
        told = f"it gives back the mail {report.about}, and came to the return path of {delivery.message_id}"
        return Verdict(Meaning.UNKNOWN, detail=told)
    match report.kind:
        case Kind.DELIVERY_REPORT:
            return judge_recipients(report.recipients, delivery, now=now)
        case Kind.COMPLAINT:
            return Verdict(Meaning.COMPLAINT, detail=f"complaint: {report.feedback}")
        case Kind.OTHER_FEEDBACK:
            return Verdict(Meaning.NOTHING, detail=f"feedback: {report.feedback}")
        case Kind.GUESSED if report.guess is not None:
            return _of_guess(report.guess, delivery, now=now)
        case Kind.AUTO_REPLY:
            return Verdict(Meaning.NOTHING, detail="an automatic answer")
        case _:
            return Verdict(Meaning.UNKNOWN, detail=report.why)


def judge_recipients(
    recipients: Sequence[RecipientReport], delivery: ReturnedDelivery, *, now: datetime
) -> Verdict:
    """Judge by what is said of the reader; of somebody else only where nothing is said of the reader."""
    own = [one for one in recipients if email_key(delivery.email) in _keys(one)]
    told = min(own or recipients, key=lambda one: list(Action).index(one.action))
    status = _status(told)
    code = "" if status in told.diagnostic else status
    detail = " ".join(filter(None, [code, told.diagnostic, _passed_on(told, delivery)]))
    return Verdict(_meaning(told, status, delivery, now=now), status, detail)


def _meaning(told: RecipientReport, status: str, delivery: ReturnedDelivery, *, now: datetime) -> Meaning:
    if told.action not in (Action.FAILED, Action.DELAYED):
        return Meaning.NOTHING
    if is_about_us(status):
        return Meaning.REFUSES_US
    if told.action is Action.DELAYED:
        return meaning_of_delay(now - delivery.sent_at)
    meaning = meaning_of_status(status)
    if meaning is Meaning.GONE and _passed_on(told, delivery):
        # Their own mailbox took it; one they have mail passed on to is gone, perhaps one of several.
        return Meaning.SOFT
    return meaning


def _keys(told: RecipientReport) -> tuple[str, str]:
    return email_key(told.original), email_key(told.final)


def _passed_on(told: RecipientReport, delivery: ReturnedDelivery) -> str:
    """Return in words whom the mail had been passed on to when it failed, '' when it was the reader."""
    last = told.final or told.original
    if not last or email_key(last) == email_key(delivery.email):
        return ""
    return f"(passed on to {last})"


def _status(told: RecipientReport) -> str:
    """Return the code that counts: one about us, wherever it stands, then the one that says most.

    Many servers write 5.0.0 in the field and the real code in their words.
    """
    field = next(iter(statuses_in(told.status)), "")
    words = statuses_in(told.diagnostic)
    about_us = next(filter(is_about_us, (field, *words)), "")
    if about_us:
        return about_us
    if field and not field.endswith(".0.0"):
        return field
    return next((code for code in words if not field or code[0] == field[0]), field)


def _of_guess(guess: Guess, delivery: ReturnedDelivery, *, now: datetime) -> Verdict:
    named = ", ".join(sorted(guess.failed | guess.delayed))[:200]
    detail = f"{guess.status} in words, about {named}".strip()
    if is_about_us(guess.status):
        return Verdict(Meaning.REFUSES_US, guess.status, detail)
    if not guess.failed:
        return Verdict(meaning_of_delay(now - delivery.sent_at), guess.status, detail)
    meaning = meaning_of_status(guess.status)
    if meaning is Meaning.GONE and email_key(delivery.email) not in map(email_key, guess.failed):
        meaning = Meaning.SOFT
    return Verdict(meaning, guess.status, detail)
