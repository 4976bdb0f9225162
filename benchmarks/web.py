"""How long pages of the desk take where there are a million subscribers, 50 sources and 200 articles.

    python -m benchmarks.web [--subscribers 1000000] [--articles 200] [--database sqlite|postgresql] [--json]

One issue is approved, the next one is a draft of as many articles, an earlier one is half sent. The pages
come from a server in a process of its own, asked over the loopback by one browser after the other page. Each
page is asked for three times before it is timed; a preview each time as another subscriber. What pages show
of all readers is worked out beforehand, as a worker does it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from rich.box import SIMPLE
from rich.table import Table
from sqlalchemy import Engine, case, insert, literal, select

from benchmarks.address import at_random, come_to_rest
from benchmarks.deliver import database
from benchmarks.readers import NOW, Size, approved_issue, content_of, slug
from benchmarks.telling import arguments, tell
from digest.compose.steps import compose
from digest.domain.accounts import Right, Role
from digest.domain.issues import IssueId, IssueState, Item
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.pipeline.outlook import work_out
from digest.runtime import Runtime, utc_now
from digest.settings import Settings
from digest.store.database import open_engine, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import change_issue, ensure_issue
from digest.store.newsletters import change_newsletter, get_newsletter
from digest.store.schema import migrate
from digest.store.subscribers import SubscriberRow
from digest.store.tokens import add_token
from digest.web.api import PATH
from digest.web.app import serve
from tests.web.people import add_session, cookie_header
from tests.web.world import add_articles

SOURCES = 50
WARM = 3
REMOVED = 5
"""Topics, of 20."""

SECRET = "a key that signs links of this benchmark alone"


@dataclass(frozen=True, slots=True)
class Figures:
    """95th percentiles in milliseconds, from the request to the last byte of the answer.

    `page_p95_ms` is that of the slowest page, which `slowest` names; `preview_p95_ms` that of a mail shown as
    any subscriber. `outlook_s` is what a worker takes for what pages show of all readers, once.
    """

    subscribers: int
    articles: int
    database: str
    page_p95_ms: float
    slowest: str
    preview_p95_ms: float
    outlook_s: float
    pages: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Field:
    """What the pages are about."""

    engine: Engine
    runtime: Runtime
    approved: IssueId
    draft: IssueId
    sent: IssueId
    subscribers: int


Path_ = Callable[[random.Random], str]


def paths_of(field: _Field) -> dict[str, Path_]:
    """Return how each page's address is drawn, by its name: a reader is another one each time."""

    def as_any(path: str) -> Path_:
        return lambda drawn: f"{path}as=reader{drawn.randrange(field.subscribers)}%40example.org"

    def always(path: str) -> Path_:
        return lambda _drawn: path

    draft, approved = f"/issues/{field.draft}", f"/issues/{field.approved}"
    found = f"{draft}/preview/readers?q="
    return {
        "front": always("/"),
        "issue": always(draft),
        "issue that is being sent": always(f"/issues/{field.sent}"),
        "draft": always(f"{draft}/draft"),
        "draft's other articles": always(f"{draft}/draft/others"),
        "preview": always(f"{draft}/preview"),
        "preview as a subscriber": as_any(f"{draft}/preview?"),
        "preview of an approved issue": as_any(f"{approved}/preview?"),
        "readers found by a beginning": lambda drawn: f"{found}reader{drawn.randrange(100, 999)}",
        "readers found by a part": lambda drawn: f"{found}der{drawn.randrange(10**5)}%40",
        "preview of its source": as_any(f"{draft}/preview?part=source&"),
        "all its readers": always(f"{draft}/preview/outlook"),
        "manage": always("/manage"),
        "topics": always("/manage/newsletters/measured/topics"),
        "sources": always("/manage/newsletters/measured/sources"),
        "wording": always("/manage/newsletters/measured/wording"),
        "ops": always("/ops"),
        "schedules": always("/ops/schedules"),
        "runs": always("/ops/runs"),
        "sends": always("/ops/sends"),
        "a send": always(f"/ops/sends/{field.sent}"),
        "mails of unknown outcome": always(f"/ops/sends/{field.sent}/unknown"),
        "suppressions": lambda drawn: f"/ops/suppressions?q=reader{drawn.randrange(100, 999)}",
        "health": always("/ops/health"),
        "figures": always("/ops/figures"),
        "account": always("/account"),
    }


