"""Poll sources side by side and keep what is new; then tie reports of one event together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Source
from digest.domain.times import Window
from digest.gather.fetching.fetch import Fetcher
from digest.gather.lists import Parse
from digest.gather.memory import give_back
from digest.gather.polled import Polled
from digest.gather.polling import Poll
from digest.store.articles import articles_in
from digest.store.database import reading, writing
from digest.store.recording import record_stories


@dataclass(frozen=True, slots=True)
class Patience:
    """How long strangers may take, in seconds: all sources together, and each with its articles.

    What was not reached is left for the next poll.
    """

    run: float = 240.0
    source: float = 90.0
    sources_at_once: int = 100


DEFAULT_PATIENCE = Patience()


async def gather(
    engine: Engine,
    sources: Sequence[Source],
    *,
    since: Mapping[NewsletterId, datetime],
    fetcher: Fetcher,
    parse: Parse,
    now: datetime,
    patience: Patience = DEFAULT_PATIENCE,
    retry: bool = True,
    on_polled: Callable[[Polled], None] = lambda _: None,
) -> tuple[Polled, ...]:
    """Poll `sources` and store what was published `since` then; `tie_stories` is the step after it.

    `since` is by newsletter. Without `retry`, a source that failed is left alone until its next try is due.
    One that fails is reported and recorded with it; the others go on. Those that the time did not suffice
    for are not in the result, and stay due.
    """
    places = asyncio.Semaphore(patience.sources_at_once)
    loop = asyncio.get_running_loop()
    polls: list[Polled] = []
    # One writer: threads that wait for SQLite's lock would take turns by sleeping.
    with ThreadPoolExecutor(1, thread_name_prefix="gather-store") as writer:

        async def poll(source: Source) -> None:
            async with places:
                polled = await Poll(
                    engine,
                    source,
                    since=since[source.newsletter_id],
                    fetcher=fetcher,
                    parse=parse,
                    store=lambda work: loop.run_in_executor(writer, work),
                    now=now,
                    seconds=patience.source,
                    retry=retry,
                ).run()
            polls.append(polled)
            on_polled(polled)

        tasks = [asyncio.create_task(poll(source)) for source in sources]
        await _until(tasks, patience.run)
    return tuple(polls)


async def _until(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Wait for `tasks`, and cancel those that are not done by then. Raises what one of them raised."""
    if not tasks:
        return
    done, late = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()


def tie_stories(engine: Engine, newsletter_id: NewsletterId, since: datetime, now: datetime) -> None:
    """Tie the articles of each event together, of which somebody told since then."""
    from digest.gather.stories.grouping import find_stories  # numpy is for those who compare

    end = now + timedelta(seconds=1)
    # As many days before count too: what was told last week is no news when another source tells it today.
    both = Window(since - (end - since), end)
    with reading(engine) as session:
        stored = articles_in(session, newsletter_id, both)
    stories = find_stories([entry.article for entry in stored])
    ids = [entry.id for entry in stored]
    copies = {ids[copy]: ids[original] for story in stories for copy, original in story.copies.items()}
    with writing(engine) as session:
        record_stories(session, [[ids[index] for index in story.members] for story in stories], copies)
    del stored, stories
    give_back()
