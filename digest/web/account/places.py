"""Where somebody comes from."""

from __future__ import annotations

from fastapi import Request

from digest.admit.steps import Place
from digest.runtime import Runtime
from digest.web.account.devices import device_of
from digest.web.clients import client_of


def place_of(request: Request, runtime: Runtime) -> Place:
    """Return a browser in words, and the address it came from."""
    network = client_of(request, runtime.settings.trusted_proxies)
    return Place(device_of(request.headers.get("user-agent", "")), network)
