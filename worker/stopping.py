"""Whether this worker was told to stop, as its pool sees it."""

from __future__ import annotations

import mmap


class Stopping:
    """One byte of memory shared with the processes forked later: Celery tells only the main process.

    With it a deploy waits for the messages under way, a second or so, and not for a task's whole time.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Tell every task of this worker to come to an end."""
        self._byte[0] = 1

    def clear(self) -> None:
        """Begin anew."""
        self._byte[0] = 0

    def is_set(self) -> bool:
        """Return whether tasks are to come to an end."""
        return self._byte[0] == 1


stopping = Stopping()
