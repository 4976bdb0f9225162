"""How much mail may leave in which time: `20/s`, `600/min`, `5000/h`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.domain.errors import InvalidInput

_UNITS = {"s": 1, "min": 60, "h": 3600}
_SPELLINGS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
}
_RATE = re.compile(r"([0-9]{1,9}) ?/ ?([a-z]+)", re.ASCII)
_FORM = "write a number of mails and a unit, as in 20/s, 600/min or 5000/h"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many mails in a unit of time, one of `s`, `min` and `h`, evenly spread over it."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `20/s`. Raises `InvalidInput` for anything else, and for no mail at all."""
        found = _RATE.fullmatch(text.strip().lower())
        unit = _SPELLINGS.get(found[2]) if found else None
        if found is None or unit is None:
            raise InvalidInput(f"'{text.strip()}' is no rate: {_FORM}")
        if int(found[1]) == 0:
            raise InvalidInput(f"'{text.strip()}' would send nothing, ever: {_FORM}")
        return cls(int(found[1]), unit)

    @property
    def per_second(self) -> float:
        """Mails a second."""
        return self.count / _UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"


def rate_in_words(per_second: float) -> str:
    """Return a rate as people read it, in the unit that gives a number of at least one."""
    for unit, seconds in _UNITS.items():
        if per_second * seconds >= 1 or unit == "h":
            count = per_second * seconds
            return f"{count:,.0f}/{unit}" if count >= 10 else f"{count:.2g}/{unit}"
    raise AssertionError("the last unit takes everything")
