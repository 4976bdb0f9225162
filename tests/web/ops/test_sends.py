"""Sends in the ops room: how far they are, what can be done to them, and who may."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from digest.domain.accounts import Role
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Unavailable
from digest.domain.issues import IssueState
from digest.pipeline.progress import Progress, progress_of
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import IssueRow, get_issue
from digest.web.ops import live as streaming
from digest.web.ops import tallies as counting
from digest.web.ops.tallies import Kept
from digest.web.templating import Pages
from tests.waiting import PATIENCE
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.ops.world import BLOCKED, FULL, LOST, add_mails
from tests.web.site import Site
from tests.web.world import ADA, DRAFT, SENDING

PAGE = f"/ops/sends/{SENDING}"
FAILED, UNKNOWN, ACCEPTED = DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED


@pytest.fixture(autouse=True)
def counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for their count, so that tests need not."""
    monkeypatch.setattr("digest.web.ops.sends.WAIT_SECONDS", PATIENCE)
    monkeypatch.setattr(counting, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(counting, "SPARED", 0)
    monkeypatch.setattr(streaming, "EVERY_SECONDS", 0.02)


def state(site: Site) -> IssueState:
    with reading(site.runtime.engine) as session:
        return get_issue(session, SENDING).state


def counts(site: Site, state: DeliveryState) -> int:
    with reading(site.runtime.engine) as session:
        return count_deliveries(session, SENDING)[state]


def test_a_send_that_ended_since_it_was_counted_is_counted_anew(
    ops: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "FRESH_SECONDS", PATIENCE)
    assert "0 of 2 done" in read(ops, PAGE)
    with writing(ops.runtime.engine) as session:
        session.execute(update(DeliveryRow).values(state=ACCEPTED.value, settled_at=ops.runtime.clock()))
    assert "0 of 2 done" in read(ops, PAGE), "the control: what is fresh is kept"
    with writing(ops.runtime.engine) as session:
        session.execute(update(IssueRow).where(IssueRow.id == SENDING).values(state=IssueState.SENT.value))
    assert "2 of 2 done" in read(ops, PAGE)


def test_a_send_tells_how_far_how_fast_where_and_why_it_fails_and_what_to_do(ops: Site) -> None:
    engine = ops.runtime.engine
    add_mails(engine, ACCEPTED, 60, domain="mail.example.org")
    add_mails(engine, FAILED, 3, domain="full.example.org", said=FULL)
    add_mails(engine, FAILED, 1, domain="mail.example.org", said=BLOCKED)
    told = read(ops, PAGE)
    assert "64 of 66 done 96 %" in told
    assert "a second , about 1.0 s left" in told
    assert "accepted 60 refused for good 4 to come 2" in told
    assert "3 552 5.2.2 mailbox full → The mailbox is full: nothing to do" in told
    assert "1 550 5.7.1 your host … is not allowed here → They refuse us: mend log-in, SPF" in told
    assert "full.example.org 0 3 0 mail.example.org 60 1 0" in told


def test_sends_are_listed_with_how_far_they_are(ops: Site, empty_site: Site) -> None:
    read(ops, PAGE)
    told = read(ops, "/ops/sends")
    assert "Under way The Saturday Reader Issue 1 · 16–22 November 2026" in told
    assert "2 to come" in told
    assert f"Issue {DRAFT}" not in told, "a draft is no send"
    assert "Nothing was sent yet." in read(empty_site, "/ops/sends")
    assert "There is nothing here" in read(ops, "/ops/sends/99", 404)


def test_a_send_is_paused_with_a_reason_and_goes_on(ops: Site) -> None:
    told = follow(ops, f"{PAGE}/pause", why="wrong date\nin the intro")
    assert "The send is paused." in told
    assert "Paused by Omar Haddad: wrong date in the intro. “Go on” takes it up where it was." in told
    assert buttons(ops, PAGE) == {"Go on", "End it for good"}
    again = ops.submit(f"{PAGE}/pause")
    assert again.status_code == 409
    assert "The send goes on where it was." in follow(ops, f"{PAGE}/resume")
    assert state(ops) is IssueState.SENDING
    with reading(ops.runtime.engine) as session:
        audit = [(one.by, one.what, one.detail) for one in list_entries(session, limit=2)]
    assert audit == [
        ("Omar Haddad", "issue.resumed", ""),
        ("Omar Haddad", "issue.paused", "wrong date in the intro"),
    ]
    assert ops.submit(f"{PAGE}/pause", why="x" * 501).status_code == 422
    assert state(ops) is IssueState.SENDING


def test_a_send_that_is_ended_stays_ended(ops: Site) -> None:
    told = follow(ops, f"{PAGE}/cancel", why="the wrong week")
    assert "The send is ended for good." in told
    assert "cancelled by Omar Haddad: the wrong week" in told
    assert "2 of 2 done 100 %" in told
    assert buttons(ops, PAGE) == set()
    assert ops.submit(f"{PAGE}/resume").status_code == 409


def test_what_failed_is_sent_once_more_after_a_look_at_what_that_is(ops: Site) -> None:
    add_mails(ops.runtime.engine, FAILED, 2, said=BLOCKED)
    assert "Send failed once more …" in read(ops, PAGE)
    asked = read(ops, f"{PAGE}/resend")
    assert "Nothing that failed can be sent once more. Left out: 2 unsubscribed, paused or removed" in asked
    assert "There was nothing to send once more." in follow(ops, f"{PAGE}/resend")
    _fail(ops, ADA)
    assert "1 of the mails that failed may arrive now." in read(ops, f"{PAGE}/resend")
    assert "What failed and may arrive now is sent once more." in follow(ops, f"{PAGE}/resend")
    assert counts(ops, FAILED) == 2


def _fail(site: Site, email: str, state: DeliveryState = FAILED) -> None:
    with writing(site.runtime.engine) as session:
        values = {"state": state.value, "smtp_code": 451, "smtp_text": "4.3.0 try later"}
        session.execute(update(DeliveryRow).where(DeliveryRow.email == email).values(**values))


def test_mails_of_unknown_outcome_are_listed_with_evidence_and_judged_one_by_one(ops: Site) -> None:
    add_mails(ops.runtime.engine, UNKNOWN, 1, said=LOST)
    _fail(ops, ADA, UNKNOWN)
    assert "Of 2 mails nobody knows whether it arrived." in read(ops, PAGE)
    told = read(ops, f"{PAGE}/unknown")
    assert "the connection broke before an answer came last step 2026-11-23 06:59:30 UTC" in told
    assert "Of 2 mails the server never answered" in told
    assert f"digest issue reconcile {SENDING} --log FILE" in told
    assert ops.submit(f"{PAGE}/unknown").status_code == 422
    assert "There was nothing" in follow(ops, f"{PAGE}/unknown", email="nobody@example.org")
    assert counts(ops, UNKNOWN) == 2
    assert ops.submit(f"{PAGE}/unknown", arrived="1", everybody="1").status_code == 422
    arrived = {"email": "r3@example.org", "arrived": "1"}
    assert "count as arrived. Nothing was sent" in follow(ops, f"{PAGE}/unknown", **arrived)
    assert "None of these is of unknown" in follow(ops, f"{PAGE}/unknown", **arrived)
    assert counts(ops, UNKNOWN) == 1
    assert "sent once more, with the same Message-ID" in follow(ops, f"{PAGE}/unknown", email=ADA)
    assert counts(ops, UNKNOWN) == 0
    assert "There is none" in read(ops, f"/ops/sends/{DRAFT}/unknown")


def test_many_mails_of_unknown_outcome_come_page_by_page(ops: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.web.ops.sends.UNKNOWN_PAGE", 2)
    add_mails(ops.runtime.engine, UNKNOWN, 3)
    first = ops.get(f"{PAGE}/unknown").text
    (more,) = [part.split('"')[0] for part in first.split(f'href="{PAGE}/unknown?after=')[1:]]
    assert first.count('class="tick"') == 2
    assert ops.get(f"{PAGE}/unknown?after={more}").text.count('class="tick"') == 1


def test_everything_is_held_and_let_go(ops: Site) -> None:
    told = follow(ops, "/ops/hold", why="the address is being moved")
    assert "Everything is held by Omar Haddad: the address is being moved." in told
    assert "The first page of the ops room lets it go on." in read(ops, PAGE)
    assert ops.submit("/ops/hold").status_code == 409
    assert "Everything goes on." in follow(ops, "/ops/let-go")
    assert ops.submit("/ops/let-go").status_code == 404


def test_who_may_only_look_sees_the_send_and_no_buttons(ops: Site) -> None:
    add_mails(ops.runtime.engine, UNKNOWN, 1)
    for role in (Role.VIEWER, Role.EDITOR):
        with ops.seen_by(role) as viewer:
            assert "to come 2" in read(viewer, PAGE)
            assert buttons(viewer, PAGE) == buttons(viewer, f"{PAGE}/unknown") == set()
            for act in ("pause", "resume", "cancel", "resend", "unknown"):
                assert viewer.submit(f"{PAGE}/{act}").status_code == 403, act
    assert state(ops) is IssueState.SENDING


# --- live


def events(response: httpx2.Response) -> Iterator[tuple[str, str]]:
    """Each event of a stream: its name and what a person reads of it."""
    name, data = "", ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data += line.removeprefix("data:")
        elif not line and name:
            yield name, text_of(data)
            name = data = ""


def test_a_stream_tells_what_changes_and_when_the_buttons_do(ops: Site) -> None:
    with ops.client.stream("GET", f"{PAGE}/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-store"
        told = events(response)
        name, words = next(told)
        assert name == "tally"
        assert words.startswith("0 of 2 done 0 %")
        add_mails(ops.runtime.engine, ACCEPTED, 5)
        assert next(told)[1].startswith("5 of 7 done 71 %"), "nothing is told twice"
        ops.submit(f"{PAGE}/pause", why="enough")
        rest = dict(told)
    assert rest["changed"] == "paused"
    assert "Paused by Omar Haddad: enough." in rest["tally"]


def test_a_stream_of_what_is_over_ends_at_once(ops: Site) -> None:
    ops.submit(f"{PAGE}/cancel")
    with ops.client.stream("GET", f"{PAGE}/live") as response:
        assert [name for name, _ in events(response)] == ["tally", "over"]


def test_a_stream_ends_after_its_time(ops: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "AT_MOST_SECONDS", 0.2)
    read(ops, PAGE)  # from now on there is a count to tell
    with ops.client.stream("GET", f"{PAGE}/live") as response:
        assert [name for name, _ in events(response)] == ["tally"]


def test_a_stream_ends_when_the_server_is_told_to(ops: Site) -> None:
    state = SimpleNamespace(is_ending=lambda: True)
    request: Any = SimpleNamespace(app=SimpleNamespace(state=state))
    pages = Pages(ops.runtime.settings.templates / "web")
    tallies = Kept(lambda issue_id: progress_of(ops.runtime, issue_id))
    with reading(ops.runtime.engine) as session:
        issue = get_issue(session, SENDING)

    async def all_of_it() -> list[str]:
        return [event async for event in streaming.stream(request, pages, tallies, issue)]

    assert asyncio.run(all_of_it()) == ["retry: 3000\n\n"]
    answers = iter([False, True])
    state.is_ending = lambda: next(answers)
    assert tallies.of(SENDING, wait=PATIENCE)
    assert len(asyncio.run(all_of_it())) == 2, "the control: until then it tells"


def test_too_many_streams_are_told_to_look_by_themselves(ops: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "AT_ONCE", 0)
    with ops.client.stream("GET", f"{PAGE}/live") as response:
        assert [name for name, _ in events(response)] == ["full"]


# --- counting


def test_a_page_never_waits_long_for_a_count_and_shows_the_last_one(
    ops: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "FRESH_SECONDS", 0.0)
    may_end = threading.Event()
    may_end.set()

    def count(issue_id: int) -> Progress:
        assert may_end.wait(PATIENCE)
        return progress_of(ops.runtime, issue_id)

    tallies = Kept(count)
    first = tallies.of(SENDING, wait=PATIENCE)
    assert first
    may_end.clear()
    assert tallies.of(SENDING) is first, "the older one, while a newer is made"
    assert tallies.of(SENDING, wait=0.01) is first, "and after a short wait for it"
    may_end.set()
    assert tallies.of(SENDING, wait=PATIENCE) is not first
    may_end.clear()
    tallies.forget(SENDING)
    assert tallies.of(SENDING, wait=0.01) is None
    may_end.set()


def test_a_count_is_not_repeated_while_it_is_fresh(ops: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "FRESH_SECONDS", PATIENCE)
    asked: list[int] = []

    def count(issue_id: int) -> Progress:
        asked.append(issue_id)
        return progress_of(ops.runtime, issue_id)

    tallies = Kept(count)
    assert tallies.of(SENDING, wait=PATIENCE) is tallies.of(SENDING, wait=PATIENCE)
    assert asked == [SENDING]


def test_a_count_that_fails_is_tried_again_and_breaks_nothing(ops: Site) -> None:
    answers: list[Progress | Unavailable] = [
        Unavailable("the database is away"),
        progress_of(ops.runtime, SENDING),
    ]

    def count(_: int) -> Progress:
        answer = answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    tallies = Kept(count)
    assert tallies.of(SENDING, wait=PATIENCE) is None
    assert tallies.of(SENDING, wait=PATIENCE) is not None


def test_what_is_counted_quickly_is_counted_for_each_page_and_all_else_is_waited_for_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    slow, may_end = 3, threading.Event()

    def count(number: int) -> int:
        asked.append(number)
        assert number != slow or may_end.wait(PATIENCE)
        return len(asked)

    counts = Kept(count)
    monkeypatch.setattr(counting, "QUICK_SECONDS", PATIENCE)
    assert counts.newest([1, 2], wait=PATIENCE) == {1: 1, 2: 2}
    assert counts.newest([1], wait=PATIENCE) == {1: 3}, "it was quick: so it is counted anew"
    assert set(counts.newest([1, slow], wait=0.01)) == {1}, "what is not there in time is left out"
    may_end.set()
    monkeypatch.setattr(counting, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(counting, "FRESH_SECONDS", PATIENCE)
    told = counts.newest([1, slow], wait=PATIENCE)
    assert counts.newest([1, slow], wait=PATIENCE) == told, "it was slow: so the last count is shown"
