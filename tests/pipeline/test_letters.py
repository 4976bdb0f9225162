"""Letters reach those they are for, once, whatever becomes of the mail server or of the worker."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.deliver.transport import Envelope
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, Misconfigured, NotFound, Unavailable
from digest.domain.letters import LETTER_STALE_AFTER, Letter, LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import ReaderAddress, SubscriberId, SubscriptionState
from digest.domain.themes import Theme
from digest.pipeline import control
from digest.pipeline.letters import letters_due, mail_link, post_letters, write_letter
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.letters import LetterStanding, list_letters, queue_letter
from digest.store.newsletters import change_newsletter, set_theme
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import suppress
from tests.faults.workers import Worker
from tests.pipeline.press import Clock
from tests.servers.faults import At, Banner, DropAfterDot, Faults, MostMails, Reply, ResetInBody, SlowBanner
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


@dataclass(frozen=True)
class Post:
    """A newsletter with one reader, and the mail server that its letters go to."""

    engine: Engine
    runtime: Runtime
    sink: SmtpSink
    newsletter: Newsletter
    reader: SubscriberId

    def queue(
        self,
        kind: LetterKind = LetterKind.PREFERENCES,
        *,
        reader: SubscriberId | None = None,
        state: SubscriptionState = SubscriptionState.ACTIVE,
    ) -> None:
        """Have a letter wait, for the one reader unless another is named, whose subscription is put so."""
        who = reader or self.reader
        self.subscription_becomes(state, who)
        with writing(self.engine) as session:
            assert queue_letter(session, kind, self.newsletter.id, who, now=NOW)

    def subscription_becomes(self, state: SubscriptionState, reader: SubscriberId | None = None) -> None:
        with writing(self.engine) as session:
            set_subscription_state(session, self.newsletter.id, reader or self.reader, state, now=NOW)

    def send(self) -> None:
        post_letters(self.runtime)

    @property
    def is_due(self) -> bool:
        return letters_due(self.runtime)

    @property
    def letter(self) -> LetterStanding:
        """How the only letter stands."""
        with reading(self.engine) as session:
            (letter,) = list_letters(session, limit=10)
        return letter

    @property
    def states(self) -> dict[str, DeliveryState]:
        """How each letter stands, by whom it is to."""
        with reading(self.engine) as session:
            return {letter.email: letter.state for letter in list_letters(session, limit=100)}

    @property
    def received(self) -> EmailMessage:
        """The only mail that the server took."""
        (raw,) = self.sink.contents()
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@pytest.fixture
def post(engine: Engine, runtime: Runtime, smtp_sink: SmtpSink) -> Post:
    newsletter = stored_newsletter(engine)
    reader = stored_reader(engine, newsletter, ADA, CLIMATE, SPACE)
    return Post(engine, runtime, smtp_sink, newsletter, reader)


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


def test_an_answer_to_a_letter_goes_where_answers_to_issues_go(post: Post) -> None:
    with writing(post.engine) as session:
        change_newsletter(session, post.newsletter.id, reply_to="answers@example.org")
    post.queue()
    post.send()
    assert post.received["Reply-To"] == "answers@example.org"


@pytest.mark.parametrize("kind", STATES)
def test_each_letter_leads_to_its_reader_alone(post: Post, kind: LetterKind) -> None:
    post.queue(kind, state=STATES[kind])
    assert post.is_due
    post.send()
    assert not post.is_due
    assert post.letter.state is DeliveryState.ACCEPTED
    message = post.received
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
        post.runtime.tokens.read_confirmation(token, now=NOW)
        if kind is LetterKind.CONFIRMATION
        else post.runtime.tokens.read_preferences(token, lambda _: ReaderAddress(ADA))
    )
    assert (link_of.newsletter_id, link_of.subscriber_id) == (post.newsletter.id, post.reader)


def test_a_letter_is_in_the_newsletters_language_and_theme(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    newsletter = stored_newsletter(engine, language="fr")
    with writing(engine) as session:
        light = replace(Theme().light, accent="#0b5394")
        set_theme(session, newsletter.id, replace(Theme(), light=light))
    post = Post(engine, runtime, smtp_sink, newsletter, stored_reader(engine, newsletter, ADA))
    post.queue()
    post.send()
    message = post.received
    assert message["Subject"] == "Vos réglages pour The Weekly"
    assert message["Content-Language"] == "fr"
    assert "#0b5394" in body(message, "html")
    assert "Ouvrir mes réglages" in body(message)


def test_what_is_true_when_it_is_sent_stands_in_it(post: Post) -> None:
    post.queue()
    stored_reader(post.engine, post.newsletter, ADA, SPACE)
    post.send()
    assert "* Space" in body(post.received)
    assert "* Climate" not in body(post.received)


def test_letters_under_way_stop_when_everything_is_held(post: Post) -> None:
    post.queue()
    ben = stored_reader(post.engine, post.newsletter, "ben@example.org", CLIMATE)
    post.queue(reader=ben)

    def hold(_: Outcome) -> None:
        control.hold(post.runtime, by="Ada")

    post_letters(post.runtime, on_settled=hold)
    assert post.sink.count() == 1
    assert sorted(post.states.values()) == [DeliveryState.ACCEPTED, DeliveryState.PENDING]
    control.let_go(post.runtime, by="Ada")
    post.send()
    assert post.sink.count() == 2


def test_who_changed_their_mind_in_time_is_not_told_goodbye(post: Post) -> None:
    post.queue(LetterKind.GOODBYE, state=SubscriptionState.UNSUBSCRIBED)
    post.subscription_becomes(SubscriptionState.ACTIVE)
    post.send()
    assert post.sink.count() == 0
    assert post.letter.state is DeliveryState.CANCELLED


FAULTS = {
    "it does not greet": (Faults(on_connection=lambda _: Banner(421)), True),
    "it puts the mail off": (Faults(on_recipient=lambda *_: Reply(At.RCPT, 451)), False),
    "it does not trust us": (Faults(on_recipient=lambda *_: Reply(At.RCPT, 550, "5.7.1")), False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mail_server_that_fails_puts_a_letter_off_and_loses_none(
    post: Post, clock: Clock, fault: str
) -> None:
    post.queue()
    post.sink.faults, is_away = FAULTS[fault]
    if is_away:
        with pytest.raises(Unavailable):
            post.send()
    else:
        post.send()
    post.sink.faults = Faults()
    assert post.letter.state is DeliveryState.PENDING
    assert post.letter.answer
    assert not post.is_due, "its time has not come"
    clock.now += timedelta(minutes=2)
    post.send()
    post.send()
    assert post.sink.copies() == {ADA: 1}


@pytest.fixture
def _long_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fits on the way: a reset in the body is noticed before the dot leaves."""

    def long_letter(runtime: Runtime, letter: Letter) -> tuple[Envelope, bytes]:
        envelope, message = write_letter(runtime, letter)
        return envelope, message + b"and so on\r\n" * 800_000

    monkeypatch.setattr("digest.pipeline.letters.write_letter", long_letter)


