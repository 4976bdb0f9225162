"""What is wrong with a feed's entries, counted while they are read and then told in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from digest.gather.dates import TOLERANCE, believable, instant_of


class Faults:
    """Counts, for one reading of one feed, what had to be left out or was not believed."""

    def __init__(self) -> None:
        self._unlinked = self._future = self._ancient = self._undated = self._repeated = self._beyond = 0
        self._unread: list[str] = []

    def unlinked(self) -> None:
        """Note an entry that leads nowhere."""
        self._unlinked += 1

    def repeated(self, times: int) -> None:
        """Note entries whose URL an earlier one has."""
        self._repeated += times

    def beyond(self, entries: int) -> None:
        """Note entries left out because there are more than is ever read."""
        self._beyond += entries

    def date(self, written: list[str], now: datetime) -> datetime | None:
        """Return the first of the dates, as they are written, that is believable, and note why none is."""
        moments = [instant_of(text) for text in written if text]
        for moment in moments:
            if (believed := believable(moment, now)) is not None:
                return believed
        named = [moment for moment in moments if moment is not None]
        if not moments:
            self._undated += 1
        elif not named:
            self._unread.append(next(text for text in written if text))
        elif named[0] > now:
            self._future += 1
        else:
            self._ancient += 1
        return None

    def told(self) -> tuple[str, ...]:
        """Return a sentence for each kind of fault, such as "2 entries link to nothing and are left out"."""
        hours = TOLERANCE // timedelta(hours=1)
        example = " ".join(self._unread[0].split())[:40] if self._unread else ""
        return tuple(
            f"{count} {one if count == 1 else many}"
            for count, one, many in (
                (
                    self._unlinked,
                    "entry links to nothing and is left out",
                    "entries link to nothing and are left out",
                ),
                (self._repeated, "entry is there twice", "entries repeat an earlier one's address"),
                (self._beyond, "entry is too many: left out", "entries are too many: the oldest, left out"),
                (
                    self._future,
                    f"date lies over {hours} hours in the future and is not believed",
                    f"dates lie over {hours} hours in the future and are not believed",
                ),
                (
                    self._ancient,
                    "date lies before the Web and is not believed",
                    "dates lie before the Web and are not believed",
                ),
                (
                    len(self._unread),
                    f"date cannot be read: '{example}'",
                    f"dates cannot be read, such as '{example}'",
                ),
                (self._undated, "entry has no date", "entries have no date"),
            )
            if count
        )
