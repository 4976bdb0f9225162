"""What a link in a mail carries, as a route asks for it. Raises `Refused` for a token that is not ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from digest.domain.subscribers import ReaderAddress, SubscriberId
from digest.store.address_changes import find_reader_address
from digest.store.database import reading
from digest.track.tokens import Purpose, SubscriptionLink
from digest.web.dependencies import TheRuntime


async def _unsubscribe_link(runtime: TheRuntime, token: str) -> SubscriptionLink:
    return runtime.tokens.read_subscription(Purpose.UNSUBSCRIBE, token)


def _preferences_link(runtime: TheRuntime, token: str) -> SubscriptionLink:
    # What was mailed to an address that is theirs no more opens nothing: so it is asked which they have.
    def address_of(subscriber_id: SubscriberId) -> ReaderAddress | None:
        with reading(runtime.engine) as session:
            return find_reader_address(session, subscriber_id)

    return runtime.tokens.read_preferences(token, address_of)


UnsubscribeLink = Annotated[SubscriptionLink, Depends(_unsubscribe_link)]
PreferencesLink = Annotated[SubscriptionLink, Depends(_preferences_link)]
