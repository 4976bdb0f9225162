"""Ghost: one file of members; its labels are what tells them apart."""

from __future__ import annotations

from collections.abc import Collection

from digest.intake.lists.said import Fields, Layout, Said, Standing, tags_of


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    wants = fields["subscribed_to_emails"].lower() == "true" and not fields.get("deleted_at")
    return Said(
        email=fields["email"],
        standing=Standing.WANTS if wants else Standing.LEFT,
        name=fields.get("name", ""),
        tags=tags_of(fields, ("labels", *tags_from)),
        since=fields.get("created_at", ""),
        left=fields.get("deleted_at", ""),
    )


GHOST = Layout("ghost", frozenset({"email", "subscribed_to_emails", "complimentary_plan"}), _read)
