"""What became of a newsletter's sign-ups."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import Field

from digest.domain.accounts import Right
from digest.domain.sign_ups import HOW_COUNTED, SignUpOutcome
from digest.pipeline.sign_up_days import DAYS, sign_ups_of_days
from digest.web.api.access import Call, asks
from digest.web.api.shapes import NewsletterName, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Subscribers"])


class OutcomeCount(Told):
    """What sign-ups came to, and how many did."""

    outcome: SignUpOutcome
    in_words: str
    sign_ups: int


class SignUpDay(Told):
    """A day by UTC on which there were sign-ups."""

    day: date
    outcomes: list[OutcomeCount]


class SignUps(Told):
    """A newsletter's sign-ups. Nothing of it says who they are."""

    is_open: bool = Field(description="Whether its page takes sign-ups.")
    mailed: int = Field(description="Mails that its sign-ups caused of those that an hour allows.")
    most: int = Field(description="How many an hour allows; 0: any number.")
    until: datetime | None = Field(description="When that hour ends; null while none was mailed.")
    waiting: int = Field(description="Sign-ups that wait for a cap.")
    next_look: datetime | None = Field(description="When the next of them are looked at; null: none waits.")
    days: list[SignUpDay] = Field(description=f"Of the last {DAYS}, the newest first. {HOW_COUNTED}")


@router.get("/newsletters/{newsletter}/sign-ups", **asks(Right.LOOK))
def read_sign_ups(runtime: TheRuntime, newsletter: NewsletterName) -> SignUps:
    """Return what became of a newsletter's sign-ups by day, what waits, and until when."""
    (found,) = sign_ups_of_days(runtime, newsletter)
    return SignUps(
        is_open=found.is_open,
        mailed=found.mailed,
        most=found.most,
        until=found.until,
        waiting=found.waiting,
        next_look=found.next_look,
        days=[
            SignUpDay(
                day=one.day,
                outcomes=[
                    OutcomeCount(outcome=kind, in_words=kind.in_words, sign_ups=one.counts[kind])
                    for kind in SignUpOutcome
                    if kind in one.counts
                ],
            )
            for one in found.days
        ],
    )
