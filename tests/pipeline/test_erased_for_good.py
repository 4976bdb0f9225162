"""After a life here and an erasure nothing is found: in the database's files, its dump, logs and Redis."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from digest.domain.accounts import Right
from digest.domain.consents import ConsentSource
from digest.domain.deliveries import DeliveryId, DeliveryState, Outcome
from digest.domain.departures import Reason
from digest.domain.endpoints import EventKind
from digest.domain.erasing import NO_MARKS
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.subscribers import SubscriberId
from digest.intake.lists.steps import import_text
from digest.logs import set_up_logs
from digest.pipeline.erasing import address_data, erase_address
from digest.pipeline.letters import mail_link
from digest.pipeline.sharing import share_issue
from digest.pipeline.sign_ups import take_in_sign_ups
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.pipeline.suppressing import let_be_mailed, suppress_by_hand
from digest.settings import Settings
from digest.store.bounces import record_refusals
from digest.store.claims import arm_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.endpoints import add_endpoint
from digest.store.sign_ups import put_sign_ups
from digest.store.subscribers import SubscriberRow
from digest.store.tokens import add_token
from digest.track import less
from digest.track.bounces import take_in
from digest.track.events import Event, take_events
from digest.track.events import EventKind as Told
from digest.track.feedback import say_useful
from digest.track.leaving import resubscribe, say_why
from digest.track.returns import ReturnPaths
from digest.track.steps import confirm, pause, unsubscribe
from digest.web.app import make_app
from tests.pipeline.controlled import OWNER, Controlled
from tests.pipeline.traces import leave_more, tables_of
from tests.servers.postgres import PostgresServer, binaries
from tests.stored import CLIMATE, NOW
from tests.stores_searched import columns_that_hold, is_in, spellings
from tests.test_retention import READERS
from tests.track.reports import delivery_report, group
from worker.app import make_app as make_worker

ADA = "ada.fenwick+news@lighthouse.example"
NAME = "Ada Fenwick-Lighthouse"
AS_NUMBERS = {"deliveries", "returned_mails", "skips"}
"""Where a reader stays as a number, so that counts hold."""

AS_HASHES = {"erasures", "never_asked", "webhook_events"}
"""Where a mark stays that leads to nobody: so that no list brings them back, and no sign-up mails them."""

BY_ERASING = {"erasures", "erasure_orders"}
"""Tables in which only the erasure itself has a row of a reader."""

PATHS = ReturnPaths("bounces+*@news.example.org", ["k" * 32])


def live(send: Controlled, redis_url: str) -> None:
    """Let her subscribe, read, bounce, complain, leave, come back, and be talked about."""
    runtime, engine, weekly = send.runtime, send.engine, send.newsletter
    with writing(engine) as session:
        kinds = {EventKind.SUBSCRIBER_ACTIVE, EventKind.DELIVERY_FAILED, EventKind.SUBSCRIBER_ERASED}
        add_endpoint(session, url="https://hooks.example.org/", kinds=kinds, about="", by="Cy", now=NOW)
        _, secret = add_token(
            session,
            name="tests",
            rights=frozenset(Right),
            by="Cy",
            now=NOW,
            expires_at=NOW + timedelta(days=1),
        )
    for at in (NOW - timedelta(hours=1), NOW):
        sign_up(send, at)
        take_in_sign_ups(runtime)
    confirm(engine, weekly.id, number_of(send), now=NOW)
    sign_up(send, NOW)  # which no worker has taken in yet
    api = TestClient(make_app(runtime))
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "1"}
    path = f"/api/v1/newsletters/{weekly.slug}/subscribers"
    new = {"email": ADA, "name": NAME, "follows": ["climate"], "again": True}
    assert api.post(path, json=new, headers=headers).status_code == 409, "she is there already"
    said = api.patch(f"{path}/{number_of(send)}", json={"name": NAME}, headers=headers)
    assert said.status_code == 200, said.text
    who = number_of(send)
    import_text(
        engine,
        weekly,
        f"email,name\n{ADA},{NAME}\nben@example.org,Ben\n",
        name="r.csv",
        by="Cy",
        now=NOW,
        marked=NO_MARKS,
    )
    wanted = WantedBy(follows=[CLIMATE], name=NAME)
    put_subscriber(runtime, weekly.slug, ADA, wanted, by="Cy", source=ConsentSource.COMMAND)
    api.get(f"{path}?email={ADA}", headers=headers)
    mail_link(runtime, weekly.slug, ADA)
    share_issue(runtime, send.issue.id, email=ADA, by="Cy")
    send.address()
    hers = next(claim for claim in send.claim() if claim.email == ADA)
    refused = [(hers, Outcome(DeliveryState.FAILED, 550, f"5.7.1 <{ADA}>: not now"))]
    with writing(engine) as session:
        arm_deliveries(session, [hers], owner=OWNER, now=NOW)
        settle_deliveries(session, refused, now=NOW)
        record_refusals(session, refused, now=NOW)
    report = delivery_report(
        group(
            final=f"rfc822; {ADA}",
            original=f"rfc822;{ADA.replace('+', '+2B').replace('@', '+40')}",
            status="4.2.2",
            action="delayed",
            diagnostic=f"smtp; 452 4.2.2 <{ADA}> is full",
        )
    )
    take_in(engine, report, paths=PATHS, to=[PATHS.write(hers.id)], via="lmtp", now=NOW)
    take_in(engine, report, paths=PATHS, to=["somebody@example.net"], via="lmtp", now=NOW)
    event = Event("7", Told.COMPLAINED, ("ses:unknown",), ADA, diagnostic=f"abuse by {ADA}")
    take_events(engine, [event], via="webhook:ses", now=NOW)
    let_be_mailed(runtime, ADA, why=f"{ADA} wrote to us", by="Cy")
    suppress_by_hand(runtime, ADA, why="asked by phone", by="Cy")
    pause(engine, weekly.id, who, now=NOW)
    wants_less(send, who)
    unsubscribe(engine, weekly.id, who, now=NOW, says_goodbye=True)
    say_why(engine, weekly.id, who, reason=Reason.OTHER, words=f"I told you so. {NAME}, {ADA}")
    resubscribe(engine, weekly.id, who, now=NOW)
    leave_more(send, form_of(send, NOW), who)
    worker = make_worker(Settings(broker_url=redis_url))
    worker.send_task("worker.tasks.send", (send.issue.id,))
    worker.send_task("worker.tasks.post")
    api.close()


def wants_less(send: Controlled, who: SubscriberId) -> None:
    """Mute, ask for fewer, and say what was useful, as the links of a mail do."""
    engine, weekly = send.engine, send.newsletter.id
    less.mute(engine, weekly, who, CLIMATE, now=NOW)
    less.want_single(engine, weekly, who, CLIMATE, now=NOW)
    less.want_nothing_of(engine, weekly, who, "Meridian", now=NOW)
    say_useful(
        engine,
        weekly,
        who,
        issue_id=send.issue.id,
        position=0,
        source="Meridian",
        is_useful=False,
        now=NOW,
    )


def sign_up(send: Controlled, at: datetime) -> None:
    """Send the sign-up form, as its page does."""
    with writing(send.engine) as session:
        put_sign_ups(session, [form_of(send, at)])


def form_of(send: Controlled, at: datetime) -> SignUp:
    wishes = Wishes(frozenset({CLIMATE}), language="de", name=NAME)
    return SignUp(send.newsletter.id, ADA, wishes, ConsentSource.PAGE, "I want it.", "192.0.2.7", at)


def number_of(send: Controlled) -> SubscriberId:
    with reading(send.engine) as session:
        return SubscriberId(session.scalars(select(SubscriberRow.id).where(SubscriberRow.email == ADA)).one())


def dump(send: Controlled, server: PostgresServer) -> bytes:
    """The database as it lies on disk (SQLite), or as a backup holds it (PostgreSQL)."""
    if send.engine.dialect.name == "sqlite":
        file = Path(str(send.engine.url.database))
        return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    url = send.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return subprocess.run([binaries() / "pg_dump", "--inserts", url], check=True, capture_output=True).stdout


def in_redis(url: str) -> bytes:
    """All that Redis holds, keys and values as it would write them to a disk."""
    with redis.Redis.from_url(url) as server:
        keys = list(server.scan_iter())
        return b"".join(key + (server.dump(key) or b"") for key in keys)


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    return Controlled.stored(engine, tmp_path)


def test_nothing_is_found_of_her(
    send: Controlled,
    redis_url: str,
    postgres_server: PostgresServer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    set_up_logs(level="debug", as_json=True)
    live(send, redis_url)
    sought = spellings(ADA) | spellings(NAME) | spellings("ada.fenwick") | spellings("lighthouse.example")
    held = columns_that_hold(send.engine, ADA, NAME)
    assert len(held) >= 15, f"a life leaves traces, or the search is blind: {held}"
    who = number_of(send)
    keys, domain = send.runtime.erasure_keys, "lighthouse.example"
    left = tables_of(send.engine, who, keys, ADA, NAME, domain)
    missing = set(READERS) - BY_ERASING - left
    assert not missing, f"docs/retention.md tells of these tables: let the life leave a row in {missing}"
    told = {"departures", "feedback", "muted_topics", "single_topics", "unwanted_sources"}
    data = address_data(send.runtime, ADA)
    assert all(data[name] for name in told), "what is kept of them is what they are told"
    assert is_in(dump(send, postgres_server), sought)

    erase_address(send.runtime, ADA, by="Cy")

    assert columns_that_hold(send.engine, ADA, NAME, "lighthouse.example") == []
    assert tables_of(send.engine, who, keys, ADA, NAME, domain) == AS_NUMBERS | AS_HASHES
    send.engine.dispose()
    assert not is_in(dump(send, postgres_server), sought)
    assert not is_in(in_redis(redis_url), sought)
    assert in_redis(redis_url), "the hints are there"
    written = "".join(capfd.readouterr())
    assert "reader.erased" in written
    assert not is_in(written.encode(), sought)


def test_what_comes_of_her_later_is_not_kept(send: Controlled, redis_url: str) -> None:
    live(send, redis_url)
    erase_address(send.runtime, ADA, by="Cy")
    keys = send.runtime.erasure_keys
    for number in range(1, 9):
        report = delivery_report(
            group(final=f"rfc822; {ADA}", diagnostic=f"smtp; 550 5.1.1 <{ADA}> is not here")
        )
        take_in(send.engine, report, paths=PATHS, to=[PATHS.write(DeliveryId(number))], via="lmtp", now=NOW)
    for kind in (Told.BOUNCED, Told.COMPLAINED, Told.UNSUBSCRIBED):
        event = Event(f"8{kind}", kind, ("ses:unknown",), ADA, diagnostic=f"of {ADA}")
        take_events(send.engine, [event], via="webhook:ses", now=NOW, keys=keys)
    assert columns_that_hold(send.engine, ADA, NAME) == []
