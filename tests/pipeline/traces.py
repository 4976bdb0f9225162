"""What else is kept of a reader than an eventful life leaves by itself, and in which tables that stands."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Engine, Table, select

from digest.domain.addressing import Skip
from digest.domain.deliveries import DeliveryId
from digest.domain.erasing import ErasureKeys
from digest.domain.reader_lists import ListTerms
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.subscribers import SkipReason, SubscriberId
from digest.intake.sign_ups.caps import mailbox_of
from digest.pipeline.reader_lists import upload
from digest.store.address_changes import add_change
from digest.store.asks import put_asks
from digest.store.attributes import put_attributes
from digest.store.audiences import add_skips
from digest.store.bounces import count_soft_bounce
from digest.store.clicks import Hit, opening, record_hits
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.mail_domains import note_domains
from digest.store.measured import agree_to_measure
from digest.store.measures import count_followed, count_opens
from digest.store.never_asked import mark_of, never_ask
from digest.store.put_off_sign_ups import PutOff, put_off
from digest.store.tables import metadata
from tests.pipeline.controlled import Controlled
from tests.stored import CLIMATE, NOW
from tests.stores_searched import columns_that_hold

OF_NOBODY_ELSE = {"webhook_events"}
"""Hashes that lead to no one: where nobody else was told of, each row comes of this reader."""


def leave_more(send: Controlled, form: SignUp, who: SubscriberId) -> None:
    """Keep of a reader, who has a mail of this issue, what stands in the tables that are seldom filled."""
    email, weekly, issue = form.email, send.newsletter.id, send.issue.id
    keys, mailbox = send.runtime.erasure_keys, mailbox_of(form.email)
    mail = (issue, who)
    followed = Hit("v" * 32, issue, NOW, 0, "climate", "Meridian", 1, who)
    upload(send.runtime, send.newsletter.slug, "r.csv", f"email\n{email}\n".encode(), ListTerms(), by="Cy")
    with writing(send.engine) as session:
        add_change(session, weekly, who, old_email=email, new_email=f"new.{email}", now=NOW)
        put_asks(session, weekly, {who: Wishes(frozenset({CLIMATE}), name=form.wishes.name)}, now=NOW)
        put_attributes(session, weekly, {who: {"sign": form.wishes.name}})
        put_off(session, weekly, [PutOff(form, mailbox, NOW, NOW)])
        never_ask(session, mark_of(keys, mailbox), now=NOW)
        add_skips(session, issue, [(who, Skip(SkipReason.NO_TOPICS))])
        note_domains(session, issue)
        agree_to_measure(session, weekly, who, days=90, now=NOW)
        record_hits(session, [followed, opening(issue, who, "v" * 32, NOW)])
        kept = {mail: timedelta(days=90)}
        count_opens(session, [(mail, NOW)], [], kept_for=kept)
        count_followed(session, [(mail, followed)], kept_for=kept)
        hers = session.scalars(select(DeliveryRow.id).where(DeliveryRow.subscriber_id == who)).one()
        count_soft_bounce(session, DeliveryId(hers), detail=f"452 <{email}> is full", now=NOW)


def tables_of(engine: Engine, who: SubscriberId, keys: ErasureKeys, email: str, *words: str) -> set[str]:
    """The tables with a row of this subscriber: by number, by mail, by a mark, or in words."""
    marks = {keys.mark(email), mark_of(keys, mailbox_of(email))}
    with reading(engine) as session:
        mails = session.scalars(select(DeliveryRow.id).where(DeliveryRow.subscriber_id == who)).all()

        def is_there(table: Table) -> bool:
            sought: list[ColumnElement[bool]] = [
                table.c[column].in_(values)
                for column, values in (("subscriber_id", [who]), ("delivery_id", mails), ("mark", marks))
                if column in table.c
            ]
            if table.name in OF_NOBODY_ELSE:
                return session.execute(select(table).limit(1)).first() is not None
            return any(session.execute(select(table).where(one).limit(1)).first() for one in sought)

        numbered = {table.name for table in metadata.sorted_tables if is_there(table)}
    return numbered | {column.partition(".")[0] for column in columns_that_hold(engine, email, *words)}
