"""`digest demo` as somebody runs it first: an empty folder, an empty home, nothing set."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.demo.audience import sample_topics
from digest.demo.newsroom.sample_articles import read_articles
from digest.domain.articles import Origin
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.domain.subscribers import SkipReason
from digest.store.audiences import count_skips
from digest.store.condensed import candidates_in
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries, planned_skips
from digest.store.issues import list_issues
from digest.store.sources import list_sources
from tests.mails import Followed, ReadMail, assert_well_made, read_mail
from tests.servers.processes import ServerProcess, is_listening
from tests.waiting import PATIENCE

DIGEST = Path(sys.executable).parent / "digest"
READERS = 13


@dataclass(frozen=True)
class Demo:
    """A demo that has run: where, what it printed, and what it left."""

    folder: Path
    printed: str
    engine: Engine
    issue: Issue

    @property
    def mails(self) -> dict[str, ReadMail]:
        """The mails by recipient."""
        read = [read_mail(file.read_bytes()) for file in sorted((self.folder / "mails").glob("*.eml"))]
        return {mail.to: mail for mail in read}


def run_demo(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(home), "COLUMNS": "200", **settings}
    return subprocess.run(
        [DIGEST, "demo", *arguments], cwd=home, env=environment, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The first demo, for all tests that only look."""
    home = tmp_path_factory.mktemp("home")
    done = run_demo(home)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    folder = home / "demo-output"
    engine = open_engine(f"sqlite:///{folder / 'digest.db'}")
    with reading(engine) as session:
        (issue,) = list_issues(session)
    return Demo(folder, done.stdout, engine, issue)


def test_it_ends_with_a_table_of_what_happened_and_what_to_do_next(demo: Demo) -> None:
    rows = dict(re.findall(r"^(\w+) +(\d+) ", demo.printed, re.MULTILINE))
    assert list(rows) == ["sources", "articles", "takeaways", "editions", "sent", "skipped"]
    assert (rows["sources"], rows["sent"], rows["skipped"]) == ("5", str(READERS), "2")
    assert str(demo.folder / "mails") in demo.printed
    assert (
        "30 in the issue; not in it: reports a story that is in it already (2), over the limit"
        in demo.printed
    )
    assert f"{DIGEST.resolve()} issue show {demo.issue.id}" in demo.printed


def test_the_issue_is_sent_and_every_delivery_accepted(demo: Demo) -> None:
    with reading(demo.engine) as session:
        counts = count_deliveries(session, demo.issue.id)
    assert demo.issue.state is IssueState.SENT
    assert {state: count for state, count in counts.items() if count} == {DeliveryState.ACCEPTED: READERS}


def test_every_mail_lies_there_as_eml_and_html(demo: Demo) -> None:
    files = {file.name for file in (demo.folder / "mails").iterdir()}
    assert len(files) == 2 * READERS
    assert {Path(name).stem for name in files} == set(demo.mails)


def test_every_mail_is_well_made(demo: Demo) -> None:
    for mail in demo.mails.values():
        assert_well_made(mail)
    assert len({mail.message["Message-ID"] for mail in demo.mails.values()}) == READERS


def test_every_mail_holds_only_what_its_reader_follows(demo: Demo) -> None:
    followed = Followed.of(demo.engine, demo.issue)
    for mail in demo.mails.values():
        followed.assert_only_followed(mail)


def test_no_reader_misses_an_article_of_the_issue_they_follow(demo: Demo) -> None:
    """The reader who follows everything gets the whole issue, and the others their share of that."""
    followed = Followed.of(demo.engine, demo.issue)
    whole = demo.mails["ada.fenwick@example.org"]
    for mail in demo.mails.values():
        follows = set(followed.follows(mail.to))
        assert set(mail.urls) == {url for url in whole.urls if followed.topics[url] & follows}


def test_the_articles_can_be_served_once_more_for_the_links_in_the_mails(demo: Demo, tmp_path: Path) -> None:
    (command,) = re.findall(r"^  (\S+ -m digest\.demo\.newsroom .+)$", demo.printed, re.MULTILINE)
    gone = {article.slug for article in read_articles() if article.page_gone}
    server = ServerProcess(command.split(), output=tmp_path / "newsroom.log")
    try:
        server.wait_until(lambda: is_listening(int(command.split()[4])))
        for url in demo.mails["ada.fenwick@example.org"].urls:
            if not any(slug in url for slug in gone):
                with urllib.request.urlopen(url, timeout=PATIENCE) as page:
                    assert page.status == 200
    finally:
        server.end(signal.SIGTERM)


