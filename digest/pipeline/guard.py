"""What looks after a send while it goes on, beside it: nothing of this is in the way of a mail."""

from __future__ import annotations

import threading
from types import TracebackType

import structlog

from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import DigestError
from digest.domain.issues import IssueId, IssueState
from digest.pipeline.breaches import Gauge, pause_breached
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.holds import open_holds
from digest.store.issues import get_issue

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0


class Guard:
    """A thread that looks once a second whether the send may go on, and whether too much of it fails.

    A context manager; leaving it looks once more. It is told each outcome, and where many fail at once it
    looks at once: what a second lets out at full speed is thousands of mails.
    """

    def __init__(self, runtime: Runtime, issue_id: IssueId) -> None:
        self._runtime = runtime
        self._issue_id = issue_id
        self._gauge = Gauge(runtime.settings)
        self._failed = self._noted = self._seen = 0
        self._look_at = max(1, int(runtime.settings.pause_after * runtime.settings.pause_failures / 100))
        self._nudge = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)
        self.stops = False
        """Whether the send is to end now: its issue is paused or over, or everything is held.

        The arm asks for that too, but what a server refuses before it never comes so far.
        """

    def __enter__(self) -> Guard:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._nudge.set()
        self._thread.join()

    def note(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.state is DeliveryState.FAILED:
            self._failed += 1
            if self._failed >= self._look_at:
                self._nudge.set()

    def _watch(self) -> None:
        while True:
            self._nudge.wait(LOOK_SECONDS)
            self._nudge.clear()
            is_over = self._is_over
            try:
                self._look()
            except DigestError as exc:
                log.warning("guard.blind", issue=self._issue_id, reason=str(exc))
            if is_over:
                return

    def _look(self) -> None:
        failed = self._failed
        if failed > self._seen:
            # Each look is worth it only when there is a tenth more to see.
            self._look_at = failed + max(1, failed // 10)
            pause_breached(self._runtime, self._issue_id, self._gauge)
            # Outcomes are told before they are recorded: the latest may not have been there to see.
            self._seen, self._noted = self._noted, failed
        with reading(self._runtime.engine) as session:
            state = get_issue(session, self._issue_id).state
            self.stops = state is not IssueState.SENDING or bool(open_holds(session))
