"""The 36 faults, in the order of their numbers."""

from __future__ import annotations

from benchmarks.faults import (
    clocks,
    databases,
    hints,
    kills,
    mail_servers,
    outside,
    people,
)
from benchmarks.faults.field import POSTGRESQL, SQLITE
from benchmarks.faults.harness import Fault

SERVED = range(7, 14)
"""The faults that run Digest's own services."""

_EXACT = "exactly the armed ones unknown"
_SAFE = "I1-I5"

FAULTS = (
    Fault(1, "SIGKILL between claim and arm", "unknown 0", kills.between_claim_and_arm, is_quick=True),
    Fault(2, "SIGKILL between arm and dot", _EXACT, kills.between_arm_and_dot, is_quick=True),
    Fault(3, "SIGKILL between dot and 250", _EXACT, kills.between_dot_and_answer, is_quick=True),
    Fault(
        *(4, "SIGKILL between 250 and commit", "unknown → accepted", kills.between_answer_and_commit),
        is_quick=True,
    ),
    Fault(5, "SIGKILL a random worker, 50 times", _SAFE, kills.a_random_worker_fifty_times),
    Fault(
        *(6, "SIGSTOP past the lease, then SIGCONT", "the fence refuses the arm"),
        kills.stopped_past_its_lease,
        is_quick=True,
    ),
    Fault(7, "SIGTERM (a deploy) mid-send", "unknown 0", hints.deployed),
    Fault(8, "a pool child dies (out of memory)", "recovers in 60 s", hints.a_pool_child_dies),
    Fault(9, "Redis FLUSHALL mid-send", "completes", hints.redis_forgets),
    Fault(10, "Redis SIGKILL, no AOF", "completes", hints.redis_dies),
    Fault(11, "Redis down", "says so, loses nothing", hints.redis_is_down),
    Fault(12, "the same task message ten times", "I1", hints.the_same_message_ten_times),
    Fault(
        *(13, "a task longer than the visibility timeout", "I1"),
        hints.longer_than_the_visibility_timeout,
    ),
    Fault(
        *(14, "pg_terminate_backend every 200 ms", _SAFE, databases.connections_are_cut),
        databases=(POSTGRESQL,),
    ),
    Fault(
        *(15, "PostgreSQL immediate stop mid-commit", _SAFE, databases.postgresql_crashes),
        databases=(POSTGRESQL,),
    ),
    Fault(
        *(16, "a restored, older database", "nothing sent before ops resume"),
        databases.an_older_copy,
    ),
    Fault(17, "SQLite lock held 20 s", "no loss", databases.the_lock_is_held, databases=(SQLITE,)),
    Fault(18, "disk full", "pauses, alerts", databases.the_disk_is_full, databases=(SQLITE,)),
    Fault(19, "421, connection refused", "pending, back-off", mail_servers.away),
    Fault(
        *(20, "451 at RCPT, at DATA, after the dot", "accepted later", mail_servers.deferring),
    ),
    Fault(
        *(21, "550 at RCPT, 554 after the dot", "failed; hard bounce suppressed", mail_servers.refusing),
    ),
    Fault(22, "RST in mid-body", "pending, one copy", mail_servers.cutting_the_body),
    Fault(
        *(23, "accepted, then dropped before 250", "unknown, no resend"),
        mail_servers.dropping_after_the_dot,
    ),
    Fault(
        *(24, "accepted, then 250 minutes later", "accepted", mail_servers.answering_late),
        is_quick=True,
    ),
    Fault(25, "slow-drip banner, TLS failure", "worker not wedged", mail_servers.wedging),
    Fault(26, "clock ± 1 h", "I1", clocks.wrong_by_an_hour),
    Fault(27, "DST gap and fold in three zones", "one issue per local date", clocks.clocks_change),
    Fault(28, "three beats", "one occurrence", clocks.several_beats, is_quick=True),
    Fault(29, "50 parallel 'Send' clicks", "one materialisation", people.fifty_clicks, is_quick=True),
    Fault(30, "edit during send", "I6, 409", people.edited),
    Fault(31, "unsubscribe mid-send", "0 arms after its commit", people.readers_leave),
    Fault(32, "pause mid-send", "stops in 5 s; resumes under I1", people.paused),
    Fault(33, "kill the materialiser in mid-insert", "audience = the snapshot", people.addressing_is_killed),
    Fault(34, "webhook duplicated, reordered, forged", "idempotent; refused", outside.webhooks),
    Fault(
        *(35, "feed server hangs, lies about length, sends a bomb", "the run goes on"),
        outside.a_hostile_feed,
    ),
    Fault(36, "LLM backend down, slow, talking nonsense", "extractive instead", outside.a_bad_model),
)
