"""Sign-ups that wait to be taken in, and how many came to what: an inbox that the pages write and one reads.

A page writes the same row whoever signs up, so that its answer tells nobody who is known here. What becomes
of it is worked out afterwards, by one process at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, delete, false, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.cadences import Cadence
from digest.domain.consents import ConsentSource
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, SignUpOutcome, Wishes
from digest.domain.subscribers import email_key
from digest.domain.topics import TopicSlug
from digest.store.base import Base, BigId, storable
from digest.store.bulk import as_stored, insert_rows
from digest.store.database import insert_or_ignore

NAME_MAX = 200

_ADVISORY_LOCK = 7_203_911_862
"""Any number that nothing else locks; a migration's is another."""

_AT_ONCE = 1_000

COLUMNS = (
    "newsletter_id",
    "email",
    "topics",
    "cadence",
    "language",
    "name",
    "source",
    "wording",
    "network",
    "at",
    "is_trapped",
    "may_measure",
)


class SignUpColumns:
    """What a row holds of a sign-up, wherever it waits; `topics` have commas between."""

    __tablename__: str

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(320))
    topics: Mapped[str] = mapped_column(Text)
    cadence: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    source: Mapped[str] = mapped_column(String(16))
    wording: Mapped[str] = mapped_column(Text)
    network: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime]
    is_trapped: Mapped[bool]
    may_measure: Mapped[bool] = mapped_column(default=False, server_default=false())


class SignUpRow(SignUpColumns, Base):
    """A form that was sent. It goes when it is taken in, within seconds."""

    __tablename__ = "sign_ups"


class SignUpTallyRow(Base):
    """How many sign-ups of an hour (UTC) came to what, of nobody in particular."""

    __tablename__ = "sign_up_tallies"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int]


def put_sign_ups(session: Session, sign_ups: Sequence[SignUp]) -> None:
    """Put sign-ups into the inbox: the same work for each, whoever they are."""
    insert_rows(
        session,
        SignUpRow,
        COLUMNS,
        [values_of(session, one) for one in sign_ups],
    )


def values_of(session: Session, one: SignUp) -> tuple[object, ...]:
    """Return what is stored of a sign-up in each of `COLUMNS`, for `insert_rows`."""
    return (
        one.newsletter_id,
        one.email,
        ",".join(sorted(one.wishes.topics)),
        one.wishes.cadence.value if one.wishes.cadence else "",
        one.wishes.language,
        storable(one.wishes.name)[:NAME_MAX],
        one.source.value,
        storable(one.wording),
        one.network,
        as_stored(session, one.at),
        one.is_trapped,
        one.wishes.may_measure,
    )


def waiting_sign_ups(session: Session) -> int:
    """Return about how many sign-ups wait, by the numbers of the first and the last: nothing is counted."""
    first, last = session.execute(select(func.min(SignUpRow.id), func.max(SignUpRow.id))).one()
    return 0 if first is None else last - first + 1


def lock_sign_ups(session: Session) -> None:
    """Wait until nobody else takes sign-ups in; on SQLite nobody else writes at all."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def oldest_sign_ups(session: Session, *, most: int) -> list[tuple[int, SignUp]]:
    """Return the sign-ups that have waited longest, each with its row's id."""
    rows = session.scalars(select(SignUpRow).order_by(SignUpRow.id).limit(most))
    return [(row.id, read_sign_up(row)) for row in rows]


def numbers_of(session: Session, row: type[SignUpColumns], email: str) -> list[int]:
    """Return the rows of an address, in whichever letters the form was sent."""
    key = email_key(email)
    written = func.lower(row.email)
    # SQLite knows the capitals of ASCII alone, so others are compared here.
    which = written == key if key.isascii() else written.endswith(key.rpartition("@")[2], autoescape=True)
    rows = session.execute(select(row.id, row.email).where(which).order_by(row.id))
    return [number for number, found in rows if email_key(found) == key]


def erase_sign_ups(session: Session, email: str) -> int:
    """Take what waits of an address out of the inbox; return how many forms that were."""
    theirs = numbers_of(session, SignUpRow, email)
    drop_sign_ups(session, theirs)
    return len(theirs)


def drop_sign_ups(session: Session, ids: Collection[int]) -> None:
    """Take sign-ups that are settled out of the inbox."""
    for page in in_pages(ids):
        gone = delete(SignUpRow).where(SignUpRow.id.in_(page))
        session.execute(gone.execution_options(synchronize_session=False))


def in_pages(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield numbers as many at a time as a statement can name: a form can be sent any number of times."""
    wanted = list(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        yield wanted[start : start + _AT_ONCE]


def tally_sign_ups(
    session: Session, counts: Mapping[tuple[NewsletterId, SignUpOutcome], int], *, now: datetime
) -> None:
    """Add to the counts of this hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    for (newsletter_id, outcome), count in sorted(counts.items()):
        key = {"newsletter_id": newsletter_id, "hour": hour, "outcome": outcome.value}
        session.execute(insert_or_ignore(session, SignUpTallyRow, [{**key, "count": 0}]))
        session.execute(
            update(SignUpTallyRow)
            .where(*(getattr(SignUpTallyRow, name) == value for name, value in key.items()))
            .values(count=SignUpTallyRow.count + count)
            .execution_options(synchronize_session=False)
        )


def tallies_since(
    session: Session, since: datetime
) -> Mapping[tuple[NewsletterId, datetime], Mapping[SignUpOutcome, int]]:
    """Return how many sign-ups came to what, for each newsletter and hour that begins at `since` or later."""
    found: dict[tuple[NewsletterId, datetime], dict[SignUpOutcome, int]] = {}
    for row in session.scalars(select(SignUpTallyRow).where(SignUpTallyRow.hour >= since)):
        counts = found.setdefault((NewsletterId(row.newsletter_id), row.hour), {})
        counts[SignUpOutcome(row.outcome)] = row.count
    return found


def read_sign_up(row: SignUpColumns) -> SignUp:
    """Return the sign-up that a row holds."""
    wishes = Wishes(
        frozenset(map(TopicSlug, filter(None, row.topics.split(",")))),
        Cadence(row.cadence) if row.cadence else None,
        row.language,
        row.name,
        row.may_measure,
    )
    return SignUp(
        NewsletterId(row.newsletter_id),
        row.email,
        wishes,
        ConsentSource(row.source),
        row.wording,
        row.network,
        row.at,
        row.is_trapped,
    )
