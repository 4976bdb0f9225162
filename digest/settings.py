"""Settings: from the environment (`DIGEST_…`), then `digest.toml`, then the defaults here."""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from digest.domain.errors import InvalidInput, Misconfigured

PREFIX = "DIGEST_"
CONFIG_VARIABLE = "DIGEST_CONFIG"
_FOR_THE_COMMAND = frozenset({"CONFIG", "SERVER", "TOKEN"})
"""Names that are no settings: where these are, and which server the command works on with which token."""

_ALIKE = 0.75
"""From this likeness (difflib's ratio) on, a wrong name is taken for a slip: `mail_ulr`, not `nope`."""


_BETWEEN_URLS = re.compile(r"[\s,]+(?=[a-z]+://|(?:maildir|eml|console|ses|postmark|mailgun|sendgrid):)")


_HIDDEN = ("secret", "key", "url")
"""Parts of the names of settings whose values are not repeated: they hold keys and passwords."""


class Settings(BaseSettings):
    """Everything that differs between installations. `docs/settings.md` is written from this class."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = Field(
        "sqlite:///digest.db",
        description="Where everything is kept: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
    )
    broker_url: str = Field(
        "memory://",
        description="How workers are rung: memory:// inside `digest up`, or redis://:PASSWORD@HOST:6379/0. "
        "Only hints pass through it; losing them loses time, not mail.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs the links in mails. `digest init` makes one. Changing it breaks links already "
        "sent, unless the old one is kept in previous_secret_keys.",
    )
    previous_secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys that signed links in mails already sent; their links go on working."
    )
    erasure_key: SecretStr = Field(
        SecretStr(""),
        description="Makes the mark that is kept of somebody who was erased, so that no list brings them "
        "back: without it nobody can try addresses out on the marks. Empty: one derived from secret_key.",
    )
    previous_erasure_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys that made such marks before. Marks cannot be made anew, as the addresses are gone: "
        "keep each for good.",
    )
    keep_mail_days: int = Field(
        180,
        ge=0,
        le=36_500,
        description="Days after the end of an issue for which its mails keep their addresses and what "
        "servers said of them; letters, bounces and complaints for as long after they came. Then they only "
        "count. docs/retention.md tells of all that is kept of people. 0: for good.",
    )
    keep_unconfirmed_days: int = Field(
        30, ge=0, le=36_500, description="Days for which a sign-up waits to be confirmed. 0: for good."
    )
    keep_left_days: int = Field(
        1_095,
        ge=0,
        le=36_500,
        description="Days for which somebody is known who unsubscribed from everything. Then they are "
        "erased: a mark stays, so that no list brings them back. 0: for good.",
    )
    keep_record_days: int = Field(
        730, ge=0, le=36_500, description="Days for which it is kept who did what. 0: for good."
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address subscribers reach the web pages at: unsubscribe links begin with it.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of the reverse proxies in front of the pages, as in 127.0.0.1 or "
        "10.0.0.0/8. Of them, and of nobody else, it is believed whom they were asked by (X-Forwarded-For): "
        "that stands beside sessions, and tries to sign in are counted by it. Empty: none is believed.",
    )
    mail_url: Annotated[tuple[str, ...], NoDecode] = Field(
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
    rate_limits: Annotated[tuple[str, ...], NoDecode] = Field(
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
    warm_up_caps: Annotated[tuple[int, ...], NoDecode] = Field(
        (),
        description="Mails on each day of the warm-up; on those after the last, any number. Empty: 50, 100, "
        "500, 1000, then twice as many each day up to 512000, 13 days in all.",
    )
    state_dir: str = Field(
        "",
        description="A folder of this machine's own, outside the database, where senders note how far they "
        "are: by it a database that was put back from a backup is known to be older, and nothing is sent "
        "until 'digest resume'. Not on the database's disk, if that can be. Empty: beside an SQLite file, "
        "else beside the settings.",
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
    hook_sns_topics: Annotated[tuple[str, ...], NoDecode] = Field(
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
    dkim_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
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
    sending_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
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
    accounts_email: str = Field(
        "",
        description="The address that mails to people with an account come from: invitations, and links for "
        "a new password. Empty: the sender of the first newsletter.",
    )
    ops_email: str = Field(
        "", description="Who is told when something needs a person. Empty: it is only logged."
    )
    ops_webhook_url: SecretStr = Field(
        SecretStr(""),
        description="Where the same is posted as JSON: a chat's or a pager's address, or a program of yours. "
        "Empty: nowhere.",
    )
    ops_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Signs what is posted there, as standardwebhooks.com has it; whsec_ and base64, or any "
        "text. Empty: it is not signed.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="What who reads /metrics has to send, as in 'Authorization: Bearer TOKEN'. Empty: nobody "
        "reads it.",
    )
    otlp_url: str = Field(
        "",
        description="An OpenTelemetry collector that is told how long requests, tasks, stages and sends "
        "take, as in http://127.0.0.1:4318 (OTLP over HTTP). It is told nothing of readers: "
        "docs/operations.md says what. Needs digest[otel]. Empty: nobody is told.",
    )
    otlp_headers: SecretStr = Field(
        SecretStr(""),
        description="What the collector wants to see, as in 'authorization=Bearer TOKEN'; several with "
        "commas between.",
    )
    trace_share: float = Field(1.0, ge=0, le=1, description="How much of all work the collector is told of.")
    sentry_dsn: SecretStr = Field(
        SecretStr(""),
        description="The DSN of a Sentry project that is told of faults in Digest: which, and where in the "
        "code; not what was at hand. Needs digest[sentry]. Empty: nobody is told.",
    )
    environment: str = Field(
        "production", description="What this installation is called there, as in production or staging."
    )
    contact_url: str = Field(
        "",
        description="A page about you, named in the User-Agent when sources are fetched. Empty: public_url.",
    )
    api_requests_per_minute: int = Field(
        600,
        ge=1,
        le=1_000_000,
        description="Requests that one token of the API may make in a minute, of all web processes together; "
        "each may let a twentieth of it through too many.",
    )
    fetch_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="HOST:PORT pairs that may be fetched although their address is private or the port "
        "unusual. Everything else inside your network is refused.",
    )
    source_alert_hours: int = Field(
        24, ge=1, le=24 * 365, description="How long a source may fail until ops are told of it, in hours."
    )
    llm_provider: Literal["none", "openai", "anthropic"] = Field(
        "none",
        description="Who writes the takeaways of newsletters that want a language model ('digest newsletter "
        "change NEWSLETTER --llm'). none: nobody does, they are extracted from the article, and nothing "
        "leaves this machine. openai: any server that speaks OpenAI's chat completions, of your own, too. "
        "anthropic: Anthropic's messages. What is sent is an article's title and text; what comes back is "
        "checked against them.",
    )
    llm_url: str = Field(
        "",
        description="Where the model is asked; /chat/completions or /v1/messages is put behind. Empty: the "
        "provider's own, https://api.openai.com/v1 or https://api.anthropic.com. Without TLS only for "
        "localhost, a private address, a name without a dot or one in .internal, .local, .localhost or "
        ".home.arpa.",
    )
    llm_model: str = Field("", description="The model's name, as its server knows it.")
    llm_api_key: SecretStr = Field(
        SecretStr(""),
        description="What the model's server wants to see. It is sent to llm_url and nowhere else.",
    )
    llm_input_price: float | None = Field(
        None,
        ge=0,
        le=10_000,
        allow_inf_nan=False,
        description="US dollars for a million tokens that the model reads; 0 for one of your own. Needed, as "
        "the next, so that llm_spend_limit can hold.",
    )
    llm_output_price: float | None = Field(
        None,
        ge=0,
        le=10_000,
        allow_inf_nan=False,
        description="US dollars for a million tokens that the model writes.",
    )
    llm_spend_limit: float = Field(
        1.0,
        ge=0,
        le=100_000,
        allow_inf_nan=False,
        description="US dollars that one issue of a newsletter may spend on the model: its draft during the "
        "week and the run that makes it, together. What a call may cost at most is set aside before it; "
        "articles for which too little is left get extracted takeaways. A run by hand has as much again.",
    )
    llm_concurrency: int = Field(
        4, ge=1, le=64, description="How many articles a run asks the model about at once."
    )
    llm_answer_tokens: int = Field(
        1_500,
        ge=100,
        le=64_000,
        description="The most tokens of one answer. Models that think before they write need more.",
    )
    llm_timeout_seconds: float = Field(
        60.0, ge=1, le=600, description="How long one answer may take, from beginning to end."
    )
    llm_run_seconds: float = Field(
        900.0,
        ge=1,
        le=86_400,
        description="How long one run asks the model, all articles together; the rest get extracted "
        "takeaways.",
    )
    templates_dir: Path | None = Field(
        None, description="A folder with e-mail and web templates. Empty: those that come with Digest."
    )
    newsletter_templates_dir: Path | None = Field(
        None,
        description="A folder with e-mail templates of single newsletters. NEWSLETTER/digest/body.txt in it "
        "takes the place of that one file of the digest's template, for that newsletter alone. Empty: none "
        "has its own.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for programs.")

    @field_validator("mail_url", mode="before")
    @classmethod
    def _as_urls(cls, value: object) -> object:
        """Read addresses out of one text: commas and spaces separate only where another begins."""
        if not isinstance(value, str):
            return value
        return (
            cls._as_list(value)
            if value.lstrip().startswith("[")
            else _BETWEEN_URLS.split(value.strip(" ,\t\r\n"))
        )

    @field_validator("dkim_keys", mode="before")
    @classmethod
    def _as_keys(cls, value: object) -> object:
        """Read a list of keys out of one variable: PEM has spaces and line breaks, but no comma."""
        if not isinstance(value, str) or value.lstrip().startswith("["):
            return cls._as_list(value)
        return [key.strip() for key in value.split(",") if key.strip()]

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _as_rates(cls, value: object) -> object:
        """Read a list of rates out of one variable: they have spaces in them, but no comma."""
        return cls._as_keys(value)

    @field_validator("rate_limits")
    @classmethod
    def _are_rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from digest.deliver.throttle.caps import read_caps

        with _as_value_error():
            read_caps(value)
        return value

    @field_validator("ops_webhook_url")
    @classmethod
    def _is_http(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not re.match(r"https?://[^/\s]+", url):
            raise ValueError("no http(s) address: it begins with https:// and the host's name")
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

    @field_validator(
        "previous_secret_keys",
        "previous_erasure_keys",
        "fetch_allow",
        "sending_addresses",
        "trusted_proxies",
        "hook_sns_topics",
        "warm_up_caps",
        mode="before",
    )
    @classmethod
    def _as_list(cls, value: object) -> object:
        """Read a list out of one variable: with commas or spaces between, or as JSON."""
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith("["):
            return re.findall(r"[^\s,]+", value)
        try:
            return json.loads(value)
        except ValueError as exc:
            raise ValueError("input begins like a JSON list but is none; put commas between instead") from exc

    @field_validator("sending_addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            try:
                ipaddress.ip_address(address)
            except ValueError as exc:
                raise ValueError(f"'{address}' is no IP address; write it like 192.0.2.25") from exc
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as exc:
                raise ValueError(
                    f"'{network}' is no address or network; write it like 127.0.0.1 or 10.0.0.0/8"
                ) from exc
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before the file, and read no other place."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file

    @property
    def templates(self) -> Path:
        """The folder templates are read from."""
        if self.templates_dir is not None:
            return self.templates_dir
        packaged = Path(__file__).parent / "templates"
        return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Let pydantic say where a setting stands that one of our own readers refused."""
    try:
        yield
    except InvalidInput as exc:
        raise ValueError(str(exc)) from exc


