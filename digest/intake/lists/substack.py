"""Substack: one list of addresses in its export, beside the posts. It knows no names and no tags."""

from __future__ import annotations

from collections.abc import Collection

from digest.intake.lists.said import Fields, Layout, Said, Standing, tags_of


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    is_off = fields.get("email_disabled", "").lower() == "true"
    return Said(
        email=fields["email"],
        standing=Standing.LEFT if is_off else Standing.WANTS,
        name=fields.get("name", ""),
        tags=tags_of(fields, tags_from),
        since=fields.get("created_at", ""),
    )


SUBSTACK = Layout("substack", frozenset({"email", "active_subscription", "expiry"}), _read)
