"""No commit in this process waits for the disk: only a crash of the machine would notice.

Most tests commit some dozen times. What they prove is of processes that die, and what those have written is
safe with the operating system. Processes that tests start wait as ever.
"""

from __future__ import annotations

from sqlalchemy import Engine, event

from digest.store import database


def wait_for_no_disk() -> None:
    """Have every SQLite engine that `open_engine` makes from now on hand its commits over and go on."""
    make = database._sqlite_engine

    def make_hasty(engine: Engine) -> Engine:
        made = make(engine)
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return made

    database._sqlite_engine = make_hasty
