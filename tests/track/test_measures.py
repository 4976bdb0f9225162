"""What readers who agreed opened and followed: judged by rules, counted once, gone when they take it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, func, select, update

from benchmarks.readers import Size, sending_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import MEASURED, IssueId
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.audiences import EditionRow
from digest.store.base import Base
from digest.store.clicks import Hit, HitRow, clicks_of, opening
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import take_reader_out
from digest.store.issues import IssueRow
from digest.store.measured import agree_to_measure
from digest.store.measures import (
    FollowedLinkRow,
    IssueMeasureRow,
    IssueMeasures,
    OpenRow,
    measures_of,
    note_measured,
)
from digest.store.newsletters import change_newsletter, list_newsletters
from digest.store.subscribers import set_subscription_state
from digest.track.clicks import TOO_SOON, is_by_opening
from digest.track.counting import keep_hits, settle_hits
from digest.track.measuring import set_measuring

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DELIVERED = NOW - timedelta(hours=1)
ADA, BEN, CLEO = map(SubscriberId, (1, 2, 3))
READERS = 3


def newsletter(engine: Engine) -> NewsletterId:
    """The only one: PostgreSQL goes on counting from test to test."""
    with reading(engine) as session:
        (only,) = list_newsletters(session)
    return only.id


@pytest.fixture
def issue_id(engine: Engine) -> IssueId:
    """An issue that three readers have, of whom Ada agreed to be measured."""
    issue_id = sending_issue(engine, Size(readers=READERS, topics=2, articles=4, follows=2))
    number = newsletter(engine)
    with writing(engine) as session:
        change_newsletter(session, number, measuring=Measuring.ASKED)
        accepted = {"state": DeliveryState.ACCEPTED.value, "settled_at": DELIVERED, "armed_at": DELIVERED}
        session.execute(update(DeliveryRow).values(accepted))
        session.execute(update(IssueRow).values(sending_at=DELIVERED))
        session.execute(update(EditionRow).values(key=EditionRow.key + MEASURED))
        note_measured(session, issue_id, html=READERS, text=0, has_links=True)
        agree_to_measure(session, number, ADA, days=90, now=DELIVERED)
    return issue_id


def opened(issue_id: IssueId, reader: SubscriberId = ADA, *, at: datetime = NOW, visitor: str = "ada") -> Hit:
    return opening(issue_id, reader, visitor, at)


def followed(
    issue_id: IssueId,
    position: int = 0,
    reader: SubscriberId | None = ADA,
    *,
    at: datetime = NOW,
    visitor: str = "ada",
) -> Hit:
    return Hit(visitor, issue_id, at, position, "climate", "Meridian", 1, reader)


def settle(engine: Engine, *hits: Hit, measured_for: timedelta = timedelta(days=90)) -> None:
    keep_hits(engine, hits)
    last = max(hit.at for hit in hits)
    settle_hits(engine, now=last + timedelta(minutes=1), measured_for=measured_for)


def rows(engine: Engine, table: type[Base]) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def measured(engine: Engine, issue_id: IssueId) -> IssueMeasures:
    with reading(engine) as session:
        return measures_of(session, [issue_id])[issue_id]


def counts(engine: Engine, issue_id: IssueId) -> tuple[int, int, int]:
    found = measured(engine, issue_id)
    return found.opened, found.followed, found.left_out


def clicks(engine: Engine, issue_id: IssueId) -> int:
    with reading(engine) as session:
        return sum(one.followed for one in clicks_of(session, [issue_id]))


def test_an_open_counts_once_a_reader_and_issue(engine: Engine, issue_id: IssueId) -> None:
    settle(engine, opened(issue_id), opened(issue_id, visitor="her phone"))
    settle(engine, opened(issue_id, at=NOW + timedelta(days=1)))
    assert counts(engine, issue_id) == (1, 0, 0)
    with reading(engine) as session:
        (row,) = session.scalars(select(OpenRow))
        assert (row.issue_id, row.subscriber_id, row.at) == (issue_id, ADA, NOW), "when it was opened first"
    assert clicks(engine, issue_id) == 0, "no link was followed"


def test_who_followed_what_is_kept_and_each_reader_is_counted_once(engine: Engine, issue_id: IssueId) -> None:
    settle(engine, followed(issue_id, 0), followed(issue_id, 2, at=NOW + timedelta(seconds=20)))
    settle(engine, followed(issue_id, 3, at=NOW + timedelta(hours=1)))
    assert counts(engine, issue_id) == (0, 1, 0)
    with reading(engine) as session:
        kept = session.scalars(select(FollowedLinkRow).order_by(FollowedLinkRow.position)).all()
        assert [(row.subscriber_id, row.position, row.topic, row.source) for row in kept] == [
            (ADA, position, "climate", "Meridian") for position in (0, 2, 3)
        ]
    assert clicks(engine, issue_id) == 3, "as those of all others"


def test_of_who_did_not_agree_nothing_is_kept_by_name(engine: Engine, issue_id: IssueId) -> None:
    keep_hits(engine, [opened(issue_id, BEN, visitor="ben"), followed(issue_id, 1, BEN, visitor="ben")])
    with reading(engine) as session:
        (kept,) = session.scalars(select(HitRow))
        assert (kept.subscriber_id, kept.is_open) == (None, False)
    settle_hits(engine, now=NOW + timedelta(minutes=1))
    assert counts(engine, issue_id) == (0, 0, 0)
    assert rows(engine, OpenRow) == rows(engine, FollowedLinkRow) == 0
    assert clicks(engine, issue_id) == 1, "the click of somebody"


def test_what_was_taken_back_is_gone_also_what_waits_to_be_judged(engine: Engine, issue_id: IssueId) -> None:
    settle(engine, opened(issue_id), followed(issue_id, 1, at=NOW + timedelta(seconds=20)))
    keep_hits(engine, [followed(issue_id, 2, at=NOW + timedelta(hours=1))])
    set_measuring(engine, newsletter(engine), ADA, False, wording="", network="", now=NOW)
    for table in (OpenRow, FollowedLinkRow, HitRow):
        assert rows(engine, table) == 0
    assert counts(engine, issue_id) == (0, 0, 0)
    settle(engine, opened(issue_id, at=NOW + timedelta(hours=2)))
    assert counts(engine, issue_id) == (0, 0, 0)


def test_who_agrees_again_is_counted_in_issues_from_then_on(engine: Engine, issue_id: IssueId) -> None:
    number = newsletter(engine)
    settle(engine, opened(issue_id))
    set_measuring(engine, number, ADA, False, wording="", network="", now=NOW)
    then = NOW + timedelta(minutes=5)
    set_measuring(engine, number, ADA, True, wording="You may.", network="", now=then)
    settle(
        engine, opened(issue_id, at=NOW + timedelta(hours=1)), followed(issue_id, at=NOW + timedelta(hours=1))
    )
    assert counts(engine, issue_id) == (0, 0, 0)
    assert rows(engine, OpenRow) == rows(engine, FollowedLinkRow) == 0
    set_measuring(engine, number, ADA, False, wording="", network="", now=NOW + timedelta(hours=2))
    assert measured(engine, issue_id).html == READERS - 1, "taken off once"


def test_a_rate_is_of_who_agrees_still(engine: Engine, issue_id: IssueId) -> None:
    number = newsletter(engine)
    with writing(engine) as session:
        agree_to_measure(session, number, BEN, days=90, now=DELIVERED)
    settle(engine, opened(issue_id))
    set_measuring(engine, number, BEN, False, wording="", network="", now=NOW)
    found = measured(engine, issue_id)
    assert (found.opened, found.html) == (1, READERS - 1), "Ben had opened nothing"


def test_counts_of_an_issue_stay_once_nobody_knows_who_is_in_them(engine: Engine, issue_id: IssueId) -> None:
    settle(engine, opened(issue_id))
    late, kept = DELIVERED + timedelta(days=7), timedelta(days=7)
    set_measuring(engine, newsletter(engine), ADA, False, wording="", network="", now=late, measured_for=kept)
    assert (counts(engine, issue_id), measured(engine, issue_id).html) == ((1, 0, 0), READERS)
    assert rows(engine, OpenRow) == 0


@pytest.mark.parametrize("why", ["taken back", "left", "asks nobody"])
def test_consent_is_asked_for_again_when_hits_are_judged(engine: Engine, issue_id: IssueId, why: str) -> None:
    keep_hits(engine, [opened(issue_id), followed(issue_id, 1)])
    number = newsletter(engine)
    with writing(engine) as session:
        if why == "left":
            set_subscription_state(session, number, ADA, SubscriptionState.UNSUBSCRIBED, now=NOW)
        elif why == "asks nobody":
            change_newsletter(session, number, measuring=Measuring.OFF)
    if why == "taken back":
        set_measuring(engine, newsletter(engine), ADA, False, wording="", network="", now=NOW)
    settle_hits(engine, now=NOW + timedelta(minutes=1))
    assert counts(engine, issue_id) == (0, 0, 0)
    assert rows(engine, OpenRow) == rows(engine, FollowedLinkRow) == 0


def test_what_is_fetched_as_a_mail_arrives_nobody_has_read(engine: Engine, issue_id: IssueId) -> None:
    soon = DELIVERED + TOO_SOON - timedelta(seconds=1)
    settle(engine, opened(issue_id, at=soon), followed(issue_id, 1, at=soon))
    assert counts(engine, issue_id) == (0, 0, 1)
    settle(engine, opened(issue_id, at=DELIVERED + TOO_SOON))
    assert counts(engine, issue_id) == (1, 0, 1)


def test_who_reads_a_mail_just_after_a_program_looked_at_it_has_read_it(
    engine: Engine, issue_id: IssueId
) -> None:
    soon, later = DELIVERED + TOO_SOON / 2, DELIVERED + TOO_SOON
    looked_at = [opened(issue_id, at=soon), followed(issue_id, 1, at=soon + timedelta(seconds=2))]
    settle(engine, *looked_at, opened(issue_id, at=later), followed(issue_id, 1, at=later))
    assert counts(engine, issue_id) == (1, 1, 0)
    assert clicks(engine, issue_id) == 1


def test_who_opens_a_whole_mail_at_once_has_not_read_it(engine: Engine, issue_id: IssueId) -> None:
    scanned = [followed(issue_id, n, at=NOW + timedelta(seconds=n / 10)) for n in range(4)]
    settle(engine, opened(issue_id), *scanned)
    assert counts(engine, issue_id) == (0, 0, 1)
    assert clicks(engine, issue_id) == 0


def test_to_open_a_mail_and_follow_a_link_of_it_at_once_is_no_scan(engine: Engine, issue_id: IssueId) -> None:
    settle(engine, opened(issue_id), followed(issue_id, 1, at=NOW + timedelta(seconds=0.4)))
    assert counts(engine, issue_id) == (1, 1, 0)


def test_readers_behind_one_address_are_told_apart(engine: Engine, issue_id: IssueId) -> None:
    number = newsletter(engine)
    with writing(engine) as session:
        agree_to_measure(session, number, BEN, days=90, now=DELIVERED)
    both = [followed(issue_id, n, reader, visitor="the office") for n, reader in enumerate((ADA, BEN))]
    settle(engine, *both, *(opened(issue_id, reader, visitor="a proxy") for reader in (ADA, BEN)))
    assert counts(engine, issue_id) == (2, 2, 0)


def test_nothing_is_measured_after_the_term_and_so_nobody_twice(engine: Engine, issue_id: IssueId) -> None:
    late = DELIVERED + timedelta(days=7, seconds=1)
    settle(engine, opened(issue_id, at=late), followed(issue_id, at=late), measured_for=timedelta(days=7))
    assert counts(engine, issue_id) == (0, 0, 0)


def test_a_longer_term_since_is_not_of_who_was_told_a_shorter_one(engine: Engine, issue_id: IssueId) -> None:
    """Ada agreed to 90 days, and the setting has been raised to a year."""
    late, year = DELIVERED + timedelta(days=90, seconds=1), timedelta(days=365)
    settle(engine, opened(issue_id), measured_for=year)
    settle(engine, followed(issue_id, at=late), measured_for=year)
    assert counts(engine, issue_id) == (1, 0, 0), "by then nobody may know who followed it"
    with reading(engine) as session:
        assert session.scalars(select(OpenRow.until)).one() == NOW + timedelta(days=90)
    set_measuring(engine, newsletter(engine), ADA, False, wording="", network="", now=late, measured_for=year)
    assert (counts(engine, issue_id), measured(engine, issue_id).html) == ((1, 0, 0), READERS)


def test_a_mail_that_was_not_delivered_was_not_opened(engine: Engine, issue_id: IssueId) -> None:
    with writing(engine) as session:
        session.execute(update(DeliveryRow).values(state=DeliveryState.FAILED.value))
    settle(engine, opened(issue_id))
    assert counts(engine, issue_id) == (0, 0, 0)


@pytest.mark.parametrize(
    "state", [DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.CANCELLED]
)
def test_rates_are_of_mails_that_were_delivered(
    engine: Engine, issue_id: IssueId, state: DeliveryState
) -> None:
    with writing(engine) as session:
        lease = NOW if state is DeliveryState.SENDING else None
        one = update(DeliveryRow).where(DeliveryRow.subscriber_id == BEN)
        session.execute(one.values(state=state.value, lease_until=lease, settled_at=None))
    found = measured(engine, issue_id)
    assert (found.html, found.text) == (READERS - 1, 0)


def test_without_measured_mails_an_issue_has_no_figures(engine: Engine) -> None:
    issue_id = sending_issue(engine, Size(readers=1, topics=1, articles=1, follows=1))
    with reading(engine) as session:
        assert measures_of(session, [issue_id]) == {}
    assert rows(engine, IssueMeasureRow) == 0


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


@pytest.mark.parametrize("agent", [FIREFOX, GMAIL, YAHOO])
def test_programs_that_fetch_pictures_when_a_mail_is_opened_count(agent: str) -> None:
    assert is_by_opening("GET", {"user-agent": agent, "sec-fetch-mode": "no-cors"})


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"user-agent": "Mozilla/5.0"}),  # Apple's Mail, which fetches all
        ("GET", {"user-agent": ""}),
        ("GET", {}),
        ("HEAD", {"user-agent": FIREFOX}),
        ("GET", {"user-agent": FIREFOX, "purpose": "prefetch"}),
        ("GET", {"user-agent": "Barracuda Sentinel (EE)"}),
        ("GET", {"user-agent": "python-requests/2.32"}),
    ],
)
def test_others_are_told_by_what_they_say(method: str, headers: dict[str, str]) -> None:
    assert not is_by_opening(method, headers)


@pytest.mark.parametrize("ends", ["taken back", "erased"])
def test_nothing_is_left_of_who_ends_it_while_they_are_measured(
    engine: Engine, issue_id: IssueId, ends: str
) -> None:
    """Readers end it while their opens are kept and judged, in any order of the two."""
    number = newsletter(engine)
    with writing(engine) as session:
        for reader in (BEN, CLEO):
            agree_to_measure(session, number, reader, days=90, now=DELIVERED)
    readers = [ADA, BEN, CLEO]
    has_begun = Event()

    def measure() -> None:
        for second in range(20):
            at = NOW + timedelta(minutes=2 * second)
            settle(engine, *(opened(issue_id, who, at=at, visitor=str(who)) for who in readers))
            has_begun.set()

    with ThreadPoolExecutor(1) as threads:
        measuring = threads.submit(measure)
        assert has_begun.wait(30)
        for who in readers:
            if ends == "erased":
                with writing(engine) as session:
                    take_reader_out(session, f"reader{who - 1}@example.org")
            else:
                set_measuring(engine, number, who, False, wording="", network="", now=NOW)
        measuring.result()
    assert rows(engine, OpenRow) == rows(engine, HitRow) == 0
    counted = READERS if ends == "erased" else 0
    assert counts(engine, issue_id) == (counted, 0, 0), "each was counted before; who takes it back is not"
