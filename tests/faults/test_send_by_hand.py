"""`digest send` as somebody types it: killed in the middle or typed twice, nobody gets a second copy."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks.readers import Size, approved_issue, plain_address
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import get_issue
from tests.faults.workers import BIN
from tests.servers.faults import Faults
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

SESSIONS = 2
READERS = 600
"""More than one process claims at a time, so that a second one finds something to do."""


class Hand:
    """Types commands in an empty folder, with settings in the environment."""

    def __init__(self, folder: Path, engine: Engine, sink: SmtpSink) -> None:
        self.folder = folder
        self.engine = engine
        self.sink = sink
        self.issue_id: IssueId = approved_issue(engine, Size(READERS, topics=4, articles=8, follows=2))

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DIGEST_DATABASE_URL": self.engine.url.render_as_string(hide_password=False),
            "DIGEST_MAIL_URL": self.sink.url,
            "DIGEST_MAIL_SESSIONS": str(SESSIONS),
            "DIGEST_SECRET_KEY": "a key for tests that is long enough to be one",
        }
        return subprocess.Popen(
            [BIN / "digest", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def do(self, *arguments: str) -> str:
        return ended_well(self.begin(*arguments))

    def send(self) -> subprocess.Popen[str]:
        return self.begin("send", str(self.issue_id))

    def counts(self) -> dict[DeliveryState, int]:
        """Return the states that occur."""
        with reading(self.engine) as session:
            found = count_deliveries(session, self.issue_id)
        return {state: count for state, count in found.items() if count}

    def assert_sent_once_to_everybody(self) -> None:
        with reading(self.engine) as session:
            assert get_issue(session, self.issue_id).state is IssueState.SENT
        assert self.counts() == {DeliveryState.ACCEPTED: READERS}
        assert self.sink.copies() == {plain_address(number): 1 for number in range(READERS)}


def ended_well(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a command, and return what it said."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out


@pytest.fixture
def hand(tmp_path: Path, engine: Engine, smtp_sink: SmtpSink) -> Hand:
    return Hand(tmp_path, engine, smtp_sink)


def test_a_send_killed_in_the_middle_goes_on_when_typed_again(hand: Hand, tmp_path: Path) -> None:
    hand.sink.slow_down(after=READERS // 6)
    with hand.send() as killed:
        hand.sink.wait_for(READERS // 6)
        killed.kill()
    assert hand.sink.count() < READERS, "the kill came too late to prove anything"
    hand.sink.faults = Faults()
    said = hand.do("send", str(hand.issue_id))
    unknown = hand.counts().get(DeliveryState.UNKNOWN, 0)
    assert unknown <= SESSIONS, "more unknown than conversations were in the dot"
    assert f"{READERS - unknown} accepted" in said
    assert max(hand.sink.copies().values()) == 1
    if unknown:
        assert f"{unknown} unknown" in said
        log = str(tmp_path / "smtp-sink.jsonl")
        hand.do("issue", "reconcile", str(hand.issue_id), "--log", log, "--complete")
        if DeliveryState.PENDING in hand.counts():
            hand.do("send", str(hand.issue_id))
    hand.assert_sent_once_to_everybody()


def test_a_send_typed_twice_at_once_shares_the_readers(hand: Hand) -> None:
    hand.sink.slow_down(after=0)
    with hand.send() as first, hand.send() as second:
        wait_until(lambda: hand.sink.connections >= 2 * SESSIONS)
        hand.sink.faults = Faults()
        told = [ended_well(process) for process in (first, second)]
    assert sum("is sent" in words for words in told) >= 1
    hand.assert_sent_once_to_everybody()
