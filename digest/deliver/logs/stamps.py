"""When a line of a log was written, in any of the forms that syslog, Exim and the journal have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_ISO = re.compile(
    rb"(?:<\d{1,3}>)?(?:1 )?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?"
    rb" ?(Z|[+-]\d\d:?\d\d(?!\d))?"
)
_BSD = re.compile(rb"(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)")
_JOURNAL = re.compile(rb"@(\d{1,16}) ")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}


@dataclass(frozen=True, slots=True)
class Stamps:
    """Reads stamps.

    Those without a zone are of `zone`, None for this machine's; those without a year are of the last twelve
    months before `now`.
    """

    now: datetime
    zone: tzinfo | None = None

    def first(self, lines: Iterable[bytes]) -> datetime | None:
        """Return the stamp of the first line that has one, None when none has."""
        return next((moment for line in lines if (moment := self.read(line))), None)

    def read(self, line: bytes) -> datetime | None:
        """Return when a line says it was written, None when it does not."""
        try:
            if found := _ISO.match(line):
                return self._iso(*found.groups())
            if found := _BSD.match(line):
                return self._bsd(*found.groups())
            if found := _JOURNAL.match(line):
                return datetime.fromtimestamp(int(found[1]) / 1e6, UTC)
        except (ValueError, OverflowError):
            pass  # 31 February, hour 25: no stamp
        return None

    def _iso(self, day: bytes, clock: bytes, part: bytes | None, offset: bytes | None) -> datetime:
        text = b"%sT%s.%s%s" % (day, clock, (part or b"0").ljust(6, b"0"), offset or b"")
        moment = datetime.fromisoformat(text.decode())
        return moment.astimezone(UTC) if moment.tzinfo else self._placed(moment)

    def _bsd(self, month: bytes, day: bytes, *clock: bytes) -> datetime | None:
        hour, minute, second = map(int, clock)
        if month not in _MONTHS:
            return None
        for year in range(self.now.year + 1, self.now.year - 9, -1):
            try:
                naive = datetime(year, _MONTHS[month], int(day), hour, minute, second)  # noqa: DTZ001
            except ValueError:
                continue  # 29 February
            if (moment := self._placed(naive)) <= self.now + timedelta(days=1):
                return moment
        return None

    def _placed(self, naive: datetime) -> datetime:
        return (naive.replace(tzinfo=self.zone) if self.zone else naive).astimezone(UTC)
