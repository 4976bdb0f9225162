import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, text

from digest.address import steps
from digest.address.steps import Addressed, address_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import IssueState, Outline
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.domain.topics import Topic, TopicSlug
from digest.store.audiences import EditionRow, Reader, SkipRow, count_editions, count_skips
from digest.store.audiences import audience as read_audience
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, add_deliveries, planned_deliveries
from digest.store.issues import ensure_issue, get_issue
from digest.store.newsletters import remove_topic
from digest.store.revisions import freeze
from digest.store.subscribers import set_follows
from digest.track.steps import unsubscribe
from tests.address.audience import Audience
from tests.stored import (
    CITIES,
    CLIMATE,
    FOOD,
    NOW,
    SPACE,
    WINDOW,
    change,
    rendered,
    states,
    stored_newsletter,
    stored_reader,
)

NOBODY: dict[str, str] = {}


def test_each_reader_gets_the_edition_of_what_they_follow(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.add("ben", SPACE, CLIMATE)
    audience.add("carl", CITIES, FOOD)
    audience.add("dora", CITIES)
    assert audience.address() == Addressed(deliveries=4, editions=3)
    assert audience.planned == {
        "anna@example.org": "climate:0,1",
        "ben@example.org": "climate:0;space:1,2",
        "carl@example.org": "cities:3",
        "dora@example.org": "cities:3",
    }
    with reading(audience.engine) as session:
        assert count_editions(session, audience.issue.id) == 3
        assert get_issue(session, audience.issue.id).sending_at == NOW


def test_readers_who_get_nothing_are_skipped_with_the_reason(audience: Audience) -> None:
    audience.add("none")
    audience.add("food", FOOD)
    audience.set(audience.add("paused", CLIMATE), SubscriptionState.PAUSED)
    audience.add("gone", CLIMATE)
    audience.suppress("GONE@example.org")
    reasons = {
        "food@example.org": SkipReason.NOTHING_FOLLOWED,
        "gone@example.org": SkipReason.SUPPRESSED,
        "none@example.org": SkipReason.NO_TOPICS,
        "paused@example.org": SkipReason.PAUSED,
    }
    assert audience.address() == Addressed(skipped=dict(Counter(reasons.values())))
    assert (audience.planned, audience.skipped) == (NOBODY, reasons)
    with reading(audience.engine) as session:
        assert count_skips(session, audience.issue.id) == dict.fromkeys(reasons.values(), 1)
        assert count_editions(session, audience.issue.id) == 0


@pytest.mark.parametrize("state", [SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING])
def test_who_is_no_subscriber_is_not_in_the_audience(audience: Audience, state: SubscriptionState) -> None:
    audience.set(audience.add("anna", CLIMATE), state)
    assert audience.address() == Addressed()


def test_readers_of_other_newsletters_are_not_in_the_audience(audience: Audience) -> None:
    other = stored_newsletter(audience.engine, slug="daily")
    stored_reader(audience.engine, other, "anna@example.org", CLIMATE)
    who = audience.add("ben", CLIMATE)
    with writing(audience.engine) as session:
        set_follows(session, other.id, who, [SPACE])
    audience.address()
    assert audience.planned == {"ben@example.org": "climate:0,1"}


def test_spellings_of_one_mailbox_are_one_delivery(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.add("ANNA", SPACE)
    assert audience.address().deliveries == 1
    assert audience.planned == {"anna@example.org": "space:1,2"}


def test_message_ids_are_the_senders_and_never_the_same(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.add("ben", CLIMATE)
    audience.address()
    with reading(audience.engine) as session:
        ids = session.scalars(select(DeliveryRow.message_id)).all()
    assert len(set(ids)) == 2
    assert all(one.startswith("<") and one.endswith("@news.example.org>") for one in ids)


def test_a_topic_removed_since_the_approval_is_followed_by_nobody(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.add("ben", SPACE)
    with writing(audience.engine) as session:
        remove_topic(session, audience.newsletter.id, "climate")
    audience.address()
    assert audience.planned == {"ben@example.org": "space:1,2"}
    assert audience.skipped == {"anna@example.org": SkipReason.NO_TOPICS}


def test_the_last_of_sixty_topics_counts_like_the_first(engine: Engine) -> None:
    slugs = [TopicSlug(f"{'long-' * 10}topic-{number}") for number in range(60)]
    newsletter = stored_newsletter(engine, topics=[Topic(slug, "T") for slug in slugs])
    pieces = rendered(*(f"A{number}" for number in range(60)))
    with writing(engine) as session:
        draft = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        outline = Outline(tuple(slugs), tuple((slug,) for slug in slugs))
        issue = freeze(session, draft, pieces, outline, by="ed", now=NOW)
    stored_reader(engine, newsletter, "last@example.org", slugs[59])
    stored_reader(engine, newsletter, "all@example.org", *slugs)
    address_issue(engine, issue.id, now=NOW)
    with reading(engine) as session:
        planned = dict(planned_deliveries(session, issue.id))
    assert planned["last@example.org"] == f"{slugs[59]}:59"
    assert planned["all@example.org"].count(";") == 59


# --- all or nothing, once


@pytest.mark.parametrize(
    "state", [IssueState.DRAFT, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED]
)
def test_only_an_approved_issue_can_be_addressed(audience: Audience, state: IssueState) -> None:
    audience.add("anna", CLIMATE)
    if state in (IssueState.PAUSED, IssueState.SENT):
        change(audience.engine, audience.issue, IssueState.SENDING)
    change(audience.engine, audience.issue, state)
    with pytest.raises(Conflict, match=f"is {state}, so this cannot make it sending"):
        audience.address()
    assert audience.planned == NOBODY
    with pytest.raises(NotFound, match="no issue 4711"):
        address_issue(audience.engine, 4711, now=NOW)  # type: ignore[arg-type]


def test_what_dies_half_way_leaves_the_issue_approved_and_nobody_addressed(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        audience.add(f"r{number}", CLIMATE)
    monkeypatch.setattr(steps, "PAGE", 2)
    written: list[int] = []

    def die_on_the_second_page(*args: object, **rest: object) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(1)
        add_deliveries(*args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(steps, "add_deliveries", die_on_the_second_page)
    with pytest.raises(KeyboardInterrupt):
        audience.address()
    assert audience.state is IssueState.APPROVED
    with reading(audience.engine) as session:
        for table in (DeliveryRow, EditionRow, SkipRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    monkeypatch.setattr(steps, "add_deliveries", add_deliveries)
    assert audience.address() == Addressed(deliveries=5, editions=1)
    assert len(audience.planned) == 5


def test_of_fifty_who_click_send_at_once_one_addresses_the_issue(audience: Audience) -> None:
    for number in range(10):
        audience.add(f"r{number}", CLIMATE)
    together = threading.Barrier(50)

    def click(_: int) -> Addressed | None:
        together.wait()
        try:
            return audience.address()
        except Conflict:
            return None

    with ThreadPoolExecutor(50) as pool:
        done = [addressed for addressed in pool.map(click, range(50)) if addressed]
    assert done == [Addressed(deliveries=10, editions=1)]
    assert states(audience.engine, audience.issue) == {DeliveryState.PENDING: 10}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_audience_is_that_of_one_moment(audience: Audience, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first page is read, others leave, come and follow: the second page is as it was.

    On SQLite nobody can do that: it has one writer at a time.
    """
    readers = [audience.add(f"r{number}", CLIMATE) for number in range(4)]
    monkeypatch.setattr(steps, "PAGE", 2)

    def change_meanwhile(*args: object, **rest: object) -> Iterator[list[Reader]]:
        pages = read_audience(*args, **rest)  # type: ignore[arg-type]
        yield next(pages)
        unsubscribe(audience.engine, audience.newsletter.id, readers[3], now=NOW)
        audience.add("late", CLIMATE)
        with writing(audience.engine) as other:
            set_follows(other, audience.newsletter.id, readers[2], [])
        yield from pages

    monkeypatch.setattr(steps, "audience", change_meanwhile)
    assert audience.address().deliveries == 4
    assert set(audience.planned) == {f"r{number}@example.org" for number in range(4)}


def crowd(engine: Engine, newsletter: Newsletter, count: int) -> None:
    """Store many readers who follow about three topics each, faster than by subscribing them."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    with writing(engine) as session:
        at = {"now": NOW.strftime("%Y-%m-%d %H:%M:%S.000000+00"), "newsletter": newsletter.id}
        if engine.dialect.name == "sqlite":
            at["now"] = NOW.strftime("%Y-%m-%d %H:%M:%S.000000")
        for statement in (
            "INSERT INTO subscribers (email, email_key, name, language, timezone, created_at) "
            f"{numbers} SELECT 'r' || i || '@example.org', 'r' || i, '', '', '', :now FROM n",
            "INSERT INTO subscriptions (newsletter_id, subscriber_id, state, changed_at) "
            "SELECT :newsletter, id, 'active', :now FROM subscribers",
            "INSERT INTO follows (subscriber_id, topic_id) SELECT subscribers.id, topics.id "
            "FROM subscribers JOIN topics ON (subscribers.id * 7 + topics.id * topics.id) % 19 < 3",
        ):
            session.execute(text(statement), at)


def test_a_large_audience_is_addressed_whole_in_little_memory(engine: Engine) -> None:
    slugs = [TopicSlug(f"t{number}") for number in range(20)]
    newsletter = stored_newsletter(engine, topics=[Topic(slug, "T") for slug in slugs])
    pieces = rendered(*(f"A{number}" for number in range(30)))
    with writing(engine) as session:
        draft = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        items = tuple((slugs[number * 7 % 20], slugs[number * 3 % 20]) for number in range(30))
        issue = freeze(session, draft, pieces, Outline(tuple(slugs), items), by="ed", now=NOW)
    crowd(engine, newsletter, 20_000)
    tracemalloc.start()
    addressed = address_issue(engine, issue.id, now=NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert addressed.deliveries + sum(addressed.skipped.values()) == 20_000
    assert states(engine, issue) == {DeliveryState.PENDING: addressed.deliveries}
    assert addressed.editions > 10
    assert peak < 20 * 2**20