def config_file() -> Path:
    """Return the settings file: `$DIGEST_CONFIG`, or `digest.toml` in the current folder."""
    return Path(os.environ.get(CONFIG_VARIABLE, "digest.toml"))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises `Misconfigured` with each setting that is wrong and where it stands."""
    _refuse_unknown_variables()
    file = config_file()
    try:
        _refuse_what_is_no_file(file)
        return Settings(**overrides)
    except tomllib.TOMLDecodeError as exc:
        raise Misconfigured(f"{file}: {exc}; nothing was started") from exc
    except UnicodeDecodeError as exc:
        raise Misconfigured(f"{file}: is not UTF-8 text; nothing was started") from exc
    except OSError as exc:
        raise Misconfigured(
            f"{file}: cannot be read ({exc.strerror or exc}); nothing was started. Let this user read it, or "
            f"name another file in {CONFIG_VARIABLE}"
        ) from exc
    except ValidationError as exc:
        raise Misconfigured("\n".join(_in_words(error) for error in exc.errors())) from exc


def _refuse_what_is_no_file(file: Path) -> None:
    """Raise `Misconfigured` where settings are meant to be and are not: pydantic would go on without them.

    No digest.toml at all is well, as everything may stand in the environment. Raises `OSError` when it
    cannot even be looked at.
    """
    try:
        is_folder = stat.S_ISDIR(file.stat().st_mode)
    except FileNotFoundError:
        if CONFIG_VARIABLE in os.environ:
            raise Misconfigured(
                f"environment: {CONFIG_VARIABLE} names {file}, where there is no file"
            ) from None
        if file.is_symlink():
            raise Misconfigured(
                f"{file}: is a link to {file.readlink()}, where there is no file; nothing was started"
            ) from None
        return
    if is_folder:
        raise Misconfigured(
            f"{file}: is a folder, not a file with settings; nothing was started. Move it away, or name the "
            f"file in {CONFIG_VARIABLE}"
        )


def _refuse_unknown_variables() -> None:
    known = {name.upper() for name in Settings.model_fields} | _FOR_THE_COMMAND
    for variable in os.environ:
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name.upper() not in known:
            raise Misconfigured(
                f"environment: {variable} is not a setting{_suggest(name.upper(), known, prefix=PREFIX)}"
            )


def _in_words(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    variable = f"{PREFIX}{name.upper()}"
    place = f"environment: {variable}" if variable in os.environ else f"{config_file()}: {name}"
    if error["type"] == "extra_forbidden":
        return f"{config_file()}: '{name}' is not a setting{_suggest(name, set(Settings.model_fields))}"
    given = "" if any(part in name for part in _HIDDEN) else f" (it is {error['input']!r})"
    told = error["msg"].removeprefix("Value error, ")
    return f"{place}: {told[0].lower()}{told[1:]}{given}"


def _suggest(name: str, known: set[str], *, prefix: str = "") -> str:
    # Compared without what all of them begin with, which alone makes any two of them alike.
    close = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return f"; did you mean '{prefix}{close[0]}'?" if close else "; docs/settings.md lists them all"