def test_the_articles_that_are_served_once_more_can_be_gathered_again(demo: Demo, tmp_path: Path) -> None:
    serve, gather = re.findall(
        r"^  (\S+ (?:-m digest\.demo\.newsroom|gather) .+)$", demo.printed, re.MULTILINE
    )
    server = ServerProcess(serve.split(), output=tmp_path / "newsroom.log")
    try:
        server.wait_until(lambda: is_listening(int(serve.split()[4])))
        done = subprocess.run(
            [*gather.split(), "--json"], cwd=demo.folder, capture_output=True, text=True, timeout=60
        )
    finally:
        server.end(signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    polled = {poll["source"]: poll for poll in json.loads(done.stdout)}
    assert [name for name, poll in polled.items() if poll["error"]] == ["Tideline"]
    assert all(poll["unchanged"] or poll["known"] for poll in polled.values() if not poll["error"])


def test_an_address_that_came_twice_gets_one_mail(demo: Demo) -> None:
    addresses = [address.casefold() for address in demo.mails]
    assert addresses.count("carmen.ilves@example.net") == 1


def test_readers_without_a_mail_are_named_with_the_reason(demo: Demo) -> None:
    with reading(demo.engine) as session:
        skipped = {email: skip.reason for email, skip in planned_skips(session, demo.issue.id)}
        assert sum(count_skips(session, demo.issue.id).values()) == len(skipped)
    assert skipped == {
        "jonas.wren@example.org": SkipReason.NO_TOPICS,
        "imogen.salt@example.net": SkipReason.NOTHING_FOLLOWED,
    }
    assert not set(skipped) & set(demo.mails)
    for reason in skipped.values():
        assert f"1 {reason.in_words}" in demo.printed


def test_publishers_takeaways_are_mailed_word_for_word(demo: Demo) -> None:
    mailed = demo.mails["ada.fenwick@example.org"].takeaways
    published = [article for article in read_articles() if article.takeaways]
    found = {
        article.slug: (article.takeaways, bullets)
        for article in published
        for url, bullets in mailed.items()
        if article.slug in url
    }
    assert len(found) >= 10
    for takeaways, bullets in found.values():
        assert bullets == takeaways[: len(bullets)]
        # An article after the twelfth is shown compactly.
        assert len(bullets) in {min(2, len(takeaways)), min(3, len(takeaways))}
    assert max(len(bullets) for _, bullets in found.values()) == 3


def test_the_reports_of_one_event_are_one_story_and_nothing_else_is(demo: Demo) -> None:
    with reading(demo.engine) as session:
        candidates = candidates_in(session, demo.issue.newsletter_id, demo.issue.window)
    tied: dict[int, set[str]] = {}
    for candidate in candidates:
        if candidate.stored.story_id:
            slug = next(a.slug for a in read_articles() if a.slug in candidate.stored.article.url)
            tied.setdefault(candidate.stored.story_id, set()).add(slug)
    told = {article.story: set[str]() for article in read_articles() if article.story}
    for article in read_articles():
        if article.story:
            told[article.story].add(article.slug)
    assert len(told) == 2
    assert sorted(map(sorted, tied.values())) == sorted(map(sorted, told.values()))


def test_each_takeaway_says_who_wrote_it(demo: Demo) -> None:
    with reading(demo.engine) as session:
        candidates = candidates_in(session, demo.issue.newsletter_id, demo.issue.window)
    by_publisher = {article.slug for article in read_articles() if article.takeaways}
    for candidate in candidates:
        is_theirs = any(slug in candidate.stored.article.url for slug in by_publisher)
        origins = {takeaway.origin for takeaway in candidate.takeaways}
        assert origins == {Origin.PUBLISHER if is_theirs else Origin.EXTRACTIVE}


def test_the_broken_source_is_shown_and_stops_nothing(demo: Demo) -> None:
    with reading(demo.engine) as session:
        errors = {s.name: s.standing.last_error for s in list_sources(session, demo.issue.newsletter_id)}
    assert [name for name, error in errors.items() if error] == ["Tideline"]
    assert "1 could not be read; Tideline:" in demo.printed
    assert "is not a feed" in demo.printed


def test_sections_come_in_the_newsletters_order(demo: Demo) -> None:
    order = [topic.name.upper() for topic in sample_topics()]
    for mail in demo.mails.values():
        assert list(mail.headings) == sorted(mail.headings, key=order.index)


def test_a_second_demo_starts_clean_and_away_from_a_real_installation(tmp_path: Path) -> None:
    folder = tmp_path / "demo-output"
    (folder / "mails").mkdir(parents=True)
    (folder / ".digest-demo").touch()
    (folder / "mails" / "left.over@example.org.eml").touch()
    done = run_demo(
        tmp_path,
        "--json",
        DIGEST_DATABASE_URL="postgresql+psycopg://digest@127.0.0.1:9/digest",
        DIGEST_MAIL_URL="smtp://127.0.0.1:9",
        DIGEST_BROKER_URL="redis://127.0.0.1:9/0",
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["sent"], told["caught"]) == (READERS, READERS)
    assert len(list((folder / "mails").glob("*.eml"))) == READERS
    assert not (folder / "mails" / "left.over@example.org.eml").exists()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("three years of work")
    done = run_demo(tmp_path, "--folder", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path} holds something that is not a demo's" in done.stderr.replace("\n", " ")
    assert "--folder" in done.stderr
    assert list(tmp_path.iterdir()) == [thesis]
