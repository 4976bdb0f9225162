"""The database: its schema, that it can be written, its clock; and what its rows say of other needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from digest.deliver.outages import outage_note
from digest.doctor.accounts import look_at_accounts
from digest.doctor.checks import Check
from digest.domain.counting import counted
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueState
from digest.runtime import Runtime
from digest.store.database import open_engine, reading
from digest.store.erasures import count_unknowable
from digest.store.issues import issues_in
from digest.store.newsletters import list_newsletters
from digest.store.schema import revisions, schema_problem
from digest.store.trouble import named, told

_CLOCKS_APART = timedelta(seconds=60)


def look_at_database(runtime: Runtime) -> Iterator[Check]:
    """Look at the database, and at what waits in it. Its rows stay as they are."""
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
        yield from look_at_accounts(engine)
        yield from _erasures(runtime, engine)
    finally:
        engine.dispose()


def _waiting_issues(engine: Engine) -> Iterator[Check]:
    """Issues that the mail server keeps waiting, whatever it says to us at this moment."""
    with reading(engine) as session:
        notes = {issue.id: outage_note(session, issue.id) for issue in issues_in(session, IssueState.SENDING)}
    for issue_id, note in notes.items():
        if note:
            yield Check(f"issue {issue_id}", False, "waits for the mail server", note)


def _erasures(runtime: Runtime, engine: Engine) -> Iterator[Check]:
    """Marks of erased readers that no key of the settings made: a list could bring these people back."""
    with reading(engine) as session:
        strange = count_unknowable(session, runtime.erasure_keys)
    if strange:
        yield Check(
            "erased readers",
            False,
            f"{counted(strange, 'mark')} made with a key that is not in the settings",
            "An import would mail these people again. Put the key of then into previous_erasure_keys; where "
            "erasure_key was empty, that is the old secret_key, in previous_secret_keys.",
        )


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
