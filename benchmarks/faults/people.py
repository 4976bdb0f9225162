"""Faults 29 to 33: people who click, edit, leave and pause while an issue is addressed or sent."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field
from benchmarks.faults.rig import Rig
from benchmarks.faults.sending import address, settings_for
from benchmarks.readers import plain_address
from digest.address.steps import address_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import IssueState
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.pipeline.sending import send
from digest.runtime import Runtime, utc_now
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, find_delivery
from digest.store.issues import get_issue, write_texts
from digest.store.revisions import freeze, get_outline, get_rendered
from digest.store.subscribers import SubscriptionRow
from digest.track.steps import unsubscribe
from tests.servers.faults import DelayReply, Faults

READERS = 200
CROWD = 50_000
"""Readers of the issue whose addressing is killed."""
CLICKS = 50
PAUSED_WITHIN = 5.0

_UNARMED = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.CANCELLED)


def fifty_clicks(field: Field) -> Expected:
    """Click 'Send' fifty times at the same moment: some sends of a person, the rest what a worker does."""
    field.approve(READERS)
    together = threading.Barrier(CLICKS)

    def click(number: int) -> int:
        runtime = Runtime(settings_for(field.place, mail_sessions=2)) if number < 5 else None
        together.wait()
        try:
            if runtime is not None:
                return int(send(runtime, field.issue_id)[0] is not None)
            address_issue(field.engine, field.issue_id, now=utc_now())
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(CLICKS) as fingers:
        materialised = sum(fingers.map(click, range(CLICKS)))
    field.must(materialised == 1, f"the issue was addressed {materialised} times")
    field.recover()
    return Expected(READERS)


def edited(field: Field) -> Expected:
    """Edit the issue, and approve it anew, while it is being sent."""
    field.issue(READERS)
    field.sink.withhold(after=field.random.randint(1, READERS // 2))
    worker = field.worker()
    field.sink.wait_for(1)
    for edit in (_write_subject, _approve_again):
        try:
            edit(field)
            field.must(False, f"{edit.__name__} was let through in the middle of a send")
        except Conflict as exc:
            field.must("sending" in str(exc), f"the refusal does not say why: {exc}")
    field.sink.faults = Faults()
    field.wait_until_settled()
    worker.end()
    return Expected(READERS)


def _write_subject(field: Field) -> None:
    with writing(field.engine) as session:
        write_texts(session, field.issue_id, subject="Another one", preheader="", intro="")


def _approve_again(field: Field) -> None:
    with writing(field.engine) as session:
        issue = get_issue(session, field.issue_id)
        rendered, outline = get_rendered(session, issue), get_outline(session, issue)
        freeze(session, issue, rendered, outline, by="benchmark", now=utc_now())


def readers_leave(field: Field) -> Expected:
    """Have readers unsubscribe one after the other while two workers send."""
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.02))
    field.issue(READERS)
    with reading(field.engine) as session:
        newsletter_id = get_issue(session, field.issue_id).newsletter_id
    workers = [field.worker(Rig(sessions=3)) for _ in range(2)]
    field.sink.wait_for(1)
    too_late = set()
    leaving = field.random.sample(range(READERS), READERS // 4)
    for number in leaving:
        subscriber = SubscriberId(number + 1)
        unsubscribe(field.engine, newsletter_id, subscriber, now=utc_now())
        # Looked up after the commit: what is not armed by now must never be.
        with reading(field.engine) as session:
            delivery = find_delivery(session, field.issue_id, subscriber)
        if delivery is None or delivery.state not in _UNARMED:
            too_late.add(plain_address(number))
    field.sink.faults = Faults()
    field.wait_until_settled()
    for worker in workers:
        worker.end()
    left = {plain_address(number) for number in leaving} - too_late
    field.must(bool(left), "all left too late to prove anything")
    mailed = left & set(field.sink.copies())
    field.must(not mailed, f"{len(mailed)} were sent a mail that was armed after they had left")
    return Expected(READERS)


def paused(field: Field) -> Expected:
    """Pause the issue in the middle of a send by two workers; resume it once nothing moves."""
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.02))
    field.issue(READERS * 2)
    workers = [field.worker(Rig(sessions=3)) for _ in range(2)]
    field.sink.wait_for(field.random.randint(1, READERS))
    since = time.monotonic()
    field.change(IssueState.PAUSED)
    field.wait(lambda: not field.ids_in(DeliveryState.SENDING, DeliveryState.CLAIMED))
    took = time.monotonic() - since
    field.must(took < PAUSED_WITHIN, f"it took {took:.1f} s to stop")
    stopped_at = field.sink.count()
    field.must(stopped_at < READERS * 2, "the pause came too late to prove anything")
    # A worker that starts now sweeps before it looks for what is due.
    late = field.worker()
    late.end()
    field.must(field.sink.count() == stopped_at, "mail left although the issue was paused")
    field.change(IssueState.SENDING)
    field.sink.faults = Faults()
    field.wait_until_settled()
    for worker in workers:
        worker.end()
    return Expected(READERS * 2)


def addressing_is_killed(field: Field) -> None:
    """Kill who addresses an issue in the middle of an insert; readers leave; address it again."""
    field.approve(CROWD)
    page = field.random.randint(2, 9)
    process = field.start(address, field.place, field.issue_id, page)
    said = process.hear(seconds=120)
    field.must(said == "in the middle of an insert", f"it said: {said}")
    field.kill(process)
    with reading(field.engine) as session:
        state = get_issue(session, field.issue_id).state
    field.must(state is IssueState.APPROVED, f"the issue is {state}")
    field.must(not sum(field.counts().values()), f"half an audience was left behind: {field.counts()}")
    gone = {number + 1 for number in field.random.sample(range(CROWD), 1_000)}
    with writing(field.engine) as session:
        session.execute(
            update(SubscriptionRow)
            .where(SubscriptionRow.subscriber_id.in_(gone))
            .values(state=SubscriptionState.UNSUBSCRIBED.value)
        )
    since = time.monotonic()
    address_issue(field.engine, field.issue_id, now=utc_now())
    field.recovery_s = time.monotonic() - since
    with reading(field.engine) as session:
        found = session.scalars(
            select(DeliveryRow.subscriber_id).where(DeliveryRow.issue_id == field.issue_id)
        ).all()
    field.must(len(found) == len(set(found)), "a reader was addressed twice")
    field.must(set(found) == set(range(1, CROWD + 1)) - gone, "the audience is not that of the moment")
