"""Settings of mail: where it goes, how fast, who signs it, and where what comes back is taken in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from pydantic import BaseModel, Field, SecretStr, field_validator

from digest.domain.errors import InvalidInput
from digest.settings_lists import Numbers, Phrases, SecretPhrases, Urls, Words


class MailSettings(BaseModel):
    """The part of `Settings` that is about mail."""

    mail_url: Urls = Field(
        ("smtp://127.0.0.1:25",),
        description="Where mail goes. A mail server: smtp://USER:PASSWORD@HOST:PORT (STARTTLS, which a "
        "log-in to another machine demands) or smtps://… (TLS from the start). A provider's HTTP API, with "
        "its key in mail_key: ses://REGION?configuration_set=NAME, postmark:?stream=broadcast, "
        "mailgun://DOMAIN?region=eu or sendgrid:?region=eu, each also without what is behind the question "
        "mark. Nowhere: maildir:///FOLDER and eml:///FOLDER keep every mail as a file, console: prints it. "
        "Several addresses share the mail by their ?weight=, and do without one that is away. "
        "docs/operations.md has all options, and what each provider needs and changes.",
    )
    mail_key: SecretStr = Field(
        SecretStr(""),
        description="What the provider in mail_url wants to see. ses: an access key as ID:SECRET, and :TOKEN "
        "behind it for a temporary one. postmark: a server's token. mailgun: an API key, or the domain's "
        "sending key. sendgrid: an API key with the permission Mail Send. It is sent to that provider and "
        "nowhere else.",
    )
    mail_sessions: int = Field(
        20, ge=1, le=500, description="Conversations a worker holds with the mail servers at once."
    )
    mail_session_messages: int = Field(
        500,
        ge=1,
        le=1_000_000,
        description="Messages after which a conversation with a mail server is ended in good order, and "
        "another begins. A server that says how many it takes (LIMITS MAILMAX, RFC 9422) is heeded.",
    )
    mail_session_seconds: float = Field(
        300.0, ge=1, le=86_400, description="Seconds after which the same is done."
    )
    rate_limits: Phrases = Field(
        (),
        description="How fast mail may leave, each as WHOM: NUMBER/UNIT with the units s, min and h, evenly "
        'spread: ["100/s", "google: 20/s", "relay mx1.example.org: 5000/h"], in one variable with commas '
        "between. Without a name it holds for everything; google, microsoft, yahoo and apple are all domains "
        "whose mail they take in (by MX), any other name is a domain. Workers on all hosts share each. "
        "Empty: as fast as it goes. 'digest throttle show' shows what is used of them.",
    )
    warm_up_from: str = Field(
        "",
        description="The day on which a new sending address begins to be known, as in 2026-11-23. From then "
        "on all newsletters together send at most as many mails a day (UTC) as warm_up_caps says; the rest "
        "leaves on the days after, the oldest issue first. Empty: no warm-up.",
    )
    warm_up_caps: Numbers = Field(
        (),
        description="Mails on each day of the warm-up; on those after the last, any number. Empty: 50, 100, "
        "500, 1000, then twice as many each day up to 512000, 13 days in all.",
    )
    pause_after: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="How many mails of an issue must have been taken or refused before it can pause itself.",
    )
    pause_failures: float = Field(
        5.0,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="An issue pauses itself, and ops are told, when more than so many percent of its mails "
        "were refused for good or came back. 100: never.",
    )
    pause_complaints: float = Field(
        0.3,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="The same for readers who called it spam; large receivers turn away who has more. 100: "
        "never.",
    )
    return_path: str = Field(
        "",
        description="The address bounces go to. A * before the @, as in bounces+*@news.example.org, becomes "
        "a signed mark of each mail's own, so that what comes back tells whose it was. Empty: the "
        "newsletter's own sender address.",
    )
    bounce_mailbox_url: str = Field(
        "",
        description="A mailbox that return_path leads to, looked at by workers every minute: "
        "imaps://USER:PASSWORD@HOST/FOLDER (TLS), imap://… (STARTTLS) or maildir:/FOLDER. What is taken in "
        "is marked as seen. return_path needs its * then. Empty: none; 'digest bounces serve' takes bounces "
        "in over LMTP.",
    )
    hook_sns_topics: Words = Field(
        (),
        description="Topics of Amazon SNS that SES tells of bounces, complaints and deliveries, as "
        "arn:aws:sns:REGION:ACCOUNT:NAME, each with an https subscription to public_url/hooks/ses, which "
        "confirms itself. Other topics are refused. Empty: none is believed.",
    )
    hook_postmark_secret: SecretStr = Field(
        SecretStr(""),
        description="USER:PASSWORD that Postmark's webhooks to public_url/hooks/postmark carry as basic "
        "auth; make it up, and give it to both. Empty: none is believed.",
    )
    hook_mailgun_key: SecretStr = Field(
        SecretStr(""),
        description="Mailgun's HTTP webhook signing key, for its webhooks to public_url/hooks/mailgun. "
        "Empty: none is believed.",
    )
    hook_sendgrid_key: str = Field(
        "",
        description="The public key, in base64 or as PEM, of SendGrid's Signed Event Webhook to "
        "public_url/hooks/sendgrid. Empty: none is believed.",
    )
    dkim_keys: SecretPhrases = Field(
        (),
        description="Keys that sign every mail to readers (DKIM), each as SELECTOR=FILE or SELECTOR=PEM: RSA "
        "or Ed25519, a signature for each. `digest dkim` prints what DNS must say. Empty: the mail server "
        "signs.",
    )
    dkim_domain: str = Field(
        "",
        description="The domain that signs: the senders' own or one above it. Empty: each newsletter's "
        "sender's.",
    )
    sending_addresses: Words = Field(
        (),
        description="The IP addresses that mail reaches receivers from, for `digest doctor` to compare with "
        "DNS: SPF must let them pass and each needs a name. Empty: those of the hosts in mail_url, where "
        "receivers can see them, which is only a guess.",
    )
    dns_resolver: str = Field(
        "",
        description="The name server that `digest doctor` asks about senders: ADDRESS or ADDRESS:PORT, as in "
        "192.0.2.53 or [2001:db8::53]:5353. Empty: the system's.",
    )

    @field_validator("rate_limits")
    @classmethod
    def _are_rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from digest.deliver.throttle.caps import read_caps

        with _as_value_error():
            read_caps(value)
        return value

    @field_validator("warm_up_caps")
    @classmethod
    def _is_ramp(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(cap < 1 for cap in value):
            raise ValueError("a day that lets no mail go: each number must be at least 1")
        return value

    @field_validator("warm_up_from", mode="before")
    @classmethod
    def _is_day(cls, value: object) -> object:
        """Read a day as text, or as TOML has one."""
        from digest.deliver.throttle.caps import read_warm_up

        text = value.isoformat() if isinstance(value, date) else value
        if isinstance(text, str):
            with _as_value_error():
                read_warm_up(text)
        return text

    @field_validator("sending_addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            try:
                ipaddress.ip_address(address)
            except ValueError as exc:
                raise ValueError(f"'{address}' is no IP address; write it like 192.0.2.25") from exc
        return value


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Let pydantic say where a setting stands that one of our own readers refused."""
    try:
        yield
    except InvalidInput as exc:
        raise ValueError(str(exc)) from exc
