"""`digest doctor`: everything Digest stands on, tried for real, with what to do about what is wrong.

No check sends a mail, stores a row or leaves a file. All run at the same time, and one that gets no answer is
given up: it says so, and hides none of the others.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import tempfile
import threading
import time
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Connection, Engine, text

from digest.deliver.outages import outage_note
from digest.deliver.smtp import SmtpServer
from digest.domain.errors import DigestError, InvalidInput, Misconfigured
from digest.domain.issues import IssueState
from digest.domain.letters import LetterKind
from digest.intake.addresses import parse_address
from digest.runtime import Runtime
from digest.settings import PREFIX, Settings, config_file, load_settings
from digest.store.database import open_engine, reading
from digest.store.issues import issues_in
from digest.store.newsletters import list_newsletters
from digest.store.schema import revisions, schema_problem
from digest.store.trouble import named, sqlite_file, told

PATIENCE = 5.0
"""Seconds a check may take."""

KEY_LENGTH = 32
"""Characters a secret key needs at least: 'digest init' writes 43, which are 256 random bits."""

_CLOCKS_APART = timedelta(seconds=60)
_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
_GIB = 1 << 30
_ZONES_AT_LEAST = 400


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `found` says what was there. `advice` says what to do: always there when it is not well, '' when there is
    nothing to do, and otherwise what to see to before readers notice.
    """

    what: str
    is_well: bool
    found: str
    advice: str = ""


def examine() -> tuple[Check, ...]:
    """Return every check in a fixed order, after about `PATIENCE` seconds at most. Never raises.

    While the settings cannot be read there is nothing else to look for than the time zones.
    """
    try:
        settings = load_settings()
    except Misconfigured as exc:
        unread = Check(
            "settings", False, "cannot be read", f"{exc}\nUntil then nothing else can be looked at."
        )
        return (unread, *_run([("clock and zones", _zones)]))
    runtime = Runtime(settings)
    return _run(
        [
            ("settings", lambda: _settings(settings)),
            ("database", lambda: _database(runtime)),
            ("broker", lambda: _broker(settings)),
            ("mail", lambda: _mail(runtime)),
            ("signatures", lambda: _signatures(runtime)),
            ("templates", lambda: _templates(runtime)),
            ("clock and zones", _zones),
            ("disk", lambda: _disk(settings)),
        ]
    )


