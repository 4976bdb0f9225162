"""Links for people with an account, by mail: to their owner, once, and only while they are good."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from digest.admit.accounts import let_in
from digest.admit.entering import AGAIN_AFTER, OWN_WITHIN, enter, get_link, make_link
from digest.admit.sessions import kept
from digest.admit.steps import Place
from digest.domain.accounts import Account, Role
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import NotFound
from digest.pipeline.account_letters import link_post, mail_forgotten
from digest.pipeline.letters import letters_due, post_letters
from digest.runtime import Runtime
from digest.store.account_letters import account_letters
from digest.store.accounts import set_password
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.suppressions import suppress
from tests.pipeline.press import Clock
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, stored_newsletter
from tests.web.world import contents

EDITH, PASSWORD = "edith@desk.example.org", "four calm words here"


@pytest.fixture
def edith(engine: Engine, runtime: Runtime) -> Account:
    """An account with a password, beside a newsletter."""
    stored_newsletter(engine)
    with writing(engine) as session:
        made, _ = let_in(session, EDITH, name="Edith", role=Role.EDITOR, by="Ada", language="de", now=NOW)
        set_password(session, made.id, "a hash")
    return replace(made, has_password=True)


def received(sink: SmtpSink) -> list[EmailMessage]:
    messages = [message_from_bytes(raw, policy=policy.default) for raw in sink.contents()]
    assert all(isinstance(message, EmailMessage) for message in messages)
    return messages  # type: ignore[return-value]


def token_in(message: EmailMessage) -> str:
    told = []
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part
        told += re.findall(r"/enter/([\w-]{43})", str(part.get_content()))
    assert len(set(told)) == 1, "both forms have the one link"
    return told[0]


def state_of(engine: Engine, account: Account) -> DeliveryState:
    with reading(engine) as session:
        return account_letters(session)[account.id].state


def test_who_is_invited_comes_in_by_the_link_in_their_mail(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink
) -> None:
    stored_newsletter(engine)
    post = link_post(runtime)
    assert post
    with writing(engine) as session:
        made, shown = let_in(
            session, EDITH, name="Edith", role=Role.EDITOR, by="Ada", language="fr", post=post, now=NOW
        )
    assert letters_due(runtime)
    assert shown not in str(contents(engine)), "the link is nowhere in the database"
    post_letters(runtime)
    (message,) = received(smtp_sink)
    assert (message["To"], message["From"]) == (EDITH, "Digest <desk@news.example.org>")
    assert message["Subject"].startswith("Votre compte sur ")
    assert message["Content-Language"] == "fr"
    assert "List-Unsubscribe" not in message
    token = token_in(message)
    assert token == shown, "what an admin is shown and what is mailed is one link"
    place = Place("Firefox", "127.0.0.1")
    assert enter(engine, token, password=PASSWORD, place=place, now=NOW)
    with pytest.raises(NotFound):
        enter(engine, token, password=PASSWORD, place=place, now=NOW)
    assert state_of(engine, made) is DeliveryState.ACCEPTED


def test_who_forgot_their_password_is_mailed_a_link_at_most_once_a_while(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, clock: Clock, edith: Account
) -> None:
    for _ in range(3):
        mail_forgotten(runtime, "Edith@DESK.example.org")
        post_letters(runtime)
    (message,) = received(smtp_sink)
    assert message["Subject"].startswith("Ein neues Passwort bei ")
    first = token_in(message)
    assert get_link(engine, first, now=NOW + OWN_WITHIN - timedelta(seconds=1)).account
    with pytest.raises(NotFound):
        get_link(engine, first, now=NOW + OWN_WITHIN)
    clock.pass_(seconds=AGAIN_AFTER.total_seconds() + 1)
    mail_forgotten(runtime, EDITH)
    post_letters(runtime)
    second = token_in(received(smtp_sink)[-1])
    assert second != first
    with pytest.raises(NotFound):
        get_link(engine, first, now=clock())
    with reading(engine) as session:
        asked = [(one.by, one.about) for one in list_entries(session, limit=9, what="account.link_asked")]
    assert asked == [("sign-in page", EDITH)] * 2


def test_asking_at_the_door_ends_no_link_of_an_admins_and_an_admins_ends_all(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, edith: Account
) -> None:
    with writing(engine) as session:
        given = make_link(session, edith, by="Ada", now=NOW)
    mail_forgotten(runtime, EDITH)
    post_letters(runtime)
    own = token_in(received(smtp_sink)[0])
    assert get_link(engine, given, now=NOW).account
    assert get_link(engine, own, now=NOW).account
    with writing(engine) as session:
        make_link(session, edith, by="Ada", now=NOW)
    for token in (given, own):
        with pytest.raises(NotFound):
            get_link(engine, token, now=NOW)


def test_a_link_that_another_took_the_place_of_is_not_mailed_any_more(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, edith: Account
) -> None:
    mail_forgotten(runtime, EDITH)
    with writing(engine) as session:
        make_link(session, edith, by="Ada", now=NOW)
    post_letters(runtime)
    assert received(smtp_sink) == []
    assert state_of(engine, edith) is DeliveryState.FAILED
    with reading(engine) as session:
        assert "another was made since" in account_letters(session)[edith.id].answer


def test_a_link_that_waited_until_it_was_too_old_is_not_mailed(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, clock: Clock, edith: Account
) -> None:
    mail_forgotten(runtime, EDITH)
    clock.pass_(seconds=OWN_WITHIN.total_seconds())
    post_letters(runtime)
    assert (received(smtp_sink), state_of(engine, edith)) == ([], DeliveryState.FAILED)


def test_a_mail_under_another_key_says_so(
    engine: Engine, runtime: Runtime, smtp_sink: SmtpSink, edith: Account
) -> None:
    mail_forgotten(runtime, EDITH)
    other = runtime.settings.model_copy(
        update={"secret_key": SecretStr("another key, of 32 letters or more")}
    )
    post_letters(Runtime(other, runtime.clock))
    assert (received(smtp_sink), state_of(engine, edith)) == ([], DeliveryState.FAILED)


def test_nothing_is_mailed_to_nobody_nor_where_mail_bounced(
    engine: Engine, runtime: Runtime, edith: Account
) -> None:
    before = contents(engine)
    mail_forgotten(runtime, "nobody@example.org")
    assert contents(engine) == before
    with writing(engine) as session:
        suppress(session, EDITH, reason="hard-bounce", detail="", now=NOW)
    before = contents(engine)
    mail_forgotten(runtime, EDITH)
    assert contents(engine) == before


def test_without_an_address_that_mail_comes_from_no_link_is_mailed(engine: Engine, runtime: Runtime) -> None:
    assert link_post(runtime) is None
    settings = runtime.settings.model_copy(update={"accounts_email": "desk@example.org"})
    post = link_post(Runtime(settings, runtime.clock))
    assert post
    assert post.domain == "example.org"
    assert kept(post.token_of("<1@example.org>")) != kept(post.token_of("<2@example.org>"))
