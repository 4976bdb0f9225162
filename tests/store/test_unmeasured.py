"""Mails that were addressed as measured to readers who take it back, or of a newsletter that stops asking."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select, update

from benchmarks.readers import Size, sending_issue
from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.issues import MEASURED, IssueId
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.audiences import EditionRow
from digest.store.claims import arm_deliveries, claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.measured import agree_to_measure
from digest.store.measures import TEXT_MEASURED, IssueMeasureRow, measures_of, note_measured
from digest.store.newsletters import change_newsletter, list_newsletters
from digest.track.measuring import set_measuring

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ADA, BEN, CLEO = map(SubscriberId, (1, 2, 3))
READERS = 3


@pytest.fixture
def issue_id(engine: Engine) -> IssueId:
    """An issue that waits to be sent to three readers who agreed to be measured, all of one edition."""
    issue_id = sending_issue(engine, Size(readers=READERS, topics=1, articles=2, follows=1))
    number = newsletter(engine)
    with writing(engine) as session:
        change_newsletter(session, number, measuring=Measuring.ASKED)
        session.execute(update(IssueRow).values(sending_at=NOW))
        session.execute(update(DeliveryRow).values(next_at=NOW))
        session.execute(update(EditionRow).values(key=EditionRow.key + MEASURED))
        note_measured(session, issue_id, html=READERS, text=0, has_links=True)
        for reader in (ADA, BEN, CLEO):
            agree_to_measure(session, number, reader, days=90, now=NOW)
    return issue_id


def newsletter(engine: Engine) -> NewsletterId:
    with reading(engine) as session:
        (only,) = list_newsletters(session)
    return only.id


def claim(engine: Engine, issue_id: IssueId, limit: int = 9) -> tuple[Claim, ...]:
    lease = NOW + timedelta(minutes=5)
    with writing(engine) as session:
        return claim_deliveries(session, issue_id, owner="one", limit=limit, now=NOW, lease_until=lease)


def are_measured(claims: Sequence[Claim]) -> dict[SubscriberId, bool]:
    return {one.subscriber_id: one.edition.endswith(MEASURED) for one in claims}


def numbers(engine: Engine, issue_id: IssueId) -> tuple[int, int]:
    """The mails of the issue that count as measured once all were delivered, as HTML and as text alone."""
    with writing(engine) as session:
        session.execute(update(DeliveryRow).values(state=DeliveryState.ACCEPTED.value, lease_until=None))
    with reading(engine) as session:
        found = measures_of(session, [issue_id])[issue_id]
    return found.html, found.text


def take_back(engine: Engine, reader: SubscriberId) -> None:
    later = NOW + timedelta(minutes=1)
    set_measuring(engine, newsletter(engine), reader, False, wording="", network="", now=later)


def test_a_mail_that_waits_is_plain_once_its_reader_took_it_back(engine: Engine, issue_id: IssueId) -> None:
    take_back(engine, ADA)
    take_back(engine, BEN)
    assert are_measured(claim(engine, issue_id)) == {ADA: False, BEN: False, CLEO: True}
    with reading(engine) as session:
        keys = session.scalars(select(EditionRow.key)).all()
    assert sorted(key.endswith(MEASURED) for key in keys) == [False, True], "the plain one was made once"
    assert numbers(engine, issue_id) == (1, 0)


def test_text_alone_stays_text_and_is_counted_out_as_that(engine: Engine, issue_id: IssueId) -> None:
    with writing(engine) as session:
        (key,) = session.scalars(select(EditionRow.key))
        text = key.removesuffix(MEASURED) + TEXT_MEASURED
        own = EditionRow(issue_id=issue_id, key=text)
        session.add(own)
        session.flush()
        session.execute(update(DeliveryRow).where(DeliveryRow.subscriber_id == ADA).values(edition_id=own.id))
        session.execute(update(IssueMeasureRow).values(html=READERS - 1, text=1))
    take_back(engine, ADA)
    (ada,) = (one for one in claim(engine, issue_id) if one.subscriber_id == ADA)
    assert ada.edition == text.removesuffix(MEASURED)
    assert numbers(engine, issue_id) == (READERS - 1, 0)


def test_a_claimed_mail_is_taken_from_its_worker_and_written_anew(engine: Engine, issue_id: IssueId) -> None:
    held = claim(engine, issue_id)
    take_back(engine, ADA)
    with writing(engine) as session:
        armed = arm_deliveries(session, held, owner="one", now=NOW)
    assert armed == {one for one in held if one.subscriber_id != ADA}, "what was written may not leave"
    assert are_measured(claim(engine, issue_id)) == {ADA: False}
    assert numbers(engine, issue_id) == (READERS - 1, 0)


def test_of_a_mail_in_hand_and_the_one_written_anew_one_leaves(engine: Engine, issue_id: IssueId) -> None:
    (before,) = (one for one in claim(engine, issue_id) if one.subscriber_id == ADA)
    take_back(engine, ADA)
    (anew,) = claim(engine, issue_id)
    assert anew.id == before.id
    with writing(engine) as session:
        assert arm_deliveries(session, [before, anew], owner="one", now=NOW) == {anew}


def test_an_armed_mail_leaves_as_it_is_and_is_plain_if_it_comes_back(
    engine: Engine, issue_id: IssueId
) -> None:
    held = claim(engine, issue_id)
    with writing(engine) as session:
        assert len(arm_deliveries(session, held, owner="one", now=NOW)) == READERS
    take_back(engine, ADA)
    with writing(engine) as session:
        states = session.scalars(select(DeliveryRow.state)).all()
        assert set(states) == {DeliveryState.SENDING.value}
        session.execute(update(DeliveryRow).values(state=DeliveryState.PENDING.value, lease_until=None))
    assert are_measured(claim(engine, issue_id)) == {ADA: False, BEN: True, CLEO: True}


def test_a_newsletter_that_stops_asking_measures_in_no_mail(engine: Engine, issue_id: IssueId) -> None:
    first = claim(engine, issue_id, limit=1)
    with writing(engine) as session:
        change_newsletter(session, newsletter(engine), measuring=Measuring.OFF)
    rest = claim(engine, issue_id)
    assert list(are_measured(first).values()) == [True], "control: it asked"
    assert set(are_measured(rest).values()) == {False}
    assert numbers(engine, issue_id) == (1, 0)


def test_who_agreed_after_it_was_addressed_has_it_plain(engine: Engine, issue_id: IssueId) -> None:
    take_back(engine, ADA)
    later = NOW + timedelta(hours=1)
    set_measuring(engine, newsletter(engine), ADA, True, wording="You may.", network="", now=later)
    assert are_measured(claim(engine, issue_id))[ADA] is False


def statements_of_a_claim(engine: Engine, issue_id: IssueId, limit: int = 9) -> list[str]:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    claim(engine, issue_id, limit)
    event.remove(engine, "before_cursor_execute", note)
    return seen


def test_nothing_more_is_asked_where_no_mail_is_measured(engine: Engine, issue_id: IssueId) -> None:
    def asked(statement: str) -> bool:
        return "measured_readers" in statement

    measured = statements_of_a_claim(engine, issue_id, limit=1)
    assert any(map(asked, measured)), "control: of measured ones it is asked"
    with writing(engine) as session:
        (key,) = session.scalars(select(EditionRow.key))
        session.execute(update(EditionRow).values(key=key.removesuffix(MEASURED)))
    assert not any(map(asked, statements_of_a_claim(engine, issue_id)))


def test_a_claim_asks_as_often_for_many_editions_as_for_one(engine: Engine, issue_id: IssueId) -> None:
    """A worker claims 500 mails of hundreds of editions at once, and its newsletter may just have stopped."""
    with writing(engine) as session:
        change_newsletter(session, newsletter(engine), measuring=Measuring.OFF)
    one = statements_of_a_claim(engine, issue_id)
    with writing(engine) as session:
        pending = {"state": DeliveryState.PENDING.value, "owner": None, "lease_until": None}
        session.execute(update(DeliveryRow).values(pending))
        for delivery in session.scalars(select(DeliveryRow)):
            own = EditionRow(issue_id=issue_id, key=f"topic-{delivery.id}:0{MEASURED}")
            session.add(own)
            session.flush()
            delivery.edition_id = own.id
    many = statements_of_a_claim(engine, issue_id)
    with reading(engine) as session:
        keys = session.scalars(
            select(EditionRow.key).join(DeliveryRow, DeliveryRow.edition_id == EditionRow.id)
        ).all()
        ids = session.scalars(select(DeliveryRow.id)).all()
    assert sorted(keys) == sorted(f"topic-{number}:0" for number in ids), (
        "each mail has the plain one of its own"
    )
    assert len(many) == len(one)


def test_readers_take_it_back_while_workers_claim(engine: Engine, issue_id: IssueId) -> None:
    with ThreadPoolExecutor(4) as threads:
        backs = [threads.submit(take_back, engine, reader) for reader in (ADA, BEN, CLEO)]
        claims = [threads.submit(claim, engine, issue_id, 1) for _ in range(READERS)]
        for done in (*backs, *claims):
            done.result(30)
    claim(engine, issue_id)
    with reading(engine) as session:
        rows = session.execute(
            select(DeliveryRow.id, EditionRow.key).join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        ).all()
        plain = [key for key in session.scalars(select(EditionRow.key)) if not key.endswith(MEASURED)]
    assert len(rows) == READERS
    assert not any(key.endswith(MEASURED) for _, key in rows)
    assert len(plain) == 1
    assert numbers(engine, issue_id) == (0, 0)
