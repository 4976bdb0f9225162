"""The one place that wires settings to the database, the mail server, the fetcher and the templates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import Engine

from digest.domain.clicks import Clicks
from digest.domain.deliveries import DeliveryId
from digest.domain.erasing import ErasureKeys
from digest.domain.errors import Misconfigured, Refused
from digest.domain.letters import LetterKind
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.keys import erasure_keys, key_for, secret_keys
from digest.logs import set_up_logs
from digest.settings import Settings, config_file, load_settings
from digest.store.database import open_engine
from digest.store.schema import require_schema
from digest.store.trouble import sqlite_file

# What a stage is made with is imported when it is made: a command that only reads the database starts in
# half the time without template engine, mail and HTTP libraries.
if TYPE_CHECKING:
    from digest.compose.templates import EmailTemplate, MessageTemplate
    from digest.condense.llm import LlmCondenser, LlmOptions
    from digest.deliver.dkim.keys import DkimKey
    from digest.deliver.dkim.signing import Signer
    from digest.deliver.standing import Relay
    from digest.deliver.throttle.caps import Throttle
    from digest.deliver.transport import Transport
    from digest.gather.fetching.fetch import Fetcher, Looker
    from digest.gather.parsing.pool import Parsers
    from digest.intake.sign_ups.caps import Caps
    from digest.track.clicks import ClickLinks
    from digest.track.returns import ReturnPaths
    from digest.track.tokens import Tokens


def utc_now() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """Everything a stage is handed, made from the settings when it is first asked for."""

    settings: Settings
    clock: Callable[[], datetime] = utc_now

    @cached_property
    def engine(self) -> Engine:
        """The database, with this version's schema. Raises `Misconfigured` or `Unavailable`."""
        engine = open_engine(self.settings.database_url)
        require_schema(engine)
        return engine

    def with_database(self, engine: Engine) -> Runtime:
        """Return the same on another database, as that of a rehearsal."""
        url = engine.url.render_as_string(hide_password=False)
        return replace(self, settings=self.settings.model_copy(update={"database_url": url}))

    @cached_property
    def owner(self) -> str:
        """A name for this process as an owner of deliveries, never used twice."""
        from digest.deliver.owners import Owner

        return str(Owner.this_process())

    @cached_property
    def state_dir(self) -> Path:
        """The folder of this machine where senders note how far they are. It may not be there yet."""
        if self.settings.state_dir:
            return Path(self.settings.state_dir)
        database = sqlite_file(open_engine(self.settings.database_url))
        if database is not None:
            return database.with_name(f"{database.name}.state")
        return config_file().parent / "digest-state"

    @cached_property
    def tokens(self) -> Tokens:
        """The signer of links. Raises `Misconfigured` when there is no key to sign with."""
        from digest.track.tokens import Tokens

        return Tokens(secret_keys(self.settings))

    @cached_property
    def door_key(self) -> bytes:
        """What marks the browsers that people sign in with. Raises `Misconfigured` as `tokens` does."""
        return key_for(self.settings, "sign-in")

    @property
    def visitor_key(self) -> bytes:
        """What tells those who follow links apart, for minutes. Raises `Misconfigured` as `tokens` does."""
        return key_for(self.settings, "visitors")

    @cached_property
    def erasure_keys(self) -> ErasureKeys:
        """What tells who was erased; without any key of the settings it tells nobody, and marks nobody."""
        return erasure_keys(self.settings)

    @cached_property
    def return_paths(self) -> ReturnPaths:
        """Who reads what comes back. Raises `Misconfigured` where mails have no return path of their own."""
        from digest.track.returns import PLACE, ReturnPaths

        if PLACE not in self.settings.return_path:
            raise Misconfigured(
                "return_path has no * before its @, so what comes back does not tell whose mail it was, and "
                "nothing of it can be believed: set one such as bounces+*@news.example.org"
            )
        return ReturnPaths(self.settings.return_path, secret_keys(self.settings))

    def return_path(self, sender_email: str) -> Callable[[DeliveryId], str]:
        """Return what names the address a delivery's bounces go to. Raises `Misconfigured` when none can."""
        from digest.deliver.headers import ascii_address
        from digest.track.returns import PLACE, ReturnPaths

        pattern = self.settings.return_path or sender_email
        paths = ReturnPaths(pattern, secret_keys(self.settings)) if PLACE in pattern else None
        try:
            address = ascii_address(paths.write(DeliveryId(1)) if paths else pattern)
        except Refused as exc:
            raise Misconfigured(f"return_path: {exc}") from exc
        return paths.write if paths else lambda _: address

    @asynccontextmanager
    async def fetcher(self, engine: Engine | None = None) -> AsyncIterator[Fetcher]:
        """Give a fetcher that obeys robots.txt; what hosts say is kept in `engine`, if one is given."""
        from digest.gather.fetching.hosts import StoredHosts
        from digest.gather.fetching.http import HttpFetcher
        from digest.gather.fetching.polite import InMemory, PoliteFetcher

        contact = self.settings.contact_url or self.settings.public_url
        memory = StoredHosts(engine) if engine else InMemory()
        async with HttpFetcher(contact=contact, allow=frozenset(self.settings.fetch_allow)) as fetcher:
            yield PoliteFetcher(fetcher, memory=memory, clock=self.clock)

    @asynccontextmanager
    async def looker(self, *, seconds: float) -> AsyncIterator[Looker]:
        """Give who looks at addresses as politely as the fetcher does, at most so long at each."""
        from digest.gather.fetching.fetch import Limits
        from digest.gather.fetching.hosts import StoredHosts
        from digest.gather.fetching.http import HttpFetcher
        from digest.gather.fetching.polite import PoliteFetcher

        contact = self.settings.contact_url or self.settings.public_url
        limits = Limits(seconds=seconds, silence=seconds)
        allow = frozenset(self.settings.fetch_allow)
        async with HttpFetcher(contact=contact, allow=allow, limits=limits) as fetcher:
            yield PoliteFetcher(fetcher, memory=StoredHosts(self.engine), clock=self.clock)

    @asynccontextmanager
    async def own_looker(self, *, seconds: float) -> AsyncIterator[Looker]:
        """Give who looks at `public_url`, wherever that is: nothing a stranger wrote is asked through it."""
        from digest.gather.fetching.fetch import Limits
        from digest.gather.fetching.http import HttpFetcher

        own = urlsplit(self.settings.public_url)
        port = own.port or (443 if own.scheme == "https" else 80)
        limits = Limits(seconds=seconds, silence=seconds)
        host = f"[{own.hostname}]" if ":" in (own.hostname or "") else own.hostname
        allow = frozenset({f"{host}:{port}"})
        async with HttpFetcher(contact=self.settings.public_url, allow=allow, limits=limits) as fetcher:
            yield fetcher

    def parsers(self) -> Parsers:
        """Return processes that read strangers' documents, an async context manager."""
        from digest.gather.parsing.pool import Parsers

        return Parsers()

    @asynccontextmanager
    async def llm(
        self, newsletter_id: NewsletterId, *, seconds: float | None = None, dollars: float | None = None
    ) -> AsyncIterator[LlmCondenser | None]:
        """Give what asks the language model in one run of a newsletter, None when the settings name none.

        `seconds` and `dollars` are what is left of the run's limits (None: all of them). Its answers are kept
        in this runtime's database. Raises `Misconfigured` with the setting that is wrong.
        """
        options = self.llm_options
        if options is None:
            yield None
            return
        from digest.condense.llm import open_condenser

        options = replace(
            options,
            spend_limit=options.spend_limit if dollars is None else dollars,
            run_seconds=options.run_seconds if seconds is None else seconds,
        )
        async with open_condenser(options, self.engine, newsletter_id, now=self.clock) as condenser:
            yield condenser

    @property
    def llm_options(self) -> LlmOptions | None:
        """The language model that the settings name, if any. Raises `Misconfigured` with what is wrong."""
        settings = self.settings
        if settings.llm_provider == "none":
            return None
        from digest.condense.llm import LlmOptions, Prices, Provider

        return LlmOptions(
            provider=Provider(settings.llm_provider),
            model=settings.llm_model.strip(),
            prices=Prices.given(settings.llm_input_price, settings.llm_output_price),
            url=settings.llm_url.strip(),
            api_key=SecretStr(settings.llm_api_key.get_secret_value().strip()),
            spend_limit=settings.llm_spend_limit,
            concurrency=settings.llm_concurrency,
            answer_tokens=settings.llm_answer_tokens,
            timeout=settings.llm_timeout_seconds,
            run_seconds=settings.llm_run_seconds,
        )

    @cached_property
    def relays(self) -> tuple[Relay, ...]:
        """The ways that mail may leave by. Raises `Misconfigured` for an address or a key that is none."""
        from digest.deliver.mail_urls import open_relays
        from digest.deliver.smtp.limits import Limits

        settings = self.settings
        limits = Limits(settings.mail_session_messages, settings.mail_session_seconds)
        return open_relays(settings.mail_url, settings.mail_key, limits=limits)

    @cached_property
    def transport(self) -> Transport:
        """The way mail leaves, by whichever relay. Raises as `relays` does."""
        from digest.deliver.mail_urls import transport_of

        return transport_of(self.relays)

    @cached_property
    def throttle(self) -> Throttle:
        """What slows sending down. Raises `Misconfigured` for a cap on a relay that is none of ours."""
        from digest.deliver.throttle.caps import Throttle, on_relays, read_caps, read_warm_up

        settings = self.settings
        warm_up = read_warm_up(settings.warm_up_from, settings.warm_up_caps)
        relays = tuple(relay.name.lower() for relay in self.relays)
        return Throttle(on_relays(read_caps(settings.rate_limits), relays), warm_up, relays)

    @cached_property
    def dkim_keys(self) -> tuple[DkimKey, ...]:
        """The keys that sign mail to readers, () for none. Raises `Misconfigured` when one cannot sign."""
        if not self.settings.dkim_keys:
            return ()
        from digest.deliver.dkim.keys import read_keys

        return read_keys(key.get_secret_value() for key in self.settings.dkim_keys)

    def dkim_domain(self, sender_email: str) -> str:
        """Return the domain that signs mail from `sender_email`, in A-labels. Raises `Misconfigured`."""
        from digest.deliver.headers import ascii_address

        domain = self.settings.dkim_domain or sender_email.rpartition("@")[2]
        try:
            return ascii_address(f"postmaster@{domain}").rpartition("@")[2].lower()
        except Refused as exc:
            raise Misconfigured(
                f"dkim_domain: '{domain}' is not the name of a domain; write it like example.org"
            ) from exc

    def signer(self, sender_email: str) -> Signer | None:
        """Return what signs mail from `sender_email`, None without a key. Raises `Misconfigured`."""
        if not self.dkim_keys:
            return None
        from digest.deliver.dkim.signing import Signer

        return Signer(self.dkim_domain(sender_email), self.dkim_keys)

    def require_mail(self) -> None:
        """Raise `Misconfigured` now, not in the middle of a send, when mail could not be made or signed."""
        from digest.deliver.mail_urls import require_unsigned

        _ = self.tokens, self.transport, self.throttle
        if self.dkim_keys:
            require_unsigned(self.settings.mail_url)
        if self.settings.return_path:
            self.return_path("")
        if self.settings.bounce_mailbox_url:
            _ = self.return_paths
        if self.settings.dkim_domain:
            self.dkim_domain("")

    def template(self, newsletter: Newsletter) -> EmailTemplate:
        """Return the newsletter's e-mail template in its theme, as the files are now.

        Raises `Misconfigured` with file and line.
        """
        from digest.compose.template_files import TemplateFiles

        folders = self.template_folders(newsletter)
        template = _template(folders, TemplateFiles(folders).stamp)
        return replace(
            template,
            theme=newsletter.theme,
            counted=self._counted(newsletter),
            measures=newsletter.measuring is Measuring.ASKED,
        )

    def _counted(self, newsletter: Newsletter) -> ClickLinks | None:
        """Return what makes the links of a newsletter's mail counted ones, None where no clicks are."""
        if newsletter.clicks is Clicks.OFF:
            return None
        from digest.track.clicks import ClickLinks

        return ClickLinks(self.settings.public_url.rstrip("/"), self.tokens)

    def letter_template(self, kind: LetterKind, newsletter: Newsletter | None = None) -> MessageTemplate:
        """Return the template of a mail besides the digest, as `template` does; an alert is nobody's."""
        from digest.compose.template_files import TemplateFiles

        shared = (self.settings.templates / "email" / kind,)
        folders = self.template_folders(newsletter, kind) if newsletter else shared
        template = _letter_template(kind, folders, TemplateFiles(folders).stamp)
        return replace(template, theme=newsletter.theme) if newsletter else template

    def template_folders(self, newsletter: Newsletter, name: str = "") -> tuple[Path, ...]:
        """Return where a newsletter's template is: its own files go before those of all newsletters.

        `name` is another template's than the digest's. Raises `Misconfigured` as `own_templates` does.
        """
        name = name or newsletter.template
        shared, own = self.settings.templates / "email" / name, self.own_templates
        return (own / newsletter.slug / name, shared) if own else (shared,)

    @property
    def own_templates(self) -> Path | None:
        """The folder of templates of single newsletters, None where none has its own.

        Raises `Misconfigured` when it is not there: mail would go out in a design that is not its own.
        """
        own = self.settings.newsletter_templates_dir
        if own is not None and not own.is_dir():
            raise Misconfigured(
                f"newsletter_templates_dir: {own} is no folder, so newsletters' own templates would be "
                "passed over; correct the setting, or take it out if none has its own"
            )
        return own

    def link(self, page: str, token: str) -> str:
        """Return the address of a page that a signed token opens."""
        return f"{self.settings.public_url.rstrip('/')}/{page}/{token}"

    def sign_up_url(self, newsletter: Newsletter) -> str:
        """Return the address at which everybody may ask for a newsletter, where it lets them."""
        return f"{self.settings.public_url.rstrip('/')}/subscribe/{newsletter.slug}"

    @cached_property
    def sign_up_caps(self) -> Caps:
        """How many mails sign-ups may cause. Raises `Misconfigured` as `tokens` does."""
        from digest.intake.sign_ups.caps import Caps

        settings = self.settings
        return Caps(
            per_address_day=settings.sign_ups_per_address_day,
            per_address_month=settings.sign_ups_per_address_month,
            per_network_hour=settings.sign_ups_per_network_hour,
            per_domain_hour=settings.sign_ups_per_domain_hour,
            per_newsletter_hour=settings.sign_ups_per_newsletter_hour,
            secret=key_for(self.settings, "sign-ups"),
        )

    def archive_url(self, newsletter: Newsletter) -> str:
        """Return the address at which a newsletter's public archive is, where it has one."""
        return f"{self.settings.public_url.rstrip('/')}/archive/{newsletter.slug}"


