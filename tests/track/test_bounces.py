"""What a mail that came back changes: once, and for nobody but whom a signed return path names."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId
from digest.domain.subscribers import SubscriptionState
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow
from digest.store.returned import Effect, Returned, list_returned
from digest.store.suppressions import find_suppression, is_suppressed
from digest.track.bounces import Taken, take_in
from digest.track.reports import Kind
from digest.track.returns import ReturnPaths
from tests.readership import Readership
from tests.track.reports import QMAIL, complaint, delivery_report, group, plain_mail

PATHS = ReturnPaths("bounces+*@news.example.org", ["k" * 32])
OTHERS = ReturnPaths("bounces+*@news.example.org", ["n" * 32])


class Post(Readership):
    """A reader whose mails come back."""

    def path(self, delivery: DeliveryId) -> str:
        return PATHS.write(delivery)

    def take(self, octets: bytes, to: str = "") -> Taken:
        return take_in(
            self.engine,
            octets,
            paths=PATHS,
            to=[to] if to else (),
            via="test",
            now=self.now + timedelta(hours=1),
        )

    @property
    def returned(self) -> tuple[Returned, ...]:
        with reading(self.engine) as session:
            return list_returned(session, limit=100)

    @property
    def is_suppressed(self) -> bool:
        with reading(self.engine) as session:
            return is_suppressed(session, "ada@example.org")

    def message_id(self, delivery: DeliveryId) -> str:
        with reading(self.engine) as session:
            return session.scalars(select(DeliveryRow.message_id).where(DeliveryRow.id == delivery)).one()

    def issue_id(self, delivery: DeliveryId) -> int:
        with reading(self.engine) as session:
            return session.scalars(select(DeliveryRow.issue_id).where(DeliveryRow.id == delivery)).one()


@pytest.fixture
def ada(engine: Engine) -> Post:
    return Post(engine)


def report(ada: Post, delivery: DeliveryId, *groups: str, own_id: str = "<r@mx>") -> bytes:
    return delivery_report(*groups, to=ada.path(delivery), about=ada.message_id(delivery), own_id=own_id)


def test_a_report_of_a_mailbox_that_is_gone_suppresses_once(ada: Post) -> None:
    delivery = ada.sent()
    issue_id = ada.issue_id(delivery)
    octets = report(ada, delivery)
    taken = ada.take(octets, ada.path(delivery).upper())
    assert (taken.meaning, taken.effect, taken.is_copy) == (Meaning.GONE, Effect.SUPPRESSED, False)
    again = ada.take(b"Received: from elsewhere by here\r\n" + octets)
    assert (again.effect, again.is_copy) == (Effect.NONE, True)
    assert ada.take(report(ada, delivery, own_id="<other@mx>")).effect is Effect.KNOWN
    with reading(ada.engine) as session:
        found = find_suppression(session, "ada@example.org")
    assert found
    assert (found.reason, found.issue_id) == ("hard_bounce", issue_id)
    assert "5.1.1" in found.detail
    assert [(one.kind, one.effect, one.email, one.issue_id) for one in ada.returned] == [
        (Kind.DELIVERY_REPORT, Effect.KNOWN, "ada@example.org", issue_id),
        (Kind.DELIVERY_REPORT, Effect.SUPPRESSED, "ada@example.org", issue_id),
    ]


def test_a_complaint_suppresses_at_once_wherever_it_is_sent(ada: Post) -> None:
    delivery = ada.sent()
    octets = complaint(sender=ada.path(delivery), about=ada.message_id(delivery))
    assert ada.take(octets).effect is Effect.SUPPRESSED
    with reading(ada.engine) as session:
        found = find_suppression(session, "ada@example.org")
    assert found
    assert found.reason == "complaint"


@pytest.mark.parametrize(
    "forged", ["", "bounces@news.example.org", "bounces+1-aaaaaaaaaaaaaaaa@news.example.org"]
)
def test_what_is_not_signed_changes_nothing_however_right_its_message_id(ada: Post, forged: str) -> None:
    delivery = ada.sent()
    forged = forged or OTHERS.write(delivery)
    about = ada.message_id(delivery)
    for octets in (delivery_report(to=forged, about=about), complaint(sender=forged, about=about)):
        taken = ada.take(octets)
        assert (taken.meaning, taken.effect, taken.email) == (Meaning.UNKNOWN, Effect.NONE, "")
        assert "signed" in taken.detail
    assert ada.take(delivery_report(to="x@example.org", about=about), to=forged).effect is Effect.NONE
    assert not ada.is_suppressed
    assert ada.state is SubscriptionState.ACTIVE
    assert {one.meaning for one in ada.returned} == {Meaning.UNKNOWN}


def test_what_comes_back_of_letters_and_of_removed_deliveries_is_nobodys(ada: Post) -> None:
    delivery = ada.sent()
    letter = ada.take(delivery_report(to=PATHS.write(DeliveryId(0)), about=""))
    assert (letter.meaning, letter.effect) == (Meaning.NOTHING, Effect.NONE)
    gone = ada.take(delivery_report(to=PATHS.write(DeliveryId(delivery + 9)), about=""))
    assert gone.meaning is Meaning.UNKNOWN
    assert f"delivery {delivery + 9} is not there" in gone.detail
    assert not ada.is_suppressed


def test_three_soft_issues_in_a_row_pause_and_copies_count_once(ada: Post) -> None:
    full = group(status="5.2.2", diagnostic="smtp; 552 5.2.2 full")
    late = group(action="delayed", status="4.2.2", diagnostic="")
    effects = []
    for _ in range(3):
        delivery = ada.sent()
        assert ada.take(report(ada, delivery, late)).meaning is Meaning.DELAYED
        # The same Message-ID as the delay had, as some servers do it: it is another report all the same.
        effects += [ada.take(report(ada, delivery, full)).effect for _ in range(2)]
        assert ada.take(report(ada, delivery, full, own_id="<2@mx>")).effect is Effect.KNOWN
    assert effects == [Effect.COUNTED, Effect.NONE, Effect.COUNTED, Effect.NONE, Effect.PAUSED, Effect.NONE]
    assert ada.state is SubscriptionState.PAUSED
    assert not ada.is_suppressed


def test_a_refusal_of_us_suppresses_nobody_and_is_told_once_a_day(ada: Post) -> None:
    refused = group(status="5.7.1", diagnostic="smtp; 550 5.7.1 unauthenticated")
    first = ada.sent()
    effects = [ada.take(report(ada, first, refused, own_id=f"<{n}@mx>")).effect for n in range(4)]
    assert effects == [Effect.TOLD, Effect.NONE, Effect.NONE, Effect.NONE]
    assert ada.take(report(ada, ada.sent(), refused)).effect is Effect.TOLD, "a week later"
    assert (ada.is_suppressed, ada.state, ada.in_a_row) == (False, SubscriptionState.ACTIVE, 0)


def test_words_absences_and_letters_are_listed_for_what_they_are(ada: Post) -> None:
    path = ada.path(ada.sent())
    away = plain_mail("I am away.\n", to=path, headers="Auto-Submitted: auto-replied\n")
    hello = plain_mail("Hello!\n", to=path, sender="ada@example.org")
    words = plain_mail(QMAIL.format(said="550 5.1.1 gone"), to=path)
    assert [ada.take(octets).meaning for octets in (away, hello, b"\0", words)] == [
        Meaning.NOTHING,
        Meaning.UNKNOWN,
        Meaning.UNKNOWN,
        Meaning.GONE,
    ]
    kinds = [one.kind for one in ada.returned]
    assert kinds == [Kind.GUESSED, Kind.UNREADABLE, Kind.UNREADABLE, Kind.AUTO_REPLY]


def test_what_a_stranger_writes_is_stored_whatever_it_holds(ada: Post) -> None:
    delivery = ada.sent()
    nasty = "smtp; 550 \x00\x1b[31m \ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    octets = report(
        ada, delivery, group(status="5.1.1\0" + "9" * 500, final="", diagnostic=nasty + "x" * 5_000)
    )
    ada.take(octets)
    (one,) = ada.returned
    assert len(one.status) <= 16
    assert one.detail.isprintable()


def test_one_report_taken_in_by_many_at_once_counts_once(ada: Post) -> None:
    octets = report(ada, ada.sent(), group(status="5.2.2", diagnostic=""))
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda _: ada.take(octets), range(6)))
    assert sorted(one.effect for one in taken if not one.is_copy) == [Effect.COUNTED]
    assert ada.in_a_row == 1


def test_three_reports_at_once_pause_as_three_one_by_one(ada: Post) -> None:
    full = group(status="5.2.2", diagnostic="")
    reports = [report(ada, ada.sent(), full) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        effects = sorted(one.effect for one in pool.map(ada.take, reports))
    assert effects == [Effect.COUNTED, Effect.COUNTED, Effect.PAUSED]
    assert ada.state is SubscriptionState.PAUSED
