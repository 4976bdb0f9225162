"""beehiiv: one file, whose columns depend on what was ticked when it was made."""

from __future__ import annotations

from collections.abc import Collection

from digest.domain.errors import InvalidInput
from digest.intake.lists.said import Fields, Layout, Said, Standing, first_of, tags_of

_STANDINGS = {
    "active": Standing.WANTS,
    "inactive": Standing.LEFT,
    "pending": Standing.UNCONFIRMED,
    "validating": Standing.UNCONFIRMED,
    "needs_attention": Standing.UNCONFIRMED,
    "paused": Standing.PAUSED,
    "invalid": Standing.NEVER,
}


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    status = fields["status"].lower().replace(" ", "_")
    if status not in _STANDINGS:
        raise InvalidInput(f"status '{status[:40]}' is none of beehiiv's: {', '.join(_STANDINGS)}")
    names = (first_of(fields, "first_name", "first name"), first_of(fields, "last_name", "last name"))
    return Said(
        email=fields["email"],
        standing=_STANDINGS[status],
        name=first_of(fields, "name") or " ".join(filter(None, names)),
        tags=tags_of(fields, ("tags", *tags_from)),
        since=first_of(fields, "created_at", "created at", "subscribed_at"),
        left=first_of(fields, "unsubscribed_at", "unsubscribed at"),
        why="an invalid address, said beehiiv",
    )


BEEHIIV = Layout(
    "beehiiv",
    frozenset({"email", "status"}),
    _read,
    signs=frozenset(
        {
            "subscription_tier",
            "subscription tier",
            "tier",
            "utm_source",
            "utm source",
            "referral_code",
            "referral code",
        }
    ),
)
