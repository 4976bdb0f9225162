"""What the attacked processes do: a worker's own tasks, without a broker that rings for them."""

from __future__ import annotations

import signal
import smtplib
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from benchmarks.faults.rig import SOUND, Rig, RiggedTransport
from digest.address import steps
from digest.address.steps import address_issue
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.steps import due_issues
from digest.deliver.transport import Transport
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import DigestError
from digest.domain.issues import IssueId
from digest.logs import set_up_logs
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.settings import Settings, load_settings
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow, NewDelivery, add_deliveries

SECRET = "a key for benchmarks, as long as a real one"
PAUSE = 0.05
"""Seconds between two looks for what is due; the beat rings every five."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process works."""

    database_url: str
    mail_url: str
    state_dir: str


def settings_for(place: Place, **more: Any) -> Settings:
    """Return settings for a place, whatever stands in the environment."""
    given = {
        "database_url": place.database_url,
        "mail_url": place.mail_url,
        "state_dir": place.state_dir,
        "secret_key": SECRET,
        **more,
    }
    return load_settings(log_level="warning", **given)


@dataclass(frozen=True)
class RiggedRuntime(Runtime):
    """The runtime of a rigged process."""

    rig: Rig = SOUND
    talk: Connection | None = None

    @cached_property
    def engine(self) -> Engine:
        """The database, which may be allowed no more pages."""
        engine = open_engine(self.settings.database_url)
        if self.rig.pages:
            limit = f"PRAGMA max_page_count={self.rig.pages}"
            event.listen(engine, "connect", lambda connection, _: connection.execute(limit))
        return engine

    @cached_property
    def transport(self) -> Transport:
        """The way mail leaves, with the rig around it."""
        server = SmtpServer.from_url(self.settings.mail_url[0])
        assert self.talk is not None
        quick = SmtpServer(server.host, server.port, timeout=self.rig.timeout)
        return RiggedTransport(SmtpTransport(quick), self.rig, self.talk)


def rigged_runtime(place: Place, rig: Rig, talk: Connection) -> RiggedRuntime:
    """Return the runtime of a process with this rig."""
    return RiggedRuntime(
        settings_for(place, mail_sessions=rig.sessions),
        clock=rig.clock,
        rig=rig,
        talk=talk,
    )


def mail(place: Place, rig: Rig, talk: Connection) -> None:
    """Sweep, and send whatever is due, until SIGTERM. Says its name as an owner of deliveries first."""
    # Not an Event: to set one in a signal handler waits for ever if the thread is in the middle of its wait.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    set_up_logs(level="warning", as_json=False)
    runtime = rigged_runtime(place, rig, talk)
    talk.send(runtime.owner)
    while not signals:
        try:
            for issue_id in due_issues(runtime.engine, open_issues(runtime), now=runtime.clock()):
                send_for_a_while(runtime, issue_id, should_stop=lambda: bool(signals))
        except DigestError as exc:
            # As a task does that fails: it is told, and the next ring tries again.
            print(f"{type(exc).__name__}: {exc}", file=sys.stderr, flush=True)
        time.sleep(PAUSE)


def address(place: Place, issue_id: IssueId, page: int, talk: Connection) -> None:
    """Address an issue, and stand still when the deliveries of this page (from 1) are to be written."""
    engine = open_engine(place.database_url)
    pages = iter(range(1, page))

    def stand_still(
        session: Session, issue: IssueId, deliveries: Iterable[NewDelivery], *, now: datetime
    ) -> None:
        if next(pages, None) is None:
            talk.send("in the middle of an insert")
            talk.recv()
        add_deliveries(session, issue, deliveries, now=now)

    # SQLAlchemy's events do not tell of rows that PostgreSQL is given by COPY.
    with patch.object(steps, "add_deliveries", stand_still):
        address_issue(engine, issue_id, now=datetime.now(UTC))
    talk.send("addressed")


def send_then_mark(place: Place, talk: Connection) -> None:
    """Send every pending delivery, and mark each after the server has accepted it."""
    _send_naively(place, talk, is_marked_first=False)


def mark_then_send(place: Place, talk: Connection) -> None:
    """Send every pending delivery, and mark each before."""
    _send_naively(place, talk, is_marked_first=True)


def _send_naively(place: Place, talk: Connection, *, is_marked_first: bool) -> None:
    engine = open_engine(place.database_url)
    with reading(engine) as session:
        pending = session.execute(
            select(DeliveryRow.id, DeliveryRow.email, DeliveryRow.message_id)
            .where(DeliveryRow.state == DeliveryState.PENDING)
            .order_by(DeliveryRow.id)
        ).all()
    talk.send("ready")
    with smtplib.SMTP("127.0.0.1", int(place.mail_url.rpartition(":")[2])) as server:
        for delivery_id, email, message_id in pending:
            if is_marked_first:
                _mark(engine, delivery_id)
            server.sendmail("naive@example.org", [email], f"Message-ID: {message_id}\r\n\r\nHello.\r\n")
            if not is_marked_first:
                _mark(engine, delivery_id)


def _mark(engine: Engine, delivery_id: int) -> None:
    with writing(engine) as session:
        session.execute(
            update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(state=DeliveryState.ACCEPTED)
        )
