"""What every table shares: names for constraints, aware UTC timestamps, portable column types."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from digest.domain.times import aware_utc

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Alembic can only change a constraint it can name, and SQLite names none by itself."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite drops zones without converting, so both ways pass through UTC here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a naive datetime, and hand the database UTC."""
        return None if value is None else aware_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what the database holds as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return a stranger's words without what PostgreSQL refuses: NUL and halves of surrogate pairs."""
    return _NOT_STORABLE.sub("\ufffd", text)


BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key. SQLite numbers rows by itself only for a column that is literally INTEGER."""

NEVER_AGAIN = {"sqlite_autoincrement": True}
"""For tables whose ids stand in mailed links: SQLite gives the id of a removed row to the next one
otherwise, and an old link would act on somebody else. PostgreSQL never does."""

Json = JSON().with_variant(JSONB, "postgresql")


class Base(DeclarativeBase):
    """The parent of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: dict[Any, Any] = {datetime: UTCDateTime}  # noqa: RUF012
