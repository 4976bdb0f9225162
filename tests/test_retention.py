"""docs/retention.md tells of every table that holds something of a person; what is new is told there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from digest.settings import Settings
from digest.store.tables import metadata

PAGE = Path(__file__).parents[1] / "docs" / "retention.md"

OF_NOBODY = {
    *("heartbeats", "homes", "hosts", "llm_answers", "llm_calls", "llm_claims", "receivers", "throttles"),
    *("warm_up_days", "schedules", "sources", "topics", "topic_models", "article_revisions"),
    *(
        "article_urls",
        "clicks",
        "editions",
        "issue_contents",
        "issue_measures",
        "issue_topics",
        "items",
        "occurrences",
    ),
    *(
        "issue_segments",
        "outages",
        "outlooks",
        "passed_links",
        "preflights",
        "purges",
        "purged_issues",
        "revisions",
    ),
    *("article_topics", "segments", "sightings", "sign_up_tallies", "stage_runs", "takeaways"),
}
"""Tables that hold nothing of a person but what somebody's words may name (`digest/store/mentions.py`)."""

NOT_OF_THE_READER = {
    "address_changes": "id",
    "deliveries": "id issue_id owner fence lease_until next_at attempts created_at armed_at settled_at",
    "suppressions": "by",
    "suppression_removals": "id by suppressed_by",
    "erasure_orders": "id lists fence lease_until",
    "webhook_events": "received_at",
    "calls": "id endpoint_id event_id kind made_at state tries tried_at next_at status",
    "departures": "id",
    "letters": "id newsletter_id state owner fence lease_until next_at attempts smtp_code created_at "
    "armed_at settled_at",
    "returned_mails": "id key received_at via kind meaning effect status",
    "hits": "id issue_id position topic source place",
    "kept_answers": "token_id request begun_at status",
    "preview_links": "id issue_id topics made_at expires_at revoked_at made_by revoked_by",
    "skips": "issue_id",
    "reader_lists": "id newsletter_id is_kept asked_by asked_at stage done total began_at lease_until "
    "attempts ended_at",
    "sign_ups": "id newsletter_id",
    "put_off_sign_ups": "id newsletter_id",
}
"""Columns of the tables under "Readers" that say nothing of the reader: how processes share work."""

SOUNDS_LIKE_PEOPLE = re.compile(
    r"by|.*_by|.*email.*|byline|password|network|ip|device|visitor|user_agent|subscriber_id|account_id|"
    r"birth.*|phone.*"
)


def told(heading: str = "") -> dict[str, set[str]]:
    """The columns that the page names, by their tables; under one heading, or all."""
    text = PAGE.read_text("utf-8")
    part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text
    found: dict[str, set[str]] = {}
    for line in part.splitlines():
        if cells := re.match(r"\| `(\w+)` \| ([^|]+)\|", line):
            found.setdefault(cells[1], set()).update(re.findall(r"`(\w+)`", cells[2]))
    return found


READERS = sorted(told("Readers"))


def test_every_table_is_told_of_or_nobodys() -> None:
    unknown = metadata.tables.keys() - told().keys() - OF_NOBODY
    assert not unknown, (
        f"does {sorted(unknown)} hold something of a person? Then docs/retention.md tells of it"
    )
    assert not told().keys() & OF_NOBODY
    assert not OF_NOBODY - metadata.tables.keys()


def test_what_the_page_tells_of_is_there() -> None:
    assert READERS, "the page has the heading and the table"
    for table, columns in told().items():
        assert columns <= set(metadata.tables[table].columns.keys()), table


@pytest.mark.parametrize("table", READERS)
def test_each_column_of_a_readers_table_is_told_of(table: str) -> None:
    others = set(NOT_OF_THE_READER.get(table, "").split())
    columns = set(metadata.tables[table].columns.keys())
    untold = columns - told("Readers")[table] - others
    assert not untold, f"say in docs/retention.md what {table}.{untold} holds of a reader, and how long"
    assert others <= columns


def test_no_column_that_sounds_like_a_person_is_left_out() -> None:
    untold = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if SOUNDS_LIKE_PEOPLE.fullmatch(column.name) and column.name not in told().get(table.name, ())
    }
    assert untold == {"articles.published_by"}, (
        "that one says what told the day: say in docs/retention.md of others"
    )


def test_the_terms_are_those_of_the_settings() -> None:
    text = PAGE.read_text("utf-8")
    terms = [name for name in Settings.model_fields if name.startswith("keep_")]
    assert len(terms) == 5
    for name in terms:
        assert f"`{name}` ({Settings.model_fields[name].default:,})" in text
