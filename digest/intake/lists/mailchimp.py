"""Mailchimp: an audience's export is three files, of those subscribed, unsubscribed and cleaned.

Each has the same columns; what the other two add tells them apart. Cleaned are those whose mail came back.
"""

from __future__ import annotations

from collections.abc import Collection

from digest.intake.lists.said import Fields, Layout, Said, Standing, first_of, tags_of


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    return Said(
        email=first_of(fields, "email address", "email"),
        standing=_standing(fields),
        name=" ".join(filter(None, (fields.get("first name", ""), fields.get("last name", "")))),
        timezone=fields.get("timezone", ""),
        tags=tags_of(fields, ("tags", *tags_from)),
        since=first_of(fields, "confirm_time", "optin_time"),
        left=fields.get("unsub_time", ""),
        ip=first_of(fields, "confirm_ip", "optin_ip"),
        why="cleaned by Mailchimp: mail to it came back",
    )


def _standing(fields: Fields) -> Standing:
    if fields.get("clean_time"):
        return Standing.NEVER
    return Standing.LEFT if fields.get("unsub_time") else Standing.WANTS


MAILCHIMP = Layout("mailchimp", frozenset({"leid", "euid"}), _read)
