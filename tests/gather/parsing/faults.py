"""What parser processes are given to read in tests: functions that answer, fail, hang, grow, die and lie."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lxml.html import fromstring

from digest.domain.articles import Article, Block, BlockKind, Image
from digest.domain.errors import Refused, Unavailable

ARTICLE = Article(
    url="https://meridian.example.org/tides",
    title="Tides \ud800 and ebbs",
    blocks=(Block(BlockKind.HEADING, "Ebb"), Block(BlockKind.PARAGRAPH, "Flow · 潮")),
    published_at=datetime(2026, 11, 18, 9, tzinfo=UTC),
    image=Image("https://meridian.example.org/ebb.jpg", "Low tide"),
    categories=("sea",),
)


class Later(Unavailable):
    """An error with attributes, and parameters of its own."""

    def __init__(self, url: str, *, seconds: float) -> None:
        super().__init__(f"{url} asks to wait")
        self.seconds = seconds
        self.until = datetime(2026, 11, 23, tzinfo=UTC)
        self.links: tuple[str, ...] = (url,)


class _Unknown(Refused):
    """An error whose name the parent is told wrongly."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A dataclass that checks itself."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("less than nothing")


def article(body: bytes, *, url: str = "") -> Article:
    return ARTICLE


_prepared_by = 0


def prepare() -> None:
    global _prepared_by
    _prepared_by = os.getpid()


def refuse_to_prepare() -> None:
    raise RuntimeError("no readers here")


def family() -> tuple[int, int, int, int]:
    """Return who prepared, who forked us, how many threads that has, and who we are."""
    threads = len(list(Path(f"/proc/{os.getppid()}/task").iterdir()))
    return _prepared_by, os.getppid(), threads, os.getpid()


def forkserver() -> int:
    return os.getppid()


def length(body: bytes) -> int:
    return len(body)


def text(size: int) -> str:
    return "x" * size


def later(url: str) -> int:
    raise Later(url, seconds=1.5)


def unpicklable_error() -> int:
    error = Refused("no")
    error.hook = print  # type: ignore[attr-defined]
    raise error


def crash(*, url: str) -> int:
    return int(url)


def nested(depth: int) -> int:
    return nested(depth + 1)


def sleep(seconds: float, url: str = "") -> int:
    time.sleep(seconds)
    return os.getpid()


def spin(url: str) -> int:
    while True:
        pass


def stop(url: str) -> int:
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0


def grow(megabytes: int, *, url: str = "") -> int:
    kept = [bytearray(1 << 20) for _ in range(megabytes)]
    return len(kept)


def leave(url: str) -> int:
    os._exit(0)


def segfault(url: str) -> int:
    ctypes.string_at(0)
    return 0


def pid() -> int:
    return os.getpid()


def chatter() -> int:
    print("a word on stdout", flush=True)
    os.write(1, b"and one more")
    sys.stderr.write("x" * 300_000)
    return 1


def rubbish(url: str) -> int:
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(60)
    return 0


def wrong_type(url: str) -> int:
    return "seven"  # type: ignore[return-value]


def wrong_value(url: str) -> Counted:
    value = Counted(1)
    object.__setattr__(value, "number", -1)
    return value


def stranger(url: str) -> int:
    _Unknown.__qualname__ = "system"
    _Unknown.__module__ = "os"
    raise _Unknown("ls")


def surroundings() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names in the environment, and what the open descriptors lead to."""
    links = list(Path("/proc/self/fd").iterdir())
    return tuple(sorted(os.environ)), tuple(str(link.readlink()) for link in links if link.is_symlink())


def write_file(path: str) -> bool:
    try:
        Path(path).write_text("x")
    except OSError:
        return False
    return True


def no_hint(url: str) -> object:
    return url


def table(rows: int, *, url: str) -> int:
    """Hold a table as libxml2 does."""
    return len(fromstring(b"<table>" + b"<tr><td>1<td>2" * rows))


def held_mb() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024
