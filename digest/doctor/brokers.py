"""The broker: that it answers, is not open to everybody, and remembers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from digest.deliver.smtp.server import is_loopback
from digest.doctor import checks
from digest.doctor.checks import Check
from digest.domain.errors import Misconfigured
from digest.settings import Settings


def look_at_broker(settings: Settings) -> Iterator[Check]:
    """Look whether the broker answers. Raises `Misconfigured` for one that Celery or we do not support."""
    parts = urlsplit(settings.broker_url)
    if parts.scheme == "memory":
        yield Check("broker", True, "memory://, inside 'digest up'")
        return
    if parts.scheme not in ("redis", "rediss", "unix", "redis+socket"):
        raise Misconfigured(
            f"broker_url: '{parts.scheme}' is not supported: use memory:// or redis://:PASSWORD@HOST:6379/0"
        )
    where = f"{parts.scheme}://{parts.hostname or parts.path}:{parts.port or 6379}"
    try:
        with redis.Redis.from_url(
            settings.broker_url, socket_timeout=checks.PATIENCE, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
            yield Check("broker", True, f"{where} answers", " ".join(_redis_advice(client, parts)))
    except (redis.RedisError, ValueError, OSError) as exc:
        yield Check(
            "broker",
            False,
            f"{where}: {exc}",
            "Check broker_url and that Redis is up. Until then 'digest send' sends; nothing is lost.",
        )


def _redis_advice(client: redis.Redis, parts: object) -> Iterator[str]:
    if not getattr(parts, "password", None) and not is_loopback(getattr(parts, "hostname", None) or ""):
        yield "Give Redis a password (requirepass): whoever reaches it can start tasks."
    try:
        setting = client.config_get("appendonly")
    except redis.ResponseError:
        return  # a hosted Redis does not let us look
    if isinstance(setting, dict) and setting.get("appendonly") == "no":
        yield (
            "Turn on 'appendonly yes': without it a restart of Redis forgets what is queued, and sending "
            "waits for the next sweep."
        )
