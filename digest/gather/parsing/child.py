"""A parser process: reads documents one at a time for the process that asked for it, see `pool`.

It comes from a fork of `forkserver`, with what it reads by imported. Over a socket come pickled
`(function, args, kwargs)`, each after its length; back go answers: a kind, the most memory the process ever
held, and a payload.
"""

from __future__ import annotations

import pickle
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import BinaryIO

from digest.domain.errors import DigestError
from digest.gather.memory import give_back
from digest.gather.parsing.wire import return_type, written, written_error

LENGTH = struct.Struct("!I")
ANSWER = struct.Struct("!BII")
"""Kind, most memory held so far in KiB, length of the payload that follows."""

_MAPPED_BESIDES = 512 << 20
_GRACE = 5
_NEARLY = 0.5
"""From this share of its room on, an error is a lack of memory: libxml2, which doubles what it has, tells
that in other words."""
_KEPT_MB = 8
"""More than this beyond what it held when it was ready, and a process gives back what it no longer uses."""


class Kind(IntEnum):
    """What an answer is: the function's value, our error, a fault of the parser, or too little memory."""

    READY = 0
    VALUE = 1
    ERROR = 2
    FAULT = 3
    MEMORY = 4


def serve(requests: BinaryIO, answers: BinaryIO, *, memory_mb: int, seconds: float) -> None:
    """Say that we are ready, and answer until there is nobody left to answer."""
    at_first, peak_at_first = _held_kib("RssAnon"), _peak_kib()
    nearly = peak_at_first + int(_NEARLY * (memory_mb * 1024 - _held_kib("VmData")))
    _limit(memory_mb)
    _answer(answers, Kind.READY, b"")
    while request := _received(requests):
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
        kind, payload = _done(request, nearly)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _answer(answers, kind, payload)
        del request, payload
        if _held_kib("RssAnon") > at_first + _KEPT_MB * 1024:
            give_back()


def warm_up() -> None:
    """Import the readers, and load what the language of a text is told by: 1.3 s and 130 MB, once for all."""
    from digest.gather.feeds import formats, listing, sitemap  # noqa: F401 (imported to be there)
    from digest.gather.pages.extract import read_page

    read_page(
        f"<html><article><p>{'What is read first takes longest. ' * 20}".encode(), url="http://localhost/"
    )


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


def _done(request: bytes, nearly_kib: int) -> tuple[Kind, bytes]:
    try:
        try:
            function, answer = _call(request)
            return Kind.VALUE, written(answer, return_type(function))
        except DigestError as error:
            return Kind.ERROR, written_error(error)
    except MemoryError:
        return Kind.MEMORY, b""
    except Exception:  # noqa: BLE001 (told to the parent, which logs it)
        if _peak_kib() > nearly_kib:
            return Kind.MEMORY, b""
        return Kind.FAULT, traceback.format_exc()[-8000:].encode("utf-8", "replace")


def _answer(answers: BinaryIO, kind: Kind, payload: bytes) -> None:
    answers.write(ANSWER.pack(kind, _peak_kib(), len(payload)) + payload)
    answers.flush()


def _peak_kib() -> int:
    """Return the most memory of its own that this process has held.

    On Linux without the pages of programs and libraries: a fork has them appear as it comes to use them.
    macOS counts `ru_maxrss` in bytes where others count KiB.
    """
    if sys.platform == "linux":
        return _held_kib("VmHWM") - _held_kib("RssFile")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _held_kib(what: str) -> int:
    """Return a figure of this process's memory, as `VmHWM`, the most; 0 where Linux does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (once a document)
            return next((int(line.split()[1]) for line in status if line.startswith(f"{what}:")), 0)
    except OSError:
        return 0
