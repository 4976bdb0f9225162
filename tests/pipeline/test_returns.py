"""A mailbox polled: killed in between, nothing is lost and nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from digest.domain.errors import Unavailable
from digest.pipeline.returns import Polled, poll_mailbox, take_returned
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow
from digest.store.returned import Effect
from digest.track.mailboxes import mailbox_at
from tests.readership import Readership
from tests.servers.imap import PASSWORD, USER, Mailbox, imap_server
from tests.track.reports import delivery_report, group

PATTERN = "bounces+*@news.example.org"
FULL = group(status="5.2.2", diagnostic="")


class Stopped(BaseException):
    """A kill, as far as a test in this process can make one."""


@pytest.fixture
def ada(engine: Engine) -> Readership:
    return Readership(engine)


@pytest.fixture
def runtime(ada: Readership) -> Iterator[Runtime]:
    settings = Settings(
        database_url=ada.engine.url.render_as_string(hide_password=False),
        secret_key=SecretStr("k" * 32),
        return_path=PATTERN,
    )
    runtime = Runtime(settings, lambda: ada.now)
    yield runtime
    runtime.engine.dispose()


def reports(ada: Readership, runtime: Runtime, count: int) -> list[bytes]:
    """Return reports of so many issues in a row that did not arrive."""
    made = []
    for _ in range(count):
        delivery = ada.sent()
        with reading(ada.engine) as session:
            about = session.scalars(select(DeliveryRow.message_id).where(DeliveryRow.id == delivery)).one()
        made.append(delivery_report(FULL, to=runtime.return_paths.write(delivery), about=about))
    return made


def test_a_poll_that_is_killed_before_it_marks_a_mail_counts_it_once(
    ada: Readership, runtime: Runtime, tmp_path: Path
) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    for number, octets in enumerate(reports(ada, runtime, 2)):
        (tmp_path / "new" / str(number)).write_bytes(octets)
    url = f"maildir:{tmp_path}"

    def killed(octets: bytes) -> None:
        take_returned(runtime, octets, via="maildir")
        raise Stopped

    with pytest.raises(Stopped):
        mailbox_at(url).read(killed, should_stop=lambda: False)
    assert ada.in_a_row == 0, "the first issue's report was taken, and the second's was not"
    assert poll_mailbox(runtime, url) == Polled(2, 1, {Effect.COUNTED: 1})
    assert ada.in_a_row == 2
    assert poll_mailbox(runtime, url) == Polled()


def test_mails_taken_over_imap_reordered_and_doubled_count_as_one_each(
    ada: Readership, runtime: Runtime
) -> None:
    first, second, third = reports(ada, runtime, 3)
    mailbox = Mailbox()
    mailbox.mails = [third, first, third, second, first]
    with imap_server(mailbox) as port:
        url = f"imap://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/"
        polled = poll_mailbox(runtime, url)
    assert polled == Polled(5, 2, {Effect.COUNTED: 2, Effect.PAUSED: 1})
    assert ada.state == "paused"


def test_a_database_that_is_away_leaves_the_mailbox_as_it_was(
    ada: Readership, runtime: Runtime, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "cur").mkdir()
    (tmp_path / "new" / "1").write_bytes(reports(ada, runtime, 1)[0])
    away = Settings(
        database_url="postgresql+psycopg://digest@127.0.0.1:1/digest",
        secret_key=SecretStr("k" * 32),
        return_path=PATTERN,
    )
    with pytest.raises(Unavailable):
        poll_mailbox(Runtime(away), f"maildir:{tmp_path}")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["1"]
    assert poll_mailbox(runtime, f"maildir:{tmp_path}").effects == {Effect.COUNTED: 1}
