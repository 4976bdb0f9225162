"""What logs prove about mails whose outcome is open, and of which time."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from digest.deliver.logs.files import HeldLog, LogFile, open_log, shown
from digest.deliver.logs.servers import OWN_FORM, Joiner, LoggedBounce
from digest.deliver.logs.stamps import Stamps
from digest.domain.errors import InvalidInput

_MESSAGE_ID = re.compile(rb"<[!-;=?-~]+@[!-;=?-~]+>")

_TAIL = 100
"""Lines at a file's end that are looked at for a stamp: the last one may be cut, or none of syslog's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What logs say. `taken` are the Message-IDs, of those `asked` for, that a server took.

    `first` and `last` are when the first and the last line were written, None where the lines do not say so.
    `servers` are whose logs they are: Postfix's, Exim's; none for a list of Message-IDs that somebody made.
    """

    asked: frozenset[str]
    taken: frozenset[str]
    bounced: tuple[LoggedBounce, ...]
    servers: frozenset[str]
    first: datetime | None
    last: datetime | None
    read_at: datetime
    lines: int

    def covers(self, first: datetime, last: datetime) -> bool:
        """Whether what was armed from `first` to `last` would be in here if the server had it.

        A list without times is believed up to when it was read: whoever made it says that it is complete.
        """
        if not self.servers and self.first is None:
            return last <= self.read_at
        if self.first is None or self.last is None:
            return False
        # Most stamps are cut to the second.
        return self.first <= first and last < self.last + timedelta(seconds=1)


def read_logs(
    names: Sequence[str | HeldLog], *, wanted: Collection[str], now: datetime, zone: tzinfo | None = None
) -> Evidence:
    """Read logs, `-` for standard input, whatever order they are named in.

    `wanted` are the Message-IDs whose fate is asked for; bounces are told of all mails that are ours. Stamps
    without a zone are of `zone`, None for this machine's. Raises `InvalidInput` for what is no log.
    """
    reading = _Reading(frozenset(name.encode() for name in wanted), Stamps(now, zone))
    files = [open_log(name) for name in dict.fromkeys(names)]
    begins = {file.name: reading.stamps.first(file.head) for file in files}
    # A mail's lines may begin in one file and end in the next one.
    for file in sorted(files, key=lambda one: begins[one.name] or now):
        reading.read(file)
    if not reading.lines:
        raise InvalidInput(
            f"{', '.join(map(shown, names))}: empty, which proves nothing. Nothing was changed."
        )
    return reading.evidence(begins.values(), now)


@dataclass(slots=True)
class _Reading:
    wanted: frozenset[bytes]
    stamps: Stamps
    taken: set[str] = field(default_factory=set)
    bounced: list[LoggedBounce] = field(default_factory=list)
    servers: set[str] = field(default_factory=set)
    ends: list[datetime] = field(default_factory=list)
    lines: int = 0
    joiner: Joiner = field(init=False)

    def __post_init__(self) -> None:
        self.joiner = Joiner(self._is_wanted, self._take, self.bounced.append)

    def _is_wanted(self, message_id: bytes) -> bool:
        return message_id in self.wanted or OWN_FORM.fullmatch(message_id) is not None

    def _take(self, message_id: str) -> None:
        if message_id.encode() in self.wanted:
            self.taken.add(message_id)

    def read(self, file: LogFile) -> None:
        """Take a file in. Raises `InvalidInput` for one that is no log and names no Message-ID."""
        tail: deque[bytes] = deque(maxlen=_TAIL)
        named: set[bytes] = set()
        server, before, names_any, is_text = "", self.lines, False, True
        for line in file.lines:
            self.lines += 1
            tail.append(line)
            if told := self.joiner.read(line):
                server = told
            elif not server and b"@" in line:
                ids = _MESSAGE_ID.findall(line)
                names_any = names_any or bool(ids)
                named |= self.wanted.intersection(ids)
            # Our own database names every mail, also those that no server took.
            is_text = is_text and b"\0" not in line
        if server:
            self.servers.add(server)
        elif not is_text:
            raise InvalidInput(
                f"{file.name} is no log of Postfix or Exim, nor any other text. Nothing was changed."
            )
        elif names_any:
            # What else a mail server's log holds may name mails that it never took. A list is of what was.
            self.taken |= {one.decode() for one in named}
        elif self.lines > before:
            raise InvalidInput(
                f"{file.name} is no log of Postfix or Exim, and names no Message-ID in angle brackets. "
                "Nothing was changed."
            )
        if (last := self.stamps.first(reversed(tail))) is not None:
            self.ends.append(last)

    def evidence(self, begins: Collection[datetime | None], now: datetime) -> Evidence:
        return Evidence(
            asked=frozenset(one.decode() for one in self.wanted),
            taken=frozenset(self.taken),
            bounced=tuple(self.bounced),
            servers=frozenset(self.servers),
            first=min(filter(None, begins), default=None),
            last=max(self.ends, default=None),
            read_at=now,
            lines=self.lines,
        )
