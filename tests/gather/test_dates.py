from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.gather.dates import parsed_date

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.5-0500", datetime(2026, 11, 20, 15, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-20 10:00:00 +0100", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 10:00:00 +0200", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-22", NOW),
        ("2026-11-22T09:10:00Z", NOW),
        ("2026-11-22T10:00:00Z", None),
        ("2026-11-23", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("last Friday", None),
        ("2026-13-45", None),
        ("", None),
    ],
)
def test_a_date_is_an_instant_in_utc_or_none(text: str, moment: datetime | None) -> None:
    assert parsed_date(text, NOW) == moment