def calls_of(field: _Field) -> dict[str, Path_]:
    """Return the addresses of calls to the API that look at all readers."""
    return {"checks over the API": lambda _drawn: f"{PATH}/issues/{field.draft}/checks"}


def mails_of(field: _Field) -> dict[str, Path_]:
    """Return how the addresses of a mail alone are drawn, as any subscriber gets it."""
    paths = paths_of(field)
    return {
        "mail of a draft": lambda drawn: paths["preview as a subscriber"](drawn).replace("?", "/mail?"),
        "mail of an approved issue": lambda drawn: paths["preview of an approved issue"](drawn).replace(
            "?", "/mail?"
        ),
    }


def measure(size: Size, *, kind: str, times: int) -> Figures:
    """Ask for every page so many times. Raises `AssertionError` for one that is not answered with 200."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        url = stack.enter_context(database(kind, folder))
        field = stack.enter_context(_made(url, size))
        began = time.perf_counter()
        for issue_id in (field.draft, field.approved):
            work_out(field.runtime, issue_id)
        outlook_s = (time.perf_counter() - began) / 2
        come_to_rest(field.engine)
        address = stack.enter_context(_served(url))
        headers = cookie_header(field.runtime, Role.ADMIN)
        pages = _percentiles(address, headers, paths_of(field), times)
        pages |= _percentiles(address, _with_a_token(field), calls_of(field), times)
        mails = _percentiles(address, headers, mails_of(field), times)
        pages["a topic removed"] = _slowest_removal(address, _with_a_token(field))
    slowest = max(pages, key=lambda name: pages[name])
    return Figures(
        subscribers=size.readers,
        articles=size.articles,
        database=kind,
        page_p95_ms=pages[slowest],
        slowest=slowest,
        preview_p95_ms=max(mails.values()),
        outlook_s=round(outlook_s, 1),
        pages=pages | mails,
    )


@contextmanager
def _made(url: str, size: Size) -> Iterator[_Field]:
    engine = open_engine(url)
    migrate(engine)
    approved = approved_issue(engine, size, wishes=at_random(size))
    with writing(engine) as session:
        newsletter = get_newsletter(session, "measured")
        newsletter = change_newsletter(session, newsletter.id, max_items=size.articles)
    add_articles(engine, newsletter, _articles(size))
    composed = compose(engine, newsletter, Window(NOW, NOW + timedelta(days=7)), now=NOW)
    assert composed.issue
    assert composed.items == size.articles
    sent = _half_sent(engine, newsletter)
    runtime = Runtime(_settings(url))
    add_session(runtime, Role.ADMIN)
    try:
        yield _Field(engine, runtime, approved, composed.issue.id, sent, size.readers)
    finally:
        engine.dispose()
        runtime.engine.dispose()


def _half_sent(engine: Engine, newsletter: Newsletter) -> IssueId:
    """Return an issue that all readers are addressed with: half have it, and of some it is not known."""
    with writing(engine) as session:
        issue = ensure_issue(
            session, newsletter.id, Window(NOW - timedelta(days=21), NOW - timedelta(days=14)), now=NOW
        )
        for state in (IssueState.APPROVED, IssueState.SENDING):
            change_issue(session, issue.id, state, now=NOW)
        subscribers = select(
            literal(issue.id),
            SubscriberRow.id,
            SubscriberRow.email,
            SubscriberRow.email_key,
            literal("<") + SubscriberRow.email_key + ">",
            literal(1),
            case(
                (SubscriberRow.id % 2 == 0, "accepted"),
                (SubscriberRow.id % 99 == 0, "failed"),
                (SubscriberRow.id % 9_999 == 0, "unknown"),
                else_="pending",
            ),
            literal(1),
            literal(NOW),
            literal(1),
            literal(550),
            literal("5.7.1 not here"),
            literal(NOW),
            literal(NOW),
            literal(NOW),
        )
        columns = (
            "issue_id",
            "subscriber_id",
            "email",
            "email_key",
            "message_id",
            "edition_id",
            "state",
            "fence",
            "next_at",
            "attempts",
            "smtp_code",
            "smtp_text",
            "created_at",
            "armed_at",
            "settled_at",
        )
        session.execute(insert(DeliveryRow).from_select(columns, subscribers))
    return issue.id


def _articles(size: Size) -> Sequence[Item]:
    return [
        replace(
            item,
            source=f"Source {item.position % SOURCES}",
            url=f"{item.url}-next",
            published_on=date(2026, 11, 23) + timedelta(days=item.position % 7),
        )
        for item in content_of(size).items
    ]


def _settings(url: str) -> Settings:
    return Settings(
        database_url=url,
        secret_key=SECRET,
        public_url="https://digest.example.org",
        api_requests_per_minute=1_000_000,
    )


@contextmanager
def _served(url: str) -> Iterator[str]:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(url, theirs))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(url: str, listening: Connection) -> None:
    serve(Runtime(_settings(url)), host="127.0.0.1", port=0, on_listening=listening.send)


def _with_a_token(field: _Field) -> dict[str, str]:
    with writing(field.engine) as session:
        rights = frozenset({Right.LOOK, Right.SHAPE})
        token = add_token(
            session, name="measured", rights=rights, by="measured", now=utc_now(), expires_at=None
        )
    return {"Authorization": f"Bearer {token[1]}"}


def _percentiles(
    address: str, headers: dict[str, str], paths: dict[str, Path_], times: int
) -> dict[str, float]:
    place = urlsplit(address)
    connection = HTTPConnection(place.hostname or "", place.port)
    found = {}
    for name, draw in paths.items():
        drawn = random.Random(name)
        for _ in range(WARM):
            _milliseconds(connection, headers, draw(drawn))
        spent = sorted(_milliseconds(connection, headers, draw(drawn)) for _ in range(times))
        found[name] = round(spent[int(0.95 * (len(spent) - 1))], 1)
    connection.close()
    return found


def _slowest_removal(address: str, headers: dict[str, str]) -> float:
    """Remove a few topics, each followed by a quarter of all readers."""
    place = urlsplit(address)
    connection = HTTPConnection(place.hostname or "", place.port)
    topics = [f"{PATH}/newsletters/measured/topics/{slug(number)}" for number in range(REMOVED)]
    spent = [_milliseconds(connection, headers, path, method="DELETE") for path in topics]
    connection.close()
    return round(max(spent), 1)


def _milliseconds(
    connection: HTTPConnection, headers: dict[str, str], path: str, *, method: str = "GET"
) -> float:
    began = time.perf_counter()
    connection.request(method, path, headers={**headers, "Host": "digest.example.org"})
    answer = connection.getresponse()
    body = answer.read()
    spent = (time.perf_counter() - began) * 1000
    # Who follows nothing that was written about has no mail, and is told so.
    assert answer.status in (200, 204, 409), f"{path}: {answer.status} {body[:400]!r}"
    return spent


def table_of(figures: Figures) -> Table:
    """Return the figures for people."""
    title = f"Pages with {figures.subscribers:,} subscribers and {figures.articles} articles"
    table = Table(title=title, box=SIMPLE)
    table.add_column("page")
    table.add_column("95th percentile, ms", justify="right")
    for name, spent in sorted(figures.pages.items(), key=lambda one: -one[1]):
        table.add_row(name, f"{spent:,}")
    table.add_row("what is worked out behind them, s", f"{figures.outlook_s:,}")
    return table


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--times", type=int, default=40, help="how often each page is asked for")
    options = parser.parse_args()
    size = Size(options.subscribers, options.topics, options.articles)
    figures = measure(size, kind=options.database, times=options.times)
    tell(figures, table_of(figures), as_json=options.json)


if __name__ == "__main__":
    main()
