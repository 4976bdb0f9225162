"""What each provider is asked for, and what its own errors mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from digest.deliver.letters import Head, letter
from digest.deliver.providers import open_provider
from digest.deliver.providers.http import Answer
from digest.deliver.providers.verdicts import LONGEST_REASON, Meaning, by_status
from digest.deliver.transport import Envelope
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Misconfigured, Refused
from digest.domain.mail import Page
from tests.deliver.ways import RETURN_PATH, hold, mail_to, send, yes
from tests.servers.provider_dialects import Mailgun, Postmark, SendGrid, Ses
from tests.servers.provider_server import Dialect, ProviderServer, sends, status, takes
from tests.stored import NOW
from tests.waiting import PATIENCE

ACCEPTED, FAILED, PENDING = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.PENDING


@contextmanager
def serving(dialect: Dialect) -> Iterator[ProviderServer]:
    with ProviderServer(dialect) as server:
        yield server


def sent(server: ProviderServer) -> Outcome:
    return send(open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE))


def look(server: ProviderServer) -> str:
    transport = open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE)
    return asyncio.run(transport.look())


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (Ses, "ses:0102-1-000000"),
        (Postmark, "postmark:b7bc2f4a-1"),
        (Mailgun, "mailgun:1.20261123@mg.example.org"),
        (SendGrid, "sendgrid:14c5d75ce93-1"),
    ],
)
def test_the_providers_own_name_for_a_mail_is_kept(dialect: type[Dialect], text: str) -> None:
    with serving(dialect()) as server:
        outcome = sent(server)
    assert (outcome.state, outcome.text) == (ACCEPTED, text)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (Ses, "takes the key; 14 mails a second"),
        (Postmark, "takes the key of its server 'Harbour Week'"),
        (Mailgun, "takes the key for mg.example.org"),
        (SendGrid, "takes the key"),
    ],
)
def test_an_account_says_how_it_stands_and_gets_no_mail_for_it(dialect: type[Dialect], words: str) -> None:
    with serving(dialect()) as server:
        assert look(server) == words
        assert (len(server.greetings), server.posts) == (1, [])


def test_ses_is_given_the_mail_as_it_is_and_where_bounces_go() -> None:
    with serving(Ses()) as server:
        sent(server)
        (taken,) = server.taken
    assert taken.message == mail_to("anna@example.org")
    assert taken.fields["FeedbackForwardingEmailAddress"] == RETURN_PATH
    assert taken.fields["ConfigurationSetName"] == "digest"
    assert taken.fields["EmailTags"] == [{"Name": "message_id", "Value": "3.17.0a1b2c3d4e5f@example.org"}]
    assert "FromEmailAddress" not in taken.fields, "the mail has it"


@pytest.mark.parametrize(
    ("code", "kind", "said", "state"),
    [
        (400, "MessageRejected", "Email address is not verified. news@example.org", PENDING),
        (400, "MessageRejected", "The message contains a virus", FAILED),
        (400, "MailFromDomainNotVerifiedException", "", PENDING),
        (400, "AccountSuspendedException", "", PENDING),
        (400, "SendingPausedException", "", PENDING),
        (400, "LimitExceededException", "", PENDING),
        (429, "TooManyRequestsException", "Daily message quota exceeded.", PENDING),
        (404, "NotFoundException", "Configuration set digest does not exist.", PENDING),
        (403, "InvalidSignatureException", "Signature not yet current", PENDING),
        (403, "AccessDeniedException", "not authorized to perform ses:SendEmail", PENDING),
        (400, "BadRequestException", "a header is wrong", PENDING),
        (500, "InternalServiceErrorException", "", PENDING),
    ],
)
@pytest.mark.parametrize("is_in_header", [True, False])
def test_errors_of_ses(code: int, kind: str, said: str, state: DeliveryState, is_in_header: bool) -> None:
    body = {"message": said} if is_in_header else {"__type": f"com.amazonaws.ses#{kind}", "Message": said}
    headers = {"x_amzn_ErrorType": f"{kind}:http://internal.amazon.com/"} if is_in_header else {}
    with serving(Ses()) as server:
        server.will(sends(code, json.dumps(body).encode(), **headers))
        outcome = sent(server)
        assert (outcome.state, outcome.code, len(server.posts)) == (state, code, 1)
    assert kind in outcome.text


def test_ses_that_throttles_by_a_400_is_asked_again() -> None:
    throttled = {"__type": "ThrottlingException", "message": "Maximum sending rate exceeded."}
    with serving(Ses()) as server:
        server.will(sends(400, json.dumps(throttled).encode()), status(429), takes)
        assert sent(server).state is ACCEPTED
        assert (len(server.posts), len(server.taken)) == (3, 1)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (
            {"SendQuota": {"MaxSendRate": 1.0}, "ProductionAccessEnabled": False},
            "1 mails a second; in the ",
        ),
        ({"SendQuota": None}, "takes the key"),
        ({}, "takes the key"),
    ],
)
def test_ses_says_what_kind_of_account_it_is(account: object, words: str) -> None:
    with serving(Ses()) as server:
        server.greets(sends(200, json.dumps(account).encode()))
        assert words in look(server)


def test_ses_whose_sending_is_paused_is_refused() -> None:
    with serving(Ses()) as server:
        server.greets(sends(200, b'{"SendingEnabled": false}'))
        with pytest.raises(Refused, match="paused sending"):
            look(server)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (403, "AccessDeniedException", "ses:GetAccount"),
        (429, "TooManyRequestsException", "answers"),
        (400, "ThrottlingException", "answers"),
    ],
)
def test_a_key_that_may_only_send_is_as_good_to_ses(code: int, kind: str, words: str) -> None:
    with serving(Ses()) as server:
        server.greets(sends(code, json.dumps({"__type": kind}).encode()))
        assert words in look(server)
        assert sent(server).state is ACCEPTED


def test_a_wrong_key_is_told_by_ses() -> None:
    with serving(Ses()) as server:
        server.greets(sends(403, b'{"__type": "UnrecognizedClientException", "message": "invalid token"}'))
        with pytest.raises(Refused, match="invalid token"):
            look(server)


def test_postmark_is_given_everything_the_mail_says_and_asked_to_track_nothing() -> None:
    with serving(Postmark()) as server:
        sent(server)
        fields = server.taken[0].fields
    headers = {header["Name"]: header["Value"] for header in fields.pop("Headers")}
    assert headers["Message-ID"] == "<3.17.0a1b2c3d4e5f@example.org>"
    assert headers["X-PM-KeepID"] == "true"
    assert headers["List-Unsubscribe"] == "<https://digest.example.org/unsubscribe/abc.def>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not {"from", "to", "subject", "date", "content-type"} & {name.lower() for name in headers}
    assert fields == {
        "From": '"Hafen, Wöchentlich" <news@example.org>',
        "To": "anna@example.org",
        "Subject": "Hafen-Woche: Gezeiten, 6 Turbinen – und „mehr“",
        "TextBody": "Grüße vom Hafen.\n\n.Eine Zeile mit Punkt.\n",
        "HtmlBody": "<html><body><p>Grüße & <b>Küsse</b> vom Hafen.</p></body></html>\n",
        "MessageStream": "weekly",
        "TrackOpens": False,
        "TrackLinks": "None",
        "Metadata": {"message-id": "3.17.0a1b2c3d4e5f@example.org"},
    }


@pytest.mark.parametrize(
    ("number", "said", "state", "stops"),
    [
        (406, "marked as inactive", FAILED, False),
        (300, "Invalid 'To' address: 'anna'.", FAILED, False),
        (300, "Error parsing 'To': Illegal email domain", FAILED, False),
        (300, "Invalid 'From' address: 'news'.", PENDING, False),
        (400, "The Sender Signature was not found", PENDING, True),
        (401, "Sender signature not confirmed", PENDING, True),
        (405, "Not allowed to send: no credit", PENDING, True),
        (412, "Your account is pending approval", PENDING, True),
        (1235, "The stream 'weekly' does not exist", PENDING, True),
        (100, "Offline for maintenance", PENDING, True),
        (402, "Invalid JSON", PENDING, False),
    ],
)
@pytest.mark.parametrize("code", [422, 200])
def test_errors_of_postmark(number: int, said: str, state: DeliveryState, stops: bool, code: int) -> None:
    with serving(Postmark()) as server:
        server.will(sends(code, json.dumps({"ErrorCode": number, "Message": said}).encode()))
        transport = open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE)
        outcome = send(transport)
        assert transport._rest.is_on is stops
    assert (outcome.state, outcome.code) == (state, code)
    assert said.partition("'")[0].strip() in outcome.text


def test_a_body_that_postmark_does_not_take_is_told() -> None:
    message = letter(
        Page("x", "", "word " * 1_100_000), Head("a@example.org", "b@example.org", "<1@example.org>", NOW)
    )
    with serving(Postmark()) as server:
        transport = open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE)
        envelope = Envelope(RETURN_PATH, "b@example.org")
        outcome = hold(transport, lambda session: session.send(envelope, message, yes))
        assert server.posts == []
    assert isinstance(outcome, Outcome)
    assert outcome.state is FAILED
    assert "5 MB" in outcome.text


def test_mailgun_is_given_the_mail_as_it_is_and_asked_to_track_nothing() -> None:
    with serving(Mailgun()) as server:
        sent(server)
        (taken,) = server.taken
    assert taken.message == mail_to("anna@example.org")
    assert taken.fields == {
        "to": "anna@example.org",
        "o:tracking": "no",
        "o:tracking-clicks": "no",
        "o:tracking-opens": "no",
    }


def test_a_key_that_may_only_send_is_as_good_to_mailgun() -> None:
    with serving(Mailgun()) as server:
        server.greets(sends(401, b"Forbidden"))
        assert "only a mail shows" in look(server)
        assert sent(server).state is ACCEPTED
        server.greets(sends(404, b'{"message": "Domain not found: mg.example.org"}'))
        with pytest.raises(Refused, match=r"mail_url"):
            look(server)


def test_sendgrid_is_given_everything_the_mail_says_and_asked_to_track_nothing() -> None:
    with serving(SendGrid()) as server:
        sent(server)
        fields = server.taken[0].fields
    assert fields["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert fields["headers"]["Message-ID"] == "<3.17.0a1b2c3d4e5f@example.org>"
    assert fields["custom_args"] == {"message_id": "3.17.0a1b2c3d4e5f@example.org"}
    assert fields["from"] == {"email": "news@example.org", "name": "Hafen, Wöchentlich"}
    assert fields["subject"] == "Hafen-Woche: Gezeiten, 6 Turbinen – und „mehr“"
    assert [part["type"] for part in fields["content"]] == ["text/plain", "text/html"]
    assert not any(setting["enable"] for setting in fields["tracking_settings"].values())
    assert set(fields["tracking_settings"]) == {"click_tracking", "open_tracking", "subscription_tracking"}


@pytest.mark.parametrize(
    ("field", "state", "stops"),
    [
        ("personalizations.0.to.0.email", FAILED, False),
        ("from.email", PENDING, True),
        ("reply_to.email", PENDING, True),
        ("personalizations", PENDING, False),
        ("headers", PENDING, False),
        (None, PENDING, False),
    ],
)
def test_errors_of_sendgrid(field: str | None, state: DeliveryState, stops: bool) -> None:
    error = {"field": field, "message": "Does not contain a valid address."}
    with serving(SendGrid()) as server:
        server.will(sends(400, json.dumps({"errors": [error]}).encode()))
        transport = open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE)
        outcome = send(transport)
        assert transport._rest.is_on is stops
    assert (outcome.state, outcome.code) == (state, 400)


def test_a_key_without_the_permission_to_send_is_refused_by_sendgrid() -> None:
    with serving(SendGrid()) as server:
        server.greets(sends(200, b'{"scopes": ["stats.read"]}'))
        with pytest.raises(Refused, match="Mail Send"):
            look(server)


@pytest.mark.parametrize(
    ("url", "key", "words"),
    [
        ("ses://", "a:b", "region"),
        ("ses://frankfurt", "a:b", "ses://eu-central-1"),
        ("ses://eu-central-1", "AKID", "ID:SECRET"),
        ("ses://eu-central-1", "AKID:", "ID:SECRET"),
        ("ses://eu-central-1", "a:b:c:d", "ID:SECRET"),
        ("ses://eu-central-1?configset=x", "a:b", "configuration_set"),
        ("postmark:?region=eu", "k", "only endpoint, stream"),
        ("mailgun:", "k", "mailgun://mg.example.org"),
        ("mailgun://mg/../x", "k", "mailgun://mg.example.org"),
        ("mailgun://mg.example.org?region=asia", "k", "us, eu"),
        ("sendgrid:?region=mars", "k", "global, eu"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_the_right_one(url: str, key: str, words: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        open_provider(url, SecretStr(key))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("url", "key", "host"),
    [
        ("ses://eu-central-1", "a:b", "https://email.eu-central-1.amazonaws.com/"),
        ("ses://us-gov-west-1", "a:b:c", "https://email.us-gov-west-1.amazonaws.com/"),
        ("ses://cn-north-1", "a:b", "https://email.cn-north-1.amazonaws.com.cn/"),
        ("postmark:", "k", "https://api.postmarkapp.com/"),
        ("mailgun://mg.example.org", "k", "https://api.mailgun.net/"),
        ("mailgun://mg.example.org?region=eu", "k", "https://api.eu.mailgun.net/"),
        ("sendgrid:", "k", "https://api.sendgrid.com/"),
        ("sendgrid:?region=eu", "k", "https://api.eu.sendgrid.com/"),
        ("sendgrid://?endpoint=https://relay.example.org/sg/", "k", "https://relay.example.org/sg/v3"),
    ],
)
def test_each_provider_has_a_home(url: str, key: str, host: str) -> None:
    assert open_provider(url, SecretStr(key))._provider.hello().url.startswith(host)


def test_retry_after_may_be_a_date_and_nonsense_is_none() -> None:
    def wait(value: str) -> timedelta | None:
        return by_status("X", Answer(429, {"retry-after": value}, b"")).wait

    assert wait("7") == timedelta(seconds=7)
    assert wait("Thu, 01 Jan 1970 00:00:00 GMT") == timedelta(0)
    later = wait("Fri, 31 Dec 9999 23:59:59 GMT")
    assert later is not None
    assert later > timedelta(days=1)
    assert wait("soon") is None
    assert wait("-5") is None


def test_what_a_provider_says_is_kept_short_and_on_one_line() -> None:
    told = by_status("X", Answer(400, {}, b""), "a\r\nb\x00 " + "c" * 5_000)
    assert told.meaning is Meaning.LATER
    assert len(told.text) < LONGEST_REASON + 60
    assert told.text.isprintable()
