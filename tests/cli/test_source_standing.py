from datetime import UTC, datetime, timedelta

import pytest

from digest.cli.source_standing import rows_of
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Asked, Source, SourceId, SourceKind, Standing

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def shown(standing: Standing) -> dict[str, str]:
    source = Source(
        SourceId(1), NewsletterId(1), "Watch", "https://example.org/f", SourceKind.FEED, standing=standing
    )
    return dict(rows_of(source, NOW))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(ttl=timedelta(minutes=90)), "no poll within 1 hour 30 minutes"),
        (Asked(ttl=timedelta(hours=1), fresh_for=timedelta(hours=3)), "no poll within 3 hours"),
        (Asked(skip_hours=frozenset({23, 0, 5})), "none in these hours (UTC): 0, 5, 23"),
        (
            Asked(timedelta(hours=2), None, frozenset({4}), frozenset({6, 5})),
            "no poll within 2 hours; none in these hours (UTC): 4; none on Saturday, Sunday",
        ),
    ],
)
def test_what_a_source_asks_for_is_said(asked: Asked, words: str) -> None:
    assert shown(Standing(asked=asked))["asks for"] == words


def test_nothing_is_said_of_a_source_that_asks_for_nothing() -> None:
    assert "asks for" not in shown(Standing(asked=Asked(fresh_for=timedelta(0))))
