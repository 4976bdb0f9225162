"""Articles to ask about, and short ways to ask a server on the loopback without waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from pydantic import SecretStr
from sqlalchemy import Engine

from digest.condense.llm import LlmOptions, Prices, Provider, open_condenser
from digest.condense.llm.run import Pace
from digest.domain.articles import Article, Condensed, Origin, Style
from digest.domain.newsletters import NewsletterId
from digest.store.database import reading
from digest.store.newsletters import list_newsletters
from tests.condense.samples import HARBOUR, article, paragraph
from tests.servers.model_server import ModelServer
from tests.stored import NOW, stored_newsletter

KEY = "sk-canary-0123456789"
WALL = "The flood wall in Port Ellery will cost $83 million and is due to be finished in 2029."
MARKET = "The flood wall will close the fish market for two seasons."
GAUGE = "Engineers measured the sea at Port Ellery 31 cm above its level of 1990."
FLOODS = "The harbour flooded on 17 days last year."
WRITTEN = (WALL, MARKET, GAUGE)
FALSE = "The flood wall will cost $95 million."


@dataclass
class FakeTime:
    """A clock that only pauses move; `pauses` are their lengths in order. Every draw is the most there is."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def pace(self) -> Pace:
        return Pace(clock=lambda: self.now, sleep=self.sleep, draw=lambda most: most)


def options(server: ModelServer, **overrides: object) -> LlmOptions:
    """A model on the loopback at $3 and $15 for a million tokens."""
    provider = Provider(overrides.pop("provider", "openai"))  # type: ignore[arg-type]
    url = server.url + ("/v1" if provider is Provider.OPENAI else "")
    known = LlmOptions(provider, "model-7", Prices(3.0, 15.0), url, SecretStr(KEY), timeout=5.0)
    return replace(known, **overrides)  # type: ignore[arg-type]


@dataclass
class Told:
    """What a run came to."""

    all: tuple[Condensed, ...]
    spent: int
    stopped: str

    @property
    def one(self) -> Condensed:
        assert len(self.all) == 1
        return self.all[0]


def ask(
    server: ModelServer,
    engine: Engine,
    *articles: Article,
    time: FakeTime | None = None,
    one_by_one: bool = False,
    count: int = 3,
    **overrides: object,
) -> Told:
    """Condense these articles (by default one) in a run of their own, all at once unless one by one."""

    async def run() -> Told:
        opened = open_condenser(
            options(server, **overrides),
            engine,
            newsletter_of_tests(engine),
            now=lambda: NOW,
            pace=(time or FakeTime()).pace,
        )
        async with opened as condenser:
            calls = [
                condenser.condense(each, count=count, max_words=35, style=Style.NEUTRAL)
                for each in articles or (HARBOUR,)
            ]
            found = [await call for call in calls] if one_by_one else list(await asyncio.gather(*calls))
            return Told(tuple(found), condenser.spent, condenser.stopped)

    return asyncio.run(run())


def newsletter_of_tests(engine: Engine) -> NewsletterId:
    """The newsletter whose money these articles cost, stored when it is first asked for."""
    with reading(engine) as session:
        for known in list_newsletters(session):
            return known.id
    return stored_newsletter(engine).id


def texts(condensed: Condensed, *origins: Origin) -> tuple[str, ...]:
    """The takeaways of these origins, or all, in order."""
    return tuple(
        takeaway.text for takeaway in condensed.takeaways if not origins or takeaway.origin in origins
    )


def origins(condensed: Condensed) -> list[Origin]:
    return [takeaway.origin for takeaway in condensed.takeaways]


def numbered(count: int) -> list[Article]:
    """Articles that differ in a figure, each with three sentences that can stand alone."""
    return [
        article(
            paragraph(
                f"The council of Harbourtown planted {number} oaks along the northern canal on Monday."
            ),
            paragraph(f"Gardeners from the college will water every one of the {number} oaks until autumn."),
            paragraph("The work costs $40,000 and is paid by a fund that the city set up in 2019."),
            paragraph("Residents asked for shade after last summer, the hottest in Harbourtown since 1976."),
            title=f"Harbourtown plants {number} oaks",
        )
        for number in range(20, 20 + count)
    ]
