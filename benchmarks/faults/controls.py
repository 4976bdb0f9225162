"""Two senders as they are often written, to show that the harness would see a fault.

`send_then_mark` marks a delivery after the server has accepted it: killed between the two, it sends again.
`mark_then_send` marks it before: killed between the two, it never sends. Under the kills that Digest's own
workers survive, the one must break I1 and the other I3.
"""

from __future__ import annotations

from benchmarks.faults.audit import Audit
from benchmarks.faults.field import Field
from benchmarks.faults.processes import Body
from benchmarks.faults.sending import mark_then_send, send_then_mark

READERS = 1_000
KILLS = 30
"""So often a control is killed at most; one or two do."""

CONTROLS: tuple[tuple[Body, str], ...] = ((send_then_mark, "I1"), (mark_then_send, "I3"))


def has_failed(field: Field, body: Body, invariant: str) -> bool:
    """Kill a naive sender and start it again until it breaks the invariant; return whether it did."""
    field.issue(READERS)
    audit = Audit(field)
    while field.kills < KILLS and not field.is_settled():
        process = field.start(body, field.place)
        process.hear()
        target = field.sink.count() + field.random.randint(5, 30)
        field.wait_for_mails(target)
        field.kill(process)
        audit.look(audience=READERS)
        if any(words.startswith(invariant) for words in field.broken):
            return True
    return False
