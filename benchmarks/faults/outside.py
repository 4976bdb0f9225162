"""Faults 34 to 36: what comes in from outside: webhooks, feeds, a language model's answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import SecretStr
from sqlalchemy import select

from benchmarks.farm import Farm, Size, running_farm
from benchmarks.farm_sites import NOW, WINDOW
from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field
from benchmarks.faults.rig import Rig
from benchmarks.faults.sending import settings_for
from digest.condense.steps import Report
from digest.domain.articles import Origin
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Refused
from digest.domain.newsletters import Newsletter
from digest.gather.fetching.hosts import StoredHosts
from digest.gather.fetching.http import HttpFetcher
from digest.gather.fetching.polite import PoliteFetcher
from digest.gather.parsing.pool import Parsers
from digest.gather.polled import Polled
from digest.gather.steps import Patience, gather
from digest.pipeline.condensing import condense_newsletter
from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime, utc_now
from digest.store.articles import ArticleRow
from digest.store.condensed import candidates_in
from digest.store.database import reading, writing
from digest.store.recording import record_article
from digest.store.sources import NewSource, active_sources, add_sources
from digest.track.webhooks.requests import Request
from tests.servers.faults import Faults
from tests.servers.model_server import Behaviour, ModelServer, says, silent, status, writes
from tests.stored import WINDOW as WEEK
from tests.stored import sample_article, stored_newsletter, stored_source
from tests.track.webhooks import signing, told

HOSTILE = (
    *("hangs before headers", "hangs in the body", "drips", "promises more than it sends"),
    *("promises less than it sends", "gzip bomb", "endless body", "resets connections"),
)
SOURCES = 12
READERS = 60
_PROVIDERS = ("ses", "postmark", "mailgun", "sendgrid")
POLL = 60.0
"""Seconds that a source may take here; 90 where nobody waits for the benchmark."""

ARTICLES = 6

_NONSENSE: dict[str, Behaviour] = {
    "down": status(503),
    "slow": silent(),
    "talks nonsense": writes("Certainly! Here are some thoughts about cheese."),
    "invents": says("The mayor of Atlantis spent $9 trillion on 4,711 unicorns in 1850."),
}


def webhooks(field: Field) -> Expected:
    """Have providers tell of what a dead worker left open: forged first, then twice and in another order."""
    field.issue(READERS)
    field.sink.withhold(after=READERS // 2)
    worker = field.worker(Rig(sessions=4))
    field.wait(lambda: field.sink.waiting == worker.rig.sessions)
    field.kill(worker)
    field.sink.faults = Faults()
    field.recover()
    unknown = sorted(name.strip("<>") for name in field.ids_in(DeliveryState.UNKNOWN))
    requests = [request for pair in zip(_PROVIDERS, unknown, strict=True) for request in _told(*pair)]
    asyncio.run(_tell(field, requests))
    return Expected(READERS)


def _told(provider: str, name: str) -> Iterator[tuple[str, Request, bool]]:
    """Return what a provider tells of a mail, and the same forged; the last says whether it is genuine."""
    now = utc_now()
    signed = {
        "ses": lambda: signing.sns(told.ses_delivery(name), at=now),
        "postmark": lambda: signing.postmark(told.postmark("Delivery", name)),
        "mailgun": lambda: signing.mailgun(told.mailgun("delivered", name), at=now),
        "sendgrid": lambda: signing.sendgrid([told.sendgrid("delivered", name)], at=now),
    }[provider]()
    yield provider, Request({}, signed.body.replace(b"ignature", b"ignatur")), False
    yield provider, signed, True
    yield provider, signed, True


async def _tell(field: Field, requests: Sequence[tuple[str, Request, bool]]) -> None:
    runtime = Runtime(
        settings_for(
            field.place,
            hook_sns_topics=(signing.TOPIC,),
            hook_postmark_secret=signing.LOGIN,
            hook_mailgun_key=signing.MAILGUN_KEY,
            hook_sendgrid_key=signing.sendgrid_public_key(),
        )
    )

    async def certificate(_url: str) -> bytes:
        return signing.certificate()

    hooks = Hooks(runtime, fetch=certificate)
    before = field.counts()
    for provider, request, _ in (one for one in requests if not one[2]):
        try:
            await hooks.take(provider, request.headers, request.body)
        except Refused:
            continue
        field.must(False, f"what was forged in the name of {provider} was taken in")
    field.must(field.counts() == before, "what was forged changed something")
    genuine = [one for one in requests if one[2]]
    field.random.shuffle(genuine)
    for provider, request, _ in genuine:
        await hooks.take(provider, request.headers, request.body)
    runtime.engine.dispose()


def a_hostile_feed(field: Field) -> None:
    """Gather from a dozen sources of which a third hang, lie about their length, or send bombs."""
    chosen = tuple(field.random.sample(HOSTILE, 4))
    with running_farm(Size(SOURCES, 2, hostile=1 / 3, faults=chosen)) as farm:
        newsletter = stored_newsletter(field.engine)
        with writing(field.engine) as session:
            sources = [NewSource(site.host, site.origin + site.path, site.kind) for site in farm.sites]
            add_sources(session, newsletter.id, sources, now=NOW)
        since = time.monotonic()
        polls = asyncio.run(_gathered(field, newsletter, farm))
        took = time.monotonic() - since
        with reading(field.engine) as session:
            stored = set(session.scalars(select(ArticleRow.url)))
        failed = {poll.source for poll in polls if poll.error}
        hosts = {site.host: site.fault for site in farm.sites}
        missed, wrong = farm.expected() - stored, stored - farm.permitted()
    field.must(len(polls) == SOURCES, f"the run ended after {len(polls)} of {SOURCES} sources")
    field.must(not missed, f"{len(missed)} articles of good sources are missing")
    field.must(not wrong, f"{len(wrong)} articles came in that are none")
    good = Counter(hosts[host] or "good" for host in failed)["good"]
    field.must(not good, f"{good} good sources failed")
    field.must(bool(failed), "no source failed: nothing was proved")
    field.must(took < 8 * POLL, f"the run took {took:.0f} s")


async def _gathered(field: Field, newsletter: Newsletter, farm: Farm) -> tuple[Polled, ...]:
    with reading(field.engine) as session:
        sources = active_sources(session, newsletter.id)
    fetcher = HttpFetcher(contact="http://localhost/about", allow=farm.allow, resolver=farm.resolve)
    async with fetcher, Parsers() as parsers:
        return await gather(
            field.engine,
            sources,
            since={newsletter.id: WINDOW.start},
            fetcher=PoliteFetcher(fetcher, memory=StoredHosts(field.engine), clock=lambda: NOW),
            parse=parsers.call,
            now=NOW,
            patience=Patience(run=6 * POLL, source=POLL),
            retry=False,
        )


def a_bad_model(field: Field) -> None:
    """Ask a language model that is down, silent, or writes what no article says."""
    named, behaviour = list(_NONSENSE.items())[field.seed % len(_NONSENSE)]
    newsletter = stored_newsletter(field.engine, llm=True)
    source = stored_source(field.engine, newsletter, "Meridian")
    with writing(field.engine) as session:
        for number in range(ARTICLES):
            article = sample_article(f"the-{field.random.randrange(10**6)}-harbour-{number}")
            record_article(session, newsletter.id, source.id, article, now=NOW, keys=[article.url])
    with ModelServer() as model:
        model.will(behaviour)
        report = _condensed(field, newsletter, model)
        field.must(bool(model.calls), "the model was not asked: nothing was proved")
    with reading(field.engine) as session:
        candidates = candidates_in(session, newsletter.id, WEEK)
    origins = {takeaway.origin for candidate in candidates for takeaway in candidate.takeaways}
    field.must(len(candidates) == ARTICLES, f"{len(candidates)} of {ARTICLES} articles can go into an issue")
    field.must(origins == {Origin.EXTRACTIVE}, f"takeaways of a model that {named}: {origins}")
    noted = sum(report.notes.values())
    field.must(noted == ARTICLES, f"of {ARTICLES} articles {noted} say why: {report.notes}")


def _condensed(field: Field, newsletter: Newsletter, model: ModelServer) -> Report:
    settings = settings_for(
        field.place,
        llm_provider="openai",
        llm_model="model-7",
        llm_url=f"{model.url}/v1",
        llm_api_key=SecretStr("key-of-the-benchmark"),
        llm_input_price=3.0,
        llm_output_price=15.0,
        llm_timeout_seconds=1.0,
        llm_run_seconds=20.0,
    )
    runtime = Runtime(settings, clock=lambda: NOW)
    try:
        return condense_newsletter(runtime, runtime.engine, replace(newsletter, llm=True))
    finally:
        runtime.engine.dispose()
