"""A parser process: reads documents one at a time for the process that started it, see `parsing`.

    python -m digest.gather.parsing.child PARENT MEMORY_MB SECONDS

On stdin come pickled `(function, args, kwargs)`, each after its length, the first of which only prepares; on
stdout go answers: a kind, the
most memory the process ever held, and a payload. It lives for its parent alone, and not a moment longer.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import BinaryIO

from digest.gather.memory import give_back

LENGTH = struct.Struct("!I")
ANSWER = struct.Struct("!BII")
"""Kind, most memory held so far in KiB, length of the payload that follows."""

_PR_SET_PDEATHSIG = 1
_MAPPED_BESIDES = 512 << 20
_GRACE = 5
_NEARLY = 0.85
"""From this share of its memory on, an error is a lack of memory: libxml2 tells that in other words."""
_KEPT_MB = 8
"""More than this beyond what it held when it was ready, and a process gives back what it no longer uses."""


class Kind(IntEnum):
    """What an answer is: the function's value, our error, a fault of the parser, or too little memory."""

    READY = 0
    VALUE = 1
    ERROR = 2
    FAULT = 3
    MEMORY = 4


def main() -> None:
    """Serve until stdin ends."""
    parent, memory_mb, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    _live_for(parent)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whoever prints must not speak between our frames
    faulthandler.enable()
    _call(_received(requests))
    _limit(memory_mb)
    _answer(answers, Kind.READY, b"")
    at_first = _held_kib("VmRSS")
    while request := _received(requests):
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
        kind, payload = _done(request, memory_mb)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _answer(answers, kind, payload)
        del request, payload
        if _held_kib("VmRSS") > at_first + _KEPT_MB * 1024:
            give_back()


def warm_up() -> None:
    """Import the readers, and load what the language of a text is told by: 1.3 s and 130 MB."""
    from digest.gather.feeds import formats, listing, sitemap  # noqa: F401 (imported to be there)
    from digest.gather.pages.extract import read_page

    read_page(
        f"<html><article><p>{'What is read first takes longest. ' * 20}".encode(), url="http://localhost/"
    )


def _live_for(parent: int) -> None:
    """Die with the parent, and of nothing that is meant for it.

    Ctrl-C and a stopping service signal the whole group: the parent then finishes what it is at, for which
    it needs us. Where the kernel knows no death signal, the end of stdin and our own alarm do.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _limit(memory_mb: int) -> None:
    """Bound memory, and write no file, not even a core. macOS does not hold the bounds on memory."""
    memory = memory_mb << 20
    for what, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + _MAPPED_BESIDES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _received(requests: BinaryIO) -> bytes:
    """Return the next request, b'' when the parent is gone."""
    header = requests.read(LENGTH.size)
    return requests.read(LENGTH.unpack(header)[0]) if len(header) == LENGTH.size else b""


def _call(request: bytes) -> tuple[Callable[..., object], object]:
    """Return the function that was asked for, and what it answered."""
    function, args, kwargs = pickle.loads(request)  # noqa: S301 (from our own parent)
    return function, function(*args, **kwargs)


def _done(request: bytes, memory_mb: int) -> tuple[Kind, bytes]:
    from digest.domain.errors import DigestError
    from digest.gather.parsing.wire import return_type, written, written_error

    try:
        try:
            function, answer = _call(request)
            return Kind.VALUE, written(answer, return_type(function))
        except DigestError as error:
            return Kind.ERROR, written_error(error)
    except MemoryError:
        return Kind.MEMORY, b""
    except Exception:  # noqa: BLE001 (told to the parent, which logs it)
        if _peak_kib() > _NEARLY * memory_mb * 1024:
            return Kind.MEMORY, b""
        return Kind.FAULT, traceback.format_exc()[-8000:].encode("utf-8", "replace")


def _answer(answers: BinaryIO, kind: Kind, payload: bytes) -> None:
    answers.write(ANSWER.pack(kind, _peak_kib(), len(payload)) + payload)
    answers.flush()


def _peak_kib() -> int:
    """Return the most memory this process has held.

    Linux hands `ru_maxrss` on from the process that started us, so it is asked for ours alone; macOS counts
    that in bytes where others count KiB.
    """
    if sys.platform == "linux":
        return _held_kib("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _held_kib(what: str) -> int:
    """Return a figure of this process's memory: `VmHWM` the most, `VmRSS` now; 0 where Linux does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (once a document)
            return next((int(line.split()[1]) for line in status if line.startswith(f"{what}:")), 0)
    except OSError:
        return 0


if __name__ == "__main__":
    main()
