"""From an empty folder to the first issue in readers' hands, by the pages and the README's commands."""

from __future__ import annotations

import email
import email.policy
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import expect

from digest.demo.newsroom import Newsroom
from digest.runtime import utc_now
from tests.journeys.person import Person
from tests.servers.browser import ChromiumBrowser
from tests.servers.processes import ServerProcess, free_port
from tests.servers.smtp_sink import SmtpSink
from tests.worker.conftest import environment

COMMAND = Path(sys.executable).with_name("digest")
READERS = "email,topics\nada@example.org,climate;cities\nben@example.org,cities\ncleo@example.org,\n"


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    """Publishers of this week, on loopback."""
    with Newsroom.start(now=utc_now()) as newsroom:
        yield newsroom


class Folder:
    """An empty folder, and the command in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = free_port()
        # Nothing but the way to the programs: all settings are those of the folder's own file.
        self.environment = {
            name: value for name, value in environment().items() if not name.startswith("DIGEST_")
        }

    def digest(self, *arguments: str) -> str:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self) -> ServerProcess:
        return ServerProcess(
            ["env", f"--chdir={self.path}", str(COMMAND), "up", "--port", str(self.port)],
            output=self.path / "up.log",
            environment=self.environment,
        )

    def told(self) -> str:
        return (self.path / "up.log").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path, newsroom: Newsroom, smtp_sink: SmtpSink) -> Iterator[Folder]:
    """A folder after `digest init`, in which `digest up` runs."""
    folder = Folder(tmp_path)
    folder.digest("init")
    settings = tmp_path / "digest.toml"
    text = settings.read_text("utf-8").replace('"maildir:outbox"', f'"{smtp_sink.url}"')
    text = text.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{folder.port}")
    settings.write_text(f'{text}fetch_allow = ["{newsroom.host_port}"]\n', "utf-8")
    up = folder.up()
    up.wait_until(lambda: "/enter/" in folder.told())
    yield folder
    up.end(signal.SIGTERM)
    assert up.exit_code == 0, folder.told()


def mail_to(address: str, sink: SmtpSink) -> EmailMessage:
    (content,) = (
        content
        for mail, content in zip(sink.messages(), sink.contents(), strict=True)
        if mail.recipients == (address,)
    )
    return email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[arg-type]


def test_from_an_empty_folder_to_the_first_issue_sent(
    folder: Folder, newsroom: Newsroom, browser: ChromiumBrowser, smtp_sink: SmtpSink
) -> None:
    with browser.page() as page:
        ada = Person(page, f"http://127.0.0.1:{folder.port}")
        comes_in(ada, re.search(r"http\S+/enter/\S+", folder.told()))
        starts_a_newsletter(ada)
        names_topics(ada)
        finds_sources(ada, newsroom)
        (folder.path / "readers.csv").write_text(READERS, "utf-8")
        assert "3 subscribers" in folder.digest("subscriber", "import", "harbour-week", "readers.csv")
        makes_a_schedule_and_begins(ada)
        shown = previews_and_approves(ada)
        smtp_sink.wait_for(2)
        assert smtp_sink.copies() == {"ada@example.org": 1, "ben@example.org": 1}
        page.goto("about:blank")  # a page of ours would let the mail have no styles
        for address, (subject, words) in shown.items():
            mail = mail_to(address, smtp_sink)
            assert mail["Subject"] == subject
            body = mail.get_body(("html",))
            assert body
            page.set_content(body.get_content())
            assert page.locator("body").inner_text() == words, "what was shown is what was sent"


def comes_in(ada: Person, link: re.Match[str] | None) -> None:
    """Follow the printed link, and become the admin."""
    assert link
    ada.page.goto(link[0])
    ada.comes_to("Make the first account")
    ada.writes("Ada Fenwick", into="Your name")
    ada.writes("ada@example.org", into="E-mail address")
    ada.writes("four calm words here", into="Password")
    ada.presses("Come in")


def starts_a_newsletter(ada: Person) -> None:
    ada.comes_to("Digest")
    ada.follows("Start one on a page")
    ada.comes_to("A new newsletter")
    ada.writes("The Harbour Week", into="Name")
    ada.writes("harbour-week", into="Short name")
    ada.writes("editors@example.org", into="Address it comes from")
    ada.writes("1 Quay Street, Harbour City", into="Postal address")
    ada.presses("Start it")
    ada.comes_to("The Harbour Week – Settings")


def names_topics(ada: Person) -> None:
    ada.follows("Topics that readers can follow")
    ada.comes_to("Topics")
    ada.follows("Add the first topic")
    ada.comes_to("A new topic")
    for slug, labels in (("climate", "Energy\nClimate"), ("cities", "Cities\nTransport")):
        ada.writes(slug, into="Short name")
        ada.writes(labels, into="Labels")
        ada.presses("Add it")
        ada.comes_to("Topics")
        if slug == "climate":
            ada.follows("Add a topic")


def finds_sources(ada: Person, newsroom: Newsroom) -> None:
    """Give the address of a site; its feed is found, read before it is added, and kept."""
    ada.follows("Sources")
    ada.comes_to("Sources")
    for site in newsroom.sources[:2]:
        found = ada.page.get_by_label(re.compile("Begin with a site you read|Add a source"))
        found.fill(site.url.rpartition("/")[0])
        ada.presses("Look for feeds")
        ada.comes_to("Feeds found")
        ada.follows("Add ")
        ada.comes_to("A new source")
        ada.presses("Add it")
        ada.comes_to("Sources")


def makes_a_schedule_and_begins(ada: Person) -> None:
    ada.opens("/")
    ada.follows("Ops")
    ada.comes_to("Ops room")
    ada.follows("Make a schedule")
    ada.comes_to("New schedule")
    ada.presses("Make the schedule")
    ada.comes_to("Schedules")
    ada.opens_up("Run now …")
    ada.presses("Begin today’s run")
    ada.reads("Today’s run has begun.")
    ada.follows("Runs")
    # The worker takes it through its stages; a person looks again now and then.
    while not ada.page.get_by_text(re.compile("^issue 1 waits")).count():
        expect(ada.page.get_by_text("Failed ·")).to_have_count(0)
        ada.page.wait_for_timeout(500)
        ada.page.reload()


def previews_and_approves(ada: Person) -> dict[str, tuple[str, str]]:
    """Return what the previews of two readers showed: the subject and the words of the mail."""
    ada.opens("/")
    ada.comes_to("Digest")
    ada.follows("Shape it")
    ada.comes_to("Draft of")
    ada.follows("Preview as a reader")
    ada.comes_to("Preview – ")
    shown = {}
    for address in ("ada@example.org", "ben@example.org"):
        ada.writes(address, into="A subscriber, by a part of their address").press("Enter")
        expect(ada.page.get_by_role("heading", name=f"As {address} gets it")).to_be_visible()
        subject = ada.page.locator(".subject").last.inner_text().removeprefix("Subject ").strip()
        body = ada.page.frame_locator("iframe").locator("body")
        expect(body.get_by_role("heading", level=1)).to_have_text("The Harbour Week")
        shown[address] = (subject, body.inner_text())
    assert shown["ada@example.org"] != shown["ben@example.org"]
    ada.presses("Approve what is shown")
    ada.reads("what you saw is what is sent")
    return shown
