"""What a check found, and how long one may take."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 5.0
"""Seconds a check may take."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `found` says what was there. `advice` says what to do: always there when it is not well, '' when there is
    nothing to do, and otherwise what to see to before readers notice. `record` is what to write into the DNS
    for it, as a zone file has it, '' for nothing.
    """

    what: str
    is_well: bool
    found: str
    advice: str = ""
    record: str = ""
