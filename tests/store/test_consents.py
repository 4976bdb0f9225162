"""What is recorded of how readers came to be readers."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, delete, func, select

from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.store.consents import ConsentRow, add_consent, add_consents, consents_of
from digest.store.database import reading, writing
from digest.store.newsletters import remove_newsletter
from digest.store.subscribers import SubscriberRow
from tests.stored import NOW, stored_newsletter, stored_reader

ASKED = Consent(
    ConsentAct.ASKED,
    ConsentSource.PAGE,
    at=NOW,
    recorded_at=NOW,
    wording="The Weekly mails you.",
    network="192.0.2.7",
)
CONFIRMED = replace(
    ASKED, act=ConsentAct.CONFIRMED, source=ConsentSource.MAIL, at=NOW + timedelta(hours=1), wording=""
)


def test_consents_are_told_in_the_order_they_were_given_each_to_its_newsletter(engine: Engine) -> None:
    weekly, daily = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    ada = stored_reader(engine, weekly, "ada@example.org")
    with writing(engine) as session:
        for newsletter, consent in ((weekly, ASKED), (daily, ASKED), (weekly, CONFIRMED)):
            add_consent(session, newsletter.id, ada, consent)
    with reading(engine) as session:
        assert consents_of(session, weekly.id, ada) == (ASKED, CONFIRMED)
        assert consents_of(session, daily.id, ada) == (ASKED,)


def test_a_page_of_a_list_is_recorded_for_those_who_are_there(engine: Engine) -> None:
    weekly = stored_newsletter(engine)
    readers = {
        email: stored_reader(engine, weekly, email) for email in ("ada@example.org", "ben@example.org")
    }
    long_ago = Consent(
        ConsentAct.ADDED,
        ConsentSource.IMPORT,
        at=NOW - timedelta(days=900),
        recorded_at=NOW,
        network="2001:db8::1",
        by="ops\x00",
    )
    with writing(engine) as session:
        told = {"ada@example.org": long_ago, "ben@example.org": replace(long_ago, at=NOW)}
        add_consents(session, weekly.id, {**told, "nobody@example.org": long_ago}.items())
    with reading(engine) as session:
        (ada,) = consents_of(session, weekly.id, readers["ada@example.org"])
        (ben,) = consents_of(session, weekly.id, readers["ben@example.org"])
        assert session.scalar(select(func.count()).select_from(ConsentRow)) == 2
    assert (ada.at, ada.recorded_at, ada.network, ada.by) == (long_ago.at, NOW, "2001:db8::1", "ops\ufffd")
    assert ben.at == NOW


def test_a_consent_goes_with_whom_and_what_it_is_about(engine: Engine) -> None:
    weekly, daily = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    ada, ben = (stored_reader(engine, weekly, f"{name}@example.org") for name in ("ada", "ben"))
    with writing(engine) as session:
        for newsletter, reader in ((weekly, ada), (weekly, ben), (daily, ada)):
            add_consent(session, newsletter.id, reader, ASKED)
    with writing(engine) as session:
        remove_newsletter(session, daily.id)
        session.execute(delete(SubscriberRow).where(SubscriberRow.id == ben))
    with reading(engine) as session:
        left = session.execute(select(ConsentRow.newsletter_id, ConsentRow.subscriber_id)).all()
    assert [tuple(row) for row in left] == [(weekly.id, ada)]


def test_a_consent_in_words_says_where_when_and_by_whom() -> None:
    assert ASKED.in_words == "asked on the sign-up page, 2026-11-23 07:00 UTC, from 192.0.2.7"
    added = replace(ASKED, act=ConsentAct.ADDED, source=ConsentSource.COMMAND, network="", by="ops")
    assert added.in_words == "added by a command, 2026-11-23 07:00 UTC, by ops"
