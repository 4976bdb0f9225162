"""Our own lists: what `digest subscriber export` writes, and what a spreadsheet makes by hand."""

from __future__ import annotations

from collections.abc import Collection

from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriptionState
from digest.intake.lists.said import Fields, Layout, Said, Standing, tags_of

COLUMNS = (
    "email",
    "name",
    "topics",
    "language",
    "timezone",
    "cadence",
    "max_items",
    "send_at",
    "text_only",
    "state",
    "since",
    "paused_until",
    "tags",
)
"""All but `email` may be missing. `state` is ours, and without it they want the newsletter."""

FIRST_NAME, LAST_NAME = "first_name", "last_name"

MEANINGS = (*COLUMNS, FIRST_NAME, LAST_NAME)
"""What a column of another name can stand for: others have a name in two."""

_STANDINGS = {
    SubscriptionState.ACTIVE: Standing.WANTS,
    SubscriptionState.PAUSED: Standing.PAUSED,
    SubscriptionState.PENDING: Standing.UNCONFIRMED,
    SubscriptionState.UNSUBSCRIBED: Standing.LEFT,
}


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    standing = _standing(fields.get("state", ""))
    both = (fields.get(FIRST_NAME, ""), fields.get(LAST_NAME, ""))
    return Said(
        email=fields["email"],
        standing=standing,
        name=fields.get("name", "") or " ".join(filter(None, both)),
        language=fields.get("language", ""),
        timezone=fields.get("timezone", ""),
        cadence=fields.get("cadence", ""),
        max_items=fields.get("max_items", ""),
        send_at=fields.get("send_at", ""),
        text_only=fields.get("text_only", ""),
        paused_until=fields.get("paused_until", ""),
        topics=fields.get("topics"),
        tags=tags_of(fields, ("tags", *tags_from)),
        since="" if standing is Standing.LEFT else fields.get("since", ""),
        left=fields.get("since", "") if standing is Standing.LEFT else "",
    )


def _standing(field: str) -> Standing:
    try:
        return _STANDINGS[SubscriptionState(field.lower() or SubscriptionState.ACTIVE)]
    except ValueError:
        raise InvalidInput(
            f"state '{field[:40]}' is none of: {', '.join(SubscriptionState)}; empty means active"
        ) from None


OWN = Layout("digest", frozenset({"email"}), _read, is_own=True)
