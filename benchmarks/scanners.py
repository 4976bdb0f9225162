"""What mail scanners do: every link of every mail is opened, and nothing may come of it.

    python -m benchmarks.scanners [--mails 1000] [--times 3] [--json]

An issue is addressed to so many readers on SQLite, and their mails are written as they would leave. Each
address of ours in them, HTML, text and headers, is asked for by GET and HEAD, so many times each, and all
rows of all tables are compared. The control is one POST, as a button sends it: that has to be seen.
"""

from __future__ import annotations

import argparse
import email.policy
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urldefrag

from fastapi.testclient import TestClient
from rich.console import Console
from sqlalchemy.orm import Session

from digest.domain.clicks import Clicks
from digest.domain.newsletters import Newsletter
from digest.domain.topics import TopicSlug
from digest.pipeline.personal_mail import mail_for
from digest.runtime import Runtime
from digest.store.claims import arm_deliveries, claim_deliveries
from digest.store.database import open_engine, writing
from digest.store.newsletters import change_newsletter
from digest.store.schema import migrate
from digest.store.subscribers import subscribe
from digest.web.app import make_app
from tests.samples import CITIES, CLIMATE, FOOD, ITEMS, SPACE
from tests.web.conftest import runtime_on
from tests.web.world import NOW, THIS_WEEK, add_articles, add_sample_newsletter, contents, send_to_all

SITE = "http://digest.example.org"
MIXES: tuple[tuple[TopicSlug, ...], ...] = (
    (CLIMATE, FOOD),
    (SPACE,),
    (CLIMATE, SPACE, CITIES, FOOD),
    (CITIES,),
)
SOMETIMES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Figures:
    """How much was asked for, and what it changed: names of tables, none when all is well.

    `unanswered` are addresses of which a GET was not answered with 200 or a redirect; `is_seen` says that the
    control was.
    """

    mails: int
    links: int
    requests: int
    unanswered: int
    changed: tuple[str, ...]
    is_seen: bool
    seconds: float


def measure(mails: int, *, times: int = 3) -> Figures:
    """Open every link of so many mails by GET and HEAD, so many times each."""
    with TemporaryDirectory(prefix="digest-scanners-") as folder:
        url = f"sqlite:///{Path(folder) / 'scanned.db'}"
        empty = open_engine(url)
        migrate(empty)
        empty.dispose()
        runtime = runtime_on(url, public_url=SITE)
        try:
            return _opened(runtime, list(_mails(runtime, mails)), times)
        finally:
            runtime.engine.dispose()


def _mails(runtime: Runtime, count: int) -> Iterator[bytes]:
    """Yield the mails of an issue that goes to so many readers."""
    newsletter = add_sample_newsletter(runtime.engine, clicks=Clicks.COUNTED)
    add_articles(runtime.engine, newsletter, ITEMS)
    with writing(runtime.engine) as session:
        change_newsletter(session, newsletter.id, archive=True)
        _add_readers(session, newsletter, count)
    issue = send_to_all(runtime, newsletter, THIS_WEEK)
    with writing(runtime.engine) as session:
        claims = claim_deliveries(
            session, issue, owner="scanners", limit=count, now=NOW, lease_until=NOW + SOMETIMES
        )
        # Links to an article lead nowhere before a mail that has it is on its way.
        arm_deliveries(session, claims, owner="scanners", now=NOW)
    write = mail_for(runtime, issue)
    for claim in claims:
        yield write(claim)[1]


def _add_readers(session: Session, newsletter: Newsletter, count: int) -> None:
    for number in range(count):
        follows = MIXES[number % len(MIXES)]
        subscribe(session, newsletter.id, email=f"r{number}@example.org", follows=follows, now=NOW)


def links_in(mail: bytes) -> set[str]:
    """Return every address of ours in a mail: in its headers, its text and its HTML."""
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mail)
    texts = [str(value) for value in message.values()]
    texts += [
        unescape(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"
    ]
    found = re.findall(rf"{re.escape(SITE)}[^\s\"'<>]*", "\n".join(texts))
    return {urldefrag(address).url for address in found}


def _opened(runtime: Runtime, mails: list[bytes], times: int) -> Figures:
    links = sorted({link for mail in mails for link in links_in(mail)})
    since = time.monotonic()
    before = contents(runtime.engine)
    unanswered = 0
    with TestClient(make_app(runtime), base_url=SITE, follow_redirects=False) as client:
        for _ in range(times):
            for link in links:
                got = client.get(link, headers={"User-Agent": "Scanner/1.0 (+https://example.org)"})
                unanswered += got.status_code >= 400
                client.head(link)
        after = contents(runtime.engine)
        seconds = time.monotonic() - since
        client.post(next(link for link in links if "/unsubscribe/" in link))
        is_seen = contents(runtime.engine) != after
    changed = tuple(name for name in before if before[name] != after[name])
    asked = len(links) * times * 2
    return Figures(len(mails), len(links), asked, unanswered, changed, is_seen, round(seconds, 1))


def main() -> None:
    """Print a line, or one JSON object; exit with 1 where anything changed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    options = parser.parse_args()
    if min(options.mails, options.times) < 1:
        parser.error("--mails and --times: at least 1")
    figures = measure(options.mails, times=options.times)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        changed = ", ".join(figures.changed) or "nothing"
        Console().print(
            f"{figures.mails:,} mails, {figures.links:,} different links, {figures.requests:,} requests in "
            f"{figures.seconds} s: {changed} changed, {figures.unanswered:,} were not answered",
            soft_wrap=True,
        )
    sys.exit(bool(figures.changed or figures.unanswered or not figures.is_seen))


if __name__ == "__main__":
    main()
