"""Webhooks of the providers that the settings name: verified, taken in, and ops told what to mend."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from anyio.to_thread import run_sync

from digest.domain.errors import NotFound, Refused
from digest.pipeline.returns import look_after_returns, tell_of_refusal
from digest.runtime import Runtime
from digest.store.returned import Effect
from digest.track.events import EventsTaken, take_events
from digest.track.webhooks.mailgun import MailgunWebhook
from digest.track.webhooks.postmark import PostmarkWebhook
from digest.track.webhooks.requests import Page, Request, Webhook
from digest.track.webhooks.sendgrid import SendGridWebhook
from digest.track.webhooks.ses import SesWebhook
from digest.track.webhooks.sns import Fetch, SnsMessages

log = structlog.get_logger(__name__)

WEBHOOKS: Mapping[str, str] = {
    "ses": "Amazon SES",
    "postmark": "Postmark",
    "mailgun": "Mailgun",
    "sendgrid": "SendGrid",
}
"""The providers that may tell us things: their names behind /hooks/, and as people know them."""

TOLD_EVERY = 60.0
"""Seconds. Whoever forges requests by the thousand gets a line in the log as often as this, not for each."""

AT_ONCE = 200
"""Events of one transaction: SQLite has one writer at a time, and bounces cost it 1-2 ms each. Half of a
request may stay when it fails: what comes again counts once."""

_CERTIFICATE_MAX = 64 * 1024
_FETCH_SECONDS = 10.0


@dataclass(slots=True)
class _Refusals:
    """Requests of one provider that were refused since the log said so."""

    count: int = 0
    told_at: float = field(default=float("-inf"))

    def tell(self, provider: str, reason: str) -> None:
        self.count += 1
        if time.monotonic() - self.told_at >= TOLD_EVERY:
            log.warning("webhook.refused", provider=provider, reason=reason, count=self.count)
            self.count, self.told_at = 0, time.monotonic()


class Hooks:
    """The webhooks of one process. `fetch` asks Amazon in place of the guarded fetcher.

    Raises `Misconfigured` for a setting that is wrong.
    """

    def __init__(self, runtime: Runtime, *, fetch: Fetch | None = None) -> None:
        self._runtime = runtime
        wanted = webhooks_wanted(runtime, fetch or guarded_fetch(runtime))
        self._webhooks = {provider: make() for provider, make in wanted.items()}
        self._refusals = {provider: _Refusals() for provider in self._webhooks}

    async def take(self, provider: str, headers: Mapping[str, str], body: bytes) -> EventsTaken:
        """Take in one request; what it tells is committed when this returns.

        Raises `NotFound` for a provider that the settings do not name, else as `Webhook.read` and
        `take_events` do: then nothing was changed.
        """
        webhook = self._webhooks.get(provider)
        if webhook is None:
            raise NotFound("no such webhook")
        try:
            page = await webhook.read(Request(headers, body), now=self._runtime.clock())
            return await run_sync(self._record, provider, page)
        except Refused as exc:
            self._refusals[provider].tell(provider, str(exc))
            raise

    def _record(self, provider: str, page: Page) -> EventsTaken:
        taken = EventsTaken(0, 0, 0, ())
        for first in range(0, max(1, len(page.events)), AT_ONCE):
            taken += take_events(
                self._runtime.engine,
                page.events[first : first + AT_ONCE],
                via=f"webhook:{provider}",
                now=self._runtime.clock(),
                token=page.token,
                keys=self._runtime.erasure_keys,
            )
        log.info(
            "webhook.taken",
            provider=provider,
            events=taken.events,
            matched=taken.matched,
            settled=taken.settled,
        )
        return taken

    def tell(self, taken: EventsTaken) -> None:
        """Tell ops of domains that refuse us, and pause what too much comes back of.

        After the answer, as no provider waits for a mail to leave.
        """
        for one in taken.told:
            if one.effect is Effect.TOLD:
                tell_of_refusal(self._runtime, one.email, one.detail)
        look_after_returns(self._runtime, {one.meaning for one in taken.told})


def webhooks_wanted(runtime: Runtime, fetch: Fetch) -> Mapping[str, Callable[[], Webhook]]:
    """Return how to make each webhook that the settings name; that raises `Misconfigured` for a wrong one."""
    settings = runtime.settings
    makers: dict[str, tuple[bool, Callable[[], Webhook]]] = {
        "ses": (
            bool(settings.hook_sns_topics),
            lambda: SesWebhook(SnsMessages(settings.hook_sns_topics, fetch)),
        ),
        "postmark": (
            bool(settings.hook_postmark_secret.get_secret_value()),
            lambda: PostmarkWebhook(settings.hook_postmark_secret),
        ),
        "mailgun": (
            bool(settings.hook_mailgun_key.get_secret_value().strip()),
            lambda: MailgunWebhook(settings.hook_mailgun_key),
        ),
        "sendgrid": (
            bool(settings.hook_sendgrid_key.strip()),
            lambda: SendGridWebhook(settings.hook_sendgrid_key.strip()),
        ),
    }
    return {provider: make for provider, (is_wanted, make) in makers.items() if is_wanted}


def guarded_fetch(runtime: Runtime) -> Fetch:
    """Return who asks SNS's own hosts, through the guard that all fetching goes through."""

    async def fetch(url: str) -> bytes:
        from digest.gather.fetching.fetch import Limits
        from digest.gather.fetching.http import HttpFetcher

        limits = Limits(body_bytes=_CERTIFICATE_MAX, seconds=_FETCH_SECONDS, silence=_FETCH_SECONDS)
        async with HttpFetcher(contact=runtime.settings.public_url, limits=limits) as fetcher:
            fetched = await fetcher.fetch(url)
        if fetched.url != url:
            raise Refused("Amazon SNS sent us elsewhere")
        return fetched.body

    return fetch
