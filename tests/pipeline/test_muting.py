"""A mute lasts a month, and at least until one issue of the reader's has come without the topic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.domain.cadences import Cadence
from digest.domain.errors import NotFound
from digest.domain.less import MUTED_FOR
from digest.domain.subscribers import SubscriberId
from digest.domain.times import Window
from digest.pipeline.muting import mute, mute_end
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import reading, writing
from digest.store.less import less_of
from digest.store.schedules import add_schedule
from digest.store.subscribers import set_cadence
from digest.track.steps import pause
from tests.pipeline.press import Clock
from tests.stored import CLIMATE, approved_issue, stored_newsletter, stored_reader

MONDAY = datetime(2026, 11, 2, 8, tzinfo=UTC)
"""An hour after the first issue of November; the first of December is that of the 7th, 35 days later."""

OCTOBER = Window.of_days(date(2026, 10, 26), date(2026, 11, 1), ZoneInfo("UTC"))
DECEMBER = datetime(2026, 12, 7, tzinfo=UTC)


def runtime_on(engine: Engine, tmp_path: Path, now: datetime = MONDAY) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, secret_key="k" * 40, state_dir=str(tmp_path))  # type: ignore[call-arg, arg-type]
    return Runtime(settings, Clock(now))


@pytest.mark.parametrize(
    ("cadence", "cron", "ends"),
    [
        (Cadence.EVERY, "0 7 * * MON", None),
        (Cadence.FORTNIGHTLY, "0 7 * * MON", None),
        (Cadence.MONTHLY, "0 7 * * MON", DECEMBER),
        (Cadence.EVERY, "0 7 * * MON#1", DECEMBER),
        (Cadence.MONTHLY, "", DECEMBER),
        (Cadence.EVERY, "", None),
    ],
)
def test_one_issue_of_theirs_at_least_comes_without_it(
    engine: Engine, tmp_path: Path, cadence: Cadence, cron: str, ends: datetime | None
) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    address_issue(engine, approved_issue(engine, newsletter, window=OCTOBER).id, now=MONDAY)
    with writing(engine) as session:
        set_cadence(session, newsletter.id, who, cadence)
        if cron:
            add_schedule(
                session,
                newsletter.id,
                cron=cron,
                timezone="UTC",
                window_days=7,
                next_due=MONDAY + timedelta(days=7),
                now=MONDAY,
            )
    until = mute(runtime_on(engine, tmp_path), newsletter.id, who, CLIMATE)
    assert until == (ends + timedelta(days=1) if ends else MONDAY + MUTED_FOR)
    assert MONDAY + MUTED_FOR < DECEMBER, "a month would miss it"
    with reading(engine) as session:
        muted = less_of(session, newsletter.id, who, after=DECEMBER).muted
    assert muted == ({CLIMATE} if ends else frozenset())


@pytest.mark.parametrize(
    ("back", "ends"),
    [
        (datetime(2027, 2, 5, tzinfo=UTC), datetime(2027, 2, 9, tzinfo=UTC)),
        (MONDAY + timedelta(days=9), MONDAY + MUTED_FOR),
        (None, MONDAY + MUTED_FOR),
    ],
)
def test_what_comes_while_a_reader_pauses_is_no_issue_of_theirs(
    engine: Engine, tmp_path: Path, back: datetime | None, ends: datetime
) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        add_schedule(
            session,
            newsletter.id,
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=7,
            next_due=MONDAY + timedelta(days=7),
            now=MONDAY,
        )
    pause(engine, newsletter.id, who, now=MONDAY, until=back)
    assert mute_end(runtime_on(engine, tmp_path), newsletter.id, who) == ends


def test_a_newsletter_that_never_came_is_muted_for_a_month(engine: Engine, tmp_path: Path) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    runtime = runtime_on(engine, tmp_path)
    assert mute_end(runtime, newsletter.id, who) == MONDAY + MUTED_FOR
    with pytest.raises(NotFound):
        mute_end(runtime, newsletter.id, SubscriberId(4711))
