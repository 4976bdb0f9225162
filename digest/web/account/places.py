"""Where somebody comes from."""

from __future__ import annotations

from fastapi import Request

from digest.admit.steps import Place
from digest.web.account.devices import device_of


def place_of(request: Request) -> Place:
    """Return a browser in words, and the address it came from."""
    network = request.client.host if request.client else ""
    return Place(device_of(request.headers.get("user-agent", "")), network)
