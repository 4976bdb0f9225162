"""Letters reach those they are for, once, whatever becomes of the mail server or of the worker."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, Misconfigured, NotFound, Unavailable
from digest.domain.letters import LETTER_STALE_AFTER, LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.themes import Theme
from digest.pipeline.letters import letters_due, mail_link, post_letters
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.letters import LetterStanding, list_letters, queue_letter
from digest.store.newsletters import set_theme
from digest.store.subscribers import set_subscription_state, suppress
from digest.track.tokens import Purpose
from tests.faults.workers import Worker
from tests.pipeline.press import Clock
from tests.servers.faults import At, Banner, DropAfterDot, Faults, Reply, SlowBanner
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, NOW, SPACE, stored_newsletter, stored_reader
from tests.waiting import wait_until

ADA = "ada@example.org"
STATES = {
    LetterKind.CONFIRMATION: SubscriptionState.PENDING,
    LetterKind.WELCOME: SubscriptionState.ACTIVE,
    LetterKind.PREFERENCES: SubscriptionState.PAUSED,
    LetterKind.GOODBYE: SubscriptionState.UNSUBSCRIBED,
}


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


@pytest.fixture
def reader(engine: Engine, newsletter: Newsletter) -> SubscriberId:
    return stored_reader(engine, newsletter, ADA, CLIMATE, SPACE)


def queue(
    engine: Engine,
    newsletter: Newsletter,
    reader: SubscriberId,
    kind: LetterKind = LetterKind.PREFERENCES,
    *,
    state: SubscriptionState = SubscriptionState.ACTIVE,
) -> None:
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, reader, state, now=NOW)
        assert queue_letter(session, kind, newsletter.id, reader, now=NOW)


def only(engine: Engine) -> LetterStanding:
    with reading(engine) as session:
        (letter,) = list_letters(session, limit=10)
    return letter


def received(sink: SmtpSink) -> EmailMessage:
    (raw,) = sink.contents()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


@pytest.mark.parametrize("kind", STATES)
def test_each_letter_leads_to_its_reader_alone(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    kind: LetterKind,
) -> None:
    queue(engine, newsletter, reader, kind, state=STATES[kind])
    assert letters_due(runtime)
    post_letters(runtime)
    assert not letters_due(runtime)
    assert only(engine).state is DeliveryState.ACCEPTED
    message = received(smtp_sink)
    assert (message["To"], message["From"]) == (ADA, "The Weekly <desk@news.example.org>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == f"{kind}:weekly:letter:{message['Feedback-ID'].rpartition(':')[2]}"
    assert ("List-Unsubscribe" in message) is (kind is LetterKind.WELCOME)
    text, html = body(message), body(message, "html")
    page = "confirm" if kind is LetterKind.CONFIRMATION else "preferences"
    (link,) = {word for word in text.split() if f"/{page}/" in word}
    assert link in html
    token = link.rpartition("/")[2]
    link_of = (
        runtime.tokens.read_confirmation(token, now=NOW)
        if kind is LetterKind.CONFIRMATION
        else runtime.tokens.read_subscription(Purpose.PREFERENCES, token)
    )
    assert (link_of.newsletter_id, link_of.subscriber_id) == (newsletter.id, reader)


def test_a_letter_is_in_the_newsletters_language_and_theme(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    newsletter = stored_newsletter(engine, language="fr")
    with writing(engine) as session:
        light = replace(Theme().light, accent="#0b5394")
        set_theme(session, newsletter.id, replace(Theme(), light=light))
    queue(engine, newsletter, stored_reader(engine, newsletter, ADA))
    post_letters(runtime)
    message = received(smtp_sink)
    assert message["Subject"] == "Vos réglages pour The Weekly"
    assert message["Content-Language"] == "fr"
    assert "#0b5394" in body(message, "html")
    assert "Ouvrir mes réglages" in body(message)


def test_what_is_true_when_it_is_sent_stands_in_it(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queue(engine, newsletter, reader)
    stored_reader(engine, newsletter, ADA, SPACE)
    post_letters(runtime)
    assert "* Space" in body(received(smtp_sink))
    assert "* Climate" not in body(received(smtp_sink))


def test_who_changed_their_mind_in_time_is_not_told_goodbye(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queue(engine, newsletter, reader, LetterKind.GOODBYE, state=SubscriptionState.UNSUBSCRIBED)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, reader, SubscriptionState.ACTIVE, now=NOW)
    post_letters(runtime)
    assert smtp_sink.count() == 0
    assert only(engine).state is DeliveryState.CANCELLED


FAULTS = {
    "it does not greet": (Faults(on_connection=lambda _: Banner(421)), True),
    "it puts the mail off": (Faults(on_recipient=lambda *_: Reply(At.RCPT, 451)), False),
    "it does not trust us": (Faults(on_recipient=lambda *_: Reply(At.RCPT, 550, "5.7.1")), False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mail_server_that_fails_puts_a_letter_off_and_loses_none(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    clock: Clock,
    fault: str,
) -> None:
    queue(engine, newsletter, reader)
    smtp_sink.faults, is_away = FAULTS[fault]
    if is_away:
        with pytest.raises(Unavailable):
            post_letters(runtime)
    else:
        post_letters(runtime)
    smtp_sink.faults = Faults()
    assert only(engine).state is DeliveryState.PENDING
    assert only(engine).answer
    assert not letters_due(runtime), "its time has not come"
    clock.now += timedelta(minutes=2)
    post_letters(runtime)
    post_letters(runtime)
    assert smtp_sink.copies() == {ADA: 1}


def test_a_letter_that_nobody_waits_for_any_more_is_given_up(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    clock: Clock,
) -> None:
    queue(engine, newsletter, reader)
    smtp_sink.faults = Faults(on_recipient=lambda *_: Reply(At.RCPT, 451))
    clock.now += LETTER_STALE_AFTER + timedelta(minutes=1)
    post_letters(runtime)
    assert only(engine).state is DeliveryState.FAILED
    assert "given up" in only(engine).answer


def test_an_answer_that_never_comes_is_unknown_and_the_letter_is_not_sent_again(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    clock: Clock,
) -> None:
    queue(engine, newsletter, reader)
    smtp_sink.faults = Faults(on_recipient=lambda *_: DropAfterDot(kept=True))
    post_letters(runtime)
    smtp_sink.faults = Faults()
    clock.now += timedelta(days=1)
    assert not letters_due(runtime)
    post_letters(runtime)
    assert only(engine).state is DeliveryState.UNKNOWN
    assert smtp_sink.copies() == {ADA: 1}


def test_an_address_that_is_not_there_is_suppressed(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter
) -> None:
    gone = stored_reader(engine, newsletter, "reject-550.x@example.org")
    queue(engine, newsletter, gone)
    post_letters(runtime)
    assert only(engine).state is DeliveryState.FAILED
    with pytest.raises(Conflict, match="is suppressed"):
        mail_link(runtime, "weekly", "reject-550.x@example.org")


def test_a_template_that_is_broken_puts_its_letters_off_and_the_others_go(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    clock: Clock,
    tmp_path: Path,
) -> None:
    own = tmp_path / "own" / "weekly" / "preferences"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ letter.linc }}\n")
    broken = Runtime(
        runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path / "own"}), clock
    )
    queue(engine, newsletter, reader)
    queue(engine, newsletter, reader, LetterKind.WELCOME)
    with pytest.raises(Misconfigured, match=r"body\.txt line 1: .*linc"):
        post_letters(broken)
    (sent,) = smtp_sink.contents()
    assert b"Welcome to" in sent
    clock.now += timedelta(minutes=2)
    post_letters(runtime)
    assert smtp_sink.copies() == {ADA: 2}
    broken.engine.dispose()


@contextmanager
def posting(engine: Engine, sink: SmtpSink, log: Path) -> Iterator[Worker]:
    database = engine.url.render_as_string(hide_password=False)
    command = ["python", "-m", "tests.pipeline.posting", database, sink.url, NOW.isoformat()]
    with Worker(command, {}, log) as worker:
        yield worker


def test_a_worker_killed_before_the_dot_costs_no_letter(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    tmp_path: Path,
) -> None:
    """It dies with the letter claimed: the mail server never greets."""
    queue(engine, newsletter, reader)
    smtp_sink.faults = Faults(on_connection=lambda _: SlowBanner(math.inf))
    with posting(engine, smtp_sink, tmp_path / "posting.log") as worker:
        wait_until(lambda: smtp_sink.connections > 0, why=worker.log)
        assert only(engine).state is DeliveryState.CLAIMED
        worker.kill()
    smtp_sink.faults = Faults()
    assert letters_due(runtime), "its owner is dead, so nobody waits for the lease"
    post_letters(runtime)
    assert smtp_sink.copies() == {ADA: 1}


def test_a_worker_killed_after_the_dot_sends_no_letter_twice(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter, tmp_path: Path
) -> None:
    late = "delay-60.ada@example.org"
    queue(engine, newsletter, stored_reader(engine, newsletter, late))
    with posting(engine, smtp_sink, tmp_path / "posting.log") as worker:
        smtp_sink.wait_for(1)  # the mail is kept, and its 250 does not come
        worker.kill()
    assert not letters_due(runtime)
    post_letters(runtime)
    assert only(engine).state is DeliveryState.UNKNOWN
    assert smtp_sink.copies() == {late: 1}


def test_a_link_is_mailed_at_once(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queue(engine, newsletter, reader, LetterKind.WELCOME)
    assert mail_link(runtime, "weekly", "Ada@Example.org").state is DeliveryState.ACCEPTED
    assert smtp_sink.copies() == {ADA: 1}, "what else waits is the workers'"


def test_a_link_that_no_server_takes_waits_for_a_worker(
    engine: Engine,
    runtime: Runtime,
    smtp_sink: SmtpSink,
    newsletter: Newsletter,
    reader: SubscriberId,
    clock: Clock,
) -> None:
    smtp_sink.refuse_connections()
    with pytest.raises(Unavailable, match=r"The link is not lost: it waits, and a running 'digest up'"):
        mail_link(runtime, "weekly", ADA)
    with pytest.raises(Conflict, match="waits already"):
        mail_link(runtime, "weekly", ADA)


def test_a_link_is_refused_where_it_would_reach_nobody(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, newsletter: Newsletter, reader: SubscriberId
) -> None:
    with pytest.raises(NotFound, match=r"'bo@example.org' is not a subscriber"):
        mail_link(runtime, "weekly", "bo@example.org")
    for state, words in (
        (SubscriptionState.UNSUBSCRIBED, r"unsubscribed from The Weekly.*--again"),
        (SubscriptionState.PENDING, r"has not confirmed The Weekly"),
    ):
        with writing(engine) as session:
            set_subscription_state(session, newsletter.id, reader, state, now=NOW)
        with pytest.raises(Conflict, match=words):
            mail_link(runtime, "weekly", ADA)
    with writing(engine) as session:
        suppress(session, ADA, reason="complaint", detail="", now=NOW)
    with pytest.raises(Conflict, match="is suppressed"):
        mail_link(runtime, "weekly", ADA)
    assert smtp_sink.count() == 0