def _run(looks: Sequence[tuple[str, Callable[[], Iterator[Check]]]]) -> tuple[Check, ...]:
    """Return what the looks found, in their order; each has a thread of its own, so that none waits."""
    found: dict[str, list[Check]] = {what: [] for what, _ in looks}
    # Daemons: one that hangs in a connection must not keep the process.
    threads = [
        threading.Thread(target=_look, args=(what, look, found[what]), daemon=True) for what, look in looks
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE
    for thread, (what, _) in zip(threads, looks, strict=True):
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            found[what] = [*found[what], _silent(what)]
    return tuple(check for what, _ in looks for check in found[what])


def _look(what: str, look: Callable[[], Iterator[Check]], found: list[Check]) -> None:
    try:
        found.extend(look())
    except DigestError as exc:
        found.append(Check(what, False, "not usable", str(exc)))
    except Exception as exc:  # noqa: BLE001 - the others are still to be told; this one is told whole
        found.append(
            Check(what, False, f"{type(exc).__name__}: {exc}", "This is a fault in Digest: please report it.")
        )


def _silent(what: str) -> Check:
    return Check(
        what,
        False,
        f"no answer within {PATIENCE:g} s",
        "Check the address in the settings, that the other side is up, and that no firewall stands between.",
    )


def _settings(settings: Settings) -> Iterator[Check]:
    file = config_file()
    variables = sum(name.startswith(PREFIX) for name in os.environ)
    if file.exists():
        yield Check("settings", True, f"{file.resolve()}, {variables} from the environment")
    else:
        advice = "" if variables else "Run 'digest init' to make digest.toml in this folder."
        yield Check("settings", True, f"no {file} here, {variables} from the environment", advice)
    yield _secret_key(settings.secret_key.get_secret_value())
    yield _public_url(settings)
    yield _ops(settings.ops_email)


def _secret_key(key: str) -> Check:
    advice = (
        "Set secret_key (or DIGEST_SECRET_KEY) to the output of 'openssl rand -hex 32'. Keep an old key that "
        "signed mails in previous_secret_keys."
    )
    if not key:
        return Check("secret key", False, "not set, so links in mails cannot be signed", advice)
    if len(key) < KEY_LENGTH:
        return Check("secret key", False, f"{len(key)} characters: short enough to be guessed", advice)
    return Check("secret key", True, f"{len(key)} characters")


def _public_url(settings: Settings) -> Check:
    what, url = "public address", settings.public_url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Check(
            what, False, f"'{url}' is no http(s) URL", "Set public_url, as in https://digest.example.org."
        )
    if is_loopback(parts.hostname):
        mail = urlsplit(settings.mail_url)
        if mail.scheme == "maildir" or is_loopback(mail.hostname or ""):
            return Check(what, True, f"{url}, this machine alone")
        # Not bad in itself: a catcher of mail may well have a name of its own.
        advice = "Links in mails lead there: set public_url to an address your readers can reach."
        return Check(what, True, f"{url}, reached from this machine alone", advice)
    if parts.scheme == "http":
        advice = "Use https: without it mail programs show no one-click unsubscribe (RFC 8058 §3.1)."
        return Check(what, True, f"{url}, unencrypted", advice)
    return Check(what, True, url)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself, by its usual names and addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ops(address: str) -> Check:
    what = "ops address"
    if not address:
        advice = "Set ops_email: what needs a person (a missed run, an empty week) is only logged now."
        return Check(what, True, "not set", advice)
    try:
        return Check(what, True, parse_address(address))
    except InvalidInput as exc:
        return Check(what, False, f"'{address}'", f"ops_email: {exc}")


def _database(runtime: Runtime) -> Iterator[Check]:
    engine = open_engine(runtime.settings.database_url)
    try:
        problem = schema_problem(engine)
        if problem:
            yield Check("database", False, named(engine), f"{problem}.")
            return
        with told(engine), engine.connect() as connection:
            # The row stays as it is: whether it may be written is the question.
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            yield Check("database", True, f"{named(engine)}, schema {revisions()[-1]}, writable")
            if engine.dialect.name == "postgresql":
                yield _server_clock(connection)
        yield from _waiting_issues(engine)
        yield from _language_model(runtime, engine)
    finally:
        engine.dispose()


def _waiting_issues(engine: Engine) -> Iterator[Check]:
    """Issues that the mail server keeps waiting, whatever it says to us at this moment."""
    with reading(engine) as session:
        notes = {issue.id: outage_note(session, issue.id) for issue in issues_in(session, IssueState.SENDING)}
    for issue_id, note in notes.items():
        if note:
            yield Check(f"issue {issue_id}", False, "waits for the mail server", note)


def _server_clock(connection: Connection) -> Check:
    there = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(datetime.now(UTC) - there)
    return Check(
        "database clock",
        apart < _CLOCKS_APART,
        f"{apart.total_seconds():.1f} s from ours",
        ""
        if apart < _CLOCKS_APART
        else "Let both machines keep time by NTP: schedules and leases rest on it.",
    )


def _broker(settings: Settings) -> Iterator[Check]:
    parts = urlsplit(settings.broker_url)
    if parts.scheme == "memory":
        yield Check("broker", True, "memory://, inside 'digest up'")
        return
    if parts.scheme not in ("redis", "rediss", "unix", "redis+socket"):
        raise Misconfigured(
            f"broker_url: '{parts.scheme}' is not supported: use memory:// or redis://:PASSWORD@HOST:6379/0"
        )
    where = f"{parts.scheme}://{parts.hostname or parts.path}:{parts.port or 6379}"
    try:
        with redis.Redis.from_url(
            settings.broker_url, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
            yield Check("broker", True, f"{where} answers", " ".join(_redis_advice(client, parts)))
    except (redis.RedisError, ValueError, OSError) as exc:
        yield Check(
            "broker",
            False,
            f"{where}: {exc}",
            "Check broker_url and that Redis is up. Until then 'digest send' sends; nothing is lost.",
        )


def _redis_advice(client: redis.Redis, parts: object) -> Iterator[str]:
    if not getattr(parts, "password", None) and not is_loopback(getattr(parts, "hostname", None) or ""):
        yield "Give Redis a password (requirepass): whoever reaches it can start tasks."
    try:
        setting = client.config_get("appendonly")
    except redis.ResponseError:
        return  # a hosted Redis does not let us look
    if isinstance(setting, dict) and setting.get("appendonly") == "no":
        yield (
            "Turn on 'appendonly yes': without it a restart of Redis forgets what is queued, and sending "
            "waits for the next sweep."
        )


def _mail(runtime: Runtime) -> Iterator[Check]:
    url = runtime.settings.mail_url
    if urlsplit(url).scheme == "maildir":
        yield _mail_folder(Path(unquote(urlsplit(url).path)).resolve())
        return
    server = SmtpServer.from_url(url)

    async def greet() -> None:
        async with asyncio.timeout(PATIENCE * 0.9), runtime.transport.session():
            return

    try:
        asyncio.run(greet())
    except TimeoutError:
        yield Check(
            "mail server",
            False,
            f"{server.name}: no answer within {PATIENCE:g} s",
            "Check host and port in mail_url. Many networks block port 25: try 587 (smtp://) or 465 (smtps://).",
        )
    except DigestError as exc:
        yield Check(
            "mail server",
            False,
            f"{server.name} takes no mail",
            f"{str(exc).rstrip('.')}. Check mail_url, and that the server is up.",
        )
    else:
        log_in = f"takes the log-in of {server.username}" if server.username else "wants no log-in"
        yield Check("mail server", True, f"{server.name} greets and {log_in}")


def _mail_folder(folder: Path) -> Check:
    there = _nearest(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(0, "it is a file, not a folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as exc:
        advice = "Let mail_url name a folder this user may write, or a mail server."
        return Check("mail folder", False, f"{folder}: {exc.strerror or exc}", advice)
    return Check("mail folder", True, f"{folder}; nothing is sent")


def _signatures(runtime: Runtime) -> Iterator[Check]:
    """The keys of DKIM, one check each; nothing without keys, where the mail server signs."""
    for key in runtime.dkim_keys:
        advice = "Make one of 2048 bits: receivers may soon believe none shorter." if key.is_short else ""
        domain = runtime.settings.dkim_domain and runtime.dkim_domain("")
        signs = f"signs for {domain or 'each sender'}; 'digest dkim' prints its DNS record"
        yield Check(f"DKIM key {key.selector}", True, f"{key.kind}, {signs}", advice)


def _language_model(runtime: Runtime, engine: Engine) -> Iterator[Check]:
    """What writes takeaways where newsletters want one; nothing where none does and none is set."""
    with reading(engine) as session:
        wanting = [newsletter.slug for newsletter in list_newsletters(session) if newsletter.llm]
    what = "language model"
    try:
        options = runtime.llm_options
    except Misconfigured as exc:
        yield Check(what, False, "cannot be asked", str(exc))
        return
    if options is not None:
        found = f"{options.model} at {options.base}, not asked now: answers cost money"
        advice = "" if wanting else "No newsletter asks it: 'digest newsletter change NEWSLETTER --llm'."
        yield Check(what, True, found, advice)
    elif wanting:
        found = f"none is set, and {', '.join(wanting)} wants one: takeaways are extracted"
        advice = "Set llm_provider, or 'digest newsletter change NEWSLETTER --no-llm'."
        yield Check(what, False, found, advice)


def _nearest(path: Path) -> Path:
    """Return the path itself, or the closest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _templates(runtime: Runtime) -> Iterator[Check]:
    folder, own = runtime.settings.templates / "email", runtime.settings.newsletter_templates_dir
    names = sorted(body.parent.name for body in folder.glob("*/body.mjml"))
    if not names:
        raise Misconfigured(f"{folder} holds no e-mail template: check templates_dir")
    for name in names:
        yield _template(f"template {name}", folder / name)
    if own is None:
        return
    if not own.is_dir():
        raise Misconfigured(f"{own} is no folder: check newsletter_templates_dir")
    for place in sorted(own.glob("*/*/")):
        what = f"template {place.name} of {place.parent.name}"
        if place.name in names:
            yield _template(what, place, folder / place.name)
        elif place.name != "parts":
            yield Check(
                what, False, "is nobody's", f"{place}: there is {', '.join(names)}; rename it or remove it"
            )


def _template(what: str, *folders: Path) -> Check:
    from digest.compose.letters import compile_letter
    from digest.compose.templates import compile_template

    kind = next((kind for kind in LetterKind if kind == folders[-1].name), None)
    try:
        compile_letter(kind, *folders) if kind else compile_template(*folders)
    except Misconfigured as exc:
        return Check(what, False, "does not compile", str(exc))
    return Check(what, True, f"compiles, and shows a sample {'mail' if kind else 'issue'}")


def _zones() -> Iterator[Check]:
    now, zones = datetime.now(UTC), len(zoneinfo.available_timezones())
    if now < _RELEASED:
        yield Check("clock", False, f"{now:%Y-%m-%d %H:%M} UTC", "Set the clock: this date is past already.")
    else:
        yield Check("clock", True, f"{now:%Y-%m-%d %H:%M} UTC")
    if zones < _ZONES_AT_LEAST:
        yield Check("time zones", False, f"{zones} known", "Install the system's tzdata package.")
    else:
        yield Check("time zones", True, f"{zones} known")


def _disk(settings: Settings) -> Iterator[Check]:
    seen: set[int] = set()
    for folder in _folders_written(settings):
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        advice = "Make room: a full disk stops sending." if free < _GIB else ""
        yield Check("disk", free >= _GIB / 10, f"{free / _GIB:.1f} GiB free at {folder}", advice)


def _folders_written(settings: Settings) -> Iterator[Path]:
    file = sqlite_file(open_engine(settings.database_url))
    if file is not None:
        yield _nearest(file.resolve().parent)
    if urlsplit(settings.mail_url).scheme == "maildir":
        yield _nearest(Path(unquote(urlsplit(settings.mail_url).path)).resolve())
    yield Path(tempfile.gettempdir())
