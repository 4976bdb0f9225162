"""Settings: from the environment (`DIGEST_…`), then `digest.toml`, then the defaults here."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from digest.domain.errors import Misconfigured
from digest.settings_lists import Secrets, Words
from digest.settings_llm import LlmSettings
from digest.settings_mail import MailSettings

PREFIX = "DIGEST_"
CONFIG_VARIABLE = "DIGEST_CONFIG"
_FOR_THE_COMMAND = frozenset({"CONFIG", "SERVER", "TOKEN"})
"""Names that are no settings: where these are, and which server the command works on with which token."""

_ALIKE = 0.75
"""From this likeness (difflib's ratio) on, a wrong name is taken for a slip: `mail_ulr`, not `nope`."""

_HIDDEN = ("secret", "key", "url")
"""Parts of the names of settings whose values are not repeated: they hold keys and passwords."""


class Settings(LlmSettings, MailSettings, BaseSettings):
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
    previous_secret_keys: Secrets = Field(
        (), description="Keys that signed links in mails already sent; their links go on working."
    )
    erasure_key: SecretStr = Field(
        SecretStr(""),
        description="Makes the mark that is kept of somebody who was erased, so that no list brings them "
        "back: without it nobody can try addresses out on the marks. Empty: one derived from secret_key.",
    )
    previous_erasure_keys: Secrets = Field(
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
    keep_measured_days: int = Field(
        90,
        ge=7,
        le=730,
        description="Days for which it is kept which reader who agreed to it opened and followed what. Then "
        "only numbers are kept. Readers are told this number when they are asked; a longer one "
        "holds for who agrees from then on.",
    )
    keep_record_days: int = Field(
        730, ge=0, le=36_500, description="Days for which it is kept who did what. 0: for good."
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address subscribers reach the web pages at: unsubscribe links begin with it.",
    )
    trusted_proxies: Words = Field(
        (),
        description="Addresses or networks of the reverse proxies in front of the pages, as in 127.0.0.1 or "
        "10.0.0.0/8. Of them, and of nobody else, it is believed whom they were asked by (X-Forwarded-For): "
        "that stands beside sessions, and tries to sign in are counted by it. Empty: none is believed.",
    )
    state_dir: str = Field(
        "",
        description="A folder of this machine's own, outside the database, where senders note how far they "
        "are: by it a database that was put back from a backup is known to be older, and nothing is sent "
        "until 'digest resume'. Not on the database's disk, if that can be. Empty: beside an SQLite file, "
        "else beside the settings.",
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
    sign_ups_per_address_day: int = Field(
        1,
        ge=0,
        le=1_000,
        description="Mails that sign-ups may cause to one mailbox in 24 hours, of all newsletters together; "
        "what follows a + in an address is no other mailbox. Over a cap, whoever signs up is told the same, "
        "and nothing is mailed. 0: any number.",
    )
    sign_ups_per_address_month: int = Field(
        3,
        ge=0,
        le=1_000,
        description="The same in 30 days: a mailbox whose owner never confirms is not asked for ever. It is "
        "counted anew once they confirm. 0: any number.",
    )
    sign_ups_per_network_hour: int = Field(
        30,
        ge=0,
        le=1_000_000,
        description="The same for sign-ups from one address, of IPv6 from one customer's network, in an "
        "hour. Behind a proxy that is not among trusted_proxies nobody is counted by it. 0: any number.",
    )
    sign_ups_per_domain_hour: int = Field(
        1_000,
        ge=0,
        le=1_000_000,
        description="The same for all addresses of one domain in an hour. Who comes after that waits and is "
        "mailed as the cap allows, within two days. 0: any number.",
    )
    sign_ups_per_newsletter_hour: int = Field(
        5_000,
        ge=0,
        le=1_000_000,
        description="The same for one newsletter in an hour; who comes after that waits, too. 0: any number.",
    )
    fetch_allow: Words = Field(
        (),
        description="HOST:PORT pairs that may be fetched although their address is private or the port "
        "unusual. Everything else inside your network is refused.",
    )
    source_alert_hours: int = Field(
        24, ge=1, le=24 * 365, description="How long a source may fail until ops are told of it, in hours."
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

    @field_validator("ops_webhook_url")
    @classmethod
    def _is_http(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not re.match(r"https?://[^/\s]+", url):
            raise ValueError("no http(s) address: it begins with https:// and the host's name")
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
