"""What an issue is to come to: worked out behind the pages, kept with its time, renewed when it is old."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.compose.steps import Pieces, pieces_of
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.pipeline import outlook
from digest.pipeline.approval import approve_issue
from digest.pipeline.outlook import Outlook, outlook_on, work_out, work_out_what_is_due
from digest.pipeline.preflight import check_issue
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.issues import change_issue, write_texts
from digest.store.subscribers import set_subscription_state, subscribe
from digest.store.suppressions import suppress
from tests.pipeline.press import CLIMATE, SPACE, Clock, Press, make_newsletter
from tests.pipeline.test_preflight import compose_week
from tests.stored import NOW, stored_reader


@pytest.fixture
def newsletter(engine: Engine, press: Press) -> Newsletter:
    return make_newsletter(engine, press)


@pytest.fixture
def draft(engine: Engine, press: Press, newsletter: Newsletter) -> Issue:
    """A draft of two articles on the climate, and readers of every kind."""
    stored_reader(engine, newsletter, "both@example.org", CLIMATE, SPACE)
    stored_reader(engine, newsletter, "climate@example.org", CLIMATE)
    stored_reader(engine, newsletter, "space@example.org", SPACE)
    stored_reader(engine, newsletter, "nothing@example.org")
    paused = stored_reader(engine, newsletter, "paused@example.org", CLIMATE)
    stored_reader(engine, newsletter, "gone@example.org", CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, paused, SubscriptionState.PAUSED, now=NOW)
        subscribe(session, newsletter.id, email="brief@example.org", follows=[CLIMATE], max_items=1, now=NOW)
        suppress(session, "gone@example.org", reason="bounce", detail="", now=NOW)
    return compose_week(engine, press, newsletter, tides=CLIMATE, glaciers=CLIMATE)


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so few readers be many."""
    monkeypatch.setattr(outlook, "FEW_READERS", 3)


def pieces(runtime: Runtime, issue: Issue) -> Pieces:
    return pieces_of(runtime.engine, issue.id, template_of=runtime.template)


def counts(found: Outlook | None) -> tuple[int, int, int]:
    assert found
    return found.one, found.few, found.many


def test_it_says_who_gets_how_much_and_who_nothing(runtime: Runtime, draft: Issue) -> None:
    found = outlook_on(runtime, pieces(runtime, draft))
    assert found
    assert counts(found) == (1, 2, 0)
    assert found.skipped == {
        SkipReason.NOTHING_FOLLOWED: 1,
        SkipReason.NO_TOPICS: 1,
        SkipReason.PAUSED: 1,
        SkipReason.SUPPRESSED: 1,
    }
    assert found.preflight.readers == 3


def test_addressing_does_what_it_said(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    before = work_out(runtime, draft.id)
    approve_issue(runtime, draft.id, by="ed")
    addressed = address_issue(engine, draft.id, now=NOW)
    assert addressed.skipped == dict(before.skipped)
    after = work_out(runtime, draft.id)
    assert (counts(after), after.skipped) == (counts(before), before.skipped)
    assert addressed.deliveries == sum(counts(before))


def test_what_is_kept_is_what_was_worked_out(runtime: Runtime, draft: Issue) -> None:
    check_issue(runtime, draft.id)
    told = work_out(runtime, draft.id)
    assert outlook_on(runtime, pieces(runtime, draft)) == told
    assert told.preflight.looked_at == NOW


@pytest.mark.usefixtures("_many")
def test_with_many_readers_a_page_shows_what_was_kept_and_says_when_that_is_old(
    engine: Engine, runtime: Runtime, draft: Issue
) -> None:
    assert outlook_on(runtime, pieces(runtime, draft)) is None
    work_out(runtime, draft.id)
    with writing(engine) as session:
        write_texts(session, draft.id, subject="Another subject of this week", preheader="", intro="")
    found = outlook_on(runtime, pieces(runtime, draft))
    assert found
    assert (counts(found), found.is_current) == ((1, 2, 0), False)
    check_issue(runtime, draft.id)
    work_out(runtime, draft.id)
    assert (found := outlook_on(runtime, pieces(runtime, draft)))
    assert found.is_current


@pytest.mark.usefixtures("_many")
def test_a_new_look_at_its_links_makes_it_old(runtime: Runtime, draft: Issue) -> None:
    work_out(runtime, draft.id)
    check_issue(runtime, draft.id)
    found = outlook_on(runtime, pieces(runtime, draft))
    assert found
    assert not found.is_current


def test_a_worker_works_out_what_is_missing_or_old_and_nothing_else(
    engine: Engine, runtime: Runtime, draft: Issue, clock: Clock
) -> None:
    assert work_out_what_is_due(runtime) == 1
    assert work_out_what_is_due(runtime) == 0
    clock.now += timedelta(minutes=16)
    assert work_out_what_is_due(runtime) == 1, "readers come and go"
    with writing(engine) as session:
        write_texts(session, draft.id, subject="Another subject of this week", preheader="", intro="")
    assert work_out_what_is_due(runtime) == 1
    approve_issue(runtime, draft.id, by="ed")
    address_issue(engine, draft.id, now=NOW)
    assert work_out_what_is_due(runtime) == 1, "from now on its readers are known"
    clock.now += timedelta(minutes=16)
    assert work_out_what_is_due(runtime) == 0
    with writing(engine) as session:
        change_issue(session, draft.id, IssueState.CANCELLED, now=NOW)
    assert work_out_what_is_due(runtime) == 0


def test_what_waits_for_nobody_is_not_worked_out(runtime: Runtime, draft: Issue, clock: Clock) -> None:
    clock.now += timedelta(days=15)
    assert work_out_what_is_due(runtime) == 0


def test_a_worker_with_no_time_left_stops(runtime: Runtime, draft: Issue) -> None:
    assert work_out_what_is_due(runtime, seconds=-1) == 0