@lru_cache(maxsize=64)
def _template(folders: tuple[Path, ...], _stamp: object) -> EmailTemplate:
    """Return the template in `folders`, compiled when first asked for and after each change of a file."""
    from digest.compose.templates import compile_template

    return compile_template(*folders)


@lru_cache(maxsize=256)
def _letter_template(kind: LetterKind, folders: tuple[Path, ...], _stamp: object) -> MessageTemplate:
    """Return the template of a kind of mail, kept as `_template` keeps the digest's."""
    from digest.compose.letters import compile_letter

    return compile_letter(kind, *folders)


def open_runtime(**overrides: object) -> Runtime:
    """Read the settings, set up the logs and return the runtime. Raises `Misconfigured`."""
    settings = load_settings(**overrides)
    set_up_logs(level=settings.log_level, as_json=settings.log_format == "json")
    if settings.otlp_url or settings.sentry_dsn.get_secret_value():
        from digest.telemetry.setting_up import set_up_telemetry

        set_up_telemetry(
            otlp_url=settings.otlp_url,
            otlp_headers=settings.otlp_headers.get_secret_value(),
            trace_share=settings.trace_share,
            sentry_dsn=settings.sentry_dsn.get_secret_value(),
            environment=settings.environment,
        )
    return Runtime(settings)
