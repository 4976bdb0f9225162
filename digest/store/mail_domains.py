"""Who runs the mail of a domain: readers' domains, grouped by the operator their MX names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, String, Text, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.store.base import Base
from digest.store.deliveries import DeliveryRow
from digest.store.given import given, values_given


class MailDomainRow(Base):
    """A domain as it stands behind the @ of an address, and the group its mail is sent in.

    `looked_up_at` is None where DNS has not been asked yet: then the domain is its own group.
    """

    __tablename__ = "mail_domains"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    group: Mapped[str] = mapped_column(String(255), index=True)
    looked_up_at: Mapped[datetime | None] = mapped_column(index=True)


def groups_of(session: Session, domains: Collection[str]) -> Mapping[str, str]:
    """Return the groups of those domains that are known."""
    if not domains:
        return {}
    connection = session.connection()
    asked = given(connection.dialect.name, {"domain": Text()})
    rows = connection.execute(
        select(MailDomainRow.domain, MailDomainRow.group).join(asked, MailDomainRow.domain == asked.c.domain),
        values_given(connection, {"domain": Text()}, [(domain,) for domain in domains]),
    )
    return {row.domain: row.group for row in rows}


def domains_in(session: Session, group: str) -> frozenset[str]:
    """Return the domains that DNS put into a group."""
    return frozenset(session.scalars(select(MailDomainRow.domain).where(MailDomainRow.group == group)))


def note_domains(session: Session, issue_id: IssueId) -> None:
    """Note every domain an issue goes to, to be looked up; one statement, a second for a million readers."""
    connection = session.connection()
    domain = _domain(connection)
    found = (
        select(domain, domain).where(DeliveryRow.issue_id == issue_id, func.length(domain) <= 255).distinct()
    )
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(MailDomainRow).from_select(["domain", "group"], found).on_conflict_do_nothing())


def domains_to_look_up(session: Session, *, before: datetime, limit: int) -> tuple[str, ...]:
    """Return domains that DNS was never asked about, then those last asked `before`."""
    return tuple(
        session.scalars(
            select(MailDomainRow.domain)
            .where(or_(MailDomainRow.looked_up_at.is_(None), MailDomainRow.looked_up_at < before))
            .order_by(MailDomainRow.looked_up_at.asc().nulls_first(), MailDomainRow.domain)
            .limit(limit)
        )
    )


def record_groups(session: Session, groups: Mapping[str, str], *, now: datetime) -> None:
    """Keep what DNS said of these domains."""
    for domain, group in groups.items():
        session.execute(
            update(MailDomainRow)
            .where(MailDomainRow.domain == domain)
            .values(group=group[:255], looked_up_at=now)
        )


def ask_later(session: Session, *, before: datetime, then: datetime) -> None:
    """Count all that `domains_to_look_up` would return as looked up at `then`: nobody answers now."""
    session.execute(
        update(MailDomainRow)
        .where(or_(MailDomainRow.looked_up_at.is_(None), MailDomainRow.looked_up_at < before))
        .values(looked_up_at=then)
    )


def waiting_by_domain(
    session: Session, issue_id: IssueId | None = None, *, now: datetime
) -> Mapping[str, tuple[int, int]]:
    """Return for each domain how many pending deliveries it has, and how many of them are not due yet.

    Of one issue, or of all. It reads every pending delivery: half a second for a million.
    """
    domain = _domain(session.connection())
    later = func.count().filter(DeliveryRow.next_at > now)
    query = (
        select(domain, func.count(), later).where(DeliveryRow.state == DeliveryState.PENDING).group_by(domain)
    )
    if issue_id is not None:
        query = query.where(DeliveryRow.issue_id == issue_id)
    return {name: (count, put_off) for name, count, put_off in session.execute(query)}


def make_due(session: Session, domains: Collection[str], *, now: datetime) -> int:
    """Have the deliveries to these domains that were put off tried now; return how many.

    Not those that wait for their reader's own hour: nobody has claimed them yet.
    """
    connection = session.connection()
    asked = given(connection.dialect.name, {"domain": Text()})
    due = (
        update(DeliveryRow)
        .where(
            DeliveryRow.state == DeliveryState.PENDING,
            DeliveryRow.next_at > now,
            DeliveryRow.fence > 0,
            _domain(connection).in_(select(asked.c.domain)),
        )
        .values(next_at=now)
    )
    rows = values_given(connection, {"domain": Text()}, [(domain,) for domain in domains])
    return connection.execute(due, rows).rowcount


def _domain(connection: Connection) -> ColumnElement[str]:
    """Return what stands behind the @ of a delivery's address. No address that is taken in has two."""
    # Written out: as parameters, PostgreSQL could not know that what is grouped by is what is selected.
    at: ColumnElement[str] = literal_column("'@'")
    if connection.dialect.name == "postgresql":
        return func.split_part(DeliveryRow.email_key, at, literal_column("2"))
    return func.substr(DeliveryRow.email_key, func.instr(DeliveryRow.email_key, at) + literal_column("1"))
