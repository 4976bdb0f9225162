from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.store.database import reading, writing
from digest.store.hosts import StoredHost, find_host, record_host
from digest.store.links import PassedLink, passed_links, record_passed
from tests.stored import NOW, stored_newsletter, stored_source
from tests.waiting import PATIENCE

ORIGIN = "https://meridian.example.org"


def host(robots: str) -> StoredHost:
    return StoredHost(robots, "", NOW, NOW + timedelta(days=1), "")


def test_a_host_is_kept_and_written_over(engine: Engine) -> None:
    for robots in ("User-agent: *", "Disallow: /private"):
        with writing(engine) as session:
            record_host(session, ORIGIN, host(robots))
        with reading(engine) as session:
            assert find_host(session, ORIGIN) == host(robots)


def test_who_records_the_same_at_the_same_moment_is_in_nobodys_way(engine: Engine) -> None:
    """A run and a background poll read one source, each in a process of its own."""
    source = stored_source(engine, stored_newsletter(engine), "Meridian")
    first_recorded, second_recorded = Event(), Event()

    def record(session: Session) -> None:
        record_host(session, ORIGIN, host("User-agent: *"))
        record_passed(session, source.id, PassedLink(f"{ORIGIN}/a", "too old"), now=NOW)

    def second() -> None:
        assert first_recorded.wait(PATIENCE)
        with writing(engine) as session:
            record(session)
            second_recorded.set()

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(second)
        with writing(engine) as session:
            record(session)
            first_recorded.set()
            # The second waits for this to be over, or has looked by now and found nothing.
            second_recorded.wait(0.3)
        other.result(PATIENCE)
    with reading(engine) as session:
        assert find_host(session, ORIGIN) == host("User-agent: *")
    with writing(engine) as session:
        assert passed_links(session, source.id, [f"{ORIGIN}/a"], now=NOW)
