"""Condensing as a newsletter wants it: by extraction, or by a language model as long as it can be asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.condense.steps import Report, condense, condense_with
from digest.domain.errors import Misconfigured
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.runtime import Runtime
from digest.store.answers import forget_answers, forget_claims
from digest.store.database import reading, writing
from digest.store.spending import spent_since
from digest.store.stage_runs import condensed_until

MILLION = 1_000_000

ANSWERS_KEPT = timedelta(days=90)
"""So long an article that is condensed again is not paid for again."""
BEGIN_SECONDS, TASK_SECONDS = 25.0, 50.0
"""A task begins no article after the first, and asks no model after the second: it lasts a minute at most,
and an answer under way is not given up for that."""


def condense_newsletter(
    runtime: Runtime,
    engine: Engine,
    newsletter: Newsletter,
    *,
    on_condensed: Callable[[], None] = lambda: None,
) -> Report:
    """Condense all that is new or changed, however long it takes.

    A rehearsal asks no model: that would cost money. When none can be asked, takeaways are extracted, and the
    report says why.
    """
    now = runtime.clock()
    if newsletter.llm and engine is runtime.engine:
        _forget_old_answers(runtime)
    else:
        return condense(engine, newsletter, now=now, on_condensed=on_condensed)

    async def run() -> Report | None:
        async with runtime.llm(newsletter.id) as condenser:
            if condenser is None:
                return None
            at_once = runtime.settings.llm_concurrency
            return await condense_with(
                engine, newsletter, condenser, at_once=at_once, now=now, on_condensed=on_condensed
            )

    try:
        report = asyncio.run(run())
    except Misconfigured as exc:
        return condense(engine, newsletter, now=now, note=_extracted(str(exc)), on_condensed=on_condensed)
    return report or condense(engine, newsletter, now=now, note=_NO_MODEL, on_condensed=on_condensed)


def condense_for_a_while(
    runtime: Runtime, newsletter: Newsletter, window: Window, *, due: datetime
) -> Report:
    """Condense for most of a minute; the report tells whether some is left for another call.

    What a run may spend on a model in time holds for all calls with the same `due`, when the run was due. In
    money it holds for these together with what was condensed ahead, for the draft of these days.
    """
    now, begun = runtime.clock(), time.monotonic()
    engine, settings = runtime.engine, runtime.settings

    def took(seconds: float) -> bool:
        return time.monotonic() - begun >= seconds

    def extract(note: str = "") -> Report:
        return condense(engine, newsletter, now=now, note=note, should_stop=lambda: took(TASK_SECONDS))

    if not newsletter.llm:
        return extract()
    _forget_old_answers(runtime)
    with reading(engine) as session:
        asked_since = spent_since(session, newsletter.id, due).began_at
    dollars = _left_of_limit(runtime, newsletter, window, before=due)
    left = settings.llm_run_seconds - ((now - asked_since).total_seconds() if asked_since else 0)
    if left <= 0:
        return extract(
            _extracted(f"the {settings.llm_run_seconds:.0f} s that a run asks the model were over")
        )

    async def run() -> Report | None:
        seconds = min(left, TASK_SECONDS)
        async with runtime.llm(newsletter.id, seconds=seconds, dollars=max(0.0, dollars)) as condenser:
            if condenser is None:
                return None
            return await condense_with(
                engine,
                newsletter,
                condenser,
                at_once=settings.llm_concurrency,
                now=now,
                # A model that is not asked any more keeps nobody waiting: the rest is extracted at once.
                should_stop=lambda: took(TASK_SECONDS if condenser.stopped else BEGIN_SECONDS),
            )

    try:
        return asyncio.run(run()) or extract(_NO_MODEL)
    except Misconfigured as exc:
        return extract(_extracted(str(exc)))


def condense_ahead(runtime: Runtime, newsletter: Newsletter, window: Window) -> None:
    """Condense for half a minute what a coming issue may want, ahead of the run that makes it.

    A model is asked while something is left of the limit that draft and run share; from then on takeaways
    are extracted, as the run would do it. Where the model is out of reach, what it was not asked about waits
    for the next time, or for the run, rather than being extracted for good.
    """
    now, begun = runtime.clock(), time.monotonic()
    engine, settings = runtime.engine, runtime.settings

    def is_over() -> bool:
        return time.monotonic() - begun >= BEGIN_SECONDS

    def extract(note: str = "") -> None:
        condense(engine, newsletter, now=now, note=note, should_stop=is_over)

    if not newsletter.llm:
        extract()
        return
    dollars = _left_of_limit(runtime, newsletter, window, before=now)
    if dollars < 0 or (settings.llm_spend_limit and not dollars):
        extract(_extracted(f"the limit of ${settings.llm_spend_limit:.2f} for the model is spent"))
        return

    async def run() -> Report | None:
        async with runtime.llm(newsletter.id, seconds=TASK_SECONDS, dollars=dollars) as condenser:
            if condenser is None:
                return None
            return await condense_with(
                engine,
                newsletter,
                condenser,
                at_once=settings.llm_concurrency,
                now=now,
                should_stop=lambda: is_over() or bool(condenser.stopped),
            )

    if asyncio.run(run()) is None:
        extract(_NO_MODEL)


def _left_of_limit(runtime: Runtime, newsletter: Newsletter, window: Window, *, before: datetime) -> float:
    """Return the US dollars left for the issue of these days, to draft and run together; it may be below 0.

    What counts is what was spent since the last run that was due before a moment had condensed: windows may
    overlap, and may be shorter than the time from one run to the next.
    """
    with reading(runtime.engine) as session:
        since = condensed_until(session, newsletter.id, before=before)
        if since is None:
            since = min(window.start, before - (window.end - window.start))
        spent = spent_since(session, newsletter.id, since)
    return runtime.settings.llm_spend_limit - spent.cost / MILLION


def _forget_old_answers(runtime: Runtime) -> None:
    before = runtime.clock() - ANSWERS_KEPT
    with writing(runtime.engine) as session:
        forget_answers(session, before=before)
        forget_claims(session, before=before)


def _extracted(why: str) -> str:
    return f"{why}; these takeaways are extracted"


_NO_MODEL = _extracted("no language model is set (llm_provider)")