@pytest.mark.usefixtures("_long_letters")
def test_a_letter_at_which_the_conversation_breaks_waits_alone(post: Post, clock: Clock) -> None:
    broken = "reset-in-body-once.eve@example.org"
    others = [f"reader-{number}@example.org" for number in range(8)]
    for email in (*others[:4], broken, *others[4:]):
        post.queue(reader=stored_reader(post.engine, post.newsletter, email))
    with pytest.raises(Unavailable, match="before the dot"):
        post.send()
    assert post.sink.copies() == dict.fromkeys(others, 1)
    assert post.states[broken] is DeliveryState.PENDING
    assert not post.is_due, "its time has not come"
    clock.now += timedelta(minutes=2)
    post.send()
    assert post.sink.copies() == dict.fromkeys((*others, broken), 1)


@pytest.mark.usefixtures("_long_letters")
def test_a_server_at_which_every_conversation_breaks_is_asked_no_further(post: Post, clock: Clock) -> None:
    post.sink.faults = Faults(on_recipient=lambda *_: ResetInBody())
    emails = [f"reader-{number}@example.org" for number in range(12)]
    for email in emails:
        post.queue(reader=stored_reader(post.engine, post.newsletter, email))
    with pytest.raises(Unavailable, match="before the dot"):
        post.send()
    assert post.sink.connections < len(emails)
    assert set(post.states.values()) == {DeliveryState.PENDING}
    assert not post.is_due
    post.sink.faults = Faults()
    clock.now += timedelta(minutes=2)
    post.send()
    assert post.sink.copies() == dict.fromkeys(emails, 1)


@pytest.mark.parametrize("fault", [MostMails(2), MostMails(2, 0)])
def test_a_server_that_ends_conversations_delays_no_letter(post: Post, fault: MostMails) -> None:
    post.sink.faults = Faults(on_connection=lambda _: fault)
    emails = [f"reader-{number}@example.org" for number in range(5)]
    for email in emails:
        post.queue(reader=stored_reader(post.engine, post.newsletter, email))
    post.send()
    assert post.sink.copies() == dict.fromkeys(emails, 1)


def test_a_letter_that_nobody_waits_for_any_more_is_given_up(post: Post, clock: Clock) -> None:
    post.queue()
    post.sink.faults = Faults(on_recipient=lambda *_: Reply(At.RCPT, 451))
    clock.now += LETTER_STALE_AFTER + timedelta(minutes=1)
    post.send()
    assert post.letter.state is DeliveryState.FAILED
    assert "given up" in post.letter.answer


