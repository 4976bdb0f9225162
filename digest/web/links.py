"""What a link in a mail carries, as a route asks for it. Raises `Refused` for a token that is not ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from digest.track.tokens import Purpose, SubscriptionLink
from digest.web.dependencies import TheRuntime


async def _unsubscribe_link(runtime: TheRuntime, token: str) -> SubscriptionLink:
    return runtime.tokens.read_subscription(Purpose.UNSUBSCRIBE, token)


async def _preferences_link(runtime: TheRuntime, token: str) -> SubscriptionLink:
    return runtime.tokens.read_subscription(Purpose.PREFERENCES, token)


UnsubscribeLink = Annotated[SubscriptionLink, Depends(_unsubscribe_link)]
PreferencesLink = Annotated[SubscriptionLink, Depends(_preferences_link)]
