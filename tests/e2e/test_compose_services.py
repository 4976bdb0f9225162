"""The main job through the very commands of `docker-compose.yml`, on real servers, as ops would set it up."""

from __future__ import annotations

import json
import signal
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.demo.audience import sample_topics
from digest.demo.newsletter import SAMPLE
from digest.demo.newsroom import Newsroom
from digest.domain.issues import Issue, IssueState
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import zone
from digest.store.database import open_engine, reading
from digest.store.issues import list_issues
from digest.store.subscribers import get_subscription
from tests.e2e.conftest import MakeStack
from tests.e2e.stack import Stack
from tests.mails import Followed, ReadMail, assert_well_made, read_mail
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE, wait_until

SLUG = "harbour-week"
TOPICS = ("climate", "space", "food")
FOLLOWS = {
    "ida@example.org": "climate;space;food",
    "jo@example.net": "climate",
    "kit@example.com": "space;food",
    "lou@example.org": "",
}


@pytest.fixture
def stack(make_stack: MakeStack, redis_server: RedisServer, newsroom: Newsroom) -> Stack:
    return make_stack(redis_server, DIGEST_FETCH_ALLOW=json.dumps([newsroom.host_port]))


def write_files(folder: Path, newsroom: Newsroom) -> None:
    feeds = [source for source in newsroom.sources if source.kind == "feed"]
    outlines = "".join(f'<outline type="rss" text="{feed.name}" xmlUrl="{feed.url}"/>' for feed in feeds)
    (folder / "feeds.opml").write_text(f'<opml version="2.0"><head/><body>{outlines}</body></opml>')
    readers = "".join(f"{email},{topics}\n" for email, topics in FOLLOWS.items())
    (folder / "readers.csv").write_text(f"email,topics\n{readers}")


def set_up_newsletter(stack: Stack, newsroom: Newsroom) -> None:
    """A newsletter of one's own, by the command line alone."""
    write_files(stack.folder, newsroom)
    identity = ("--name", "The Harbour Week", "--from", "editors@harbour-week.example.org")
    rules = ("--postal-address", "1 Quay Street", "--timezone", SAMPLE.timezone, "--approval", "automatic")
    stack.digest("newsletter", "add", SLUG, *identity, *rules)
    for topic in sample_topics():
        if topic.slug in TOPICS:
            words = [word for phrase in topic.rule.phrases for word in ("--phrase", phrase)]
            labels = [word for label in topic.rule.categories for word in ("--category", label)]
            stack.digest("topic", "add", SLUG, topic.slug, "--name", topic.name, *words, *labels)
    stack.digest("source", "import", SLUG, "feeds.opml")
    (page,) = (source for source in newsroom.sources if source.kind == "page")
    stack.digest("source", "add", SLUG, page.url, "--name", page.name, "--kind", "page")
    stack.digest("subscriber", "import", SLUG, "readers.csv")
    stack.digest("schedule", "add", SLUG, "0 7 * * MON")


def let_monday_come(postgres_server: PostgresServer, postgres_url: str, due: datetime) -> None:
    with postgres_server.connect(postgres_url.rpartition("/")[2]) as session:
        session.execute("UPDATE schedules SET next_due = %s", [due])


def test_the_services_do_the_main_job(
    stack: Stack,
    newsroom: Newsroom,
    due: datetime,
    postgres_server: PostgresServer,
    postgres_url: str,
    smtp_sink: SmtpSink,
) -> None:
    migrated = stack.run(stack.services["migrate"].command, service="migrate")
    assert migrated.returncode == 0, migrated.stderr
    set_up_newsletter(stack, newsroom)
    let_monday_come(postgres_server, postgres_url, due)

    running = [stack.start(name) for name in ("web", "beat", "worker")]
    engine = open_engine(postgres_url)

    def issue_state() -> IssueState | None:
        with reading(engine) as session:
            issues = list_issues(session)
        return issues[0].state if issues else None

    wait_until(lambda: issue_state() is IssueState.SENT, seconds=300, why=stack.all_logs)
    for name in ("web", "beat", "worker"):
        wait_until(lambda name=name: stack.is_healthy(name), why=stack.all_logs)

    with reading(engine) as session:
        (issue,) = list_issues(session)
    followed = Followed.of(engine, issue)
    mails = [read_mail(content) for content in smtp_sink.contents()]
    assert sorted(mail.to for mail in mails) == [email for email, topics in FOLLOWS.items() if topics]
    for mail in mails:
        assert_well_made(mail)
        followed.assert_only_followed(mail)
    whole = next(mail for mail in mails if mail.to == "ida@example.org")
    assert {topic for url in whole.urls for topic in followed.topics[url]} == set(TOPICS)

    days = "..".join(map(str, issue.window.local_days(zone(SAMPLE.timezone))))
    assert "nothing was sent again" in stack.digest("run", SLUG, "--window", days)
    assert smtp_sink.count() == len(mails)
    assert_unsubscribing_works(engine, issue, whole)

    for process in running:
        process.end(signal.SIGTERM)
        assert process.exit_code == 0, stack.all_logs()
    engine.dispose()


def assert_unsubscribing_works(engine: Engine, issue: Issue, mail: ReadMail) -> None:
    """Follow a mail's own link: looking changes nothing, the one-click POST (RFC 8058 §3.2) does."""

    def state() -> SubscriptionState:
        with reading(engine) as session:
            return get_subscription(session, issue.newsletter_id, mail.to).state

    link = str(mail.message["List-Unsubscribe"]).strip("<>")
    with urllib.request.urlopen(link, timeout=PATIENCE) as page:
        assert "The Harbour Week" in page.read().decode()
    assert state() is SubscriptionState.ACTIVE
    one_click = str(mail.message["List-Unsubscribe-Post"]).encode()
    with urllib.request.urlopen(link, data=one_click, timeout=PATIENCE) as answer:
        assert answer.status == 200
    assert state() is SubscriptionState.UNSUBSCRIBED
