"""Alembic migrations, run by `digest.store.schema`."""