def test_an_answer_that_never_comes_is_unknown_and_the_letter_is_not_sent_again(
    post: Post, clock: Clock
) -> None:
    post.queue()
    post.sink.faults = Faults(on_recipient=lambda *_: DropAfterDot(kept=True))
    post.send()
    post.sink.faults = Faults()
    clock.now += timedelta(days=1)
    assert not post.is_due
    post.send()
    assert post.letter.state is DeliveryState.UNKNOWN
    assert post.sink.copies() == {ADA: 1}


def test_an_address_that_is_not_there_is_suppressed(post: Post) -> None:
    gone = stored_reader(post.engine, post.newsletter, "reject-550.x@example.org")
    post.queue(reader=gone)
    post.send()
    assert post.letter.state is DeliveryState.FAILED
    with pytest.raises(Conflict, match="is suppressed"):
        mail_link(post.runtime, "weekly", "reject-550.x@example.org")


def test_a_template_that_is_broken_puts_its_letters_off_and_the_others_go(
    post: Post, clock: Clock, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "weekly" / "preferences"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ letter.linc }}\n")
    broken = Runtime(
        post.runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path / "own"}), clock
    )
    post.queue()
    post.queue(LetterKind.WELCOME)
    with pytest.raises(Misconfigured, match=r"body\.txt line 1: .*linc"):
        post_letters(broken)
    (sent,) = post.sink.contents()
    assert b"Welcome to" in sent
    clock.now += timedelta(minutes=2)
    post.send()
    assert post.sink.copies() == {ADA: 2}
    broken.engine.dispose()


@contextmanager
def posting(post: Post, log: Path) -> Iterator[Worker]:
    database = post.engine.url.render_as_string(hide_password=False)
    command = ["python", "-m", "tests.pipeline.posting", database, post.sink.url, NOW.isoformat()]
    with Worker(command, {}, log) as worker:
        yield worker


def test_a_worker_killed_before_the_dot_costs_no_letter(post: Post, tmp_path: Path) -> None:
    """It dies with the letter claimed: the mail server never greets."""
    post.queue()
    post.sink.faults = Faults(on_connection=lambda _: SlowBanner(math.inf))
    with posting(post, tmp_path / "posting.log") as worker:
        wait_until(lambda: post.sink.connections > 0, why=worker.log)
        assert post.letter.state is DeliveryState.CLAIMED
        worker.kill()
    post.sink.faults = Faults()
    assert post.is_due, "its owner is dead, so nobody waits for the lease"
    post.send()
    assert post.sink.copies() == {ADA: 1}


def test_a_worker_killed_after_the_dot_sends_no_letter_twice(post: Post, tmp_path: Path) -> None:
    late = "delay-60.ada@example.org"
    post.queue(reader=stored_reader(post.engine, post.newsletter, late))
    with posting(post, tmp_path / "posting.log") as worker:
        post.sink.wait_for(1)  # the mail is kept, and its 250 does not come
        worker.kill()
    assert not post.is_due
    post.send()
    assert post.letter.state is DeliveryState.UNKNOWN
    assert post.sink.copies() == {late: 1}


def test_a_link_is_mailed_at_once(post: Post) -> None:
    post.queue(LetterKind.WELCOME)
    assert mail_link(post.runtime, "weekly", "Ada@Example.org").state is DeliveryState.ACCEPTED
    assert post.sink.copies() == {ADA: 1}, "what else waits is the workers'"


def test_a_link_that_no_server_takes_waits_for_a_worker(post: Post) -> None:
    post.sink.refuse_connections()
    with pytest.raises(Unavailable, match=r"The link is not lost: it waits, and a running 'digest up'"):
        mail_link(post.runtime, "weekly", ADA)
    with pytest.raises(Conflict, match="waits already"):
        mail_link(post.runtime, "weekly", ADA)


def test_a_link_is_refused_where_it_would_reach_nobody(post: Post) -> None:
    with pytest.raises(NotFound, match=r"'bo@example.org' is not a subscriber"):
        mail_link(post.runtime, "weekly", "bo@example.org")
    for state, words in (
        (SubscriptionState.UNSUBSCRIBED, r"unsubscribed from The Weekly.*--again"),
        (SubscriptionState.PENDING, r"has not confirmed The Weekly"),
    ):
        post.subscription_becomes(state)
        with pytest.raises(Conflict, match=words):
            mail_link(post.runtime, "weekly", ADA)
    with writing(post.engine) as session:
        suppress(session, ADA, reason="complaint", detail="", now=NOW)
    with pytest.raises(Conflict, match="is suppressed"):
        mail_link(post.runtime, "weekly", ADA)
    assert post.sink.count() == 0
