"""No table may name a reader whom erasing would not find."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sqlalchemy import Column, String, Text, text

from digest.store.base import Base
from digest.store.database import open_engine, writing
from digest.store.erasing import leave_no_trace
from digest.store.mentions import TEXTS
from digest.store.subscribers import SubscriberRow
from digest.store.tables import metadata
from tests.stored import stored_newsletter, stored_reader

AS_NUMBERS = {"deliveries", "skips", "erasure_orders"}
"""Where a subscriber stays as a number, so that issues' counts hold."""

TAKEN_OUT = {"preview_links"}
ADDRESSED = {
    "subscribers",
    "deliveries",
    "letters",
    "returned_mails",
    "suppressions",
    "suppression_removals",
    "address_changes",
    "sign_ups",
    "put_off_sign_ups",
    "erasure_orders",
}
"""Where an address of a reader stands; `accounts` has those of people who sign in."""

SAYS_NOBODYS_WORDS: Mapping[str, str] = {
    "who works here did it, and accounts are not readers": "*.by *.*_by accounts.* sign_ins.* api_tokens.*",
    "what erasing takes out by the address itself, with its row or from it": "*.email *.email_key "
    "address_changes.* put_off_sign_ups.mailbox returned_mails.* sign_ups.topics put_off_sign_ups.topics "
    "erasure_orders.newsletters mail_domains.domain kept_answers.*",
    "what is searched by lines, or issue by issue": "reader_lists.* deliveries.smtp_text",
    "a mark, number, secret or name that Digest made": "*.key *.hash *.content_hash *.condensed_hash "
    "*.message_id *.owner *.mark *.token *.stamp *.process calls.event_id endpoints.secret* homes.* "
    "preflights.addresses llm_answers.prompt takeaways.prompt webhook_events.digest hits.visitor "
    "letters.entry_link recovery_codes.code second_factors.secret kept_answers.request",
    "one word of a few, or a place of a few": "*.state *.kind *.cause *.field *.act *.source *.reason "
    "*.state_before *.cadence *.cadences *.language *.timezone *.stage *.outcome *.send_at *.word *.cron "
    "*.origin *.scope audit.what sources.excerpt articles.text_origin endpoints.kinds asks.topics",
    "what a newsletter is called, asks and shows, which editors publish": "newsletters.* topics.* issues.* "
    "*.topic *.slug issue_topics.name consents.wording sign_ups.wording put_off_sign_ups.wording",
    "what others have published, and how it is read": "sources.* articles.* article_*.* takeaways.* hosts.* "
    "passed_links.* condensings.* llm_*.* editions.key revisions.rendered issue_contents.told",
    "counts, and what Digest finds of its own texts": "outlooks.told preflights.told topic_models.told",
    "where others' programs are called": "endpoints.url",
    "a mail server, which serves many": "*.group throttles.name",
    "from where somebody acted, and goes with them": "*.network",
}
"""Why these texts are not searched for an address that is erased: `TABLE.COLUMN`, with `*` for any part."""


def test_whatever_holds_words_is_searched_or_known_to_say_nothing_of_readers() -> None:
    searched = {f"{table.__tablename__}.{one.key}" for table, texts in TEXTS for one in texts}
    patterns = [one for told in SAYS_NOBODYS_WORDS.values() for one in told.split()]
    words = {str(one) for table in metadata.sorted_tables for one in table.columns if is_text(one)}
    unknown = {one for one in words - searched if not any(fnmatchcase(one, pattern) for pattern in patterns)}
    assert not unknown, "may these name a reader? Then they belong in TEXTS of store/mentions.py"
    assert not [one for one in patterns if not any(fnmatchcase(word, one) for word in words)], "is gone"


def is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String)


def test_whatever_refers_to_a_subscriber_goes_with_them() -> None:
    owner = SubscriberRow.__table__.c.id
    refer = {
        table.name: [
            key.ondelete for column in table.columns for key in column.foreign_keys if key.column is owner
        ]
        for table in metadata.sorted_tables
    }
    assert {tuple(rules) for rules in refer.values() if rules} == {("CASCADE",)}
    named = {table.name for table in metadata.sorted_tables if "subscriber_id" in table.columns}
    assert named - {name for name, rules in refer.items() if rules} == AS_NUMBERS | TAKEN_OUT, (
        "erasing does not reach this table: give it a foreign key to subscribers with ondelete='CASCADE'"
    )


def test_whatever_holds_an_address_is_known_to_erasing() -> None:
    addressed = {
        table.name
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in ("email", "email_key", "old_key", "new_key")
    }
    assert addressed - {"accounts"} == ADDRESSED, "erasing does not know of this table: see store/erasing.py"


def test_texts_that_are_searched_are_texts() -> None:
    for table, texts in TEXTS:
        assert issubclass(table, Base)
        for column in texts:
            assert isinstance(column.type, String | Text)
            assert column.class_ is table


def test_sqlite_keeps_nothing_of_what_is_removed_in_its_files(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    newsletter = stored_newsletter(engine)
    stored_reader(engine, newsletter, "ada@example.org")
    with writing(engine) as session:
        session.execute(text("UPDATE subscribers SET name = 'Ada Fenwick of the lighthouse'"))
        session.execute(text("UPDATE subscribers SET name = ''"))
        session.execute(text("DELETE FROM subscribers"))
    assert leave_no_trace(engine)
    file = Path(str(engine.url.database))
    held = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    engine.dispose()
    assert b"lighthouse" not in held
    assert b"ada@example" not in held
