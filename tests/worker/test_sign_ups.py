"""Ten thousand sign-ups of one victim, taken in by several processes at once, are one mail."""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery
from sqlalchemy import Engine

from digest.domain.consents import ConsentSource
from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import SignUp, Wishes
from digest.runtime import utc_now
from digest.store.database import open_engine, reading, writing
from digest.store.letters import list_letters
from digest.store.schema import migrate
from digest.store.sign_ups import put_sign_ups, tallies_since, waiting_sign_ups
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, NOW, stored_newsletter
from tests.waiting import wait_until
from tests.worker.conftest import Launch
from tests.worker.test_celery import WORKER, log_of, wait_for_end, wait_for_log

COUNT = 10_000
VICTIM = ("victim@gmail.com", "Victim@gmail.com", "vic.tim@gmail.com", "victim+{}@gmail.com")


def aim(engine: Engine, newsletters: Sequence[Newsletter]) -> None:
    """Have programs all over the world sign one mailbox up, for every newsletter, spelt in every way."""
    sign_ups = [
        SignUp(
            newsletters[number % len(newsletters)].id,
            VICTIM[number % len(VICTIM)].format(number),
            Wishes(frozenset({CLIMATE})),
            ConsentSource.FORM,
            "",
            f"8.{number // 65_536}.{number // 256 % 256}.{number % 256}",
            utc_now(),
        )
        for number in range(COUNT)
    ]
    with writing(engine) as session:
        put_sign_ups(session, sign_ups)


def have_all_been_taken_in(engine: Engine) -> bool:
    with reading(engine) as session:
        return waiting_sign_ups(session) == 0


def assert_one_mail(engine: Engine, sink: SmtpSink) -> None:
    with reading(engine) as session:
        letters = list_letters(session, limit=100)
        tallies = tallies_since(session, NOW.replace(year=2020))
    assert len(letters) == 1
    assert sum(count for counts in tallies.values() for count in counts.values()) == COUNT
    assert sink.count() == 1


def test_by_workers_on_redis_and_postgresql(
    launch: Launch, postgres_url: str, redis_url: str, smtp_sink: SmtpSink
) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)
    newsletters = [stored_newsletter(engine, slug=f"weekly-{number}") for number in range(3)]
    workers = [
        launch(WORKER, database_url=postgres_url, broker_url=redis_url, mail_url=smtp_sink.url)
        for _ in range(2)
    ]
    for worker in workers:
        wait_for_log(worker, "worker.ready")
    aim(engine, newsletters)
    with Celery(broker=redis_url) as client:
        for _ in range(8):
            client.send_task("worker.tasks.take_in")
    told = "\n".join
    wait_until(lambda: have_all_been_taken_in(engine), why=lambda: told(map(log_of, workers)))
    wait_until(lambda: smtp_sink.count() >= 1, why=lambda: told(map(log_of, workers)))
    assert_one_mail(engine, smtp_sink)
    engine.dispose()


def test_by_commands_on_sqlite(launch: Launch, sqlite_url: str, smtp_sink: SmtpSink) -> None:
    engine = open_engine(sqlite_url)
    newsletters = [stored_newsletter(engine, slug=f"weekly-{number}") for number in range(3)]
    aim(engine, newsletters)
    commands = [
        launch(("digest", "mail", "send"), database_url=sqlite_url, mail_url=smtp_sink.url) for _ in range(3)
    ]
    for command in commands:
        wait_for_end(command)
        assert command.exit_code == 0, log_of(command)
    assert have_all_been_taken_in(engine)
    assert_one_mail(engine, smtp_sink)
    engine.dispose()
